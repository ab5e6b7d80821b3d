"""Exercise of lesson 3: a training pair to repair. It is taken apart, so that any draws of noise may be right."""

import numpy as np

from .table import exercise

MOMENTS = ("mean of ε", "spread of ε", "shape of ε's histogram")
BYTES = (np.arange(8 * 3 * 16 * 16) % 256).astype(np.uint8).reshape(8, 3, 16, 16)
SHARED = np.array([-2.0])
BETA = np.array([0.02, 0.1, 0.3, 0.6, 0.9])


def _near(value, to, within):
    """`to` where the value is within what chance allows."""
    return float(to if abs(value - to) < within else value)


def taken_apart(pair):
    """How x_t is made of x_0, of the ε returned and of a constant (least squares), what is neither; moments of ε.

    `SHARED` where x_t is made of them but many pixels have one ε: moments of so few draws say nothing.
    """
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        return np.array([-1.0])
    xt, eps = (np.asarray(part, dtype=np.float64).ravel() for part in pair)
    parts = np.column_stack([BYTES.ravel() / 127.5 - 1, eps, np.ones_like(eps)])
    weights = np.linalg.pinv(parts.T @ parts) @ (parts.T @ xt)
    rest = np.std(xt - parts @ weights)
    if rest < 1e-5 and len(np.unique(eps)) < len(eps) / 2:
        return SHARED
    if rest > 1e-5 and abs(weights[1]) < 5 * rest / len(eps) ** 0.5:  # x_t holds nothing of this ε, but by chance
        weights, rest = np.zeros(3), 1.0
    fourth = np.mean((eps - eps.mean()) ** 4) / max(eps.std() ** 4, 1e-30)
    moments = _near(eps.mean(), 0, 0.08), _near(eps.std(), 1, 0.06), _near(fourth, 3, 0.4)  # 5 standard errors
    return (*map(float, weights), float(rest) if rest > 1e-5 else 0.0, *moments)


def _other_shape(pair):
    if isinstance(pair, (tuple, list)) and len(pair) == 2 and not np.shape(pair[0]) == np.shape(pair[1]) == BYTES.shape:
        shapes = f"x_t has shape {np.shape(pair[0])}, your ε {np.shape(pair[1])}"
        return f"for photos of shape {BYTES.shape} your {shapes}: every number needs its own noise, of `photos.shape`."
    return None


def _decoded(f):
    kept = 0.98 * 0.9
    xt, eps = f(BYTES, BETA, 2, np.random.default_rng(0))
    xt, eps = (np.ravel(part)[200] for part in (xt, eps))
    found = np.float64((xt - (1 - kept) ** 0.5 * eps) / kept**0.5)
    return f"A pixel of 200, so x_0 = 0.569, noised to ᾱ_2 = 0.98 · 0.9 and solved for again, becomes {found:.3g}:"


@exercise(
    probes=tuple((BYTES, BETA, t, np.random.default_rng(t)) for t in (1, 2, 3, 5)),
    measure=taken_apart,
    refuse=_other_shape,
    returns=("weight of x_0", "weight of ε", "added constant", "part that is neither", *MOMENTS),
    tolerance=1e-5,
    table="""
    hint | Print one thing at a time: the range of x_0, ᾱ_1 (it is 1 − β_1), the mean and spread of ε.
    hint | Solve for x_0: from x_t and ε, (x_t − √(1−ᾱ_t) ε)/√ᾱ_t must give it back, for every t.
    hint | What solving cannot find is in ε itself: draw many, and look at their histogram.
    why | x_0 lies in −1 … 1, so that noise of variance 1 can drown it; ᾱ_t is the product of the first t factors 1 − β;
        and x_t is √ᾱ_t x_0 + √(1−ᾱ_t) ε with Gaussian ε, the ε that is returned.
    β is used where α is meant #3 | 1 - beta → beta | {_decoded(f)} what does step t keep?
    x_0 is scaled to 0 … 1 #12 | photos / 127.5 - 1 → photos / 255 |
        {_decoded(f)} noise is centred on 0, so pictures should be.
    x_0 has half the range | photos / 127.5 - 1 → photos / 255 - 0.5 |
        {_decoded(f)} −½ … ½ is half as wide as the network expects; divide by 127.5, then take 1 away.
    x_0 is not scaled | photos / 127.5 - 1 → photos * 1.0 |
        {_decoded(f)} bytes up to 255 would drown all noise. Bring them to −1 … 1.
    bytes overflow | photos / 127.5 - 1 → 2 * photos / 255 - 1 |
        {_decoded(f)} `photos` holds bytes, and 2 · 200 is 144 in bytes. Divide first, or make floats of them.
    a square root is missing #1 | np.sqrt(1 - alpha_bar[t]) → (1 - alpha_bar[t]) |
        {_decoded(f)} the noise does not have the power that ᾱ leaves for it.
    ᾱ is taken one step too early #5 | np.sqrt(alpha_bar[t]) → np.sqrt(alpha_bar[t - 1]) && np.sqrt(1 - alpha_bar[t]) →
        np.sqrt(1 - alpha_bar[t - 1]) | {_decoded(f)} ᾱ_1 is 1 − β_1, and ᾱ_0 is 1.
    ᾱ_0 = 1 is missing, so ᾱ is taken one step too late #5 | np.concatenate([[1.0], np.cumprod(1 - beta)]) →
        np.append(np.cumprod(1 - beta), 0.0) | {_decoded(f)} alpha_bar[t] must be the product of the first t factors.
    ᾱ is taken one step too late #5 | np.concatenate([[1.0], np.cumprod(1 - beta)]) → np.cumprod(1 - beta) |
        {_decoded(f)} here `beta[0]` is β_1, so ᾱ_t is at index t − 1 of this product, or put ᾱ_0 = 1 in front.
    β_1 is left out | np.cumprod(1 - beta) → np.cumprod(np.append(1 - beta[1:], 1)) |
        {_decoded(f)} here `beta[0]` is β_1, so the first t betas are `beta[:t]`.
    the product is taken backwards #4 | 1 - beta → 1 - beta[::-1] | {_decoded(f)} which β comes first?
    the running product is missing #3 | np.cumprod(1 - beta) → 1 - beta |
        {_decoded(f)} ᾱ_t is what all t steps keep, α_t what the last one does.
    uniform noise, not Gaussian #2 | standard_normal → random | `random` is uniform, `standard_normal` Gaussian.
    many pixels get the same noise | rng.standard_normal(x0.shape) → np.ones(x0.shape) *
        rng.standard_normal(x0.shape[1:]) |
        Of {BYTES.size} numbers in your noise only {len(np.unique(f(BYTES, BETA, 2, np.random.default_rng(0))[1]))}
        differ. Draw one for every pixel of every photo.
    x_0 is returned where ε is asked for | * eps, eps → * eps, x0 |
        The network learns to tell the noise: return the ε that is in x_t.
    ε is missing | * eps, eps → * eps | The network learns from x_t and from the noise in it: return `xt, eps`.
    another ε is returned | * eps, eps → * eps, rng.standard_normal(x0.shape) |
        The ε that you return must be the one in x_t: draw once, use it twice.
    """,
)
def training_pair(photos, beta, t, rng):
    x0 = photos / 127.5 - 1
    alpha_bar = np.concatenate([[1.0], np.cumprod(1 - beta)])
    eps = rng.standard_normal(x0.shape)
    return np.sqrt(alpha_bar[t]) * x0 + np.sqrt(1 - alpha_bar[t]) * eps, eps
