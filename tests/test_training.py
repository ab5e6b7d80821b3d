"""The training loop against hand-made steps: the loss, the average, chance; what is refused, and how."""

import copy

import numpy as np
import pytest
import torch
from refusals import refused
from small_training import COSINE, POINTS, Affine, fresh, generator, losses, pictures_network, run
from torch import nn
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from diffusion_course import models, samplers, schedule, training
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import add_noise, v_from_eps
from diffusion_course.machine import inputs

# ---- the algorithm -------------------------------------------------------------------------------


def test_first_step_by_hand():
    """The first loss is mean (ε − ε̂)² at the drawn x_0, t, ε; Adam's first step is lr · sign of the gradient."""
    rng = generator(3)
    rows = torch.randint(256, (32,), generator=rng)
    t = training.spread_times(32, 100, rng)
    eps = torch.randn(32, 2, generator=rng)
    power = torch.tensor(COSINE.alpha_bar, dtype=torch.float32)[t][:, None]
    xt = power.sqrt() * torch.tensor(POINTS)[rows] + (1 - power).sqrt() * eps
    model = Affine()
    record = next(run(model, rng=generator(3), lr=1e-2))
    assert record.step == 1
    assert record.loss.item() == pytest.approx(((eps - 0.1 * xt) ** 2).mean().item(), rel=1e-5)
    assert not record.loss.requires_grad
    rate = 1e-2 * training.learning_rate(1, 20)
    rise = torch.sign((xt * (eps - 0.1 * xt)).sum()).item()
    assert model.weight.item() == pytest.approx(0.1 + rate * rise, rel=1e-5)
    assert record.ema.weight.item() == model.weight.item()  # the average is updated after the step


def test_average_by_hand():
    model, expected = Affine(), None
    for record in run(model, steps=40, lr=1e-1):
        share = min(1.0, 10 / record.step)
        expected = model.weight.item() if expected is None else expected + share * (model.weight.item() - expected)
        assert record.ema.weight.item() == pytest.approx(expected, rel=1e-5)
    assert record.ema.weight.item() != pytest.approx(model.weight.item(), rel=1e-4)


def test_a_long_gradient_is_cut_as_a_whole():
    def gradient(factor):
        """That of the first step, the loss multiplied by `factor`, of all weights in one vector."""
        record = next(run(weight=np.full(101, factor)))
        return torch.cat([weight.grad.flatten() for weight in record.run.weights])

    short, half, long = (gradient(factor) for factor in (2e-3, 1e-3, 1e3))
    torch.testing.assert_close(short, 2 * half)
    assert 0 < short.norm() < training.CLIP
    torch.testing.assert_close(long, short * training.CLIP / short.norm(), rtol=1e-4, atol=1e-6)


def test_running_statistics_are_averaged_and_counts_copied():
    """A network with BatchNorm: its average must not keep the mean and variance that it began with."""

    class Normed(Affine):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(2)
            self.register_buffer("constant", torch.ones(3), persistent=False)

        def forward(self, xt, t):
            return self.weight * self.norm(xt)

    model = Normed()
    *_, record = run(model, x0=POINTS + 3, steps=30)
    kept, now = record.ema.norm, model.norm
    assert kept.num_batches_tracked == now.num_batches_tracked == 30
    assert kept.running_mean.min() > 1
    assert 0 < (kept.running_mean - now.running_mean).norm() < 0.2 * now.running_mean.norm()


def test_learns_the_best_affine_denoiser():
    """For N(0, 1) data at one t the best ε̂ is √(1−ᾱ) x_t; over all t the best single factor is the mean of that."""
    x0 = torch.randn(4096, 2, generator=generator(1))
    *_, record = run(Affine(), x0, steps=600, lr=2e-2)
    best = np.sqrt(1 - COSINE.alpha_bar[1:]).mean()
    assert record.ema.weight.item() == pytest.approx(best, abs=0.02)


def held_out(model, cond=None):
    """The loss on fresh points of N(0, ½²)."""
    x0, eps = (torch.randn(10_000, 2, generator=generator(k)) for k in (2, 3))
    with torch.no_grad():
        return training.loss(model, 0.5 * x0, training.spread_times(10_000, 100, generator(4)), eps, cond).item()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_reaches_the_loss_of_the_exact_denoiser(dtype):
    """A thousand steps on Gaussian points come within 2 % of the floor, which no network can pass."""
    x0 = 0.5 * torch.randn(4096, 2, generator=generator(1))
    steps = 1000 if dtype == torch.float32 else 300
    *_, record = run(fresh().to(dtype), x0, steps=steps, batch=128)
    assert record.loss.dtype == dtype
    floor = held_out(GaussianDenoiser(0.0, 0.5, COSINE))
    assert floor < held_out(record.ema) < (1.02 if steps == 1000 else 1.1) * floor


