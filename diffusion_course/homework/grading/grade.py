"""Grade whatever is there: several submissions at once, each in a process of its own, only what has changed.

A submission is staged (`submission.stage`), handed to a process (`run`), and what that found becomes its record. The
record is written last and whole: killed at any moment, the next run grades what has none. A submission that cannot be
graded gets a record that says why, and the others go on. Each is a job for `engine`, here or on another machine;
whoever grades it holds a lock on its log, and so do its processes, which may outlive a job that was killed.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import as_completed
from pathlib import Path
from threading import Lock

import nbformat

from .. import tables
from ..collect import submission
from ..collect.submission import Problem, Submission
from ..course import Course, is_test, part_of
from ..report import answers
from ..sandbox.walls import ONE_THREAD, stretched
from . import records
from .engine import engine
from .records import FAILED, GRADED, Part, Record

LIMIT = 1200  # seconds for one submission; the limits inside (`run`) are far below
PATIENCE = 10  # seconds that a process has to end after an interruption
BLANK = "No part was attempted: perhaps the wrong file."
STRANGE = "These cells ran, and are no Python that the grader can read, so your teacher will look at them: {}."
LONGEST, LINE, REMARKS = 100_000, 500, 50  # of a record: characters of a text and of a line, lines on a student's code


def changed(course: Course) -> list[Submission]:
    """The submissions that the next `grade` will grade: new ones, altered ones, all if the source or the kit is new."""
    return [found for found in submission.survey(course) if not found.problem and not _recorded(course, found)]


def asked(course: Course, ids: Iterable[str]) -> list[Submission]:
    """The submissions of these students, graded already or not. ValueError for one who has none that can be graded."""
    found, told = {each.id: each for each in submission.survey(course)}, []
    for id in ids:
        hand = course.people[id].hand if id in course.people else id
        if hand not in course.roster:
            raise ValueError(f"{id!r} is not in the roster; an id is written as it stands there.")
        if hand not in found or found[hand].problem:
            raise ValueError(f"{id}: {found[hand].problem if hand in found else 'nothing is handed in.'}")
        told.append(found[hand])
    return list(dict.fromkeys(told))


def grade(
    course: Course,
    waiting: list[Submission],
    jobs: int = 1,
    unsafe: bool = False,
    again: bool = False,
    at_work: dict[str, float] | None = None,
    cluster: str | None = None,
) -> Iterator[Record]:
    """Grade the submissions `waiting`; yields each record when it is made. Waits while another `grade` is at work.

    `jobs`: how many at once. `unsafe`: without the sandbox. `again`: also what has a record already. `at_work` is kept
    up to date: student → when the grading began. `cluster`: the address of a Dask scheduler whose workers grade, in
    place of this machine. Raises ValueError if nothing is released.
    """
    course.require_release()
    with _alone(course), engine(jobs, cluster) as pool:
        batch = _Batch(course, unsafe, again, course.fingerprint, {} if at_work is None else at_work)
        submitted = [pool.submit(batch.record, found) for found in waiting]
        try:
            for done in as_completed(submitted):
                yield done.result()
        except BaseException:  # Ctrl-C, or the caller stops early
            for job in submitted:
                job.cancel()
            batch.stop()
            raise


@contextlib.contextmanager
def _alone(course: Course):
    """Hold the lock of this course. What a killed `grade` left at work is waited for."""
    with open(_locks(course)[0], "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path in _locks(course)[1:]:
            with open(path, "a") as log:
                fcntl.flock(log, fcntl.LOCK_EX)
        yield


def busy(course: Course) -> bool:
    """Is another `grade` at work in this directory, or what one has begun?"""
    for path in _locks(course):
        with open(path, "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
    return False


def _locks(course: Course) -> list[Path]:
    """The files that are locked during the work: that of the course, and the log of each submission."""
    course.grading.mkdir(mode=0o700, exist_ok=True)
    return [course.grading / "lock", *(course.grading / "logs").glob("*.log")]


def _recorded(course: Course, found: Submission) -> Record | None:
    """The record of this very submission by this very kit, if there is one."""
    record = records.load(course, found.id)
    return record if record and record.is_of(submission.digest(found.path)[0], course.fingerprint) else None


class _Batch:
    """The processes at work on one course. `kit` is the fingerprint that the course must have where they work."""

    def __init__(self, course: Course, unsafe: bool, again: bool, kit: str, at_work: dict[str, float]):
        self.course, self.unsafe, self.again, self.kit, self.at_work = course, unsafe, again, kit, at_work
        self.released = nbformat.read(course.released, as_version=4)
        self.running: set[subprocess.Popen] = set()
        self.starting, self.stopped = Lock(), False

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
        place, ran = (self.course.grading / folder / f"{student}.ipynb" for folder in ("staged", "ran"))
        tables.replace(place, nbformat.writes(staged).encode())
        ran.parent.mkdir(exist_ok=True)
        ran.unlink(missing_ok=True)
        log = self.course.grading / "logs" / f"{student}.log"
        log.parent.mkdir(exist_ok=True)
        words = self.course.runner(student, str(place), str(ran), *(["--unsafe"] if self.unsafe else []))
        if self._process(words, log) or not ran.is_file():
            return {"status": FAILED, "reason": f"{_last_line(log)} (all of it: {log.relative_to(self.course.root)})"}
        return outcome(nbformat.read(ran, as_version=4), self.course.answers)

    def _process(self, command: list[str], log: Path) -> int:
        """The exit status of a process, which writes into this log and holds a lock on it."""
        with open(log, "a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # inherited by the process
            file.truncate(0)
            with self.starting:  # else a process could start just after `stop` has ended all that were running
                if self.stopped:
                    raise InterruptedError("this grading was stopped.")
                process = subprocess.Popen(
                    command, cwd=self.course.root, env=os.environ | ONE_THREAD, stdin=subprocess.DEVNULL, stdout=file,
                    stderr=file, start_new_session=True,
                )  # fmt: skip
                self.running.add(process)
            try:
                process.wait(stretched(LIMIT))
            except subprocess.TimeoutExpired:
                _end(process)
                file.write(f"stopped after {LIMIT} seconds\n")
            self.running.discard(process)
        return process.returncode

    def stop(self) -> None:
        """End what is at work, and start nothing more. What was begun is graded by the next run."""
        with self.starting:
            self.stopped = True
        for process in list(self.running):
            _end(process)


def _end(process: subprocess.Popen) -> None:
    """Ask a process to end, so that it closes its sandbox; then end it and its group."""
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def outcome(notebook: nbformat.NotebookNode, names: list[str]) -> dict:
    """The fields of a record that a notebook holds which has run: points and message of each part, status, samples."""
    about = notebook.metadata.get("homework", {})
    own = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code" and not is_test(cell)]
    found = answers.read([notebook.cells[i].source for i in own], names)
    unread = [own[place] + 1 for place in found.unread if own[place] not in about.get("errors", [])]
    marked = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    parts = {part_of(cell.metadata.nbgrader.grade_id): _part(cell) for cell in marked}
    signs = {name.replace("-", "_"): part.message[:1] for name, part in parts.items()}
    said = [f"{name} (right, and defined in no cell)" for name in found.missing if signs.get(name) == "✓"]
    blank = [name for name in found.blank if signs.get(name, signs.get("training")) == "✓"]
    said += [f"{name} (blank, and its work is done)" for name in blank] + [f"cell {i} (ran, unread)" for i in unread]
    return {
        "status": GRADED if about.get("status", "complete") == "complete" else about["status"],
        "reason": about.get("reason") or (STRANGE.format(unread) if unread else BLANK * (set(signs.values()) <= {"○"})),
        "inside": about.get("wall_seconds", 0.0),
        "parts": parts,
        "conclusions": "\n".join(cell.source for cell in marked if not is_test(cell))[:LONGEST],
        "figures": about.get("figures", ""),
        "code": found.program,
        "uses": [tables.visible(each[:LINE]) for each in (*found.uses[:REMARKS], *about.get("remarks", []), *said)],
        "samples": dict(sorted(about.get("samples", {}).items(), key=lambda each: int(each[0]))),
    }


def _part(cell: nbformat.NotebookNode) -> Part:
    """Points by nbgrader's own rule (None: to be marked by hand), and the line that the test printed."""
    from nbgrader.utils import determine_grade  # slow to load
    points, _ = determine_grade(cell)
    if not is_test(cell):
        return Part(points, "○ not attempted" if points == 0 else "")
    printed = "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == "stdout")
    ended = "".join(f": the test ended in {out.ename}" for out in cell.outputs if out.output_type == "error")
    line = (printed.strip().splitlines() or [f"✗ nothing could be tested{ended}"])[0]
    return Part(float(points), tables.visible(line[:LINE]))


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() or ["it ended without a word"]
    return tables.visible(([line for line in lines if "Error" in line] or lines)[-1].strip()[:300])
