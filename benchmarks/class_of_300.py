"""A class of honest students, graded in one run: `python benchmarks/class_of_300.py DIRECTORY [--students 300]`.

Makes a course directory. Every student has an id, a seed and a hand of their own: for each part one of several right
ways to write it, in torch or in NumPy, float32 or float64, with a wider or a narrower network, and every third has
written the functions before the training. The teacher's command grades them all; interrupted, the same command goes on.
The outcome is written to notebooks/homework/class_of_300.csv, a row a student, and what a teacher would want to know of
it is printed.
"""

import argparse
import csv
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np

from diffusion_course.check.homework import variant
from diffusion_course.homework import course, tables
from diffusion_course.homework.grading import local, records
from diffusion_course.homework.prepare import make as prepare

TABLE = Path(__file__).parent.parent / "notebooks" / "homework" / "class_of_300.csv"
PRINTED = ("status", "points", "sandbox_cpu", "peak_mib", "training")  # of all students together, and not written
MEAN_OF_X0 = "of_x0 * x0_hat + of_xt * xt"
MEAN_OF_EPS = "(xt - (1 - alpha) / (1 - alpha_bar_t).sqrt() * eps_hat) / alpha.sqrt()"
LOOP = """levels = [1.0]
    for b in beta.tolist():
        levels.append(levels[-1] * (1 - b))
    return torch.tensor(levels)"""
IN_NUMPY = """import numpy as np

    a, x, z = (np.asarray(each, dtype=np.float64) for each in (alpha_bar, xT, noise))
    for t, s, fresh in zip(times[:-1], times[1:], z):
        eps_hat = model(torch.from_numpy(x).float(), torch.full((len(x),), t)).numpy()
        x0_hat = (x - np.sqrt(1 - a[t]) * eps_hat) / np.sqrt(a[t])
        kept, rest = a[t] / a[s], 1 - a[s]
        mean = (np.sqrt(a[s]) * (1 - kept) * x0_hat + np.sqrt(kept) * rest * x) / (1 - a[t])
        x = mean + np.sqrt(rest / (1 - a[t]) * (1 - kept)) * fresh
    return torch.from_numpy(x).float()
    for i in range(0):"""
FORWARD = "    def forward(self, xt, t):\n        return self.layers(features(xt, t))"
WIDE = "nn.Linear(46, 128), nn.SiLU(),\n            nn.Linear(128, 128), nn.SiLU()"
BEFORE = ("time-grid", "grade-time-grid", "reverse-step", "grade-reverse-step")  # cells that some write earlier
# Cell of the solution, a piece of it, and other right ways to write that.
WAYS = (
    ("make-alpha-bar", "return torch.cat([torch.ones(1), torch.cumprod(1 - beta, dim=0)])", LOOP),
    ("add-noise", "alpha_bar_t.sqrt() * x0 +", "x0 * alpha_bar_t**0.5 +", "torch.sqrt(alpha_bar_t).mul(x0) +"),
    ("network", WIDE, WIDE.replace("SiLU", "GELU"), "nn.Linear(46, 64), nn.SiLU(), nn.Linear(64, 128), nn.SiLU()",
     "nn.Linear(46, 256), nn.SiLU(), nn.Linear(256, 128), nn.SiLU()"),
    ("network", FORWARD, FORWARD.replace("features(xt, t)", "features(xt, t).contiguous()"),
     "        self.double()\n\n" + FORWARD.replace("features(xt, t)", "features(xt, t).double()")),
    ("loss", "((eps - model(xt, t)) ** 2).mean()", "nn.functional.mse_loss(model(xt, t), eps)"),
    ("train", "rows = torch.randint(len(x0), (batch,))", "rows = torch.randperm(len(x0))[:batch]"),
    ("reverse-step", MEAN_OF_X0, MEAN_OF_EPS),
    ("time-grid", "[round(T * i / n) for i in range(n, -1, -1)]",
     "torch.linspace(T, 0, n + 1, dtype=torch.float64).round().int().tolist()",
     "[T - (2 * T * i + n) // (2 * n) for i in range(n + 1)]"),
    ("sample", "for i in range(len(times) - 1):", IN_NUMPY),
    ("samples", "static, noise = torch.randn(512, 2), torch.randn(n, 512, 2)",
     "noise, static = torch.randn((n, 512, 2)), torch.randn((512, 2))"),
)  # fmt: skip
# Other networks: a cell whole, before its check.
NETWORK = """class Denoiser(nn.Module):
    def __init__(self, width=128):
        super().__init__()
        {made}

    def forward(self, xt, t):
        {asked}


"""
DEEP = """nn.Sequential(nn.Linear({n}, width), nn.GELU(), *[nn.Sequential(
            nn.Linear(width, width), nn.GELU()) for _ in range({deep})], nn.Linear(width, 2))"""
