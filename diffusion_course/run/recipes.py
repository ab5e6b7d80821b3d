"""The experiments of the course: one entry each says all that makes one, and everything else reads it here.

The command line, the quality table, tests, benchmarks and lessons take data, networks, training recipes, sampler
defaults and judges from `EXPERIMENTS`. A new data set with a trained network is one more entry (and its loader);
importing this file loads no torch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import schedule
from ..base.files import ships
from ..base.refusals import one_of
from ..base.words import FACE_VALUES, face_codes
from ..beyond import emoji
from . import sets
from .sets import Samples

if TYPE_CHECKING:
    from ..models import Denoiser
    from .judges import Judge

FACE_ATTRIBUTES = tuple(len(values) for values in FACE_VALUES.values())
STUDENT = "-student"  # what the name of an experiment's few-step network ends in


@dataclass(frozen=True)
class Student:
    """How a few-step network is distilled: `training.train`'s arguments, and what the teacher shows it first."""

    trajectories: int  # of the teacher
    teacher_steps: int  # sampling steps in each
    training: Mapping[str, Any]
    guidance: float = 1.0  # of the teacher; the student then has it built in
    clip: float | None = None  # of the teacher's guesses
    ways: tuple[int, ...] = (4, 2, 1)  # numbers of sampling steps that it learns, of `distill.STEPS`
    rank: int | None = None  # of its differences from its teacher (`beyond.low_rank`); None: it learns all weights


@dataclass(frozen=True)
class Experiment:
    """A data set and the network that learns it, from the loader to the judge of the samples."""

    about: str  # one line for people
    shape: tuple[int, ...]  # of one sample
    load: Callable[[str, int], Samples]  # split ("train" or "test"), seed
    network: Callable[[Any], Denoiser]  # schedule → the network before training
    training: Mapping[str, Mapping[str, Any]]  # "cpu", and "gpu" where it differs: arguments of `training.train`
    weight: str | None = "v"  # of the loss, as `training.train` takes it
    schedule: Callable[[], Any] = schedule.cosine
    codes: Callable[[str], np.ndarray] | None = None  # a prompt → one row of `cond`
    prompt: str = ""  # that can be asked for, as an example
    judge: Callable[[], Judge] | None = None
    measured: int = 0  # samples a seed in the quality table; 0: the table leaves it out
    sampler: str = "ddim"  # of `choices.SAMPLERS`
    steps: int = 50
    guidance: float = 1.0  # with a prompt
    clip: float | None = None  # of the guesses on the way to a sample
    student: Student | None = None
    own: bool = False  # pictures of one's own, from a folder

    def recipe(self, device: str = "cpu") -> dict[str, Any]:
        """The training recipe for this kind of machine ("cpu", "cuda:0", …), as `training.train` takes it."""
        kind = "cpu" if str(device).startswith("cpu") else "gpu"
        return {**self.training.get(kind, self.training["cpu"]), "weight": self.weight}


def experiment(name: str) -> Experiment:
    """The entry of that name; a student's ("faces-student") is its teacher's."""
    return EXPERIMENTS[one_of(name, [*EXPERIMENTS, *students()], "experiment").removesuffix(STUDENT)]


def students() -> list[str]:
    """The names of the few-step networks: "spiral-student", …"""
    return [name + STUDENT for name, entry in EXPERIMENTS.items() if entry.student]


def shipping() -> list[str]:
    """The names of all networks whose weights ship, students too."""
    return [name for name in [*EXPERIMENTS, *students()] if ships(f"{name}.safetensors")]


def own(folder: str | Path, size: int, stream: bool = False) -> Experiment:
    """The experiment on your own folder of pictures, cut to squares of `size` pixels; with `stream`, read as needed."""
    entry = EXPERIMENTS["folder"]
    return dataclasses.replace(entry, shape=(3, size, size), load=partial(sets.folder, folder, size, stream=stream))


# ---- networks -------------------------------------------------------------------------------------


def _points(schedule: Any) -> Denoiser:
    from ..models import SpiralMLP

    return SpiralMLP(schedule)


def _unet(channels: int, attributes: tuple[int, ...], widths: tuple[int, int], schedule: Any) -> Denoiser:
    from ..unet import UNet

    return UNet(schedule, channels, attributes, widths=widths)


def _dit(schedule: Any) -> Denoiser:
    from ..beyond.dit import DiT

    return DiT(schedule, 3, FACE_ATTRIBUTES)


