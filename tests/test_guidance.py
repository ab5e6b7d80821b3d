"""Guidance: its identities, one batch for both halves, and inpainting that keeps what it knows."""

import numpy as np
import pytest
import torch
from refusals import refused
from sampling import SAMPLERS, assert_moments, end, rng

from diffusion_course import data
from diffusion_course.base.words import NOT_SAID
from diffusion_course.denoisers import FullGaussianDenoiser, GaussianDenoiser, IdealDenoiser
from diffusion_course.forward import add_noise, randn_like, x0_from_eps
from diffusion_course.guidance import guided, inpainted
from diffusion_course.models import SpiralMLP
from diffusion_course.samplers import ddim, ddpm
from diffusion_course.schedule import cosine, linear, zero_terminal_snr

LINEAR = linear()
every_kind = pytest.mark.parametrize("kind", [np.asarray, torch.tensor], ids=["array", "tensor"])


class Conditional:
    """Exact for x_0 ~ N(cond, ½²); with nothing said (−1), for x_0 ~ N(0, ½²). Keeps what it was asked."""

    def __init__(self, schedule=LINEAR):
        self.schedule, self.asked = schedule, []

    def exact(self, cond):
        return GaussianDenoiser(np.where(cond == NOT_SAID, 0.0, cond), 0.5, self.schedule)

    def __call__(self, xt, t, cond):
        self.asked.append((xt, t, cond))
        return self.exact(cond)(xt, t)

    def x0_hat(self, xt, t, cond):
        return self.exact(cond).x0_hat(xt, t)


@every_kind
@pytest.mark.parametrize("t", [1, 300, [1, 300, 400, 999, 1000]], ids=repr)
@pytest.mark.parametrize("rows", ["one for all", "one a sample"])
def test_scale_0_is_without_the_condition_1_with_it_and_between_is_straight(t, rows, kind):
    xt, model = kind(rng().standard_normal((5, 2))), Conditional()
    cond = np.array([[2.0, 3.0]]) if rows == "one for all" else rng(1).standard_normal((5, 2)) + 4
    free, conditioned = model(xt, t, np.full((5, 2), -1.0)), model(xt, t, np.broadcast_to(cond, (5, 2)))
    for times in [t, kind(t)] if isinstance(t, list) else [t]:
        for scale, expected in [(0, free), (1, conditioned), (3, 3 * conditioned - 2 * free)]:
            answer = guided(model, kind(cond), scale)(xt, times)
            assert type(answer) is type(xt)
            np.testing.assert_allclose(answer, expected, atol=1e-12)


@every_kind
@pytest.mark.parametrize("dtype", ["int64", "float32"])
def test_both_halves_are_one_evaluation_of_twice_the_batch(kind, dtype):
    model, xt = Conditional(), kind(rng().standard_normal((3, 2)))
    cond = kind(np.array([[4, 5]], dtype=dtype))
    guided(model, cond, 2.0)(xt, kind(np.array([7, 8, 9])))
    [(both, t, conds)] = model.asked
    np.testing.assert_array_equal(both, np.concatenate([xt, xt]))
    np.testing.assert_array_equal(t, [7, 8, 9, 7, 8, 9])
    np.testing.assert_array_equal(conds, [[-1, -1]] * 3 + [[4, 5]] * 3)
    assert conds.dtype == cond.dtype and both.dtype == xt.dtype
    guided(model, cond, 2.0)(xt, 7)
    assert model.asked[1][1] == 7
    guided(model, cond, 1.0)(xt, 7)  # here the other half counts for nothing
    assert len(model.asked[2][0]) == 3


@every_kind
def test_a_condition_for_another_number_of_samples_is_refused(kind):
    for rows in (2, 0, 4):
        with refused(f"{rows} rows for 3 samples", "one a sample", "for all"):
            guided(Conditional(), kind(np.zeros((rows, 2))), 2.0)(kind(np.zeros((3, 2))), 5)


