"""How far every sampler reaches: from ᾱ_T = 0, in half precision, clipped, with gradients, without a read."""

from itertools import product

import numpy as np
import pytest
import torch
from refusals import refused
from sampling import EXACT, MEAN, SAMPLERS, SCHEDULE, SCHEDULES, STD, STOCHASTIC, cost, end, rng
from torch.utils._python_dispatch import TorchDispatchMode

from diffusion_course.beyond.inversion import encode
from diffusion_course.denoisers import FullGaussianDenoiser, GaussianDenoiser
from diffusion_course.forward import eps_from_v, eps_from_x0, levels, x0_from_eps, x0_from_v
from diffusion_course.guidance import guided, inpainted
from diffusion_course.predictor import Predictor, clip_to
from diffusion_course.samplers import dynamic_threshold
from diffusion_course.schedule import zero_terminal_snr

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


# Zero terminal SNR.


class Network:
    """The exact denoiser as a network that answers with v or x_0 would have it."""

    def __init__(self, output, schedule):
        self.output, self.schedule, self.exact = output, schedule, GaussianDenoiser(MEAN, STD, schedule)

    def answer(self, xt, t):
        signal, noise = levels(self.schedule.at(t), xt)
        x0_hat = self.exact.x0_hat(xt, t)
        return signal * self.exact(xt, t) - noise * x0_hat if self.output == "v" else x0_hat

    def __call__(self, xt, t):
        return (eps_from_v if self.output == "v" else eps_from_x0)(xt, self.schedule.at(t), self.answer(xt, t))

    def x0_hat(self, xt, t):
        return x0_from_v(xt, self.schedule.at(t), self.answer(xt, t)) if self.output == "v" else self.answer(xt, t)


@every_sampler
@pytest.mark.parametrize("curve", ["linear", "cosine"])
@pytest.mark.parametrize("output", ["v", "x0", "exact"])
def test_zero_terminal_snr_is_sampled_by_whatever_knows_x0_there(sampler, curve, output):
    """Mean and spread within 4 standard errors of 4,000 samples, and what 200 steps are off, 0.02."""
    schedule, n = zero_terminal_snr(SCHEDULES[curve]), 4000
    model = GaussianDenoiser(MEAN, STD, schedule) if output == "exact" else Network(output, schedule)
    steps = schedule.steps(200, "logsnr")
    x0 = end(sampler, model, schedule, rng().standard_normal(n), steps=steps, rng=rng(1))
    assert abs(x0.mean() - MEAN) < 4 * STD / n**0.5 + 0.02
    assert abs(x0.std() - STD) < 4 * STD / (2 * n) ** 0.5 + 0.02


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name not in STOCHASTIC])
def test_from_pure_noise_the_first_step_knows_the_mean_only(name):
    """At ᾱ_T = 0 x_T is ε itself: the first step leads to √ᾱ_s mean + √(1−ᾱ_s) x_T, whatever the ODE's sampler."""
    schedule, xT = zero_terminal_snr(SCHEDULE), np.linspace(-2, 2, 5)
    x = list(SAMPLERS[name](GaussianDenoiser(MEAN, STD, schedule), schedule, xT, [1000, 600, 0], rng=rng()))[1]
    power = schedule.at(600)
    np.testing.assert_allclose(x, power**0.5 * MEAN + (1 - power) ** 0.5 * xT, atol=1e-12)


@every_sampler
@pytest.mark.parametrize("kind", ["plain", "guided", "inpainted"])
def test_an_eps_network_is_refused_there_with_advice(sampler, kind):
    schedule = zero_terminal_snr(SCHEDULE)

    def eps_net(xt, t, cond=None):
        return xt

    model = {
        "plain": eps_net,
        "guided": guided(eps_net, np.zeros((2, 1)), 2.0),
        "inpainted": inpainted(eps_net, schedule, 1.0, np.array([1.0])),
    }[kind]
    with refused("ᾱ_1000 = 0", "pure noise", "eps_net" if kind == "plain" else kind, "x0_hat", "later time"):
        list(sampler(model, schedule, np.zeros((2, 1))))
    if kind == "plain":
        assert len(list(sampler(model, schedule, np.zeros((2, 1)), [999, 5, 0], rng=rng()))) == 3


# Half precision.


