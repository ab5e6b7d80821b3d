"""The course directory: what is made, what is refused, and that nothing hidden reaches the students."""

import json
import subprocess
import sys
import zipfile

import nbformat
import pytest
import toy
from click.testing import CliRunner
from refusals import refused
from solved import release

from diffusion_course.homework import course
from diffusion_course.homework.prepare import leaks
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.run import cli


def call(*words):
    return CliRunner().invoke(cli.main, ["homework", *map(str, words)])


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "toy.ipynb"
    path.write_text(nbformat.writes(toy.source()))
    return path


@pytest.fixture
def made(tmp_path, source):
    return prepare.init(tmp_path / "course", source=source)


def test_init_makes_a_directory_with_all_that_the_next_step_needs(made, source):
    names = sorted(path.name for path in made.root.iterdir())
    assert names == ["homework.toml", "nbgrader_config.py", "roster.csv", "secret", "source", "submitted"]
    assert made.source.read_bytes() == source.read_bytes()
    assert made.root.stat().st_mode & 0o077 == 0  # the hidden tests are nobody else's
    assert made.roster == {"ada": "Ada Lovelace", "alan": "Alan Turing"}
    assert made.parts == {"double": 1, "triple": 1, "conclusions": 2}
    assert made.titles == {"double": "double (a part)", "triple": "triple (a part)", "conclusions": "Conclusions"}


def test_init_overwrites_nothing(made, source, tmp_path):
    before = {path: path.read_bytes() for path in made.root.rglob("*") if path.is_file()}
    with refused("is not empty", "nothing is ever overwritten"):
        prepare.init(made.root, source=source)
    assert {path: path.read_bytes() for path in made.root.rglob("*") if path.is_file()} == before
    (tmp_path / "file").write_text("mine")
    with refused("is not empty"):
        prepare.init(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert prepare.init(tmp_path / "empty", source=source).roster


@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        ("id\n../ada", ["../ada", "cannot be an id"]),
        ("id\na b", ["'a b'", "cannot be an id"]),
        ("id\n=1+1", ["'=1+1'", "cannot be an id"]),
        ('id,first_name\n,"Ada"', ["''", "cannot be an id"]),
        ("id\nada\nADA", ["'ada'", "'ADA'", "are the same"]),
        ("id,name\n007,A\n7,B", ["'007', the id of A, and '7', the id of B, are the same", "zeros"]),
        ("id,team\nada,\nx,Ada", ["'ada', the id", "'Ada', the team of x, are the same"]),
        ("id,team\nx,nord\ny,Nord", ["'nord', the team of x, and 'Nord', the team of y, are the same"]),
        ("name\nada", ["no column id"]),
        ("", ["no column id"]),
    ],
)
def test_a_roster_that_would_go_wrong_is_refused(made, rows, parts):
    (made.root / "roster.csv").write_text(rows)
    with refused("roster.csv", *parts):
        made.roster  # noqa: B018


def test_a_roster_that_is_missing_or_no_table(made):
    (made.root / "roster.csv").write_bytes(b"PK\x03\x04\x00\x81")
    with refused("roster.csv", "save it as CSV"):
        made.roster  # noqa: B018
    (made.root / "roster.csv").unlink()
    with refused("roster.csv is missing"):
        made.roster  # noqa: B018


def test_the_solution_is_a_lesson_without_marks_tests_or_delimiters(made):
    path = prepare.solution(made)
    text = path.read_text()
    assert "return 2 * x" in text and "It works." in text
    for hidden in ("nbgrader", "SOLUTION", "HIDDEN", "secret", "MARK SCHEME", "one point for this"):
        assert hidden not in text
    nbformat.validate(nbformat.read(path, 4))