def test_conditions_are_taken_as_given_takes_them_and_refused_at_once():
    model, x = SpiralMLP(cosine(50), attributes=(3,)), torch.zeros(2, 2)
    listed, tensor = (guided(model, cond, 2.0)(x, 5) for cond in ([[1], [2]], torch.tensor([[1], [2]])))
    torch.testing.assert_close(listed, tensor)
    with pytest.raises(ValueError, match="cond"):
        guided(model, [[9]], 2.0)


@pytest.mark.parametrize("schedule", [LINEAR, zero_terminal_snr(LINEAR)], ids=["linear", "zero terminal"])
@pytest.mark.parametrize("scale", [0, 1, 2])
def test_guided_samples_are_where_the_condition_says(schedule, scale):
    """Both Gaussians have one spread, so guidance with scale w samples exactly N(2w, ½²)."""
    model = guided(Conditional(schedule), np.array([[2.0]]), scale)
    x0 = end(ddpm, model, schedule, rng(1).standard_normal((2000, 1)), rng=rng(2))
    error = 0.5 / 2000**0.5
    assert abs(x0.mean() - 2 * scale) < 4 * error + 0.02  # 0.02: ᾱ_T is not quite 0
    assert abs(x0.std() - 0.5) < 4 * error


def test_guidance_mixes_x0_hat_as_it_mixes_eps_hat():
    model, xt = Conditional(), rng().standard_normal((5, 2))
    mixed = guided(model, np.array([[2.0, 3.0]]), 2.5)
    expected = x0_from_eps(xt, LINEAR.at(300), mixed(xt, 300))
    np.testing.assert_allclose(mixed.x0_hat(xt, 300), expected, atol=1e-12)


@pytest.mark.parametrize("scale", ["a", None, np.nan, True])
def test_a_strength_that_is_no_number_is_refused(scale):
    with refused("scale must be a finite number", repr(scale)):
        guided(Conditional(), np.zeros((1, 2)), scale)


# Inpainting.


def test_known_pixels_of_another_kind_or_shape_are_refused():
    exact, xt = GaussianDenoiser(0.0, 1.0, LINEAR), torch.zeros(4, 2)
    for known, mask, told in (
        (torch.zeros(3), 1.0, ["known of shape (3,)", "xt of shape (4, 2)"]),
        (torch.zeros(2), torch.ones(1, 4, 2), ["mask of shape (1, 4, 2)"]),
        (np.zeros(2), 1.0, ["known must be a number or a Tensor"]),
        (0.0, [0, 1], ["mask must be a number or a Tensor", "[0, 1]"]),
        *((0.0, mask, ["mask must lie in [0, 1]"]) for mask in (None, 2.0, np.array([1.0, np.nan]))),
        *((kind([0.0, np.nan]), 1.0, ["known holds NaN"]) for kind in (np.array, torch.tensor)),
    ):
        with refused(*told):
            inpainted(exact, LINEAR, known, mask)(xt, 5)
    with refused("known must be a float, a NumPy array"):
        inpainted(exact, LINEAR, [0, 0], 1.0)


@every_kind
@pytest.mark.parametrize("mask_type", [np.float32, bool, np.int64])
def test_the_guess_has_the_known_pixels_and_is_the_models_elsewhere(kind, mask_type):
    schedule = zero_terminal_snr(LINEAR)
    exact = GaussianDenoiser(1.0, 0.5, schedule)
    xt, known = kind(rng().standard_normal((4, 1, 2, 2))), kind(np.array([[[5.0, 6.0], [7.0, 8.0]]]))
    mask = np.array([[[1, 0], [0, 1]]])
    model = inpainted(exact, schedule, known, kind(mask.astype(mask_type)))
    expected = np.where(mask, known, exact.x0_hat(xt, 300))
    np.testing.assert_allclose(x0_from_eps(xt, schedule.at(300), model(xt, 300)), expected, atol=1e-9)
    np.testing.assert_allclose(model.x0_hat(xt, 300), expected, atol=1e-12)
    np.testing.assert_allclose(model.x0_hat(xt, 1000), np.broadcast_to(np.where(mask, known, 1.0), xt.shape))
    x0 = end(ddim, model, schedule, xt, 10)
    assert type(x0) is type(xt)
    np.testing.assert_allclose((x0 - known)[:, mask == 1], 0, atol=1e-9)