def test_a_conditional_point_network_learns_its_condition():
    """Two far clusters, told apart by the code: with it, half a point from the wrong one is never right."""
    codes = torch.arange(2).repeat(512)
    x0 = torch.where(codes[:, None] == 1, 1.0, -1.0) + 0.1 * torch.randn(1024, 2, generator=generator(1))
    *_, record = run(fresh(attributes=(2,)), x0, codes, steps=500, batch=128, lr=4e-3)
    denoiser = models.given(record.ema, codes[:200])
    *_, found = samplers.ddim(denoiser, COSINE, torch.randn(200, 2, generator=generator(2)), steps=20)
    assert ((found.mean(1) > 0) == (codes[:200] == 1)).float().mean() > 0.97
    assert (found.abs() - 1).abs().median() < 0.2


def test_loss_is_the_mean_over_samples_and_numbers():
    x0, eps = torch.zeros(3, 1, 2, 2), torch.ones(3, 1, 2, 2) * torch.tensor([1.0, 2.0, 3.0])[:, None, None, None]

    def zero(xt, t):
        return torch.zeros_like(xt)

    zero.schedule = COSINE
    assert training.loss(zero, x0, 5, eps).item() == pytest.approx(14 / 3)
    t, weight = torch.tensor([1, 2, 3]), torch.zeros(101)
    weight[2] = 10.0
    assert training.loss(zero, x0, t, eps, weight=weight).item() == pytest.approx(40 / 3)


def test_times_are_uniform_and_evenly_spread():
    rng = generator()
    draws = torch.stack([training.spread_times(50, 100, rng) for _ in range(2000)])
    assert draws.min() == 1 and draws.max() == 100
    pairs = ((draws - 1) // 2).sort(dim=1).values
    assert (pairs == torch.arange(50)).float().mean() > 0.9  # one time in every fiftieth, but for the rounding
    counts = torch.bincount(draws.flatten(), minlength=101)[1:]
    assert (counts / counts.float().mean() - 1).abs().max() < 0.1  # 1,000 draws of each t expected


def test_hidden_conditions_range_from_nothing_to_all():
    cond = torch.ones(20_000, 3, dtype=torch.long)
    said = (training.drop_conditions(cond, generator()) == 1).sum(1)
    # with share u² hidden, P(all three hidden) = ∫ u⁶ du = 1/7, and two thirds are said on average
    assert (said == 0).float().mean().item() == pytest.approx(1 / 7, abs=0.01)
    assert said.float().mean().item() == pytest.approx(2, abs=0.03)
    assert (said == 3).any()


def test_learning_rate_rises_and_falls_to_nothing():
    rates = [training.learning_rate(step, 1000) for step in range(1, 1001)]
    top = int(np.argmax(rates)) + 1
    assert 150 <= top <= 250 and rates[0] < 0.01 and rates[-1] < 1e-5
    assert all(np.diff(rates[:top]) > 0) and all(np.diff(rates[top:]) < 0)


@pytest.mark.parametrize(("steps", "rise"), [(20, 4), (100, 20), (1000, 200), (10_000, 200)])
def test_the_rise_takes_at_most_a_fifth_of_the_training(steps, rise):
    straight = [2 * training.learning_rate(k, steps) / (1 + np.cos(np.pi * k / (steps + 1))) for k in (rise, rise + 1)]
    assert straight == pytest.approx([1, 1])
    assert training.learning_rate(rise - 1, steps) < 1 - 0.5 / rise


@pytest.mark.parametrize("output", ["eps", "x0", "v"])
def test_the_loss_of_v_is_that_of_one_over_alpha_bar(output):
    """In float64, where the division by ᾱ_T = 2e-7 leaves digits enough; by hand beside it."""
    model, t = fresh(output=output).double(), torch.arange(1, 101)
    x0, eps = (torch.randn(100, 2, generator=generator(k), dtype=torch.float64) for k in (1, 2))
    of_v = training.loss(model, x0, t, eps, weight="v")
    torch.testing.assert_close(of_v, training.loss(model, x0, t, eps, weight=torch.tensor(1 / COSINE.alpha_bar)))
    power = COSINE.at(t)
    xt = add_noise(x0, power, eps)
    by_hand = (v_from_eps(xt, power, eps) - v_from_eps(xt, power, model(xt, t))).square().mean()
    torch.testing.assert_close(of_v, by_hand)


def test_the_loss_of_v_also_teaches_where_no_signal_is():
    """At ᾱ_t = 0 the loss of ε is 0 whatever the network says; that of v is (x_0 − x̂_0)²."""
    model = models.SpiralMLP(schedule.zero_terminal_snr(COSINE))
    x0, eps = torch.tensor(POINTS), torch.randn(256, 2, generator=generator())
    assert training.loss(model, x0, 100, eps).item() == 0
    found = training.loss(model, x0, 100, eps, weight="v")
    torch.testing.assert_close(found, (x0 - model.x0_hat(eps, 100)).square().mean())
    assert all(np.isfinite(losses(run(model, weight="v"))))


def test_no_weight_at_all_leaves_no_gradient():
    still = Affine()
    next(run(still, weight=np.zeros(101)))
    assert still.weight.item() == pytest.approx(0.1)


def test_conditions_reach_the_network():
    model, seen = pictures_network(attributes=(10,)), []
    model.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[2]))
    next(run(model, torch.zeros(64, 1, 8, 8), torch.full((64,), 7), batch=64))
    assert set(seen[0].flatten().tolist()) == {-1, 7}