@every_sampler
@pytest.mark.parametrize("curve", ["linear", "cosine"])
def test_half_precision_is_carried_in_float32(sampler, curve):
    schedule, xT = SCHEDULES[curve], np.linspace(-2, 2, 9).astype(np.float16)
    model, options = GaussianDenoiser(MEAN, STD, schedule), {"steps": schedule.steps(50, "exponential")}
    for dtype in (torch.float16, torch.bfloat16):
        half, seed = torch.tensor(xT).to(dtype), torch.Generator().manual_seed
        path = list(sampler(model, schedule, half, rng=seed(3), **options))
        assert path[0] is half
        assert all(x.dtype == torch.float32 for x in path[1:])
        assert torch.equal(path[-1], end(sampler, model, schedule, half.float(), rng=seed(3), **options))
    path = list(sampler(model, schedule, xT, rng=rng(3), **options))
    expected = end(sampler, model, schedule, xT.astype(np.float64), rng=rng(3), **options)
    assert all(x.dtype == np.float32 for x in path[1:])
    np.testing.assert_allclose(path[-1], expected, atol=0.01)  # √ᾱ_T = 5e-5 leaves float32 three digits at first


@every_sampler
def test_many_halves_add_up_to_infinity_and_are_no_fault(sampler):
    xT = torch.zeros(70_000, dtype=torch.float16)
    assert end(sampler, lambda x, t: xT + 1, SCHEDULE, xT, steps=2, rng=torch.Generator()).isfinite().all()


