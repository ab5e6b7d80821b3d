"""Makes the website of the course in build/book: `make book`.

It executes the lessons, which takes some minutes the first time; later only those whose code has changed, or all if the
package has. `python tools/book.py --out FOLDER 02_forward_process` makes a small one, of the notebooks named.
"""

import argparse
import hashlib
import importlib.util
import inspect
import os
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import nbformat
from sphinx.cmd.build import build_main

ROOT = Path(__file__).parent.parent
REFERENCE = re.findall(r"^   reference/(\S+)$", (ROOT / "book/reference.rst").read_text(encoding="utf-8"), re.MULTILINE)

# Stands in every notebook's page where the notebook says which cells to run first.
OPENING = """```{note}
This is a notebook to read. Its code has been run, and its drawings move: press ▶, or drag a slider. To type into a box,
to change code, and to have your exercises checked, [open the notebook itself](/index.md#to-work-along).
```"""


def gather(source: Path, notebooks: list) -> None:
    """Writes all pages into the empty folder `source`."""
    shutil.copytree(ROOT / "book", source)
    shutil.copy(ROOT / "media/words.webp", source)
    shutil.copy(ROOT / "NOTATION.md", source / "notation.md")
    (source / "_static/mathjax").mkdir()
    mathjax = Path(importlib.util.find_spec("mathjax").origin).parent / "static/mathjax/es5/tex-svg.js"
    shutil.copy(mathjax, source / "_static/mathjax")
    for path in notebooks:
        page = source / path.relative_to(ROOT / "notebooks")
        page.parent.mkdir(exist_ok=True)
        nbformat.write(to_read(nbformat.read(path, as_version=4)), page)
    (source / "reference").mkdir()
    for name in REFERENCE:
        (source / "reference" / f"{name}.rst").write_text(reference(name), encoding="utf-8")


def to_read(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A notebook for those who cannot run it: without the cell for Colab and the words on what to run."""
    nb.cells = [cell for cell in nb.cells if cell.id != "setup"]
    before, _, _ = nb.cells[0].source.rpartition("\n\n")
    nb.cells[0].source = f"{before}\n\n{OPENING}"
    return nb


def reference(name: str) -> str:
    """The page of one file of the package: its docstring, a table of what is in it, and each of these in full."""
    module = import_module(f"diffusion_course.{name}")
    page = f"{name}\n{'=' * len(name)}\n\n.. automodule:: {module.__name__}\n\n.. currentmodule:: {module.__name__}\n\n"
    names = [key for key in getattr(module, "__all__", vars(module)) if is_public(module, key)]
    page += ".. autosummary::\n   :nosignatures:\n\n" + "".join(f"   {key}\n" for key in names) + "\n"
    for key in names:
        directive = "autoclass" if inspect.isclass(getattr(module, key)) else "autofunction"
        page += f".. {directive}:: {key}\n" + "   :members:\n" * (directive == "autoclass") + "\n"
    return page


def is_public(module, key: str) -> bool:
    """A function or class with a docstring, made in this file or named in its `__all__`."""
    value = getattr(module, key)
    kind = inspect.isfunction(value) or inspect.isclass(value)
    here = hasattr(module, "__all__") or getattr(value, "__module__", "") == module.__name__
    return kind and here and not key.startswith("_") and bool(value.__doc__)


def build(notebooks: list, out: Path, strict: bool) -> int:
    """Makes the website of these notebooks in the folder `out`; 0 if all is well. Beside it lies what was run."""
    work = out.parent / f"{out.name}-source"
    shutil.rmtree(work, ignore_errors=True)
    gather(work, notebooks)
    shutil.rmtree(out, ignore_errors=True)
    cache = out.parent / f"{out.name}-cache" / digest()
    os.environ["TQDM_DISABLE"] = "1"  # who reads a page does not wait, so no bars of progress stand on it
    options = ["-q", "-W", "--keep-going"] if strict else ["-q"]
    result = build_main([*options, "-b", "html", "-D", f"nb_execution_cache_path={cache}", str(work), str(out)])
    for page in out.rglob("*.html"):
        page.write_text(for_every_reader(page.read_text(encoding="utf-8")), encoding="utf-8")
    return result


def for_every_reader(page: str) -> str:
    """The page with what Sphinx leaves out.

    The keyboard reaches all that scrolls, captions have a level, and no line parts a formula from its full stop.
    """
    page = re.sub(r'<(pre(?=[ >])|div class="(?:dc-figure|table-wrapper[^"]*)")', r'<\1 tabindex="0"', page)
    whole = r'<span style="white-space:nowrap">\1</span>'
    page = re.sub(r'(\(?<span class="math[^>]*>[^<]*</span>[.,;:?!)]*)', whole, page)
    return page.replace('class="caption" role="heading"', 'class="caption" role="heading" aria-level="2"')


def digest() -> str:
    """Changes with every file of the package that a notebook may use."""
    total = hashlib.sha256()
    for path in sorted((ROOT / "diffusion_course").rglob("*.*")):
        if path.suffix in (".py", ".js", ".css", ".json"):
            total.update(path.read_bytes())
    return total.hexdigest()[:12]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="*", help="names of notebooks, such as 02_forward_process; else all")
    parser.add_argument("--out", type=Path, default=ROOT / "build/book")
    args = parser.parse_args()
    paths = sorted((ROOT / "notebooks").glob("0*.ipynb")) + sorted((ROOT / "notebooks/beyond").glob("*.ipynb"))
    if unknown := set(args.notebooks) - {path.stem for path in paths}:
        parser.error(f"there is no notebook {', '.join(unknown)}; there are {', '.join(path.stem for path in paths)}.")
    os.nice(5)
    chosen = [path for path in paths if not args.notebooks or path.stem in args.notebooks]
    result = build(chosen, args.out.resolve(), strict=chosen == paths)  # a part has links to what is left out
    print(f"Open {args.out / 'index.html'} in a browser." if result == 0 else "The book is not whole: see above.")
    return result


if __name__ == "__main__":
    sys.exit(main())
