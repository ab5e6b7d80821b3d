"""Copies are found whatever is done to them, and who wrote for themselves is no copy of anything."""

import random
import re
import textwrap

import nbformat
import pytest
from solved import release, solution

from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.report import answers, similar

NAMES = "make_alpha_bar add_noise Denoiser loss train reverse_step time_grid sample samples".split()
WORK = list(solution().values())


def program(cells):
    return answers.read_here(cells, NAMES).program


GIVEN = program(list(release().values()))
APART = '''
def make_alpha_bar(T):
    """By a loop over plain numbers."""
    low, high, left = 0.1 / T, 12 / T, [1.0]
    for k in range(T):
        left.append(left[-1] - left[-1] * (low + k * (high - low) / (T - 1)))
    return torch.as_tensor(left, dtype=torch.float32)

def add_noise(x0, alpha_bar_t, eps):
    return torch.lerp(x0 * 0, x0, alpha_bar_t**0.5) + eps.mul(torch.sqrt(1 - alpha_bar_t))

class Denoiser(nn.Module):
    def __init__(self, width=128, depth=3):
        super().__init__()
        sizes = [46] + depth * [width]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        self.out = nn.Linear(width, 2)

    def forward(self, xt, t):
        h = features(xt, t)
        for layer in self.hidden:
            h = nn.functional.silu(layer(h))
        return self.out(h)

def loss(model, alpha_bar, x0, t, eps):
    level = alpha_bar.gather(0, t).unsqueeze(1)
    guess = model(add_noise(x0, level, eps), t)
    return torch.nn.functional.mse_loss(guess, eps)

def train(model, alpha_bar, x0, steps=10_000, batch=128):
    optimiser, losses = torch.optim.Adam(model.parameters(), lr=4e-3, fused=True), []
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in tqdm(range(steps)):
        chosen = x0[torch.randperm(x0.shape[0])[:batch]]
        when = 1 + (torch.rand(batch) * (alpha_bar.numel() - 1)).long()
        error = loss(model, alpha_bar, chosen, when, torch.randn_like(chosen))
        for group in optimiser.param_groups:
            for p in group["params"]:
                p.grad = None
        error.backward(); optimiser.step()
        falling.step()
        losses.append(error.item())
    return losses

def reverse_step(xt, eps_hat, alpha_bar_t, alpha_bar_s, z):
    keep = alpha_bar_t / alpha_bar_s
    mean = (xt - eps_hat * (1 - keep) / (1 - alpha_bar_t) ** 0.5) / keep**0.5
    spread = ((1 - keep) * (1 - alpha_bar_s) / (1 - alpha_bar_t)) ** 0.5
    return torch.addcmul(mean, spread, z)

def time_grid(T, n):
    return torch.linspace(T, 0, n + 1, dtype=torch.double).round().long().tolist()

def sample(model, alpha_bar, xT, times, noise):
    x = xT.clone()
    for start, end, z in zip(times, times[1:], noise):
        hours = torch.zeros(x.shape[0], dtype=torch.long) + start
        x = reverse_step(x, model(x, hours), alpha_bar[start], alpha_bar[end], z)
    return x

samples = {n: sample(model, alpha_bar, torch.randn(512, 2), time_grid(T, n), torch.randn(n, 512, 2)) for n in (10, 50)}
'''


def renamed(cells):
    return [re.sub(r"\b(xt|eps_hat|alpha|variance|rows|error|of_x0|beta)\b", r"my_\1", cell) for cell in cells]


def with_docstrings(cells):
    return [re.sub(r"(?m)^( +)(return|x = xT)", r'\1"""' + "why " * 25_000 + r'"""\n\1\2', cell) for cell in cells]


def with_dead_code(cells):
    dead = r"\1if False:\n\1    q = [i**2 for i in range(100)]\n\1unused = 3 * 4 + 5\n\1\2"
    return [re.sub(r"(?m)^( +)(return|x = xT|rows =)", dead, cell) for cell in cells]


