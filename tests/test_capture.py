"""Steps recorded once and played back, on a CPU that stands in for a GPU (`graph_double`)."""

import warnings

import pytest
import torch
from graph_double import Chance, as_on_a_gpu
from small_training import CASES, COSINE, POINTS, forced, fresh, losses, pictures_network, run

from diffusion_course import models, training
from diffusion_course.beyond import text
from diffusion_course.guidance import guided
from diffusion_course.machine import capture
from diffusion_course.machine.capture import PLAIN_STEPS, CapturedNetwork
from diffusion_course.run import captions, sampling

STEPS = 20


def trained(case="points", resume=None, model=None, **options):
    """The records of 20 steps, as a list, on a generator that a graph can hold."""
    make, x0, cond, weight = CASES[case]
    model = make() if model is None else model
    rng = Chance().manual_seed(0)
    return list(run(model, x0, cond, weight=weight, steps=STEPS, rng=rng, resume=resume, **options))


def same(a, b):
    """Are both trainings the same to the last digit: losses, weights, average, moments, chance?"""
    assert losses(a) == losses(b)
    for (name, one), (other, two) in zip(*(records[-1].run.state().tensors.items() for records in (a, b)), strict=True):
        assert name == other and torch.equal(one, two), name


# ---- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("case", CASES)
def test_a_captured_training_is_the_plain_one(case, dtype, monkeypatch):
    """Learning rate, chance, average, loss scale: whatever changes from step to step changes in the graph too."""
    forced(monkeypatch, dtype=dtype)
    plain = trained(case)
    graphs = as_on_a_gpu(monkeypatch)
    captured = trained(case)
    same(captured, plain)
    (graph,) = graphs
    assert graph.replays == STEPS - PLAIN_STEPS
    assert captured[-1].run.state().about == plain[-1].run.state().about


def test_a_training_of_pictures_from_words_is_captured_with_its_own_batches(monkeypatch):
    def start():
        torch.manual_seed(0)
        model = text.TextUNet(COSINE, vocabulary=9, channels=1, widths=(8, 32), text=32, blocks=1)
        cond = torch.randint(-1, 9, (64, 4), generator=torch.Generator().manual_seed(0))
        draw = lambda *inputs: captions.draw_captions(*inputs, order=captions.Order(40, 9, 9))  # noqa: E731
        return list(run(model, CASES["pictures"][1], cond, steps=6, batch=8, draw=draw, rng=Chance().manual_seed(0)))

    plain = start()
    graphs = as_on_a_gpu(monkeypatch)
    same(start(), plain)
    assert [graph.replays for graph in graphs] == [3]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_captured_training_goes_on_exactly(dtype, monkeypatch):
    forced(monkeypatch, dtype=dtype)
    as_on_a_gpu(monkeypatch)
    make, x0, cond, weight = CASES["conditional pictures"]
    whole, state = [], None
    for record in run(make(), x0, cond, weight=weight, steps=STEPS, rng=Chance().manual_seed(0)):
        whole.append(record.loss.item())
        if record.step == 10:
            state = record.run.state()
    assert losses(trained("conditional pictures", resume=state)) == whole[10:]


def test_a_loss_that_is_not_finite_is_named_in_a_captured_training_too(monkeypatch):
    """The network breaks in its ninth step: it counts in a tensor, where a graph counts too."""
    as_on_a_gpu(monkeypatch)
    model, count = fresh(), torch.zeros(())
    model.register_forward_hook(lambda _module, _inputs, eps_hat: eps_hat / (count.add_(1) != 9))
    with pytest.raises(FloatingPointError, match=r"not finite at step 9 .* of step 8"):
        trained(model=model)
    assert all(weight.isfinite().all() for weight in model.parameters())


def reading(x0, cond, schedule, batch, rng):
    """A batch whose maker looks at a value."""
    found = training.draw_batch(x0, cond, schedule, batch, rng)
    assert found[1].float().mean().item() > 0
    return found


