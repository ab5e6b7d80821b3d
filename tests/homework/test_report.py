"""The class: a table that a gradebook takes, a page that says what was hard, and nobody left out."""

import csv
import re

import numpy as np
import pytest
import toy
from click.testing import CliRunner

from diffusion_course.check.homework import variant
from diffusion_course.homework import tables
from diffusion_course.homework.collect import submission
from diffusion_course.homework.grading import grade, records
from diffusion_course.homework.grading.records import Part, Record
from diffusion_course.homework.prepare import drawn
from diffusion_course.homework.report import export as report
from diffusion_course.homework.report import marks, standing
from diffusion_course.run import cli

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def made(tmp_path, monkeypatch):
    return toy.make_course(tmp_path / "course", monkeypatch, students=("ada", "alan", "grace", "eve"))


def grades(made):
    report.export(made, standing.standings(made))
    with open(made.root / "export/grades.csv", newline="", encoding="utf-8-sig") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def test_everyone_has_a_row_and_a_status(made):
    toy.hand_in(made, "ada")
    toy.hand_in(made, "alan", b"{}")
    toy.hand_in(made, "grace", toy.work("grace", "early"))
    toy.hand_in(made, "nobody")
    toy.hand_in(made, "=cmd|' '!A0")
    list(grade.grade(made, grade.changed(made)))
    toy.hand_in(made, "grace", toy.work("grace", conclusions="Handed in since."))
    assert {student: row["status"] for student, row in grades(made).items()} == {
        "'=cmd|' '!A0": "bad name",
        "ada": "graded",
        "alan": "not a notebook",
        "eve": "not submitted",
        "grace": "not graded yet",
        "nobody": "unknown student",
    }


def test_points_passes_and_totals(made):
    toy.hand_in(made, "ada")
    toy.hand_in(made, "alan", toy.work("alan", "points 0.5"))
    toy.hand_in(made, "eve", toy.work("eve", "early"))
    list(grade.grade(made, grade.changed(made)))
    marks.refresh(made)
    path = made.root / "marks.csv"
    path.write_text(path.read_text().replace("ada,One. Two. Three.,,", "ada,One. Two. Three.,1.5,-1"))
    found = grades(made)
    assert list(found["ada"]) == [
        "id", "name", "team", "status", "total", "double", "triple", "conclusions", "correction", "late",
        "double passed", "triple passed", "conclusions passed", "note",
    ]  # fmt: skip
    assert list(found["ada"].values()) == [
        "ada", "The ada", "", "graded", "2.5", "1", "1", "1.5", "-1", "", "yes", "yes", "no", "",
    ]  # fmt: skip
    assert list(found["alan"].values())[4:] == ["", "0.5", "0.5", "", "", "", "no", "no", "", ""]
    assert found["eve"]["double"] == "1" and found["eve"]["note"] == "It took too much memory."
    assert found["grace"]["total"] == found["grace"]["double"] == ""  # nothing handed in is no 0


RIGHT = Part(1, "✓ right")


def record(made, student, double, triple=RIGHT, samples=None, code="", said=""):
    """Put a record there as if graded."""
    path = toy.hand_in(made, student, toy.work(student))
    parts = {"double": double, "triple": triple, "conclusions": Part(None, "")}
    digest = submission.digest(path)[0]
    told = dict(parts=parts, conclusions=said, code=code, samples=samples or {})
    Record(student, digest, made.fingerprint, "graded", **told).save(made)


def page(made):
    report.export(made, standing.standings(made))
    return (made.root / "export/report.html").read_text()


def test_the_hardest_part_and_the_most_common_mistake_come_first(made):
    sign, root = "✗ triple: a sign is wrong. Look there.", f"✗ triple: {HOSTILE} is missing. Look here."
    record(made, "ada", Part(1, "✓ right"), Part(0, sign))
    record(made, "alan", Part(0, "○ not attempted"), Part(0.5, sign))
    record(made, "eve", Part(1, "✓ right"), Part(0, root))
    marks.refresh(made)
    path = made.root / "marks.csv"
    path.write_text(path.read_text().replace("ada,,,", "ada,,1,"))
    html = page(made)
    assert html.index('<th scope="row">triple (a part)') < html.index('<th scope="row">double (a part)')
    assert "0.17 of 1" in html and "a sign is wrong (2)" in html
    assert html.index("<td>a sign is wrong</td>") < html.index("is missing</td>")
    assert HOSTILE not in html and "&lt;img" in html
    assert "Median 2 of 4 points over 1 students" in html and "2 have no total yet" in html
    assert '<th scope="row">2 – 3</th>' in html and '<th scope="row">1 – 2</th>' not in html  # nobody has fewer


def test_a_part_may_be_worth_nothing(made):
    made.parts["double"] = 0
    record(made, "ada", Part(0, "✓ right"), Part(1, "✓ right"))
    assert '<th scope="row">double' in page(made)


def test_histogram_has_a_place_for_every_total():
    bars = report.histogram([0, 0.5, 1, 3.5, 4, 5], most=4)
    assert bars == [("0 – 1", 2), ("1 – 2", 1), ("2 – 3", 0), ("3 – 4", 1), ("4", 2)]
    assert report.histogram([], most=2.5) == [("0 – 1", 0), ("1 – 2", 0), ("2.5", 0)]


def test_a_part_that_nobody_has_points_for_has_a_dash(made):
    record(made, "ada", Part(1, "✓ right"))
    assert "– of 2" in page(made) and "nan" not in page(made)


def test_an_empty_class_has_a_report(made):
    assert "Nobody has all parts graded yet" in page(made)


