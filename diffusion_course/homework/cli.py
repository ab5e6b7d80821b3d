"""The teacher's commands: `diffusion-course homework init`, `release`, `solution`, `grade`, `feedback`, `export`."""

import os
from pathlib import Path

import click
from tqdm import tqdm

from . import course, feedback, grade, marks, prepare, records, report, sandbox, standing, submission

DIRECTORY = click.argument("directory", type=click.Path(path_type=Path))


class _Group(click.Group):
    """Commands that say what is wrong instead of showing a traceback."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except (ValueError, sandbox.SandboxError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def homework():
    """The spiral homework: set it, grade it, give it back."""


@homework.command()
@DIRECTORY
@click.option("--db", metavar="URL", help="Gradebook in a database.  [default: an sqlite file in the directory]")
def init(directory, db):
    """Make a course directory."""
    made = prepare.init(directory, db)
    click.echo(f"{made.root}: write your students into roster.csv (now {len(made.roster)} examples), then release.")


@homework.command()
@DIRECTORY
@click.option("--each", is_flag=True, help="Also a copy for every student of the roster, with the id filled in.")
def release(directory, each):
    """Make the student's version from the source."""
    made = prepare.release(course.Course(directory), each)
    click.echo(f"{made[0]}: give this to your students." + (f" {len(made) - 1} in release/each." if each else ""))


@homework.command()
@DIRECTORY
def solution(directory):
    """Make the worked solution, as a lesson."""
    click.echo(f"{prepare.solution(course.Course(directory))}: keep this until the last day of handing in.")


@homework.command("grade")
@DIRECTORY
@click.option("--jobs", type=click.IntRange(1), default=os.cpu_count(), help="How many at once.  [default: one a core]")
@click.option("--unsafe", is_flag=True, help="Without the sandbox: students' code runs as you.")
def grade_(directory, jobs, unsafe):
    """Grade what lies under submitted/ and has changed since."""
    place = course.Course(directory)
    place.require_release()
    waiting = grade.changed(place)
    if waiting:
        sandbox.Sandbox(place.root, unsafe=unsafe).close()  # where it cannot start, say so once and grade nobody
    if grade.busy(place):
        click.echo("Another grading is at work here, or what a killed one had begun: waiting until it ends.")
    for made in tqdm(grade.grade(place, waiting, jobs, unsafe), total=len(waiting), unit="submission"):
        if made.status != records.GRADED:
            tqdm.write(f"{made.id}: {made.status}. {made.reason}")
    _tell(place, len(waiting))


def _tell(place, graded):
    """What stands before a grade, and what is left to do."""
    everyone = submission.survey(place)
    for found in everyone:
        if found.problem:
            click.echo(f"{shown(found.id)}: {found.problem.status}. {found.problem}")
    click.echo(f"{graded} graded now, {len(everyone)} under submitted/, {len(place.roster)} students.")
    click.echo(f"{marks.refresh(place)} wait for points in {place.root / 'marks.csv'}.")
    failed = [r.id for r in (records.load(place, s) for s in place.roster) if r and r.status == records.FAILED]
    if failed:
        raise click.ClickException(f"the grader failed, and will try again next time: {', '.join(failed)}.")


@homework.command("feedback")
@DIRECTORY
def feedback_(directory):
    """Write a page for every student."""
    place = course.Course(directory)
    students = feedback.addressed(place, standing.standings(place))
    pages = list(tqdm(feedback.feedback(place, students), total=len(students), unit="page"))
    click.echo(f"{len(pages)} pages in {place.root / 'feedback'}.")


@homework.command()
@DIRECTORY
def export(directory):
    """Write the table for the gradebook and the report on the class."""
    place = course.Course(directory)
    for path in report.export(place, standing.standings(place)):
        click.echo(path)


def shown(name):
    """A name of a file, which may hold anything, on one line of a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
