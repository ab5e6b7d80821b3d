"""Our samplers against the schedulers of `diffusers`, stroke for stroke, with the same noise handed to both.

Their tables are float32, so trajectories agree to about 1e-4 as they come; with float64 tables in their place
only rounding is left, and they agree to 1e-8. One stroke is left out on purpose: with fewer steps than T
and σ² = β they add noise on the last one as well (their `t > 0` asks the 0-based time, which ends above 0).
"""

import pytest
import torch
from diffusers import DDPMScheduler

from diffusion_course import schedule
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import posterior_variance, step_variance, x0_from_eps
from diffusion_course.samplers import ddpm

SCHEDULES = {
    "linear": (schedule.linear(), {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02}),
    "cosine": (schedule.cosine(), {"beta_schedule": "squaredcos_cap_v2"}),
}
# The cosine schedule ends at ᾱ_T = 2e-9, where 1 − ᾱ_T is exactly 1 in float32: it loses more digits.
TOLERANCES = {("float32", "linear"): 1e-4, ("float32", "cosine"): 5e-4}
TOLERANCES |= {("float64", "linear"): 1e-8, ("float64", "cosine"): 1e-8}
VARIANCES = {"fixed_small": posterior_variance, "fixed_large": step_variance}


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
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)


def their_path(scheduler, model, steps):
    """x_T … x_0 of a scheduler; its 0-based time is our t − 1."""
    scheduler.set_timesteps(steps)
    rng, x = torch.Generator().manual_seed(1), start()
    path = [x]
    for t in scheduler.timesteps.tolist():
        x = scheduler.step(model(x, t + 1), t, x, generator=rng).prev_sample
        path.append(x)
    return torch.stack(path)


@pytest.mark.parametrize("tables", ["float32", "float64"])
@pytest.mark.parametrize("steps", [1000, 50, 30])
@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("name", SCHEDULES)
def test_ddpm_walks_as_diffusers_does(name, variance, steps, tables):
    ours, theirs = SCHEDULES[name]
    scheduler = DDPMScheduler(
        variance_type=variance, clip_sample=False, timestep_spacing="trailing", **theirs
    )
    if tables == "float64":
        with_float64_tables(scheduler, ours)
    model, rng = denoiser(ours), torch.Generator().manual_seed(1)
    path = torch.stack(list(ddpm(model, ours, start(), steps, rng, VARIANCES[variance])))
    expected = their_path(scheduler, model, steps)
    compared = slice(None, -1) if steps < ours.T and variance == "fixed_large" else slice(None)
    assert path.shape == expected.shape
    assert (path - expected)[compared].abs().max() < TOLERANCES[tables, name]


def test_the_last_stroke_is_the_guess_of_x0_whatever_the_variance():
    ours = schedule.linear()
    model = denoiser(ours)
    for variance in VARIANCES.values():
        *_, before, x0 = ddpm(model, ours, start(), 50, torch.Generator().manual_seed(1), variance)
        assert torch.allclose(x0, x0_from_eps(before, ours.at(20), model(before, 20)), atol=1e-12)
