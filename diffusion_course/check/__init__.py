"""The exercises of the lessons, each with the mistakes that people really make in it; `ATLAS` numbers them.

    check.add_noise(my_add_noise)

prints one line if right or not attempted, and raises `exercise.Mistake`, which names the mistake, if wrong.
The reference is the package's own function, so `show(forward.add_noise)` is the solution.
"""

from .atlas import ATLAS
from .curves import alpha_bar_of, betas_for, cosine_alpha_bar
from .estimating import best_line, names_from_v
from .forward_process import posterior, variance_after
from .guessing import best_guess
from .intuition import noise_step, x0_from_eps
from .lesson1 import add_noise
from .lesson3 import time_grid
from .lesson5 import ddpm_step, enough_steps, guided, hide_unsaid, renoise
from .lesson6 import ddim_sampler, ddim_step, spacing
from .measuring import measured, nearest_distance
from .lesson6_multistep import dpm_2m
from .noising import noise, random_step, training_times
from .pairs import training_pair
from .schedules import alpha_bar_from_log_snr, shifted_alpha_bar
from .lesson6_solvers import extended_guess, heun_step

__all__ = [
    "ATLAS",
    "add_noise",
    "alpha_bar_from_log_snr",
    "alpha_bar_of",
    "best_guess",
    "best_line",
    "betas_for",
    "cosine_alpha_bar",
    "ddim_step",
    "ddim_sampler",
    "ddpm_step",
    "decode",
    "dpm_2m",
    "ema_update",
    "embed_time",
    "enough_steps",
    "extended_guess",
    "guided",
    "heun_step",
    "hide",
    "hide_unsaid",
    "loss_floor",
    "leaderboard",
    "measured",
    "names_from_v",
    "nearest_distance",
    "noise",
    "noise_step",
    "posterior",
    "random_step",
    "shifted_alpha_bar",
    "simple_loss",
    "target_weight",
    "time_grid",
    "renoise",
    "spacing",
    "training_loop",
    "training_pair",
    "training_times",
    "variance_after",
    "x0_from_eps",
]


def leaderboard(attempt):
    """Score the learner's few-stroke sampler beside ours: `diffusion_course.check.ranking`."""
    from .ranking import leaderboard  # only here: it needs torch, which lessons 2 and 3 never load

    leaderboard(attempt)


def __getattr__(name: str):
    """The exercises of lesson 4, whose answers are in torch; the others never load it."""
    if name == "training_loop":
        from .lesson4_loop import training_loop

        return training_loop
    if name in ("decode", "ema_update", "embed_time", "hide", "loss_floor", "simple_loss", "target_weight"):
        from . import lesson4

        return getattr(lesson4, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
