"""The third-order stroke of DPM-Solver++ as the authors' code and diffusers have it: half of its last term."""

import math

from diffusion_course.samplers import _weighted_guess


def published_guess(guesses, lam_s):
    """`samplers._weighted_guess` but for order 3, where ∫ e^{λ−λ_s} (λ−λ_t)² dλ counts half.

    Newton's second divided difference is half of a second derivative; published code halves once more.
    """
    if len(guesses) < 3:
        return _weighted_guess(guesses, lam_s)
    (lam_0, guess_0), (lam_1, guess_1), (lam_2, guess_2) = guesses
    bend = ((guess_0 - guess_1) / (lam_0 - lam_1) - (guess_1 - guess_2) / (lam_1 - lam_2)) / (lam_0 - lam_2)
    h = lam_s - lam_0
    return _weighted_guess(guesses, lam_s) - (h**2 - 2 * (h + math.expm1(-h))) / 2 * bend