def test_a_step_that_reads_a_value_runs_uncaptured_and_says_so(monkeypatch):
    plain = trained(draw=reading)
    graphs = as_on_a_gpu(monkeypatch)
    with pytest.warns(UserWarning, match="cannot be captured: the step reads a value") as told:
        same(trained(draw=reading), plain)
    assert len(told) == 1 and "\n" not in str(told[0].message)
    assert not graphs[0].played


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_recording_that_fails_leaves_the_training_as_it_was(dtype, monkeypatch):
    """After the gradient's scale is taken out, which may be done once a step: the plain step can do it again."""
    forced(monkeypatch, dtype=dtype)
    plain = trained("pictures")
    as_on_a_gpu(monkeypatch)
    clip, calls = training.clip_gradients, []

    def clip_once(weights):
        calls.append(weights)
        if len(calls) == PLAIN_STEPS + 1:
            raise RuntimeError("CUDA error: operation not permitted\nwhen stream is capturing")
        return clip(weights)

    monkeypatch.setattr(training, "clip_gradients", clip_once)
    with pytest.warns(UserWarning, match=r"cannot be captured: CUDA error: operation not permitted\.$"):
        same(trained("pictures"), plain)


def test_a_wrapped_network_is_not_captured(monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    trained(model=torch.nn.DataParallel(fresh()))
    assert graphs == []


# ---- sampling ------------------------------------------------------------------------------------

DENOISERS = {
    "alone": lambda network, cond: network,
    "given": models.given,
    "guided": lambda network, cond: guided(network, cond, 2.0),
}


@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "heun", "dpm"])
@pytest.mark.parametrize("kind", DENOISERS)
def test_captured_sampling_makes_the_same_samples(kind, sampler, monkeypatch):
    """Twice with other noise and another condition, so that nothing of the first run stays in the graph."""
    network, how = pictures_network(attributes=(10,)), sampling.SAMPLERS[sampler]
    xT = torch.randn(2, 3, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def samples(network):
        for noise, label in zip(xT, (3, 7), strict=True):
            denoiser = DENOISERS[kind](network, torch.full((3, 1), label))
            with torch.no_grad():
                yield from how.run(denoiser, COSINE, noise, 10, rng=torch.Generator().manual_seed(1))

    plain = list(samples(network))
    graphs = as_on_a_gpu(monkeypatch)
    for a, b in zip(samples(CapturedNetwork(network)), plain, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
    assert len(graphs) == 1 and graphs[0].replays > 10


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_captured_sampling_makes_the_samples_of_the_cpu():
    model, xT = pictures_network(), torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        *_, here = sampling.SAMPLERS["ddim"].run(model, COSINE, xT, 20)
        *_, there = sampling.SAMPLERS["ddim"].run(CapturedNetwork(model.cuda()), COSINE, xT.cuda(), 20)
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-3)


def test_a_captured_network_follows_its_weights(monkeypatch):
    """As the average of a training does, from which one samples at several moments."""
    as_on_a_gpu(monkeypatch)
    model, x = fresh(), torch.tensor(POINTS[:8])
    network = CapturedNetwork(model)
    with torch.no_grad():
        for turn in range(8):
            assert torch.equal(network(x, 50), model(x, 50)), turn
            model.layers[-1].bias.add_(0.1)


def test_each_shape_and_number_format_has_a_recording_of_its_own(monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    model = fresh()
    network = CapturedNetwork(model)
    for _ in range(2 * PLAIN_STEPS):
        for n, dtype in ((4, torch.float32), (6, torch.float32), (4, torch.bfloat16)):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                assert torch.equal(network(torch.ones(n, 2), 30), model(torch.ones(n, 2), 30))
    assert [graph.replays for graph in graphs] == [PLAIN_STEPS] * 3


def test_gradients_and_times_of_ones_own_pass_the_recording_by(monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    network, x = CapturedNetwork(fresh()), torch.ones(4, 2, requires_grad=True)
    network(x, 30).sum().backward()
    with torch.no_grad():
        network(x, torch.arange(1, 5))
    assert x.grad.isfinite().all() and graphs == []


def test_without_a_gpu_a_captured_network_is_the_network():
    model = fresh()
    network = CapturedNetwork(model)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("error")
        for t in range(1, 9):
            assert torch.equal(network(torch.ones(3, 2), t), model(torch.ones(3, 2), t))
    assert network.schedule is model.schedule and not capture.on_gpu(torch.device("cpu"))
