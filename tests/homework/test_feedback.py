"""The page a student gets: everything they need, nothing hidden, and nothing of theirs that a browser would run."""

import base64
import io
import re
import zipfile
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest
import toy
from click.testing import CliRunner

from diffusion_course import plots
from diffusion_course.check.homework import variant
from diffusion_course.homework.collect import submission
from diffusion_course.homework.grading import grade, records
from diffusion_course.homework.grading.records import Part, Record
from diffusion_course.homework.prepare import drawn
from diffusion_course.homework.report import feedback, marks, standing
from diffusion_course.run import cli

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</style><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}",
    "\u202egnp.\x00\x1b[31m",
]
TAGS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "strong", "code"}
TAGS |= {"figure", "img", "figcaption", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}


@pytest.fixture
def made(tmp_path, monkeypatch):
    return toy.make_course(tmp_path / "course", monkeypatch)


def pages(made):
    list(feedback.feedback(made, feedback.addressed(made, standing.standings(made))))
    return {path.stem: path.read_text() for path in (made.root / "feedback").glob("*.html")}


def record(made, student, status="graded", reason="", message="✓ right", samples=None, parts=("double", "triple")):
    digest = submission.digest(toy.hand_in(made, student, toy.work(student)))[0]
    found = {name: Part(1, message) for name in parts} | ({"conclusions": Part(None, "")} if parts else {})
    Record(student, digest, made.fingerprint, status, reason, parts=found, samples=samples or {}).save(made)
    marks.refresh(made)


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_data(self, text):
        self.text += text


def harmless(html):
    """The page, once it is sure that it holds only our tags and loads nothing."""
    page = Page(html)
    assert page.tags <= TAGS
    for name, value in page.attributes:
        assert name in {"lang", "charset", "http-equiv", "content", "name", "scope", "class", "alt", "src", "style"}
        assert name != "src" or value.startswith("data:image/png;base64,")
    assert ("content", feedback.POLICY) in page.attributes
    return page


def test_a_page_tells_points_and_what_was_found(made):
    record(made, "ada", message="✗ double: a sign is wrong. Look at the last line.")
    path = made.root / "marks.csv"
    path.write_text(path.read_text().replace("ada,,,,", "ada,,1.5,-0.5,Well put."))
    text = re.sub(r"\s+", " ", harmless(pages(made)["ada"]).text)
    assert "The ada (ada)" in text and "double (a part) 1 of 1 ✗ double: a sign is wrong." in text
    assert "Conclusions 1.5 of 2" in text and "Correction by your teacher -0.5" in text and "All 3 of 4" in text
    assert "Your teacher writes Well put." in text


def test_the_shell_shows_no_bar_where_it_is_no_terminal(made):
    record(made, "ada")
    assert CliRunner().invoke(cli.main, ["homework", "feedback", str(made.root)]).output.startswith("1 pages in")


def test_unmarked_sentences_leave_the_total_open(made):
    record(made, "ada")
    text = re.sub(r"\s+", " ", Page(pages(made)["ada"]).text)
    assert "Conclusions – of 2" in text and "All – of 4 The sentences are still to be marked." in text


def test_a_submission_that_could_not_be_graded_gets_a_page_that_says_why(made):
    record(made, "ada", "too large", "the file has 1,024 MB.", parts=())
    record(made, "alan", "ended early", "It took more than 4 GiB of memory.")
    (made.root / "submitted/grace").mkdir()
    found = pages(made)
    assert "<strong>Too large.</strong> the file has 1,024 MB." in found["ada"] and "<table" not in found["ada"]
    assert "<strong>Ended early.</strong>" in found["alan"] and "<table" in found["alan"]
    assert "No file there ends in .ipynb" in found["grace"]


def test_nobody_outside_the_roster_and_no_failure_of_ours_has_a_page(made):
    record(made, "ada", records.FAILED, "Traceback: /srv/teacher/secret")
    toy.hand_in(made, "nobody")
    toy.hand_in(made, "<script>")
    assert pages(made) == {}


def test_a_page_from_before_is_taken_away_when_it_no_longer_holds(made):
    record(made, "ada")
    assert pages(made).keys() == {"ada"}
    toy.hand_in(made, "ada", toy.work(conclusions="Handed in again."))
    assert pages(made) == {}


