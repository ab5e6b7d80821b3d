"""What is handed in: every way to lay it down, and everything that is not a submission, has a name."""

import json
import os
import tracemalloc
from contextlib import suppress

import nbformat
import pytest
import toy

from diffusion_course.homework.collect import submission
from diffusion_course.homework.collect.submission import Problem


@pytest.fixture
def made(tmp_path, monkeypatch):
    return toy.make_course(tmp_path / "course", monkeypatch, students=("ada", "alan", "José", "0012"))


def status(made):
    return {each.id: each.problem.status if each.problem else each.path.name for each in submission.survey(made)}


def test_both_ways_to_lay_a_submission_down(made):
    toy.hand_in(made, "ada")
    (made.root / "submitted/alan/spiral").mkdir(parents=True)
    toy.hand_in(made, "alan/spiral/Mein Notebook (2)")
    (made.root / "submitted/alan/spiral/timestamp.txt").write_text("2026-01-01")
    (made.root / "submitted/alan/spiral/.ipynb_checkpoints").mkdir()
    toy.hand_in(made, "alan/spiral/.ipynb_checkpoints/spiral-checkpoint")
    toy.hand_in(made, "0012")
    toy.hand_in(made, "Jose\u0301")  # as macOS writes it
    assert status(made) == {
        "0012": "0012.ipynb",
        "José": "Jose\u0301.ipynb",
        "ada": "ada.ipynb",
        "alan": "Mein Notebook (2).ipynb",
    }


def test_what_cannot_be_graded_is_named_and_nothing_is_left_out(made):
    place = made.root / "submitted"
    for name in ("adda", "eve", "=cmd|' '!A0", "a b", "<b>", "x" * 65, "*", "no\nbreak", "-rf"):
        toy.hand_in(made, name)
    (place / "alan.zip").write_text("")
    (place / "ada").mkdir()
    (place / "ada" / "report.pdf").write_text("")
    toy.hand_in(made, "0012")
    (place / "0012").mkdir()
    toy.hand_in(made, "0012/again")
    (place / ".DS_Store").write_text("")
    (place / os.fsdecode(b"\xff.ipynb")).write_text("")
    assert status(made) == {
        **dict.fromkeys(["=cmd|' '!A0", "a b", "<b>", "x" * 65, "*", "no\ufffdbreak", "-rf"], "bad name"),
        **dict.fromkeys(["adda", "eve", "alan.zip"], "unknown student"),
        "\ufffd": "bad name",
        "ada": "no notebook",
        "0012": "several notebooks",
    }
    told = {each.id: str(each.problem) for each in submission.survey(made)}
    assert "did you mean ada" in told["adda"] and "0012.ipynb, 0012/again.ipynb" in told["0012"]


def test_a_folder_that_moodle_made_for_a_stranger_hands_in_for_nobody_else(made):
    folder = "Eve Stranger_99_assignsubmission_file_"
    (made.root / "submitted" / folder).mkdir()
    toy.hand_in(made, f"{folder}/ada")
    assert status(made) == {folder: "bad name"}


def test_only_a_plain_file_of_bounded_size_is_read(made, tmp_path):
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    for name, make in {
        "link": lambda path: path.symlink_to(secret),
        "pipe": os.mkfifo,
        "folder": os.mkdir,
        "none": lambda path: None,
    }.items():
        make(tmp_path / name)
        with pytest.raises(Problem) as caught:
            submission.read(tmp_path / name)
        assert caught.value.status == "unreadable"
    with open(tmp_path / "huge.ipynb", "wb") as file:
        file.truncate(2**30)  # a gigabyte, of which nothing is on the disk
    with pytest.raises(Problem, match="1,024 MB; 20 are allowed") as caught:
        submission.read(tmp_path / "huge.ipynb")
    assert caught.value.status == "too large"


