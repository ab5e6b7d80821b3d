"""The batch: only what changed, several at once, nothing lost by a crash, no submission that stops the others."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import toy
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_output

from diffusion_course.homework.course import is_test
from diffusion_course.homework.grading import grade, progress, records
from diffusion_course.homework.grading.records import Part
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.sandbox import sandbox
from diffusion_course.run import cli

HERE = Path(__file__).parent


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "Sandbox", Sandbox)
    return toy.make_course(tmp_path / "course", monkeypatch)


class Sandbox:
    """One that starts."""

    def __init__(self, secret, unsafe=False):
        pass

    def close(self):
        pass


def run(made, **options):
    return {each.id: each for each in grade.grade(made, grade.changed(made), **options)}


def calls(made):
    return [line.split()[0] for line in (made.root / "calls.txt").read_text().splitlines() if "done" not in line]


def test_points_messages_text_and_code_are_recorded(made):
    says = "clouds points 0.5 says ✗ double: a sign is wrong. Yours gives −2."
    toy.hand_in(made, "ada", toy.work("ada", says, conclusions="One."))
    (found,) = run(made).values()
    assert found == records.load(made, "ada")
    assert list(found.samples) == ["10", "50", "1000"]
    assert found.status == "graded" and found.conclusions == "One." and "return 3 * x" in found.code
    assert found.parts["double"] == Part(0.5, "✗ double: a sign is wrong. Yours gives −2.")
    assert found.parts["double"].fault == "a sign is wrong"
    assert found.parts["conclusions"] == Part(None, "")  # waits for the teacher
    assert 0 < found.seconds < 60


def test_an_untouched_text_is_not_attempted_and_a_died_process_says_so(made):
    toy.hand_in(made, "ada", toy.released())
    toy.hand_in(made, "alan", toy.work("alan", "early"))
    found = run(made)
    assert found["ada"].parts["conclusions"] == Part(0, "○ not attempted")
    assert found["alan"].status == "ended early" and found["alan"].reason == "It took too much memory."
    assert found["alan"].parts["double"].points == 1


def test_a_second_run_grades_nothing_and_a_change_only_what_changed(made):
    for student in ("ada", "alan"):
        toy.hand_in(made, student)
    assert run(made).keys() == {"ada", "alan"}
    assert run(made) == {} and calls(made) == ["ada", "alan"]
    toy.hand_in(made, "ada", toy.work(conclusions="Better."))
    os.utime(made.root / "submitted/alan.ipynb")  # saved again, the same
    assert run(made)["ada"].conclusions == "Better." and calls(made) == ["ada", "alan", "ada"]


def test_a_new_source_or_a_new_kit_grades_everything_again(made, monkeypatch):
    toy.hand_in(made, "ada")
    run(made)
    made.source.write_text(made.source.read_text().replace("Toy", "New toy"))
    prepare.release(made)
    again = type(made)(made.root)
    assert again.fingerprint != made.fingerprint and run(again).keys() == {"ada"}
    monkeypatch.setattr("diffusion_course.homework.course.PACKAGE", HERE)  # other code
    assert len(grade.changed(type(made)(made.root))) == 1


def test_what_cannot_be_graded_does_not_stop_the_others(made):
    toy.hand_in(made, "ada", b"%PDF-1.7")
    toy.hand_in(made, "alan", toy.work("alan", "fail"))
    toy.hand_in(made, "grace")
    toy.hand_in(made, "nobody")
    found = run(made)
    assert {student: each.status for student, each in found.items()} == {
        "ada": "not a notebook",
        "alan": records.FAILED,
        "grace": "graded",
    }
    assert "ToyError: the stand-in fails" in found["alan"].reason and not found["alan"].parts
    assert [each.id for each in grade.changed(made)] == ["alan"]  # the grader's failure is tried again, no other


def test_several_are_graded_at_once(made):
    for student in made.roster:
        toy.hand_in(made, student, toy.work(student, "sleep"))
    run(made, jobs=3)
    lines = (made.root / "calls.txt").read_text().splitlines()
    assert all("done" not in line for line in lines[:3])  # all have begun before the first ends


def test_a_submission_that_never_ends_is_stopped(made, monkeypatch):
    monkeypatch.setattr(grade, "LIMIT", 0.5)
    monkeypatch.setattr(grade, "stretched", lambda seconds, real=grade.stretched: 3 * real(seconds))
    toy.hand_in(made, "ada", toy.work(says="hang"))
    toy.hand_in(made, "alan")
    found = run(made)
    assert found["ada"].status == records.FAILED and found["alan"].status == "graded"
    (waited,) = re.findall("stopped after (.+) seconds", (made.grading / "logs/ada.log").read_text())
    assert 1.5 <= float(waited) < 60


def test_an_interruption_ends_what_is_at_work_and_the_next_run_takes_it_up(made):
    toy.hand_in(made, "ada")
    toy.hand_in(made, "alan", toy.work("alan", "hang"))
    batch = grade.grade(made, grade.changed(made), jobs=2)
    assert next(batch).id == "ada"
    with pytest.raises(KeyboardInterrupt):
        batch.throw(KeyboardInterrupt)
    assert not grade.busy(made)
    assert [each.id for each in grade.changed(made)] == ["alan"]


def test_an_interruption_before_a_process_has_begun_starts_none(made):
    toy.hand_in(made, "ada", toy.work(says="hang"))
    batch = grade._Batch(made, unsafe=True, again=False, kit=made.fingerprint, at_work={})
    batch.stopped.set()
    (found,) = grade.changed(made)
    with pytest.raises(InterruptedError):
        batch.record(found)
    assert not (made.root / "calls.txt").exists() and grade.changed(made) == [found]


def test_a_killed_run_loses_nothing_and_what_it_began_is_waited_for(made):
    """kill -9 in the middle: what was graded stays, nothing is half written, the rest is graded by the next run."""
    toy.hand_in(made, "ada")
    toy.hand_in(made, "alan", toy.work("alan", "sleep"))
    toy.hand_in(made, "grace")
    code = (
        "import sys\nfrom diffusion_course.homework import course\n"
        "from diffusion_course.homework.grading import grade\n"
        f"course.Course.runner = lambda self, *words: [sys.executable, '-S', {str(toy.RUN)!r}, *words]\n"
        f"made = course.Course({str(made.root)!r})\n"
        "for each in grade.grade(made, grade.changed(made)): print(each.id, flush=True)"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "ada\n"
    while calls(made) != ["ada", "alan"]:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.communicate()
    first = records.load(made, "ada")
    assert records.load(made, "alan") is None and grade.busy(made)  # its process is still at work
    assert run(made).keys() == {"alan", "grace"}
    assert calls(made) == ["ada", "alan", "alan", "grace"]  # the second only after the first had ended
    assert records.load(made, "ada") == first
    assert not list(made.grading.rglob("*.part"))


def test_two_runs_at_once_grade_each_submission_once(made):
    for student in made.roster:
        toy.hand_in(made, student)
    first, second = (grade.grade(made, grade.changed(made)) for _ in range(2))
    assert len(list(first)) == len(list(second)) == 3
    assert len(calls(made)) == 3


def test_a_record_that_is_damaged_or_of_another_version_is_made_again(made):
    toy.hand_in(made, "ada")
    run(made)
    path = made.grading / "records/ada.json"
    for content in ("", "{", "[]", '{"id": "ada"}', json.dumps(json.loads(path.read_text()) | {"more": 1})):
        path.write_text(content)
        assert [each.id for each in grade.changed(made)] == ["ada"]


def test_the_shell_tells_what_was_graded_and_what_was_not(made):
    toy.hand_in(made, "ada", b"{}")
    toy.hand_in(made, "alan", toy.work("alan"))
    toy.hand_in(made, "no\x1b[31mbody")
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root), "--jobs", "2"])
    assert result.exit_code == 0, result.output
    assert "ada: not a notebook." in result.output and "body: bad name." in result.output
    assert "2 looked at now, 3 under submitted/, 3 students." in result.output and "1 wait for points" in result.output
    assert "\x1b[31m" not in result.output
    toy.hand_in(made, "grace", toy.work("grace", "fail"))
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root)])
    assert result.exit_code == 1 and "the grader failed, and will try again next time: grace." in result.output


def test_where_the_sandbox_does_not_start_nobody_is_graded(made, monkeypatch):
    def missing(secret, unsafe=False):
        raise sandbox.SandboxError("There is no bwrap here.")

    monkeypatch.setattr(sandbox, "Sandbox", missing)
    toy.hand_in(made, "ada")
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root)])
    assert result.exit_code == 1 and "There is no bwrap here." in result.output
    assert records.load(made, "ada") is None and not (made.root / "marks.csv").exists()


def test_a_table_of_marks_that_cannot_be_read_is_told_before_the_work(made):
    toy.hand_in(made, "ada")
    (made.root / "marks.csv").write_bytes(b"id;\x00\x81")
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root)])
    assert result.exit_code == 1 and "save it as CSV in UTF-8" in result.output
    assert not (made.root / "calls.txt").exists()


def test_an_interruption_is_told(made, monkeypatch):
    toy.hand_in(made, "ada")
    again = ["homework", "grade", str(made.root)]
    with monkeypatch.context() as patch:
        patch.setattr(grade, "grade", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        result = CliRunner().invoke(cli.main, again)
    assert result.exit_code == 1 and "the same command goes on" in result.output
    assert CliRunner().invoke(cli.main, again).exit_code == 0


@pytest.mark.parametrize(("terminal", "total", "shown"), [(True, 1, True), (False, 1, False), (True, 0, False)])
def test_a_bar_is_shown_in_a_terminal_where_there_is_something_to_do(monkeypatch, terminal, total, shown):
    screen = io.StringIO()
    screen.isatty = lambda: terminal
    monkeypatch.setattr(sys, "stderr", screen)
    list(progress.bar(range(total), total, {}))
    assert ("submission" in screen.getvalue()) == shown


def test_one_student_is_graded_again_and_nobody_else(made):
    for student in ("ada", "alan"):
        toy.hand_in(made, student)
    toy.hand_in(made, "grace", b"{}")
    (made.root / "submitted/grace.ipynb").rename(made.root / "submitted/grace.zip")
    run(made)
    words = ["homework", "grade", str(made.root), "--student"]
    assert "1 looked at now" in CliRunner().invoke(cli.main, [*words, "ada"]).output
    assert calls(made) == ["ada", "alan", "ada"]
    for student, told in {"eve": "'eve' is not in the roster", "grace": "grace: nothing is handed in"}.items():
        result = CliRunner().invoke(cli.main, [*words, student])
        assert result.exit_code == 1 and told in result.output
    assert calls(made) == ["ada", "alan", "ada"]


def test_who_is_at_work_is_told_while_it_lasts(made, monkeypatch):
    at_work, seen = {}, []
    monkeypatch.setattr(grade._Batch, "_graded", lambda *_: seen.append(list(at_work)) or {"status": "graded"})
    for student in ("ada", "alan"):
        toy.hand_in(made, student)
    list(grade.grade(made, grade.changed(made), at_work=at_work))
    assert seen == [["ada"], ["alan"]] and at_work == {}
    now = time.monotonic()
    told = progress.at_work_now({"alan": now - 3, "ada": now - 12, "eve": now, "grace": now, "x": now})
    assert told == "ada 12 s, alan 3 s, eve 0 s, and 2 more"


def test_the_bar_lives_from_the_first_second(made, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    toy.hand_in(made, "ada", toy.work(says="sleep"))
    at_work = {}
    list(progress.bar(grade.grade(made, grade.changed(made), at_work=at_work), 1, at_work))
    assert re.search(r"0/1 .*ada 1 s", capsys.readouterr().err)


def test_status_says_how_far_everyone_is_and_what_is_left(made):
    toy.hand_in(made, "ada")
    toy.hand_in(made, "alan", toy.work("alan", "early"))
    run(made)
    toy.hand_in(made, "grace")
    toy.hand_in(made, "no\x1b[31mbody")
    result = CliRunner().invoke(cli.main, ["homework", "status", str(made.root)])
    assert result.exit_code == 0, result.output
    told = [" ".join(line.split()) for line in result.output.splitlines()]
    assert told[:3] == [
        "ada The ada 2 + sentences graded",
        "alan The alan 2 + sentences ended early. It took too much memory.",
        "grace The grace not graded yet",
    ]
    assert f"1 to grade: `diffusion-course homework grade {made.root}`." in told and "\x1b" not in result.output
    assert any(line.startswith("2 wait for points in") for line in told)
    assert any(line.startswith("2 to look at: alan, no") for line in told)


def test_a_test_that_printed_nothing_says_how_it_ended():
    cell = toy.grading("double", "1.0")
    cell.outputs = [toy.nbformat.v4.new_output("error", ename="MemoryError", evalue="", traceback=[])]
    assert records.judged(cell) == Part(0, "✗ nothing could be tested: the test ended in MemoryError")


@pytest.mark.long
def test_the_real_route_from_init_to_points(tmp_path):
    """The sandbox and both processes: two students and one who is nobody."""
    path = tmp_path / "toy.ipynb"
    source = toy.source()
    source.cells[3].source = source.cells[3].source.replace("1.0", "float(student.call('double', 21) == 42)")
    path.write_text(toy.nbformat.writes(source))
    made = prepare.init(tmp_path / "course", source=path)
    prepare.release(made)
    toy.hand_in(made, "ada", toy.work(conclusions="It doubles."))
    toy.hand_in(made, "alan", made.released.read_bytes())
    result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root), "--jobs", "2"])
    assert result.exit_code == 0, result.output
    ada, alan = (records.load(made, student) for student in ("ada", "alan"))
    assert ada.parts == {"double": Part(1, "✓ right"), "triple": Part(1, "✓ right"), "conclusions": Part(None, "")}
    assert alan.parts["double"].points == 0 and alan.parts["conclusions"] == Part(0, "○ not attempted")
    assert grade.changed(made) == []


def test_blanks_whose_work_is_done_and_cells_that_cannot_be_read_are_told():
    made = toy.work()
    made.cells += [new_code_cell("def train(x):\n    raise NotImplementedError"), new_code_cell("x = (")]
    for cell in made.cells:
        cell.outputs = [new_output("stream", name="stdout", text="✓ right")] if is_test(cell) else cell.get("outputs")
    made.cells[3].metadata.nbgrader.grade_id = "grade-training"
    made.metadata["homework"] = {"errors": []}
    told = records.outcome(made, ["double", "train"])
    assert told["uses"] == ["train (blank, and its work is done)", f"cell {len(made.cells)} (ran, unread)"]
    assert told["reason"] == records.STRANGE.format([len(made.cells)])
    made.metadata["homework"]["errors"] = [len(made.cells) - 1]
    assert records.outcome(made, ["double"])["uses"] == []
