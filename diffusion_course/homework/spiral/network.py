"""Is it a network, was it trained here, and do the samples come from it? Each question has a sentence for an answer.

The student's process may lie about what it is, not about what it answers. So it is asked what it is, and its answers
are held against what no training reaches, and its samples against a walk that the grader takes with its network.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import product

import numpy as np

from ...check.homework import variant
from ...check.homework.walk import reverse_step, sample
from ...denoisers import IdealDenoiser
from ...forward import add_noise, x0_from_eps
from ...schedule import Schedule, linear
from ..grading import channel, judge

LEAST = 100  # training steps: the notebook asks for as many; nothing can be drawn from a network of so few
SMALL = 1000  # weights: with fewer nobody has drawn the curve; the network of the notebook has 39,298. For the teacher
STILL = 1e-3  # weights that moved less than this share of their size are where they began
STRAYED = 0.3  # share of their way that may lead outside of the steps; a mean of them has 0, weights from elsewhere 0.8
STANDS = 1000  # weights that no step moved: frozen features are fewer, layers from elsewhere more. For the teacher
LEARNED = 3  # times nearer to the exact denoiser than with its first weights, at t = T/5. Measured: 37 and more at the
# pass line, of networks that begin as the exact denoiser of a Gaussian 5
MIXED = 4  # draws of weights mixed up; with them it is, but for a factor, so many times further off. Measured: 2.2
ELSEWHERE = 2  # and more of networks that answer with x_0, 7 and more of others, 1 of denoisers that one weight dresses
WAY, LOOKS, MOST_OF = (0.2, 0.7), 20, 0.8  # where on a walk, t/T, answers are looked at, how often, share of points
ROUGH = 0.05  # mean squared differences that no trained network has; at the pass line they are 0.015 and 0.003
GRAIN = 0.02  # share of the places at which a guess may jump
FLAT = 0.1  # a guess that follows less stands still; half of the places may, and of trained networks none does
# t/T → the mean squared difference from the exact denoiser of the curve, but for a constant. Measured: trained networks
# at least 1.9e-3, 3e-4 and 1.8e-4, told a half 2e-3, 4e-4 and 2.2e-4, after six times as much training 7e-4, 1.5e-4 and
# 7e-5; exact denoisers of shaken points 3e-4, 5e-5 and 4e-6, of others 2e-10 and less.
EXACT = {0.2: 6e-4, 0.4: 1e-4, 0.7: 1.5e-5}
SURELY = 0.1  # share of these that no training comes near: then two of the three are enough
APART = 0.005  # radii. Two walks in float32 and float64 differ by 0.0001 at most, in 1000 steps
ASTRAY = 0.03  # share of the points that may lie further apart
ROWS = 100, 160  # so many of the samples are walked again: a number between these, another for each class


def untrained(student, told: Iterable[int] = ()) -> str | None:
    """Why their `model` is no network that was trained in this run, if it is none.

    `told`: the conditions, each a half of the curve, with which it is asked too.
    """
    about = student.training()
    if not about["weights"]:
        return "`model` has no weights that an optimiser could find, so it is no network."
    if about["weights"] < SMALL:
        student.remark(f"a network of {about['weights']} weights")
    if about["still"] > STANDS:
        student.remark(f"{about['still']} weights of the network that no training step moved: from elsewhere?")
    if about["steps"] < LEAST:
        took = f"the optimisers of torch took {about['steps']} steps with them, and {LEAST} is the least"
        return f"the weights of `model` were not trained in this run: {took}."
    if not about["moved"] > STILL:
        return "the weights of `model` are those that it began with."
    if not about["strayed"] < STRAYED:
        return "the weights of `model` are not where its training in this run went."
    at = student.spiral.at
    asked = [(student.denoise, at)]
    asked += [(partial(answer, student, cond=half), lambda share, half=half: at((half + share) / 2)) for half in told]
    if any(by_heart(student, *each) for each in asked):
        return "`model` returns single points that it knows by heart, so its samples are copies."
    far = [from_best(student, *each) for each in asked]
    if any(map(exact, far)):
        return "`model` answers as the exact denoiser of your spiral does. Train the network that is asked for."
    if not (far[0][:2] < ROUGH).all():
        return "`model` answers further from the best answers than a network does that was trained as asked."
    if not learned(student, far[0]):
        why = "`model` answers nearly as well with the weights that it began with, or with its own mixed up, "
        return why + "so its training did not teach it."
    return None


def begun(student) -> None:
    """Raises NotAttempted where nothing was trained."""
    with suppress(channel.Refused, channel.Failed, channel.TooSlow):
        student.value("training_losses")


def doubted(student, why: str) -> tuple[float, str]:
    """No points for good results that are not the network's, and a word to the teacher."""
    student.remark(f"no points: “{why}”")
    return 0.0, why


