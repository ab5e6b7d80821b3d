"""The form of notebooks: `python tests/lint_notebooks.py` prints a sentence for every breach (part of `make lint`).

Each rule takes a notebook and its place, relative to `notebooks/`. `FORM` holds for every notebook of the repository,
`LESSON` for the six lessons and the optional ones in `beyond/`. That their cells run is tested by `make test`.
"""

import ast
import builtins
import copy
import re
import symtable
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import nbformat

FOLDER = Path(__file__).parent.parent / "notebooks"
LONGEST = 15  # lines of a code cell


def is_valid(nb, place):
    try:
        nbformat.validate(copy.deepcopy(nb))  # which would mend double ids
    except nbformat.ValidationError as error:
        yield f"not a valid notebook: {error.message}"
    if (nb.nbformat, nb.nbformat_minor) != (4, 5):
        yield f"format {nb.nbformat}.{nb.nbformat_minor}, not 4.5"


def has_readable_ids(nb, place):
    for cell_id, count in Counter(cell.get("id") for cell in nb.cells).items():
        if count > 1:
            yield f"{count} cells have the id {cell_id!r}"
        random = re.fullmatch(r"(?=.*\d)[0-9a-f]{8}", str(cell_id)) or re.search(r"-[0-9a-f]{4}-", str(cell_id))
        if random or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", str(cell_id)):
            yield f"id {cell_id!r} does not say what its cell is about"


def has_no_outputs(nb, place):
    for cell in code(nb):
        if cell.get("outputs") or cell.execution_count is not None:
            yield f"cell {cell.id!r} was saved with its output: clear all outputs and save again"


def runs_on_any_machine(nb, place):
    if nb.metadata.get("kernelspec", {}).get("name") != "python3":
        yield "the kernel is not python3"
    if "widgets" in nb.metadata:
        yield "metadata.widgets is saved in it, for which GitHub may refuse to show the file"
    for cell in code(nb):
        if re.search(r"cuda:\d", cell.source):
            yield f"cell {cell.id!r} names one GPU"
        if re.search(r"""["'](?:/|[A-Z]:\\|~/)\w""", cell.source):
            yield f"cell {cell.id!r} has an absolute path"
        if re.search(r"""["' ]install["' ].*(?:[=<~]=|<)""", cell.source):
            yield f"cell {cell.id!r} pins a package, which will break where it is newer"


def has_short_code(nb, place):
    for cell in code(nb):
        lines = len(cell.source.splitlines())
        if lines > LONGEST:
            yield f"cell {cell.id!r} has {lines} lines, more than {LONGEST}: move what is only presentation into lab/"


def shows_every_figure(nb, place):
    """Jupyter shows what the last line of a cell gives, and drops what the lines before it do."""
    for cell in code(nb):
        for line in ast.parse(cell.source).body[:-1]:
            if isinstance(line, ast.Expr) and re.match(r"(plots|lab)\.(?!against)", ast.unparse(line)):
                yield f"cell {cell.id!r} draws on line {line.lineno}, but only what its last line gives is shown"


def alternates_with_text(nb, place):
    for before, after in pairwise(nb.cells):
        if before.cell_type == after.cell_type == "code":
            yield f"no text between {before.id!r} and {after.id!r}"


def has_little_metadata(nb, place):
    if extra := set(nb.metadata) - {"kernelspec", "language_info"}:
        yield f"notebook metadata {sorted(extra)}"
    for cell in nb.cells:
        if cell.metadata:
            yield f"cell {cell.id!r} has metadata {sorted(cell.metadata)}"


def folds_under_plain_words(nb, place):
    for cell in nb.cells:
        if re.search(r"<summary>[^\n]*\$", cell.source):
            yield f"cell {cell.id!r} has dollars in <summary>, which the book shows as they are: write <i>x</i>"


def opens_with_the_facts(nb, place):
    kind = "Beyond" if place.parent.name == "beyond" else f"Lesson {int(place.stem[:2])}"
    facts = {
        "its number and title": rf"^# {kind} · \w",
        "its minutes": r"\d+ minutes",
        "how long its cells take": r"All code cells together take about .+ on two CPU cores",  # benchmarks/course.py
        "its Colab badge": rf"colab-badge\.svg\)\]\([^)]+/notebooks/{place.as_posix()}\)",
    }
    text = "\n".join(cell.source for cell in nb.cells[:9] if cell.cell_type == "markdown")
    for fact, pattern in facts.items():
        if not re.search(pattern, text, flags=re.MULTILINE):
            yield f"the opening lacks {fact}"


