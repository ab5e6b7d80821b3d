"""Is it a network, and was it trained here? Each question has a sentence for an answer.

The student's process may lie about what it is, not about what it answers. So it is asked what it is, and its answers
are held against what no training reaches; `walks` asks whether the samples come from it.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

import numpy as np

from ...check.homework import variant
from ...denoisers import IdealDenoiser
from ...forward import add_noise, x0_from_eps
from ...schedule import Schedule, linear
from ..grading import channel

LEAST = 100  # training steps: the notebook asks for as many; nothing can be drawn from a network of so few
SMALL = 1000  # weights: with fewer nobody has drawn the curve; the network of the notebook has 39,298. For the teacher
STILL = 1e-3  # weights that moved less than this share of their size are where they began
STRAYED = 0.3  # share of their way that may lead outside of the steps; a mean of them has 0, weights from elsewhere 0.8
STANDS = 1000  # weights that no step moved: frozen features are fewer, layers from elsewhere more. For the teacher
LEARNED = 3  # times nearer to the exact denoiser than with its first weights, at t = T/5. Measured: 37 and more at the
# pass line, of networks that begin as the exact denoiser of a Gaussian 5
MIXED = 4  # draws of weights mixed up; with them it is, but for a factor, so many times further off. Measured: 2.2
ELSEWHERE = 2  # and more of networks that answer with x_0, 7 and more of others, 1 of denoisers that one weight dresses
ROUGH = 0.05  # mean squared differences that no trained network has; at the pass line they are 0.015 and 0.003
GRAIN = 0.02  # share of the places at which a guess may jump
FLAT = 0.1  # a guess that follows less stands still; half of the places may, and of trained networks none does
# t/T → the mean squared difference from the exact denoiser of the curve, but for a constant. Measured: trained networks
# at least 1.9e-3, 3e-4 and 1.8e-4, told a half 2e-3, 4e-4 and 2.2e-4, after six times as much training 7e-4, 1.5e-4 and
# 7e-5; exact denoisers of shaken points 3e-4, 5e-5 and 4e-6, of others 2e-10 and less. What is nearer is told.
EXACT = {0.2: 6e-4, 0.4: 1e-4, 0.7: 1.5e-5}
SURELY = 0.1  # share of two of these that no training reaches: a perfect network of the data has 0.33, 0.20 and 0.02


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
    shares = [shares_of_exact(each) for each in far]
    if any(each[-1] < 1 for each in shares):
        student.remark("a network nearer to the best answers than training usually comes: long trained, or exact?")
    if any(each[1] < SURELY for each in shares):
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


def shares_of_exact(far: np.ndarray) -> list[float]:
    """Answers so far `from_best`, in units of `EXACT`, the nearest first; NaN is far."""
    return sorted(np.nan_to_num(far / list(EXACT.values()), nan=np.inf).tolist())


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
