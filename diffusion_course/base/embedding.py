"""How a network is told the time: sines and cosines of the log-SNR.

Sources: Vaswani et al. 2017 (arXiv:1706.03762) for sines as an embedding; Kingma et al. 2021 (arXiv:2107.00630) for
log-SNR as the clock.
"""

import numpy as np

FREQUENCIES = 16  # of the time embedding, which has a sine and a cosine of each
LOG_SNR_MAX = 20.0  # e^20: beyond the precision of float32; keeps the embedding finite where the SNR is 0


def time_embedding(log_snr: np.ndarray) -> np.ndarray:
    """Sines and cosines of λ = log-SNR, shape (…) → (…, 32): sin ω_1 λ … sin ω_16 λ, cos ω_1 λ … cos ω_16 λ.

    A number as large as t = 1000 would drown x_t, and equal steps of t are not equal steps of difficulty; λ is. The
    ω_i rise geometrically from 0.05 (one swing over the whole range of λ) to 1.5 (neighbouring noise levels differ).

    >>> time_embedding(np.array([0.0, 2.0])).shape
    (2, 32)
    """
    clipped = np.clip(log_snr, -LOG_SNR_MAX, LOG_SNR_MAX)
    angle = np.multiply.outer(clipped, np.geomspace(0.05, 1.5, FREQUENCIES))
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)
