"""Exercises of lesson 3: ᾱ from log-SNR, and the shift for larger pictures."""

import math

import numpy as np

from ..check.engine import Exercise, Fault


def _alpha_bar_from_log_snr(log_snr):
    return 1 / (1 + np.exp(-log_snr))


def _at_log_snr(hint: str):
    """The symptom "ᾱ at three log-SNRs", quoted from the learner's own function."""

    def symptom(attempt):
        found = ", ".join(f"{attempt(x):.3g}" for x in (-6.0, 0.0, 6.0))
        return f"At log-SNR −6, 0, 6 your ᾱ is {found}; expected 0.00247, 0.5, 0.998: {hint}"

    return symptom


alpha_bar_from_log_snr = Exercise(
    "alpha_bar_from_log_snr",
    _alpha_bar_from_log_snr,
    probes=((1.0986,), (0.0,), (np.array([6.0, 1.0, -1.0, -6.0]),)),
    faults=(
        Fault(
            "the SNR itself is returned",
            lambda log_snr: np.exp(log_snr),
            _at_log_snr("SNR = ᾱ/(1−ᾱ) has to be solved for ᾱ."),
        ),
        Fault(
            "SNR = ᾱ/(1−ᾱ) is solved with the wrong sign",
            lambda log_snr: np.exp(log_snr) / (1 - np.exp(log_snr)),
            _at_log_snr("a power lies between 0 and 1. Write SNR · (1−ᾱ) = ᾱ and collect ᾱ on one side."),
        ),
        Fault(
            "the function takes one number, not an array",
            lambda log_snr: 1 / (1 + math.exp(-log_snr)),
            _at_log_snr(
                "right, one by one, but arrays fail. The exponential of `math` wants a number; NumPy's takes both."
            ),
        ),
        Fault(
            "the sign is turned round",
            lambda log_snr: 1 / (1 + np.exp(log_snr)),
            _at_log_snr("a large log-SNR is a clean picture, ᾱ near 1; yours is 1 − ᾱ."),
        ),
        Fault(
            "the exponent is half as large as it should be",
            lambda log_snr: 1 / (1 + np.exp(-log_snr / 2)),
            _at_log_snr("SNR is a ratio of powers; no square root belongs here."),
            atlas=19,
        ),
        Fault(
            "√ᾱ is returned, not ᾱ",
            lambda log_snr: (1 / (1 + np.exp(-log_snr))) ** 0.5,
            _at_log_snr("ᾱ is a power, √ᾱ an amplitude."),
            atlas=19,
        ),
        Fault(
            "the logarithm is taken to be decimal",
            lambda log_snr: 1 / (1 + 10.0**-log_snr),
            _at_log_snr("log-SNR is a natural logarithm: undo it with exp."),
        ),
    ),
)


def _shifted_alpha_bar(alpha_bar, k):
    return alpha_bar / (alpha_bar + k**2 * (1 - alpha_bar))


def _by_way_of_snr(alpha_bar, k):
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = np.float64(alpha_bar) / (1 - alpha_bar) / k**2
        return snr / (1 + snr)


def _one_half(hint: str):
    def symptom(attempt):
        return f"From ᾱ = 0.5 and k = 2 you make {attempt(0.5, 2):.4g}, expected SNR ¼, ᾱ = 0.2: {hint}"

    return symptom


shifted_alpha_bar = Exercise(
    "shifted_alpha_bar",
    _shifted_alpha_bar,
    probes=((0.5, 2), (0.5, 1), (np.array([1.0, 0.9, 0.1, 0.0]), 4)),
    faults=(
        Fault(
            "the SNR is divided by k, not by k²",
            lambda alpha_bar, k: alpha_bar / (alpha_bar + k * (1 - alpha_bar)),
            _one_half("a block has k·k pixels, and the variance of a mean falls by their number."),
            atlas=19,
        ),
        Fault(
            "the SNR is multiplied by k²",
            lambda alpha_bar, k: k**2 * alpha_bar / (k**2 * alpha_bar + 1 - alpha_bar),
            _one_half("a larger picture needs more noise to be destroyed as much, so a smaller SNR."),
        ),
        Fault(
            "the SNR of the clean picture is infinite",
            _by_way_of_snr,
            "At ᾱ = 1 you get ∞/∞ = NaN, expected 1. Multiply numerator and denominator by 1 − ᾱ.",
        ),
        Fault(
            "ᾱ is divided by k², not the SNR",
            lambda alpha_bar, k: alpha_bar / k**2,
            _one_half("and your ᾱ_0 is not 1. Go from ᾱ to SNR, divide, and come back."),
        ),
        Fault(
            "the noise variance is multiplied by k²",
            lambda alpha_bar, k: 1 - k**2 * (1 - alpha_bar),
            _one_half("variances must still sum to 1. Go from ᾱ to SNR, divide, and come back."),
        ),
        Fault(
            "the SNR is returned, not ᾱ",
            lambda alpha_bar, k: alpha_bar / (1 - alpha_bar) / k**2,
            _one_half("the last step back from SNR to ᾱ is missing."),
        ),
    ),
)
