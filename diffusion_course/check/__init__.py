"""The exercises of the lessons: whatever a learner hands in gets one clear paragraph, never a crash.

    add_noise = check.add_noise(add_noise)      # their function if it is right, ours if it is blank
    check.add_noise.hint()                      # one hint more each time
    check.add_noise.solution()                  # a solution, and why it is right

A wrong function raises `Mistake`, which says what is wrong. Each notebook has files of its own, loaded when they are
asked for: the first three lessons never load torch.
"""

from importlib import import_module

from .asked import Mistake

LESSONS = {
    "lesson1": "add_noise best_guess generate few_steps".split(),
    "lesson2": "variance_after smallest_T posterior names_from_v go_back".split(),
    "lesson3": "drowns_at better_schedule zero_terminal cosine_alpha_bar shifted_alpha_bar round_trip_error".split(),
    "lesson3_pair": ["training_pair"],
    "lesson4": "embed_time loss_floor learnt decode copied".split(),
    "lesson4_loop": ["training_loop"],
    "lesson5": "ddpm_step relay guided renoise inpaint enough_steps".split(),
    "lesson6": "ddim_step ddim_sampler extended_guess dpm_2m spacing".split(),
    "score": "score_from_eps langevin_step family_step crossing_level".split(),
    "likelihood": "log_p divergence haze_level".split(),
    "guidance": "guided_within guided_steps steer".split(),
    "steering": "slope_through variance_left pull".split(),
    "straight_paths": "straight_alpha_bar partners jump_sampler my_grid".split(),
    "small_spaces": "principal_axes unmask_step reveal_order".split(),
    "draw_a_cat": "attend long_enough hide_words".split(),
    "ranking": ["leaderboard"],
    "atlas": ["ATLAS"],
}
MODULE = {name: module for module, names in LESSONS.items() for name in names}
__all__ = ["Mistake", *MODULE]


def __getattr__(name: str):
    if name in MODULE:
        return getattr(import_module(f"{__name__}.{MODULE[name]}"), name)
    raise AttributeError(f"check has no exercise {name!r}; it has {', '.join(MODULE)}.")


def __dir__() -> list[str]:
    return __all__
