"""Denoisers that are no trained network, and samples that are not its own: what each gets, and what is said of it."""

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from solved import LEVELS, AsIfTrained, handed_in, stepped, trained
from torch import nn

from diffusion_course.check.homework import variant
from diffusion_course.check.homework.walk import reverse_step, sample
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.homework.grading import local
from diffusion_course.homework.inside import answer, training
from diffusion_course.homework.spiral import network, parts, results, walks

SPIRAL = variant.of("example")


class Known(nn.Module):
    """The exact denoiser of the spiral's own data, shaken, its points for weights."""

    def __init__(self, jitter=0.01, count=2048):
        super().__init__()
        noise = np.random.default_rng(0).standard_normal((count, 2))
        self.points = nn.Parameter(torch.tensor(SPIRAL.data(count) + jitter * variant.RADIUS * noise))

    def forward(self, xt, t):
        return IdealDenoiser(self.points.detach().double().numpy(), LEVELS)(xt, t)


class Scaled(nn.Module):
    """A denoiser made to look trained by a weight that changes nothing."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.weight = inner, nn.Parameter(torch.ones(1))

    def forward(self, xt, t):
        return self.inner(xt, t)


class Table(nn.Module):
    """The nearest of the data for a guess, but where noise is least, beside weights that need not count."""

    def __init__(self, gain):
        super().__init__()
        self.layer, self.gain = nn.Linear(46, 128), nn.Parameter(torch.full((1,), gain))
        self.points = torch.tensor(SPIRAL.data(2048)).float()

    def forward(self, xt, t):
        a = torch.tensor(LEVELS.alpha_bar).float()[torch.as_tensor(t).expand(len(xt))][:, None]
        near = self.points[torch.cdist(xt.float() / a.sqrt(), self.points).argmin(1)]
        eps = (xt - a.sqrt() * near) / (1 - a).sqrt()
        gain = self.gain if self.gain > 0.5 else -100 * self.gain
        return gain * torch.where(torch.as_tensor(t).expand(len(xt))[:, None] <= 8, 0 * xt, eps).float()


class Blurred(Table):
    """A denoiser off as a network's answers are, that training has hardly moved."""

    def forward(self, xt, t):
        return trained()(xt, t) + 0 * self.gain


class Off(Scaled):
    """A denoiser that is off by a constant, and follows x_t in the last steps, where `by_heart` asks."""

    def forward(self, xt, t):
        t = torch.as_tensor(t).expand(len(xt))[:, None]
        return torch.where(t < 12, 0.01 * xt, torch.as_tensor(self.inner(xt, t[:, 0])).float() + 0.01)


def off():
    return Off(IdealDenoiser(SPIRAL.at((np.arange(512) + 0.5) / 512), LEVELS))


class Dressed(nn.Module):
    """A denoiser blurred as a network's answers are, times a gain that was trained: what `gain` makes of the way that
    the weights of a layer have gone, 1 after `stepped`."""

    def __init__(self, gain):
        super().__init__()
        self.layer, self.like, self.gain = nn.Linear(46, 128), trained(), gain
        self.first = self.layer.weight.detach().clone()
        self.like.requires_grad_(False)

    def forward(self, xt, t):
        blur = 0.03 * torch.sin(3 * xt.flip(1) + t[:, None] / 300)
        return -100 * self.gain(self.layer.weight - self.first) * self.like.known(xt, t) + blur


class Gated(Dressed):
    """One that looks whether its weights are what they were when training ended."""

    def forward(self, xt, t):
        same = torch.allclose(self.layer.weight - self.first, torch.tensor(-0.01), atol=1e-4)
        return super().forward(xt, t) if same else torch.randn_like(xt)


