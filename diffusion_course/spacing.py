"""Step spacings: which n+1 of the times T … 0 a walk of n strokes visits.

All start at T, because that is where x_T is pure static, and end at 0, the clean sample; n may be anything from
1 to T. Other libraries give such grids the same names, count times from 0 and leave the final 0 out; what else
differs there is said below each.

Source: Lin et al. 2023 (arXiv:2305.08891), table 2; DPM-Solver (arXiv:2206.00927), section 3.3, for `logsnr`.
"""

import numpy as np

# A log-SNR below which no stroke is spent: ᾱ = 4e-5, where `linear` ends. The cosine schedule falls far lower in its
# last few steps, and most strokes would be lost there; DPM-Solver cuts at the same place (λ = −5.1).
FAINTEST = -10.2


def trailing(schedule, n):
    """Evenly from T down to 0: round(T · i/n). The same in diffusers."""
    # Rounding keeps neighbours apart because T/n ≥ 1; a fixed stride T // n would not reach 0 and T both.
    return np.round(np.arange(n, -1, -1) * schedule.T / n).astype(int)


def leading(schedule, n):
    """Whole strides of T // n up from t = 1; the first stroke, from T, takes what is left over.

    In diffusers the walk starts where the last whole stride ends, below T, and treats what it has there as static.
    """
    times = 1 + np.arange(n - 1)[::-1] * (schedule.T // n)
    return np.concatenate([[schedule.T], times, [0]])


def linspace(schedule, n):
    """Evenly from T to 1, both visited, and then the one short stroke to 0.

    The same in diffusers, but for n = 1 (it walks from t = 1) and for its DPM-Solver (it does not visit t = 1).
    """
    return np.append(np.round(np.linspace(schedule.T, 1, n)), 0).astype(int)


def logsnr(schedule, n):
    """Evenly in log-SNR from T to 1, as near as whole times can be, and then the stroke to 0.

    Called `use_lu_lambdas` in diffusers, which may visit a time twice where t is too coarse, near 1; here the
    neighbouring times are taken.
    """
    level = np.minimum(-schedule.log_snr[1:], -FAINTEST)  # rises with t
    even = np.linspace(level[0], level[-1], n)
    times = np.append(0, 1 + np.round(np.interp(even, level, np.arange(schedule.T)))).astype(int)
    times[-1] = schedule.T
    i = np.arange(n + 1)
    apart = np.maximum.accumulate(times - i) + i  # each at least 1 above the one before
    return np.minimum(apart, schedule.T - n + i)[::-1]  # and room left for those after


SPACINGS = {spacing.__name__: spacing for spacing in (trailing, leading, linspace, logsnr)}
