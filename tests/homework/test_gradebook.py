"""Records in files or in a real PostgreSQL: of two processes that write at once none loses any; all commands read."""

import multiprocessing
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
import toy
from click.testing import CliRunner
from refusals import refused

from diffusion_course.homework import course
from diffusion_course.homework.grading import records
from diffusion_course.homework.grading.gradebook import Database, Files
from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.prepare import settings
from diffusion_course.run import cli

BINARIES = [Path(shutil.which("initdb") or "/none").parent, *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]


@pytest.fixture(scope="module")
def address():
    """The address of a PostgreSQL of our own that listens on no port; skips where none is installed."""
    found = [path for path in BINARIES if (path / "initdb").is_file()]
    if not found:
        pytest.skip("there is no PostgreSQL here: apt-get install postgresql")
    place = tempfile.mkdtemp(prefix="gradebook-", dir="/tmp")  # short, for the name of a socket is
    become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    if become:
        shutil.chown(place, "postgres")
    data, options = f"{place}/data", f"-c listen_addresses='' -k {place} -c fsync=off"
    run = {"check": True, "stdout": subprocess.DEVNULL, "cwd": place}
    subprocess.run([*become, found[-1] / "initdb", "-D", data, "-U", "teacher", "-A", "trust", "-N"], **run)
    control = [*become, str(found[-1] / "pg_ctl"), "-D", data, "-l", f"{place}/log", "-w"]
    subprocess.run([*control, "-o", options, "start"], **run)
    yield f"postgresql://teacher@/postgres?host={place}"
    subprocess.run([*control, "-m", "immediate", "stop"], **run)
    shutil.rmtree(place)


def write(gradebook, worker):
    for i in range(500):
        gradebook.write(f"student-{worker}-{i}", f"points of {i}")
        gradebook.write("both", f"{worker} {i}" * 1000)


def lost(gradebook):
    """Which of 1,000 records are not there after two processes have written them at once, and one a thousand times."""
    workers = [multiprocessing.get_context("spawn").Process(target=write, args=(gradebook, name)) for name in "ab"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert gradebook.read("both") in ("a 499" * 1000, "b 499" * 1000)
    asked = {f"student-{worker}-{i}": f"points of {i}" for worker in "ab" for i in range(500)}
    return {student for student, points in asked.items() if gradebook.read(student) != points}


@pytest.mark.long
def test_files_lose_no_record(tmp_path):
    assert lost(Files(tmp_path)) == set()


@pytest.mark.long
def test_a_database_loses_no_record_and_keeps_classes_apart(address):
    assert lost(Database(address, "spiral-1")) == set()
    assert Database(address, "spiral-2").read("student-a-0") is None


def run(*words):
    done = CliRunner().invoke(cli.main, ["homework", *map(str, words)])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.long
def test_every_command_reads_the_database(address, tmp_path, monkeypatch):
    made = toy.make_course(tmp_path / "course", monkeypatch)
    (made.root / settings.FILE).write_text(f'[gradebook]\naddress = "{address}"')
    made = course.Course(made.root)
    for student in ("ada", "alan"):
        toy.hand_in(made, student)
    assert "2 looked at now" in run("grade", made.root, "--unsafe", "--jobs", "2")
    assert "0 looked at now" in run("grade", made.root, "--unsafe")
    assert "2 + sentences" in run("status", made.root) and "2 pages" in run("feedback", made.root)
    run("export", made.root)
    assert (made.root / "export/grades.csv").read_text(encoding="utf-8-sig").count("graded,") == 2
    assert not (made.grading / "records").exists()
    made.gradebook.write("ada", "no record")
    assert records.load(made, "ada") is None and records.load(made, "alan").parts["double"].points == 1


def test_an_address_is_written_by_init_and_what_is_none_is_refused(tmp_path):
    assert isinstance(prepare.init(tmp_path / "files").gradebook, Files)
    made = prepare.init(tmp_path / "base", gradebook="postgresql://db/x")
    assert made.settings.gradebook.address == made.gradebook.address == "postgresql://db/x"
    with refused("'mysql://db' is no address of a PostgreSQL database"):
        prepare.init(tmp_path / "other", gradebook="mysql://db")
    (made.root / settings.FILE).write_text('[gradebook]\naddress = "sqlite:///x"')
    with refused("address in [gradebook] cannot be 'sqlite:///x'"):
        settings.read(made.root / settings.FILE)


def test_a_database_that_does_not_answer_is_told_and_is_no_missing_record(tmp_path):
    made = prepare.init(tmp_path / "course", gradebook=f"postgresql://teacher@/x?host={tmp_path}")
    with refused("the gradebook's database cannot be used"):
        records.load(made, "ada")
