"""Checks of what surrounds a stroke: the times it goes from and to, and the wish that steers it."""

import numpy as np

from .. import data, guidance, schedule
from ..check.engine import Exercise, Fault


def _gaps(times):
    """Length, first, last, smallest and largest gap: any even spacing from T to 0 agrees in these."""
    times = np.asarray(times, dtype=np.float64)
    gaps = -np.diff(times)
    return len(times), times[0], times[-1], gaps.min(initial=np.inf), gaps.max(initial=-np.inf)


def _grid(hint: str):
    def symptom(attempt):
        count, first, last, *_ = _gaps(attempt(1000, 30))
        return (
            f"30 strokes over T = 1000: your {count} times go from {first:g} to {last:g}, expected are "
            f"31 from 1000 to 0: {hint}"
        )

    return symptom


def _second(attempt):
    return float(attempt(10, 4)[1])


time_grid = Exercise(
    "time_grid",
    lambda T, n: schedule.cosine(T).steps(n),
    probes=((10, 4), (1000, 25), (1000, 30), (1000, 7), (50, 50), (50, 49), (10, 1)),
    measure=_gaps,
    faults=(
        Fault(
            "the stride is rounded down, so 0 is missed",
            lambda T, n: T - T // n * np.arange(n + 1),
            _grid("the walk ends before the sample is clean."),
            atlas=6,
        ),
        Fault(
            "the stride is rounded up, so times turn negative",
            lambda T, n: T + -T // n * np.arange(n + 1),
            _grid("`alpha_bar[-20]` is no error in Python, it wraps round to the static end."),
            atlas=6,
        ),
        Fault(
            "a range with a fixed stride has too many times",
            lambda T, n: np.append(np.arange(T, 0, -(T // n)), 0),
            _grid("if n does not divide T, one more stroke than asked for slips in."),
            atlas=6,
        ),
        Fault(
            "a range with a fixed stride misses 0",
            lambda T, n: np.arange(T, -1, -(T // n)),
            _grid("where n does not divide T, it stops before 0, or has too many times."),
            atlas=6,
        ),
        Fault(
            "the last stroke takes all that is left",
            lambda T, n: np.append(T - T // n * np.arange(n), 0),
            lambda attempt: (
                f"For 30 strokes over T = 1000 your strokes are {_gaps(attempt(1000, 30))[3]:g} to "
                f"{_gaps(attempt(1000, 30))[4]:g} long: even means that they differ by 1 at most."
            ),
            atlas=6,
        ),
        Fault(
            "n times, where n + 1 are needed",
            lambda T, n: np.round(np.linspace(T, 0, n)),
            _grid("n strokes have n + 1 ends."),
        ),
        Fault(
            "the times are not whole numbers",
            lambda T, n: np.linspace(T, 0, n + 1),
            lambda attempt: (
                f"For T = 10, n = 4 your second time is {_second(attempt):g}; there is no ᾱ between two steps: round."
            ),
        ),
        Fault(
            "times go from T − 1",
            lambda T, n: np.round(np.linspace(T - 1, 0, n + 1)),
            _grid("the walk starts from static, and that is x_T."),
            atlas=5,
        ),
        Fault(
            "0 is not among the times",
            lambda T, n: schedule.cosine(T).steps(n)[:-1],
            _grid("n strokes have n + 1 ends."),
        ),
        Fault("times rise", lambda T, n: schedule.cosine(T).steps(n)[::-1], _grid("sampling walks from T to 0.")),
    ),
)


def _guided(eps_free, eps_asked, scale):
    """`guidance.guided` of a model whose two answers are known."""
    model = guidance.guided(lambda xt, t, cond=None: eps_free if cond is None else eps_asked, "a wish", scale)
    return model(None, None)


def _identities(attempt):
    zero, one = attempt(2.0, 5.0, 0.0), attempt(2.0, 5.0, 1.0)
    return (
        f"Without the wish ε̂ is 2, with it 5: scale 0 must give 2 and scale 1 must give 5; "
        f"you return {zero:g} and {one:g}."
    )


FREE, ASKED = np.array([0.0, 1.0, -0.5]), np.array([1.0, 0.4, -0.5])
guided = Exercise(
    "guided",
    _guided,
    probes=((FREE, ASKED, 0.0), (FREE, ASKED, 1.0), (FREE, ASKED, 3.0), (2.0, 5.0, 0.5)),
    faults=(
        Fault(
            "the scale counts from 1, as w of the paper does",
            lambda free, asked, scale: (1 + scale) * asked - scale * free,
            lambda attempt: f"{_identities(attempt)} The paper's w is scale − 1.",
            atlas=15,
        ),
        Fault(
            "the two answers are exchanged",
            lambda free, asked, scale: asked + scale * (free - asked),
            lambda attempt: f"{_identities(attempt)} Start without the wish and go towards it.",
            atlas=15,
        ),
        Fault(
            "the sign is wrong",
            lambda free, asked, scale: free - scale * (asked - free),
            lambda attempt: f"{_identities(attempt)} You walk away from the wish.",
            atlas=15,
        ),
        Fault(
            "the answer without the wish is left out",
            lambda free, asked, scale: scale * asked,
            lambda attempt: f"{_identities(attempt)} Scaling ε̂ itself scales the noise, not the wish.",
        ),
        Fault(
            "the wish itself is added, not what it changes",
            lambda free, asked, scale: free + scale * asked,
            lambda attempt: f"{_identities(attempt)} That counts the noise twice.",
        ),
        Fault(
            "only the difference is returned",
            lambda free, asked, scale: scale * (asked - free),
            lambda attempt: f"{_identities(attempt)} The difference has to start somewhere: at the answer without.",
        ),
        Fault(
            "the scale is not used",
            lambda free, asked, scale: asked,
            lambda attempt: f"{_identities(attempt)} This is the conditional model without guidance.",
            atlas=16,
        ),
        Fault(
            "the wish is not used",
            lambda free, asked, scale: free,
            lambda attempt: f"{_identities(attempt)} This is the model without any wish.",
            atlas=16,
        ),
    ),
)


COND, SAID = np.array([[1, 0, 3], [0, 1, 5]]), np.array([[True, False, True], [False, False, True]])


def _left(attempt):
    return (
        f"Of the six attributes in the example three are hidden; in your answer "
        f"{np.sum(np.asarray(attempt(COND, SAID)) == data.NOT_SAID)} are −1: without hiding in training "
        "the network never learns to answer without a wish, and guidance has nothing to start from."
    )


hide_unsaid = Exercise(
    "hide_unsaid",
    lambda cond, said: np.where(said, cond, data.NOT_SAID),
    probes=((COND, SAID), (COND, ~SAID), (COND, np.ones_like(SAID))),
    faults=(
        Fault("the mask is never applied", lambda cond, said: cond, _left, atlas=15),
        Fault(
            "the mask is turned round",
            lambda cond, said: np.where(said, data.NOT_SAID, cond),
            "Where `said` is True the attribute stays; you hide it there and keep the rest.",
            atlas=15,
        ),
        Fault(
            "0 stands for not said",
            lambda cond, said: np.where(said, cond, 0),
            "0 is already a value (no hat, black hair); not said is −1.",
        ),
    ),
)
