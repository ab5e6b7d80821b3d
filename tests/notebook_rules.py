"""The form of notebooks as rules: each takes a notebook and yields a sentence for every breach.

`FORM` holds for every notebook in the repository, `LESSON` for the six lessons as well.
"""

import ast
import re
from collections import Counter
from statistics import median

import nbformat

from diffusion_course.lab.quiz import Quiz

# Form


def is_valid(nb, name):
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {error.message}"
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        yield f"format {nb.nbformat}.{nb.nbformat_minor}, not 4.5"


def has_readable_ids(nb, name):
    for cell_id, count in Counter(cell.get("id") for cell in nb.cells).items():
        if count > 1:
            yield f"{count} cells have the id {cell_id!r}"
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", str(cell_id)) or _is_random(cell_id):
            yield f"id {cell_id!r} does not say what its cell is about"


def _is_random(cell_id):
    return re.fullmatch(r"(?=.*\d)[0-9a-f]{8}", str(cell_id)) or re.search(r"-[0-9a-f]{4}-", str(cell_id))


def has_no_outputs(nb, name):
    for cell in _code(nb):
        if cell.outputs or cell.execution_count is not None:
            yield f"cell {cell.id!r} was saved with its output: clear all outputs and save again"


def runs_on_any_python3(nb, name):
    if nb.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"


def holds_no_widget_state(nb, name):
    if "widgets" in nb.metadata:
        yield "metadata.widgets is saved in it, for which GitHub may refuse to show the file"


def runs_on_any_machine(nb, name):
    for cell in _code(nb):
        if re.search(r"cuda:\d", cell.source):
            yield f"cell {cell.id!r} names one GPU"
        if re.search(r"""["'](?:/|[A-Z]:\\|~/)\w""", cell.source):
            yield f"cell {cell.id!r} has an absolute path"
        for line in re.findall(r"^.*pip install.*$", cell.source, flags=re.MULTILINE):
            if re.search(r"[=<~]=|<", line):
                yield f"cell {cell.id!r} pins a package, which will break where it is newer"


FORM = [
    is_valid,
    has_readable_ids,
    has_no_outputs,
    runs_on_any_python3,
    holds_no_widget_state,
    runs_on_any_machine,
]

# Lessons


def is_of_one_sitting(nb, name):
    if not 30 <= len(nb.cells) <= 60:
        yield f"{len(nb.cells)} cells, not 30 to 60"


def has_short_code(nb, name):
    lines = {cell.id: len(cell.source.splitlines()) for cell in _code(nb)}
    if lines and median(lines.values()) > 8:
        yield f"half of the code cells have more than 8 lines (median {median(lines.values())})"
    for cell_id, count in lines.items():
        if count > 20:
            yield f"cell {cell_id!r} has {count} lines, more than 20"


def alternates_with_text(nb, name):
    for before, after in zip(nb.cells, nb.cells[1:], strict=False):
        if before.cell_type == after.cell_type == "code":
            yield f"no text between {before.id!r} and {after.id!r}"


def has_little_metadata(nb, name):
    if extra := set(nb.metadata) - {"kernelspec", "language_info"}:
        yield f"notebook metadata {sorted(extra)}"
    for cell in nb.cells:
        if cell.metadata:
            yield f"cell {cell.id!r} has metadata {sorted(cell.metadata)}"


def opens_with_the_facts(nb, name):
    facts = {
        "its number and title": rf"^# Lesson {int(name[:2])} · \w",
        "what you will do": r"\*\*You will\*\*",
        "what you will learn": r"\*\*You will learn\*\*",
        "what you need": r"\*\*You need\*\*",
        "minutes of reading": r"\d+ minutes of reading",
        "measured time on a CPU": r"\d+ (s|seconds?|minutes?) on [^.;]*\bCPU",
        "a word on GPUs": r"\*\*Time\*\*.*GPU",
        "its Colab badge": r"colab-badge\.svg\)\]\(https://colab\.research\.google\.com/github/[\w-]+/"
        rf"diffusion-course/blob/main/notebooks/{name}\.ipynb\)",
    }
    text = nb.cells[0].source if nb.cells[0].cell_type == "markdown" else ""
    for fact, pattern in facts.items():
        if not re.search(pattern, text):
            yield f"the first cell lacks {fact}"