def test_the_source_that_ships_makes_a_course(tmp_path):
    made = prepare.init(tmp_path / "course")
    assert sum(made.parts.values()) == 12 and made.parts["conclusions"] == 2
    assert len(set(made.titles.values())) == len(made.parts)
    text = prepare.solution(made).read_text()
    for hidden in ("nbgrader", "SOLUTION", "HIDDEN", "MARK SCHEME", "parts.grade"):
        assert hidden not in text


def test_grading_before_a_release_or_after_a_change_of_the_source_is_refused(tmp_path, monkeypatch, made):
    with refused("nothing is released yet"):
        made.require_release()
    other = toy.make_course(tmp_path / "other", monkeypatch)
    other.require_release()
    other.source.write_text(other.source.read_text().replace("Toy", "New toy"))
    with refused("was changed after the release", "homework release"):
        other.require_release()


def test_ids_stay_those_of_the_column_that_was_released(made):
    def read(number, column="ID number"):
        text = f"{column},Email,Name\n100,a@x.org,Ada L\n{number},c@x.org,New Comer\n"
        (made.root / "roster.csv").write_text(text)
        return course.Course(made.root)

    prepare.release(read(""))
    assert list(read("102").people) == ["a@x.org", "c@x.org"]
    made.release_note.unlink()
    prepare.release(read("102"))
    for command in ("grade", "status", "release"):
        assert "give New Comer one in the column 'ID number'" in call(command, read("").root).output
    with refused("the column 'ID number' at the release, now in 'Email'", "homework release"):
        read("102", "Phone").require_release()


def test_a_copy_for_each_student_has_the_id_filled_in(tmp_path, monkeypatch):
    made = toy.make_course(tmp_path / "course", monkeypatch)
    paths = prepare.release(made, each=True)
    assert [path.name for path in paths] == ["spiral.ipynb", "ada.ipynb", "alan.ipynb", "grace.ipynb"]
    assert 'STUDENT_ID = "alan"' == nbformat.read(paths[2], 4).cells[1].source


def test_nbgrader_makes_the_students_version_without_anything_hidden(made):
    path = prepare.release(made)[0]
    released = nbformat.read(path, 4)
    text = path.read_text()
    assert [cell.source for cell in released.cells if cell.cell_type == "code"] == [
        "STUDENT_ID = 'your id'  # your own",
        f"def double(x):\n    {toy.STUB}", "# double (a part)", f"def triple(x):\n    {toy.STUB}", "# triple (a part)",
    ]  # fmt: skip
    for hidden in ("return 2 * x", "secret", "MARK SCHEME", "It works", "HIDDEN"):
        assert hidden not in text
    made.source.write_text(made.source.read_text().replace("# Toy homework", "# Newer homework"))
    assert "Newer" in prepare.release(made)[0].read_text()  # a release may be made again


@pytest.mark.parametrize("content", ["", "{}", '{"cells": [{}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'])
def test_a_source_that_is_no_notebook_is_refused(made, content):
    made.source.write_text(content)
    with refused("spiral.ipynb is no notebook"):
        prepare.solution(made)


def test_what_nbgrader_refuses_is_shown(made):
    made.source.write_text(made.source.read_text().replace("### END SOLUTION", ""))
    with refused("could not make the student's version", "no end solution statement"):
        prepare.release(made)