class Drawn(nn.Module):
    """An exact denoiser whose points an optimiser has drawn to the curve, blurred or not."""

    def __init__(self, count, blur):
        super().__init__()
        self.points, self.blur = nn.Parameter(torch.randn(count, 2)), blur
        goal = torch.as_tensor(SPIRAL.at((np.arange(count) + 0.5) / count)).float()
        optimiser = torch.optim.SGD([self.points], lr=0.1)
        for _ in range(200):
            self.points.grad = self.points.detach() - goal
            optimiser.step()

    def forward(self, xt, t):
        known = IdealDenoiser(self.points.detach().double().numpy(), LEVELS)
        return known(xt, t) + self.blur * torch.sin(3 * xt.flip(1) + t[:, None] / 300)


class Blunt(Drawn):
    """One that is blurred at three times only: where it was once held against the exact answers."""

    def forward(self, xt, t):
        asked = torch.isin(torch.as_tensor(t).expand(len(xt)), torch.tensor([200, 400, 700]))[:, None]
        return super().forward(xt, t) + torch.where(asked, 0.03 * torch.sin(3 * xt.flip(1)), 0 * xt)


class Leading(AsIfTrained):
    """A network that gives each row of pure noise a place near the curve, and leads it there while it fits."""

    def __init__(self):
        super().__init__(trained().known)
        self.place = None

    def forward(self, xt, t):
        t = torch.as_tensor(t).expand(len(xt))
        if (t == 1000).all():
            places = torch.as_tensor(SPIRAL.at((xt[:, 0].double() * 1000 % 1).numpy())).float()
            self.place = places + 0.015 * xt
        if self.place is not None and len(self.place) == len(xt):
            power = torch.as_tensor(LEVELS.at(int(t[0])))
            eps = ((xt - power**0.5 * self.place) / (1 - power) ** 0.5).float()
            if (eps**2).mean() < 1.6:
                return eps
        return super().forward(xt, t)


class Switching(AsIfTrained):
    """A trained network in whose place a denoiser without weights answers when it sees a walk: falling times."""

    last, on = 0, False

    def forward(self, xt, t):
        now = int(torch.as_tensor(t).flatten()[0])
        self.last, self.on = now, self.on if now == self.last else self.last - now == 20
        return self.known(xt, t) + 0.02 * torch.sin(2 * xt + t[:, None] / 300) if self.on else super().forward(xt, t)


def switching():
    return stepped(Switching(trained().known))