@pytest.mark.parametrize("name", ["ddpm", "ddim", "dpm-2", "heun"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("n", [10, 50])
def test_a_network_in_half_precision_keeps_mean_and_spread(name, dtype, n):
    """Its own ε̂ is off by 1/500 in bfloat16; on `linear` (√ᾱ_T = 0.006) that moves the samples by less than 0.1."""

    def network(xt, t):
        return EXACT(xt, t).to(dtype)

    xT = torch.randn(4000, generator=torch.Generator().manual_seed(0)).to(dtype)
    exact = end(SAMPLERS[name], EXACT, SCHEDULE, xT.double(), n, rng=torch.Generator().manual_seed(1))
    x0 = end(SAMPLERS[name], network, SCHEDULE, xT, n, rng=torch.Generator().manual_seed(1))
    assert x0.dtype == torch.float32 and x0.isfinite().all()
    assert abs(x0.mean() - exact.mean()) < 0.05
    assert abs(x0.std() - exact.std()) < 0.05
    assert Predictor(network, SCHEDULE)(xT.float(), 500).dtype == torch.float32


# Clipped guesses.


@every_sampler
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
@pytest.mark.parametrize("clip", [1.5, lambda x0_hat: x0_hat.clip(-1.5, 1.5)], ids=["number", "function"])
def test_clip_bounds_every_guess(sampler, kind, clip):
    seen = []

    def watched(x0_hat):
        seen.append(np.abs(np.asarray((clip_to(clip) if clip == 1.5 else clip)(x0_hat))).max())
        return (clip_to(clip) if clip == 1.5 else clip)(x0_hat)

    xT, seed = kind(3 * rng().standard_normal((8, 2))), (lambda: rng(1)) if kind is np.asarray else None
    options = {"steps": 20, "rng": seed() if seed else torch.Generator().manual_seed(1)}
    x0 = end(sampler, EXACT, SCHEDULE, xT, clip=clip, **options)
    assert np.abs(np.asarray(x0)).max() <= 1.5 < np.abs(np.asarray(end(sampler, EXACT, SCHEDULE, xT, **options))).max()
    options["rng"] = seed() if seed else torch.Generator().manual_seed(1)
    np.testing.assert_array_equal(end(sampler, EXACT, SCHEDULE, xT, clip=watched, **options), x0)
    assert len(seen) == cost(sampler) * 19 + 1 and max(seen) <= 1.5


def test_the_guess_is_clipped_also_where_all_is_noise():
    for kind in (np.array, torch.tensor):
        assert clip_to(1.5)(kind([-3.0, 0.5, 3.0])).tolist() == [-1.5, 0.5, 1.5]
    xt = np.array([-3.0, 0.1, 4.0])
    x0_hat = Predictor(EXACT, SCHEDULE, clip=1.0)(xt, 300)
    np.testing.assert_allclose(x0_hat, x0_from_eps(xt, SCHEDULE.at(300), EXACT(xt, 300)).clip(-1, 1))
    schedule = zero_terminal_snr(SCHEDULE)
    predict = Predictor(GaussianDenoiser(MEAN, STD, schedule), schedule, clip=1.0)
    assert predict(xt, 1000).tolist() == [1, 1, 1]


def test_dynamic_threshold_is_imagens():
    """Each sample for itself: s = the larger of 1 and the share's quantile of |x̂_0|, then clip(x̂_0, −s, s) / s."""
    x0_hat = rng(4).standard_normal((3, 2, 4, 4)) * np.array([0.1, 1.0, 5.0])[:, None, None, None]
    expected = []
    for sample in x0_hat:
        bound = max(1.0, np.quantile(np.abs(sample), 0.9))
        expected.append(np.clip(sample, -bound, bound) / bound)
    np.testing.assert_array_equal(expected[0], x0_hat[0])
    np.testing.assert_allclose(dynamic_threshold(0.9)(x0_hat), expected, atol=1e-12)
    np.testing.assert_allclose(dynamic_threshold(0.9)(torch.tensor(x0_hat)), expected, atol=1e-12)
    assert dynamic_threshold()(x0_hat.astype(np.float32)).dtype == np.float32
    plain, tight = dynamic_threshold()(x0_hat), dynamic_threshold(0.995)(x0_hat)
    np.testing.assert_array_equal(plain, tight)


@every_sampler
def test_dynamic_threshold_serves_every_sampler(sampler):
    for xT, seed in ((2.5, rng(1)), (rng().standard_normal((4, 9)), rng(1)), (torch.zeros(4, 9), torch.Generator())):
        x0 = end(sampler, EXACT, SCHEDULE, xT, steps=5, rng=seed, clip=dynamic_threshold(0.9))
        assert np.abs(np.asarray(x0)).max() <= 1


# Gradients, if asked for.


def bent(xt, t):
    """Not linear in x_t, so that its gradient depends on the path."""
    return EXACT(xt, t) + 0.2 * SCHEDULE.at(t) ** 0.5 * torch.sin(3 * xt)


@every_sampler
def test_gradients_are_those_of_finite_differences(sampler):
    def x0(xT):
        return end(sampler, bent, SCHEDULE, xT, [1000, 700, 300, 0], rng=torch.Generator().manual_seed(0))

    xT = torch.tensor([[0.3, -1.0]], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(x0, xT)
    with torch.no_grad():
        end(sampler, lambda xt, t: xt if not torch.is_grad_enabled() else None, SCHEDULE, xT, [1000, 0])


@pytest.mark.parametrize("sampler", [*SAMPLERS.values(), encode])
def test_no_graph_is_built_otherwise(sampler):
    net = torch.nn.Linear(2, 2)

    def model(xt, t):
        assert not torch.is_grad_enabled()
        return net(xt)

    for x in sampler(model, SCHEDULE, torch.zeros(3, 2), steps=5):
        assert not x.requires_grad
        assert torch.is_grad_enabled()  # the caller's own code is left alone


# Nothing is read on a GPU.


class NoReads(TorchDispatchMode):
    """Plays a GPU: whatever would make the host wait for a value fails."""

    READING = ("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero", "masked_select", "unique")

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        assert function.__name__.split(".")[0] not in self.READING, f"{function} reads a value"
        return function(*args, **kwargs or {})


def unreadable(self, *args, **kwargs):
    raise AssertionError("a tensor was read")


PAIR = FullGaussianDenoiser([0.0, 1.0], [[1.0, 0.9], [0.9, 1.0]], SCHEDULE)
MODELS = {
    "exact": EXACT,
    "full": PAIR,
    "guided": guided(lambda xt, t, cond: EXACT(xt, t) + cond[:, :1], torch.ones(1, 3), 2.0),
    "inpainted": inpainted(PAIR, SCHEDULE, torch.ones(2), torch.tensor([1.0, 0.0])),
}


@pytest.mark.parametrize(
    ("name", "model", "options"),
    [*product([*SAMPLERS, "encode"], MODELS, [{}]),
     *product(SAMPLERS, ["guided"], [{"clip": 1.0}, {"clip": dynamic_threshold()}])],
)  # fmt: skip
def test_nothing_is_read_in_the_loop(name, model, options, monkeypatch):
    sampler = (SAMPLERS | {"encode": encode})[name]
    for module in ("forward", "predictor", "base.refusals"):
        monkeypatch.setattr(f"diffusion_course.{module}.may_read", lambda x: not isinstance(x, torch.Tensor))
    items = sampler(MODELS[model], SCHEDULE, torch.zeros(3, 2), steps=5, **options)
    with monkeypatch.context() as patch, NoReads():
        for name in ("__array__", "numpy", "tolist", "cpu", "__bool__", "__float__", "__int__", "item"):
            patch.setattr(torch.Tensor, name, unreadable)
        path = [next(items) for _ in range(6)]
    assert list(items) == [] and path[-1].isfinite().all()  # at the end whether all was finite is read
