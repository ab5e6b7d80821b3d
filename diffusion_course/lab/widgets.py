"""Sliders joined to pictures, nothing more: `dissolve` blends in the browser, `explore` redraws in Python.

Both return a `Panel` to end a cell with. Where no widget can be shown (GitHub, nbviewer, a notebook without
a kernel) the same output holds a picture and its description. Google Colab shows other people's widgets only
through its custom widget manager, which anywidget switches on as soon as the first panel is made.
"""

import html
import pathlib
import traceback

import anywidget
import ipywidgets
import numpy as np
import traitlets
from IPython.display import display

from diffusion_course import plots
from diffusion_course.forward import add_noise
from diffusion_course.schedule import Schedule

RUN = 9000  # milliseconds that Play takes from one end to the other
FRAME = 30  # milliseconds between two pictures at least
KEYS = 100  # arrow keys from one end to the other, about
STILLS = 6  # pictures in the strip that stands in where there are no widgets


def dissolve(x0: dict, eps: dict, schedule: Schedule) -> "Panel":
    """x_t = √ᾱ_t x_0 + √(1−ᾱ_t) ε under one slider over t, with play, pause and backwards.

    `x0`: name → picture in [−1, 1] of shape (c, h, w) or (1, c, h, w), c = 1 or 3; `eps`: the same names →
    noise of the same shapes, held fixed. The browser gets both once and blends by itself: the picture follows
    the hand while the kernel is busy, and in a saved HTML page where there is none.

    Raises ValueError if names or shapes differ, values are not finite, a picture leaves [−1, 1], or
    `schedule` is not a `Schedule`.

    >>> dot = {"dot": np.ones((1, 1, 1))}
    >>> panel = dissolve(dot, dot, Schedule([1, 0.25, 0]))
    >>> panel.controls["t"].value = 2
    """
    if not isinstance(schedule, Schedule):
        raise ValueError(
            f"schedule must be a Schedule, not {type(schedule).__name__}: "
            "Schedule(alpha_bar) checks an array and makes one of it."
        )
    if not x0 or list(x0) != list(eps):
        raise ValueError(f"x0 and eps need the same names, at least one: {[*x0]} and {[*eps]}.")
    pictures = [_packed(name, x0[name], eps[name]) for name in x0]

    T = schedule.T
    step = next(n for n in range(max(T // KEYS, 1), 0, -1) if T % n == 0)  # so it reaches T exactly
    slider = _labelled(ipywidgets.IntSlider(max=T, step=step), "t")
    interval = max(RUN * step // T, FRAME)
    play = ipywidgets.Play(max=T, step=step, interval=interval, show_repeat=False)
    back = ipywidgets.Checkbox(description="backwards", indent=False, layout={"width": "auto"})
    picture = Dissolve(
        pictures=pictures,
        alpha_bar=schedule.alpha_bar.tobytes(),
        slider=slider,
        play=play,
        back=back,
    )
    return Panel({"play": play, "t": slider, "back": back}, [picture], _strip(x0, eps, schedule))


def explore(draw, **controls) -> "Panel":
    """One control for each argument of the pure function `draw`, redrawn as they move.

    `draw` returns a `plots.Figure`. A control is a widget, or whatever `ipywidgets.interact` makes one of:
    `t=(0, 1000, 10)` and `q=(0.0, 1.0, 0.05)` (both start in the middle), `noisy=True`,
    `kind=["linear", "cosine"]`. A slow `draw` skips positions instead of falling behind: ipywidgets sends
    the next one, the newest, when the last is done.

    What the first drawing raises is the cell's own error; a later one is shown in place of the picture.
    Raises ValueError where no control can be made, or `draw` returns no `plots.Figure`.

    >>> panel = explore(lambda n: plots.lines([0, 1], {"n": [0, n]}, "x", "y"), n=(0, 3))
    >>> panel.controls["n"].value
    1
    """
    made = {name: ipywidgets.interactive.widget_from_abbrev(x) for name, x in controls.items()}
    for name, control in made.items():
        if not isinstance(control, ipywidgets.ValueWidget):
            raise ValueError(
                f"{name}={controls[name]!r} makes no control: give (low, high, step), True or False, "
                "a list of choices, or a widget."
            )
        _labelled(control, control.description or name)

    def drawn():
        figure = draw(**{name: control.value for name, control in made.items()})
        if not isinstance(figure, plots.Figure):
            raise ValueError(
                f"draw must return a plots.Figure, not {type(figure).__name__}. Is its `return` missing?"
            )
        return figure

    def redraw(_change):
        try:
            screen.value = drawn().html()
        except Exception as error:  # whatever a learner's function raises belongs on the page
            message = "".join(traceback.format_exception_only(type(error), error))
            screen.value = f"<pre role='alert'>{html.escape(message)}</pre>"

    still = drawn()
    screen = ipywidgets.HTML(still.html())
    for control in made.values():
        control.observe(redraw, names="value")
    return Panel(made, [screen, Mended()], still)


class Panel(ipywidgets.VBox):
    """Controls (name → widget) above a picture; `still` is a figure for where there are no widgets."""

    def __init__(self, controls: dict, picture: list, still: plots.Figure):
        wrap = {"flex_flow": "row wrap", "grid_gap": "4px 12px"}
        row = ipywidgets.HBox(list(controls.values()), layout=wrap)
        super().__init__([row, *picture])
        self.add_class("diffusion-course")
        self.controls, self.still = controls, still

    def _ipython_display_(self, **_):  # ipywidgets 7 and 8 both show themselves through this, if it is there
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        bundle = {"text/plain": self.still.alt, "text/html": self.still.html()}
        display({**bundle, "application/vnd.jupyter.widget-view+json": view}, raw=True)


class Mended(anywidget.AnyWidget):
    """Shows nothing; gives the controls of its panel accessible names, and their arrow keys back."""

    _esm = pathlib.Path(__file__).with_suffix(".js")
    _css = pathlib.Path(__file__).with_suffix(".css")


class Dissolve(Mended):
    """The pictures and the two curves. The browser looks up slider, Play and checkbox by itself.

    A front end that cannot look them up sends {"join": "kernel"}; from then on the kernel joins them, and
    `t` follows the slider.
    """

    pictures = traitlets.List().tag(sync=True)
    alpha_bar = traitlets.Bytes().tag(sync=True)
    t = traitlets.Int().tag(sync=True)
    slider = traitlets.Any().tag(sync=True, **ipywidgets.widget_serialization)
    play = traitlets.Any().tag(sync=True, **ipywidgets.widget_serialization)
    back = traitlets.Any().tag(sync=True, **ipywidgets.widget_serialization)

    def __init__(self, **traits):
        super().__init__(**traits)
        self.on_msg(self._join)

    def _join(self, _widget, message, _buffers):
        if message == {"join": "kernel"}:
            self.play.observe(self._play_moved, names="value")
            self.slider.observe(self._slider_moved, names="value")
            self.back.observe(self._slider_moved, names="value")
            self._slider_moved()

    def _play_moved(self, _change):
        self.slider.value = self._turned(self.play.value)

    def _slider_moved(self, _change=None):
        self.t = self.slider.value
        self.play.value = self._turned(self.t)

    def _turned(self, t):  # Play always counts up: backwards, its count is T − t
        return self.slider.max - t if self.back.value else t


def _labelled(control, label: str):
    control.description = label
    control.style.description_width = "initial"
    if hasattr(control, "orientation"):  # a slider: as long as the page allows
        control.layout.flex, control.layout.max_width = "1 1 300px", "600px"
    return control


def _packed(name: str, x0, eps) -> dict:
    """One picture for the browser: 3 bytes a value, exact to the grey level that a screen shows."""
    x0, eps = np.asarray(x0, dtype=np.float64), np.asarray(eps, dtype=np.float64)
    if x0.shape != eps.shape:
        raise ValueError(f"{name!r}: eps has shape {eps.shape}, x0 {x0.shape}; they must be equal.")
    c, h, w = x0.shape[-3:] if x0.ndim == 3 or x0.shape[:-3] == (1,) else (0, 0, 0)
    if c not in (1, 3) or h * w == 0:
        raise ValueError(f"{name!r}: a picture is (c, h, w) with c = 1 or 3, not {x0.shape}.")
    if not (np.isfinite(x0).all() and np.isfinite(eps).all()):
        raise ValueError(f"{name!r}: x0 and eps must be finite; there is a NaN or an infinity.")
    if np.abs(x0).max() > 1:
        raise ValueError(
            f"{name!r}: x0 lies in [{x0.min():g}, {x0.max():g}], allowed is [−1, 1]. "
            "Pictures in 0 … 255 become x / 127.5 − 1."
        )
    unit = max(np.abs(eps).max(), 1e-9) / 32767
    return {
        "name": name,
        "shape": [c, h, w],
        "x0": np.round((x0 + 1) * 127.5).astype(np.uint8).tobytes(),
        "eps": np.round(eps / unit).astype("<i2").tobytes(),
        "unit": float(unit),
    }


def _strip(x0: dict, eps: dict, schedule: Schedule) -> plots.Figure:
    times = np.linspace(0, schedule.T, STILLS).round().astype(int)
    pictures = {
        f"{name}\nt = {t}": add_noise(x0[name], schedule.alpha_bar[t], eps[name])
        for name in x0
        for t in times
    }
    return plots.images(pictures, columns=STILLS, height=1.2)
