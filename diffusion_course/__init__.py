"""Diffusion models, from the first idea to fast samplers: one file a stage, in the order in which the data travel.

The route of the data is the plan of the package::

    data        schedule        forward             denoisers, models, unet   training            samplers, guidance
    x0 ───────► alpha_bar[t] ─► xt = √ᾱ x0        ► eps_hat = model(xt, t) ► mean (eps−eps_hat)² ► xT → … → x0
                                + √(1−ᾱ) eps

`predictor` is what a sampler asks of a model, `distill` makes few-step students; `metrics` measures the samples and
`plots` draws them. `scalar` is the whole route in plain Python numbers, the specification of the rest. The route stands
on `base` (what may be taken for granted: number formats, what is said of wrong arguments, files that ship, the words of
a prompt, how a figure is displayed) and on `machine` (how a training runs on the hardware at hand). Five folders use
it: `beyond` (what the optional notebooks add), `lab` (what a lesson shows and touches), `check` (exercises that name
your mistake), `run` (the command line, files of weights, the registry of experiments) and `homework`.

Time runs from t = 0 (clean) to t = T (pure noise), and ``alpha_bar[0] == 1``. Ten names can be had from here:

>>> import numpy as np
>>> from diffusion_course import Schedule, add_noise, ddpm
>>> Schedule(np.linspace(1, 0.01, 101)).T
100

They are loaded when they are first used, so that `import diffusion_course` is quick and loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .forward import add_noise as add_noise
    from .guidance import guided as guided
    from .models import SpiralMLP as SpiralMLP
    from .models import given as given
    from .samplers import ddim as ddim
    from .samplers import ddpm as ddpm
    from .samplers import dpm_solver as dpm_solver
    from .schedule import Schedule as Schedule
    from .training import train as train
    from .unet import UNet as UNet

__version__ = "0.1.0"

_PLACES = """schedule.Schedule forward.add_noise models.SpiralMLP models.given unet.UNet training.train samplers.ddpm
samplers.ddim samplers.dpm_solver guidance.guided""".split()
_HOME = {name: file for file, name in (place.split(".") for place in _PLACES)}  # name → the file that it stands in
__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
