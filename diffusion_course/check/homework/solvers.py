"""Checks of the second homework's solvers: the exact way, three ways to follow it, their order."""

from itertools import pairwise

import numpy as np

from .questions import asked, centre, exact, falling, levels


def _ways(rng):
    """Points, from which time to which, and levels: a long way, a short one, one that ends low, and the last one."""
    for t, s in ((28, 9), (16, 14), (7, 1), (5, 0)):
        t, s = t + rng.integers(-1, 2), s and s + rng.integers(0, 2)
        yield rng.standard_normal((9, 2)), int(t), int(s), levels(rng)


def _bells(rng):
    """Ways of data with two spreads of their own."""
    for way in _ways(rng):
        yield *way, centre(rng), rng.uniform(0.2, 1.5, 2)


def _model(rng, alpha_bar):
    return exact(alpha_bar, centre(rng), rng.uniform(0.3, 0.6))


def _steps(rng):
    for way in _ways(rng):
        yield _model(rng, way[-1]), *way


def _walks(rng):
    """Not all of them end at 0."""
    for steps, end in ((5, 0), (3, 4), (4, 0)):
        alpha_bar = levels(rng)
        yield _model(rng, alpha_bar), alpha_bar, rng.standard_normal((9, 2)), falling(rng, steps, end)


def _errors(rng):
    """Errors that fall with noise on them."""
    for counts in ([10, 20, 40, 80], [6, 12, 48], [5, 15, 45, 90, 180]):
        noise = rng.uniform(0.7, 1.4, len(counts))
        yield counts, (rng.uniform(0.5, 3) * np.array(counts) ** -rng.uniform(0.8, 2.6) * noise).tolist()


@asked(_bells, linear=("xt",), returns=("x_s",), table="""
    variances stand where spreads belong #3 | 1 - a) ** 0.5 → 1 - a) |
        A place is counted in spreads, the roots of the variances.
    the spread of the noise is forgotten | std**2 + 1 - a → std**2 |
        x_t is data and noise: its variance is ᾱ_t std² + 1 − ᾱ_t.
    the spread of the data is forgotten | a * std**2 + 1 → 1 |
        x_t is data and noise: its variance is ᾱ_t std² + 1 − ᾱ_t.
    `std` is not squared | std**2 → std | Variances add, spreads do not.
    the data's spread does not shrink | a * std**2 → std**2 |
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
    the spreads are upside down | spread(a_s) → spread(a_t) && spread(a_t) → spread(a_s) |
        Divide by the spread at t, multiply by that at s.
""")
def follow(xt, t, s, alpha_bar, mean, std):
    def spread(a):
        return (a * std**2 + 1 - a) ** 0.5

    a_t, a_s = alpha_bar[t], alpha_bar[s]
    return a_s**0.5 * mean + spread(a_s) * (xt - a_t**0.5 * mean) / spread(a_t)


@asked(_steps, returns=("x_s",), table="""
    the step goes the wrong way | (sigma(a_s) - sigma(a_t)) → (sigma(a_t) - sigma(a_s)) |
        Along the way σ falls: the change is σ_s − σ_t, below 0, and noise goes out.
    σ lacks its root #1 | / a) ** 0.5 → / a) | σ is a noise level, the root of (1−ᾱ)/ᾱ.
    σ is √(1−ᾱ) | ((1 - a) / a) → (1 - a) |
        In x̄ = x/√ᾱ the noise has been divided by √ᾱ, too: σ = √((1−ᾱ)/ᾱ).
    x̄_s is returned, not x_s | a_s**0.5 * x_bar → x_bar | Multiply by √ᾱ_s at the end, to come back from x̄ to x.
    x_t is taken for x̄_t | xt / a_t**0.5 + → xt + | The equation holds for x̄ = x/√ᾱ: divide x_t by √ᾱ_t first.
    x̄ is made with ᾱ, not its root | xt / a_t**0.5 → xt / a_t && a_s**0.5 * x_bar → a_s * x_bar |
        x is an amplitude: x̄ = x/√ᾱ.
    back to x with √ᾱ_t | a_s**0.5 * x_bar → a_t**0.5 * x_bar | The step ends at s, so x_s = √ᾱ_s x̄_s.
    the model is asked at s | model(xt, t) → model(xt, max(s, 1)) | What it is shown, x_t, has the noise of t.
    the model is shown x̄ | model(xt, t) → model(xt / a_t**0.5, t) | It knows x_t, as it was trained; x̄ is your clock's.
    x̂_0 is returned | sigma(a_s) → 0 && a_s**0.5 * x_bar → x_bar |
        That goes all the way to σ = 0. This step ends at σ_s.
""")
def euler_step(model, xt, t, s, alpha_bar):
    def sigma(a):
        return ((1 - a) / a) ** 0.5

    a_t, a_s = alpha_bar[t], alpha_bar[s]
    x_bar = xt / a_t**0.5 + (sigma(a_s) - sigma(a_t)) * model(xt, t)
    return a_s**0.5 * x_bar


def along(xt, slope, t, s, alpha_bar):
    """x_s from x_t along a slope that is known."""
    return _euler_step(lambda *_: slope, xt, t, s, alpha_bar)


_euler_step = euler_step.reference


@asked(_steps, returns=("x_s",), table="""
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
""")
def heun_step(model, xt, t, s, alpha_bar):
    slope = model(xt, t)
    xs = along(xt, slope, t, s, alpha_bar)
    if s > 0:
        there = model(xs, s)
        xs = along(xt, (slope + there) / 2, t, s, alpha_bar)
    return xs


@asked(_walks, returns=("x_0",), tolerance=1e-3, table="""
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
    the extended slope is remembered | = eps_hat, h → = slope, h |
        The line goes through what the model said: remember ε̂ itself.
    the old slope is never renewed | = eps_hat, h → = (eps_hat, h) if before is None else (before, h_before) |
        Remember ε̂ and h at the end of every step.
    the model is shown x̄ | alpha_bar[t] ** 0.5 * x_bar, t) → x_bar, t) | It knows x_t = √ᾱ_t x̄_t.
    the model is asked at s | x_bar, t), → x_bar, max(s, 1)), | What it is shown has the noise of t.
    x̄ is returned, not x | alpha_bar[times[-1]] ** 0.5 * x_bar → x_bar |
        Times may end above 0, where √ᾱ is not 1: multiply by it at the end.
    σ lacks its root #1 | ((1 - alpha_bar) / alpha_bar) ** 0.5 → ((1 - alpha_bar) / alpha_bar) |
        σ is a noise level, the root of (1−ᾱ)/ᾱ.
    `return` stands inside the loop | = eps_hat, h → = eps_hat, h⏎        return alpha_bar[s] ** 0.5 * x_bar |
        Your first step is the last one.
""")
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


@asked(_errors, refuse=lambda order: None, returns=("order",), tolerance=1e-3, table="""
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
""")
def order(counts, errors):
    return -np.polyfit(np.log(counts), np.log(errors), 1)[0]
