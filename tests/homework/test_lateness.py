"""What is due when, what was handed in when, and what it costs, from all the places that may tell."""

import os
import re
from datetime import datetime, timedelta

import pytest
import toy
from refusals import refused

from diffusion_course.homework import course, tables
from diffusion_course.homework.grading import grade
from diffusion_course.homework.prepare import settings
from diffusion_course.homework.report import export as report
from diffusion_course.homework.report import feedback, standing

DUE = '[late]\ndue = "2026-06-10 12:00"\n'


@pytest.fixture
def made(tmp_path, monkeypatch):
    made = toy.make_course(tmp_path / "course", monkeypatch)
    return made


def again(made, text=None, **files):
    """The course, read anew after these files were written."""
    if text is not None:
        (made.root / settings.FILE).write_text(text)
    for name, content in files.items():
        (made.root / f"{name}.csv").write_text(content)
    return course.Course(made.root)


def late(made, student="ada"):
    return {each.id: each for each in standing.standings(made)}[student].late


def test_the_file_that_init_writes_changes_nothing_and_each_of_its_lines_can_be_made_to_count(made):
    path = made.root / settings.FILE
    assert settings.read(path) == settings.Settings()
    path.write_text(re.sub(r"(?m)^# (?=\w+ +=)", "", path.read_text()))
    assert settings.read(path).late == settings.Late(due=datetime(2026, 6, 10, 23, 59), files=True)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[late]\ndew = 3", ["there is no dew in [late]", "due, percent"]),
        ("[lates]\n", ["there is no lates", "texts"]),
        ("late = 3", ["[late] cannot be 3", "dictionary"]),
        ("[late]\npercent = 'ten'", ["percent in [late] cannot be 'ten'", "number"]),
        ("[late]\ndue = 'soon'", ["is no date", "write 2026-06-10"]),
        ("[late", ["cannot be read"]),
        ("[late]\npercent = -10", ["percent in [late] cannot be -10"]),
        ("[late]\nmost = 500", ["most in [late] cannot be 500"]),
        ("[late]\nmost = nan", ["most in [late] cannot be nan"]),
        ("[late]\ngrace = 1e300", ["grace in [late] cannot be 1e+300"]),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused(made, text, parts):
    with refused("homework.toml", *parts):
        again(made, text).settings  # noqa: B018


MOODLE = "Identifier,Full name,Email address,Last modified (submission)\n"


@pytest.mark.parametrize(
    ("at", "percent"),
    [
        ("Wednesday, 10 June 2026, 11:59 AM", 0),
        ("Wednesday, June 10, 2026, 12:10 PM", 0),  # ten minutes do not count
        ("2026-06-10 12:11", 10),
        ("10.06.2026 12:11", 10),
        ("Mi, 10.06.2026 12:11", 10),
        ("13-06-2026", 40),
        ("2026-06-11T11:00", 10),
        ("2026-06-11T13:00", 20),
        ("2026-12-24", 50),
        ("2026-06-10", 10),
        ("-", 0),
    ],
)
def test_each_day_that_has_begun_costs_up_to_a_bound(made, at, percent):
    toy.hand_in(made, "ada")
    found = late(again(made, DUE, worksheet=MOODLE + f'Participant 7,The ada,,"{at}"\n'))
    assert found.costs == percent / 100 and bool(found.told) == bool(percent)


def test_a_student_may_have_another_date_and_a_team_the_latest_of_its_members(made):
    roster = (
        "id,first_name,team,due,handed in\nada,Ada,red,2026-06-15,2026-06-14\nalan,Alan,red,,\ngrace,G,,,2026-06-14\n"
    )
    made = again(made, DUE, roster=roster)
    toy.hand_in(made, "alan")
    toy.hand_in(made, "grace")
    assert late(made, "red").costs == 0 and late(made, "grace").costs == 0.5


def test_nothing_is_late_where_nothing_is_due(made):
    toy.hand_in(made, "ada")
    assert late(again(made, "", worksheet=MOODLE + "Participant 7,The ada,,2099-01-01\n")).costs == 0