def test_samples_on_anothers_spiral_are_listed_with_whose(made):
    clouds = records.clouds({n: variant.of("alan", drawn.salt(made.secret)).data(512, seed=n) for n in (10, 50, 1000)})
    record(made, "ada", Part(1, ""), samples=clouds)
    record(made, "alan", Part(1, ""), samples=clouds)
    record(made, "eve", Part(1, ""), samples={"10": [[None, 1.0], [2.0, None]]})
    graded = [each for each in standing.standings(made) if each.record]
    assert report.reproduced(graded, drawn.salt(made.secret)) == [("ada", ["alan"])]
    assert '<tr><th scope="row">The ada (ada)</th><td>The alan (alan)</td></tr>' in page(made)


PROGRAM = """
def add_noise(x0, alpha_bar_t, eps):
    signal, noise = alpha_bar_t ** 0.5, (1 - alpha_bar_t) ** 0.5
    return signal * x0 + noise * eps


def make_alpha_bar(T):
    levels = [1.0]
    for t in range(1, T + 1):
        levels.append(levels[-1] * (1 - 0.0001 - 0.0199 * t / T))
    return torch.tensor(levels)


def time_grid(T, n):
    return [int(T - i * T / n + 0.5) for i in range(n)] + [0]
"""
RENAMED = "# mine\n" + PROGRAM.replace("signal", "keep").replace("levels", "a").replace("    #", "  # by me")
OTHER = """
def add_noise(x0, alpha_bar_t, eps):
    return torch.sqrt(alpha_bar_t) * x0 + torch.sqrt(1 - alpha_bar_t) * eps


def make_alpha_bar(T):
    return torch.cat([torch.ones(1), (1 - torch.linspace(0.1 / T, 20 / T, T)).cumprod(0)])


def time_grid(T, n):
    return np.linspace(T, 0, n + 1).round().astype(int).tolist()
"""


def test_pairs_are_listed_and_the_page_says_that_there_are_more(made, monkeypatch):
    monkeypatch.setattr(report, "SHOWN", 2)
    for student in made.roster:
        record(made, student, Part(1, ""), code=PROGRAM)
    assert "The 2 most similar of 6 pairs" in page(made)
    assert len((made.root / "export/pairs.csv").read_text().splitlines()) == 7


def test_everyone_to_look_at_stands_there_with_their_name_and_pairs_with_what_is_usual(made):
    for student, code in {"ada": PROGRAM, "alan": RENAMED, "grace": OTHER}.items():
        record(made, student, Part(1, ""), code=code)
    toy.hand_in(made, "eve")
    html = page(made)
    assert '<tr><th scope="row">The ada (ada)</th><td>The alan (alan)</td><td class="number">100 %' in html
    assert '<th scope="row">The eve (eve)</th><td>not graded yet</td>' in html
    (share,) = re.findall(r"medians: (\d+) % between two students, – with the solution", html)  # the toy's is too short
    assert int(share) < 30
    (row,) = tables.read(made.root / "export/pairs.csv")
    assert row == {"id": "ada", "name": "The ada", "other": "alan", "other name": "The alan", "share": "1.000"}


def test_equal_sentences_are_told(made):
    for student, end in {"ada": " ", "alan": "\n", "grace": "."}.items():
        record(made, student, RIGHT, said=f"The distance falls from 0.04 to 0.006,{end}since the guess is a mean.")
    assert "<li>The ada (ada), The alan (alan)</li>" in page(made)


def test_the_shell_names_what_it_wrote(made):
    result = CliRunner().invoke(cli.main, ["homework", "export", str(made.root)])
    assert result.exit_code == 0, result.output
    for name in ("grades.csv", "pairs.csv", "report.html"):
        assert str(made.root / "export" / name) in result.output


def test_names_that_are_formulas_stay_text(made):
    (made.root / "roster.csv").write_text('id,first_name,last_name\nada,"=1+1",x\nalan,@SUM,\neve,-1,\ngrace,,\n')
    assert [row["name"] for row in grades(type(made)(made.root)).values()] == ["'=1+1 x", "'@SUM", "-1", ""]


def test_clouds_keeps_only_what_can_be_drawn():
    right = np.array([[1.23456, np.nan], [np.inf, -2]], dtype=np.float32)
    assert records.clouds({10: right}) == {"10": [[1.235, None], [None, -2.0]]}
    hostile = {"<b>": right, -1: right, 10**9: right, 5: right.ravel(), 6: "x", 7: np.array([[1j, 1]]), 8: [[1, 2]]}
    assert records.clouds(hostile) == {}
    assert records.clouds("samples") == records.clouds(None) == {}
    assert len(records.clouds({i: right for i in range(99)})) == 3
    assert len(records.clouds({1: np.zeros((10**6, 2))})["1"]) == 2048


def test_a_team_is_one_name_and_as_many_students_as_it_has(made):
    (made.root / "roster.csv").write_text("id,team\nada,nord\nalan,nord\ngrace,\n")
    made = type(made)(made.root)
    record(made, "nord", RIGHT)
    marks.refresh(made)
    path = made.root / "marks.csv"
    path.write_text(path.read_text().replace("nord,,,", "nord,,,1"))
    html = page(made)
    assert "3 students, 2 names that hand in (a team is one):" in html
    assert "over 2 students" in html and '<th scope="row">3 – 4</th><td class="number">2</td>' in html


def test_who_attempted_nothing_is_to_be_looked_at(made):
    says = "points 0\n# toy: says ○ not attempted"
    toy.hand_in(made, "ada", toy.work("ada", says, conclusions="*Write your three sentences here.*"))
    (found,) = grade.grade(made, grade.changed(made))
    assert (found.status, found.reason) == ("graded", records.BLANK)
    assert records.BLANK in page(made)
