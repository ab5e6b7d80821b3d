"""Checks of training: reading a network's answer, telling it the time, one step with its average (EMA)."""

import numpy as np

from .. import forward
from ..check.engine import Exercise, Fault

EPS_HAT, XT = np.array([1.0, -0.5, 0.7]), np.array([0.4, -1.2, 2.0])


def _decode(answer, output, xt, alpha_bar_t):
    """x̂_0 from what a network answers, `output` saying whether that is ε, x_0 or v."""
    if output == "x0":
        return answer
    return {"eps": forward.x0_from_eps, "v": forward.x0_from_v}[output](xt, alpha_bar_t, answer)


def _read_as(**taken):
    """A faulty decoder that takes one output for another."""
    return lambda answer, output, xt, alpha_bar_t: _decode(answer, taken.get(output, output), xt, alpha_bar_t)


def _decoded(attempt):
    """x_0 = 1, ε = ½ at ᾱ = ¼, decoded from each of its three names."""
    xt = forward.add_noise(1.0, 0.25, 0.5)
    names = {"eps": 0.5, "x0": 1.0, "v": forward.v_from_eps(xt, 0.25, 0.5)}
    found = ", ".join(f"{attempt(answer, name, xt, 0.25):.3g} from {name}" for name, answer in names.items())
    return f"A known noisy sample of x_0 = 1 is decoded to {found}; each must be 1."


decode = Exercise(
    "decode",
    _decode,
    probes=tuple((EPS_HAT, output, XT, 0.25) for output in ("eps", "x0", "v")),
    faults=(
        Fault("every output is taken for ε", _read_as(x0="eps", v="eps"), _decoded, atlas=13),
        Fault("every output is taken for x_0", _read_as(eps="x0", v="x0"), _decoded, atlas=13),
        Fault("every output is taken for v", _read_as(eps="v", x0="v"), _decoded, atlas=13),
        Fault("v is taken for ε", _read_as(v="eps"), _decoded, atlas=13),
        Fault("v is taken for x_0", _read_as(v="x0"), _decoded, atlas=13),
        Fault("ε is taken for v", _read_as(eps="v"), _decoded, atlas=13),
    ),
)


def _sines(values, frequencies):
    """Row i: sin and cos of values[i] times each frequency; `models.time_embedding`, of the log-SNR."""
    angle = np.multiply.outer(values, frequencies)
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)


def _masked_rows(values, frequencies):
    angle = np.multiply.outer(values, np.concatenate([frequencies, frequencies]))
    rows = np.arange(len(angle))[:, None] % 2 == 0
    return np.where(rows, np.sin(angle), np.cos(angle))


def _rows(hint: str):
    def symptom(attempt):
        found = np.asarray(attempt(np.array([1.0, 2.0]), np.array([0.5])))
        return f"For values 1, 2 and frequency ½ you return {np.round(found, 2).tolist()}: {hint}"

    return symptom


embed_time = Exercise(
    "embed_time",
    _sines,
    probes=(
        (np.array([-3.0, 0.0, 0.5, 4.0]), np.array([0.05, 0.3, 1.5])),
        (np.array([7.0, 2.0]), np.array([1.0])),
    ),
    faults=(
        Fault(
            "sine in every second row, not in half of the columns",
            _masked_rows,
            _rows("each row must hold sin and cos, or neighbouring times get unlike codes."),
            atlas=14,
        ),
        Fault(
            "the raw value is fed",
            lambda values, frequencies: np.repeat(values[:, None], 2 * len(frequencies), axis=1),
            _rows("a t up to 1000 drowns x_t, whose numbers are about 1."),
            atlas=14,
        ),
        Fault(
            "the angles are fed, without sine and cosine",
            lambda values, frequencies: np.tile(np.multiply.outer(values, frequencies), 2),
            _rows("angles grow with the value; their sines and cosines stay in −1 … 1."),
            atlas=14,
        ),
        Fault(
            "cosines come first",
            lambda values, frequencies: np.roll(_sines(values, frequencies), len(frequencies), axis=1),
            "Any order can be learnt from; the one agreed on is all sines, then all cosines.",
        ),
        Fault(
            "sines and cosines alternate",
            lambda values, frequencies: (
                _sines(values, frequencies).reshape(len(values), 2, -1).swapaxes(1, 2).reshape(len(values), -1)
            ),
            "Any order can be learnt from; the one agreed on is all sines, then all cosines.",
        ),
        Fault(
            "cosines stand below the sines, not beside them",
            lambda values, frequencies: np.concatenate(np.split(_sines(values, frequencies), 2, axis=1)),
            "Each row is the code of one value: join along the last axis, so that n values give n rows.",
        ),
        Fault(
            "only sines",
            lambda values, frequencies: np.sin(np.multiply.outer(values, frequencies)),
            "sin alone takes the same value twice a swing; the cosine tells which of the two it is.",
        ),
    ),
)


def _trained(weights, average, gradient, lr, share):
    """One step of gradient descent, then the average moves by `share`: `training.average` after the step."""
    weights = weights - lr * gradient
    return weights, average + share * (weights - average)


def _by_hand(attempt):
    weights, average = attempt(1.0, 1.0, 10.0, 0.1, 0.5)
    return (
        "By hand: weight 1, average 1, gradient 10, lr 0.1, share ½ gives weight 0 and average ½; "
        f"you return {weights:g} and {average:g}."
    )


train_step = Exercise(
    "train_step",
    _trained,
    probes=((1.0, 1.0, 10.0, 0.1, 0.25), (EPS_HAT, XT, XT + 1, 0.3, 0.1), (2.0, 0.0, 1.0, 1.0, 1.0)),
    faults=(
        Fault(
            "the average is updated before the step",
            lambda w, average, gradient, lr, share: (w - lr * gradient, average + share * (w - average)),
            lambda attempt: f"{_by_hand(attempt)} The average must see the weights after the step.",
            atlas=16,
        ),
        Fault(
            "the average is never updated",
            lambda w, average, gradient, lr, share: (w - lr * gradient, average),
            lambda attempt: f"{_by_hand(attempt)} You would sample from the network as it was at the start.",
            atlas=16,
        ),
        Fault(
            "the weights are returned for the average",
            lambda w, average, gradient, lr, share: (w - lr * gradient, w - lr * gradient),
            lambda attempt: f"{_by_hand(attempt)} Nothing is averaged, so EMA is not used at sampling.",
            atlas=16,
        ),
        Fault(
            "the average is returned first",
            lambda *given: _trained(*given)[::-1],
            lambda attempt: f"{_by_hand(attempt)} Asked are the weights, then the average.",
        ),
        Fault(
            "the average does not shrink before the share is added",
            lambda w, average, gradient, lr, share: (w - lr * gradient, average + share * (w - lr * gradient)),
            lambda attempt: f"{_by_hand(attempt)} It keeps 1 − share of itself, or it grows for ever.",
        ),
        Fault(
            "share and 1 − share are exchanged",
            lambda w, average, gradient, lr, share: _trained(w, average, gradient, lr, 1 - share),
            "With a share of 0 the average must stay where it is. A decay of 0.999 is a share of 0.001.",
        ),
        Fault(
            "the step climbs",
            lambda w, average, gradient, lr, share: _trained(w, average, gradient, -lr, share),
            lambda attempt: f"{_by_hand(attempt)} The gradient points to greater loss.",
        ),
    ),
)
