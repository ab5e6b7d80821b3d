"""How many plausible slips does a check explain? Mutates every solution once in every place, and counts the messages.

    python benchmarks/slips.py              # one line an exercise, and the share
    python benchmarks/slips.py posterior    # the slips of one exercise, each with its message

A slip exchanges an operator, a constant, an argument or an index, drops a root, a term, a minus, a bracket or a line,
takes a sum for a mean, another axis, or moves the `return` into the loop. Slips that change no number do not count.
Explained is what is named, or isolated (a weight, a result, a place, a relation); "by hand" is one case with its
right answer; "raised" are slips that run into an error, which is told with the learner's line.
"""

import ast
import collections
import contextlib
import copy
import io
import sys

from diffusion_course.check import Mistake, handed
from diffusion_course.check.atlas import exercises

OTHER = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add), ast.Div: (ast.Mult,), ast.Pow: (ast.Mult,),
}  # fmt: skip
CALLS = {
    "sum": "mean", "mean": "sum", "min": "max", "max": "min", "sin": "cos", "cos": "sin", "cumprod": "cumsum",
    "argmin": "argmax", "maximum": "minimum", "minimum": "maximum", "standard_normal": "random",
}  # fmt: skip
COMPARE = {
    ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip


def slips_of(node, names, linear):
    """What one node of a solution may become by one slip; names are taken for others of their kind."""
    if isinstance(node, ast.BinOp):
        for operator in OTHER.get(type(node.op), ()):
            yield ast.BinOp(node.left, operator(), node.right)
        yield node.left
        if not isinstance(node.op, ast.Pow):
            yield node.right
        if isinstance(node.op, (ast.Sub, ast.Div)):
            yield ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            yield ast.BinOp(node.left, node.op, ast.Constant(2 if node.right.value == 0.5 else 0.5))
        inner = node.left  # of (a − b) / c, which loses its brackets
        bracket = isinstance(inner, ast.BinOp) and isinstance(inner.op, (ast.Add, ast.Sub))
        if bracket and isinstance(node.op, (ast.Mult, ast.Div, ast.Pow)):
            yield ast.BinOp(inner.left, inner.op, ast.BinOp(inner.right, node.op, node.right))
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
        yield from (ast.Constant(value) for value in (node.value + 1, node.value - 1))
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        like = [name for name in names if name != node.id and (name in linear) == (node.id in linear)]
        yield from (ast.Name(name, ast.Load()) for name in like)
        if node.id.startswith(("alpha", "beta", "variance")):
            yield ast.BinOp(node, ast.Pow(), ast.Constant(0.5))
            yield ast.BinOp(ast.Constant(1), ast.Sub(), node)
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            yield ast.Call(ast.Attribute(node.func.value, CALLS[node.func.attr], ast.Load()), node.args, node.keywords)
        if len(node.args) > 1:
            yield ast.Call(node.func, [node.args[1], node.args[0], *node.args[2:]], node.keywords)
        for i, keyword in enumerate(node.keywords):
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
            if keyword.arg == "axis":
                yield ast.Call(node.func, node.args, [ast.keyword("axis", ast.Constant(0))])
    elif isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield ast.Tuple(node.elts[::-1], ast.Load())
        yield from node.elts
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice):
        for operator in (ast.Add(), ast.Sub()):
            yield ast.Subscript(node.value, ast.BinOp(node.slice, operator, ast.Constant(1)), node.ctx)
    elif isinstance(node, ast.Compare):
        yield ast.Compare(node.left, [COMPARE[type(node.ops[0])]()], node.comparators)
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)


def mutants(solution, linear=()):
    """Every function that one slip makes of the solution, with what was changed."""
    header, body = handed.source(solution)
    tree = ast.parse(f"{header}\n{body}")
    names = [argument.arg for argument in tree.body[0].args.args]
    seen = {ast.unparse(tree)}
    for count, node in enumerate(ast.walk(tree)):
        made = [(node, slip) for slip in slips_of(node, names, linear)]
        made += [(node, None)] if isinstance(node, (ast.Assign, ast.AugAssign)) else []
        for old, new in made:
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[count]
            changed = ast.fix_missing_locations(Replace(twin, new).visit(changed))
            text = ast.unparse(changed)
            if text not in seen:
                seen.add(text)
                with contextlib.suppress(SyntaxError):  # a slice in an index cannot be added to
                    yield f"{ast.unparse(old)} → {ast.unparse(new) if new else 'dropped'}", compiled(text, solution)
    if "\n    return" in body and ("for " in body or "while " in body):
        text = f"{header}\n{body}".replace("\n    return", "\n        return")
        with contextlib.suppress(SyntaxError):
            yield "return in the loop", compiled(text, solution)


class Replace(ast.NodeTransformer):
    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        if node is self.old:
            return ast.Pass() if self.new is None else copy.deepcopy(self.new)
        return self.generic_visit(node)


def compiled(text, solution):
    names: dict = {}
    exec(compile(text, "<slip>", "exec"), solution.__globals__, names)
    return names[solution.__name__]


def message(exercise, attempt):
    """How the check answers: the kind of its message, and the message."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exercise(attempt)
    except Mistake as mistake:
        return "named" if mistake.fault else mistake.kind, str(mistake)
    return "right", ""


def main(wanted):
    total = collections.Counter()
    print(f"{'exercise':24}{'slips':>7}{'named':>7}{'isolated':>10}{'form':>6}{'by hand':>9}{'raised':>8}   explained")
    for exercise in exercises():
        if wanted and exercise.name not in wanted:
            continue
        counts = collections.Counter()
        for change, attempt in mutants(exercise.reference, exercise.linear):
            kind, text = message(exercise, attempt)
            counts[kind] += 1
            if wanted and kind not in ("right",):
                print(f"{kind:9}{change}\n         {text}")
        total += counts
        print(row(exercise.name, counts))
    print(row("all", total))


def row(name, counts):
    told = counts["named"] + counts["isolated"] + counts["form"]
    slips = told + counts["by hand"]
    cells = f"{counts['named']:7}{counts['isolated']:10}{counts['form']:6}{counts['by hand']:9}{counts['raised']:8}"
    return f"{name:24}{slips:7}{cells}   {told / max(slips, 1):.0%}"


if __name__ == "__main__":
    main(sys.argv[1:])
