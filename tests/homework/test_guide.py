"""The teacher's guide, followed from an empty folder: every command as it stands there, the test plays the others."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from diffusion_course.homework import assignments, course
from diffusion_course.homework.collect import submission
from diffusion_course.homework.grading import local, records
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.report import standing

GUIDE = prepare.shipped().with_name("GUIDE.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```bash\n(.*?)```", GUIDE, re.S)
MARKS = "ada,1.5,,Well said; quote the numbers of 1000 steps too.", "alan,0,-0.5,"
WORKSHEET = "Identifier,Full name,Grade,Feedback comments\nParticipant 4711,Ada Lovelace,,\n"


def follow(folder, command):
    """Run one block of the guide in a shell, as the teacher would."""
    scripts = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"], "OMP_NUM_THREADS": "1"}
    done = subprocess.run(["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, command + done.stdout + done.stderr
    return done.stdout


def students_work(folder, made):
    """Ada has the solution, Alan an untouched notebook, Grace a PDF; Emmy hands in nothing, a stranger something.

    Ada's comes in a folder of Moodle's, Alan's under a name of Canvas'.
    """
    moodle = folder / "handed-in/Ada Lovelace_4711_assignsubmission_file_"
    moodle.mkdir(parents=True)
    solved = nbformat.read(made.root / "release/each/ada.ipynb", 4)
    answers = {cell.id: cell.source for cell in nbformat.read(made.root / "solution/spiral.ipynb", 4).cells}
    for cell in solved.cells:
        if cell.id != "student-id":
            cell.source = answers.get(cell.id, cell.source)
    nbformat.write(solved, moodle / "my homework (2).ipynb")
    (folder / "handed-in/turingalan_12_345_spiral.ipynb").write_bytes(
        (made.root / "release/each/alan.ipynb").read_bytes()
    )
    (folder / "handed-in/grace.ipynb").write_bytes(b"%PDF-1.7")
    (folder / "handed-in/eve.ipynb").write_bytes(b"{}")


def teacher_marks(made):
    """Two rows are filled in, in a spreadsheet that writes semicolons."""
    path = made.root / "marks.csv"
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    given = {line.split(",")[0]: line.split(",")[1:] for line in MARKS}
    for row in rows:
        row["points"], row["correction"], row["comment"] = given[row["id"]]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.long
def test_the_guide_word_for_word(tmp_path, walled):
    init, release, solution, collect, grade, status, feedback, export = COMMANDS
    follow(tmp_path, init)
    made = course.Course(tmp_path / "spiral-2026")
    (made.root / "roster.csv").write_text(re.search(r"```csv\n(.*?)```", GUIDE, re.S)[1])
    follow(tmp_path, release)
    follow(tmp_path, solution)
    students_work(tmp_path, made)
    follow(tmp_path, collect)
    told = follow(tmp_path, grade)
    assert "grace: not a notebook." in told and "eve: unknown student." in told
    assert follow(tmp_path, grade).count("0 looked at now") == 1
    assert "to look at: eve, grace." in follow(tmp_path, status)
    teacher_marks(made)
    (made.root / "worksheet.csv").write_text(WORKSHEET)
    assert "3 pages" in follow(tmp_path, feedback)
    follow(tmp_path, export)
    with open(made.root / "export/grades.csv", newline="", encoding="utf-8-sig") as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert {student: row["status"] for student, row in rows.items()} == {
        "ada": "graded",
        "alan": "graded",
        "emmy": "not submitted",
        "eve": "unknown student",
        "grace": "not a notebook",
    }
    assert {student: row["total"] for student, row in rows.items() if row["total"]} == {"ada": "11.5", "alan": "0"}
    with open(made.root / "export/moodle.csv", newline="", encoding="utf-8-sig") as file:
        assert [(row["Identifier"], row["Grade"]) for row in csv.DictReader(file)] == [("Participant 4711", "11.5")]
    page = (made.root / "feedback/ada.html").read_text()
    assert "11.5 of 12" in page and "Well said" in page and 'alt="Point clouds' in page
    assert "1000 steps" in page and "BEGIN" not in page


def test_every_status_that_there_is_stands_in_the_guide():
    table = GUIDE.split("| Status |")[1].split("\n\n")[0]
    told = {status for row in re.findall(r"^\| ([a-z ,]+) \|", table, re.M) for status in row.split(", ")}
    problems = set(re.findall(r'Problem\(\s*"([a-z ]+)"', Path(submission.__file__).read_text()))
    ours = {records.GRADED, records.FAILED, standing.NOT_SUBMITTED, standing.NOT_GRADED, "ended early"}
    assert told == problems | ours


def test_every_command_that_there_is_stands_in_the_guide():
    from diffusion_course.homework.cli import homework

    assert {block.split()[2] for block in COMMANDS if block.startswith("diffusion")} == set(homework.commands)


@pytest.mark.parametrize("assignment", assignments.ASSIGNMENTS)
def test_the_mark_scheme_of_the_guide_is_that_of_the_source(assignment):
    source = next(cell.source for cell in local.source_cells(assignment) if cell.id == "conclusions")
    scheme = re.findall(r"^- ½.*", source.split("BEGIN MARK SCHEME")[1], re.M)
    assert len(scheme) == 2 and all(line in " ".join(GUIDE.split()) for line in scheme)


def test_what_the_guide_says_of_the_points_holds(tmp_path):
    made = prepare.init(tmp_path / "course")
    assert "Twelve points: ten are given by the machine" in GUIDE and "from 0 to 2" in " ".join(GUIDE.split())
    assert sum(made.parts.values()) == 12 and made.parts["conclusions"] == 2
    assert f"more than {submission.LARGEST >> 20} MB" in GUIDE
