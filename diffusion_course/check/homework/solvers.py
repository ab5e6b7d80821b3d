"""Public checks of the second homework's solvers: the exact way, three ways to follow it, their order."""

from itertools import pairwise

import numpy as np

from ... import schedule
from ..table import exercise
from .typed import no_tensor
from .walk import exact, tensors

XT = [[1.0, -0.5], [0.3, 2.0], [-1.2, 0.7], [0.0, 1.0]]
LEVELS = schedule.from_beta(np.linspace(0.01, 0.5, 20)).alpha_bar
MODEL = exact(LEVELS, [0.8, -0.5], 0.4)
WAYS = ((20, 9), (13, 4), (5, 2), (3, 0))


@exercise(
    probes=tuple(
        (*tensors(XT), t, s, *tensors(LEVELS, [0.8, -0.5], std))
        for (t, s), std in zip(WAYS, ([0.4, 0.4], [0.3, 1.2], [0.5, 0.7], [1.5, 0.2]), strict=True)
    ),
    linear=("xt",),
    returns=("x_s",),
    tolerance=1e-4,
    refuse=no_tensor,
    table="""
    variances stand where spreads belong #3 | std**2 + 1 - a_t) ** 0.5 → std**2 + 1 - a_t) && std**2 + 1 - a_s) ** 0.5 →
        std**2 + 1 - a_s) | A place is counted in spreads, the roots of the variances.
    the spread of the noise is forgotten | (a_t * std**2 + 1 - a_t) → (a_t * std**2) && (a_s * std**2 + 1 - a_s) →
        (a_s * std**2) | x_t is data and noise: its variance is ᾱ_t std² + 1 − ᾱ_t.
    the spread of the data is forgotten | (a_t * std**2 + 1 - a_t) → (1 - a_t) && (a_s * std**2 + 1 - a_s) → (1 - a_s) |
        x_t is data and noise: its variance is ᾱ_t std² + 1 − ᾱ_t.
    `std` is not squared | (a_t * std**2 → (a_t * std && (a_s * std**2 → (a_s * std | Variances add, spreads do not.
    the data's spread does not shrink | (a_t * std**2 → (std**2 && (a_s * std**2 → (std**2 |
        x_t holds √ᾱ_t x_0, so the data's part of its variance is ᾱ_t std².
    the mean is not taken off first | (xt - a_t**0.5 * mean) → xt |
        The place is counted from the mean of x_t, which is √ᾱ_t times that of the data.
    the mean of x_s is forgotten | a_s**0.5 * mean + → | You return the distance from the mean, not the place.
    the means do not shrink | (xt - a_t**0.5 * mean) → (xt - mean) && a_s**0.5 * mean + → mean + |
        At t the data have shrunk to √ᾱ_t x_0, and so has their mean.
    means lack their root | (xt - a_t**0.5 * mean) → (xt - a_t * mean) && a_s**0.5 * mean + → a_s * mean + |
        ᾱ is a power; a mean is an amplitude and shrinks by its root.
    t and s are exchanged | a_t, a_s = alpha_bar[t], alpha_bar[s] → a_s, a_t = alpha_bar[t], alpha_bar[s] |
        You start at t, where x_t has more noise, and end at s.
    the spreads are upside down | spread_s * (xt - a_t**0.5 * mean) / spread_t → spread_t * (xt - a_t**0.5 * mean) /
        spread_s | Divide by the spread at t, multiply by that at s.
    """,
)
def follow(xt, t, s, alpha_bar, mean, std):
    a_t, a_s = alpha_bar[t], alpha_bar[s]
    spread_t, spread_s = (a_t * std**2 + 1 - a_t) ** 0.5, (a_s * std**2 + 1 - a_s) ** 0.5
    return a_s**0.5 * mean + spread_s * (xt - a_t**0.5 * mean) / spread_t


