"""Checks of the homework's reverse half: one step, the times, and the walk."""

from itertools import pairwise

import numpy as np
import torch

from .affine import Affine
from .questions import asked, centre, exact, falling, levels


class OneTimeARow(Affine):
    """One that wants t as the student's own network does: whole numbers, shape (n,)."""

    def forward(self, xt, t):  # type: ignore[override]  # there is no condition here
        if not isinstance(t, torch.Tensor) or t.shape != (len(xt),) or t.is_floating_point():
            tensor = isinstance(t, torch.Tensor)
            told = f"a tensor of shape {tuple(t.shape)}, {t.dtype}" if tensor else f"a {type(t).__name__}"
            raise ValueError(f"the model wants whole numbers of shape ({len(xt)},) for t, and got {told}")
        return super().forward(xt, t)


def _steps(rng):
    """A short one, a long one, and the last one."""
    short, far, last = rng.uniform(0.25, 0.4), rng.uniform(0.01, 0.04), rng.uniform(0.5, 0.8)
    for a_t, a_s in ((short, short + rng.uniform(0.1, 0.2)), (far, rng.uniform(0.6, 0.8)), (last, 1.0)):
        xt, eps_hat, z = rng.standard_normal((3, 9, 2))
        yield xt, eps_hat, np.float64(a_t), np.float64(a_s), z


@asked(_steps, linear=("xt", "eps_hat", "z"), returns=("x_s",), table="""
    the noise is multiplied by the variance, not by its root #3 | variance**0.5 * z → variance * z | Too little noise
        joins at each step, and the samples end too close together. A factor in front of z is a spread.
    the mean is divided by √β_t, where √α_t is meant #3 | return mean → return (xt - (1 - alpha) / (1 - a_t) ** 0.5 *
        eps_hat) / (1 - alpha) ** 0.5 | α = 1 − β is near 1 and β near 0: dividing by √β blows x up.
    noise is still added on the last step #7 | variance**0.5 * z → (1 - alpha) ** 0.5 * z |
        At ᾱ_s = 1 every z must give the same answer, or there is grain on every sample.
    the variance is β, not β̃ | variance**0.5 * z → (variance > 0) * (1 - alpha) ** 0.5 * z |
        That is DDPM's other choice, right for data of variance 1; here the posterior's β̃ is asked for.
    x̂_0 is computed without the two roots #3 | (1 - a_t) ** 0.5 * eps_hat) / a_t**0.5 → (1 - a_t) * eps_hat) / a_t |
        The guess is off at every step. ᾱ is a power; amplitudes have its root.
    ε̂ is added in x̂_0 | (xt - (1 → (xt + (1 | The noise must be taken out of x_t, so √(1−ᾱ_t) ε̂ is subtracted.
    the weights of x̂_0 and x_t are exchanged | * x0_hat + → * xt + && * xt) → * x0_hat) |
        At ᾱ_s = 1 the answer must be x̂_0 itself.
    no fresh noise #8 | + variance**0.5 * z → |
        All samples collapse into one place. Add √β̃ z at every step but the last.
    x_t is taken for x̂_0 | (1 - alpha) * x0_hat → (1 - alpha) * xt |
        The mean weighs two points, the guess x̂_0 and x_t. With x_t in both places ε̂ does not matter.
    ε̂ is left out of x̂_0 | (xt - (1 - a_t) ** 0.5 * eps_hat) → (xt) |
        Solve x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε for x_0, with ε̂ in place of ε. Without it nothing is denoised.
    √(1−ᾱ_t) in x̂_0 lacks its root #3 | (1 - a_t) ** 0.5 * eps_hat → (1 - a_t) * eps_hat |
        What stands before the noise is an amplitude, and 1 − ᾱ a power.
    √ᾱ_t in x̂_0 lacks its root #3 | eps_hat) / a_t**0.5 → eps_hat) / a_t |
        x_0 stands in x_t times √ᾱ_t: divide by the root.
    ε̂ is taken for x̂_0 #13 | (xt - (1 - a_t) ** 0.5 * eps_hat) / a_t**0.5 → eps_hat |
        The network answers with the noise: solve x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε for x_0 first.
    x̂_0 is returned | return → x0_hat |
        That is the guess of the clean point. A step only goes as far as s, to the mean of x_s plus noise.
    α is upside down | a_t / a_s → a_s / a_t |
        α = ᾱ_t/ᾱ_s is a share, below 1: what the steps from s to t keep. Above 1 a variance turns negative, NaN.
    the two levels are exchanged | = alpha_bar_t, alpha_bar_s → = alpha_bar_s, alpha_bar_t |
        x_t has ᾱ_t, the smaller one: more noise. Which of the two arguments is which?
    √α in front of x_t lacks its root | alpha**0.5 → alpha | α is a power, x_t an amplitude.
    it is a step of DDIM, without fresh noise | return → a_s**0.5 * x0_hat + (1 - a_s) ** 0.5 * eps_hat |
        That is a sampler too (lesson 6), but asked is DDPM's: the mean of the posterior, and z on top.
""")
def reverse_step(xt, eps_hat, alpha_bar_t, alpha_bar_s, z):
    a_t, a_s = alpha_bar_t, alpha_bar_s
    x0_hat = (xt - (1 - a_t) ** 0.5 * eps_hat) / a_t**0.5
    alpha = a_t / a_s
    mean = (a_s**0.5 * (1 - alpha) * x0_hat + alpha**0.5 * (1 - a_s) * xt) / (1 - a_t)
    variance = (1 - a_s) / (1 - a_t) * (1 - alpha)
    return mean + variance**0.5 * z