def look_at(student, what: str, cloud) -> None:
    """Tell the teacher of samples that lie nearer to the curve than training comes, as data do."""
    if np.shape(cloud) == (variant.COUNT, 2) and np.isfinite(cloud).all():
        near = student.spiral.distance(cloud).mean()
        if near < variant.NEAREST:
            student.remark(f"{what} only {near:.4f} radii from the curve: data, or an exact denoiser?")


def answer(student, xt, t: int, cond) -> np.ndarray:
    """ε̂ of their `model` when it is told a condition, or one for each row."""
    rows = np.full(len(xt), t), np.broadcast_to(cond, len(xt))
    eps_hat = np.asarray(student.call("model", xt, *rows), dtype=np.float64)
    if eps_hat.shape != xt.shape:
        raise channel.Refused(f"`model` must return the shape of x_t, {xt.shape}, not {eps_hat.shape}.")
    return eps_hat


def levels_of(student) -> Schedule:
    """The schedule that the notebook asks for."""
    return linear(student.T, 0.1 / student.T, 12 / student.T)


def best_of(student, at: Callable) -> IdealDenoiser:
    """The best possible answers for data `at` all shares of a curve."""
    return IdealDenoiser(at((np.arange(4096) + 0.5) / 4096), levels_of(student))


class Watched:
    """Their `model` for a walk of the grader's, whose answers on the way are held against the best ones (`strange`).

    One that remembers where a walk began, and leads it to a place of its own, answers otherwise there than it does when
    it is asked by itself. Measured: trained networks 0.001 to 0.004, such a one 0.3.
    """

    def __init__(self, student):
        self.student, self.far, self.next = student, [], WAY[1] * student.T
        self.best = best_of(student, student.spiral.at)

    def __call__(self, xt, t) -> np.ndarray:
        told, t = self.student.denoise(xt, t), int(np.asarray(t).max())
        if WAY[0] * self.student.T <= t <= self.next:
            self.next = t - (WAY[1] - WAY[0]) * self.student.T / LOOKS
            off = told - self.best(np.asarray(xt, dtype=np.float64), t)
            apart = np.square(off - np.median(off, axis=0)).mean(axis=1)
            self.far.append(np.quantile(apart, MOST_OF))  # a few may have strayed to where nobody has trained
        return told

    @property
    def strange(self) -> str | None:
        """What is wrong with the answers on the way, if anything."""
        near = not self.far or np.mean(self.far) < ROUGH  # NaN is not
        return None if near else "`model` answers otherwise on a walk than when it is asked by itself."


def exact(far: np.ndarray) -> bool:
    """Do answers so far `from_best` come nearer than a trained network's, at all levels, or much nearer at two?"""
    found = sorted(np.nan_to_num(far / list(EXACT.values()), nan=np.inf))
    return bool(found[-1] < 1 or found[1] < SURELY)


def learned(student, far: np.ndarray) -> bool:
    """Are answers so far `from_best` much nearer than with the weights that it began with, and, but for a factor, than
    with half of its weights in the places of others?

    One weight that dresses a denoiser is in its place in half of the draws, and else changes no more than a factor.
    """

    def off(seed: int, scaled: bool) -> float:
        return from_best(student, partial(student.denoise, other=seed), student.spiral.at, [0.2], scaled)[0]

    seeds = student.draw("mixed").integers(1, 2**31, MIXED).tolist()
    return not (off(0, False) < LEARNED * far[0] or any(off(seed, True) < ELSEWHERE * far[0] for seed in seeds))


def from_best(student, denoise, at: Callable, shares=EXACT, scaled: bool = False) -> np.ndarray:
    """The mean squared differences from the best possible answers, at the levels of `EXACT`.

    For data `at` all shares of a curve. What is the same for all points does not count; `scaled`: nor a factor.
    """
    rng, best, found = student.draw("exact"), best_of(student, at), []
    for share in shares:
        t = round(share * student.T * rng.uniform(0.97, 1.03))
        x0 = at(rng.random(variant.COUNT))
        xt = add_noise(x0, best.schedule.at(t), rng.standard_normal(x0.shape))
        right, told = (each - each.mean(axis=0) for each in (best(xt, t), denoise(xt, t)))
        with np.errstate(invalid="ignore"):  # of a network that says 0
            factor = (told * right).sum() / (told**2).sum() if scaled else 1
        found.append(np.square(factor * told - right).mean())
    return np.array(found)