# ---- chance --------------------------------------------------------------------------------------


def test_same_seed_same_run():
    assert losses(run()) == losses(run())
    assert losses(run()) != losses(run(rng=generator(1)))


def test_no_generator_is_fresh_chance():
    assert losses(run(rng=None)) != losses(run(rng=None))
    torch.manual_seed(0)
    first = losses(run(fresh(), rng=None))
    torch.manual_seed(0)
    assert losses(run(fresh(), rng=None)) != first  # also not the global generator's


def test_a_batch_of_ones_own():
    """`draw` decides everything that a step learns from."""

    def draw(x0, cond, noise_schedule, batch, rng):
        return x0[:batch], torch.full((batch,), 7), torch.ones_like(x0[:batch]), None

    model = Affine()
    expected = training.loss(copy.deepcopy(model), torch.tensor(POINTS[:32]), 7, torch.ones(32, 2))
    assert next(run(model, draw=draw)).loss.item() == pytest.approx(expected.item())


# ---- what fails, and how -------------------------------------------------------------------------


@pytest.mark.parametrize("look", [True, False])
def test_a_loss_that_is_not_finite_stops_before_the_weights_are_touched(look, monkeypatch):
    """Also where it is looked at only much later; and a network that has recovered by then changes nothing."""
    monkeypatch.setattr(training, "may_read", lambda _: look)
    model, number = fresh(), 0
    model.register_forward_hook(lambda _module, _inputs, eps_hat: eps_hat * (torch.nan if number == 14 else 1))
    records, kept = run(model, lr=0.5), None
    with pytest.raises(FloatingPointError, match=r"not finite at step 14 \(lr = 0.5\).*of step 13. Try lr = 0.1"):
        for number in range(1, 21):
            record = next(records)
            if number == 13:
                kept = record.run.state().tensors
    assert number == (14 if look else 20)
    for name, tensor in {**model.state_dict(prefix="model."), **record.ema.state_dict(prefix="ema.")}.items():
        assert torch.equal(tensor, kept[name]), name
    for name, moment in record.run.optimiser.state[model.layers[0].weight].items():
        assert torch.equal(moment, kept[f"optimiser.layers.0.weight.{name}"])
    with pytest.raises(FloatingPointError, match="at step 14"):
        record.run.state()


def test_an_answer_that_would_be_broadcast_is_refused():
    model = Affine()
    model.register_forward_hook(lambda _module, _inputs, eps_hat: eps_hat[:, :1])
    with refused("ε̂ of shape (32, 2) like xt", "(32, 1)"):
        next(run(model))


def test_lack_of_memory_names_a_batch_to_try():
    def forward(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = Affine()
    model.register_forward_hook(forward)
    with pytest.raises(torch.OutOfMemoryError, match="does not hold a batch of 32: try batch = 16"):
        next(run(model))


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [*((number, 0, "sample 29 of the Dataset holds") for number in (200.0, np.nan)), (0.0, 3, "cond must hold")],
)
def test_every_sample_of_a_dataset_is_looked_at_before_it_is_sent(number, code, said, monkeypatch):
    monkeypatch.setattr(inputs, "READERS", 0)
    x0, codes = torch.tensor(POINTS[:40]), torch.zeros(40).long()
    x0[29], codes[29] = number, code
    network = fresh(attributes=(3,))
    network.register_forward_pre_hook(lambda _, sent: pytest.fail("sent") if 3 in sent[2] else None)
    with refused(said):
        list(run(network, TensorDataset(x0, codes), batch=8))


