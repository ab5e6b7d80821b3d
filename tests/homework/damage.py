"""Notebooks damaged in every way that people, programs and attackers have found: `damaged(rng, notebook)`."""

import copy
import gzip
import json

CELL = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None}
HUGE = (
    "x" * 10**6, "(" * 10**5, "[" * 300 + "]" * 300, "a" + "+a" * 10**5, '"""' + "d" * 10**5 + '"""', "\\\n" * 10**5,
)  # fmt: skip
ODD_TEXT = (
    "\ud800 half", "\x1b[31mred\x1b[0m\x07", "\u202egnp.", "\x00", "\r\n\u2028", "＝1+1", "=1+1;=2", "\ufeff",
    "e\u0301" * 50,
)  # fmt: skip
ODD_VALUES = (None, 7, -1.5, True, [], [1], [["x"]], {}, {"a": {"b": []}}, "text", [None], float("nan"), 10**400)
TYPES = ("code", "markdown", "raw", "heading", "unknown", "", None, 5)


def damaged(rng, notebook) -> bytes:
    """The bytes of this notebook after one to three kinds of damage."""
    made = json.loads(json.dumps(notebook))
    for _ in range(rng.integers(1, 4)):
        pick(rng, CELLS)(rng, made)
    return pick(rng, FILES)(rng, json.dumps(made).encode())


def pick(rng, several):
    return several[rng.integers(len(several))]


def some(rng, made):
    """A cell of the notebook, if there is one that is a cell still."""
    cells = [cell for cell in made["cells"] if isinstance(cell, dict)] if isinstance(made.get("cells"), list) else []
    return pick(rng, cells) if cells else {}


# ---- what happens to cells -----------------------------------------------------------------------


def delete(rng, made):
    if isinstance(made.get("cells"), list):
        made["cells"] = [cell for cell in made["cells"] if rng.random() < 0.7]


def retype(rng, made):
    some(rng, made)["cell_type"] = pick(rng, TYPES)


def duplicate(rng, made):
    if isinstance(made.get("cells"), list):
        made["cells"] += [copy.deepcopy(some(rng, made)) for _ in range(rng.integers(1, 4))]


def shuffle(rng, made):
    if isinstance(made.get("cells"), list):
        rng.shuffle(made["cells"])


def swap_ids(rng, made):
    one, two = some(rng, made), some(rng, made)
    one["id"], two["id"] = two.get("id"), one.get("id")
    one["metadata"], two["metadata"] = two.get("metadata"), one.get("metadata")


def odd_source(rng, made):
    some(rng, made)["source"] = pick(rng, ODD_VALUES)


def odd_text(rng, made):
    some(rng, made)["source"] = pick(rng, ODD_TEXT) * rng.integers(1, 20)


def huge_source(rng, made):
    some(rng, made)["source"] = pick(rng, HUGE)


def odd_metadata(rng, made):
    cell = some(rng, made)
    cell["metadata"] = pick(rng, ODD_VALUES) if rng.random() < 0.5 else {"nbgrader": pick(rng, ODD_VALUES)}


def odd_claim(rng, made):
    some(rng, made)["metadata"] = {"nbgrader": {"grade_id": pick(rng, [*ODD_VALUES, "grade-double"]), "points": "many"}}


def odd_field(rng, made):
    made[pick(rng, ("cells", "nbformat", "nbformat_minor", "metadata", "worksheets"))] = pick(rng, ODD_VALUES)


def many_cells(rng, made):
    if isinstance(made.get("cells"), list):
        made["cells"] += [CELL] * int(rng.integers(10, 1500))


def no_ids(rng, made):
    for cell in made["cells"] if isinstance(made.get("cells"), list) else ():
        if isinstance(cell, dict):
            cell.pop("id", None)
            cell.pop("metadata", None)


def outputs(rng, made):
    some(rng, made)["outputs"] = [{"output_type": "stream", "name": "stdout", "text": pick(rng, HUGE)}]


def deep(rng, made):
    nested = "x"
    for _ in range(400):
        nested = [nested] if rng.random() < 0.5 else {"a": nested}
    made["metadata"] = {"deep": nested}


def nothing(rng, made):
    pass


CELLS = (
    delete, retype, duplicate, shuffle, swap_ids, odd_source, odd_text, huge_source, odd_metadata, odd_claim, odd_field,
    many_cells, no_ids, outputs, deep, nothing,
)  # fmt: skip


# ---- what happens to the file --------------------------------------------------------------------


def whole(rng, content):
    return content


def cut(rng, content):
    return content[: rng.integers(len(content))]


def flipped(rng, content):
    damaged = bytearray(content)
    for place in rng.integers(len(content), size=5):
        damaged[place] = rng.integers(256)
    return bytes(damaged)


def packed(rng, content):
    return gzip.compress(content)


def encoded(rng, content):
    return content.decode().encode(pick(rng, ("utf-16", "utf-32", "utf-8-sig", "utf-7")))


def noise(rng, content):
    return rng.bytes(int(rng.integers(2000)))


def brackets(rng, content):
    return pick(rng, (b"[", b'{"cells":', b"{}", b"9")) * 50_000


FILES = (whole, whole, whole, whole, whole, cut, flipped, flipped, packed, encoded, noise, brackets)

# ---- names, as bytes; {} stands for the student's id ---------------------------------------------

NAMES = (
    *[b"{}.ipynb"] * 6, b"{}/spiral.ipynb", b"{}/G\xf6del.ipynb", b"{}/a/\x1b[31m\n/x.ipynb", b"G\xf6del {}.ipynb",
    b"\xff\xfe{}", b"\x1b]0;{}\x07.ipynb", b"={}+1.ipynb", b"{} .ipynb", b"{}\n.ipynb", b"{}.ipynb.ipynb", b"{}.pdf",
    b"-{}", b"\xe2\x80\xae{}.ipynb", b"{}_" + b"x" * 200 + b".ipynb",
)  # fmt: skip