MLP = f"self.layers = {DEEP.format(n=46, deep=3)}"
LEVEL = "a = alpha_bar[t][:, None]\n        found = self.layers(features(xt, t))\n        return "
FOURIER = f"self.layers = {DEEP.format(n=96, deep=2)}\n        "
NETWORKS = [NETWORK.format(made=made, asked=asked) for made, asked in (
    (MLP, "return self.layers(features(xt, t))"),
    (MLP.replace("nn.GELU()) for", "nn.LayerNorm(width), nn.SiLU()) for"), "return self.layers(features(xt, t))"),
    (MLP, LEVEL + "a.sqrt() * found + (1 - a).sqrt() * xt"),  # the network's own answer is v
    (MLP, LEVEL + "(xt - a.sqrt() * found) / (1 - a).sqrt()"),  # x_0
    (FOURIER + 'self.register_buffer("waves", torch.randn(2, 32))',
     "angle = xt @ self.waves\n        return self.layers(torch.cat([angle.sin(), angle.cos(), time_code[t]], dim=1))"),
    (FOURIER + "self.waves = nn.Parameter(torch.randn(2, 32))",
     "angle = xt @ self.waves\n        return self.layers(torch.cat([angle.sin(), angle.cos(), time_code[t]], dim=1))"),
    ("self.first, self.last = nn.Linear(46, width), nn.Linear(width, 2)\n        nn.init.zeros_(self.last.weight)\n"
     "        self.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), "
     "nn.Linear(width, width)) for _ in range(2))",
     "h = self.first(features(xt, t))\n        for block in self.blocks:\n            h = h + block(h)\n"
     "        return self.last(h)"),
)]  # fmt: skip
MEAN = "mean = [w.detach().clone() for w in model.parameters()]"
# Ways to train: pieces of the cells train and train-run, and what stands in their place.
ADAM, TRAINED = "Adam(model.parameters(), lr=4e-3, fused=True)", "train(model, alpha_bar, x0)"
AND_THEN = TRAINED + "\n    "
TRAININGS = (
    {},
    {ADAM: "AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)",
     "optimiser.step()": "nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimiser.step()"},
    {ADAM: "SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)",
     "optimiser.step()": "nn.utils.clip_grad_norm_(model.parameters(), 1.0)\n        optimiser.step()"},
    {ADAM: "NAdam(model.parameters(), lr=2e-3)", "batch=128": "batch=256"},
    {"CosineAnnealingLR(optimiser, steps)": "LambdaLR(optimiser, lambda step: 1 - step / (steps + 1))",
     "batch=128": "batch=96"},
    {"losses = torch": f"losses = torch.zeros(0), []\n    {MEAN}\n    optimiser, losses = torch",
     "falling.step()": "falling.step()\n        [m.lerp_(w.detach(), 0.01) for m, w in zip(mean, model.parameters())]",
     "return losses": "model.load_state_dict({**model.state_dict(), **dict(zip(dict(model.named_parameters()), mean))})"
                      "\n    return losses"},
    {TRAINED: AND_THEN + 'torch.save(model.state_dict(), "net.pt")\n    model = Denoiser()\n'
              '    model.load_state_dict(torch.load("net.pt"))'},
    {TRAINED: "train(model, alpha_bar, x0, steps=1000) + train(model, alpha_bar, x0)"},
    {TRAINED: AND_THEN + "from copy import deepcopy\n\n    model = deepcopy(model).eval().requires_grad_(False)"},
)  # fmt: skip
EXTRA = ("%timeit -n 1 -r 1 sum(range(9))", "print(x0.shape, T)", "plots.clouds({'mine': x0})", "1 / 0",
         "def helper(x):\n    return 2 * x\n\n\nhelper(3)", "%matplotlib inline", "model?")  # fmt: skip
NAMES = ("s{}", "ada.lovelace-{}", "Gödel{}", "{}")


def set_up(root, students):
    """The course directory, with everything handed in; what an earlier run has made stays."""
    if not root.exists():
        made = prepare.init(root)
        ids = [NAMES[seed % len(NAMES)].format(1000 + seed) for seed in range(students)]
        rows = [{"id": ids[seed], "first_name": "Student", "last_name": seed} for seed in range(students)]
        tables.write(root / "roster.csv", ("id", "first_name", "last_name"), rows)
        prepare.release(made, each=True)
        prepare.solution(made)
    made = course.Course(root)
    for seed, student in enumerate(made.roster):
        path = root / "submitted" / f"{student}.ipynb"
        if not path.exists():
            tables.replace(path, nbformat.writes(submission(made, student, seed)).encode())
    return made


def submission(made, student, seed):
    """The student's own copy with all blanks filled in, each in one of the right ways."""
    answers = in_one_of_the_ways(solution(made), np.random.default_rng(seed))
    answers["imports"] = answers["imports"].replace("T, SEED = 1000, 0", f"T, SEED = 1000, {seed}")
    notebook = nbformat.read(made.root / "release" / "each" / f"{student}.ipynb", 4)
    code = local.work(notebook.cells, without=("setup", "student-id"))
    for cell in notebook.cells:
        if cell.id in code:
            cell.source = answers[cell.id]
        elif cell.id == "conclusions":
            cell.source = f"I am {student}.\n\n{answers['conclusions']}"
    dice = np.random.default_rng(seed)
    for place in sorted(dice.integers(9, len(notebook.cells), dice.integers(4)).tolist(), reverse=True):
        notebook.cells.insert(place, nbformat.v4.new_code_cell(str(dice.choice(EXTRA))))
    if seed % 3 == 0:
        early = [cell for cell in notebook.cells if cell.id in BEFORE]
        others = [cell for cell in notebook.cells if cell.id not in BEFORE]
        place = next(i for i, cell in enumerate(others) if cell.id == "train-text")
        notebook.cells = others[:place] + early + others[place:]
    return notebook


