"""Checks of ᾱ: the running product, betas for another T, a cosine that does not end at zero."""

import numpy as np

from .. import schedule
from ..check.engine import Exercise, Fault


def _alpha_bar_of(beta):
    return schedule.from_beta(beta).alpha_bar


def _ends(hint: str):
    """The symptom "first and last ᾱ of the linear schedule", quoted from the learner's own function."""

    def symptom(attempt):
        ends = attempt(schedule.linear().beta[1:])
        return (
            f"For the linear schedule your ᾱ starts {ends[0]:.4g}, {ends[1]:.4g} and ends {ends[-1]:.3g}; "
            f"expected 1, 0.9999 and 4.04e-05: {hint}"
        )

    return symptom


# Name of the mistake → ᾱ of the betas with it, its number in the atlas, what to look at.
MISTAKEN = {
    "the product is taken backwards": (
        lambda beta: np.concatenate([[1.0], np.cumprod(1 - beta[::-1])])[::-1],
        4,
        "it must start at the clean end, t = 0.",
    ),
    "the β are multiplied from the last to the first": (
        lambda beta: np.concatenate([[1.0], np.cumprod(1 - beta[::-1])]),
        4,
        "β_1 comes first: ᾱ_1 = 1 − β_1.",
    ),
    "the product goes to T for every t": (
        lambda beta: np.concatenate([[1.0], np.full(len(beta), np.prod(1 - beta))]),
        4,
        "ᾱ_t is the product of the first t factors only.",
    ),
    "β is multiplied, where α = 1 − β is meant": (
        lambda beta: np.concatenate([[1.0], np.cumprod(beta)]),
        3,
        "β is the noise that comes, 1 − β the signal that stays.",
    ),
    "ᾱ_0 = 1 is missing": (
        lambda beta: np.cumprod(1 - beta),
        5,
        "put a 1 in front, or `alpha_bar[t]` is ᾱ of step t + 1: off by one everywhere.",
    ),
    "the factors are added, not multiplied": (
        lambda beta: np.concatenate([[1.0], 1 - np.cumsum(beta)]),
        None,
        "each step keeps a share of what is left, so shares multiply.",
    ),
}
alpha_bar_of = Exercise(
    "alpha_bar_of",
    _alpha_bar_of,
    probes=((np.array([0.1, 0.5, 0.995]),), (np.linspace(0.02, 0.2, 50),), (np.array([0.999]),)),
    faults=tuple(Fault(name, mutant, _ends(hint), atlas) for name, (mutant, atlas, hint) in MISTAKEN.items()),
)


def _betas_for(T):
    return schedule.linear(T, beta_start=0.1 / T, beta_end=20 / T).beta[1:]


def _signal_left(hint: str):
    def symptom(attempt):
        left = np.prod(1 - np.asarray(attempt(50))) ** 0.5
        return f"At T = 50 your betas leave √ᾱ_T = {left:.3f} of the signal in x_T; allowed is 0.1: {hint}"

    return symptom


betas_for = Exercise(
    "betas_for",
    _betas_for,
    probes=((1000,), (250,), (50,)),
    faults=(
        Fault(
            "T is shrunk but β is kept",
            lambda T: np.linspace(1e-4, 0.02, T),
            _signal_left("x_T is not static. 20 times fewer steps need 20 times larger ones."),
            atlas=10,
        ),
        Fault(
            "the betas shrink with T",
            lambda T: np.linspace(1e-4, 0.02, T) * T / 1000,
            _signal_left("fewer steps need larger betas."),
            atlas=10,
        ),
    ),
)


def _cosine_alpha_bar(T):
    return schedule.cosine(T).alpha_bar


def _quarter_wave(T, s=0.008):
    """cos² of t/T from 0 to π/2, shifted by the offset s."""
    return np.cos((np.arange(T + 1) / T + s) / (1 + s) * np.pi / 2) ** 2


def _bounded(curve):
    """ᾱ of a curve, with each β at most 0.999."""
    beta = np.minimum(1 - curve[1:] / curve[:-1], schedule.BETA_MAX)
    return np.concatenate([[1.0], np.cumprod(1 - beta)])


def _final(attempt):
    end = float(attempt(1000)[-1])
    blown = f"{1e-3 / end**0.5:.2g}" if end > 0 else "infinity"
    return (
        f"Your ᾱ_T is {end:.2g}. x̂_0 = (x_T − √(1−ᾱ_T) ε̂) / √ᾱ_T turns an error of 0.001 in ε̂ into {blown}; "
        "bound the betas by 0.999."
    )


def _of_four(hint: str):
    """The symptom "ᾱ of four steps", quoted from the learner's own function."""

    def symptom(attempt):
        found, expected = (", ".join(f"{x:.4g}" for x in f(4)) for f in (attempt, _cosine_alpha_bar))
        return f"For T = 4 you return {found}, expected {expected}: {hint}"

    return symptom


cosine_alpha_bar = Exercise(
    "cosine_alpha_bar",
    _cosine_alpha_bar,
    probes=((1,), (4,), (1000,)),  # the short ones are shown in full
    tolerance=1e-11,  # ᾱ_T is 2e-9, and must be told from 0
    measure=lambda answer: np.clip(answer, -1, 2),  # where f is 0 but for rounding, what follows is rounding too
    faults=(
        Fault("plain cos² to π/2 ends at zero", lambda T: _quarter_wave(T, 0), _final, atlas=11),
        Fault(
            "the bound on β is missing, so ᾱ_T is next to zero",
            lambda T: _quarter_wave(T) / _quarter_wave(T)[0],
            _final,
            atlas=11,
        ),
        Fault(
            "the curve is not divided by its value at t = 0",
            _quarter_wave,
            lambda attempt: f"Your ᾱ_0 is {attempt(1000)[0]:.6f}; at t = 0 the picture is clean, ᾱ_0 = 1.",
        ),
        Fault(
            "the offset is missing",
            lambda T: _bounded(_quarter_wave(T, 0)),
            lambda attempt: f"At T = 1000 your β_1 is {1 - attempt(1000)[1]:.1e}, expected 4.1e-05: add s to t/T.",
        ),
        Fault(
            "the division by 1 + s is missing",
            lambda T: _bounded(np.cos((np.arange(T + 1) / T + 0.008) * np.pi / 2) ** 2),
            _of_four("without it the curve has its zero before t = T, and rises again."),
        ),
        Fault(
            "the cosine is not squared",
            lambda T: _bounded(_quarter_wave(T) ** 0.5),
            _of_four("ᾱ is a power, the cosine an amplitude."),
            atlas=1,
        ),
        Fault(
            "t is not divided by T",
            lambda T: _bounded(np.cos((np.arange(T + 1) + 0.008) / 1.008 * np.pi / 2) ** 2),
            _of_four("the whole walk is a quarter of a wave; yours is a quarter per step."),
        ),
        Fault(
            "ᾱ_0 = 1 is missing",
            lambda T: _cosine_alpha_bar(T)[1:],
            _of_four("put the clean picture's 1 in front."),
            atlas=5,
        ),
        Fault(
            "the betas are returned, not ᾱ",
            lambda T: schedule.cosine(T).beta[1:],
            _of_four("ᾱ is the running product of 1 − β, with a 1 in front."),
        ),
    ),
)
