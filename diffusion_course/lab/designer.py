"""The schedule designer of lesson 3: bend the curve of log-SNR and see what it destroys when.

log-SNR is the natural thing to draw: any falling curve of it is a schedule, ᾱ = 1 / (1 + exp(−log-SNR)).
"""

import anywidget
import numpy as np
import traitlets

from .. import data
from ..base.figure import BLACK, BLUE, Figure, as_rgb, styled
from ..forward import add_noise
from ..schedule import Schedule, cosine, linear, sigmoid, zero_terminal_snr
from .panel import Live, Panel, pack, script, style

T = 1000  # steps of a drawn schedule
USES = ("knob", "curves")
STILLS = (0, 143, 286, 429, 571, 714, 857, 1000)  # the times in a row of the still, those of the drawing
PRESETS: dict = {
    "linear": linear,
    "cosine": cosine,
    "sigmoid": sigmoid,
    "zero terminal SNR": lambda: zero_terminal_snr(linear()),
}
RENDER = """
export default { render({ model, el }) {
  el.classList.add("diffusion-course");
  const report = (alphaBar) => {
    model.set("curve", alphaBar);
    model.save_changes();
  };
  enliven(el, { ...model.get("data"), report }, mount);
} };
"""


class Drawn(anywidget.AnyWidget):
    """The designer where a kernel runs: `curve` is the ᾱ_0 … ᾱ_T that the browser draws."""

    _esm = script(*USES, "designer") + RENDER
    _css = style("knob", "designer")
    data = traitlets.Dict().tag(sync=True)
    curve = traitlets.List().tag(sync=True)


class designer(Panel):
    """A schedule to bend by hand, made to be the last line of a cell.

    The learner starts from a preset and drags seven handles; a smiley, a cat or a portrait dissolves at once. That
    needs no kernel. Where one runs, `alpha_bar` and `schedule()` are what has been drawn, `linear` to begin with.

    >>> mine = designer()
    >>> float(mine.alpha_bar[500].round(4))
    0.0786
    """

    def __init__(self) -> None:
        pictures = _pictures()
        packed = [{"name": name, "x0": pack((x0[0] + 1) * 127.5, "u1")} for name, x0 in pictures.items()]
        self.drawn = Drawn(data={"pictures": packed}, curve=linear(T).alpha_bar.tolist())
        # alive without a kernel, too
        live = Live("designer", {"pictures": packed}, _still(pictures["cat"]), uses=USES)
        super().__init__(self.drawn, live.html(), live.alt)
        self.alive.asks = None  # and so it says nothing when the kernel is gone

    @property
    def alpha_bar(self) -> np.ndarray:
        """ᾱ_0 … ᾱ_T as drawn, float64 (T+1,)."""
        return np.array(self.drawn.curve)

    def schedule(self) -> Schedule:
        """What was drawn as a `Schedule`; warns `TerminalSNRWarning` if it ends before the signal is gone."""
        return Schedule(self.alpha_bar)


def _pictures() -> dict[str, np.ndarray]:
    """Name → picture (1, c, h, w): drawn by code, a photograph, a portrait."""
    return {"smiley": data.smiley(28), "cat": data.cat(128), "face": data.faces("test").x0[:1]}


@styled
def _still(picture) -> Figure:
    """A row for each preset but the last, which differs from `linear` at the end only: log-SNR and the dissolving."""
    eps, shown = np.random.default_rng(0).standard_normal(picture.shape), list(PRESETS.items())[:-1]
    figure = Figure(9, 1.9 * len(shown))
    rows = figure.subplots(len(shown), len(STILLS) + 1, squeeze=False, width_ratios=[2] + len(STILLS) * [1])
    for (left, *frames), (name, make) in zip(rows, shown, strict=True):
        schedule = make()
        left.plot(np.arange(1, T + 1), schedule.log_snr[1:], color=BLUE)
        left.axhline(0, color=BLACK, linewidth=0.6)
        left.set(ylim=(-20, 12), ylabel="log-SNR", xticks=(0, 500, 1000))
        left.set_title(name)
        for ax, t in zip(frames, STILLS, strict=True):
            ax.imshow(as_rgb(add_noise(picture, schedule.at(t), eps)), interpolation="nearest")
            ax.set_title(f"t = {t}")
            ax.axis("off")
    left.set_xlabel("step t")
    figure.alt = "log-SNR over t and a picture dissolving, a row for each schedule: " + "; ".join(
        f"{name}, √ᾱ_T = {make().alpha_bar[-1] ** 0.5:.2g}" for name, make in shown
    )
    return figure
