"""Steps recorded once and played back, on a CPU that stands in for a GPU (`graph_double`)."""

import copy
import itertools

import pytest
import torch
from graph_double import Chance, as_on_a_gpu
from small_training import CASES, COSINE, POINTS, forced, fresh, losses, pictures_network, run

from diffusion_course import models, schedule, training
from diffusion_course.beyond import emoji, text
from diffusion_course.guidance import guided
from diffusion_course.machine import capture
from diffusion_course.machine.capture import PLAIN_STEPS
from diffusion_course.run import captions, paint, recipes, sampling

STEPS = 12


def trained(case="points", resume=None, model=None, **options):
    """The records of 12 steps, as a list, on a generator that a graph can hold."""
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


def test_a_captured_training_in_parts_is_the_plain_one(monkeypatch):
    """The gradients of the parts add up within the graph, and each replay begins without any."""
    plain = trained("conditional points", accumulate=4)
    graphs = as_on_a_gpu(monkeypatch)
    same(trained("conditional points", accumulate=4), plain)
    assert [graph.replays for graph in graphs] == [STEPS - PLAIN_STEPS]


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
    """Captured or plain, from the state of either: losses, weights, moments, average, scale and chance."""
    forced(monkeypatch, dtype=dtype)
    make, x0, cond, weight = CASES["conditional pictures"]

    def halfway():
        for record in run(make(), x0, cond, weight=weight, steps=STEPS, rng=Chance().manual_seed(0)):
            if record.step == STEPS // 2:
                return record.run.state()

    plain, whole = halfway(), trained("conditional pictures")
    resumed = [trained("conditional pictures", resume=plain)]
    as_on_a_gpu(monkeypatch)
    captured = halfway()
    resumed += [trained("conditional pictures", resume=state) for state in (plain, captured)]
    for records in resumed:
        same(records, whole[STEPS // 2 :])
        assert records[-1].run.state().about == whole[-1].run.state().about


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
    clip, calls = torch.nn.utils.clip_grad_norm_, []

    def clip_once(weights, longest):
        calls.append(weights)
        if len(calls) == PLAIN_STEPS + 1:
            raise RuntimeError("CUDA error: operation not permitted\nwhen stream is capturing")
        return clip(weights, longest)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", clip_once)
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

    def samples():
        for noise, label in zip(xT, (3, 7), strict=True):
            denoiser = DENOISERS[kind](network, torch.full((3, 1), label))
            yield from how.run(denoiser, COSINE, noise, 10, rng=torch.Generator().manual_seed(1))

    plain = list(samples())
    graphs = as_on_a_gpu(monkeypatch)
    for a, b in zip(samples(), plain, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-5)
    assert len(graphs) == 1 and graphs[0].replays > 10


def test_what_people_call_is_captured(monkeypatch):
    """The command line's paths, pictures from words, a student's lessons: none of them says so itself."""
    graphs = as_on_a_gpu(monkeypatch)
    torch.manual_seed(0)
    painter = text.TextUNet(COSINE, len(emoji.vocabulary()), widths=(8, 32), text=32, blocks=1).eval()
    paint.paint("blue cat", n=1, steps=10, network=painter)
    network = models.SpiralMLP(schedule.cosine())
    list(sampling.paths(network, torch.tensor(POINTS[:8]), nfe=10))
    sampling.trajectories(network, recipes.Student(8, 20, {}), torch.tensor(POINTS[:4]))
    assert [graph.replays for graph in graphs] == [7, 7, 17]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_captured_sampling_makes_the_samples_of_the_cpu():
    model, xT = pictures_network(), torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    *_, here = sampling.SAMPLERS["ddim"].run(model, COSINE, xT, 20)
    *_, there = sampling.SAMPLERS["ddim"].run(model.cuda(), COSINE, xT.cuda(), 20)
    torch.testing.assert_close(there.cpu(), here, rtol=0, atol=1e-3)


@torch.no_grad()
def evaluations(network, n=PLAIN_STEPS + 2, x=POINTS[:4], **options):
    """So many evaluations at different times."""
    return [network(torch.tensor(x), t, **options) for t in range(1, n + 1)]


def test_recordings_follow_the_weights_where_they_lie(monkeypatch):
    """As the average of a training changes, from which one samples at several moments."""
    graphs = as_on_a_gpu(monkeypatch)
    model = fresh()
    evaluations(model)
    with torch.no_grad():
        model.layers[-1].bias.add_(0.1)
    plain = evaluations(copy.deepcopy(model), 2)
    assert all(map(torch.equal, evaluations(model, 2), plain)) and graphs[0].replays == 4


def moved(model):
    model.double().float()


def replaced(model):
    model.layers[-1].bias = torch.nn.Parameter(torch.ones(2))


def assigned(model):
    model.load_state_dict(fresh(seed=1).state_dict(), assign=True)


def hooked(model):
    model.layers[0].register_forward_hook(lambda _module, _inputs, found: 2 * found)


def other_answer(model):
    model.answer = lambda xt, time: 3 * xt


@pytest.mark.parametrize("change", [moved, replaced, assigned, hooked, other_answer])
def test_a_network_that_is_changed_is_not_played_back_as_it_was(change, monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    model = fresh()
    evaluations(model)
    change(model)
    again = evaluations(model, 2)
    assert graphs[0].replays == 2
    monkeypatch.undo()
    assert all(map(torch.equal, again, evaluations(model, 2)))


def test_a_copy_of_a_network_makes_recordings_of_its_own(monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    model = fresh()
    evaluations(model)
    for some in (copy.deepcopy(model), copy.copy(model)):
        evaluations(some)
    assert [graph.replays for graph in graphs] == [2, 2, 2]


def test_each_shape_and_number_format_has_a_recording_of_its_own(monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    model, plain = fresh(), fresh()
    plain.recordings = lambda network, *inputs: network.answer(*inputs)
    for t in range(1, 2 * PLAIN_STEPS + 1):
        for n, dtype in ((4, torch.float32), (6, torch.float32), (4, torch.bfloat16)):
            with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
                assert torch.equal(model(torch.ones(n, 2), t), plain(torch.ones(n, 2), t))
    assert [graph.replays for graph in graphs] == [PLAIN_STEPS] * 3


def test_of_many_shapes_the_latest_are_kept(monkeypatch):
    as_on_a_gpu(monkeypatch)
    model = fresh()
    for n in range(1, 2 * capture.KEPT):
        evaluations(model, 1, POINTS[:n])
    sizes = [held[0].shape[0] for held, _ in model.recordings.kept.values()]
    assert sizes == list(range(capture.KEPT, 2 * capture.KEPT))


def test_where_gradients_are_kept_nothing_is_recorded(monkeypatch):
    graphs = as_on_a_gpu(monkeypatch)
    network, x = fresh(), torch.ones(4, 2, requires_grad=True)
    for t in range(1, 9):
        network(x, t).sum().backward()
    assert x.grad.isfinite().all() and graphs == []


def test_a_network_asked_within_a_captured_training_step_is_part_of_it(monkeypatch):
    """As a student that learns from its own answers is: there is one recording, that of the step."""
    model = fresh()

    def draw(x0, cond, noise, batch, rng):
        clean, t, eps, cond = training.draw_batch(x0, cond, noise, batch, rng)
        with torch.no_grad():
            return model.x0_hat(clean, t).clamp(-2, 2), t, eps, cond

    start = copy.deepcopy(model.state_dict())
    plain = trained(model=model, draw=draw)
    model.load_state_dict(start)
    graphs = as_on_a_gpu(monkeypatch)
    same(trained(model=model, draw=draw), plain)
    assert sorted(graph.replays for graph in graphs) == [0, STEPS - PLAIN_STEPS]


def test_a_network_that_reads_a_value_is_evaluated_uncaptured_and_says_so(monkeypatch):
    class Reading(models.SpiralMLP):
        def answer(self, xt, time, cond=None):
            return super().answer(xt, time) * (2 if xt.sum().item() > 0 else 1)

    network = Reading(COSINE)
    plain = evaluations(network, 10)
    graphs = as_on_a_gpu(monkeypatch)
    with pytest.warns(UserWarning, match="cannot be captured: the step reads a value") as told:
        assert all(map(torch.equal, evaluations(network, 10), plain))
    assert len(told) == 1 and not graphs[0].played


def test_without_a_gpu_nothing_is_recorded():
    model = fresh()
    evaluations(model)
    assert not model.recordings.kept and not capture.on_gpu(torch.device("cpu"))


def test_every_machine_starts_from_the_same_noise(monkeypatch):
    """Wherever the network is: here it is nowhere, on the device "meta", which has shapes and no numbers."""
    elsewhere = fresh().to("meta")
    monkeypatch.setattr(paint, "guesses", lambda model, cond, noise, *how: noise)
    expected = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    assert torch.equal(paint.painting("cat", n=2, seed=3, network=elsewhere), expected)
    here, there = (torch.Generator().manual_seed(0) for _ in range(2))
    for model, rng, device in ((fresh(), here, "cpu"), (elsewhere, there, "meta")):
        path = sampling.SAMPLERS["ddpm"].run(model, COSINE, torch.zeros(4, 2, device=device), 9, rng=rng)
        assert len(list(itertools.islice(path, 5))) == 5
    assert torch.equal(here.get_state(), there.get_state()) and here.get_state().any()
