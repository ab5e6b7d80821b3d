"""The training loop against hand-made steps; what it must not do on a device; states that go on exactly; refusals."""

import copy
import multiprocessing

import numpy as np
import pytest
import torch
from refusals import refused
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from diffusion_course import data, forward, models, samplers, schedule, training, unet
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import add_noise, v_from_eps

COSINE = schedule.cosine(T=100)
POINTS = data.spiral(256, rng=np.random.default_rng(0))
ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


class Affine(nn.Module):
    """ε̂ = weight · x_t: the smallest network there is."""

    schedule = COSINE

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.1))

    def forward(self, xt, t):
        return self.weight * xt


def fresh(seed=0, output="v", **options):
    torch.manual_seed(seed)
    return models.SpiralMLP(COSINE, output, **options)


def pictures_network(seed=0, attributes=()):
    torch.manual_seed(seed)
    return unet.UNet(COSINE, 1, attributes, widths=(8, 16))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def run(model=None, x0=POINTS, cond=None, steps=20, **options):
    """Twenty steps of a small network, unless told otherwise."""
    options = {"batch": 32, "rng": generator(), **options}
    return training.train(fresh() if model is None else model, x0, cond, steps=steps, **options)


choose_machine = training.choose_machine


def forced(monkeypatch, **choice):
    """Steps are computed in this way, whatever the hardware."""
    monkeypatch.setattr(training, "choose_machine", lambda x0: choose_machine(x0)._replace(**choice))


def losses(records):
    return [record.loss.item() for record in records]


def pictures(n=64):
    return torch.rand(n, 1, 8, 8, generator=generator()) * 2 - 1


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


@pytest.mark.parametrize(("length", "kept"), [(0.5, 0.5), (4.0, training.CLIP)])
def test_a_long_gradient_is_cut_as_a_whole(length, kept):
    weights = [nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(3))]
    weights[0].grad, weights[1].grad = torch.tensor([0.6, 0.0]) * length, torch.tensor(0.8) * length
    assert training.clip_gradients(weights).item() == pytest.approx(length)
    assert weights[0].grad[0].item() == pytest.approx(0.6 * kept)
    assert weights[1].grad.item() == pytest.approx(0.8 * kept)


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
    said = (training.hide(cond, generator()) == 1).sum(1)
    # with share u² hidden, P(all three hidden) = ∫ u⁶ du = 1/7, and two thirds are said on average
    assert (said == 0).float().mean().item() == pytest.approx(1 / 7, abs=0.01)
    assert said.float().mean().item() == pytest.approx(2, abs=0.03)
    assert (said == 3).any()


def test_learning_rate_rises_and_falls_to_nothing():
    rates = [training.learning_rate(step, 1000) for step in range(1, 1001)]
    top = int(np.argmax(rates)) + 1
    assert 150 <= top <= 250 and rates[0] < 0.01 and rates[-1] < 1e-5
    assert all(np.diff(rates[:top]) > 0) and all(np.diff(rates[top:]) < 0)


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


# ---- on the device -------------------------------------------------------------------------------


class Tape(TorchDispatchMode):
    """What a CUDA graph does, on a CPU: write down every operation on tensors, play them back on the same memory.

    A value that Python decides anew in every step is played back as it was, and shows as another loss. Reading a
    value is refused.
    """

    def __init__(self):
        super().__init__()
        self.played = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        assert operation not in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default), operation
        found = operation(*args, **(kwargs or {}))
        self.played.append((operation, args, kwargs or {}, found))
        return found

    @torch.no_grad()
    def play(self):
        for operation, args, kwargs, found in self.played:
            again = operation(*args, **kwargs)
            pairs = zip(found, again, strict=True) if isinstance(found, (list, tuple)) else [(found, again)]
            for kept, new in pairs:
                if isinstance(kept, torch.Tensor) and kept.data_ptr() != new.data_ptr():
                    kept.copy_(new)


CASES = {
    "points": (fresh, POINTS, None, None),
    "conditional points": (lambda: fresh(attributes=(3,)), POINTS, torch.arange(256) % 3, "v"),
    "pictures": (pictures_network, pictures(), None, None),
    "conditional pictures": (lambda: pictures_network(attributes=(2, 3)), pictures(), torch.ones(64, 2).long(), "v"),
}


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """No value may be looked at, as if the tensors lay on another device."""
    for module in (forward, models, training):
        monkeypatch.setattr(module, "may_read", lambda _: False)


