"""One bad submission harms nobody: whatever is handed in, every command ends well and tells of everyone."""

import csv
import os

import numpy as np
import pytest
import toy
from click.testing import CliRunner
from damage import NAMES, damaged, pick

from diffusion_course.homework import course
from diffusion_course.homework.collect import submission
from diffusion_course.run import cli


def hand_in_damaged(made, student, rng):
    """Lay a damaged notebook under a name, damaged or not."""
    path = os.path.join(os.fsencode(made.root / "submitted"), pick(rng, NAMES).replace(b"{}", student.encode()))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(damaged(rng, toy.work(student)))


def told(*words):
    """What a command says, once it has ended with 0."""
    done = CliRunner().invoke(cli.main, ["homework", *map(str, words)])
    assert done.exit_code == 0, done.output
    assert all(c.isprintable() for c in done.stdout.replace("\n", "")), done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("seed", "students"), [(0, 12), pytest.param(1, 500, marks=pytest.mark.long)], ids=["a dozen", "500"]
)
def test_grade_feedback_and_export_end_with_0_and_tell_of_everyone(tmp_path, monkeypatch, seed, students):
    made = toy.make_course(tmp_path / "course", monkeypatch, [f"s{i:03d}" for i in range(students)])
    rng = np.random.default_rng(seed)
    for student in made.roster:
        hand_in_damaged(made, student, rng)
    told("grade", made.root, "--unsafe", "--jobs", 2)
    told("feedback", made.root)
    told("status", made.root)
    told("export", made.root)
    content = (made.root / "export/grades.csv").read_bytes().decode("utf-8-sig")
    assert all(c.isprintable() or c in "\r\n" for c in content)
    rows = [row["id"].removeprefix("'") for row in csv.DictReader(content.splitlines())]
    handed_in = {each.id for each in submission.survey(course.Course(made.root))}
    assert set(made.roster) | {each.removeprefix("'") for each in handed_in} == set(rows)
    graded = [path.stem for path in (made.grading / "records").glob("*.json")]
    assert len(graded) > students / 4  # or the names would have been the whole test
    for student in graded:
        assert (made.root / "feedback" / f"{student}.html").is_file()
