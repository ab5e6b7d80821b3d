"""The networks as denoisers: the embedding, the three answers, number formats, index types, conditions, refusals."""

import copy
import inspect
import pickle

import numpy as np
import pytest
import torch
from refusals import refused
from torch import nn

from diffusion_course import data, models, samplers, schedule
from diffusion_course.beyond.dit import DiT, patches, picture
from diffusion_course.beyond.text import TextUNet
from diffusion_course.forward import add_noise, v_from_eps
from diffusion_course.machine.state import unwrapped
from diffusion_course.models import Denoiser, SpiralMLP, given, time_embedding
from diffusion_course.run.checkpoints import KNOWN
from diffusion_course.unet import UNet

COSINE = schedule.cosine(T=100)
CODES = torch.tensor([[0, 1], [-1, 2], [2, -1], [1, 3]])
TIMES = torch.tensor([1, 50, 100, 7])


SMALL = {"channels": 3, "widths": (8, 16), "side": 4, "width": 8, "depth": 2}  # the options of a network for tests
DENOISERS = [network for network in KNOWN if issubclass(network, Denoiser)]
ATTRIBUTED = [network for network in DENOISERS if "attributes" in inspect.signature(network).parameters]
KINDS = [said + kind.__name__ for kind in ATTRIBUTED for said in ("", "conditional ")]


def network(kind, output="v", noise_schedule=COSINE):
    """(a network with every weight at work, x_t, its condition or None)."""
    torch.manual_seed(0)
    made = next(network for network in ATTRIBUTED if network.__name__ == kind.split()[-1])
    options = {name: value for name, value in SMALL.items() if name in inspect.signature(made).parameters}
    attributes = (3, 4) if "conditional" in kind else ()
    model = made(noise_schedule, attributes=attributes, output=output, **options)
    x = torch.randn(4, *({"H": 10, "W": 7}.get(n, n) for n in model.shape))
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.2)
    return model.eval(), x, CODES if attributes else None


class Oracle(Denoiser):
    """Answers with the true ε, x_0 or v, whichever it was told to."""

    def __init__(self, noise_schedule, output, truth):
        super().__init__(noise_schedule, output=output)
        self.truth = truth

    def answer(self, xt, time):
        return self.truth


# ---- time ----------------------------------------------------------------------------------------


def test_embedding_is_sines_then_cosines_of_the_log_snr():
    log_snr = np.array([-3.0, 0.5])
    frequencies = 0.05 * 30 ** (np.arange(16) / 15)
    for row, value in zip(time_embedding(log_snr), log_snr, strict=True):
        np.testing.assert_allclose(row[:16], np.sin(frequencies * value), atol=1e-12)
        np.testing.assert_allclose(row[16:], np.cos(frequencies * value), atol=1e-12)


@pytest.mark.parametrize("make", [schedule.linear, schedule.cosine, schedule.sigmoid])
def test_distinct_times_have_distinct_embeddings(make):
    rows = time_embedding(make().log_snr[1:])
    steps = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    assert steps.min() > 1e-4
    apart = np.linalg.norm(rows[::50, None] - rows[None, ::50], axis=-1) + np.eye(len(rows[::50]))
    assert apart.min() > 0.1  # the embedding does not come back to where it was


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.uint16])
def test_times_of_every_integer_type_are_indices(dtype):
    model, x, _ = network("SpiralMLP")
    torch.testing.assert_close(model(x, TIMES.to(dtype)), model(x, TIMES), rtol=0, atol=0)


@pytest.mark.parametrize("t", [TIMES.tolist(), TIMES.numpy(), TIMES.numpy().astype(np.uint8)])
def test_times_may_be_lists_and_arrays(t):
    model, x, _ = network("SpiralMLP")
    torch.testing.assert_close(model(x, t), model(x, TIMES), rtol=0, atol=0)