@pytest.mark.parametrize("case", CASES)
def test_a_step_written_down_once_can_be_played_back(case, as_on_a_gpu, monkeypatch):
    """Three plain steps, then one recorded, and 16 played back: the losses, the average and chance of 20 plain ones."""
    forced(monkeypatch, dtype=torch.float32)
    make, x0, cond, weight = CASES[case]

    class Recorded:
        def __init__(self, step, rng):
            self.step, self.calls, self.tape = step, 0, Tape()

        def __call__(self):
            self.calls += 1
            if self.calls <= 3:
                return self.step()
            if self.calls > 4:
                self.tape.play()
                return self.result.clone()
            with self.tape:
                self.result = self.step()
            return self.result.clone()

    plain = list(run(make(), x0, cond, weight=weight))
    monkeypatch.setattr(training, "stepper", lambda step, run: Recorded(step, run.rng))
    played = list(run(make(), x0, cond, weight=weight))
    assert losses(played) == losses(plain)
    for a, b in zip(plain[-1].run.state().tensors.items(), played[-1].run.state().tensors.items(), strict=True):
        assert a[0] == b[0] and torch.equal(a[1], b[1]), a[0]


@pytest.mark.parametrize(
    ("case", "weight"), [*((case, None) for case in CASES), ("points", "v"), ("points", torch.linspace(0, 1, 101))]
)
def test_the_loss_compiles_whole_and_agrees(case, weight):
    torch._dynamo.reset()
    make, x0, cond, _ = CASES[case]
    model, clean = make(), torch.as_tensor(x0[:16])
    t, eps = training.spread_times(16, 100, generator()), forward.randn_like(clean, generator())
    batch = clean, t, eps, None if cond is None else model.check_cond(cond[:16]), weight
    compiled = torch.compile(training.loss, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(model, *batch), training.loss(model, *batch), rtol=0, atol=1e-6)


@ON_GPU
@pytest.mark.parametrize("case", CASES)
def test_on_a_gpu_no_step_makes_the_host_wait(case, monkeypatch):
    """Fifty plain steps after the first, and a sampler."""
    make, x0, cond, weight = CASES[case]
    monkeypatch.setattr(training, "stepper", lambda step, run: step)
    records = run(make().cuda(), x0, cond, weight=weight, steps=49 + training.CHECK_EVERY)
    next(records)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(training.CHECK_EVERY - 2):
            record = next(records)
        xT = torch.zeros(8, *x0.shape[1:], device="cuda")
        list(zip(range(20), samplers.ddim(record.ema, COSINE, xT, steps=20), strict=False))
    finally:
        torch.cuda.set_sync_debug_mode("default")


@ON_GPU
@pytest.mark.parametrize("case", CASES)
def test_on_a_gpu_the_captured_step_is_the_plain_one(case, monkeypatch):
    make, x0, cond, weight = CASES[case]
    captured = list(run(make().cuda(), x0, cond, weight=weight, steps=100))
    monkeypatch.setattr(training, "stepper", lambda step, run: step)
    plain = losses(run(make().cuda(), x0, cond, weight=weight, steps=100))
    np.testing.assert_allclose(losses(captured), plain, rtol=1e-3)
    resumed = run(make().cuda(), x0, cond, weight=weight, steps=100, resume=captured[-1].run.state())
    assert list(resumed) == []


# ---- the machine ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_learns_as_well(dtype, monkeypatch):
    """Losses beside those of float32; weights and average stay float32, gradients of float16 are scaled up."""
    forced(monkeypatch, dtype=torch.float32)
    exact = losses(run(pictures_network(), pictures(), steps=10, batch=8, weight="v"))
    forced(monkeypatch, dtype=dtype)
    *first, record = run(pictures_network(), pictures(), steps=10, batch=8, weight="v")
    assert losses([*first, record]) == pytest.approx(exact, rel=0.1) and losses(first) != exact[:-1]
    assert {weight.dtype for weight in record.ema.parameters()} == {torch.float32}
    scale = record.run.state().about["scaler"].get("scale")
    assert scale == (2**16 if dtype == torch.float16 else None)


