"""The training pair to repair in lesson 3: a mistake without a name is told by its half, signal or noise."""

import numpy as np

from .. import forward
from ..check import broken
from ..check.engine import Exercise, Fault, Mistake

PHOTOS = np.array([[0, 255, 51], [204, 102, 153]], dtype=np.uint8)
BETA = np.array([0.02, 0.1, 0.3, 0.6, 0.9])


def _training_pair(photos, beta, t, rng):
    """What all of `bugs` mean to do."""
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.standard_normal(x0.shape)
    return forward.add_noise(x0, alpha_bar[t], eps), eps


def _one_minus_product(photos, beta, t, rng):
    eps = rng.standard_normal(np.shape(photos))
    return forward.add_noise(photos / 127.5 - 1, 1 - np.prod(beta[:t]), eps), eps


def _decoded(hint: str):
    """The symptom "a known sample, decoded", quoted from the learner's own function."""

    def symptom(attempt):
        xt, eps = attempt(PHOTOS, BETA, 2, np.random.default_rng(0))
        x0 = forward.x0_from_eps(xt, 0.98 * 0.9, eps)
        return f"A black pixel (0) noised to ᾱ_2 = 0.98 · 0.9 decodes to {x0[0, 0]:.3g}, expected −1: {hint}"

    return symptom


def _drawn(attempt):
    _, eps = attempt(np.zeros(10_000), BETA, 2, np.random.default_rng(0))
    return (
        f"Known samples decode to the last digit, and yet: your noise has mean {eps.mean():.2f} and spread "
        f"{eps.std():.2f}, expected 0 and 1. `random` is uniform, `standard_normal` Gaussian."
    )


def _weights(attempt, t):
    """How x_t is made of x_0, ε and a constant (least squares); the spread of the rest; and the ε returned."""
    photos = np.arange(10_000) % 256
    xt, eps = attempt(photos, BETA, t, np.random.default_rng(0))
    parts = np.column_stack([photos / 127.5 - 1, eps, np.ones_like(eps)])
    weights = np.linalg.lstsq(parts, xt)[0]
    return weights, np.std(xt - parts @ weights), eps


def _mixture(signal, noise, offset):
    text = f"{signal:.3f} x_0 {'−' if noise < 0 else '+'} {abs(noise):.3f} ε"
    return text if abs(offset) < 5e-4 else f"{text} {'−' if offset < 0 else '+'} {abs(offset):.3f}"


def _unnamed(attempt) -> str | None:
    """Which half of an unknown mistake it is, signal or noise; None if neither."""
    for t in (1, 2, 5):
        weights, rest, eps = _weights(attempt, t)
        kept, mean, spread = np.prod(1 - BETA[:t]), eps.mean().round(2) + 0.0, eps.std()
        kurtosis = np.mean(((eps - mean) / spread) ** 4)
        if rest > 1e-6:
            return (
                f"At t = {t} your x_t is not made of x_0 and the ε you return: a part of spread {rest:.2g} is neither."
            )
        right = (kept**0.5, (1 - kept) ** 0.5, 0.0)
        if not np.allclose(weights, right, atol=1e-6):
            must = f"At t = {t}, where ᾱ = {kept:.4g}, x_t must be {_mixture(*right)}, with x_0 in −1 … 1"
            return f"{must}; yours is {_mixture(*weights)}."
        if not np.allclose([mean, spread, kurtosis], [0, 1, 3], atol=(0.05, 0.05, 0.25)):  # 5 standard errors
            found = f"mean {mean:.2f}, spread {spread:.2f}, kurtosis {kurtosis:.1f}"
            return f"Known samples decode exactly, and yet: your noise has {found}, where a Gaussian has 0, 1, 3."
    return None


class PairExercise(Exercise):
    """A training pair can be taken apart: a mistake without a name is told by its half, not by raw numbers."""

    def __call__(self, attempt):
        try:
            super().__call__(attempt)
        except Mistake as mistake:
            if mistake.fault is None and (half := _told(attempt)):
                raise Mistake(f"{self.name}: {half}") from None
            raise


def _told(attempt) -> str | None:
    try:
        return _unnamed(attempt)
    except Exception:  # not a pair of arrays, or it does not run: the plain message says so
        return None


training_pair = PairExercise(
    "training_pair",
    _training_pair,
    probes=(
        (np.array([0]), np.array([0.36]), 1, np.random.default_rng(0)),
        *((PHOTOS, BETA, t, np.random.default_rng(t)) for t in (1, 2, 3, 5)),
    ),
    faults=(
        Fault("β is used where α is meant", broken.pair_a, _decoded("what does step t keep?"), atlas=3),
        Fault("x_0 is scaled to 0 … 1", broken.pair_b, _decoded("static is centred on 0, so are pictures."), atlas=12),
        Fault("a square root is missing", broken.pair_c, _decoded("noise is left over."), atlas=1),
        Fault("ᾱ is taken one step too early", broken.pair_d, _decoded("count: ᾱ_1 = 1 − β_1."), atlas=5),
        Fault("uniform noise, not Gaussian", broken.pair_e, _drawn, atlas=2),
        Fault("the product is taken backwards", broken.pair_f, _decoded("which β comes first?"), atlas=4),
        Fault(
            "the β are multiplied, then taken from 1",
            _one_minus_product,
            _decoded("each step keeps 1 − β, and those shares multiply."),
            atlas=3,
        ),
        Fault(
            "ε comes before x_t",
            lambda photos, beta, t, rng: _training_pair(photos, beta, t, rng)[::-1],
            "Return 2 arrays, x_t first: `return xt, eps`.",
        ),
        Fault(
            "x_0 is returned, not ε",
            lambda photos, beta, t, rng: (_training_pair(photos, beta, t, rng)[0], photos / 127.5 - 1),
            "The network is to learn the noise: return 2 arrays, `return xt, eps`.",
        ),
        Fault(
            "ε is missing",
            lambda photos, beta, t, rng: _training_pair(photos, beta, t, rng)[0],
            "The network learns from x_t and from the noise in it: return 2 arrays, `return xt, eps`.",
        ),
    ),
)