def test_a_release_that_would_give_the_solution_away_is_refused(tmp_path, monkeypatch):
    made = toy.make_course(tmp_path / "course", monkeypatch)
    released = made.released.read_text()

    def releases(text, *parts):
        monkeypatch.setattr(prepare, "blanked", lambda source: nbformat.reads(text, 4))
        if not parts:
            return prepare.release(made)
        with refused("nothing is released", *parts):
            prepare.release(made)
        assert not made.released.exists()

    for old, new in (
        (toy.STUB, "return 3 * x  # as given"),  # another line than the solution's: nobody's secret
        ("# Toy homework", "[source](../../README.md)"),
    ):
        releases(released.replace(old, new))
    for link in ("https://example.org/github/O/diffusion-course/blob/x", "https://example.org/spiral.ipynb",
                 "git+https://example.org/O/mine"):  # fmt: skip
        releases(released.replace("# Toy homework", f"[open]({link})"), "release/spiral/spiral.ipynb links to", link)
    hidden = released.replace("# Toy homework", "print('✓ right'); secret = 21; 1.0")
    releases(hidden, "holds a line of what is hidden", "secret = 21")
    wheel = made.root / "release" / "course.whl"
    for name, content, told in (
        ("a/b/spiral.ipynb", made.source.read_text(), ["course.whl, a/b/spiral.ipynb", "hidden", "return 2 * x"]),
        ("a/lesson.ipynb", released, []),
    ):
        with zipfile.ZipFile(wheel, "w") as file:
            file.writestr(name, content)
        releases(released, *told)


def test_without_the_source_init_says_where_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "PACKAGE", tmp_path / "site-packages" / "diffusion_course")
    with refused("spiral.ipynb is missing", "clone the course", "--source"):
        prepare.init(tmp_path / "course")
    assert not (tmp_path / "course").exists()


def test_what_is_released_of_the_source_that_ships_gives_nothing_away(tmp_path):
    made = prepare.init(tmp_path / "course")
    cells, path = release(), made.released
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells.values()])
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
    assert leaks.leaks(made) == []
    path.write_bytes(made.source.read_bytes())
    assert any("linspace" in told for told in leaks.leaks(made))


def test_every_command_has_help_and_none_shows_a_traceback(tmp_path):
    told = call("--help").output
    for name in ("init", "release", "solution", "grade", "feedback", "export"):
        assert name in told
        assert call(name, "--help").exit_code == 0
        if name != "init":
            result = call(name, tmp_path)
            assert result.exit_code == 1 and "is no course directory" in result.output
            assert "Traceback" not in result.output
    assert "Error: Missing argument" in call("grade").output


def test_without_the_extra_the_shell_says_what_to_install():
    code = (
        "import sys; sys.modules['nbgrader'] = None\n"
        "from diffusion_course.run.cli import main\n"
        "main(['homework', 'grade', 'x'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1 and 'pip install "diffusion-course[homework]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_for_lessons_loads_nothing_of_the_homework():
    code = "import json, sys; import diffusion_course.run.cli; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {name for name in json.loads(done.stdout) if name.startswith(("nbgrader", "diffusion_course.homework"))}


def test_a_command_begins_without_what_is_slow_to_load():
    code = "import json, sys; import diffusion_course.homework.cli; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "nbgrader", "copydetect"} & set(json.loads(done.stdout))


def test_a_release_says_which_id_the_students_type(made):
    assert "the column 'id': ada, say." in call("release", made.root).output


def test_parts_stand_by_their_number_wherever_their_tests_are(tmp_path):
    titles = list(prepare.init(tmp_path / "course").titles.values())
    numbers = [int(title.split()[1]) for title in titles[:-1]]
    assert numbers == [1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9] and titles[-1] == "Conclusions"


ON_WINDOWS = """
import os, sys
import matplotlib.pyplot, nbgrader.utils, psutil, torch, tqdm
from click.testing import CliRunner
sys.modules |= dict.fromkeys(("fcntl", "resource", "pyseccomp"))
for name in ("O_NOFOLLOW", "O_NONBLOCK", "getloadavg", "geteuid", "killpg", "fork"):
    delattr(os, name)
sys.platform = "win32"
from diffusion_course.run import cli
for command in ("init", "release", "status", "feedback", "export", "solution"):
    done = CliRunner().invoke(cli.main, ["homework", command, sys.argv[1]])
    assert done.exit_code == 0, done.output
"""


@pytest.mark.long
def test_all_but_grading_runs_without_what_windows_lacks(tmp_path):
    subprocess.run([sys.executable, "-c", ON_WINDOWS, tmp_path / "course"], check=True)