def test_a_time_stamp_counts_only_where_nbgrader_writes_it(made):
    for folder in ("ada/spiral", "alan/own", "The grace_7_assignsubmission_file_/spiral"):
        (made.root / "submitted" / folder).mkdir(parents=True)
        toy.hand_in(made, f"{folder}/spiral")
        (made.root / "submitted" / folder / "timestamp.txt").write_text("2026-06-12 18:00:00")
    made = again(made, DUE)
    assert [late(made, student).costs for student in ("ada", "alan", "grace")] == [0.3, 0, 0]
    (made.root / "submitted/ada/spiral/timestamp.txt").write_text("\x00 yesterday")
    assert late(again(made, DUE)).costs == 0


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9" * 99, "T0.0:", ""])
def test_no_time_stamp_of_a_student_stops_the_class(made, stamp):
    path = made.root / "submitted/ada/spiral/timestamp.txt"
    path.parent.mkdir(parents=True)
    toy.hand_in(made, "ada/spiral/spiral")
    path.write_text(stamp)
    assert late(again(made, DUE)).costs == 0


def test_a_time_stamp_does_not_make_a_file_earlier_where_the_dates_of_files_count(made):
    (made.root / "submitted/ada/spiral").mkdir(parents=True)
    path = toy.hand_in(made, "ada/spiral/spiral")
    path.with_name("timestamp.txt").write_text("2026-06-09 10:00:00")
    os.utime(path, (0, datetime(2026, 6, 12, 11).timestamp()))
    assert late(again(made, DUE)).costs == 0 and late(again(made, DUE + "files = true")).costs == 0.2


def test_the_mark_of_canvas_is_one_day_and_dates_of_files_count_if_the_teacher_says_so(made):
    path = toy.hand_in(made, "theada_LATE_12_34_spiral")
    assert late(again(made, DUE)).costs == 0.1
    os.utime(path, (0, datetime(2026, 6, 12, 12).timestamp()))
    assert late(again(made, DUE + "files = true")).costs == 0.2


@pytest.mark.parametrize("text", "06/07/2026|31.31.2026|soon|10:30|10-06-2026|10 06 2026|2026-06|June 2026".split("|"))
def test_a_date_that_is_none_or_two_is_refused(made, text):
    toy.hand_in(made, "ada")
    with refused("the time of handing in of ada", text, "write 2026-06-10"):
        late(again(made, DUE, worksheet=MOODLE + f"Participant 7,The ada,,{text}\n"))


def test_what_lateness_costs_stands_in_the_table_and_on_the_page(made):
    toy.hand_in(made, "ada", toy.work(conclusions=toy.released().cells[-1].source))
    list(grade.grade(made, grade.changed(made)))
    made = again(made, DUE, worksheet=MOODLE + "Participant 7,The ada,,2026-06-10 18:00\n")
    everyone = standing.standings(made)
    assert everyone[0].total == 1.8
    report.export(made, everyone)
    row = tables.read(made.root / "export/grades.csv")[0]
    assert (row["late"], row["total"], row["note"]) == (
        "-0.2", "1.8", "6 hours late: 10 % of the points are taken off.",
    )  # fmt: skip
    (page,) = feedback.feedback(made, feedback.addressed(made, everyone))
    assert "Handed in late" in page.read_text() and "-0.2" in page.read_text()
    assert settings.when("Mon, 1 June 2026") == datetime(2026, 6, 1, 23, 59)


@pytest.mark.parametrize("month", range(1, 13))
def test_a_date_as_a_german_moodle_writes_it(month):
    names = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
    for i, day in enumerate("Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag".split()):
        at = datetime(2026, month, 1, 16, 4)
        at += timedelta(days=(i - at.weekday()) % 7)
        assert settings.when(f"{day}, {at.day}. {names[month - 1]} 2026, 16:04") == at


def test_a_worksheet_that_is_older_than_a_file_is_told(made):
    path = toy.hand_in(made, "ada")
    made = again(made, DUE, worksheet="Identifier,Full name,Grade\nParticipant 7,The ada,\n")
    for time, told in ((100, False), (300, True)):
        os.utime(made.root / "worksheet.csv", (200, 200))
        os.utime(path, (time, time))
        lines = standing.lines(made, standing.standings(made))
        assert any("download it again" in line for line in lines) == told