def test_what_nbgrader_collected_gets_its_page_where_nbgrader_gives_back(made):
    for student in ("ada", "alan", "grace"):
        record(made, student)
        path = made.root / "submitted" / f"{student}.ipynb"
        folder = path.with_suffix("") / "spiral"
        folder.mkdir(parents=True)
        path.rename(folder / "spiral.ipynb")
    came = made.root / "submitted"
    for name in ("timestamp.txt", "submission_secret.txt"):
        (came / "ada/spiral" / name).write_text(f"of ada's {name}")
    (came / "alan/spiral/timestamp.txt").symlink_to(made.root / "secret")
    page, back = pages(made), made.root / "feedback/ada/spiral"
    assert (back / "spiral.html").read_text() == page["ada"]
    assert (back / "timestamp.txt").read_text() == "of ada's timestamp.txt"
    assert (back / "submission_secret.txt").read_text() == "of ada's submission_secret.txt"
    assert page.keys() == {"ada", "alan", "grace"} and not (made.root / "feedback/alan").exists()


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_student_or_a_teacher_wrote_becomes_a_tag(made, text):
    name = text.replace('"', "").replace("\x00", "").replace("\x1b", "")
    (made.root / "roster.csv").write_text(f'id,first_name,last_name\nada,"{name}",\n')
    made = type(made)(made.root)
    record(made, "ada", "ended early", text, f"✗ double: {text}. {text}", samples={text: [[0.0, 1.0]]})
    tags = harmless(pages(made)["ada"]).tags
    record(made, "ada", "ended early", "harmless", "✗ double: a. b", samples={"10": [[0.0, 1.0]]})
    assert harmless(pages(made)["ada"]).tags == tags


def test_what_a_student_handed_in_is_not_on_the_page(made):
    given = toy.work(conclusions="<b>My sentences</b>")
    given.cells[2].outputs = [{"output_type": "display_data", "data": {"text/html": "<b>mine</b>"}, "metadata": {}}]
    toy.hand_in(made, "ada", given)
    list(grade.grade(made, grade.changed(made)))
    html = pages(made)["ada"]
    for own in ("My sentences", "mine</b>", "return 3", "secret", "grade-double"):
        assert own not in html


def test_samples_are_drawn_anew_beside_the_spiral_with_a_text_alternative(made):
    own = variant.of("ada", drawn.salt(made.secret))
    clouds = {10: own.data(512, seed=1), 50: np.full((512, 2), np.nan), 1000: np.full((512, 2), 1e30)}
    record(made, "ada", samples=records.clouds(clouds))
    page = harmless(pages(made)["ada"])
    attributes = dict(page.attributes)
    assert "10 steps (512 points" in attributes["alt"] and "50 steps, 512 outside" in attributes["alt"]
    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(attributes["src"].split(",")[1])))
    assert picture.shape[1] > 2 * picture.shape[0]  # four frames side by side


def test_the_spiral_and_the_samples_share_one_frame():
    own = variant.of("ada")
    figure = feedback.scatter(variant.of("ada"), records.clouds({10: own.data(512, seed=1)}))
    assert isinstance(figure, plots.Figure)
    limits = {ax.get_xlim() for ax in figure.axes}
    assert len(limits) == 1 and len(figure.axes) == 2
    (low, high), points = limits.pop(), own.data() - np.asarray(own.centre)
    assert low < points.min() and points.max() < high  # nothing of the spiral is cut


def test_the_shell_counts_the_pages(made):
    record(made, "ada")
    result = CliRunner().invoke(cli.main, ["homework", "feedback", str(made.root)])
    assert result.exit_code == 0 and "1 pages in" in result.output


@pytest.mark.long
def test_a_browser_runs_and_loads_nothing(made, new_page):
    """The pages of a student who tried everything, opened in Chromium."""
    for student in ("ada", "alan", "grace"):
        record(made, student, "ended early", " ".join(HOSTILE), " ".join(HOSTILE), samples={HOSTILE[1]: [[0.0, 1.0]]})
    pages(made)
    CliRunner().invoke(cli.main, ["homework", "export", str(made.root)])
    asked, said = [], []
    with new_page() as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        for path in (made.root / "feedback/ada.html", made.root / "export/report.html"):
            page.goto(path.as_uri())
            assert page.locator("h1").count() == 1 and page.locator("script, iframe, svg").count() == 0
    assert not said and {url.split(":")[0] for url in asked} <= {"file", "data"}


def test_the_page_has_the_figures_of_the_students_own_run(made):
    toy.hand_in(made, "ada", toy.work(says="clouds"))
    list(grade.grade(made, grade.changed(made)))
    assert "Your own figures, to which your sentences are held: 10 steps: distance 0.0453." in pages(made)["ada"]


SHEET = "Identifier,Full name,Grade\nParticipant 7,The ada,\nParticipant 8,The alan,\n"


def test_moodle_gets_all_pages_in_one_file_named_as_it_names_them(made):
    record(made, "ada")
    pages(made)
    assert not (made.root / "feedback/moodle.zip").exists()
    (made.root / "worksheet.csv").write_text(SHEET)
    made = type(made)(made.root)
    found = pages(made)
    with zipfile.ZipFile(made.root / "feedback/moodle.zip") as file:
        (name,) = file.namelist()
        assert file.read(name).decode() == found["ada"]
    person, number, plugin, kind, rest = name.split("_", 4)  # as Moodle takes it apart
    assert (person, number, plugin, kind, rest) == ("The ada", "7", "assignfeedback", "file", "feedback.html")