@pytest.mark.parametrize("t", [30, np.int64(30), np.uint8(30), torch.tensor(30)])
def test_one_time_for_all_is_the_same_as_one_time_each(t):
    model, x, _ = network("SpiralMLP")
    torch.testing.assert_close(model(x, t), model(x, torch.full((4,), 30)))
    assert not torch.allclose(model(x, t), model(x, 31))


@pytest.mark.parametrize(
    ("t", "told"),
    [
        (0, "not 0"),
        (101, "not 101"),
        (True, "bool"),
        (30.0, "float"),
        (torch.tensor([1, 0, 3, 4]), "not tensor"),
        (torch.tensor([1, 2, 3, 101]), "not tensor"),
        (torch.tensor([1, 2, 3]), "shape (3,)"),
        (torch.ones(4, dtype=torch.bool), "torch.bool"),
        (torch.ones(4), "torch.float32"),
    ],
)
def test_refuses_other_times(t, told):
    model, x, _ = network("SpiralMLP")
    with refused("from 1 to T = 100, or 4 of them", "t = 0 has no noise", told):
        model(x, t)


# ---- the answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("output", ["eps", "x0", "v"])
@pytest.mark.parametrize("t", [1, 50, 100, torch.arange(1, 65)])
def test_every_kind_of_answer_becomes_the_same_noise_and_the_same_clean_sample(output, t):
    x0 = torch.tensor(data.spiral(64, rng=np.random.default_rng(0))).double()
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    power = COSINE.at(t)
    xt = add_noise(x0, power, eps)
    truth = {"eps": eps, "x0": x0, "v": v_from_eps(xt, power, eps)}[output]
    oracle = Oracle(COSINE, output, truth).double()
    torch.testing.assert_close(oracle(xt, t), eps, rtol=0, atol=1e-9)
    torch.testing.assert_close(oracle.x0_hat(xt, t), x0, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("kind", "output"), [("SpiralMLP", "eps"), ("SpiralMLP", "x0"), *((kind, "v") for kind in KINDS)]
)
def test_a_compiled_network_traces_whole_and_agrees(kind, output):
    """No value is read back and nothing but tensors computed: else the graph would break.

    One time for all, and x̂_0 of the answer, are the same code in every network: the smallest ones show them.
    """
    torch._dynamo.reset()  # else it counts the graphs of the tests before
    model, x, cond = network(kind, output)
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    for t, want in ((TIMES, "eps"), (60, "x0"))[: 2 if "SpiralMLP" in kind else 1]:
        expected = model(x, t, cond, want=want)
        torch.testing.assert_close(compiled(x, t, cond, want=want), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_samples_do_not_influence_each_other(kind):
    model, x, cond = network(kind)
    alone = model(x[2:3], TIMES[2:3], None if cond is None else cond[2:3])
    torch.testing.assert_close(model(x, TIMES, cond)[2:3], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("output", ["x0", "v"])
def test_without_any_signal_there_still_is_a_guess_to_sample_from(output):
    """Zero terminal SNR: at t = T the answer is x_0 itself (of v: −v), and a sampler starts there."""
    model, x, _ = network("SpiralMLP", output, schedule.zero_terminal_snr(COSINE))
    answer = model.answer(x, model.embedding[100].expand(4, -1))
    torch.testing.assert_close(model.x0_hat(x, 100), answer if output == "x0" else -answer)
    torch.testing.assert_close(model(x, 100), x)  # all of x_T is noise
    *_, x0 = samplers.ddim(model, model.schedule, x, steps=10)
    assert x0.isfinite().all()


def test_an_eps_network_says_nothing_of_the_sample_where_no_signal_is():
    model, x, _ = network("SpiralMLP", "eps", schedule.zero_terminal_snr(COSINE))
    with refused("predict x_0 or v"):
        model.x0_hat(x, 100)


# ---- number formats ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weights", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("given_in", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_every_format_of_weights_takes_every_format_of_input(kind, weights, given_in):
    """Answers in float32 (of float64 weights: float64) within the weights' precision, at every noise level."""
    model, x, cond = network(kind)
    exact, x = copy.deepcopy(model).double(), x.to(given_in)
    answer = model.to(weights)(x, TIMES, cond)
    assert answer.dtype == (torch.float64 if weights == torch.float64 else torch.float32)
    expected = exact(x.to(answer.dtype).double(), TIMES, cond)
    tolerance = {torch.float16: 0.02, torch.bfloat16: 0.15, torch.float32: 1e-4, torch.float64: 1e-12}[weights]
    assert (answer - expected).norm() <= tolerance * expected.norm()


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_noise_levels_keep_their_precision_whatever_the_weights(dtype):
    model = pickle.loads(pickle.dumps(network("SpiralMLP")[0].to(dtype)))
    exact = torch.tensor(COSINE.alpha_bar).sqrt(), torch.tensor(1 - COSINE.alpha_bar).sqrt()
    rtol = 1e-15 if dtype == torch.float64 else 1e-7
    for level, expected in zip((model.signal, model.noise), exact, strict=True):
        torch.testing.assert_close(level.double(), expected, rtol=rtol, atol=0)


def test_refuses_whole_numbers_as_pictures():
    model, x, _ = network("UNet")
    with refused("torch.uint8", "x / 127.5 − 1"):
        model(torch.zeros(x.shape, dtype=torch.uint8), 5)


@pytest.mark.parametrize("xt", [np.zeros((4, 2)), torch.zeros(4, 2, dtype=torch.int64)])
def test_takes_floats_in_a_tensor(xt):
    with pytest.raises(ValueError, match="64: give floats in a tensor"):
        network("SpiralMLP")[0](xt, 5)


# ---- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["conditional SpiralMLP", "conditional UNet"])
def test_condition_matters_and_nothing_said_is_no_condition(kind):
    model, x, _ = network(kind)
    said, partly, nothing = (torch.tensor([row] * 4) for row in ([2, 3], [2, -1], [-1, -1]))
    torch.testing.assert_close(model(x, 50, nothing), model(x, 50))
    answers = [model(x, 50, cond) for cond in (said, partly, nothing)]
    assert not torch.allclose(answers[0], answers[1])
    assert not torch.allclose(answers[1], answers[2])


@pytest.mark.parametrize("kind", ["conditional SpiralMLP", "conditional UNet"])
@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32, "list", "array"])
def test_codes_of_every_integer_type(kind, dtype):
    model, x, cond = network(kind)
    same = cond.tolist() if dtype == "list" else cond.numpy() if dtype == "array" else cond.to(dtype)
    torch.testing.assert_close(model(x, 50, same), model(x, 50, cond), rtol=0, atol=0)