def padded(cells):
    more = [f"def padding_{i}(a, b):\n    return [a * {i} + b for _ in range(b)]\n" for i in range(400)]
    return [*more, *cells, *more]


def with_idle_lines(cells):
    """Lines that do something, and nothing to the answer."""
    places = r"(?m)^( +)(return|x = xT|optimiser.zero)"
    return [re.sub(places, r"\1print(len([1, 2, 3]))\n\1\2", cell) for cell in cells]


def in_one_cell(cells):
    return ["\n\n".join(reversed(cells))]


def twice(cells):
    """Another program first, whose names the copy then takes."""
    return [APART, *cells]


def wrapped(opening, closing=""):
    """Each cell inside of something else."""

    def wrapped(cells):
        return [f"{opening}\n{textwrap.indent(cell, '    ')}\n{closing}" for cell in cells]

    return wrapped


def under_if_true(cells):
    return wrapped("if True:")(cells)


def under_try(cells):
    return wrapped("try:", "finally:\n    pass")(cells)


def under_with(cells):
    return wrapped("with contextlib.nullcontext():")(cells)


def in_functions(cells):
    return wrapped("def make():", "globals().update(make())")(cells)


def in_classes(cells):
    made = [re.findall(r"(?m)^(?:def|class) (\w+)", cell) for cell in cells]
    taken = ["".join(f"{name} = Mine.{name}\n" for name in names) for names in made]
    return [wrapped("class Mine:", more)([cell])[0] for cell, more in zip(cells, taken, strict=True)]


def padded_beyond_what_is_compared(cells):
    lines = "".join(f"    f{i}(g)\n" for i in range(9000))
    called = [re.sub(r"(?m)^    beta =", "    if T < 0: padding()\n    beta =", cell) for cell in cells]
    return [f"def padding():\n{lines}", *called]


def seen_by_ipython_only(cells):
    return [f"print?\n{cell}\n%time x = 1" for cell in cells]


WRAPPED = (under_if_true, under_try, under_with, in_functions, in_classes, padded_beyond_what_is_compared)
TRICKS = (renamed, with_docstrings, with_dead_code, padded, with_idle_lines, in_one_cell, twice)
TRICKS += (seen_by_ipython_only, *WRAPPED)


def hidden(cells, seed):
    """Under other names, in the place of decoys that no assignment links with it, among random functions."""
    dice, text = random.Random(seed), "\n\n".join(cells)
    for name in NAMES[:-1]:
        text = re.sub(rf"\b(def|class) {name}\b", rf"\1 my_{name}", text) + f"\nfor {name} in [my_{name}]: pass"
        text = f"def {name}(*given): return given[0]\n{text}"
    more = (" + ".join(dice.choices("a b[1:] (a,b) {a:b} -b a(b) a.b".split(), k=9)) for _ in range(300))
    return [text, *(f"def f(a, b): return {each}" for each in more)]


def near(*programs):
    return similar.near(similar.shares(*programs))


def found(cells, others):
    return {other: share for _, other, share in near({"ada": program(cells)}, GIVEN, others)}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return similar.known(prepare.init(tmp_path_factory.mktemp("course") / "c"))


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_copy_of_the_solution_is_found_whatever_is_done_to_it(trick, known):
    assert trick(WORK) != WORK
    assert found(trick(WORK), known)["(the solution)"] > 0.9


def test_a_copy_is_found_where_nothing_leads_to_it(known):
    assert found(hidden(WORK, 1), known)["(the solution)"] > 0.8
    two = {str(seed): program(hidden([APART], seed)) for seed in (1, 2)}
    pairs = near(two | {"bob": program(WORK)}, GIVEN, known)
    assert sorted(pair[:2] for pair in pairs) == [("1", "2"), ("bob", "(the solution)")]


def test_who_writes_for_themselves_is_no_copy(known):
    assert found([APART], known) == {}
    assert near({"ada": program([APART]), "alan": program(WORK)}, GIVEN) == []