def by_heart(student, denoise, at: Callable) -> bool:
    """Does their network pull points that are hardly noised to single points that it knows, be they shaken?

    Data lie densely along the curve, so the guess x̂_0 must follow x_t along it: the derivative is 1. Between known
    points it falls to 0 and jumps. Measured: trained networks stay at 1 everywhere, exact denoisers of 2048 points or
    fewer leave it at 5 to 85 % of the places; more points are `exact`. A table of points is flat with any noise.
    """
    rng = student.draw("by heart")
    derivative = partial(_along, rng, levels_of(student), denoise, at)
    grain = [np.mean(~(np.abs(derivative(t, 0.01) - 1) < 0.5)) for t in (1, rng.integers(2, max(student.T // 125, 3)))]
    flat = [np.mean(np.abs(derivative(student.T * share, 0.001)) < FLAT) for share in (0.02, rng.uniform(0.03, 0.2))]
    return bool(max(grain) > GRAIN or max(flat) > 0.5)


def _along(rng, levels: Schedule, denoise, at: Callable, t: float, way: float) -> np.ndarray:
    """By how much x̂_0 follows x_t along the curve, at 512 places, over this way (in units of the data)."""
    t, places = max(round(t), 1), rng.uniform(0.02, 0.98, variant.COUNT)
    power, along = levels.at(t), at(places + 1e-4) - at(places - 1e-4)
    along *= way / np.hypot(*along.T)[:, None]
    xt = add_noise(at(places), power, rng.standard_normal(along.shape))
    ahead, back = (x0_from_eps(x, power, denoise(x, t)) for x in (xt + along, xt - along))
    return power**0.5 * ((ahead - back) * along).sum(1) / (2 * (along**2).sum(1))


def astray(student, given: tuple, few: Callable[[], tuple]) -> str | None:
    """Why the points that their `sample` returned are not those of a walk with their network and the noise that was
    given, if they are not.

    `given` is (x_T, times, noise, their points), and `few()` the same in 10 steps: there it shows quickly whether it
    is a walk with a known mistake. That is a walk still, and the mistake has cost its points elsewhere. The student's
    own step takes no part: it sees how many rows it is given, and could place points. Of one that is wrong in a way of
    its own, `repair` puts a right one in the place.
    """
    watched = Watched(student)
    if _same(student, watched, sample.reference, *given):
        return watched.strange
    shorter = few()
    found = next((walk for walk in _mistaken(student) if _same(student, student.denoise, walk, *shorter)), None)
    if found is not None and _same(student, student.denoise, found, *given):
        return None
    return "`sample` returns other points than a walk with your `model` and the noise that it was given."


def _mistaken(student) -> Iterator[Callable]:
    """Walks with a known mistake in the loop, in the step, or in both, if the student's step has it."""
    exam = judge.exam("reverse_step", reverse_step.draw, student.secret, *student.again)
    mistake = judge.examine(exam, partial(student.call, "reverse_step"))
    theirs = [fault.mutant for fault in reverse_step.faults if mistake and fault.name == mistake.fault]
    loops, steps = [fault.mutant for fault in sample.faults], [reverse_step.reference, *theirs]
    return (partial(loop, step=step) for loop, step in product([sample.reference, *loops], steps))


def _same(student, model, walk, xT, times, noise, points) -> bool:
    """Does this walk of some rows with `model`, theirs, end where theirs did?"""
    rng = student.draw("rows", len(times))
    rows = rng.choice(len(xT), rng.integers(*ROWS), replace=False)
    try:
        levels = np.asarray(student.value("alpha_bar"), dtype=np.float64).ravel()
        with np.errstate(all="ignore"):
            mine = walk(model, levels, xT[rows].astype(np.float64), times, noise[:, rows].astype(np.float64))
            if np.shape(mine) != np.shape(points[rows]):
                return False
            apart = np.abs(np.asarray(mine, dtype=np.float64) - points[rows]).max(axis=1) / variant.RADIUS
    except channel.TooSlow:  # a walk that was not seen earns nothing, and is told apart from another one
        raise
    except (channel.NoAnswer, ValueError, TypeError, IndexError, RuntimeError):
        return False
    return bool(np.mean(~(apart <= APART)) <= ASTRAY)  # NaN is not near
