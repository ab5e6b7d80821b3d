"""Each class has questions and spirals of its own, from a secret that stays where the points are."""

import numpy as np
import pytest

from diffusion_course.check.engine import Mistake
from diffusion_course.check.homework import variant
from diffusion_course.homework.grading import judge
from diffusion_course.homework.prepare import drawn
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.solvers import parts as solvers
from diffusion_course.homework.spiral import parts as spiral

QUESTIONS = spiral.QUESTIONS | solvers.QUESTIONS
SECRETS = ["", *(f"class {number}" for number in range(4))]


def test_a_course_has_a_secret_of_its_own_and_its_notebook_only_the_salt(tmp_path):
    one, two = (prepare.init(tmp_path / name) for name in ("one", "two"))
    assert len({one.secret, two.secret}) == 2 and (one.root / "secret").stat().st_mode & 0o077 == 0
    for made in (one, two):
        text = made.source.read_text()
        assert made.secret not in text and f'SALT, CURVE = \\"{drawn.salt(made.secret)}\\"' in text
    assert variant.of("ada", drawn.salt(one.secret)) != variant.of("ada", drawn.salt(two.secret)) != variant.of("ada")


def test_without_its_secret_nothing_is_graded(tmp_path):
    made = prepare.init(tmp_path / "course")
    (made.root / "secret").unlink()
    with pytest.raises(ValueError, match="secret is missing"):
        made.secret  # noqa: B018


def test_another_secret_asks_other_questions_and_the_same_one_the_same():
    for name, ask in QUESTIONS.items():
        one, again, other = (_numbers(judge.exam.__wrapped__(name, ask, secret)) for secret in ("a", "a", "b"))
        assert repr(one) == repr(again) != repr(other)


def _numbers(exercise):
    """The questions, models by their tables."""
    return [[getattr(given, "gain", given) for given in probe] for probe in exercise.probes]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", QUESTIONS)
def test_whatever_the_secret_each_known_mistake_is_named(name, secret, capsys):
    exercise = judge.exam(name, QUESTIONS[name], secret)
    exercise(exercise.reference)
    for fault in exercise.faults:
        with pytest.raises(Mistake) as caught:
            exercise(fault.mutant)
        assert caught.value.fault == fault.name


def test_noise_is_drawn_for_each_purpose():
    a, b = drawn.generator("s", "drawn", 10), drawn.generator("s", "drawn", 50)
    assert np.abs(a.standard_normal(3) - b.standard_normal(3)).min() > 0