@pytest.mark.parametrize("cond", [torch.tensor([0, 2, 1, -1]), torch.tensor([[0], [2], [1], [-1]])])
def test_a_single_attribute_may_come_as_a_flat_row(cond):
    torch.manual_seed(0)
    model, x = SpiralMLP(COSINE, attributes=(3,)), torch.randn(4, 2)
    torch.testing.assert_close(model(x, 7, cond)[1], model(x[1:2], 7, torch.tensor([2]))[0])


@pytest.mark.parametrize(
    ("cond", "message"),
    [
        ([[0, 4], [0, 0], [0, 0], [0, 0]], "or −1 for not said"),
        ([[0, -2], [0, 0], [0, 0], [0, 0]], "or −1 for not said"),
        ([[0], [0], [0], [0]], "shape (4, 1); for 4 samples and 2 attributes give (4, 2)"),
        ([[0, 0], [0, 0]], "shape (2, 2); for 4 samples"),
        ([0, 0], "shape (2,); for 4 samples"),
        (3, "shape (); for 4 samples"),
        ([[0.0, 1.0]], "whole numbers, one code an attribute, not torch.float32"),
    ],
)
def test_refuses_conditions_that_do_not_fit(cond, message):
    model, x, _ = network("conditional SpiralMLP")
    with refused(message):
        model(x, 5, torch.tensor(cond))


