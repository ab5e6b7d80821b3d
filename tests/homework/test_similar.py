"""Copies are found whatever is done to them, and who wrote for themselves is no copy of anything."""

import re
import textwrap

import nbformat
import pytest
from solved import release, solution

from diffusion_course.homework.prepare import make as prepare
from diffusion_course.homework.report import answers, similar

NAMES = "make_alpha_bar add_noise Denoiser loss train reverse_step time_grid sample samples".split()
WORK = list(solution().values())
GIVEN = answers.program(list(release().values()), NAMES)
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


TRICKS = (renamed, with_docstrings, with_dead_code, padded, with_idle_lines, in_one_cell, twice)


def found(cells, others):
    code = answers.program(cells, NAMES)
    return {other: share for _, other, share in similar.pairs({"ada": code}, GIVEN, others)}


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    return similar.known(prepare.init(tmp_path_factory.mktemp("course") / "c"))


@pytest.mark.parametrize("trick", TRICKS, ids=lambda trick: trick.__name__)
def test_a_copy_of_the_solution_is_found_whatever_is_done_to_it(trick, known):
    assert trick(WORK) != WORK
    assert found(trick(WORK), known)["(the solution)"] > 0.9


def test_who_writes_for_themselves_is_no_copy(known):
    assert found([APART], known) == {}
    assert similar.pairs({"ada": answers.program([APART], NAMES), "alan": answers.program(WORK, NAMES)}, GIVEN) == []


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
    assert similar.pairs({"ada": GIVEN, "alan": GIVEN}, GIVEN) == []
    short = "def time_grid(T, n):\n    return [round(T * i / n) for i in range(n, -1, -1)]"
    assert similar.pairs({"ada": short, "alan": short}, "") == []


def test_what_may_not_be_used_is_named_and_the_rest_is_not():
    may_not = """
    import importlib, diffusion_course.samplers
    from diffusion_course import denoisers, scalar
    from diffusion_course.forward import add_noise
    from diffusion_course.models import SpiralMLP
    from diffusers import DDPMScheduler
    make_alpha_bar = check.make_alpha_bar.reference
    exec("x = 1")
    """
    assert answers.used([textwrap.dedent(may_not)]) == [
        "check.….reference", "diffusers", "diffusion_course.denoisers", "diffusion_course.forward.add_noise",
        "diffusion_course.models.SpiralMLP", "diffusion_course.samplers", "diffusion_course.scalar", "exec(…)",
        "importlib",
    ]  # fmt: skip
    assert answers.used(WORK) == answers.used(["model.eval()\nfrom diffusion_course import plots, schedule"]) == []


NO_PYTHON = ["(" * 10**5, "a" + "+a" * 10**5, "x = " + "[" * 200, "if 1:\n" * 500, "\0", "f'{" * 99]


@pytest.mark.parametrize("cell", NO_PYTHON, ids=range(len(NO_PYTHON)))
def test_a_cell_that_no_parser_takes_is_passed_over(cell):
    code, uses = answers.read([cell, "def f(x):\n    return x"], ["f"])
    assert code == "def f(x):\n    return x" and uses == []


def test_code_that_takes_too_long_is_named(monkeypatch):
    monkeypatch.setattr(answers, "SECONDS", 0.01)
    assert answers.read(WORK, NAMES) == ("", [answers.UNREAD])