def says_what_to_run_first(nb, place):
    if not re.search(r"\n\nRun the [^\n]+$", nb.cells[0].source):
        yield "the first cell does not end with a paragraph that says what to run, which the book leaves out"


def sets_itself_up(nb, place):
    first = code(nb)[0] if code(nb) else None
    needed = "google.colab", '"pip", "install"'
    if first is None or first.id != "setup" or any(part not in first.source for part in needed):
        yield "the first code cell is not the set-up cell that installs the course on Colab"
    elif re.search(r"install.*\b(torch|numpy)\b.*\]", first.source):
        yield "the set-up cell installs torch or numpy over Colab's own"
    elif ("cuda" in first.source) != any('device == "cpu"' in cell.source for cell in code(nb)):
        yield "the set-up cell is to say whether there is a GPU where a training depends on it, and only there"


def has_a_quiz(nb, place):
    if not any(re.search(rf"\bQuiz\([\"']{place.stem}[\"']\)$", cell.source, re.MULTILINE) for cell in code(nb)):
        yield f'no cell with Quiz("{place.stem}")'


def counts_its_sections(nb, place):
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    numbers = [int(number) for number in re.findall(r"^## (\d+) ·", text, flags=re.MULTILINE)]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"its sections have the numbers {numbers}: a heading is missing, or numbered wrong"


def keeps_its_word_on_sections(nb, place):
    """No section to go on from, or that says which others it uses, needs more."""
    parts = [["the opening", "", []]]  # title, text, code cells
    for cell in nb.cells:
        if cell.cell_type == "code":
            parts[-1][2].append(cell)
        elif cell.cell_type == "markdown":
            before, *rest = re.split(r"^## (.+)$", cell.source, flags=re.MULTILINE)
            parts[-1][1] += before
            parts += [[title, text, []] for title, text in zip(rest[::2], rest[1::2], strict=True)]
    told = " ".join(part[1] for part in parts)
    alone = re.findall(r"\d+", " ".join(re.findall(r"o on from sections? ([\d, or]+)", told)))
    if re.search(r"restart of the kernel(?![^.]*from the top)", told) and not alone:
        yield 'after a restart: neither "from the top" nor "go on from section …"'
    for title, text, cells in parts[1:]:
        uses = re.search(r"\(This section uses (?:nothing but the opening|sections? ([\d, and]+))\.\)", text)
        if uses or title.split()[0] in alone:
            needed = re.findall(r"\d+", uses[1] or "") if uses else []
            ran = [cell for part in parts if part is parts[0] or part[0].split()[0] in needed for cell in part[2]]
            known = {"display", *dir(builtins)}.union(*(names(cell)[0] for cell in ran))
            for cell in cells:
                made, used = names(cell)
                known |= made
                if missing := ", ".join(sorted(used - known)):
                    yield f"cell {cell.id!r} of {title!r} needs {missing}, which what it says it uses does not make"


def names(cell):
    """The names that a code cell makes, and those that it uses, functions and all."""
    top = symtable.symtable(cell.source, cell.id, "exec")
    tables = [top]
    for table in tables:  # which grows
        tables += table.get_children()
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    symbols = ((table, s) for table in tables for s in table.get_symbols() if s.is_referenced())
    return made, {s.get_name() for table, s in symbols if table is top or s.is_global()}


FORM = [is_valid, has_readable_ids, has_no_outputs, runs_on_any_machine]
LESSON = [
    has_short_code, shows_every_figure, alternates_with_text, has_little_metadata, folds_under_plain_words,
    opens_with_the_facts, says_what_to_run_first, sets_itself_up, counts_its_sections, has_a_quiz,
    keeps_its_word_on_sections,
]  # fmt: skip


def code(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def problems(nb, place):
    """A sentence for every breach in the notebook `nb` that stands at `place` (relative to notebooks/)."""
    for rule in FORM + LESSON * (place.parts[0] != "homework"):
        yield from rule(nb, place)


def main():
    found = []
    for path in sorted(FOLDER.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            nb, place = nbformat.read(path, as_version=nbformat.NO_CONVERT), path.relative_to(FOLDER)
            found += [f"notebooks/{place.as_posix()}: {problem}" for problem in problems(nb, place)]
    print("\n".join(found) or "Notebooks: in form.")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
