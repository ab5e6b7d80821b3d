"""What five students found: slips that passed, hung, or were told something useless; right answers in odd styles."""

import linecache
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from diffusion_course import check
from diffusion_course.check import homework, lesson1
from diffusion_course.check.engine import Mistake
from diffusion_course.check.handed import statements
from diffusion_course.forward import add_noise

CHANCE = np.random.default_rng(0)


def told(name, attempt) -> str:
    with pytest.raises(Mistake) as caught:
        getattr(homework if name == "time_grid" else check, name)(attempt)
    return str(caught.value)


def counted_down(T, n):
    times = [T]
    while times[-1] > 0:  # endless where n > T
        times.append(times[-1] - T // n)
        assert len(times) < 5000
    return times


def test_a_loop_that_counts_down_is_never_asked_for_more_steps_than_there_are():
    asked = []
    told("time_grid", lambda T, n: asked.append((T, n)) or counted_down(T, n))
    assert len(asked) > 7 and all(n <= T for T, n in asked)


def pair(noise, again=False, scaled=lambda photos: photos / 127.5 - 1):
    def attempt(photos, beta, t, rng):
        kept, eps = np.prod(1 - beta[:t]), noise(rng, photos)
        x_noise = noise(rng, photos) if again else eps
        return np.sqrt(kept) * scaled(photos) + np.sqrt(1 - kept) * x_noise, eps

    return attempt


def normal(rng, photos):
    return rng.standard_normal(photos.shape)


def shared(axes):
    return lambda rng, photos: rng.standard_normal(photos.shape[axes]) * np.ones(photos.shape)


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (pair(lambda rng, photos: rng.standard_normal()), "your ε (): every number needs its own noise"),
        (pair(lambda rng, photos: rng.standard_normal((len(photos), 1, 1, 1))), "your ε (8, 1, 1, 1): every"),
        (pair(lambda rng, photos: rng.standard_normal(len(photos))), "shapes (8,3,16,16) (8,)"),
        (pair(shared(slice(1, None))), "6144 numbers in your noise only 768 differ"),
        (pair(shared(slice(3, None))), "6144 numbers in your noise only 16 differ"),
        (pair(normal, again=True), "another ε is returned"),
        (pair(normal, scaled=lambda photos: photos / 255 - 0.5), "x_0 has half the range"),
    ],
)
def test_a_training_pair_is_told_what_is_wrong_with_its_noise_and_range(attempt, text):
    assert text in told("training_pair", attempt)


def generate(step):
    def attempt(x, alpha_bar, pile):
        for t in range(len(alpha_bar) - 1, 0, -1):
            x = step(check.best_guess.reference(x, alpha_bar[t], pile), alpha_bar[t - 1])
        return x

    return attempt


def walk(x, begins, ends, pile):
    for a_t, a_s in zip(begins, ends, strict=False):
        x = lesson1.step_back(x, check.best_guess.reference(x, a_t, pile), a_t, a_s)
    return x


@pytest.mark.parametrize(
    ("name", "attempt", "text"),
    [
        ("generate", generate(lambda x0, a: x0), "every step goes all the way to the guess"),
        (
            "generate",
            generate(lambda x0, a: a**0.5 * x0 + (1 - a) ** 0.5 * CHANCE.standard_normal()),
            "gives two answers",
        ),
        ("generate", lambda x, levels, pile: walk(x, levels, levels[1:], pile), "begins at the clean end"),
        (
            "generate",
            lambda x, levels, pile: walk(x, levels[::-1], levels[::-1], pile),
            "at the level at which it begins",
        ),
        ("generate", lambda x, levels, pile: walk(x, levels[-1:], levels, pile) * 0 + x, "returns assigned to x"),
        ("generate", lambda x, levels, pile: walk(x, levels[::-1], [*levels[-2::-1], levels[-1]], pile), "index −1"),
        ("generate", lambda x, levels, pile: walk(x, levels[-2::-1], levels[-3::-1], pile), "one entry too late"),
        ("generate", lambda x, levels, pile: check.best_guess.reference(x, levels[-1], pile), "you guess only once"),
        ("best_guess", lambda xt, a, pile: check.best_guess.reference(xt, a, pile) / len(pile), "1, you guess 0.5."),
        ("add_noise", lambda x0, a, eps: a**1 / 2 * x0 + (1 - a) ** 1 / 2 * eps, "a root is `a**0.5`"),
        ("variance_after", lambda v, betas: np.cumsum(betas) + v, "or is only the last one meant?"),
        ("hide_words", lambda ids, keep: np.where(keep < 0.15, -1, ids.copy()), "no attribute 'copy'"),
        ("few_steps", 19, "go down from there"),
    ],
)
def test_a_slip_is_told_so_that_a_student_knows_what_to_do(name, attempt, text):
    assert text in told(name, attempt)


