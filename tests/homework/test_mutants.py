"""Mistakes that people make, planted into the solution one at a time: each loses its own part, and is named.

`atlas` is the number of the fault in the course's bug atlas. Training mistakes need a real training: those are slow.
"""

from typing import NamedTuple

import pytest
from solved import BY_FUNCTION, SHORT, changed, graded, handed_in, run_all, solution

from diffusion_course.homework.spiral import parts

RESULTS = ("training", "samples_10", "samples_50", "samples_1000")


class Mutant(NamedTuple):
    cell: str
    atlas: int | None
    named: str
    old: str
    new: str

    @property
    def part(self):
        return self.cell.replace("-", "_")


EVEN = "round(T * i / n) for i in range(n, -1, -1)"
X0_HAT = "(xt - (1 - alpha_bar_t).sqrt() * eps_hat) / alpha_bar_t.sqrt()"
PLANTED = {
    "make-alpha-bar": [
        (3, "β is multiplied, where α", "cumprod(1 - beta", "cumprod(beta"),
        (4, "from the last to the first", "cumprod(1 - beta", "cumprod(1 - beta.flip(0)"),
        (4, "goes to T for every t", "torch.cumprod(1 - beta, dim=0)", "torch.prod(1 - beta).repeat(T)"),
        (5, "ᾱ_0 = 1 is missing", "torch.ones(1), ", ""),
        (10, "β is the same for every T", "(0.1 / T, 12 / T, T)", "(1e-4, 0.012, T)"),
    ],
    "add-noise": [
        (1, "multiplied by 1 − ᾱ, not √(1 − ᾱ)", "(1 - alpha_bar_t).sqrt()", "(1 - alpha_bar_t)"),
        (1, "multiplied by ᾱ, not √ᾱ", "alpha_bar_t.sqrt() * x0", "alpha_bar_t * x0"),
    ],
    "network": [
        (14, "the same for every t", "features(xt, t)", "features(xt, 0 * t + 1)"),
        (None, "another answer when it is asked", "nn.Linear(46, 128)", "nn.BatchNorm1d(46), nn.Linear(46, 128)"),
    ],
    "loss": [
        (5, "ᾱ is taken one step too early", "alpha_bar[t][", "alpha_bar[t - 1]["),
        (5, "the network is told t − 1", "model(xt, t)", "model(xt, t - 1)"),
        (13, "compared with x_0, not ε", "(eps - model", "(x0 - model"),
        (None, "a sum, not a mean", ".mean()", ".sum()"),
    ],
    "reverse-step": [
        (3, "by the variance, not by its root", "variance.sqrt() * z", "variance * z"),
        (7, "noise is still added on the last step", "variance.sqrt() * z", "(1 - alpha).sqrt() * z"),
        (8, "no fresh noise", " + variance.sqrt() * z", ""),
        (13, "ε̂ is taken for x̂_0", X0_HAT, "eps_hat"),
    ],
    "time-grid": [
        (6, "the stride is rounded down", EVEN, "T - T // n * i for i in range(n + 1)"),
        (6, "times turn negative", EVEN, "T + -T // n * i for i in range(n + 1)"),
    ],
    "sample": [
        (5, "one step too early", "alpha_bar[t], alpha_bar[s]", "alpha_bar[t - 1], alpha_bar[max(s - 1, 0)]"),
        (5, "the network is told t − 1", "len(x),), t)", "len(x),), t - 1)"),
        (8, "no fresh noise", "noise[i])", "0 * noise[i])"),
        (9, "asked the same twice", "noise[i])", "noise[i] * torch.randn(1))"),
        (18, "the last step is missing", "range(len(times) - 1)", "range(len(times) - 2)"),
    ],
}
MUTANTS = [Mutant(cell, *planted) for cell, several in PLANTED.items() for planted in several]


def name(mutant):
    return f"{mutant.cell}: {mutant.named}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=name)
def test_a_mutant_loses_its_own_part_and_no_other_and_is_named(mutant, capsys):
    """All functions and the network are asked; results have their own tests, for they may really be worse."""
    own = (lambda names: names["Denoiser"]()) if mutant.part == "network" else None
    names = handed_in({mutant.cell: (mutant.old, mutant.new)}, own, steps=())
    capsys.readouterr()
    points = graded(names, BY_FUNCTION)
    said = {line.split(" ", 2)[1].rstrip(":"): line for line in capsys.readouterr().out.splitlines()}
    assert [part for part in BY_FUNCTION if points[part] < parts.PARTS[part][0]] == [mutant.part]
    assert mutant.named in said[mutant.part], said[mutant.part]


def test_there_are_mutants_for_every_function_and_a_dozen_faults_of_the_atlas():
    assert {mutant.part for mutant in MUTANTS} == set(BY_FUNCTION)
    assert len({mutant.atlas for mutant in MUTANTS} - {None}) >= 12


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.cell in ("sample", "reverse-step")], ids=name)
def test_a_mistake_in_the_sampler_does_not_cost_the_trained_network(mutant):
    names = handed_in({mutant.cell: (mutant.old, mutant.new)}, steps=())
    assert parts.grade("training", names) == 1


# ---- mistakes that training hides ----------------------------------------------------------------


def trained_with(*changes):
    """The globals after the whole notebook has run, with a short training and these changes of it."""
    sources = solution()
    for change in (SHORT, *changes):
        sources = changed(sources, {"train": change})
    return run_all(sources.values())


@pytest.mark.long
def test_the_solution_trained_and_sampled_earns_everything():
    """So what the mistakes below cost is not due to the short training."""
    assert graded(trained_with()) == {part: points for part, (points, _) in parts.PARTS.items()}


@pytest.mark.long
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("torch.randn(batch, 2)", "torch.rand(batch, 2)"),
        ("optimiser.zero_grad()", "pass"),
        ("torch.randint(1, len(alpha_bar), (batch,))", "torch.full((batch,), T)"),
        ("torch.randint(len(x0), (batch,))", "torch.zeros(batch, dtype=torch.int64)"),
    ],
    ids=["2: uniform noise", "gradients add up", "one time only", "one point only"],
)
def test_a_mistake_in_training_costs_the_results_and_no_function(old, new):
    points = graded(trained_with((old, new)))
    functions = set(BY_FUNCTION) - {"network"}  # once blown up, it may well say the same for every t
    assert all(points[part] == parts.PARTS[part][0] for part in functions)
    assert not any(points[part] for part in RESULTS)