@pytest.mark.parametrize("readers", [0, 2])
def test_a_dataset_may_have_a_column_alone(readers, monkeypatch):
    monkeypatch.setattr(inputs, "READERS", readers)
    plain, column = (losses(run(fresh(), x0, steps=3)) for x0 in (list_of(POINTS), TensorDataset(torch.tensor(POINTS))))
    assert plain == column


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"x": POINTS[0]}], "an item of the Dataset must hold numbers"),
        ([(POINTS[0], None)], "must be x_0, (x_0,) or (x_0, codes)"),
        ([(POINTS[0], 1, 2)], "must be x_0, (x_0,) or (x_0, codes)"),
        ([POINTS[0], POINTS[0, :1]], "equal size"),
    ],
)
def test_what_is_no_item_is_refused_by_name(items, said):
    with refused(said):
        list(run(fresh(), list_of(items), batch=2))


def test_neighbouring_seeds_share_no_epoch():
    epochs = {tuple(inputs.Order(20, 4, 0, seed, 0, 1).epoch(k).tolist()) for seed in (-1, 0, 1, 2) for k in range(3)}
    assert len(epochs) == 12


def list_of(items):
    """A Dataset of these items."""
    return type("Listed", (Dataset,), {"__len__": lambda _: len(items), "__getitem__": lambda _, i: items[i]})()


WEIGHTLESS = nn.Identity()
WEIGHTLESS.schedule = COSINE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x0": np.zeros((0, 2))}, ["n ≥ 1", "(0, 2)"]),
        ({"x0": np.zeros(8)}, ["n ≥ 1", "(8,)"]),
        ({"x0": np.full((8, 2), np.nan)}, ["finite"]),
        ({"x0": np.full((8, 3, 4, 4), 200, np.uint8)}, ["uint8", "[−1, 1]", "x / 127.5 − 1"]),
        ({"x0": np.arange(256.0).reshape(1, 1, 16, 16)}, ["from 0 to 255", "x / 127.5 − 1"]),
        ({"weight": np.ones(100)}, ["for each t = 0 … 100", "(100,)"]),
        ({"weight": np.full(101, np.inf)}, ["finite", 'weight="v"']),
        ({"weight": -np.ones(101)}, ["at least 0", "from -1"]),
        ({"weight": "w"}, ['"v"', "'w'"]),
        ({"weight": "v", "model": Affine()}, ["for a Denoiser"]),
        ({"cond": torch.zeros(5)}, ["5 conditions for 256 samples"]),
        ({"cond": torch.zeros(256).long()}, ["takes no condition"]),
        ({"cond": torch.zeros(256, 2).long(), "model": fresh(attributes=(3,))}, ["shape (256, 2)", "(256, 1)"]),
        ({"batch": 0}, ["batch", "0", "at least 1"]),
        ({"batch": 2.5}, ["batch", "2.5"]),
        ({"steps": -1}, ["steps", "-1"]),
        ({"lr": 0.0}, ["lr", "above 0", "0.0"]),
        ({"lr": float("nan")}, ["lr", "nan"]),
        ({"rng": np.random.default_rng()}, ["torch.Generator"]),
        ({"model": fresh().half()}, ["float16", "model.float()"]),
        *(({"lr": lr}, ["lr", repr(lr)]) for lr in ("a", None)),
        *(({"x0": x0}, ["x0 must hold numbers", repr(x0)]) for x0 in ("a", None)),
        ({"x0": torch.zeros(4, 3)}, ["x0 must have shape (B, 2)", "(4, 3)"]),
        ({"model": GaussianDenoiser(0.0, 1.0, COSINE)}, ["no weights to train"]),
        ({"model": nn.Linear(2, 2)}, ["Linear has no .schedule"]),
        ({"model": WEIGHTLESS}, ["Identity has no weights to train"]),
        ({"model": fresh().requires_grad_(False)}, ["no weights to train", "unfreeze"]),
        ({"cond": 3}, ["no conditions for 256 samples"]),
        ({"cond": np.full(256, 0.7), "model": Affine()}, ["whole numbers", "float64"]),
        *(({"weight": weight}, [said]) for weight, said in (([], "shape (0,)"), (len, "weight must hold numbers"))),
        ({"resume": "a.checkpoint"}, ["resume must be the State", "a.checkpoint"]),
        ({"x0": type("Stream", (IterableDataset,), {"__iter__": None})()}, ["knows no length"]),
        *(({"draw": draw}, ["draw must be a function", draw]) for draw in (0, 5)),
    ],
)
def test_refuses_at_the_call_what_does_not_fit(arguments, message):
    with refused(*message):
        run(**arguments)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_data_of_another_number_format_are_taken_over(dtype):
    assert losses(run(x0=POINTS.astype(dtype), steps=3)) == pytest.approx(losses(run(steps=3)), rel=1e-3)
