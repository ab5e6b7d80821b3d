"""Grading by the workers of a Dask cluster: the same records, and none lost with a worker."""

import os
import pickle
import signal

import pytest
import toy
from click.testing import CliRunner

from diffusion_course.homework.grading import grade, records
from diffusion_course.run import cli

distributed = pytest.importorskip("distributed")
STUDENTS = [f"student-{k}" for k in range(6)]
PRELOAD = f"""
import sys
from diffusion_course.homework import course
course.Course.runner = lambda self, *words: [sys.executable, "-S", {str(toy.RUN)!r}, *words]
"""


@pytest.fixture
def made(tmp_path, monkeypatch):
    return toy.make_course(tmp_path / "course", monkeypatch, STUDENTS)


def test_the_work_can_be_sent_to_another_machine(made):
    toy.hand_in(made, "student-0")
    (found,) = grade.changed(made)
    batch = grade._Batch(made, unsafe=False, again=False, kit=made.fingerprint, at_work={"student-1": 1.0})
    sent = pickle.loads(pickle.dumps(batch))
    assert sent.at_work == {} and sent.record(found).status == records.GRADED
    sent.kit, sent.again = "of another version", True
    refused = sent.record(found)
    assert refused.status == records.FAILED and "install the same everywhere" in refused.reason


def test_an_address_where_nobody_answers_is_told(made, monkeypatch):
    monkeypatch.setattr(grade, "SCHEDULER", 0.5)
    toy.hand_in(made, "student-0")
    for address in ("tcp://127.0.0.1:9", "no address"):
        result = CliRunner().invoke(cli.main, ["homework", "grade", str(made.root), "--cluster", address])
        assert result.exit_code == 1 and f"no Dask scheduler answers at '{address}'" in result.output


@pytest.mark.long
def test_a_worker_that_is_killed_loses_no_submission(made, tmp_path):
    (tmp_path / "preload.py").write_text(PRELOAD)
    for student in STUDENTS:
        toy.hand_in(made, student, toy.work(student, "sleep"))
    options = {"host": "127.0.0.1", "dashboard_address": None, "preload": str(tmp_path / "preload.py")}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        with distributed.Client(cluster) as client:
            victim = min(client.run(os.getpid).values())
        done = grade.grade(made, grade.changed(made), cluster=cluster.scheduler_address)
        first = next(done)
        os.kill(victim, signal.SIGKILL)
        found = {each.id: each.status for each in [first, *done]}
    assert found == dict.fromkeys(STUDENTS, records.GRADED)
    assert {student: records.load(made, student).status for student in STUDENTS} == found
    begun = [line.split() for line in (made.root / "calls.txt").read_text().splitlines()]
    twice = [student for student in STUDENTS if sum(line[0] == student and len(line) == 2 for line in begun) == 2]
    assert len(twice) <= 1  # the one that the killed worker had begun, if it was not between two
    for student in twice:  # what it had begun came to its end before another began
        assert [len(line) for line in begun if line[0] == student] == [2, 3, 2, 3]
    assert not grade.busy(made)
