"""The public checks of the homeworks: every student may run them as often as they like.

    from diffusion_course.check import homework as check

They ask for torch tensors, with all noise handed in. The hidden tests ask the same with other numbers (`questions`), so
whoever passes here has understood the part. The files are loaded when they are asked for: a spiral of one's own
(`variant`) needs no torch. The grader's sandbox holds no file with a solution: there the checks say that they rest.
"""

from contextlib import contextmanager
from importlib import import_module

from ..numbers import say
from . import variant

FILES = {
    "noising": "make_alpha_bar add_noise loss losses",
    "walk": "reverse_step time_grid sample",
    "nets": "network network_mistake",
    "solvers": "follow euler_step heun_step two_step order",
    "measuring": "errors my_grid",
    "steered": "told_loss guided mean_and_error measured",
}
MODULE = {name: file for file, names in FILES.items() for name in names.split()}
__all__ = [*MODULE, "samples", "unless_blank"]


def __getattr__(name: str):
    if name in MODULE:
        try:
            return getattr(import_module(f"{__name__}.{MODULE[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{MODULE[name]}":
                raise
            return lambda *_: say(f"○ {name}: the checks rest while a submission is graded.")
    raise AttributeError(f"the homework has no check {name!r}; it has {', '.join(__all__)}.")


# What the notebook's own cells define; any other name that is missing is a slip of the student's.
DEFINED = set(
    "T SEED STUDENT_ID spiral x0 make_alpha_bar alpha_bar log_snr time_code add_noise features Denoiser model loss "
    "train training_losses reverse_step time_grid sample samples "
    "mean std bell xT follow euler_step heun_step two_step solvers error errors order my_grid cond told_loss "
    "guided mean_and_error measure measured".split()
)


@contextmanager
def unless_blank(what: str):
    """Run the block; if it meets a blank (`raise NotImplementedError`) or what a blank should define, say so calmly."""
    try:
        yield
    except NotImplementedError:
        say(f"○ {what}: waits for a blank above.")
    except NameError as error:
        if isinstance(error, UnboundLocalError) or error.name not in DEFINED:
            raise
        say(f"○ {what}: waits for a cell above ({error}).")


def samples(clouds: dict, spiral: variant.Variant, T: int = 1000) -> None:
    """Judge the clouds {steps: points (512, 2)} as the grader will: a line for each, ✓ or ✗ and why."""
    for steps in (10, 50, T):
        if steps not in clouds:
            say(f"○ {steps} steps: there is no `samples[{steps}]` yet.")
            continue
        passed, says = variant.judge(spiral, clouds[steps], steps)
        say(f"{'✓' if passed else '✗'} {steps} steps: {says}")