@exercise(
    probes=tuple((MODEL, *tensors(XT), t, s, *tensors(LEVELS)) for t, s in WAYS),
    returns=("x_s",),
    tolerance=1e-4,
    refuse=no_tensor,
    table="""
    the step goes the wrong way | (sigma_s - sigma_t) → (sigma_t - sigma_s) |
        Along the way σ falls: the change is σ_s − σ_t, below 0, and noise goes out.
    σ lacks its root #1 | ((1 - a_t) / a_t) ** 0.5 → ((1 - a_t) / a_t) && ((1 - a_s) / a_s) ** 0.5 →
        ((1 - a_s) / a_s) | σ is a noise level, the root of (1−ᾱ)/ᾱ.
    σ is √(1−ᾱ) | ((1 - a_t) / a_t) → (1 - a_t) && ((1 - a_s) / a_s) → (1 - a_s) |
        In x̄ = x/√ᾱ the noise has been divided by √ᾱ, too: σ = √((1−ᾱ)/ᾱ).
    x̄_s is returned, not x_s | a_s**0.5 * x_bar → x_bar | Multiply by √ᾱ_s at the end, to come back from x̄ to x.
    x_t is taken for x̄_t | xt / a_t**0.5 + → xt + | The equation holds for x̄ = x/√ᾱ: divide x_t by √ᾱ_t first.
    x̄ is made with ᾱ, not its root | xt / a_t**0.5 → xt / a_t && a_s**0.5 * x_bar → a_s * x_bar |
        x is an amplitude: x̄ = x/√ᾱ.
    back to x with √ᾱ_t | a_s**0.5 * x_bar → a_t**0.5 * x_bar | The step ends at s, so x_s = √ᾱ_s x̄_s.
    the model is asked at s | model(xt, t) → model(xt, max(s, 1)) | What it is shown, x_t, has the noise of t.
    the model is shown x̄ | model(xt, t) → model(xt / a_t**0.5, t) | It knows x_t, as it was trained; x̄ is your clock's.
    x̂_0 is returned | (sigma_s - sigma_t) → (0 - sigma_t) && a_s**0.5 * x_bar → x_bar |
        That goes all the way to σ = 0. This step ends at σ_s.
    """,
)
def euler_step(model, xt, t, s, alpha_bar):
    a_t, a_s = alpha_bar[t], alpha_bar[s]
    sigma_t, sigma_s = ((1 - a_t) / a_t) ** 0.5, ((1 - a_s) / a_s) ** 0.5
    x_bar = xt / a_t**0.5 + (sigma_s - sigma_t) * model(xt, t)
    return a_s**0.5 * x_bar


def along(xt, slope, t, s, alpha_bar):
    """x_s from x_t along a slope that is known."""
    return _euler_step(lambda *_: slope, xt, t, s, alpha_bar)


_euler_step = euler_step.reference


@exercise(
    probes=tuple((MODEL, *tensors(XT), t, s, *tensors(LEVELS)) for t, s in WAYS),
    returns=("x_s",),
    tolerance=1e-4,
    refuse=no_tensor,
    table="""
    the second slope is not used | (slope + there) / 2 → slope | That is Euler's step again. Take the mean of both.
    the second slope is taken at the old place | model(xs, s) → model(xt, s) |
        Ask the model where Euler's step has ended: at x_s.
    the second slope is taken at the old time | model(xs, s) → model(xs, t) |
        Where Euler's step has ended, the noise is that of s.
    the slopes are added, not averaged | (slope + there) / 2 → slope + there | Take their mean.
    only the second slope is halved | (slope + there) / 2 → slope + there / 2 | Brackets: `(a + b) / 2`.
    only the second slope is taken | (slope + there) / 2 → there |
        The slope at the end is as one-sided as that at the start. Take the mean of both.
    the second half starts where the first ended | along(xt, (slope → along(xs, (slope |
        The mean slope leads from x_t to x_s; go back to x_t and follow it from there.
    the model is asked at s = 0 | if s > 0: → if True: |
        At s = 0 there is no noise to estimate: there Euler's step is all.
    Euler's step stops early | if s > 0: → if s > 2: | Only at s = 0 is there no second slope.
    """,
)
def heun_step(model, xt, t, s, alpha_bar):
    slope = model(xt, t)
    xs = along(xt, slope, t, s, alpha_bar)
    if s > 0:
        there = model(xs, s)
        xs = along(xt, (slope + there) / 2, t, s, alpha_bar)
    return xs