def sets_itself_up(nb, name):
    first = _code(nb)[0]
    if first.id != "setup" or "google.colab" not in first.source or "pip install" not in first.source:
        yield "the first code cell is not the set-up cell that installs the course on Colab"
    if re.search(r"pip install.*\b(torch|numpy)\b", first.source):
        yield "the set-up cell installs torch or numpy over Colab's own"


def asks_for_predictions(nb, name):
    asked = [i for i, cell in enumerate(nb.cells) if _says(cell, "**Predict**") and "?" in cell.source]
    if len(asked) < 2:
        yield f"{len(asked)} questions to **Predict**, fewer than 2"
    for i in asked:
        if nb.cells[i + 1 : i + 2] and nb.cells[i + 1].cell_type != "code":
            yield f"the prediction in {nb.cells[i].id!r} is not answered by the next cell"


def has_exercises(nb, name):
    blanks = [i for i, cell in enumerate(nb.cells) if _is_blank(cell)]
    if len(blanks) < 3:
        yield f"{len(blanks)} exercises, fewer than 3"
    for i in blanks:
        cell, text = nb.cells[i], nb.cells[i - 1]
        function, *check = ast.parse(cell.source).body
        if not isinstance(function, ast.FunctionDef) or not ast.get_docstring(function):
            yield f"exercise {cell.id!r} does not begin with a function and what it is to do"
        elif len(check) != 1 or not re.fullmatch(rf"check\.\w+\({function.name}\)", ast.unparse(check[0])):
            yield f"exercise {cell.id!r} does not end with one line that checks it"
        if not _says(text, "### Exercise"):
            yield f"exercise {cell.id!r} has no text headed Exercise before it"
        elif not re.search(r"by hand|specification", text.source, flags=re.IGNORECASE):
            yield f"exercise {cell.id!r} has neither a case computed by hand nor a slow specification"


def explains_its_sliders(nb, name):
    for i, cell in enumerate(nb.cells):
        if cell.cell_type == "code" and re.search(r"^widgets\.", cell.source, flags=re.MULTILINE):
            asked = _says(nb.cells[i - 1], "**Slider**") or _says(nb.cells[i - 1], "**Predict**")
            if not asked or "?" not in nb.cells[i - 1].source:
                yield f"no **Slider** or **Predict** question before {cell.id!r}"
            still = nb.cells[i + 2].source if i + 2 < len(nb.cells) else ""
            if not re.search(r"^(plots|designer|trajectories)\.", still, flags=re.MULTILINE) or "widgets." in still:
                yield f"no still figure after {cell.id!r} for a page without a kernel"


def shows_the_package(nb, name):
    if not any(re.search(r"^show\(", cell.source, flags=re.MULTILINE) for cell in _code(nb)):
        yield "no cell that shows the package's code with show(function)"


def has_a_quiz(nb, name):
    if not any(re.search(rf"^Quiz\([\"']{name}[\"']\)$", c.source, re.MULTILINE) for c in _code(nb)):
        yield f'no cell with Quiz("{name}")'
    elif not 4 <= len(Quiz(name).questions) <= 6:
        yield f"{len(Quiz(name).questions)} questions in the quiz, not 4 to 6"


def closes_with_the_four_sections(nb, name):
    last = nb.cells[-1]
    text = last.source if last.cell_type == "markdown" else ""
    sections = ["## To carry forward", "## Notation used", "## Where it goes next", "## Further reading"]
    if re.findall(r"^## .*$", text, flags=re.MULTILINE) != sections:
        yield f"the last cell does not have exactly the sections {', '.join(sections)}"
    elif re.findall(r"^(\d)\. ", text.split("## Notation")[0], flags=re.MULTILINE) != ["1", "2", "3"]:
        yield "what to carry forward is not three numbered sentences"


LESSON = [
    is_of_one_sitting,
    has_short_code,
    alternates_with_text,
    has_little_metadata,
    opens_with_the_facts,
    sets_itself_up,
    asks_for_predictions,
    has_exercises,
    explains_its_sliders,
    shows_the_package,
    has_a_quiz,
    closes_with_the_four_sections,
]


def _code(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def _says(cell, words):
    return cell.cell_type == "markdown" and words in cell.source


def _is_blank(cell):
    return cell.cell_type == "code" and "raise NotImplementedError" in cell.source