def _text_unet(widths: tuple[int, int], text: int, schedule: Any) -> Denoiser:
    from ..beyond.text import TextUNet

    return TextUNet(schedule, len(emoji.vocabulary()), widths=widths, text=text)


def _judge(kind: str, *arguments: str) -> Judge:
    from . import judges

    return getattr(judges, kind)(*arguments)


FACES = Experiment(
    about="pixel-art portraits, 16 × 16, with seven attributes in words",
    shape=(3, 16, 16),
    load=sets.faces,
    network=partial(_unet, 3, FACE_ATTRIBUTES, (80, 160)),
    training={
        "cpu": {"steps": 36_000, "batch": 32, "lr": 2e-3},
        "gpu": {"steps": 9_000, "batch": 256, "lr": 3e-3},
    },
    codes=face_codes,
    prompt="hat, blue hair",
    judge=partial(_judge, "PictureJudge", "faces"),
    measured=200,
    guidance=2.0,
    student=Student(12_000, 20, {"steps": 9_000, "batch": 32, "lr": 1e-3}),
)

FACES_SMALL = dataclasses.replace(
    FACES,
    about="the same with a sixth of the weights, to compare with faces-dit",
    network=partial(_unet, 3, FACE_ATTRIBUTES, (32, 64)),
    training={"cpu": {"steps": 5_000, "batch": 32, "lr": 2e-3}},
    judge=None,
    measured=0,
    student=None,
)

EMOJI = Experiment(
    about="small pictures, 32 × 32, of what words say, common things above all",
    shape=(3, 32, 32),
    load=partial(sets.emoji, common=True),
    network=partial(_text_unet, (64, 192), 192),
    training={
        "cpu": {"steps": 30_000, "batch": 32, "lr": 1e-3},
        "gpu": {"steps": 10_000, "batch": 256, "lr": 1.2e-3},
    },
    codes=lambda prompt: emoji.vocabulary().ids(prompt),
    prompt="blue cat",
    sampler="dpm",
    steps=20,
    guidance=3.0,
    clip=1.0,
    student=Student(4_000, 20, {"steps": 5_500, "batch": 32, "lr": 6e-3}, 3.0, clip=1.0, ways=(4,), rank=8),
)

EXPERIMENTS = {
    "spiral": Experiment(
        about="points on a spiral, from pure noise in two dimensions",
        shape=(2,),
        load=sets.spiral,
        network=_points,
        training={
            "cpu": {"steps": 10_000, "batch": 128, "lr": 4e-3},
            "gpu": {"steps": 4_000, "batch": 512, "lr": 6e-3},
        },
        weight=None,
        judge=partial(_judge, "SpiralJudge"),
        measured=2000,
        student=Student(20_000, 40, {"steps": 15_000, "batch": 256, "lr": 2e-3}),
    ),
    "faces": FACES,
    "faces-small": FACES_SMALL,
    "faces-dit": dataclasses.replace(
        FACES_SMALL,
        about="the same by a transformer, with as many weights as faces-small and as many training steps",
        network=_dit,
    ),
    "fashion": Experiment(
        about="clothes in grey, 28 × 28, of ten classes",
        shape=(1, 28, 28),
        load=sets.fashion,
        network=partial(_unet, 1, (10,), (64, 128)),
        training={
            "cpu": {"steps": 8_000, "batch": 32, "lr": 2e-3},
            "gpu": {"steps": 6_000, "batch": 256, "lr": 3e-3},
        },
        codes=sets.fashion_codes,
        prompt="trouser",
        judge=partial(_judge, "PictureJudge", "fashion"),
        measured=100,
        guidance=1.5,
    ),
    "emoji": EMOJI,
    "emoji-large": dataclasses.replace(
        EMOJI,
        about="the same with 12 million weights, for a GPU; it sees all things alike",
        load=sets.emoji,
        network=partial(_text_unet, (128, 320), 256),
        training={
            "cpu": {"steps": 90_000, "batch": 32, "lr": 1e-3},
            "gpu": {"steps": 10_000, "batch": 256, "lr": 1.2e-3},
        },
        student=None,
    ),
    "folder": Experiment(
        about="your own pictures, from a folder (--folder, --size)",
        shape=(3, 32, 32),
        load=partial(sets.folder, ".", 32),
        network=partial(_unet, 3, (), (80, 160)),
        training={
            "cpu": {"steps": 20_000, "batch": 32, "lr": 2e-3},
            "gpu": {"steps": 20_000, "batch": 128, "lr": 2e-3},
        },
        own=True,
    ),
}
