"""Class lists and file names as Moodle, Canvas, Gradescope and Excel write them: everyone is known by all of them."""

import pytest
import toy
from refusals import refused

from diffusion_course.homework import course, tables
from diffusion_course.homework.collect import roster, submission
from diffusion_course.homework.grading import grade
from diffusion_course.homework.report import export as report
from diffusion_course.homework.report import feedback, marks, standing

OURS = "id,first_name,last_name\nada,Ada,Lovelace\nalan,Alan,Turing\n"
MOODLE_PEOPLE = "First name,Last name,ID number,Email address\nAda,Lovelace,ada,a@x.org\nAlan,Turing,alan,b@x.org\n"
MOODLE_WORKSHEET = (
    'Identifier,"Full name","ID number","Email address",Status,Grade,"Maximum Grade","Last modified (submission)",'
    '"Last modified (grade)","Feedback comments"\n'
    '"Participant 1201","Ada Lovelace",ada,a@x.org,Submitted,,12.00,"Wednesday, 10 June 2026, 2:14 PM",-,\n'
    '"Participant 1202","Alan Turing",alan,b@x.org,"No submission",,12.00,-,-,\n'
)
GERMAN = "Vorname;Nachname;ID-Nummer;E-Mail-Adresse\nAda;Lovelace;ada;a@x.org\nAlan;Turing;alan;b@x.org\n"
GERMAN_WORKSHEET = (
    "ID;Vollständiger Name;ID-Nummer;E-Mail-Adresse;Status;Bewertung;Zuletzt geändert (Abgabe)\n"
    "Teilnehmer/in1201;Ada Lovelace;ada;a@x.org;Abgegeben;;Mittwoch, 10. Juni 2026, 14:14\n"
    "Teilnehmer/in1202;Alan Turing;alan;b@x.org;Keine Abgabe;;-\n"
)
CANVAS = (
    'Student,ID,SIS User ID,SIS Login ID,Section,"Essay (17)"\n"    Points Possible",,,,,100\n'
    '"Lovelace, Ada",9001,,ada,A,\n"Turing, Alan",9002,,alan,A,\n"Student, Test",9003,,74ab,A,\n'
)
GRADESCOPE = "First Name,Last Name,SID,Email\nAda,Lovelace,ada,a@x.org\nAlan,Turing,alan,b@x.org\n"
LISTS = {
    "ours": OURS,
    "Moodle's participants": MOODLE_PEOPLE,
    "Moodle's worksheet": MOODLE_WORKSHEET,
    "Moodle's in German": GERMAN,
    "Moodle's worksheet in German": GERMAN_WORKSHEET,
    "Canvas' grade book": CANVAS,
    "Gradescope's": GRADESCOPE,
    "by e-mail": "Full name,Email\nAda Lovelace,ada\nAlan Turing,alan\n",
    "Excel's first line": "sep=;\r\n" + OURS.replace(",", ";").replace("\n", "\r\n"),
    "Excel's blank lines": OURS + ",,\n,,\n",
    "quoted": '"Id";"first name";"last name"\n"ada";"Ada";"Lovelace"\n"alan";"Alan";"Turing"\n',
}


