"""Schedules, grids and samplers against those of `diffusers`, step for step, with the same noise handed to both.

Their times count from 0: index i is our t = i + 1. Their tables are float32, so trajectories agree to about 1e-4 as
they come; with float64 tables in their place only rounding is left, and they agree to 1e-8. One step is left out on
purpose: with fewer steps than T and σ² = β they add noise on the last one as well (their `t > 0` asks the 0-based
time, which ends above 0). Their DDIM takes steps of T // n from evenly spaced times: compared where n divides T.
"""

import sys
from functools import partial

import numpy as np
import pytest
import torch
from published_dpm import published_step

from diffusion_course import samplers, schedule
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import add_noise, posterior, step_variance
from diffusion_course.samplers import ddim, ddpm, ddpm_step, dpm_solver, heun
from diffusion_course.schedule import cosine, linear, zero_terminal_snr

sys.modules["torchvision"] = None  # of another build it would not load
diffusers = pytest.importorskip("diffusers")
pytestmark = pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")

SCHEDULES = {
    "linear": (schedule.linear(), {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}),
    "cosine": (schedule.cosine(), {"beta_schedule": "squaredcos_cap_v2"}),
}
# The cosine schedule ends at ᾱ_T = 2e-9, where 1 − ᾱ_T is exactly 1 in float32: it loses more digits.
TOLERANCES = {("float32", "linear"): 1e-4, ("float32", "cosine"): 5e-4}
TOLERANCES |= {("float64", "linear"): 1e-8, ("float64", "cosine"): 1e-8}
STEPS = {"fixed_small": ddpm_step, "fixed_large": partial(ddpm_step, variance=step_variance)}
both_tables = pytest.mark.parametrize("tables", ["float32", "float64"])
both_schedules = pytest.mark.parametrize("name", SCHEDULES)


# Schedules, forward process, notation.


@pytest.mark.parametrize("T", [50, 333, 1000])
@pytest.mark.parametrize(("maker", "name"), [(linear, "linear"), (cosine, "squaredcos_cap_v2")])
@pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
def test_schedules_agree(T, maker, name):
    for ours, rescaled in ((maker(T), False), (zero_terminal_snr(maker(T)), True)):
        theirs = diffusers.DDPMScheduler(num_train_timesteps=T, beta_schedule=name, rescale_betas_zero_snr=rescaled)
        np.testing.assert_allclose(ours.alpha_bar[1:], theirs.alphas_cumprod, atol=1e-6, rtol=0)


def scheduler_of(kind, n=None, **options):
    scheduler = kind(num_train_timesteps=1000, **SCHEDULES["linear"][1], **options)
    if n:
        scheduler.set_timesteps(n)
    return scheduler


def test_they_have_the_same_quantities():
    ours, t = linear(), np.arange(1, 1001)
    theirs = scheduler_of(diffusers.DDPMScheduler)
    np.testing.assert_allclose(theirs.betas[t - 1], ours.beta[t], rtol=1e-4)
    for late in (2, 10, 500, 1000):
        _, variance = posterior(0.0, 0.0, ours.at(late), ours.at(late - 1))
        assert float(theirs._get_variance(late - 1)) == pytest.approx(variance, rel=1e-3)
    sigma = scheduler_of(diffusers.EulerDiscreteScheduler, 1000).sigmas  # falling, and ending with 0: that of EDM
    np.testing.assert_allclose(sigma, ours.snr[::-1] ** -0.5, rtol=1e-3)
    half = scheduler_of(diffusers.DPMSolverMultistepScheduler).lambda_t[t - 1]
    np.testing.assert_allclose(half, ours.log_snr[t] / 2, rtol=1e-3, atol=1e-3)
    assert scheduler_of(diffusers.DDIMScheduler).final_alpha_cumprod == ours.alpha_bar[0] == 1
    x0, eps = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([1, 10, 400, 999, 1000])
    torch.testing.assert_close(theirs.add_noise(x0, eps, t - 1), add_noise(x0, ours.at(t), eps), rtol=1e-4, atol=1e-4)


