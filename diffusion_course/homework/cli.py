"""The teacher's commands: `diffusion-course homework init`, `release`, `solution`, `grade`, `status`, and so on."""

import os
from importlib.util import find_spec
from pathlib import Path

import click
from tqdm import tqdm

from . import course
from .assignments import ASSIGNMENTS
from .collect import roster, submission
from .grading import grade, progress, records
from .prepare import make as prepare
from .report import export as report
from .report import feedback, lms, marks, standing
from .sandbox import sandbox
from .tables import visible

for name in ("nbgrader", "copydetect"):  # which load slowly, so only where they are needed
    if find_spec(name) is None:
        raise ModuleNotFoundError(f"No module named {name!r}")

COURSE = click.argument("place", metavar="DIRECTORY", callback=lambda context, argument, told: course.Course(told))


class _Group(click.Group):
    """Commands that say what is wrong instead of showing a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, sandbox.SandboxError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def homework():
    """A homework: set it, grade it, give it back."""


@homework.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--assignment", type=click.Choice(ASSIGNMENTS), default=ASSIGNMENTS[0], show_default=True)
@click.option("--source", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="The notebook to begin with.  [default: that of the clone which the course is installed from]")
@click.option("--gradebook", metavar="ADDRESS", help="Of a PostgreSQL database for the points: postgresql://…")
def init(directory, assignment, source, gradebook):
    """Make a course directory."""
    made = prepare.init(directory, source, assignment, gradebook)
    click.echo(f"{made.root}: write your students into roster.csv (now {len(made.roster)} examples), then release.")


@homework.command()
@COURSE
@click.option("--each", is_flag=True, help="Also a copy for every student of the roster, with the id filled in.")
def release(place, each):
    """Make the student's version from the source."""
    made, *copies = prepare.release(place, each)
    click.echo(f"{made}: give this to your students." + f" {len(copies)} in release/each." * each)
    click.echo(roster.told(place.people))


@homework.command()
@COURSE
def solution(place):
    """Make the worked solution, as a lesson."""
    click.echo(f"{prepare.solution(place)}: keep this until the last day of handing in.")


@homework.command("grade")
@COURSE
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="How many at once.  [default: one a core]")
@click.option("--student", "students", metavar="ID", multiple=True, help="Only this one, and again; may be repeated.")
@click.option("--unsafe", is_flag=True, help="Without the sandbox: students' code runs as you.")
@click.option("--cluster", metavar="ADDRESS", help="Of a Dask scheduler, whose workers grade in place of this machine.")
def grade_(place, jobs, students, unsafe, cluster):
    """Grade what lies under submitted/ and has changed since."""
    place.require_release()
    marks.read(place)  # a table that cannot be read is told before the hour of work, not after it
    waiting = grade.asked(place, students) if students else grade.changed(place)
    if waiting and not cluster:
        sandbox.Sandbox(place.root, unsafe=unsafe).close()  # where it cannot start, say so once and grade nobody
    if grade.busy(place):
        click.echo("Another grading is at work here, or what a killed one had begun: waiting until it ends.")
    try:
        at_work: dict[str, float] = {}
        made = grade.grade(place, waiting, jobs, unsafe, bool(students), at_work, cluster)
        done = list(progress.bar(made, len(waiting), at_work))
    except KeyboardInterrupt:
        marks.refresh(place)
        raise click.ClickException("interrupted. What is graded is kept; the same command goes on.") from None
    _tell(place, len(done))


def _tell(place, graded):
    """Who has no plain grade and why, and what is left to do."""
    waiting, everyone = marks.refresh(place), standing.standings(place)
    for each in everyone:
        if each.reason:
            click.echo(f"{visible(each.id)}: {each.status}. {visible(each.reason)}")
    if missing := [each.id for each in everyone if each.status == standing.NOT_SUBMITTED]:
        click.echo(f"{standing.NOT_SUBMITTED}: {', '.join(missing)}.")
    handed_in = len(submission.survey(place))
    click.echo(f"{graded} looked at now, {handed_in} under submitted/, {len(place.people)} students.")
    if (place.root / "marks.csv").is_file():
        click.echo(f"{waiting} wait for points in {place.root / 'marks.csv'}.")
    if failed := [each.id for each in everyone if each.status == records.FAILED]:
        raise click.ClickException(f"the grader failed, and will try again next time: {', '.join(failed)}.")


@homework.command()
@COURSE
def status(place):
    """Say how far everyone is, and what is left to do."""
    click.echo("\n".join(standing.lines(place, standing.standings(place))))


@homework.command("feedback")
@COURSE
def feedback_(place):
    """Write a page for every student."""
    students = feedback.addressed(place, standing.standings(place))
    pages = list(tqdm(feedback.feedback(place, students), total=len(students), unit="page", disable=None))
    unmarked = sum(each.total is None for each in students if each.record and each.record.parts)
    click.echo(f"{len(pages)} pages in {place.root / 'feedback'}, {unmarked} of them still without a total.")


@homework.command()
@COURSE
@click.option("--earlier", "earlier", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder with notebooks of an earlier year, to compare with too; may be given again.")
def export(place, earlier):
    """Write the tables for your gradebook, Moodle, Canvas and Gradescope, and the report on the class."""
    everyone = standing.standings(place)
    for path in report.export(place, everyone, earlier) + lms.export(place, everyone):
        click.echo(path)