def people(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "roster.csv"
    path.write_bytes(text.encode(encoding))
    return roster.read(path)


@pytest.mark.parametrize("kind", LISTS)
def test_a_class_list_of_every_kind_says_the_same(tmp_path, kind):
    found = people(tmp_path, LISTS[kind])
    assert {id: person.name for id, person in found.items()} == {"ada": "Ada Lovelace", "alan": "Alan Turing"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_a_class_list_in_every_encoding_that_spreadsheets_use(tmp_path, encoding):
    text = "id\tfirst_name\tlast_name\r\nkurt\tKurt\tGödel\r\n"
    assert people(tmp_path, text, encoding)["kurt"].name == "Kurt Gödel"


def test_a_number_that_a_spreadsheet_has_rounded_is_refused(tmp_path):
    with refused("1.23457E+11", "spreadsheet has rounded"):
        people(tmp_path, "id,last_name\n1.23457E+11,Lovelace\n")


NAMED = {
    "Ada Lovelace_55_assignsubmission_file_": "ada",
    "Lovelace Ada_55_assignsubmission_file_": "ada",
    "Group 3-Ada Lovelace_55_assignsubmission_file_": "ada",
    "Ada Lovelace_55_assignsubmission_file_spiral": "ada",
    "Participant_1201_assignsubmission_file_": "ada",
    "Alan Turing_1201_assignsubmission_file_": "ada",  # the number is surer than the name
    "lovelaceada_7_67890_spiral": "ada",
    "lovelaceada_LATE_7_67890_spiral-2": "ada",
    "anonymous_1202_67890_spiral": "alan",
    "ADA": "ada",
    "a@x.org": "ada",
    "Anne-Marie Noël_8_assignsubmission_file_": "0012",
    "noelannemarie_8_9_spiral": "0012",
    "nolannemarie_8_9_spiral": "0012",
    "12": "0012",
    "012": "0012",
    "Seán OBrien_9_assignsubmission_file_": "o",
    "O’Brien Seán_9_assignsubmission_file_": "o",
    "obriensen_8_9_spiral": "o",
    "Berg Lotte Van-der_9_assignsubmission_file_": "van",
    "vanderberglotte_8_9_spiral": "van",
    "Adela Alcove_55_assignsubmission_file_": None,  # the letters of Ada Lovelace
    "alcoveadela_8_9_spiral": None,
    "Eve Adams_9_assignsubmission_file_": None,
    "spiral": None,
}


@pytest.mark.parametrize("name", NAMED)
def test_whose_a_file_is(tmp_path, name):
    more = '"Participant 1203","Anne-Marie Noël",0012,c@x.org,,,12.00,-,-,\n,Seán O\'Brien,o\n,Lotte van der Berg,van\n'
    assert roster.Names(people(tmp_path, MOODLE_WORKSHEET + more)).whose(name) == NAMED[name]


def test_the_number_may_stand_in_another_export_than_the_roster(tmp_path):
    class_list = people(tmp_path, OURS)
    listed = {"ada": roster.Person("ada", number="1201")}
    names = roster.Names(class_list, lambda person: listed.get(person.id, person))
    assert names.whose("Participant_1201_assignsubmission_file_") == "ada"


def test_two_of_one_name_are_nobody_until_an_id_tells(tmp_path):
    names = roster.Names(people(tmp_path, OURS + "ada2,Ada,Lovelace\n"))
    assert names.whose("Ada Lovelace_55_assignsubmission_file_") is None
    assert names.whose("ada2") == "ada2"


def test_a_table_that_names_two_alike_tells_of_neither_and_leaves_the_id_as_it_is(tmp_path):
    (tmp_path / "sheet.csv").write_text('Full name,Handed in\nAda Lovelace,noon\n"Turing, Alan",-\n')
    (alan,) = roster.listed(tmp_path / "sheet.csv", people(tmp_path, OURS + "ada2,Ada,Lovelace\n")).values()
    assert (alan.id, alan.name, alan.time) == ("alan", "Alan Turing", "-")


def test_canvas_says_in_the_name_who_is_late():
    assert roster.is_late("lovelaceada_LATE_7_67890_spiral") and not roster.is_late("lovelaceada_7_67890_LATE_x")


@pytest.fixture
def made(tmp_path, monkeypatch):
    return toy.make_course(tmp_path / "course", monkeypatch)


TEAMS = "id,first_name,last_name,team\n"
TEAMS += "ada,Ada,Lovelace,red\nalan,Alan,Turing,red\ngrace,Grace,Hopper,\nemmy,Emmy,Noether,\n"


def test_a_download_in_a_folder_of_its_own_is_looked_into(made):
    for folder in ("Spiral 12-34/The ada_1_assignsubmission_file_", "alan", "more/nobody"):
        (made.root / "submitted" / folder).mkdir(parents=True)
        toy.hand_in(made, f"{folder}/spiral")
    toy.hand_in(made, "Spiral 12-34/thegrace_LATE_12_34_spiral")
    (made.root / "submitted/Spiral 12-34/.DS_Store").write_text("")
    found = {each.id: each.problem.status if each.problem else each.path.name for each in submission.survey(made)}
    graded = {"ada": "spiral.ipynb", "alan": "spiral.ipynb", "grace": "thegrace_LATE_12_34_spiral.ipynb"}
    assert found == graded | {"more": "unknown student"}


def test_a_folder_that_is_gone_is_missed_in_words(made):
    (made.root / "submitted").rmdir()
    with refused("submitted is missing", "make the folder again"):
        submission.survey(made)


def test_a_team_hands_in_once_and_each_member_has_the_grade(made):
    (made.root / "roster.csv").write_text(TEAMS)
    made = course.Course(made.root)
    assert made.roster == {"red": "Ada Lovelace, Alan Turing", "grace": "Grace Hopper", "emmy": "Emmy Noether"}
    toy.hand_in(made, "alan", toy.work("red"))
    toy.hand_in(made, "grace")
    assert [each.id for each in grade.grade(made, grade.changed(made))] == ["grace", "red"]
    marks.refresh(made)
    path = made.root / "marks.csv"
    unmarked = 'red,"Ada Lovelace, Alan Turing",One. Two. Three.,'
    path.write_text(path.read_text().replace(unmarked, unmarked + "1"))
    everyone = standing.standings(made)
    report.export(made, everyone)
    rows = {row["id"]: row for row in tables.read(made.root / "export/grades.csv")}
    assert [(row["id"], row["team"], row["total"]) for row in rows.values()] == [
        ("ada", "red", "3"), ("alan", "red", "3"), ("emmy", "", ""), ("grace", "", ""),
    ]  # fmt: skip
    written = list(feedback.feedback(made, feedback.addressed(made, everyone)))
    assert sorted(path.name for path in written) == ["ada.html", "alan.html", "grace.html"]
    assert "Ada Lovelace, Alan Turing" in written[-1].read_text()


def test_copies_of_one_file_by_a_team_are_one_and_others_are_asked_about(made):
    (made.root / "roster.csv").write_text(TEAMS)
    made = course.Course(made.root)
    for student in ("ada", "alan"):
        toy.hand_in(made, student, toy.work("red"))
    assert [each.problem for each in submission.survey(made)] == [None]
    toy.hand_in(made, "alan", toy.work("red", conclusions="Other."))
    (found,) = submission.survey(made)
    assert found.id == "red" and "ada.ipynb, alan.ipynb" in str(found.problem)


def test_the_teacher_is_told_which_id_the_students_type(tmp_path):
    moodle = "First name,Last name,ID number,Email address\nAda,Brandt,310121,a@x.org\nTom,Vogel,310122,t@x.org\n"
    assert "the column 'ID number': 310121, say." in roster.told(people(tmp_path, moodle))
    assert "the column 'id': ada, say. Those in a team" in roster.told(people(tmp_path, TEAMS))
