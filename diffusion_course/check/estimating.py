"""Exercises of lesson 2 on estimates: x_0 and ε from v, and the best straight line."""

import numpy as np

from ..check.engine import Exercise, Fault


def _rotated(of_xt, of_v):
    """A faulty (x_0, ε): each a function of (cos φ, sin φ, x_t, v)."""

    def mutant(xt, alpha_bar_t, v):
        cos, sin = alpha_bar_t**0.5, (1 - alpha_bar_t) ** 0.5
        return of_xt(cos, sin, xt, v), of_v(cos, sin, xt, v)

    return mutant


def _x0(cos, sin, xt, v):
    return cos * xt - sin * v


def _eps(cos, sin, xt, v):
    return sin * xt + cos * v


def _by_hand(attempt):
    x0, eps = attempt(2.2, 0.36, 0.4)
    return f"For x_t = 2.2, ᾱ = 0.36, v = 0.4 you say x_0 = {x0:.4g}, ε = {eps:.4g}, expected 1 and 2."


names_from_v = Exercise(
    "names_from_v",
    _rotated(_x0, _eps),
    probes=((2.2, 0.36, 0.4), (-1.0, 0.9, 0.5), (0.7, 0.0, -1.5), (0.7, 1.0, -1.5)),
    faults=(
        Fault(
            "ε comes first, x_0 second",
            _rotated(_eps, _x0),
            lambda attempt: f"{_by_hand(attempt)} Return x_0, then ε.",
        ),
        Fault(
            "the turn goes the wrong way",
            _rotated(lambda cos, sin, xt, v: cos * xt + sin * v, lambda cos, sin, xt, v: cos * v - sin * xt),
            lambda attempt: f"{_by_hand(attempt)} You turned by +φ once more; turning back has the other signs.",
        ),
        Fault(
            "x_0 has a wrong sign in front of v",
            _rotated(lambda cos, sin, xt, v: cos * xt + sin * v, _eps),
            lambda attempt: f"{_by_hand(attempt)} Put both definitions into cos φ · x_t ± sin φ · v: which keeps x_0?",
        ),
        Fault(
            "ε has a wrong sign",
            _rotated(_x0, lambda cos, sin, xt, v: sin * xt - cos * v),
            lambda attempt: f"{_by_hand(attempt)} Put both definitions into sin φ · x_t ± cos φ · v: which keeps ε?",
        ),
        Fault(
            "cos φ and sin φ are exchanged",
            _rotated(lambda cos, sin, xt, v: sin * xt - cos * v, lambda cos, sin, xt, v: cos * xt + sin * v),
            lambda attempt: f"{_by_hand(attempt)} cos φ = √ᾱ and sin φ = √(1−ᾱ): at ᾱ = 1, x_t is x_0.",
        ),
        Fault(
            "the square roots are missing",
            lambda xt, a, v: (a * xt - (1 - a) * v, (1 - a) * xt + a * v),
            lambda attempt: f"{_by_hand(attempt)} ᾱ = cos² φ, so cos φ is its root.",
            atlas=1,
        ),
        Fault(
            "ε is found by a division, which fails at ᾱ = 1",
            _rotated(_x0, lambda cos, sin, xt, v: (xt - cos * _x0(cos, sin, xt, v)) / sin),
            "Right elsewhere; but no division is needed: a combination of sin φ · x_t and cos φ · v is ε.",
        ),
        Fault(
            "x_0 is found by a division, which fails at ᾱ = 0",
            _rotated(lambda cos, sin, xt, v: (xt - sin * _eps(cos, sin, xt, v)) / cos, _eps),
            "Right elsewhere; but no division is needed: a combination of cos φ · x_t and sin φ · v is x_0.",
        ),
        Fault(
            "only x_0 is returned",
            lambda xt, a, v: _rotated(_x0, _eps)(xt, a, v)[0],
            "Return both: x_0, then ε.",
        ),
        Fault(
            "v is taken for the noise",
            lambda xt, a, v: ((xt - (1 - a) ** 0.5 * v) / a**0.5, v),
            lambda attempt: f"{_by_hand(attempt)} v is a mixture of both, and no division is needed to undo a turn.",
            atlas=13,
        ),
    ),
)


def _moments(x, y):
    """Means of x and y, variances of x and y, covariance."""
    dx, dy = x - x.mean(), y - y.mean()
    return x.mean(), y.mean(), (dx**2).mean(), (dy**2).mean(), (dx * dy).mean()


