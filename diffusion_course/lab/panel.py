"""How a drawing comes into a notebook, and what is seen of it where nothing can move.

Two kinds. `Live` lives in the browser alone: one output of HTML that holds a still and the script that replaces it.
It needs no kernel and no widget manager, so it is alive wherever scripts may run (JupyterLab, Notebook, Colab, VS Code,
an exported page, a saved notebook opened again) and a described picture everywhere else (GitHub, untrusted notebooks).

`Panel` asks Python, so it is a widget, and that dies with its kernel. Its still is an output of its own before the
widget; rules of CSS hide whichever of the two is not alive, and the message of a front end that finds no widget.
"""

import base64
import io
import json
import secrets
import sys
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets
import numpy as np
import traitlets
from IPython.display import display
from PIL import Image

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"
# In JupyterLab, Notebook 7 and exported pages, outputs of a cell are brothers. Elsewhere panel.js hides the still.
EITHER_OR = (
    ".jp-OutputArea-child:has(.dc-still[data-for]):has(+ .jp-OutputArea-child .dc-panel),"
    ".jp-OutputArea-child:has(.dc-still[data-for]) + .jp-OutputArea-child:not(:has(.dc-panel))"
    "{display: none}"
)


def _read(file: str) -> str:
    return (HERE / file).read_text(encoding="utf-8")


def script(*names: str) -> str:
    """The JavaScript of a drawing, `name.js`, after the helpers that all share: also right as a widget's `_esm`."""
    return "\n".join(_read(f"{name}.js") for name in ("kit", *names))


def style(*names: str) -> str:
    """The shared CSS and that of the drawings named; also right as a widget's `_css`."""
    return "\n".join(_read(f"{name}.css") for name in ("kit", *names))


def pack(values: Any, kind: str) -> dict:
    """An array for the browser, where `numbers(…)` reads it. `kind`: "u1", "i2", "i4", "f4" or "f8".

    Raises ValueError where whole numbers would not hold the values.

    >>> pack([1, 2], "u1")
    {'type': 'u1', 'shape': [2], 'data': 'AQI='}
    """
    values, dtype = np.asarray(values), np.dtype(kind).newbyteorder("<")
    if dtype.kind in "iu":
        values, bounds = np.rint(values), np.iinfo(dtype)
        if not (np.isfinite(values).all() and values.min() >= bounds.min and values.max() <= bounds.max):
            raise ValueError(f"{kind} holds {bounds.min} … {bounds.max}, not {values.min()} … {values.max()}.")
    data = base64.b64encode(np.ascontiguousarray(values, dtype=dtype).tobytes()).decode()
    return {"type": kind, "shape": list(values.shape), "data": data}


class Live:
    """A drawing that lives in the browser alone, to end a cell with.

    `name.js` defines `mount(stage, data)`: it draws into the element `stage` from `data` (what JSON can hold; arrays by
    `pack`). `name.css` is added if there is one, `uses` names other scripts that it needs. `still` stands in where no
    script may run: a `plots.Figure`, or HTML with its text alternative in `alt`.
    """

    def __init__(self, name: str, data: dict, still, alt: str = "", uses: tuple = ()):
        self.name, self.data, self.still, self.uses = name, data, still, uses
        self.alt = alt or getattr(still, "alt", "")

    def html(self) -> str:
        """The whole output, right in any HTML page."""
        key = secrets.token_hex(6)
        css = style(*(name for name in (*self.uses, self.name) if (HERE / f"{name}.css").exists()))
        data = json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).replace("</", r"<\/")
        roots = f"document.querySelectorAll('[data-live=\"{key}\"]:not([data-alive])')"
        return (
            f'<div class="diffusion-course" data-live="{key}"><div class="dc-still">{_still(self.still)}</div></div>'
            f"<style>{css}</style><script>(() => {{\n{script(*self.uses, self.name)}\n"
            f"for (const root of {roots}) enliven(root, {data}, mount);\n}})();</script>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html(), "text/plain": self.alt}


class Alive(anywidget.AnyWidget):
    """Shows nothing; at work in every `Panel`: it hides the still, and says when the kernel is gone."""

    _esm = script("panel")
    _css = style()
    key = traitlets.Unicode().tag(sync=True)
    asks = traitlets.Any().tag(sync=True, **ipywidgets.widget_serialization)


class Panel(ipywidgets.VBox):
    """A widget that asks Python, to end a cell with.

    `still` is shown where there are no widgets, and after the kernel has gone: a `plots.Figure`, or HTML with its text
    alternative in `alt`.
    """

    def __init__(self, widget: ipywidgets.DOMWidget, still, alt: str = ""):
        self.alive = Alive(key=secrets.token_hex(6), asks=widget)
        super().__init__([widget, self.alive])
        self.add_class("diffusion-course")
        self.add_class("dc-panel")
        self.still, self.alt = still, alt or getattr(still, "alt", "")

    def _ipython_display_(self, **_):  # ipywidgets 7 and 8 both show themselves through this, if it is there
        view = {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}
        still = f'<div class="dc-still" data-for="{self.alive.key}">{_still(self.still)}</div>'
        if "google.colab" in sys.modules:  # shows outputs of a cell below each other, whatever their classes
            display({"text/plain": self.alt, "text/html": still, **view}, raw=True)
        else:
            display({"text/plain": self.alt, "text/html": f"{still}<style>{EITHER_OR}</style>"}, raw=True)
            display(view, raw=True)


def small_png(figure: Any) -> str:
    """A `plots.Figure` as a PNG of at most 256 colours, a third of its full size, in base 64."""
    picture = Image.open(io.BytesIO(figure.png())).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    picture.save(file := io.BytesIO(), format="PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _still(still) -> str:
    return still if isinstance(still, str) else still.html(small_png(still))
