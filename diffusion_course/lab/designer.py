"""The schedule designer of lesson 3: draw the curve of log-SNR with three numbers, see what it destroys when.

log-SNR is the natural thing to draw: any falling curve of it is a schedule, ᾱ = 1 / (1 + exp(−log-SNR)).
"""

import textwrap
import warnings

import numpy as np

from ..forward import add_noise
from ..plots import BLACK, BLUE, Figure, as_rgb
from ..schedule import Schedule, TerminalSNRWarning

STILLS = 6  # pictures in a filmstrip


def design(start: float, end: float, bend: float, T: int = 100) -> np.ndarray:
    """ᾱ_0 … ᾱ_T whose log-SNR falls from `start` (t = 1) to `end` (t = T) like u^(2^bend), u from 0 to 1.

    bend = 0 is a straight line; above 0 it falls late, below 0 early.
    Raises ValueError unless start > end.

    >>> design(5, -5, 0, T=3).round(3)
    array([1.   , 0.993, 0.5  , 0.007])
    """
    if not start > end:
        raise ValueError(f"log-SNR must fall: start must lie above end, not {start} and {end}.")
    log_snr = start + (end - start) * np.linspace(0, 1, T) ** (2.0**bend)
    return np.concatenate([[1.0], 1 / (1 + np.exp(-log_snr))])


def verdict(alpha_bar) -> str:
    """What the package says of a schedule: the first t with ᾱ_t < 0.1, and its warning, if it has one."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", TerminalSNRWarning)
        Schedule(alpha_bar)
    low = np.asarray(alpha_bar) < 0.1
    first = f"ᾱ < 0.1 from t = {low.argmax()} of {len(low) - 1}" if low.any() else "ᾱ never falls below 0.1"
    return "\n".join([first, *(f"⚠ {warning.message}" for warning in caught)])


def filmstrips(designs: dict, picture, eps) -> Figure:
    """A row for each title → ᾱ_0 … ᾱ_T: log-SNR over t, the verdict, and `picture` + `eps` at six even times.

    The frame of the curve is the same in every row.
    """
    figure = Figure(9, 1.85 * len(designs))
    verdicts = {title: verdict(alpha_bar) for title, alpha_bar in designs.items()}
    rows = figure.subfigures(len(designs), 2, squeeze=False, width_ratios=(2, 6))
    for (left, right), (title, alpha_bar) in zip(rows, designs.items(), strict=True):
        _draw_log_snr(left.subplots(), np.asarray(alpha_bar))
        lines = f"{title}: {verdicts[title]}".split("\n")
        right.suptitle("\n".join(textwrap.fill(line, 110) for line in lines), fontsize=7.5)
        times = np.linspace(0, len(alpha_bar) - 1, STILLS).round().astype(int)
        for ax, t in zip(right.subplots(1, STILLS), times, strict=True):
            ax.imshow(as_rgb(add_noise(picture, alpha_bar[t], eps)), interpolation="nearest")
            ax.set_title(f"t = {t}", fontsize=7)
            ax.axis("off")
            ax.set_anchor("N")  # close under the verdict
    figure.alt = "log-SNR over t, and a picture dissolving. " + " ".join(
        f"{title}: {text}." for title, text in verdicts.items()
    )
    return figure


def _draw_log_snr(ax, alpha_bar) -> None:
    t = np.arange(1, len(alpha_bar))
    ax.plot(t, np.log(alpha_bar[1:]) - np.log1p(-alpha_bar[1:]), color=BLUE)
    ax.axhline(0, color=BLACK, linewidth=0.6)
    ax.set(ylim=(-15, 15), xlabel="t", ylabel="log-SNR")
    ax.tick_params(labelsize=7)