def test_known_pixels_follow_their_forward_process_at_every_step():
    model = inpainted(GaussianDenoiser([0.0, 0.0], 1.0, LINEAR), LINEAR, np.array([2.0, 0.0]), np.array([1.0, 0.0]))
    times = LINEAR.steps(20)
    for t, x in zip(times, ddpm(model, LINEAR, rng(3).standard_normal((20_000, 2)), times, rng=rng(4)), strict=True):
        if 0 < t < 1000:
            assert_moments(x[:, 0], LINEAR.at(t) ** 0.5 * 2, 1 - LINEAR.at(t))


@pytest.mark.parametrize("n", [100, 1000])
def test_what_is_invented_is_not_quite_a_draw_given_the_known(n):
    """A fact, and no promise: two numbers of correlation 0.9, the first known to be 2.

    Bayes' rule says 1.80 ± 0.44 for the second. The model sees only *noisy* known numbers, so the invented one lags
    behind: 1.25 ± 0.60, and more steps do not mend it. Its share of the truth, 0.7, is not small print.
    """
    pair = FullGaussianDenoiser([0.0, 0.0], [[1.0, 0.9], [0.9, 1.0]], LINEAR)
    model = inpainted(pair, LINEAR, np.array([2.0, 0.0]), np.array([1.0, 0.0]))
    x0 = end(ddpm, model, LINEAR, rng(5).standard_normal((4000, 2)), n, rng=rng(6))
    np.testing.assert_allclose(x0[:, 0], 2.0, atol=1e-12)
    assert x0[:, 1].mean() == pytest.approx(1.25, abs=0.05)
    assert x0[:, 1].std() == pytest.approx(0.60, abs=0.05)


def test_inpainting_a_face_invents_the_rest_to_fit():
    faces = data.faces("test").x0[:200]
    known, mask = faces[7], np.zeros((1, 16, 16), dtype=np.float32)
    mask[:, :10] = 1  # the upper part is known
    model = inpainted(IdealDenoiser(faces, LINEAR), LINEAR, known, mask)
    start = randn_like(np.empty((16, 3, 16, 16), dtype=np.float32), rng(2))
    x0 = end(ddpm, model, LINEAR, start, 50, rng=rng(3))
    assert x0.dtype == np.float32
    assert np.abs(mask * (x0 - known)).max() < 1e-5
    nearest = np.abs((1 - mask) * (x0[:, None] - faces)).max((2, 3, 4)).min(1)
    assert (nearest < 1e-3).all()  # the exact denoiser's lower parts are those of real faces


def test_image_to_image_starts_in_the_middle_and_stays_near():
    faces = data.faces("test").x0[:200]
    x0, noise = np.broadcast_to(faces[3], (16, *faces[3].shape)), rng(3)
    model = IdealDenoiser(faces, LINEAR)

    def share_kept(t):
        xt = add_noise(x0, LINEAR.at(t), randn_like(x0, noise))
        again = end(ddpm, model, LINEAR, xt, np.linspace(t, 0, 21).round().astype(int), rng=noise)
        return np.mean(np.abs(again - x0).max((1, 2, 3)) < 1e-3)

    assert share_kept(100) == 1.0
    assert share_kept(1000) < 0.5


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_every_sampler_can_be_guided_and_told_pixels(sampler):
    start, mask = torch.zeros(3, 2), torch.tensor([1.0, 0.0])
    asked = guided(lambda xt, t, cond: xt + 0 * cond, torch.tensor([[4, 5]]), 2.0)
    x0 = end(sampler, inpainted(asked, LINEAR, torch.tensor([0.5, 0.0]), mask), LINEAR, start, 5)
    np.testing.assert_allclose(x0[:, 0], 0.5, atol=1e-6)