def test_gradients_that_overflow_float16_are_left_out_and_the_scale_falls(monkeypatch):
    forced(monkeypatch, dtype=torch.float16)
    model = Affine()
    records = run(model, x0=5 * POINTS, steps=3)
    next(records).run.scaler._scale.fill_(2.0**127)
    before = model.weight.item()
    record = next(records)
    assert model.weight.item() == before and record.run.state().about["scaler"]["scale"] == 2.0**126
    assert record.loss.isfinite()


def test_threads_are_given_back_between_steps_and_after():
    before = torch.get_num_threads()
    inside = []
    model = fresh()
    model.register_forward_hook(lambda *_: inside.append(torch.get_num_threads()))
    records = run(model)
    assert next(records).machine == "cpu, 1 thread, float32"
    assert torch.get_num_threads() == before
    records.close()
    assert torch.get_num_threads() == before and inside == [1]


def test_pictures_use_every_thread():
    machine = training.choose_machine(torch.zeros(1, 3, 16, 16))
    assert machine.threads == torch.get_num_threads()
    assert machine.layout == torch.contiguous_format


# ---- several processes, wrapped networks ---------------------------------------------------------


def train_beside_another(rank, meeting, out):
    """One of two processes with the same network and data, each with its own random numbers."""
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
    model = nn.parallel.DistributedDataParallel(fresh(seed=rank))
    *_, record = run(model, rng=generator(rank), steps=5)
    torch.save((record.ema.state_dict(), record.loss), out)
    torch.distributed.destroy_process_group()


def test_two_processes_end_with_the_same_weights_from_different_batches(tmp_path):
    processes = multiprocessing.get_context("spawn")
    outs = [tmp_path / "0.pt", tmp_path / "1.pt"]
    started = [
        processes.Process(target=train_beside_another, args=(rank, tmp_path / "meeting", out))
        for rank, out in enumerate(outs)
    ]
    for process in started:
        process.start()
    for process in started:
        process.join(100)
        assert process.exitcode == 0
    (first, first_loss), (second, second_loss) = (torch.load(out) for out in outs)
    *_, alone = run(steps=5)
    assert first_loss != second_loss
    for name, weight in first.items():
        assert torch.equal(weight, second[name])
        assert not torch.equal(weight, alone.ema.state_dict()[name])


@pytest.mark.parametrize("wrap", [nn.DataParallel, lambda model: torch.compile(model, backend="eager")])
def test_a_wrapped_network_trains_and_is_put_away_as_the_network_itself(wrap):
    torch._dynamo.reset()
    plain, wrapped = list(run(steps=3)), list(run(wrap(fresh()), steps=3))
    assert losses(wrapped) == pytest.approx(losses(plain), rel=1e-5)
    assert type(wrapped[-1].ema) is models.SpiralMLP
    assert wrapped[-1].run.state().tensors.keys() == plain[-1].run.state().tensors.keys()


# ---- what fails, and how -------------------------------------------------------------------------


@pytest.mark.parametrize("look", [True, False])
def test_a_loss_that_is_not_finite_stops_before_the_weights_are_touched(look, monkeypatch):
    """Also where it is looked at only much later; and a network that has recovered by then changes nothing."""
    monkeypatch.setattr(training, "may_read", lambda _: look)
    model, number = fresh(), 0
    model.register_forward_hook(lambda _module, _inputs, eps_hat: eps_hat * (torch.nan if number == 4 else 1))
    records, kept = run(model, lr=0.5), None
    with pytest.raises(FloatingPointError, match=r"not finite at step 4 \(lr = 0.5\).*of step 3. Try lr = 0.1"):
        for number in range(1, 21):
            record = next(records)
            if number == 3:
                kept = record.run.state().tensors
    assert number == (4 if look else 20)
    for name, tensor in {**model.state_dict(prefix="model."), **record.ema.state_dict(prefix="ema.")}.items():
        assert torch.equal(tensor, kept[name]), name
    for name, moment in record.run.optimiser.state[model.layers[0].weight].items():
        assert torch.equal(moment, kept[f"optimiser.layers.0.weight.{name}"])
    with pytest.raises(FloatingPointError, match="at step 4"):
        record.run.state()