def solution(made):
    """The cells of the worked solution, id → source."""
    return {cell.id: cell.source for cell in nbformat.read(made.root / "solution" / "spiral.ipynb", 4).cells}


def in_one_of_the_ways(answers, rng):
    """The cells of the solution, id → source, each piece in one of the right ways to write it."""
    answers = dict(answers)
    for cell, usual, *others in WAYS:
        if answers[cell].count(usual) != 1:
            raise ValueError(f"{usual!r} must stand once in the cell {cell} of the solution.")
        answers[cell] = answers[cell].replace(usual, rng.choice([usual, *others]))
    if rng.random() < 0.5:
        answers["network"] = rng.choice(NETWORKS) + "check.network(Denoiser, T)"
    for usual, other in rng.choice(TRAININGS).items():
        cells = [cell for cell in ("train", "train-run") if usual in answers[cell]]
        if not cells:
            raise ValueError(f"{usual!r} must stand in the cell train or train-run of the solution.")
        answers[cells[-1]] = answers[cells[-1]].replace(usual, other)
    if rng.random() < 0.3:  # without comments, docstrings and checks
        for cell in answers:
            if "def " in answers[cell]:
                answers[cell] = re.sub(r'\n *(""".*"""|# .*|check\..*)(?=\n|$)', "", answers[cell])
    return answers


def row(made, seed, student):
    """What became of one student."""
    record = records.load(made, student)
    if record is None:
        return {"id": student, "seed": seed, "status": "lost"}
    points = sum(part.points for part in record.parts.values() if part.points is not None)
    told = {"id": student, "seed": seed, "status": record.status, "points": points, "seconds": record.seconds}
    path = made.grading / "ran" / f"{student}.ipynb"
    graded = nbformat.read(path, 4)
    about = graded.metadata["homework"]
    told |= {"sandbox_cpu": about["cpu_seconds"], "peak_mib": about["peak_memory"] >> 20}
    told["training"] = training_seconds(graded)
    spiral = made.spiral(student)
    for steps, points in record.samples.items():
        told[f"distance_{steps}"] = round(float(spiral.distance(points).mean()), 5)
        told[f"coverage_{steps}"] = round(spiral.coverage(points), 3)
    return told


def training_seconds(notebook):
    """Of the last bar that the student's training has drawn: 10000/10000 [00:09<00:00, 1075.04it/s]."""
    texts = [out.get("text", "") for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]
    steps, rate = re.findall(r"(\d+)/\1 \[[^,]*, +([\d.]+)it/s\]", "".join(texts))[-1]
    return round(int(steps) / float(rate), 1)


def summary(made, rows):
    """The lines that are printed."""
    most = sum(points for part, points in made.parts.items() if part != "conclusions")
    graded = [row for row in rows if row["status"] == records.GRADED]
    yield f"{len(rows)} students: {len(graded)} graded, {sum(row['points'] == most for row in graded)} with all points"
    for row in rows:
        if row not in graded or row["points"] < most:
            record = records.load(made, row["id"])
            lost = [p.message for p in record.parts.values() if p.message.startswith("✗")] if record else []
            yield f"{row['id']}: {row['status']}, {row.get('points')} points. {' '.join(lost)}"
    columns = {name: [row[name] for row in graded] for name in ("seconds", "training", "sandbox_cpu", "peak_mib")}
    columns["seconds without training"] = [row["seconds"] - row["training"] for row in graded]
    for name, values in columns.items():
        yield f"{name}: mean {np.mean(values):.1f}, {min(values):.1f}–{max(values):.1f}"
    for steps, line in variant.LINES.items():
        far = max(row[f"distance_{steps}"] for row in graded)
        covered = min(row[f"coverage_{steps}"] for row in graded)
        yield f"{steps} steps: largest distance {far:.4f} (line {line}), smallest coverage {covered:.3f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path, help="the course directory, made here or by an interrupted run")
    parser.add_argument("--students", type=int, default=300)
    parser.add_argument("--table", type=Path, default=TABLE, help="where the outcome is written")
    parser.add_argument("--jobs", type=int, default=2, help="submissions at once")
    asked = parser.parse_args()
    made = set_up(asked.directory, asked.students)
    command = Path(sys.executable).with_name("diffusion-course")
    grading = [str(command), "homework", "grade", str(made.root), "--jobs", str(asked.jobs)]
    subprocess.run(grading, check=True)
    rows = [row(made, seed, student) for seed, student in enumerate(made.roster)]
    with asked.table.open("w", newline="") as file:
        kept = [name for name in rows[0] if name not in PRINTED]
        writer = csv.DictWriter(file, kept, lineterminator="\n", restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    print(*summary(made, rows), sep="\n")


if __name__ == "__main__":
    main()
