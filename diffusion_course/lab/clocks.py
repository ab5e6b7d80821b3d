"""What lesson 3 shows of schedules: one error on two clocks, and samples of flat greys as strips."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..base.arrays import to_float64
from ..base.figure import COLOURS, WIDTH, Figure, styled
from ..plots import sheet
from ..schedule import Schedule

EDGES = (0.05, 0.95)  # shares of the highest error between which a denoiser decides
NOISIEST = -11  # log-SNR up to which the right panel reaches
LOOKS = (("-", "o"), ("--", "s"), ("-.", "^"), (":", "D"))  # as in plots.lines


@styled
def two_clocks(times: Sequence[int], errors: Mapping[str, Any], schedules: Mapping[str, Schedule]) -> Figure:
    """Errors at `times`, name → values, over t (left) and over the log-SNR that the schedule of that name has then.

    Grey is where the error lies between 5 and 95 % of the highest; at the right, rows of ticks show the `times`.
    """
    times, names = np.asarray(times), list(errors)
    figure = Figure(WIDTH, 4.0)
    panels = figure.subplot_mosaic([["steps", "clock"], [".", "ticks"]], height_ratios=[5, 0.4 * len(names)])
    steps, clock, ticks = (panels[name] for name in ("steps", "clock", "ticks"))
    high = max(to_float64(error).max() for error in errors.values())
    for i, name in enumerate(names):
        (line, dot), colour = LOOKS[i % len(LOOKS)], COLOURS[i % len(COLOURS)]
        place = schedules[name].log_snr[times]
        steps.plot(times, errors[name], line, color=colour, label=name)
        clock.plot(place, errors[name], dot, color=colour, markersize=5, fillstyle="none")
        ticks.plot(place, np.full(len(place), i), "|", color=colour, markersize=9)
    for share, text in zip(EDGES, ("5 %: settled ↓", "95 %: blind ↑"), strict=True):
        steps.axhline(share * high, color="0.4", linestyle=(0, (1, 2)))
        steps.text(10, share * high, text, color="0.3", va="bottom")
    band = np.interp([share * high for share in EDGES], errors[names[0]], schedules[names[0]].log_snr[times])
    for ax in (clock, ticks):
        ax.axvspan(*band, color="0.9", zorder=0)
        ax.set_xlim(5, NOISIEST)
    clock.text(band.mean(), 1.03 * high, "deciding", ha="center", va="bottom")
    steps.text(10, 0.5 * high, "between: deciding", color="0.3")
    for ax in (steps, clock):
        ax.set_ylim(-0.04 * high, 1.12 * high)
        ax.grid(alpha=0.3)
        ax.set_ylabel("root mean square error")
    steps.set_xlabel("step t")
    clock.text(NOISIEST + 0.3, 0.02 * high, f"a mark every\n{times[1] - times[0]} steps", ha="right", color="0.3")
    steps.xaxis.set_in_layout(False)  # else it would push the ticks away from the marks above them
    clock.tick_params(labelbottom=False)
    ticks.set_yticks(range(len(names)), names)
    ticks.yaxis.tick_right()
    ticks.set(xlabel="log-SNR: clean at the left, noise at the right", ylim=(len(names) - 0.4, -0.6))
    steps.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, 0.88))
    figure.alt = f"Error of the best guess over t and over log-SNR, where all of {', '.join(names)} lie on one curve. "
    figure.alt += f"It is between 5 and 95 % of the highest from log-SNR {band[0]:.1f} to {band[1]:.1f}."
    return figure


def strips(rows: Mapping[str, Any], title: str = "") -> Figure:
    """Pictures (n, c, h, w) of each row side by side in one strip, in a frame; every second column of pixels.

    Above them is the scale of the first row, which runs evenly from −1 to 1.
    """
    joined = np.array([np.concatenate(list(x), axis=-1)[..., ::2] for x in rows.values()])
    figure = sheet(joined, title, columns=1, rows=list(rows))
    figure.axes[0].set_xticks(np.linspace(1, 1 + joined.shape[-1], 5), ["−1", "−½", "0", "½", "1"])
    figure.axes[0].set_xlabel("brightness (first row)")
    figure.axes[0].xaxis.set_label_position("top")
    figure.set_figheight(figure.get_figheight() + 0.5)  # for the scale and its label
    figure.axes[0].spines[:].set_visible(True)  # a frame, for the white
    return figure
