"""Grade whatever is there: several submissions at once, each in a process of its own, only what has changed.

A submission is staged (`submission.stage`), handed to a process (`run`), and what that found becomes its record. The
record is written last and whole: killed at any moment, the next run grades what has none. A submission that cannot be
graded gets a record that says why, and the others go on. Each is a job for a thread here, or for a worker of a Dask
cluster; a job whose worker is lost goes to another. Whoever grades it holds a lock on its log, and so do its processes,
which may outlive a job that was killed.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import IO

import nbformat

from .. import tables
from ..collect import submission
from ..collect.submission import Problem, Submission
from ..course import Course
from ..sandbox.walls import ONE_THREAD, stretched
from . import extra, records
from .records import FAILED, Record

if sys.platform != "win32":  # where nobody can grade, and all other commands run
    from fcntl import LOCK_EX, LOCK_NB, flock


LIMIT = 1200  # seconds for one submission; the limits inside (`run`) are far below
PATIENCE = 10  # seconds that a process has to end after an interruption
SCHEDULER = 30  # seconds until a scheduler that does not answer counts as not there


def changed(course: Course) -> list[Submission]:
    """The submissions that the next `grade` will grade: new ones, altered ones, all if the source or the kit is new."""
    return [found for found in submission.survey(course) if not found.problem and not _recorded(course, found)]


def asked(course: Course, ids: Iterable[str]) -> list[Submission]:
    """The submissions of these students, graded already or not. ValueError for one who has none that can be graded."""
    found, wanted = {each.id: each for each in submission.survey(course)}, {}
    for id in ids:
        hand = course.people[id].hand if id in course.people else id
        if hand not in course.roster:
            raise ValueError(f"{id!r} is not in the roster; an id is written as it stands there.")
        if hand not in found or found[hand].problem:
            raise ValueError(f"{id}: {found[hand].problem if hand in found else 'nothing is handed in.'}")
        wanted[hand] = found[hand]
    return list(wanted.values())


def grade(
    course: Course, waiting: list[Submission], jobs: int = 1, unsafe: bool = False, again: bool = False,
    at_work: dict[str, float] | None = None, cluster: str | None = None,
) -> Iterator[Record]:  # fmt: skip
    """Grade the submissions `waiting`; yields each record when it is made. Waits while another `grade` is at work.

    `jobs`: how many at once. `unsafe`: without the sandbox. `again`: also what has a record already. `at_work` is kept
    up to date: student → when the grading began. `cluster`: the address of a Dask scheduler whose workers grade, in
    place of this machine; they see the course directory under the same path. Raises ValueError if nothing is released.
    """
    course.require_release()
    with _alone(course), _workers(jobs, cluster) as pool:
        batch = _Batch(course, unsafe, again, course.fingerprint, {} if at_work is None else at_work)
        submitted = [pool.submit(batch.record, found) for found in waiting]
        try:
            for done in as_completed(submitted):
                yield done.result()
        except BaseException:  # Ctrl-C, or the caller stops early
            for job in submitted:
                job.cancel()
            batch.stopped.set()
            raise


@contextlib.contextmanager
def _workers(jobs: int, cluster: str | None) -> Iterator[Executor]:
    """What grades `jobs` submissions at once here, or with the workers of a scheduler. ValueError if there is none."""
    if cluster is None:
        with ThreadPoolExecutor(jobs) as pool:
            yield pool
        return
    with extra("cluster"):
        from distributed import Client
    try:
        client = Client(cluster, timeout=SCHEDULER)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"no Dask scheduler answers at {cluster!r} ({error}). `dask scheduler` starts one and says its address, "
            "such as tcp://192.168.0.1:8786."
        ) from error
    with client, client.get_executor(pure=False) as pool:
        yield pool


@contextlib.contextmanager
def _alone(course: Course):
    """Hold the lock of this course. What a killed `grade` left at work is waited for."""
    ours, *logs = _locks(course)
    with open(ours, "a") as lock:
        flock(lock, LOCK_EX)
        for path in logs:
            with open(path, "a") as log:
                flock(log, LOCK_EX)
        yield


def busy(course: Course) -> bool:
    """Is another `grade` at work in this directory, or what one has begun?"""
    if sys.platform == "win32":
        return False
    try:
        for path in _locks(course):
            with open(path, "a") as lock:
                flock(lock, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _locks(course: Course) -> list[Path]:
    """The files that are locked during the work: that of the course, and the log of each submission."""
    course.grading.mkdir(mode=0o700, exist_ok=True)
    return [course.grading / "lock", *(course.grading / "logs").glob("*.log")]


def _recorded(course: Course, found: Submission) -> Record | None:
    """The record of this very submission by this very kit, if there is one; not of a fault of ours."""
    record, digest = records.load(course, found.id), submission.digest(found.path)[0]
    same = record and (record.submission, record.kit) == (digest, course.fingerprint)
    return record if same and record.status != FAILED else None


class _Batch:
    """The processes at work on one course. `kit` is the fingerprint that the course must have where they work."""

    def __init__(self, course: Course, unsafe: bool, again: bool, kit: str, at_work: dict[str, float]):
        self.course, self.unsafe, self.again, self.kit, self.at_work = course, unsafe, again, kit, at_work
        self.released = nbformat.read(course.released, as_version=4)
        self.stopped = Event()  # then what is at work is ended, and graded by the next run

    def __reduce__(self):
        """On another machine everything is read anew, and nothing is at work yet."""
        return _Batch, (Course(self.course.root), self.unsafe, self.again, self.kit, {})

    def record(self, found: Submission) -> Record:
        """Grade one submission; never raises for what a student handed in."""
        made = _recorded(self.course, found)  # by the `grade` that we have waited for
        if made and not self.again:
            return made
        began = self.at_work[found.id] = time.monotonic()
        digest, content = submission.digest(found.path)
        try:
            if self.kit != self.course.fingerprint:
                raise ValueError("this worker has another version of the course: install the same everywhere")
            if isinstance(content, Problem):
                raise content
            told = self._graded(found.id, submission.stage(submission.parse(content), self.released))
        except Problem as problem:
            told = {"status": problem.status, "reason": str(problem)}
        except InterruptedError:
            raise
        except Exception as error:  # ours, whatever it is: the others are graded all the same
            told = {"status": FAILED, "reason": tables.visible(f"{type(error).__name__}: {error}"[:300])}
        finally:
            self.at_work.pop(found.id)
        seconds = round(time.monotonic() - began, 2)
        record = Record(found.id, digest, self.course.fingerprint, seconds=seconds, **told)
        record.save(self.course)
        return record

    def _graded(self, student: str, staged: nbformat.NotebookNode) -> dict:
        """What is found in the staged notebook, as the fields of a record."""
        path, log = self.course.grading / "ran" / f"{student}.ipynb", self.course.grading / "logs" / f"{student}.log"
        log.parent.mkdir(exist_ok=True)
        with open(log, "a") as file:
            flock(file, LOCK_EX)  # inherited by the process, which writes into it
            file.truncate(0)
            tables.replace(path, nbformat.writes(staged).encode())
            words = self.course.runner(student, str(path), *(["--unsafe"] if self.unsafe else []))
            failed = self._process(words, file)
        if failed:
            return {"status": FAILED, "reason": f"{_last_line(log)} (all of it: {log.relative_to(self.course.root)})"}
        return records.outcome(nbformat.read(path, as_version=4), self.course.answers)

    def _process(self, command: list[str], log: IO) -> int:
        """The exit status of a process. InterruptedError if the grading is stopped."""
        if self.stopped.is_set():
            raise InterruptedError("this grading was stopped.")
        process = subprocess.Popen(
            command, cwd=self.course.root, env=os.environ | ONE_THREAD, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
        began, waited = time.monotonic(), 0.0
        while process.returncode is None and waited < stretched(LIMIT) and not self.stopped.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
            waited = time.monotonic() - began
        if process.returncode is None:
            _end(process)
            log.write(f"stopped after {waited:.1f} seconds\n")
        if self.stopped.is_set():
            raise InterruptedError("this grading was stopped.")
        return process.returncode


def _end(process: subprocess.Popen) -> None:
    """Ask a process to end, so that it closes its sandbox; then end it and its group."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() or ["it ended without a word"]
    return tables.visible(([line for line in lines if "Error" in line] or lines)[-1].strip()[:300])
