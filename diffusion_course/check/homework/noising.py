"""Checks of the homework's forward half: the schedule, the noise, the loss, and how the training went."""

import numpy as np
import torch

from ..engine import Mistake
from ..numbers import say
from .affine import Affine
from .questions import LAST, asked, levels, no_float32, no_gradient, tensors


def _ends(f):
    ends = f(1000)
    found = f"starts {ends[0]:.4g}, {ends[1]:.4g} and ends {ends[-1]:.3g}"
    return f"For T = 1000 your ᾱ {found}; 1, 0.9999 and 0.0023 are right."


def _horizons(rng):
    return (1000,), (int(rng.integers(300, 600)),), (int(rng.integers(40, 90)),)


@asked(_horizons, returns=("ᾱ",), refuse=no_float32, table="""
    the product is taken backwards #4 | return → torch.cat([torch.ones(1), torch.cumprod(1 - beta.flip(0), 0)]).flip(0)
        | {_ends(f)} It must start at the clean end, t = 0.
    the β are multiplied from the last to the first #4 | 1 - beta → 1 - beta.flip(0) |
        {_ends(f)} β_1 comes first: ᾱ_1 = 1 − β_1.
    the product goes to T for every t #4 | torch.cumprod(1 - beta, 0) → torch.prod(1 - beta).repeat(T) |
        {_ends(f)} ᾱ_t is the product of the first t factors only.
    β is multiplied, where α = 1 − β is meant #3 | 1 - beta → beta |
        {_ends(f)} β is the noise that comes, 1 − β the signal that stays.
    ᾱ_0 = 1 is missing #5 | return → kept | {_ends(f)} Put a 1 in front, or `alpha_bar[t]` is ᾱ of step t + 1.
    the factors are added, not multiplied | torch.cumprod(1 - beta, 0) → 1 - torch.cumsum(beta, 0) |
        {_ends(f)} Each step keeps a share of what is left, so shares multiply.
    β is the same for every T #10 | 0.1 / T, 12 / T → 1e-4, 0.012 |
        At T = 50 your ᾱ leaves √ᾱ_T = {float(f(50)[-1]) ** 0.5:.3g} of the signal in x_T, which should be
        pure noise: fewer steps need larger betas, 0.1/T … 12/T.
    the betas are returned, not ᾱ | return → torch.cat([torch.zeros(1), beta]) |
        ᾱ_t is the running product of 1 − β_s, with a 1 in front for t = 0.
    there are T + 1 betas | , T) → , T + 1) && return → kept |
        β_1 … β_T are T numbers; the 1 in front, ᾱ_0, makes T + 1 levels of them.
    the root is taken | torch.cumprod(1 - beta, 0) → torch.cumprod(1 - beta, 0) ** 0.5 |
        ᾱ is a power; the functions below take the roots that they need.
""")
def make_alpha_bar(T):
    beta = torch.linspace(0.1 / T, 12 / T, T)
    kept = torch.cumprod(1 - beta, 0)
    return torch.cat([torch.ones(1), kept])


def _noisings(rng):
    return [(rng.standard_normal((n, 2)), rng.uniform(0, 1, (n, 1)), rng.standard_normal((n, 2))) for n in (5, 1, 7)]


@asked(_noisings, linear=("x0", "eps"), tolerance=1e-5, table="""
    the noise is multiplied by 1 − ᾱ, not √(1 − ᾱ) #1 | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
        Noise of variance 1 must come out with variance 1 − ᾱ. Is a square root missing in front of ε?
    x_0 is multiplied by ᾱ, not √ᾱ #1 | alpha_bar_t**0.5 → alpha_bar_t |
        ᾱ is the power that is left of x_0. Is a square root missing in front of x_0?
    both square roots are missing #1 | alpha_bar_t**0.5 → alpha_bar_t && (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t) |
        Powers add, so each factor is the root of a power.
    the noise is multiplied by 1 − √ᾱ, not √(1 − ᾱ) | (1 - alpha_bar_t) ** 0.5 → (1 - alpha_bar_t**0.5) |
        Powers add up to 1; amplitudes do not.
    x_0 is not shrunk | alpha_bar_t**0.5 * x0 → x0 | Noise comes in and nothing goes out, so the variance grows.
    the noise is subtracted | + (1 → - (1 |
        x_t is made with +ε; with the other sign, solving for x_0 later would double the noise.
    the factors of signal and noise are swapped | * x0 → * eps && * eps → * x0 |
        At ᾱ = 1 (t = 0) x_t is clean, x_0 itself.
    all points get the level of the first | alpha_bar_t**0.5 * x0 → alpha_bar_t[0] ** 0.5 * x0 && (1 - alpha_bar_t) →
        (1 - alpha_bar_t[0]) | Each row has its own level: `alpha_bar_t` has shape (n, 1) and broadcasts as it is.
""")
def add_noise(x0, alpha_bar_t, eps):
    return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps


_add_noise = add_noise.reference


def _losses(rng):
    """Two models, and points at times of their own."""
    alpha_bar = levels(rng)
    for gain in (alpha_bar**0.5, rng.uniform(-1, 1, LAST + 1)):
        model = Affine(gain, rng.standard_normal((LAST + 1, 2)))
        x0, eps = rng.standard_normal((2, 12, 2))
        yield model, alpha_bar, x0, rng.permutation(np.arange(1, LAST + 1))[:12], eps


def _grows(f):
    model, alpha_bar, *points = next(_losses(np.random.default_rng(0)))
    batches = ([np.concatenate([each[:2]] * n) for each in points] for n in (1, 2))
    once, twice = (float(f(model, *tensors(alpha_bar, *batch))) for batch in batches)
    return f"Two points give {once:.3g}, the same two twice {twice:.3g}: the step would grow with the batch."


@asked(_losses, returns=("loss",), tolerance=1e-5, refuse=no_gradient, table="""
    the noise of x_t is multiplied by 1 − ᾱ, not √(1 − ᾱ) #1 | noised(x0, a, eps) → a**0.5 * x0 + (1 - a) * eps |
        Look at the factor in front of ε in x_t.
    the square roots in x_t are missing #1 | noised(x0, a, eps) → a * x0 + (1 - a) * eps |
        Powers add, so each factor is the root of a power.
    the answer is compared with x_0, not ε #13 | (eps - model → (x0 - model |
        Then the network learns x_0, and a sampler that asks for ε gets noise.
    the network is given x_0, not x_t | model(xt, t) → model(x0, t) |
        x_0 holds nothing of ε, so there is nothing to learn from.
    the network is given the noise itself | model(xt, t) → model(eps, t) |
        That is the answer, not the question; the question is x_t.
    a sum, not a mean | ).mean() → ).sum() | {_grows(f)}
    the sum over coordinates, then the mean over points | ).mean() → ).sum(1).mean() |
        Asked is the mean over all numbers, so that a picture of 768 numbers has the same scale as a point.
    the square is missing | (eps - model(xt, t)) ** 2 → eps - model(xt, t) |
        Errors of both signs cancel in a mean; a network could be wrong everywhere at no loss.
    the absolute value, not the square | ((eps - model(xt, t)) ** 2).mean() → abs(eps - model(xt, t)).mean() |
        The least absolute error is the median's; the square leads to the mean of ε given x_t.
    ᾱ is taken one step too early #5 | alpha_bar[t][ → alpha_bar[t - 1][ |
        x_t belongs to ᾱ_t, and so does the t that the network is told. `alpha_bar[0]` is t = 0.
    the network is told t − 1 #5 | model(xt, t) → model(xt, t - 1) |
        The sampler will tell it t: a network that learned another clock is asked the wrong questions.
    all points get the level of the first | alpha_bar[t][:, None] → alpha_bar[t[0]] |
        Each row has its own t: `alpha_bar[t][:, None]` has one level a row, shape (n, 1).
    the root of the mean is taken | ).mean() → ).mean() ** 0.5 |
        It has the same minimum but another gradient: asked is the mean itself.
    no mean is taken | ).mean() → ) | A loss is one number: the mean over all points and both coordinates.
""")
def loss(model, alpha_bar, x0, t, eps, noised=_add_noise):
    a = alpha_bar[t][:, None]
    xt = noised(x0, a, eps)
    return ((eps - model(xt, t)) ** 2).mean()


# ---- the training --------------------------------------------------------------------------------

LOSS = 0.35  # right solutions end at 0.25 to 0.29 (notebooks/homework/calibration.csv), and start near 1


def losses(each) -> None:
    """Judge the loss of each step of a training by where it ends; what that means the samples will tell."""
    begins, ends = np.mean(each[:20]), np.mean(each[-max(1, len(each) // 10) :])
    told = f"training: the loss goes from {begins:.3g} to {ends:.3g} in {len(each):,} steps"
    if not np.isfinite(ends):
        raise Mistake(f"{told}. Is the gradient of the step before still in it (zero_grad)?", "not finite")
    if ends > max(1.2, 1.2 * begins):
        raise Mistake(f"{told}: it rises. Is the gradient of the step before still in it (zero_grad)?", "rises")
    if ends > 0.9:
        raise Mistake(f"{told}: nothing is learned. Are backward() and the optimiser's step() called?", "stays")
    if ends > LOSS:
        say(f"○ {told}. Right ones end below {LOSS} after 10,000: fewer steps, or something is still wrong.")
        return
    say(f"✓ {told}.")
