"""The teacher's table: what is filled in stays, what changed is marked again, and no cell of it is a formula."""

import csv
import re

import pytest
import toy
from refusals import refused

from diffusion_course.homework import tables
from diffusion_course.homework.grading import grade
from diffusion_course.homework.report import marks, standing
from diffusion_course.homework.report.marks import Mark


@pytest.fixture
def made(tmp_path, monkeypatch):
    return toy.make_course(tmp_path / "course", monkeypatch)


def hand_in(made, **conclusions):
    for student, text in conclusions.items():
        toy.hand_in(made, student, toy.work(student, conclusions=text))
    list(grade.grade(made, grade.changed(made)))
    return marks.refresh(made)


def rows(made):
    return {row["id"]: row for row in tables.read(made.root / "marks.csv", marks.COLUMNS)}


def fill(made, delimiter=",", encoding="utf-8", **filled):
    """As a spreadsheet saves it after the teacher has filled in some cells."""
    with open(made.root / "marks.csv", newline="", encoding="utf-8-sig") as file:
        table = list(csv.DictReader(file))
    for row in table:
        row.update(filled.get(row["id"], {}))
    with open(made.root / "marks.csv", "w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, marks.COLUMNS, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(table)


def test_new_rows_come_and_what_is_filled_in_stays(made):
    assert hand_in(made, ada="One.\n\nTwo, with ᾱ.") == 1
    assert rows(made)["ada"]["conclusions"] == "One. Two, with ᾱ."
    fill(made, ada={"points": "1.5", "comment": "Good; why “limits”?"})
    assert hand_in(made, alan="Other.") == 1
    assert rows(made)["ada"]["points"] == "1.5" and list(rows(made)) == ["ada", "alan"]
    assert marks.read(made) == {"ada": Mark(1.5, 0.0, "Good; why “limits”?"), "alan": Mark()}


def test_other_sentences_are_marked_again_and_the_old_points_are_told(made):
    hand_in(made, ada="First.")
    fill(made, ada={"points": "2", "comment": "Fine.", "correction": "-0.5"})
    assert hand_in(made, ada="Second.") == 1
    row = rows(made)["ada"]
    assert (row["points"], row["comment"], row["correction"]) == ("", "", "")
    assert row["note"].endswith("for those before: points 2, correction -0.5, comment Fine.")


def test_marks_for_other_sentences_do_not_count_even_before_the_table_is_brought_up_to_date(made):
    hand_in(made, ada="First.", alan="Only.")
    fill(made, ada={"points": "2", "correction": "-1"}, alan={"points": "1"})
    toy.hand_in(made, "ada", toy.work("ada", conclusions="Second."))
    list(grade.grade(made, grade.changed(made)))
    assert marks.read(made) == {"ada": Mark(), "alan": Mark(1.0)}


@pytest.mark.parametrize("text", [";=" * 49_000, "a" * 90_000, "\N{SNAIL}" * 90_000, "'" * 90_000 + ";'" * 20_000])
def test_no_sentences_of_a_student_stop_the_class_and_their_marks_count(made, text):
    """Excel keeps 32,767 characters of a cell, and counts those beyond 16 bits twice."""
    assert hand_in(made, ada="Mine.", grace=text) == 2
    cell = next(line for line in (made.root / "marks.csv").read_text().splitlines() if line.startswith("grace"))
    assert len(cell.encode("utf-16-le")) / 2 < 32_767
    csv.field_size_limit(2**17)  # as any other program has it
    fill(made, grace={"points": "1"})
    csv.field_size_limit(2**24)
    assert marks.refresh(made) == 1 and marks.read(made) == {"ada": Mark(), "grace": Mark(1.0)}


def test_marks_count_under_the_id_as_a_spreadsheet_leaves_it(made):
    (made.root / "roster.csv").write_text("id,last_name\n0471,Lovelace\nalan,Turing\n")
    made = type(made)(made.root)
    hand_in(made, **{"0471": "One.", "alan": "Two."})
    path = made.root / "marks.csv"
    left = path.read_text().replace("0471,", "471,").replace("alan,", "Alan,")
    path.write_text(left.replace("One.,", "One.,1.5").replace("Two.,", "Two.,1"))
    assert {student: mark.points for student, mark in marks.read(made).items()} == {"0471": 1.5, "alan": 1}
    assert marks.refresh(made) == 0 and list(rows(made)) == ["471", "Alan"]  # as the teacher has it


def test_a_student_with_two_rows_is_refused(made):
    hand_in(made, ada="One.")
    path = made.root / "marks.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1] + "\n")
    with refused("marks.csv, ada", "twice"):
        marks.read(made)


def test_blank_sentences_have_0_points_until_something_is_written(made):
    stub = toy.released().cells[-1].source
    assert hand_in(made, ada=stub) == 0
    assert rows(made)["ada"]["points"] == "0" and marks.read(made)["ada"].points == 0
    assert hand_in(made, ada="Now there is one.") == 1


@pytest.mark.parametrize(("delimiter", "encoding"), [(",", "utf-8-sig"), (";", "utf-8"), ("\t", "utf-8")])
def test_the_table_as_any_spreadsheet_saves_it(made, delimiter, encoding):
    hand_in(made, ada='Quotes "here"; and, commas.')
    fill(made, delimiter, encoding, ada={"points": "1,5", "correction": "−1"})
    assert marks.read(made)["ada"] == Mark(1.5, -1.0, "")
    before = rows(made)
    marks.refresh(made)
    assert rows(made) == before
    hand_in(made, alan="Other.")
    assert (made.root / "marks.csv").read_text(encoding="utf-8-sig").startswith(delimiter.join(marks.COLUMNS))


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "'=1", "\x00\x1b=1"])
def test_no_cell_of_the_table_is_a_formula_and_reading_gives_the_text_back(made, text):
    hand_in(made, ada=text)
    with open(made.root / "marks.csv", newline="", encoding="utf-8-sig") as file:
        raw = {row["id"]: row for row in csv.DictReader(file)}["ada"]["conclusions"]
    assert raw[0] == "'" and "\x1b" not in raw
    fill(made, ada={"points": "1"})
    marks.refresh(made)
    assert marks.read(made)["ada"].points == 1  # the same text as before


