"""How Sphinx makes the website out of what `tools/book.py` gathers."""

import re

import myst_nb.core.render

project = "The diffusion course"
copyright = "the diffusion course, CC BY 4.0"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "sphinx.ext.viewcode"]

# The look
html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["book.css"]
html_copy_source = False
html_show_sphinx = False
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"
mathjax_path = "mathjax/tex-svg.js"  # one file, copied from its package: nothing is loaded from elsewhere

# Notebooks: executed here, one after the other, and again only when their code or the package has changed. Widgets that
# ask Python are left out, for nobody answers them; the still that stands before each is what is shown.
myst_enable_extensions = ["amsmath", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"
nb_execution_timeout = 3600
nb_execution_raise_on_error = True
nb_ipywidgets_js = {}
nb_output_stderr = "remove-warn"
nb_merge_streams = True
suppress_warnings = ["mystnb.stderr", "mystnb.unknown_mime_type", "ref.python"]

# The reference
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
add_module_names = False

merge_streams = myst_nb.core.render.coalesce_streams


def merge_printed(outputs: list) -> list:
    """A cell's outputs with what it printed as one text; `merge_streams` would begin a line at every pause in one."""
    made: list = []
    for output in outputs:
        if made and output["output_type"] == "stream" and output.get("name") == made[-1].get("name"):
            made[-1]["text"] += output["text"]
        else:
            made.append(output)
    return merge_streams(made)


myst_nb.core.render.coalesce_streams = merge_printed

CODE = re.compile(r"(``.+?``|`[^`]+`)")


def as_rst(text: str) -> str:
    """A paragraph of a docstring: `names` become links where they lead somewhere, and no other sign means anything."""
    parts = CODE.split(text)
    for i, part in enumerate(parts):
        if i % 2 == 0:
            parts[i] = re.sub(r"([*|\\]|_(?!\w))", r"\\\1", part)
        elif re.fullmatch(r"`[\w.]+`", part):
            parts[i] = f":py:obj:{part}"
        else:
            parts[i] = f"``{part.strip('`')}``"
        parts[i] += r"\ " * (i % 2 == 1 and parts[i + 1][:1].isalnum())  # `Measure`s
    return "".join(parts)


def mend_docstring(app, what, name, obj, options, lines: list) -> None:
    """Docstrings are plain text: an indented paragraph is a formula or code, and stays as it is."""
    if lines and lines[0].startswith("Alias for field number"):  # of a named tuple, which says nothing
        lines.clear()
        return
    blocks = [block.split("\n") for block in re.split(r"\n\s*\n", "\n".join(lines).rstrip())]
    made = []
    for block in blocks:
        if block[0].startswith(" "):
            made += ["::", ""] if not (made[-2:-1] and made[-2].endswith("::")) else []
        elif not block[0].startswith(">>>"):
            block = re.sub(r"(?m)^ {6,}", "    ", as_rst("\n".join(block)))  # arguments, each with what it is
            block = re.sub(r"(?m)^(\w+) {2,}", r"\1\n    ", block).split("\n")
        made += [*block, ""]
    lines[:] = made


def setup(app) -> None:
    app.connect("autodoc-process-docstring", mend_docstring)