def test_lack_of_memory_names_a_batch_to_try():
    def forward(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    model = Affine()
    model.register_forward_hook(forward)
    with pytest.raises(torch.OutOfMemoryError, match="does not hold a batch of 32: try batch = 16"):
        next(run(model))


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
        ({"batch": 0}, ["batch", "at least 1", "0"]),
        ({"batch": 2.5}, ["batch", "2.5"]),
        ({"steps": -1}, ["steps", "-1"]),
        ({"lr": 0.0}, ["lr", "above 0", "0.0"]),
        ({"lr": float("nan")}, ["lr", "nan"]),
        ({"rng": np.random.default_rng()}, ["torch.Generator"]),
        ({"model": fresh().half()}, ["float16", "model.float()"]),
        ({"model": nn.Linear(2, 2)}, ["Linear has no .schedule"]),
    ],
)
def test_refuses_at_the_call_what_does_not_fit(arguments, message):
    with refused(*message):
        run(**arguments)


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_data_of_another_number_format_are_taken_over(dtype):
    assert losses(run(x0=POINTS.astype(dtype), steps=3)) == pytest.approx(losses(run(steps=3)), rel=1e-3)


# ---- going on ------------------------------------------------------------------------------------


def frozen(seed):
    model = fresh(seed)
    model.layers[0].requires_grad_(False)
    return model


RESUMED = {
    "points": (fresh, POINTS, None),
    "pictures": (pictures_network, pictures(), None),
    "conditional": (lambda seed: pictures_network(seed, (10,)), pictures(), torch.arange(64) % 10),
    "conditional, told nothing": (lambda seed: pictures_network(seed, (10,)), pictures(), None),
    "frozen layer": (frozen, POINTS, None),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("case", RESUMED)
def test_a_resumed_run_has_the_same_losses(case, layout, monkeypatch):
    """The same network, average and chance, in another process's generator and weights."""
    make, x0, cond = RESUMED[case]
    if x0.ndim == 4:
        forced(monkeypatch, threads=1, layout=layout, dtype=torch.float32)
    elif layout == torch.channels_last:
        pytest.skip("points have no layout")
    records, found = run(make(0), x0, cond, steps=8), []
    for record in records:
        found.append(record.loss.item())
        if record.step == 5:
            state = record.run.state()
    started = make(9)
    if case == "frozen layer":
        started.layers[0].load_state_dict(make(0).layers[0].state_dict())
    further = list(run(started, x0, cond, steps=8, rng=generator(9), resume=state))
    assert [other.step for other in further] == [6, 7, 8]
    assert losses(further) == found[5:]
    for name, tensor in record.run.state().tensors.items():
        assert torch.equal(tensor, further[-1].run.state().tensors[name]), name


def test_a_state_is_a_copy():
    records = run()
    state = next(records).run.state()
    kept = {name: tensor.clone() for name, tensor in state.tensors.items()}
    list(records)
    assert all(torch.equal(tensor, kept[name]) for name, tensor in state.tensors.items())


def test_a_run_of_another_kind_of_device_goes_on_with_other_chance():
    """A GPU's generator has another state: it cannot go on here, but the same file goes on in the same way."""
    state = next(run()).run.state()
    state.tensors["rng"] = torch.arange(16, dtype=torch.uint8)
    first, again = (losses(run(resume=state, rng=generator(seed))) for seed in (1, 2))
    assert first == again and len(first) == 19


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": Affine()}, "another architecture (SpiralMLP)"),
        ({"model": fresh(dim=3), "x0": np.zeros((8, 3))}, "another architecture"),
        ({"model": fresh(attributes=(2,))}, "conditions.tables.0.weight has shape nothing"),
        ({"model": frozen(0)}, "optimiser.layers.0.bias.exp_avg"),
        ({"model": models.SpiralMLP(schedule.sigmoid(T=100))}, "another schedule"),
        ({"steps": 21}, "use the same arguments"),
        ({"batch": 33}, "use the same arguments"),
        ({"weight": "v"}, "use the same arguments"),
        ({"x0": np.ones((8, 2))}, "use the same arguments"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(options, message):
    state = next(run()).run.state()
    model = options.get("model", fresh(3))
    before = copy.deepcopy(model.state_dict())
    with refused(message):
        run(**{"model": model, **options}, resume=state)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
