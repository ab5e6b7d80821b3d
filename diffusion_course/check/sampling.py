"""Checks of the reverse half: one stroke of DDPM, one of DDIM.

A faulty step often looks harmless. So its symptom is measured: the learner's step walks from static to data
with the exact denoiser of N(2, ½²), and the mean and spread it ends at are quoted.
"""

from itertools import pairwise

import numpy as np

from .. import denoisers, forward, schedule
from ..check.engine import Exercise, Fault

SCHEDULE = schedule.cosine(T=50)
MEAN, SPREAD = 2.0, 0.5


def walk(step, n=50):
    """Where 2000 samples of x_T ~ N(0, 1) end after `n` strokes of `step(xt, t, s, eps_hat, z)`."""
    model, rng = denoisers.GaussianDenoiser(MEAN, SPREAD, SCHEDULE), np.random.default_rng(0)
    x = rng.standard_normal((2000, 1))
    for t, s in pairwise(SCHEDULE.steps(n).tolist()):
        x = step(x, t, s, model(x, t), rng.standard_normal(x.shape))
    return x


def _walked(hint: str):
    def symptom(attempt):
        with np.errstate(all="ignore"):
            x = walk(lambda xt, t, s, eps_hat, z: attempt(xt, t, s, eps_hat, SCHEDULE, z))
        return (
            f"With the exact denoiser of data N(2, 0.5²) your walk ends at mean {x.mean():.3g}, "
            f"spread {x.std():.2g}: {hint}"
        )

    return symptom


def _root(variance, beta):
    return variance**0.5


def _stroke(spread=_root, guess=forward.x0_from_eps, posterior=forward.posterior, shift=0):
    """A stroke of DDPM with `spread(β̃, β)` in front of z; `shift` spoils the index of ᾱ in x̂_0."""

    def step(xt, t, s, eps_hat, schedule, z):
        x0_hat = guess(xt, schedule.at(t - shift), eps_hat)
        mean, variance = posterior(x0_hat, xt, schedule.at(t), schedule.at(s))
        return mean + spread(variance, _beta(t, s, schedule)) * z

    return step


def _beta(t, s, schedule):
    """The noise variance of the chain from s to t; β_t if s = t − 1."""
    return 1 - schedule.at(t) / schedule.at(s)


_ddpm_step = _stroke()


def _beta_for_alpha(xt, t, s, eps_hat, schedule, z):
    """DDPM's mean (x_t − β/√(1−ᾱ_t) ε̂) / √α as printed, but with β under the root."""
    beta, fresh = _beta(t, s, schedule), _ddpm_step(0 * xt, t, s, 0 * eps_hat, schedule, z)
    return (xt - beta / (1 - schedule.at(t)) ** 0.5 * eps_hat) / beta**0.5 + fresh


TWINS, ZERO_ONE = np.ones(2), np.array([0.0, 1.0])
XT, EPS_HAT, Z = np.array([0.4, -1.2, 2.0]), np.array([1.0, -0.5, 0.7]), np.array([0.3, 1.5, -0.8])
ALONE = np.eye(3)  # x_t, ε̂ and z are 1 in turn: the three answers are the factors of the three
ddpm_step = Exercise(
    "ddpm_step",
    _ddpm_step,
    probes=(
        *((ALONE[0], t, s, ALONE[1], SCHEDULE, ALONE[2]) for t, s in ((30, 29), (30, 20), (2, 1), (5, 0), (1, 0))),
        (XT, 30, 20, EPS_HAT, SCHEDULE, Z),
    ),
    faults=(
        Fault(
            "the noise is multiplied by the variance, not by its root",
            _stroke(lambda variance, beta: variance),
            _walked("too little noise joins at each step. A factor in front of z is a spread."),
            atlas=3,
        ),
        Fault(
            "the mean is divided by √β_t, where √α_t is meant",
            _beta_for_alpha,
            _walked("α = 1 − β is near 1, β near 0: the division blows x up."),
            atlas=3,
        ),
        Fault(
            "x̂_0 is computed with ᾱ of step t − 1",
            _stroke(shift=1),
            _walked("the mean is missed. x_t and ε̂ belong to step t, so ᾱ_t turns them into x̂_0."),
            atlas=5,
        ),
        Fault(
            "noise is still added on the last step",
            _stroke(lambda variance, beta: beta**0.5),
            lambda attempt: (
                "At s = 0 every z must give the same answer; from t = 1 yours for z = 0 and z = 1 differ by "
                f"{_apart(attempt(TWINS, 1, 0, TWINS, SCHEDULE, ZERO_ONE))}: grain on every sample."
            ),
            atlas=7,
        ),
        Fault(
            "the variance is β, not β̃",
            _stroke(lambda variance, beta: (variance > 0) * beta**0.5),
            "That is DDPM's other choice, right for data of variance 1; here the posterior's β̃ is asked for.",
        ),
        Fault(
            "x̂_0 is computed without the two roots",
            _stroke(guess=lambda xt, alpha_bar_t, eps_hat: (xt - (1 - alpha_bar_t) * eps_hat) / alpha_bar_t),
            _walked("the guess is off at every stroke. ᾱ is a power; amplitudes have its root."),
            atlas=3,
        ),
        Fault(
            "ε̂ is added in x̂_0",
            _stroke(guess=lambda xt, alpha_bar_t, eps_hat: forward.x0_from_eps(xt, alpha_bar_t, -eps_hat)),
            _walked("the noise must be taken out of x_t, so √(1−ᾱ_t) ε̂ is subtracted."),
        ),
        Fault(
            "the weights of x̂_0 and x_t are exchanged",
            _stroke(posterior=lambda x0_hat, xt, *levels: forward.posterior(xt, x0_hat, *levels)),
            lambda attempt: (
                "At s = 0 the answer must be x̂_0 itself; for t = 5, x_t = 1, ε̂ = 1, z = 0 that is "
                f"{_to_0(_ddpm_step):.4f}, you return {_to_0(attempt):.4f}."
            ),
        ),
        Fault(
            "no fresh noise",
            _stroke(lambda variance, beta: 0.0),
            _walked("all samples collapse. Add √β̃ z at every step but the last."),
            atlas=8,
        ),
    ),
)


