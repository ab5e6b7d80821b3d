"""Our samplers against the schedulers of `diffusers`, stroke for stroke, with the same noise handed to both.

Their tables are float32, so trajectories agree to about 1e-4 as they come; with float64 tables in their place
only rounding is left, and they agree to 1e-8. One stroke is left out on purpose: with fewer steps than T
and σ² = β they add noise on the last one as well (their `t > 0` asks the 0-based time, which ends above 0).
Their DDIM takes strokes of T // n from evenly spaced times, so it is compared where n divides T.
"""

import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, HeunDiscreteScheduler
from published_dpm import published_guess

from diffusion_course import samplers, schedule
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import posterior_variance, step_variance, x0_from_eps
from diffusion_course.samplers import ddim, ddpm, dpm_solver, heun

SCHEDULES = {
    "linear": (schedule.linear(), {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}),
    "cosine": (schedule.cosine(), {"beta_schedule": "squaredcos_cap_v2"}),
}
# The cosine schedule ends at ᾱ_T = 2e-9, where 1 − ᾱ_T is exactly 1 in float32: it loses more digits.
TOLERANCES = {("float32", "linear"): 1e-4, ("float32", "cosine"): 5e-4}
TOLERANCES |= {("float64", "linear"): 1e-8, ("float64", "cosine"): 1e-8}
VARIANCES = {"fixed_small": posterior_variance, "fixed_large": step_variance}
both_tables = pytest.mark.parametrize("tables", ["float32", "float64"])
both_schedules = pytest.mark.parametrize("name", SCHEDULES)


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
@pytest.mark.parametrize("steps", [1000, 50, 30])
@pytest.mark.parametrize("variance", VARIANCES)
@both_schedules
def test_ddpm_walks_as_diffusers_does(name, variance, steps, tables):
    ours, theirs = SCHEDULES[name]
    scheduler = DDPMScheduler(variance_type=variance, clip_sample=False, timestep_spacing="trailing", **theirs)
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_tables(scheduler, ours)
    model, rng = denoiser(ours), torch.Generator().manual_seed(1)
    path = torch.stack(list(ddpm(model, ours, start(), steps, rng, VARIANCES[variance])))
    expected = their_path(scheduler, model, start())
    compared = slice(None, -1) if steps < ours.T and variance == "fixed_large" else slice(None)
    assert path.shape == expected.shape
    assert (path - expected)[compared].abs().max() < TOLERANCES[tables, name]


def test_the_last_stroke_is_the_guess_of_x0_whatever_the_variance():
    ours = schedule.linear()
    model = denoiser(ours)
    for variance in VARIANCES.values():
        *_, before, x0 = ddpm(model, ours, start(), 50, torch.Generator().manual_seed(1), variance)
        assert torch.allclose(x0, x0_from_eps(before, ours.at(20), model(before, 20)), atol=1e-12)


@both_tables
@pytest.mark.parametrize("steps", [200, 50, 8])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@both_schedules
def test_ddim_walks_as_diffusers_does(name, eta, steps, tables):
    ours, theirs = SCHEDULES[name]
    scheduler = DDIMScheduler(clip_sample=False, timestep_spacing="trailing", **theirs)
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_tables(scheduler, ours)
    model, rng = denoiser(ours), torch.Generator().manual_seed(1)
    path = torch.stack(list(ddim(model, ours, start(), steps, eta, rng)))
    expected = their_path(scheduler, model, start(), eta=eta)
    assert path.shape == expected.shape
    assert (path - expected).abs().max() < TOLERANCES[tables, name]


def their_dpm_path(name, order, steps, tables, model):
    ours, theirs = SCHEDULES[name]
    scheduler = DPMSolverMultistepScheduler(
        algorithm_type="dpmsolver++",
        solver_order=order,
        solver_type="midpoint",
        lower_order_final=False,  # lowers the order of the last but one stroke too, if there are fewer than 15
        final_sigmas_type="zero",  # the last stroke to ᾱ = 1, of order 1
        timestep_spacing="trailing",
        **theirs,
    )
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_sigmas(scheduler, ours)
        return their_path(scheduler, model, start().as_subclass(Float64)).as_subclass(torch.Tensor)
    return their_path(scheduler, model, start())


@both_tables
@pytest.mark.parametrize("steps", [200, 30, 10])
@pytest.mark.parametrize("order", [1, 2, 3])
@both_schedules
def test_dpm_solver_walks_as_diffusers_does_but_for_half_a_term(name, order, steps, tables, monkeypatch):
    """Orders 1 and 2 agree as they are; order 3 once its last term is halved, which costs it its order."""
    monkeypatch.setattr(samplers, "_weighted_guess", published_guess)
    ours, model = SCHEDULES[name][0], denoiser(SCHEDULES[name][0])
    path = torch.stack(list(dpm_solver(model, ours, start(), steps, order)))
    expected = their_dpm_path(name, order, steps, tables, model)
    assert path.shape == expected.shape
    assert (path - expected).abs().max() < TOLERANCES[tables, name]


@pytest.mark.parametrize(("order", "agrees"), [(1, True), (2, True), (3, False)])
def test_third_order_differs_by_that_half_term(order, agrees):
    model = denoiser(SCHEDULES["linear"][0])
    path = torch.stack(list(dpm_solver(model, SCHEDULES["linear"][0], start(), 10, order)))
    difference = (path - their_dpm_path("linear", order, 10, "float64", model)).abs().amax((1, 2))
    assert difference[:3].max() < 1e-8  # two strokes of lower order
    assert (difference.max() < 1e-8) == agrees
    assert agrees or difference.max() > 1e-3


@both_tables
@pytest.mark.parametrize("steps", [200, 30, 8])
def test_heun_walks_as_diffusers_does(steps, tables):
    """Theirs yields after each evaluation and works in x̄ = x/√ᾱ, √(1 + σ²) times our x."""
    ours, theirs = SCHEDULES["linear"]
    scheduler = HeunDiscreteScheduler(timestep_spacing="trailing", **theirs)
    scheduler.set_timesteps(steps)
    if tables == "float64":
        with_float64_sigmas(scheduler, ours)
    model, power = denoiser(ours), ours.at(ours.steps(steps))
    x_bar = start() / power[0] ** 0.5
    expected = [start()]
    for i, t in enumerate(scheduler.timesteps):
        eps_hat = model(scheduler.scale_model_input(x_bar, t), int(t) + 1)
        x_bar = scheduler.step(eps_hat, t, x_bar).prev_sample
        if i % 2 or i == 2 * steps - 2:  # a whole stroke; the last has one evaluation
            expected.append(x_bar * power[len(expected)] ** 0.5)
    path = torch.stack(list(heun(model, ours, start(), steps)))
    assert path.shape == (steps + 1, 16, 2)
    assert (path - torch.stack(expected)).abs().max() < TOLERANCES[tables, "linear"]