@pytest.mark.parametrize("text", ["One;=1+1", 'One;"=1+1";', "One; @SUM(A1)", "Well;'=1; -2", "a\t=1"])
def test_no_formula_begins_where_a_spreadsheet_cuts_at_semicolons_or_tabs(tmp_path, text):
    path = tmp_path / "table.csv"
    tables.write(path, ("id", "text"), [{"id": "ada", "text": text}])
    raw = path.read_text(encoding="utf-8-sig")
    assert not re.search(r"[;\t]\s*[-=+@]", raw)
    assert tables.read(path, ("id", "text")) == [{"id": "ada", "text": text}]


@pytest.mark.parametrize(
    ("points", "parts"),
    [("3", ["3 points", "from 0 to 2"]), ("-1", ["-1 points"]), ("two", ["'two' is no number"]), ("nan", ["number"])],
)
def test_points_that_cannot_be_meant_are_refused(made, points, parts):
    hand_in(made, ada="One.")
    fill(made, ada={"points": points})
    with refused("marks.csv, ada", *parts):
        marks.read(made)


def test_a_table_that_cannot_be_read_is_left_as_it_is(made):
    hand_in(made, ada="One.")
    path = made.root / "marks.csv"
    for content in (b"student,points\nada,2\n", b"", b"\xff\xfe\x00"):
        path.write_bytes(content)
        with refused("marks.csv"):
            marks.refresh(made)
        assert path.read_bytes() == content


def test_the_total_waits_for_the_teacher_and_holds_the_correction(made):
    hand_in(made, ada="One.", alan="Two.")
    fill(made, ada={"points": "1.5", "correction": "-1"})
    totals = {each.id: each.total for each in standing.standings(made)}
    assert totals == {"ada": 2.5, "alan": None, "grace": None}
    fill(made, ada={"points": "1.5", "correction": "-99"})
    assert standing.standings(made)[0].total == 0


def test_the_figures_of_the_students_own_run_stand_beside_the_sentences(made):
    toy.hand_in(made, "ada", toy.work(says="clouds"))
    hand_in(made, alan="Other.")
    assert [rows(made)[student]["figures"] for student in ("ada", "alan")] == ["10 steps: distance 0.0453", ""]
    fill(made, ada={"points": "2", "figures": ""})
    hand_in(made)
    assert rows(made)["ada"]["figures"] == "10 steps: distance 0.0453" and marks.read(made)["ada"].points == 2


def test_a_table_from_before_the_figures_and_names_is_read_and_gets_them(made):
    hand_in(made, ada="One.")
    path = made.root / "marks.csv"
    path.write_text("id,conclusions,points,correction,comment,note\nada,One.,2,,,\n")
    assert marks.read(made)["ada"].points == 2 and hand_in(made) == 0
    assert rows(made)["ada"]["name"] == "The ada" and marks.read(made)["ada"].points == 2