def _line(slope):
    """The line through the middle (x̄, ȳ) with slope(var x, var y, covariance)."""

    def line(x, y):
        mean_x, mean_y, *spreads = _moments(x, y)
        return slope(*spreads), mean_y - slope(*spreads) * mean_x

    return line


_best_line = _line(lambda var_x, var_y, cov: cov / var_x)


def _uncentred(slope):
    """The line through the middle with slope(x, y)."""
    return lambda x, y: (slope(x, y), y.mean() - slope(x, y) * x.mean())


def _offset(of_means):
    """The right slope with a faulty offset(slope, x̄, ȳ)."""
    return lambda x, y: (_best_line(x, y)[0], of_means(_best_line(x, y)[0], x.mean(), y.mean()))


FEW, MORE = np.array([0.0, 1.0, 2.0]), np.array([-1.0, 0.5, 2.0, 3.0, 5.0])
best_line = Exercise(
    "best_line",
    _best_line,
    probes=((FEW, np.array([1.0, 3.0, 8.0])), (MORE, np.array([2.0, -1.0, 0.0, -2.5, 1.0]))),
    faults=(
        Fault(
            "the line is forced through 0",
            lambda x, y: ((x * y).sum() / (x * x).sum(), 0.0),
            "Take the means away first and let the offset carry them: an off-centre blob needs it.",
        ),
        Fault(
            "x and y are swapped",
            lambda x, y: _best_line(y, x),
            "We estimate y (the noise) from x (what we see): divide by the variance of x.",
        ),
        Fault(
            "the covariance is not divided by the variance of x",
            _line(lambda var_x, var_y, cov: cov),
            "If x is measured in other units, the slope must change with them.",
        ),
        Fault(
            "the covariance is divided by the variance of y",
            _line(lambda var_x, var_y, cov: cov / var_y),
            "That is the slope of x over y; what is given, x, has its variance below.",
        ),
        Fault(
            "the covariance is divided by the spread of x, not its variance",
            _line(lambda var_x, var_y, cov: cov / var_x**0.5),
            "Halve all x, and the slope must double; with the spread below it does not change.",
            atlas=19,
        ),
        Fault(
            "the slope is the correlation",
            _line(lambda var_x, var_y, cov: cov / (var_x * var_y) ** 0.5),
            "A correlation has no units and stays within ±1; a slope has the units of y over those of x.",
        ),
        Fault(
            "the means are not taken away in the covariance",
            _uncentred(lambda x, y: (x * y).mean() / x.var()),
            "Cov(x, y) is the mean of (x − x̄)(y − ȳ), not of x · y.",
        ),
        Fault(
            "the means are not taken away, in the covariance and in the variance",
            _uncentred(lambda x, y: (x * y).mean() / (x * x).mean()),
            "That is the slope through 0. Take x̄ and ȳ away before you multiply.",
        ),
        Fault(
            "covariance and variance count differently (n − 1 and n)",
            lambda x, y: _line(lambda var_x, var_y, cov: cov / var_x * len(x) / (len(x) - 1))(x, y),
            "`np.cov` divides by n − 1, `np.var` by n: use the same for both.",
        ),
        Fault(
            "the slope is the ratio of the spreads",
            _line(lambda var_x, var_y, cov: (var_y / var_x) ** 0.5),
            "That would be right only if y followed x exactly; what x says nothing about must not count.",
        ),
        Fault(
            "the offset has the wrong sign",
            _offset(lambda slope, mean_x, mean_y: slope * mean_x - mean_y),
            "The line must pass through (x̄, ȳ): solve ȳ = slope · x̄ + offset.",
        ),
        Fault(
            "slope · x̄ is added to the offset, not taken away",
            _offset(lambda slope, mean_x, mean_y: mean_y + slope * mean_x),
            "The line must pass through (x̄, ȳ): solve ȳ = slope · x̄ + offset.",
        ),
        Fault(
            "the offset is ȳ",
            _offset(lambda slope, mean_x, mean_y: mean_y),
            "At x = 0 the line is not at ȳ; at x = x̄ it is.",
        ),
        Fault(
            "offset first, slope second",
            lambda x, y: _best_line(x, y)[::-1],
            "Return the slope, then the offset.",
        ),
    ),
)