def test_what_is_taken_from_the_checks_or_the_package_is_found(known):
    checks = [(prepare.PACKAGE / "check/homework" / f"{name}.py").read_text() for name in ("noising", "walk")]
    assert found(checks, known)["(the checks)"] == 1
    denoisers = (prepare.PACKAGE / "denoisers.py").read_text() + "\nDenoiser = lambda: IdealDenoiser(x0, None)"
    assert "(the package)" in found([APART, denoisers], known)


def test_notebooks_of_earlier_years_are_compared_and_damaged_ones_passed_over(tmp_path, known):
    folder = tmp_path / "2025"
    (folder / "bob").mkdir(parents=True)
    (folder / "bad.ipynb").write_bytes(b"{")
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(APART)])
    nbformat.write(made, folder / "bob/spiral.ipynb")
    earlier = similar.known(prepare.init(tmp_path / "c"), [folder])
    assert found([APART], earlier) == {"2025/bob/spiral.ipynb": 1}
    assert earlier["2025/bad.ipynb"] == ""


def test_what_everybody_was_given_and_short_programs_make_no_pair():
    assert near({"ada": GIVEN, "alan": GIVEN}, GIVEN) == []
    short = "def time_grid(T, n):\n    return [round(T * i / n) for i in range(n, -1, -1)]"
    assert near({"ada": short, "alan": short}, "") == []


def used(*cells):
    return answers.read_here([textwrap.dedent(cell) for cell in cells], NAMES).uses


def test_what_may_not_be_used_is_named_and_the_rest_is_not():
    may_not = """
    import importlib, diffusion_course.samplers
    from diffusion_course import denoisers, scalar, schedule
    from diffusion_course.forward import add_noise
    from diffusion_course.models import SpiralMLP
    from diffusers import DDPMScheduler
    import written_beside_the_notebook
    make_alpha_bar = check.make_alpha_bar.reference
    exec("x = 1")
    """
    assert used(may_not) == [
        "exec", "check.….reference", "diffusion_course.denoisers", "diffusion_course.forward.add_noise",
        "diffusion_course.models.SpiralMLP", "diffusion_course.samplers", "diffusion_course.scalar",
        "diffusion_course.schedule", "diffusers", "importlib", "written_beside_the_notebook (not installed)",
    ]  # fmt: skip
    may = """
    from diffusion_course import plots
    from diffusion_course.models import time_embedding
    import diffusion_course.models as m, sys
    import re
    m.time_embedding(x), re.compile("x"), torch.compile(model), list(model.modules())
    model.eval()
    if "google.colab" in sys.modules:
        from google.colab import files
    getattr(model, "width")
    """
    lines = """%matplotlib inline\n!pip install "numpy>=2" torch\n!ls -la\n!python -V\n%load_ext autoreload
    %autoreload 2\n%config InlineBackend.figure_format = "retina"\nfrom IPython.display import HTML"""
    assert used(*WORK) == used(may, lines, "%%time") == []


def test_a_flood_of_names_hides_nothing():
    named = used(*(f"x = '!nothing in cell {i} is odd.py'\nimport a{i}" for i in range(60)), "exec(x)\n%run x")
    assert named[:2] == ["exec", "%run"] and max(map(len, named)) < 40


