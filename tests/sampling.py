"""What the tests of samplers share: every sampler by name, exact denoisers and the size of chance."""

import inspect
from functools import partial

import numpy as np

from diffusion_course import samplers
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import step_variance
from diffusion_course.run import choices
from diffusion_course.samplers import ddim, ddpm, ddpm_step, dpm_solver
from diffusion_course.schedule import cosine, linear, sigmoid


def written(file, *first):
    """name → function, of those in a file whose first parameters have these names: so what it has is tested."""
    own = {name: value for name, value in vars(file).items() if getattr(value, "__module__", "") == file.__name__}
    functions = {name: value for name, value in own.items() if inspect.isfunction(value)}
    return {name: f for name, f in functions.items() if [*inspect.signature(f).parameters][: len(first)] == [*first]}


SCHEDULE = linear()
SCHEDULES = {"linear": SCHEDULE, "cosine": cosine(), "sigmoid": sigmoid()}
MEAN, STD = 2.0, 0.5
EXACT = GaussianDenoiser(MEAN, STD, SCHEDULE)

STOCHASTIC = {
    "ddpm": ddpm,
    "ddpm-wide": partial(ddpm, step=partial(ddpm_step, variance=step_variance)),
    "ddim-half": partial(ddim, eta=0.5),
}
ELSEWHERE = (ddim, dpm_solver, *STOCHASTIC.values())  # with their options
OURS = written(samplers, "model", "schedule", "xT") | {how.run.__name__: how.run for how in choices.SAMPLERS.values()}
ODE_SAMPLERS = {name: sampler for name, sampler in OURS.items() if sampler not in ELSEWHERE}
ODE_SAMPLERS |= {f"dpm-{order}": partial(dpm_solver, order=order) for order in (1, 2, 3)}
SAMPLERS = {**STOCHASTIC, "ddim": ddim, **ODE_SAMPLERS}


def cost(sampler):
    """The evaluations of one sampling step, of all but the last."""
    return {how.run: how.cost for how in choices.SAMPLERS.values()}[getattr(sampler, "func", sampler)]


def rng(seed=0):
    return np.random.default_rng(seed)


def end(sampler, *args, **options):
    """The last item: x_0."""
    *_, x0 = sampler(*args, **options)
    return x0


def transported(schedule, x, t=None):
    """Where the exact ODE leads x_t of Gaussian data: quantiles go to quantiles, x_0 = mean + std · z."""
    power = schedule.alpha_bar[schedule.T if t is None else t]
    return MEAN + STD * (x - power**0.5 * MEAN) / (power * STD**2 + 1 - power) ** 0.5


def assert_moments(x, mean, variance):
    """Sample mean and variance of a Gaussian within 4 standard errors."""
    x = np.asarray(x, np.float64)
    assert abs(x.mean() - mean) < 4 * (variance / x.size) ** 0.5
    assert abs(x.var(ddof=1) - variance) < 4 * variance * (2 / (x.size - 1)) ** 0.5


def recorded(noise):
    """A stand-in for `randn_like` that hands out the rows of an array."""
    rows = iter(noise)

    def randn_like(x, rng=None):
        eps = next(rows)
        return x.new_tensor(eps) if hasattr(x, "new_tensor") else eps

    return randn_like
