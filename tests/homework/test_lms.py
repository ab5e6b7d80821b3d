"""The files to upload: what each system recognises comes back as it came, with the grades in it."""

import csv

import pytest
import toy

from diffusion_course.homework import course, tables
from diffusion_course.homework.grading import grade
from diffusion_course.homework.report import lms, marks, standing

MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Last modified (grade),Feedback comments\n"
    "Participant 7,The ada,ada@x.org,Submitted,,4.00,-,\nParticipant 8,The alan,,Submitted,,4.00,-,\n"
)
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Essay (17)\n    Points Possible,,,,,9\n"
    '"ada, The",9001,u1,ada,A,3\n"alan, The",9002,u2,alan,A,\n"Student, Test",1,,t,A,\n'
)


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Ada has 3.5 of 4 points, Alan waits for the marks of the sentences, Grace has handed in nothing."""
    made = toy.make_course(tmp_path / "course", monkeypatch)
    toy.hand_in(made, "ada")
    toy.hand_in(made, "alan", toy.work("alan", "points 0.5"))
    list(grade.grade(made, grade.changed(made)))
    marks.refresh(made)
    path = made.root / "marks.csv"
    path.write_text(path.read_text().replace("ada,One. Two. Three.,,,", "ada,One. Two. Three.,1.5,,=Well put."))
    return made


def exported(made, name):
    """The file's rows as another program reads them."""
    made = course.Course(made.root)
    lms.export(made, standing.standings(made))
    with open(made.root / f"export/{name}.csv", newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_moodles_worksheet_comes_back_with_grades_and_comments(made):
    (made.root / "worksheet.csv").write_text(MOODLE)
    ada, alan = exported(made, "moodle")
    before = list(csv.DictReader(MOODLE.splitlines()))
    assert ada == before[0] | {"Grade": "3.5", "Feedback comments": "'=Well put. Conclusions: 1.5 of 2."}
    assert list(ada) == list(before[0])  # in Moodle's own order
    assert alan["Grade"] == "" and alan["Identifier"] == "Participant 8" and alan["Last modified (grade)"] == "-"
    assert alan["Feedback comments"] == "double (a part): 0.5 of 1; triple (a part): 0.5 of 1."


def test_so_does_that_of_a_german_moodle(made):
    german = MOODLE
    for english, other in {"Identifier": "ID", "Grade,": "Bewertung,", "Feedback comments": "Feedback als Kommentar",
                           "Participant ": "Teilnehmer/in"}.items():  # fmt: skip
        german = german.replace(english, other)
    (made.root / "worksheet.csv").write_text(german, encoding="utf-8")
    ada, _ = exported(made, "moodle")
    before = next(csv.DictReader(german.splitlines()))
    assert ada == before | {"Bewertung": "3.5", "Feedback als Kommentar": "'=Well put. Conclusions: 1.5 of 2."}


def test_the_comment_says_what_the_teacher_corrected(made):
    (made.root / "worksheet.csv").write_text(MOODLE)
    path = made.root / "marks.csv"
    path.write_text(path.read_text().replace("Three.,1.5,,", "Three.,1.5,-1,"))
    ada, _ = exported(made, "moodle")
    assert ada["Grade"] == "2.5"
    assert ada["Feedback comments"].endswith("Conclusions: 1.5 of 2. Correction: -1.")


def test_a_worksheet_of_names_alone_is_enough(made):
    (made.root / "worksheet.csv").write_text("Identifier,Full name,Grade,Feedback comments\nParticipant 7,The ada,,\n")
    assert [(row["Identifier"], row["Grade"]) for row in exported(made, "moodle")] == [("Participant 7", "3.5")]
    (made.root / "roster.csv").write_text("id,first_name,last_name\nada,The,ada\n")  # which knows what is the last name
    assert [(row["First Name"], row["Last Name"]) for row in exported(made, "gradescope")] == [("The", "ada")]
    assert [row["Student"] for row in exported(made, "canvas")][1:] == ["ada, The"]


def test_without_a_worksheet_moodle_gets_what_its_grade_book_can_import(made):
    (made.root / "roster.csv").write_text("id,first_name,last_name,email\nada,Ada,Lovelace,a@x.org\n")
    (ada,) = exported(made, "moodle")
    assert list(ada.items())[:5] == [
        ("ID number", "ada"), ("First name", "Ada"), ("Last name", "Lovelace"), ("Email address", "a@x.org"),
        ("Grade", "3.5"),
    ]  # fmt: skip


@pytest.mark.parametrize("place", ["roster", "worksheet"])
def test_canvas_gets_its_own_columns_and_the_points_possible(made, place):
    text = CANVAS.replace("u1", "ada").replace("u2", "alan")
    (made.root / f"{place}.csv").write_text(text)
    most, ada, alan, *_ = exported(made, "canvas")
    assert list(most.values()) == ["    Points Possible", "", "", "", "", "4"]
    assert list(ada.values()) == ["ada, The", "9001", "ada", "ada", "A", "3.5"]
    assert list(alan.values()) == ["alan, The", "9002", "alan", "alan", "A", ""]
    assert list(ada)[-1] == "Toy homework"


def test_canvas_without_its_export_gets_names_and_ids(made):
    assert list(exported(made, "canvas")[1].values()) == ["ada, The", "", "ada", "", "", "3.5"]


def test_gradescopes_columns(made):
    ada, alan, grace = exported(made, "gradescope")
    assert ada == {
        "First Name": "The",
        "Last Name": "ada",
        "SID": "ada",
        "Email": "",
        "Total Score": "3.5",
        "Max Points": "4",
        "Status": "Graded",
        "1: double (a part) (1 pts)": "1",
        "2: triple (a part) (1 pts)": "1",
        "3: Conclusions (2 pts)": "1.5",
    }
    assert (alan["Status"], alan["Total Score"], grace["Status"]) == ("Ungraded", "", "Missing")


def test_every_file_can_be_read_again_here(made):
    for name in ("moodle", "canvas", "gradescope"):
        exported(made, name)
        assert len(tables.read(made.root / f"export/{name}.csv")) == 3 + (name == "canvas")