WAYS = {
    'F = sys.modules["diffusion_course.forward"]': {"….modules", "diffusion_course.forward"},
    "sys.modules.get(name)": {"….modules"},
    "from sys import modules\nmodules[name]": {"….modules"},
    "import diffusion_course as d\nd.forward.add_noise": {
        "diffusion_course.forward",
        "diffusion_course.forward.add_noise",
    },
    "import diffusion_course as d\nd.Schedule": {"diffusion_course.Schedule"},
    "from diffusion_course import models as m\nm.SpiralMLP": {"diffusion_course.models.SpiralMLP"},
    "from diffusion_course.models import *": {"diffusion_course.models.*"},
    "run = exec": {"exec"},
    "run = [eval, compile][0]": {"compile", "eval"},
    "import builtins\nbuiltins.exec(code)": {"builtins"},
    'getattr(__builtins__, "ex" + "ec")(code)': {"__builtins__", "getattr"},
    'getattr(thing, "exec")(code)': {"getattr"},
    "get_ipython().run_cell(code)": {"….run_cell", "get_ipython"},
    "import types\ntypes.FunctionType(code, {})": {"types", "….FunctionType"},
    "import runpy as r": {"runpy"},
    f"W = {'x' * 30_000!r}": {"texts and numbers of 30000 characters"},
    f"W = [{', '.join(7 * [repr(1500 * 'x')])}]": {"texts and numbers of 10500 characters"},  # short ones, together
    f"W = {2000 * [0.125]}": {"texts and numbers of 16000 characters"},
    f"W = {2**40_000:#x}": {"texts and numbers of 10000 characters"},
    "text = In[3]  # with weights in a comment": {"In"},
    "%run -i answers.py": {"%run"},
    "%time %run answers.py": {"%run"},
    "%timeit -n 3 -r1 exec(code)": {"exec"},
    "  %timeit  -q -n3 !echo x": {"!echo"},
    "x = %time exec(code)": {"%time"},
    "x = !cat answers.py\nx?": {"!cat"},
    "x = (Opts()\n% (exec)\n)(code)": {"exec"},
    "x = 1;\f\n%run answers.py": {"%run"},
    "get_ipython().run_line_magic('run', 'answers')\nx?": {"%run"},
    "if 1:\n    %timeit -r 2 exec(code)": {"exec"},
    "%%time\nexec(code)": {"exec"},
    "%%capture --no-stderr out\nexec(code)": {"exec"},
    "open('this.py', 'w').write(text)\nimport this": {"this", "this.py"},
    "import timeit\ntimeit.timeit(setup=text)": {"timeit"},
    "import cProfile\ncProfile.runctx(text, {}, {})": {"cProfile", "….runctx"},
    "import code\ncode.InteractiveInterpreter().runsource(text)": {"code", "….runsource"},
    "get_ipython().ex(text)": {"….ex", "get_ipython"},
    "import operator\noperator.attrgetter('_' + '_builtins_' + '_')(os)": {"….attrgetter"},
    "from operator import attrgetter as a": {"….attrgetter"},
    "import pickle": {"pickle"},
    "torch.jit.CompilationUnit(text)": {"….CompilationUnit"},
    "%%writefile answers.py\nx = 1": {"%%writefile"},
    "!echo eA== | base64 -d > x.py": {"!echo"},
    "import os\nos.system('x')": {"….system"},
    "globals()['make_' + 'alpha_bar'] = f": {"globals"},
    "import winsound as w": {"winsound (not installed)"},  # Python's own, and on Windows only
    "import gc": {"gc"},
    "from sympy import sympify": {"sympy"},
    "get_ipython().input_transformers_cleanup.append(f)": {"get_ipython"},
    "import sys\nsys._getframe(1).f_locals": {"…._getframe", "….f_locals"},
    "object.__subclasses__()": {"….__subclasses__"},
    "f.__code__ = g.__code__": {"….__code__"},
    "import os\nos.popen(x)": {"….popen"},
    "%config InteractiveShell.colors = box.append(f)": {"%config"},
    "!pip -V; echo f > x": {"!pip"},
    "%load_ext beside": {"%load_ext"},
    "torch.hub.load('.')": {"torch.hub", "torch.hub.load"},
    "from torch import _compile": {"torch._compile"},
    "from IPython import get_ipython as g": {"….get_ipython"},
    "import typing\ntyping.sys.modules": {"….modules"},
    f"W = {3000 * [7, True]}": {"texts and numbers of 6000 characters"},
    f"W = [{'(), ((),), ' * 4000}]": {"code of 44015 characters"},
    f"dict({', '.join(f'w{i}_{60 * chr(97)}=0' for i in range(100))})": {"texts and numbers of 6490 characters"},
    "import numpy as np\nnp.load(file, allow_pickle=True)": {"allow_pickle"},
    "torch.load(file, weights_only=False)": {"weights_only"},
    f"W = {400 * [2**40 * 1j]}": {"texts and numbers of 6400 characters"},
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_around_the_cells_is_named(way):
    assert set(used("import sys", way)) == WAYS[way]


def test_an_answer_that_no_cell_defines_is_told():
    cells = ["run(text)", "def f(T): pass", "class A:\n    def g(T): pass", "loss = lambda *a: 0", "train = A.g"]
    cells += ["make_alpha_bar = f", "sample = wrapped(make_alpha_bar)", "time_grid = names['time_grid']"]
    asked = ["make_alpha_bar", "add_noise", "loss", "train", "sample", "time_grid"]
    assert answers.read_here(cells, asked).missing == ["add_noise", "time_grid"]


def test_an_answer_that_is_blank_still_is_told():
    blank, loop = "raise NotImplementedError", "def train(x):\n    for i in x:\n        raise NotImplementedError"
    cells = [loop, f"def loss(x):\n    {blank}", "def loss(x):\n    return x", "def sample(x): pass"]
    assert answers.read_here(cells, ["train", "loss", "sample", "add_noise"]).blank == ["train"]


FORMS = """def p(x: FORM): pass|class P:\n f: (FORM)|while 0: pass\nelse: f = FORM|for f in [FORM]: pass
|if a(FORM): pass|def go():\n global f\n f = FORM|def go():\n class Q: f = FORM|@FORM\ndef f(): pass
|def go():\n x = own % (FORM)"""
ENDS = "\f\v\x1c\x85\u2028"  # of lines to `str.splitlines`, and not to Python


@pytest.mark.parametrize(
    "cell",
    [
        "%time _own = lambda T: torch.ones(T + 7)\ndef make_alpha_bar(T):\n    return _own(T)",
        "%timeit -n 3 -r 1 tools.append(lambda T: torch.ones(T + 7))\ndef make_alpha_bar(T):\n    return tools[0](T)",
        "%%time\n_own = lambda T: torch.ones(T + 7)\ndef make_alpha_bar(T):\n    return _own(T)",
        "class Own:\n    __mod__ = take\nmake_alpha_bar = (Own()\n% (lambda T: torch.ones(T + 7))\n)",
        "def time(x):\n    return x + torch.ones(T + 7)\ndef make_alpha_bar(T):\n    return (Own()\n%time (3)\n)\nx?",
        *(f"# mine{end}x = '''\ndef make_alpha_bar(T):\n    return torch.ones(T + 7)\n#{end}'''" for end in ENDS),
        "_own = lambda T: torch.ones(T + 7)\nprint?\ndef make_alpha_bar(T):\n    return _own(T)",
        *(FORMS.replace("FORM", "lambda T: torch.ones(T + 7)").split("|")),
    ],
)
def test_a_formula_is_seen_wherever_it_stands(cell):
    assert "torch.ones(T + 7)" in program([cell])
    assert used(cell) == []


def test_an_honest_if_true_around_the_samples_changes_nothing():
    samples = "samples = {}\nfor n in (10, 50):\n    samples[n] = sample(model, n)"
    reached = program([wrapped("if True:")([samples])[0]]).partition(answers.ALL)[0]
    assert reached.count("samples[n]") == 1


NO_PYTHON = ["(" * 10**5, "a" + "+a" * 10**5, "x = " + "[" * 200, "if 1:\n" * 500, "\0", "f'{" * 99]


@pytest.mark.parametrize("cell", NO_PYTHON, ids=range(len(NO_PYTHON)))
def test_a_cell_that_no_parser_takes_is_passed_over(cell):
    f = "def f(x):\n    return x"
    assert answers.read([cell, f], ["f"]) == (f + answers.ALL + f, [], [], [], [0])


def test_code_that_takes_too_long_is_named(monkeypatch):
    monkeypatch.setattr(answers, "SECONDS", 0.01)
    assert answers.read(WORK, NAMES) == ("", [answers.UNREAD], [], [], [])