def test_the_points_of_the_data_are_not_to_be_overwritten():
    def attempt(model, x0, schedule, steps):
        optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
        for _ in range(steps):
            x0 = x0[torch.randint(len(x0), (128,))]
            t, eps = torch.randint(1, schedule.T + 1, (128,)), torch.randn_like(x0)
            loss = ((eps - model(add_noise(x0, schedule.at(t), eps), t)) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield loss

    torch.manual_seed(0)
    assert "the points are overwritten by a batch" in told("training_loop", attempt)


def test_a_function_of_a_list_of_levels_need_not_take_one_number(capsys):
    check.shifted_alpha_bar(lambda alpha_bar, k: np.array([a / (a + k**2 * (1 - a)) for a in alpha_bar]))
    assert "✓" in capsys.readouterr().out


def test_rounding_is_not_chance(capsys):
    signs = iter([1, -1] * 500)
    check.add_noise(lambda x0, a, eps: (1 + 1e-14 * next(signs)) * (a**0.5 * x0 + (1 - a) ** 0.5 * eps))
    assert "✓" in capsys.readouterr().out


def test_an_experiment_in_place_of_the_floor_is_called_an_estimate():
    def experiment(alpha_bar_t, spread):
        x0, eps = np.random.default_rng(0).standard_normal((2, 20_000, 1))
        xt = alpha_bar_t**0.5 * spread * x0 + (1 - alpha_bar_t) ** 0.5 * eps
        return ((eps - (eps * xt).mean(0) / (xt**2).mean(0) * xt) ** 2).mean(0).reshape(np.shape(alpha_bar_t))

    assert told("loss_floor", experiment).endswith("a good ruler; now find the formula that it measures.")
    assert "ruler" not in told("loss_floor", lambda alpha_bar_t, spread: alpha_bar_t * spread)


def test_a_raise_left_in_a_finished_solution_is_told_and_not_called_blank(capsys):
    def go_back(x, model, alpha_bar, rng, noise=1.0):
        path = [x]
        for t in range(len(alpha_bar) - 1, 0, -1):
            x0_hat = (x - (1 - alpha_bar[t]) ** 0.5 * model(x, t)) / alpha_bar[t] ** 0.5
            mean, variance = check.posterior.reference(x0_hat, x, alpha_bar[t], alpha_bar[t - 1])
            x = mean + noise * variance**0.5 * rng.standard_normal(x.shape)
            raise NotImplementedError("your three lines")
        return np.array(path)

    def add_noise(x0, alpha_bar_t, eps):
        """Their own docstring, and a line below the blank's."""
        raise NotImplementedError
        return alpha_bar_t**0.5 * x0 + (1 - alpha_bar_t) ** 0.5 * eps

    for each, attempt in (("go_back", go_back), ("add_noise", add_noise)):
        assert "the line `raise NotImplementedError` is still there" in told(each, attempt)
    assert capsys.readouterr().out == ""


def test_the_blanks_of_the_notebooks_hold_as_many_statements_as_their_checks_know_of():
    found = {}
    for path in (Path(__file__).parent.parent / "notebooks").rglob("*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            for name in re.findall(r"^(\w+) = check\.\1\(\1\)", cell.source, re.MULTILINE):
                blank = re.search(rf"^def {name}\(.*?(?=^\S|\Z)", cell.source, re.MULTILINE | re.DOTALL)
                if blank and "..." not in blank[0] and "NotImplementedError" not in blank[0]:
                    continue  # given whole
                found[name] = statements(written(blank[0], name)) if blank else 0
    known = {name: getattr(getattr(check, name), "given", 0) for name in found}  # a Finding has no blank
    assert any(found.values()) and known == found


def written(text: str, name: str):
    """The function that a text defines, its source known as a notebook's is."""
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), made := {})
    return made[name]


def test_a_finding_may_be_a_float_that_is_whole(capsys):
    assert check.smallest_T(float(check.smallest_T.right[0])) == check.smallest_T.right[0]