_reverse_step = reverse_step.reference


def _walks(rng):
    """Exact denoisers of two Gaussians, with times and noise to walk by."""
    alpha_bar = levels(rng)
    for std, steps in ((rng.uniform(0.3, 0.5), 5), (rng.uniform(0.8, 1.1), 3)):
        xT, *noise = rng.standard_normal((steps + 1, 20, 2))
        yield exact(alpha_bar, centre(rng), std, OneTimeARow), alpha_bar, xT, falling(rng, steps), np.stack(noise)


@asked(_walks, returns=("x_0",), tolerance=1e-3, table="""
    no fresh noise #8 | alpha_bar[s], z) → alpha_bar[s], 0 * z) |
        Without it all points follow the mean and the cloud shrinks. Step i adds its own noise[i].
    the same noise at every step | alpha_bar[s], z) → alpha_bar[s], noise[0]) |
        Noise that repeats does not average out: the cloud drifts. Step i gets noise[i].
    the noise is used from the last step to the first | pairwise(times), noise → pairwise(times), list(noise)[::-1] |
        As good in use, but noise[0] is asked for the first step, from times[0] = T.
    ᾱ is taken one step too early #5 | alpha_bar[t], alpha_bar[s] → alpha_bar[t - 1], alpha_bar[max(s - 1, 0)] |
        The cloud ends shifted. `alpha_bar[t]` is ᾱ_t; `alpha_bar[0]` = 1 is the clean end.
    the network is told t − 1 #5 | (len(x),), t) → (len(x),), t - 1) |
        It was trained with t = 1 … T: tell it the t of the x_t that you hand it.
    noise is still added after the last step #7 | return x → return x + (1 - alpha_bar[times[-2]] /
        alpha_bar[times[-1]]) ** 0.5 * noise[-1] | That is grain on every point.
    the last step is missing #18 | pairwise(times), noise → pairwise(times[:-1]), noise[:-1] |
        You return x_s of the last s but one, with noise left in it; n + 1 times make n steps, down to 0.
    nothing is denoised | x = step( → new = step( |
        You return x_T. Does the loop assign to the x that it returns? Is the second level that of times[i + 1]?
    the network is told where the step goes to #5 | (len(x),), t) → (len(x),), s) |
        It is asked about x_t: times[i], not times[i + 1].
    the network is always shown x_T | model(x, → model(xT, |
        It must see the x of this step, as the step before has left it.
    only one step is taken | ⏎    return x → ⏎        return x | Does `return` stand inside the loop?
""")
def sample(model, alpha_bar, xT, times, noise, step=_reverse_step):
    x = xT
    for (t, s), z in zip(pairwise(times), noise, strict=True):
        eps_hat = model(x, torch.full((len(x),), t))
        x = step(x, eps_hat, alpha_bar[t], alpha_bar[s], z)
    return x


walk = sample.reference


def gaps(times):
    """How many times, first, last, smallest and largest gap: all even spacings from T to 0 agree in these."""
    times = np.asarray(times, dtype=np.float64)
    steps = -np.diff(times)
    return tuple(map(float, (len(times), times[0], times[-1], steps.min(initial=np.inf), steps.max(initial=-np.inf))))


def _grids(rng):
    few, many = int(rng.choice([11, 13, 17, 19])), int(rng.choice([23, 35, 39, 43]))  # 1000 leaves a large rest
    full, nearly, short = (int(rng.integers(*between)) for between in ((70, 120), (40, 70), (10, 20)))
    return (10, 4), (1000, many), (1000, few), (full, full), (nearly, nearly - 1), (short, 1)


@asked(
    _grids,
    refuse=lambda times: None,
    returns=("number of times", "first time", "last time", "smallest gap", "largest gap"),
    measure=gaps,
    whole=True,  # the cells below use the times as indices
    sensible=lambda T, n: 1 <= n <= T,
    table="""
    the stride is rounded down, so 0 is missed #6 | return → T - T // n * np.arange(n + 1) |
        Sampling would end before the sample is clean.
    the stride is rounded up, so times turn negative #6 | return → T + -T // n * np.arange(n + 1) |
        `alpha_bar[-20]` is no error in Python: it counts from the noisy end.
    a range with a fixed stride does not fit #6 | return → np.arange(T, -1, -(T // n)) |
        Where n does not divide T, it stops before 0, or has too many times.
    n times, where n + 1 are needed | n + 1 → n | n steps have n + 1 ends.
    the times are not whole numbers | return → np.linspace(T, 0, n + 1) |
        For T = 10, n = 4 your second time is {f(10, 4)[1]:g}, and there is no ᾱ between two steps: round.
    times go from T − 1 #5 | linspace(T, → linspace(T - 1, | Sampling starts from pure noise, and that is x_T.
    the times end at 1 #18 | T, 0, n → T, 1, n | The last step must reach the clean end, t = 0.
    times rise | linspace(T, 0, → linspace(0, T, | Sampling goes from T down to 0.
    """,
)
def time_grid(T, n):
    return np.round(np.linspace(T, 0, n + 1)).astype(int)