def test_a_folder_that_is_a_link_is_not_followed(made, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.ipynb").write_text("{}")
    (made.root / "submitted" / "ada").symlink_to(tmp_path / "elsewhere")
    assert status(made) == {"ada": "no notebook"}


def test_a_folder_without_end_is_one_students_problem(made, monkeypatch):
    place = made.root.joinpath("submitted/ada", *["d"] * 60)
    place.mkdir(parents=True)
    (place / "spiral.ipynb").write_text("{}")
    assert status(made) == {"ada": "no notebook"}
    monkeypatch.setattr(submission, "MOST_FILES", 30)
    assert status(made) == {"ada": "too large"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter all")
def test_a_folder_that_may_not_be_entered_stops_nobody(made):
    folder = made.root / "submitted/eve"
    folder.mkdir()
    toy.hand_in(made, "eve/ada").parent.chmod(0o444)
    found = status(made)
    folder.chmod(0o755)
    assert found == {"ada": "ada.ipynb"}


def test_many_notebooks_of_one_student_cost_little_at_each_look(made, monkeypatch):
    monkeypatch.setattr(submission, "read", lambda path: pytest.fail("opened"))
    toy.hand_in(made, "alan")
    (made.root / "submitted/ada").mkdir()
    for i in range(30):
        toy.hand_in(made, f"ada/{i:02d}")
    ada, alan = submission.survey(made)
    assert str(ada.problem).endswith("ada/09.ipynb, and 20 more.") and not alan.problem


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x00\xff", b"PK\x03\x04", b"[1, 2]", b"3", b'{"cells": 5, "nbformat": 4}', b"{}", b"[" * 100_000,
        b'{"nbformat": 99, "nbformat_minor": 0, "metadata": {}, "cells": []}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": [1]}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": "",'
        b' "metadata": 7}]}',
    ],
)  # fmt: skip
def test_what_is_no_notebook_is_said_to_be_none(content):
    with pytest.raises(Problem) as caught:
        submission.parse(content)
    assert caught.value.status == "not a notebook"


def test_a_notebook_of_endless_cells_is_too_large():
    cells = [{"cell_type": "markdown", "source": ""}] * 1001
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    with pytest.raises(Problem, match="1,001 cells"):
        submission.parse(json.dumps(made).encode())


@pytest.mark.parametrize("place", ['"metadata": {"x": [%s0]}, "cells": []', '"metadata": {}, "cells": [%s0]'])
def test_a_file_of_tiny_objects_takes_little_memory(place):
    """Built as they stand in the file, they would take more than a hundred times its size."""
    content = ('{"nbformat": 4, "nbformat_minor": 5, %s}' % (place % ("{}," * 100_000))).encode()
    tracemalloc.start()
    with suppress(Problem):
        submission.parse(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * len(content)


def test_an_old_format_is_brought_up_to_date_with_its_cells():
    code = {"cell_type": "code", "language": "python", "input": "x = 1", "outputs": [], "collapsed": False}
    code["metadata"] = {"nbgrader": {"grade_id": "double"}}
    sheet = {"cells": [code], "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [sheet]}
    (cell,) = submission.parse(json.dumps(old).encode()).cells
    assert cell.source == "x = 1"
    staged = submission.stage(submission.parse(json.dumps(old).encode()), toy.released())
    assert staged.cells[0].metadata.nbgrader.grade_id == "double"


def staged(notebook):
    made = submission.stage(submission.parse(json.dumps(notebook).encode()), toy.released())
    nbformat.validate(made)
    return made


def names(notebook):
    return [cell.metadata.get("nbgrader", {}).get("grade_id", "") for cell in notebook.cells]


def test_an_honest_submission_keeps_its_order_and_its_text_but_no_outputs():
    given = toy.work()
    given.cells[2].outputs = [{"output_type": "stream", "name": "stdout", "text": "x" * 1000}]
    given.metadata["widgets"] = {"much": "x" * 1000}
    made = staged(given)
    assert names(made) == names(given)
    assert [cell.source for cell in made.cells] == [cell.source for cell in given.cells]
    assert "xxx" not in nbformat.writes(made)


def test_marks_come_from_the_release_whatever_a_submission_claims():
    given = toy.work()
    for cell in given.cells:
        claimed = {"points": 99, "grade": True, "solution": "yes"}
        cell.metadata["nbgrader"] = {**cell.metadata.get("nbgrader", {}), **claimed}
    given.cells[3].source = "print('✓ right'); 99.0"  # a test cell
    given.cells.append(toy.cell("9.0", "grade-invented", points=9))
    made = staged(given)
    expected = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader for cell in toy.released().cells[2:]}
    found = {name: cell.metadata.get("nbgrader") for name, cell in zip(names(made), made.cells, strict=True)}
    assert found == expected | {"": None}
    assert "99" not in made.cells[3].source and names(made)[-1] == ""


def test_deleted_duplicated_and_retyped_test_cells_stand_there_once():
    given = toy.work()
    given.cells[3].cell_type = "markdown"
    given.cells += [given.cells[5], given.cells[5]]
    assert sorted(filter(None, names(staged(given)))) == sorted(names(toy.released())[2:])
    del given.cells[3:4], given.cells[4:]
    made = staged(given)
    assert sorted(filter(None, names(made))) == sorted(names(toy.released())[2:])


def test_of_cells_with_the_same_id_the_last_one_counts():
    given = toy.work()
    given.cells.append(toy.cell("def double(x):\n    return x + x", "double", solution=True))
    made = staged(given)
    assert [cell.source[-12:] for cell, name in zip(made.cells, names(made), strict=True) if name == "double"] == [
        "return x + x"
    ]


def test_a_test_stands_behind_all_that_it_may_need_wherever_it_was_moved():
    given = toy.work()
    first, blank_id, double, of_double, triple, of_triple, text = given.cells
    given.cells = [of_triple, text, of_double, triple, double, blank_id, first]
    assert names(staged(given)) == ["conclusions", "triple", "double", "grade-double", "grade-triple", "", ""]
    end = ["conclusions", "grade-double", "grade-triple"]
    given.cells = [blank_id, of_double, triple, of_triple, first]  # double is gone: perhaps it has another id now
    assert names(staged(given)) == ["", "triple", "", *end]
    given.cells = [double, triple, first]  # the tests are gone
    assert names(staged(given)) == ["double", "triple", "", *end]
    given.cells = []
    assert names(staged(given)) == end


def test_a_test_stays_behind_the_plain_cells_before_it():
    """The training is run in a cell without marks, between the solution and its test."""
    given = toy.work()
    given.cells.insert(3, toy.new_code_cell("model = train()", id="run"))
    assert names(staged(given)) == names(given)


@pytest.mark.parametrize("keep", ["id", "metadata.id"])
def test_cells_are_known_by_their_own_id_where_an_editor_dropped_the_marks(keep):
    given = json.loads(nbformat.writes(toy.work()))
    for cell in given["cells"]:
        cell["metadata"] = {"id": cell["id"]} if keep == "metadata.id" else {}
        if keep == "metadata.id":  # as Colab saves it
            del cell["id"]
    assert names(staged(given)) == names(toy.released())


def test_half_a_character_does_not_stop_the_grader():
    given = toy.work(conclusions="A lone \ud800 surrogate.")
    assert "A lone ? surrogate." in nbformat.writes(staged(given))