def _to_0(step):
    return float(step(np.ones(1), 5, 0, np.ones(1), SCHEDULE, np.zeros(1))[0])


def _apart(answers):
    """How far the answers to z = 0 and z = 1 lie apart."""
    return f"{np.ptp(answers):.3g}"


def _ddim(xt, t, s, eps_hat, schedule, eta, z, power_s=None):
    """DDIM's equation 12; `power_s` spoils ᾱ_s."""
    x0_hat = forward.x0_from_eps(xt, schedule.at(t), eps_hat)
    power_s = schedule.at(s) if power_s is None else power_s
    fresh = eta**2 * (1 - power_s) / (1 - schedule.at(t)) * (1 - schedule.at(t) / power_s)
    return power_s**0.5 * x0_hat + (1 - power_s - fresh) ** 0.5 * eps_hat + fresh**0.5 * z


def _ddim_step(xt, t, s, eps_hat, schedule, eta, z):
    return _ddim(xt, t, s, eps_hat, schedule, eta, z)


def _ddim_walked(hint: str):
    def symptom(attempt):
        x = walk(lambda xt, t, s, eps_hat, z: attempt(xt, t, s, eps_hat, SCHEDULE, 1.0, z))
        return (
            f"At η = 1, with the exact denoiser of data N(2, 0.5²), your walk ends at mean {x.mean():.3g}, "
            f"spread {x.std():.2g}: {hint}"
        )

    return symptom


ddim_step = Exercise(
    "ddim_step",
    _ddim_step,
    probes=tuple(
        (XT, t, s, EPS_HAT, SCHEDULE, eta, Z)
        for t, s, eta in ((30, 20, 0.0), (30, 20, 1.0), (30, 29, 0.5), (5, 0, 0.0), (1, 0, 1.0))
    ),
    faults=(
        Fault(
            "the noise of η = 1 at every η",
            lambda xt, t, s, eps_hat, schedule, eta, z: _ddim(xt, t, s, eps_hat, schedule, 1.0, z),
            lambda attempt: (
                "At η = 0 nothing is random; for z = 0 and z = 1 your answers differ by "
                f"{_apart(attempt(TWINS, 30, 20, TWINS, SCHEDULE, 0.0, ZERO_ONE))}. "
                "With that noise it is DDPM, whatever it is called."
            ),
            atlas=17,
        ),
        Fault(
            "the last step goes to ᾱ_1, not to ᾱ_0 = 1",
            lambda xt, t, s, eps_hat, schedule, eta, z: _ddim(
                xt, t, s, eps_hat, schedule, eta, z, power_s=schedule.at(max(s, 1)) if t > 1 else None
            ),
            lambda attempt: (
                "From t = 5 to s = 0 x̂_0 itself must come out; for x_t = ε̂ = 1 and η = 0 it is "
                f"{_from_5(_ddim_step):.4f}, you return {_from_5(attempt):.4f}: noise stays."
            ),
            atlas=18,
        ),
        Fault(
            "ε̂ is not reduced to make room for the fresh noise",
            lambda xt, t, s, eps_hat, schedule, eta, z: (
                _ddim(xt, t, s, eps_hat, schedule, 0.0, z)
                + (_ddim(xt, t, s, eps_hat, schedule, eta, 1.0) - _ddim(xt, t, s, eps_hat, schedule, eta, 0.0)) * z
            ),
            _ddim_walked("too much noise; variances must sum to 1 − ᾱ_s."),
        ),
        Fault(
            "no fresh noise at any η",
            lambda xt, t, s, eps_hat, schedule, eta, z: _ddim(xt, t, s, eps_hat, schedule, eta, 0.0),
            _ddim_walked("room was made for fresh noise, and none came."),
            atlas=8,
        ),
        Fault(
            "η is ignored",
            lambda xt, t, s, eps_hat, schedule, eta, z: _ddim(xt, t, s, eps_hat, schedule, 0.0, z),
            lambda attempt: (
                "At η = 1, z = 0 and z = 1 must differ; from t = 30 to 20 yours differ by "
                f"{_apart(attempt(TWINS, 30, 20, TWINS, SCHEDULE, 1.0, ZERO_ONE))}."
            ),
        ),
    ),
)


def _from_5(step):
    return float(step(np.ones(1), 5, 0, np.ones(1), SCHEDULE, 0.0, np.zeros(1))[0])