def test_refuses_a_condition_for_an_unconditional_network():
    model, x, _ = network("SpiralMLP")
    for call in (lambda: model(x, 5, CODES), lambda: given(model, CODES)):
        with refused("takes no condition"):
            call()


@pytest.mark.parametrize("kind", ["conditional SpiralMLP", "conditional UNet"])
def test_given_is_the_network_with_its_condition(kind):
    model, x, cond = network(kind)
    denoiser = given(model, cond)
    torch.testing.assert_close(denoiser(x, 50), model(x, 50, cond), rtol=0, atol=0)
    torch.testing.assert_close(denoiser.x0_hat(x, 50), model.x0_hat(x, 50, cond), rtol=0, atol=0)
    torch.testing.assert_close(given(model, cond[:1])(x, 50), model(x, 50, cond[:1].expand(4, 2)))
    assert model.check_cond(cond[:1], 4).shape == (4, 2)
    with refused("or −1 for not said"):
        given(model, cond + 3)  # before any sampling


def test_given_takes_any_function():
    denoiser = given(lambda xt, t, cond: xt + t + cond, 3.0)
    assert denoiser(1.0, 10) == 14.0
    assert not hasattr(denoiser, "x0_hat")  # a sampler may ask for it only if the model has it


# ---- shapes, names, wrappers ---------------------------------------------------------------------


def test_mlp_has_the_shape_the_homework_gives():
    linear = [layer for layer in SpiralMLP(COSINE).modules() if isinstance(layer, nn.Linear)]
    assert [layer.out_features for layer in linear] == [128, 128, 128, 2]
    assert sum(isinstance(layer, nn.SiLU) for layer in SpiralMLP(COSINE).modules()) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_config_rebuilds_the_network(kind):
    model, x, cond = network(kind, "x0")
    again = type(model)(COSINE, **model.config)
    again.load_state_dict(model.state_dict())
    torch.testing.assert_close(again.eval()(x, 9, cond), model(x, 9, cond), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("make", "parts"),
    [
        *((lambda wrong=wrong: SpiralMLP(COSINE, output=wrong), ["'eps' or 'x0' or 'v'", repr(wrong)]) for wrong in
          ("noise", None, 3)),
        (lambda: SpiralMLP(COSINE, attributes=3), ["attributes must be a list", "3"]),
        (lambda: SpiralMLP(COSINE, attributes=iter([3]))(torch.zeros(2, 2), 5, [[3]]), ["0 … n−1 (n = (3,))"]),
        (lambda: UNet(COSINE, widths=8), ["widths must be a list", "8"]),
        (lambda: SpiralMLP("cosine"), ["schedule must be a Schedule", "'cosine'"]),
        *((lambda dim=dim: SpiralMLP(COSINE, dim), ["dim is", repr(dim)]) for dim in (0, -2, 2.0, "v")),
        *((lambda n=n: SpiralMLP(COSINE, attributes=(3, n)), ["number in attributes", repr(n)]) for n in (0, 2.5)),
        (lambda: UNet(COSINE, 0), ["channels is 0"]),
        *((lambda w=w: UNet(COSINE, widths=w), ["multiples of 8", list(w)]) for w in ((8, 12), (8,), (8, 16, 32))),
        *((lambda w=w: UNet(COSINE, widths=w), ["number in widths is", w[0]]) for w in ((0, 8), (-8, 8), (8.0, 8))),
        (lambda: DiT(COSINE, side=9), ["patch = 2 must divide side = 9"]),
        (lambda: DiT(COSINE, width=6), ["4 the width, not 6"]),
        (lambda: TextUNet(COSINE, 9, widths=(8, 40)), ["multiples of 32", "40"]),
        (lambda: TextUNet(COSINE, 0), ["vocabulary is 0"]),
    ],
)  # fmt: skip
def test_networks_that_cannot_be_made_are_refused(make, parts):
    with refused(*parts):
        make()


