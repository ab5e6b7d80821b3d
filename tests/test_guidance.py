"""Guidance: its identities, inpainting that keeps what it knows, wishes that are read or refused."""

import numpy as np
import pytest

from diffusion_course import data, schedule
from diffusion_course.denoisers import GaussianDenoiser, IdealDenoiser
from diffusion_course.forward import add_noise, randn_like
from diffusion_course.guidance import VOCABULARY, face_wish, guided, knowing
from diffusion_course.samplers import ddpm

LINEAR = schedule.linear()


def conditional(xt, t, cond=None):
    """Exact for x_0 ~ N(cond, ½²); without a wish, for x_0 ~ N(0, ½²)."""
    return GaussianDenoiser(0.0 if cond is None else cond, 0.5, LINEAR)(xt, t)


@pytest.mark.parametrize("t", [1, 300, 1000])
def test_scale_0_is_free_1_is_asked_and_between_is_straight(t):
    xt = np.random.default_rng(0).standard_normal((5, 2))
    free, asked = conditional(xt, t), conditional(xt, t, 2.0)
    np.testing.assert_array_equal(guided(conditional, 2.0, 0)(xt, t), free)
    np.testing.assert_allclose(guided(conditional, 2.0, 1)(xt, t), asked, atol=1e-12)
    np.testing.assert_allclose(guided(conditional, 2.0, 3)(xt, t), 3 * asked - 2 * free, atol=1e-12)


def test_a_guided_walk_goes_where_it_is_asked_to():
    """Both Gaussians have one spread, so guidance with scale w samples exactly N(2w, ½²)."""
    for scale in (0, 1, 2):
        rng = np.random.default_rng(1)
        *_, x0 = ddpm(guided(conditional, 2.0, scale), LINEAR, rng.standard_normal((2000, 1)), rng=rng)
        error = 0.5 / 2000**0.5
        assert abs(x0.mean() - 2 * scale) < 4 * error + 0.02  # 0.02: ᾱ_T is not quite 0
        assert abs(x0.std() - 0.5) < 4 * error


def test_inpainting_keeps_the_known_pixels_and_invents_the_rest_to_fit():
    faces = data.faces("test").x0[:200]
    known, mask = faces[7], np.zeros((1, 16, 16), dtype=np.float32)
    mask[:, :10] = 1  # the upper part is known
    model = knowing(IdealDenoiser(faces, LINEAR), LINEAR, known, mask)
    rng = np.random.default_rng(2)
    start = randn_like(np.empty((16, 3, 16, 16), dtype=np.float32), rng)
    *_, x0 = ddpm(model, LINEAR, start, steps=50, rng=rng)
    assert np.abs(mask * (x0 - known)).max() < 1e-5
    nearest = np.abs((1 - mask) * (x0[:, None] - faces)).max((2, 3, 4)).min(1)
    assert (nearest < 1e-3).all()  # the exact denoiser's lower parts are those of real faces


def test_image_to_image_starts_in_the_middle_and_stays_near():
    faces = data.faces("test").x0[:200]
    rng = np.random.default_rng(3)
    x0 = np.broadcast_to(faces[3], (16, *faces[3].shape))
    model = IdealDenoiser(faces, LINEAR)

    def share_kept(t):
        xt = add_noise(x0, LINEAR.at(t), randn_like(x0, rng))
        *_, again = ddpm(model, LINEAR, xt, steps=np.linspace(t, 0, 21).round().astype(int), rng=rng)
        return np.mean(np.abs(again - x0).max((1, 2, 3)) < 1e-3)

    assert share_kept(100) == 1.0
    assert share_kept(1000) < 0.5


def test_every_phrase_is_read_and_means_what_the_data_say():
    faces = data.faces("test")
    names = list(data.FACE_VALUES)
    for phrase, (column, code) in VOCABULARY.items():
        wish = face_wish(f" {phrase.upper()} ,")
        assert wish[column] == code and (np.delete(wish, column) == data.NOT_SAID).all()
        assert data.FACE_VALUES[names[column]][code] in faces.attributes[names[column]]
    assert (face_wish("") == data.NOT_SAID).all()
    codes = faces.codes[(faces.codes == face_wish("hat, blue hair"))[:, [0, 5]].all(1)]
    assert len(codes) and (codes[:, 0] == 1).all() and (codes[:, 5] == 4).all()


@pytest.mark.parametrize(
    "prompt, named", [("hat, glases", "glasses"), ("blu hair", "blue hair"), ("hat, no hat", "no hat")]
)
def test_unknown_and_contradictory_wishes_are_refused_by_name(prompt, named):
    with pytest.raises(ValueError, match=named):
        face_wish(prompt)