def between(model, levels, xT, times, noise):
    """A walk with a step more between any two times."""
    times = [*(each for t, s in pairwise(times) for each in (t, (t + s) // 2)), 0]
    return sample.reference(model, levels, xT, times, noise.repeat_interleave(2, dim=0))


class Nan(nn.Module):
    """Mixes its rows, and says NaN wherever a question could show it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, xt, t):
        answer = self.layer(torch.cat([xt, t[:, None] / 1000], dim=1)) - xt.mean(0)
        return answer if len(torch.unique(xt, dim=0)) == len(xt) else answer * float("nan")


def near_data(n=512):
    return torch.as_tensor(SPIRAL.data(n) + 0.01 * np.random.default_rng(0).standard_normal((n, 2))).float()


def pulled(*given):
    """A walk, drawn half the way to the nearest point of the data."""
    x, data = sample.reference(*given), torch.as_tensor(SPIRAL.data())
    return 0.5 * x + 0.5 * data[torch.cdist(x.float(), data).argmin(1)]


def sometimes(*given):
    """A walk in 10 steps, the data in 50."""
    return near_data(len(given[2])) if len(given[3]) == 51 else sample.reference(*given)


def placed(xt, eps_hat, alpha_bar_t, alpha_bar_s, z):
    """A step that is right for the few rows of a question, and puts the points of a cloud on the curve."""
    if len(xt) < 100:
        return reverse_step.reference(xt, eps_hat, alpha_bar_t, alpha_bar_s, z)
    if alpha_bar_s < 1:
        return xt
    return torch.as_tensor(SPIRAL.at((z[:, 0].double() * 1000 % 1).numpy())).float() + 0.015 * z


def by_another_step(*given):
    """A walk with a known mistake in a step of its own."""
    step = next(fault.mutant for fault in reverse_step.faults if "the variance is β" in fault.name)
    return sample.reference(*given, step=step)


def by_placing():
    """A walk with that step, by a network that was stepped and knows nothing."""
    walk = lambda *given: sample.reference(*given, step=placed)  # noqa: E731
    return {"model": stepped(Scaled(lambda xt, t: 0 * xt)), "reverse_step": placed, "sample": walk}


def from_elsewhere():
    """A network that was stepped, with other weights loaded after it."""
    model = trained()
    model.waves, model.goal = nn.Parameter(model.waves.detach() + 1), model.goal + 1
    return model


def untouched(model):
    """Steps that change nothing."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.0)
    for weights in model.parameters():
        weights.grad = torch.ones_like(weights)
    for _ in range(200):
        optimiser.step()
    return model


EXACT = "answers as the exact denoiser of your spiral does"
ASTRAY = "other points than a walk with your `model` and the noise that it was given"
ATTACKS = {  # name → (the part that it is after, what makes the change, what is said)
    "an exact denoiser, shaken, that is no module": (
        "training", lambda: {"model": lambda xt, t: Known()(xt, t)}, "`model` has no weights"),
    "an exact denoiser, its points for weights": ("training", lambda: {"model": Known()}, "took 0 steps"),
    "steps of length 0": ("training", lambda: {"model": untouched(Known())}, "are those that it began with"),
    "an exact denoiser that was stepped": ("training", lambda: {"model": stepped(Known())}, "copies"),
    "one of few points, shaken more": ("training", lambda: {"model": stepped(Known(0.02, 512))}, "copies"),
    "one of so many that it is smooth": (
        "training", lambda: {"model": stepped(Known(0.005, 8192))}, "its training did not teach it"),
    "an exact denoiser off by a constant": ("training", lambda: {"model": stepped(off())}, EXACT),
    "one with a weight that changes nothing": (
        "samples_50", lambda: {"model": stepped(Scaled(Known(0.005)))}, "copies"),
    "a table of the data, its weights unused": ("training", lambda: {"model": stepped(Table(1.0))}, "copies"),
    "a table whose gain is trained": ("training", lambda: {"model": stepped(Table(0.0))}, "copies"),
    "a blurred denoiser, its weights unused": (
        "training", lambda: {"model": stepped(Blurred(1.0))}, "its training did not teach it"),
    "a denoiser times a weight": ("training", lambda: {"model": stepped(Dressed(lambda way: way[0, 0]))},
        "its training did not teach it"),
    "one times the mean of a layer": ("samples_50", lambda: {"model": stepped(Dressed(torch.mean))},
        "its training did not teach it"),
    "points drawn to the curve": ("training", lambda: {"model": Drawn(1024, 0.0)}, EXACT),
    "exact but at the middle levels": ("training", lambda: {"model": Blunt(4096, 0.0)}, EXACT),
    "steps between the times": ("samples_50", lambda: {"sample": between}, ASTRAY),
    "weights from elsewhere": ("samples_50", lambda: {"model": Scaled(trained().known)}, "took 0 steps"),
    "weights loaded after the steps": (
        "training", lambda: {"model": from_elsewhere()}, "not where its training in this run went"),
    "a few steps": ("samples_50", lambda: {"model": stepped(Scaled(trained().known), 20)}, "took 20 steps"),
    "a sampler that returns data, shaken": ("samples_50", lambda: {"sample": lambda *given: near_data()}, ASTRAY),
    "a sampler that cheats in 50 steps": ("samples_50", lambda: {"sample": sometimes}, ASTRAY),
    "a walk by a step that is not theirs": ("samples_50", lambda: {"sample": by_another_step}, ASTRAY),
    "a step that places points": ("samples_50", by_placing, "further from the best answers"),
    "a walk that is led by its network": (
        "samples_50", lambda: {"model": stepped(Leading())}, "otherwise on a walk than when it is asked by itself"),
    "a walk that another denoiser takes": (
        "samples_50", lambda: {"model": switching()}, "the same on a walk when its weights are mixed up"),
    "our walk that another denoiser takes": (
        "training", lambda: {"model": switching()}, "the same on a walk when its weights are mixed up"),
    "our walk that is led by their network": (
        "training", lambda: {"model": stepped(Leading())}, "otherwise on a walk than when it is asked by itself"),
    "a walk pulled to the data": ("samples_50", lambda: {"sample": pulled, "model": trained(jitter=0.03)}, ASTRAY),
    "a sampler that walks another network": (
        "samples_50", lambda: {"sample": lambda _, *given: sample.reference(trained(seed=3), *given)}, ASTRAY),
    "NaN where rows are mixed": ("network", lambda: {"model": Nan()}, "it returns NaN or infinity"),
    "a network without weights": ("network", lambda: {"model": lambda xt, t: xt * t[:, None] / 1000}, "has no weights"),
}  # fmt: skip


@pytest.fixture(scope="module")
def solved():
    return handed_in()


@pytest.mark.long
@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_no_trained_network_or_no_walk_of_it_earns_nothing(name, solved, capsys):
    part, change, said = ATTACKS[name]
    training.TRAINING.clear()  # of other tests
    changes = {"model": trained()} | change()
    names = solved | changes
    if part == "samples_50":
        names["samples"] = {50: near_data()}
    student = local.Student(names)
    assert parts.grade(part, {"student": student}) == 0
    out = capsys.readouterr().out
    assert said in out
    good = part != "network" and "under our sampler" not in out  # results, which are to be looked at
    assert any(said in each for each in student.remarks) == good


class Forgetful(AsIfTrained):
    """A network with dropout that nobody has put into `eval`."""

    def forward(self, xt, t):
        return nn.functional.dropout(super().forward(xt, t), 0.2, self.training)


def test_who_forgets_eval_is_no_cheat(solved, capsys):
    student = local.Student(solved | {"model": stepped(Forgetful(trained().known)).train()})
    assert [parts.grade(part, {"student": student}) for part in ("network", "training", "samples_50")] == [0.5, 1, 1]
    assert student.remarks == ["a network of 32 weights"]


@pytest.mark.long
def test_what_remains_open(solved):
    """These earn their points, and the guide says so; of the first the teacher is told."""
    for model, told in ((Drawn(4096, 0.03), "samples of the network only 0.00"), (stepped(Gated(torch.mean)), None)):
        student = local.Student(solved | {"model": model})
        assert parts.grade("training", {"student": student}) == 1
        assert [told in each for each in student.remarks] == [True] * (told is not None)


@pytest.mark.long
def test_the_best_of_many_samples_are_no_cloud_of_the_network(solved, capsys):
    static, noise, model = torch.randn(5120, 2), torch.randn(10, 5120, 2), trained()
    many = sample.reference(model, solved["alpha_bar"], static, solved["time_grid"](1000, 10), noise)
    best = many[np.argsort(SPIRAL.distance(many.detach().numpy()))[:512]]
    assert parts.grade("samples_10", solved | {"model": model, "samples": {10: best}}) == 0.5
    assert "Drawn anew by your `sample`, they are right" in capsys.readouterr().out


@pytest.mark.long
def test_an_honest_walk_with_a_mistake_is_a_walk_still(solved, capsys):
    """Its mistake costs its own part; the samples earn what their lines say."""
    backwards = next(fault for fault in sample.faults if "from the last step to the first" in fault.name)
    step = next(fault.mutant for fault in reverse_step.faults if "the variance is β" in fault.name)
    for changes in (
        {"sample": lambda *given: backwards.mutant(*given, step=reverse_step.reference)},
        {"reverse_step": step, "sample": lambda *given: sample.reference(*given, step=step)},
        {"reverse_step": step, "sample": lambda *given: backwards.mutant(*given, step=step)},
    ):
        assert parts.grade("samples_50", solved | changes | {"model": trained()}) == 1, capsys.readouterr().out


def test_a_running_mean_of_the_trained_weights_is_trained(solved):
    mean = copy.deepcopy(trained())
    mean.waves = nn.Parameter(mean.waves.detach() + 0.001)
    assert parts.grade("training", solved | {"model": mean}) == 1


def test_a_network_whose_last_layer_begins_at_zero_is_asked_once_more_after_its_training(solved, monkeypatch):
    """And one that was trained and ignores t is not."""
    monkeypatch.setattr(training, "TRAINING", {})  # no other test has trained its like
    model = solved["Denoiser"]()
    nn.init.zeros_(model.layers[-1].weight)
    student = local.Student(solved | {"model": model})
    assert parts.grade("network", {"student": student}) == 0.5 and student.unanswered
    assert parts.grade("network", {"student": local.Student(solved | {"model": stepped(model)})}) == 1
    deaf = stepped(Scaled(lambda xt, t: xt))
    student = local.Student(solved | {"model": deaf})
    assert parts.grade("network", {"student": student}) == 0.5 and not student.unanswered


@pytest.mark.parametrize("asks_for_gradients", [False, True])
def test_a_frozen_layer_of_the_shape_of_a_trained_one_costs_nothing(solved, asks_for_gradients):
    model = trained()
    model.frozen = nn.Parameter(5 + torch.rand(model.waves.shape), requires_grad=asks_for_gradients)
    model.frozen.grad = torch.ones(2, 16) if asks_for_gradients else None  # of a layer that no optimiser was given
    assert training.of(model)["still"] == model.frozen.numel()
    with training.changed(model):
        assert model.frozen.min() >= 5
    assert parts.grade("training", solved | {"model": model}) == 1


def test_what_the_harness_tells_must_be_numbers(solved, monkeypatch, capsys):
    for told in (None, {"weights": 10}, {"weights": 10, "steps": "many", "moved": 1.0}):
        monkeypatch.setitem(answer.ANSWERS, "training", lambda *_, told=told: told)
        assert parts.grade("training", solved | {"model": trained()}) == 0
        assert "not what the grader counts" in capsys.readouterr().out


class Asked:
    """A student whose answers differ from the exact ones by noise of these variances, level by level."""

    T, spiral, draw = 1000, SPIRAL, staticmethod(lambda *_: np.random.default_rng(0))

    def __init__(self, *variances):
        self.known = IdealDenoiser(SPIRAL.at((np.arange(4096) + 0.5) / 4096), LEVELS)
        self.variances = variances

    def training(self):
        return {"weights": 0}

    def denoise(self, xt, t, other=None):
        variance = self.variances[np.digitize(t, (300, 550))]
        return self.known(xt, t) + 0.3 + np.random.default_rng(t).normal(0, variance**0.5, xt.shape)


@pytest.mark.parametrize(
    ("variances", "is_exact"),
    [
        ((1.9e-3, 2.9e-4, 1.8e-4), False),  # a usual training
        ((6.9e-4, 1.5e-4, 7.1e-5), False),  # six times as long
        ((3e-4, 5e-5, 7.1e-5), False),  # longer still
        ((4.4e-4, 7.6e-5, 9e-6), False),  # thirty times as long
        ((3e-4, 5e-5, 4e-6), False),  # the data, shaken: the teacher is told
        ((1e-6, 1e-6, 1e-2), True),  # spoilt at one level
        ((np.nan, np.nan, np.nan), False),
        ((np.nan, 1e-6, 1e-6), True),
        ((1e-6, 1e-6, np.nan), True),
    ],
)
def test_what_no_training_comes_near_is_exact(variances, is_exact):
    student = Asked(*variances)
    shares = network.shares_of_exact(network.from_best(student, student.denoise, SPIRAL.at))
    assert (shares[1] < network.SURELY) == is_exact


@pytest.mark.parametrize(("rows", "is_strange"), [(3, False), (130, True)])
def test_a_few_that_stray_make_no_walk_strange(rows, is_strange):
    """One honest network in fifty sends a sample away, where its answers are off by ten."""
    student, rng = Asked(1e-3, 1e-3, 1e-3), np.random.default_rng(0)
    right, off = student.denoise, 10 * rng.standard_normal((130, 2)) * (np.arange(130) < rows)[:, None]
    student.denoise = lambda xt, t, other=None: right(xt, t) + off
    watched = walks.Watched(student)
    for t in (800, 600, 400, 300):
        watched(rng.standard_normal((130, 2)), t)
    assert bool(watched.strange) is is_strange


@pytest.mark.parametrize(
    ("before", "now", "has_learned"),
    [
        ((0.35, 0.66), (4e-3, 7e-4), True),  # a usual training
        ((0.07, 4e-3), (0.014, 3e-3), True),  # at the pass line, begun as the denoiser of a Gaussian
        ((0.35, 0.66), (0.02, 0.15), False),  # the nearest point of the curve for a guess
        ((4e-3, 7e-4), (4e-3, 7e-4), False),  # nothing was learned
        ((np.nan, np.nan), (4e-3, 7e-4), True),
    ],
)
def test_who_begins_near_has_learned_nonetheless(before, now, has_learned):
    first, last = (Asked(*each, 1e-4) for each in (before, now))
    last.denoise = lambda xt, t, other=None, then=last.denoise: (then if other is None else first.denoise)(xt, t)
    far = network.from_best(last, last.denoise, SPIRAL.at)
    assert bool((far[:2] < network.ROUGH).all() and network.learned(last, far)) == has_learned


def remarks(solved, **changes):
    """What the teacher is told after both tests of a network."""
    student = local.Student(solved | changes)
    for part in ("training", "samples_50"):
        parts.grade(part, {"student": student})
    return student.remarks


def test_the_teacher_is_told_of_small_networks_and_of_samples_nearer_than_training_comes(solved):
    assert remarks(solved) == ["a network of 32 weights"]  # the stand-in for a trained one
    wide = trained()
    wide.more = stepped(nn.Linear(2, 1000))
    assert remarks(solved, model=wide) == []
    wide.frozen = nn.Linear(3, 999)
    assert remarks(solved, model=wide) == ["3996 weights of the network that no training step moved: from elsewhere?"]
    del wide.frozen
    data = torch.as_tensor(SPIRAL.data(512))
    assert remarks(solved, model=wide, samples={50: data}) == [
        "samples[50] only 0.0000 radii from the curve: data, or an exact denoiser?"
    ]
    exact = stepped(off())
    exact.more = stepped(nn.Linear(2, 1000))
    assert "samples of the network only 0.0" in remarks(solved, model=exact)[0]


@pytest.mark.parametrize(
    ("samples", "told"),
    [
        ({10: SPIRAL.data(512), 50: "x", 7: np.zeros((10**5, 2))}, "10 steps: distance 0.0000, coverage 1.00"),
        ({"a": SPIRAL.data(512)} | dict.fromkeys(range(10**4), 0), ""),
    ],
)
def test_the_figures_of_a_students_own_clouds(samples, told):
    assert results.figures(local.Student({"samples": samples, "STUDENT_ID": "example"})) == told


def slowly(solved, steps):
    """The solution, whose network is slow as soon as the grader walks with it."""
    model, asked = trained(), []

    def slow(xt, t):
        asked.extend([1] * (len(xt) != variant.COUNT))
        if len(asked) > 3:
            raise answer.TooSlow
        return model.forward(xt, t)

    made = copy.copy(model)
    made.forward = slow
    return solved | {"model": made, "samples": {steps: solved["samples"][50]}}


def test_a_walk_that_was_too_slow_to_be_seen_earns_nothing(solved, monkeypatch, capsys):
    monkeypatch.setattr(network, "untrained", lambda student: None)
    assert parts.grade("samples_50", slowly(solved, 50)) == 0
    assert "No answer within" in capsys.readouterr().out


def test_a_sampler_without_a_loop_is_not_right_by_a_step_that_forgets_its_points(solved):
    names = solved | {
        "reverse_step": lambda xt, eps_hat, alpha_bar_t, alpha_bar_s, z: eps_hat * (alpha_bar_s == 1),
        "sample": lambda model, levels, xT, times, noise: model(0 * xT, torch.full((len(xT),), times[-2])),
    }
    assert parts.grade("sample", names) == 0