@pytest.mark.parametrize("kind", KINDS)
def test_refuses_other_samples_than_its_own_and_other_wishes(kind):
    model, x, _ = network(kind)
    for wrong in (x[0], torch.cat([x, x], 1), x[..., None]):
        with refused("xt must have shape (B, ", tuple(wrong.shape)):
            model(wrong, 5)
    for wrong in ("v", None):
        with refused("want must be 'eps' or 'x0'", repr(wrong)):
            model(x, 5, want=wrong)


def test_what_holds_no_numbers_is_refused():
    model, x, _ = network("conditional SpiralMLP")
    for wrong in ("5", None, [[1], [2, 3]]):
        with refused("t must hold numbers, not", wrong):
            model(x, wrong)
        if wrong is not None:
            with refused("cond must hold numbers, not", wrong):
                model(x, 5, wrong)
    with refused("whole numbers", "torch.bool"):
        model(x, 5, torch.ones(4, 2) > 0)
    with refused("xt is empty", (0, 2)):
        model(x[:0], 5)
    for call in (lambda: given(model, None), lambda: given(None, [[1, 1]])):
        with refused("None"):
            call()


def test_what_was_given_is_told_in_short():
    model = network("conditional SpiralMLP")[0]
    long = [[0.5] * 100] * 100
    for call in (lambda: model(long, 5), lambda: model(torch.zeros(10_000, 2), [0] * 10_000),
                 lambda: model(torch.zeros(10_000, 2), 5, [[9, 9]] * 10_000)):  # fmt: skip
        with pytest.raises(ValueError) as told:
            call()
        assert len(str(told.value)) < 250


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile, lambda model: torch.compile(nn.DataParallel(model))])
def test_unwrapped_finds_the_network(wrap):
    model = network("SpiralMLP")[0]
    assert unwrapped(wrap(model)) is model and unwrapped(model) is model


def test_levels_of_any_model():
    assert models.levels_at(network("SpiralMLP")[0], 5).signal == pytest.approx(COSINE.at(5) ** 0.5)
    model = nn.Linear(1, 1)
    model.schedule = COSINE
    assert models.levels_at(model, 5) == COSINE.at(5)


# ---- the transformer -----------------------------------------------------------------------------


def test_patches_come_row_by_row_and_go_back():
    x = torch.arange(2 * 3 * 6 * 4.0).reshape(2, 3, 6, 4)
    tokens = patches(x, 2)
    assert tokens.shape == (2, 6, 12)
    assert torch.equal(tokens[1, 3], x[1, :, 2:4, 2:4].flatten())  # the second of the second row
    assert torch.equal(picture(tokens, 2, 6), x)
    with refused("patches of 4 do not fill", "6 × 4"):
        patches(x, 4)


def test_a_transformer_tells_places_apart_only_by_what_it_learns_of_them():
    """Without the places, moving the patches moves the answer with them; with them it does not."""
    model, x, _ = network("DiT")
    order = [2, 0, 3, 1]

    def moved(x):
        return picture(patches(x, 2)[:, order], 2, 4)

    assert not torch.allclose(model(moved(x), 60), moved(model(x, 60)), atol=1e-3)
    nn.init.zeros_(model.place)
    torch.testing.assert_close(model(moved(x), 60), moved(model(x, 60)))


def test_a_fresh_transformer_ignores_the_time_and_the_neighbours():
    model = DiT(COSINE, side=4, width=8)
    x, other = torch.randn(2, 1, 3, 4, 4)
    other[..., :2, :2] = x[..., :2, :2]
    answer = [model.answer(each, model.embedding[[t]])[..., :2, :2] for each, t in ((x, 5), (other, 90))]
    torch.testing.assert_close(*answer)