@exercise(
    probes=tuple(
        (MODEL, *tensors(LEVELS, XT), times)
        for times in ([20, 13, 9, 4, 0], [20, 17, 6], [18, 12, 11, 2, 0])
    ),
    returns=("x_0",),
    tolerance=1e-3,
    refuse=no_tensor,
    table="""
    the slope is never extended | if before is not None: → if False: |
        That is Euler's method. From the second step on, go along the line through the last two slopes.
    the line is followed backwards | eps_hat + h / → eps_hat - h / |
        The slope ahead is ε̂ *plus* what it changes in half a step; its change is new minus old.
    the line is followed for the whole step | h / (2 * h_before) → h / h_before |
        The mean of a straight slope over the step is the one half-way.
    the lengths of the two steps are exchanged | h / (2 * h_before) → h_before / (2 * h) |
        The change of ε̂ belongs to the step behind, so it is divided by its length.
    the steps are taken for equally long | h / (2 * h_before) → 1 / 2 |
        3/2 and −1/2 are right only for equal steps, and in σ they are not.
    the change is not divided by the old length | h / (2 * h_before) → h / 2 |
        How much ε̂ changed is no slope yet: divide by the σ that it took.
    the line starts at the older slope | slope = eps_hat + h → slope = before + h | The step begins at the newer one.
    the extended slope is remembered | before, h_before = eps_hat, h → before, h_before = slope, h |
        The line goes through what the model said: remember ε̂ itself.
    the old slope is never renewed | before, h_before = eps_hat, h → before, h_before = (eps_hat, h) if before is None
        else (before, h_before) | Remember ε̂ and h at the end of every step.
    the model is shown x̄ | alpha_bar[t] ** 0.5 * x_bar, t) → x_bar, t) | It knows x_t = √ᾱ_t x̄_t.
    the model is asked at s | x_bar, t), → x_bar, max(s, 1)), | What it is shown has the noise of t.
    x̄ is returned, not x | alpha_bar[times[-1]] ** 0.5 * x_bar → x_bar |
        Times may end above 0, where √ᾱ is not 1: multiply by it at the end.
    σ lacks its root #1 | ((1 - alpha_bar) / alpha_bar) ** 0.5 → ((1 - alpha_bar) / alpha_bar) |
        σ is a noise level, the root of (1−ᾱ)/ᾱ.
    `return` stands inside the loop | = eps_hat, h → = eps_hat, h⏎        return alpha_bar[s] ** 0.5 * x_bar |
        Your first step is the last one.
    """,
)
def two_step(model, alpha_bar, xT, times):
    sigma = ((1 - alpha_bar) / alpha_bar) ** 0.5
    x_bar, before, h_before = xT / alpha_bar[times[0]] ** 0.5, None, 0.0
    for t, s in pairwise(times):
        eps_hat, h = model(alpha_bar[t] ** 0.5 * x_bar, t), sigma[s] - sigma[t]
        slope = eps_hat
        if before is not None:
            slope = eps_hat + h / (2 * h_before) * (eps_hat - before)
        x_bar = x_bar + h * slope
        before, h_before = eps_hat, h
    return alpha_bar[times[-1]] ** 0.5 * x_bar


@exercise(
    probes=(
        ([10, 20, 40, 80], [0.1, 0.026, 0.0062, 0.0016]),
        ([5, 10, 40], [0.3, 0.16, 0.035]),
        ([8, 16, 32, 64, 128], [2e-2, 2.6e-3, 3e-4, 5e-5, 4e-6]),
    ),
    returns=("the order",),
    tolerance=1e-3,
    table="""
    the sign is wrong | return → np.polyfit(np.log(counts), np.log(errors), 1)[0] |
        The line falls, and an order is above 0: turn the sign round.
    only the errors have a logarithm | np.log(counts) → np.array(counts) | Both axes are logarithmic.
    only the counts have a logarithm | np.log(errors) → np.array(errors) | Both axes are logarithmic.
    nothing has a logarithm | np.log(counts) → np.array(counts) && np.log(errors) → np.array(errors) |
        Both axes are logarithmic.
    the axes are exchanged | np.log(counts), np.log(errors) → np.log(errors), np.log(counts) |
        The order is the slope of the error over the number of steps.
    the logarithms have two bases | np.log(errors) → np.log10(errors) | One base for both, or the slope changes with it.
    only the two ends are used | return → -np.log(errors[-1] / errors[0]) / np.log(counts[-1] / counts[0]) |
        Draw the line through all points, by least squares.
    the intercept is returned | return → -np.polyfit(np.log(counts), np.log(errors), 1)[1] |
        `polyfit` returns the slope first.
    """,
)
def order(counts, errors):
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]