# Where the steps lie. Their final 0 is left out.


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 16, 30, 50, 333, 999, 1000])
def test_even_is_their_trailing_and_their_leading_starts_below_T(n):
    trailing = scheduler_of(diffusers.DDIMScheduler, n, timestep_spacing="trailing").timesteps + 1
    np.testing.assert_array_equal(linear().steps(n)[:-1], trailing)
    if n in (2, 7, 10, 30, 50, 333, 1000):
        leading = scheduler_of(diffusers.DDIMScheduler, n, timestep_spacing="leading").timesteps + 1
        np.testing.assert_array_equal(linear().steps(n, "leading")[1:-1], leading[1:])
        assert leading[0] == 1 + (n - 1) * (1000 // n)


def test_logsnr_is_their_uniform_lambda_and_karras_and_exponential_their_sigmas():
    """Theirs repeats a time where whole times are too coarse, and finds one in between evenly in log σ."""
    for n in (2, 5, 8):
        grid = scheduler_of(diffusers.DPMSolverMultistepScheduler, n, use_lu_lambdas=True).timesteps + 1
        np.testing.assert_array_equal(linear().steps(n, "logsnr")[:-1], grid)
    for n in (2, 5, 20):
        for name in ("karras", "exponential"):
            theirs = scheduler_of(diffusers.EulerDiscreteScheduler, n, **{f"use_{name}_sigmas": True})
            sigma = linear().snr ** -0.5
            places = linear().steps(n, name)
            np.testing.assert_allclose(places[:-1], theirs.timesteps + 1, atol=0.6 if n < 20 else 1.6)
            if n < 20:
                near = np.searchsorted(sigma, theirs.sigmas[:-1].numpy())
                assert (np.abs(places[:-1] - near) <= 1).all()
    repeated = scheduler_of(diffusers.DPMSolverMultistepScheduler, 60, use_lu_lambdas=True).timesteps
    assert (np.diff(repeated) == 0).any()


# Samplers.


def denoiser(ours):
    """Nearly the exact denoiser of N(0, 0.5²), bent a little, so that no linear shortcut passes."""
    exact = GaussianDenoiser(0.0, 0.5, ours)

    def model(xt, t):
        return exact(xt, t) + 0.2 * float(ours.at(t)) ** 0.5 * torch.sin(3 * xt)

    return model


def start():
    return torch.randn(16, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def with_float64_tables(scheduler, ours):
    scheduler.alphas_cumprod = torch.tensor(ours.alpha_bar[1:])
    scheduler.betas, scheduler.alphas = torch.tensor(ours.beta[1:]), torch.tensor(ours.alpha[1:])
    scheduler.one = scheduler.final_alpha_cumprod = torch.tensor(1.0, dtype=torch.float64)


def with_float64_sigmas(scheduler, ours):
    """σ of the visited times and 0 at the end, which theirs casts to float32; `set_timesteps` comes before."""
    sigma = torch.tensor(ours.snr**-0.5)
    scheduler.sigmas = torch.cat([sigma[scheduler.timesteps.long() + 1], sigma[:1]])


class Float64(torch.Tensor):
    """Stays float64 where their DPM-Solver casts the sample to float32."""

    def to(self, *args, **kwargs):
        return self


def their_path(scheduler, model, x, **options):
    """x_T … x_0 of a scheduler; its 0-based time is our t − 1."""
    rng, path = torch.Generator().manual_seed(1), [x]
    for t in scheduler.timesteps.tolist():
        x = scheduler.step(model(x, t + 1), t, x, generator=rng, **options).prev_sample
        path.append(x)
    return torch.stack(path)


@both_tables
@pytest.mark.parametrize("steps", [200, 30])
@pytest.mark.parametrize("variance", STEPS)
@both_schedules
def test_ddpm_steps_as_diffusers_does(name, variance, steps, tables):
    ours, theirs = SCHEDULES[name]
    scheduler = diffusers.DDPMScheduler(
        variance_type=variance, clip_sample=False, timestep_spacing="trailing", **theirs
    )
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_tables(scheduler, ours)
    model, rng = denoiser(ours), torch.Generator().manual_seed(1)
    path = torch.stack(list(ddpm(model, ours, start(), steps, rng=rng, step=STEPS[variance])))
    expected = their_path(scheduler, model, start())
    compared = slice(None, -1) if steps < ours.T and variance == "fixed_large" else slice(None)
    assert path.shape == expected.shape
    assert (path - expected)[compared].abs().max() < TOLERANCES[tables, name]


@both_tables
@pytest.mark.parametrize("steps", [50, 8])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@both_schedules
def test_ddim_steps_as_diffusers_does(name, eta, steps, tables):
    ours, theirs = SCHEDULES[name]
    scheduler = diffusers.DDIMScheduler(clip_sample=False, timestep_spacing="trailing", **theirs)
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_tables(scheduler, ours)
    model, rng = denoiser(ours), torch.Generator().manual_seed(1)
    path = torch.stack(list(ddim(model, ours, start(), steps, rng=rng, eta=eta)))
    expected = their_path(scheduler, model, start(), eta=eta)
    assert path.shape == expected.shape
    assert (path - expected).abs().max() < TOLERANCES[tables, name]


def their_dpm_path(name, order, steps, tables, model):
    ours, theirs = SCHEDULES[name]
    scheduler = diffusers.DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++",
        solver_order=order,
        solver_type="midpoint",
        lower_order_final=False,  # lowers the order of the last but one step too, if there are fewer than 15
        final_sigmas_type="zero",  # the last step to ᾱ = 1, of order 1
        timestep_spacing="trailing",
        **theirs,
    )
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_sigmas(scheduler, ours)
        return their_path(scheduler, model, start().as_subclass(Float64)).as_subclass(torch.Tensor)
    return their_path(scheduler, model, start())


@both_tables
@pytest.mark.parametrize("steps", [30, 10])
@pytest.mark.parametrize("order", [1, 2, 3])
@both_schedules
def test_dpm_solver_steps_as_diffusers_does_but_for_half_a_term(name, order, steps, tables, monkeypatch):
    """Orders 1 and 2 agree as they are; order 3 once its last term is halved, which costs it its order."""
    monkeypatch.setattr(samplers, "dpm_solver_step", published_step)
    ours, model = SCHEDULES[name][0], denoiser(SCHEDULES[name][0])
    path = torch.stack(list(dpm_solver(model, ours, start(), steps, order=order)))
    expected = their_dpm_path(name, order, steps, tables, model)
    assert path.shape == expected.shape
    assert (path - expected).abs().max() < TOLERANCES[tables, name]


@pytest.mark.parametrize(("order", "agrees"), [(1, True), (2, True), (3, False)])
def test_third_order_differs_by_that_half_term(order, agrees):
    model = denoiser(SCHEDULES["linear"][0])
    path = torch.stack(list(dpm_solver(model, SCHEDULES["linear"][0], start(), 10, order=order)))
    difference = (path - their_dpm_path("linear", order, 10, "float64", model)).abs().amax((1, 2))
    assert difference[:3].max() < 1e-8  # two steps of lower order
    assert (difference.max() < 1e-8) == agrees
    assert agrees or difference.max() > 1e-3


@both_tables
@pytest.mark.parametrize("steps", [30, 8])
def test_heun_steps_as_diffusers_does(steps, tables):
    """Theirs yields after each evaluation and works in x̄ = x/√ᾱ, √(1 + σ²) times our x."""
    ours, theirs = SCHEDULES["linear"]
    scheduler = diffusers.HeunDiscreteScheduler(timestep_spacing="trailing", **theirs)
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_sigmas(scheduler, ours)
    model, power = denoiser(ours), ours.at(ours.steps(steps))
    x_bar = start() / power[0] ** 0.5
    expected = [start()]
    for i, t in enumerate(scheduler.timesteps):
        eps_hat = model(scheduler.scale_model_input(x_bar, t), int(t) + 1)
        x_bar = scheduler.step(eps_hat, t, x_bar).prev_sample
        if i % 2 or i == 2 * steps - 2:  # a whole step; the last has one evaluation
            expected.append(x_bar * power[len(expected)] ** 0.5)
    path = torch.stack(list(heun(model, ours, start(), steps)))
    assert path.shape == (steps + 1, 16, 2)
    assert (path - torch.stack(expected)).abs().max() < TOLERANCES[tables, "linear"]
