"""What every sampler promises: what it yields, asks and draws, for every kind of x_T, and what it refuses."""

import inspect

import numpy as np
import pytest
import torch
from refusals import refused
from sampling import EXACT, ODE_SAMPLERS, SAMPLERS, SCHEDULE, STOCHASTIC, cost, end, recorded, rng

from diffusion_course import samplers
from diffusion_course.beyond.inversion import encode
from diffusion_course.denoisers import FullGaussianDenoiser, GaussianDenoiser, IdealDenoiser
from diffusion_course.forward import x0_from_eps
from diffusion_course.models import SpiralMLP, given
from diffusion_course.samplers import ddim, ddpm, dpm_solver, heun
from diffusion_course.schedule import from_beta

every_sampler = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)


# What is yielded, asked and drawn.


@every_sampler
@pytest.mark.parametrize("n", [1, 2, 3, 30, 999])
def test_first_xT_then_one_item_a_step_none_of_which_changes_later(sampler, n):
    xT = rng().standard_normal((3, 2))
    seen = [(x, x.copy()) for x in sampler(EXACT, SCHEDULE, xT, steps=n, rng=rng())]
    assert seen[0][0] is xT
    assert len(seen) == n + 1
    for x, then in seen:
        assert x.shape == xT.shape
        np.testing.assert_array_equal(x, then)


@pytest.mark.parametrize(("sampler", "n"), [(ddpm, 1000), (ddim, 50), (heun, 25), (dpm_solver, 20)])
def test_default_numbers_of_steps(sampler, n):
    assert len(list(sampler(EXACT, SCHEDULE, rng().standard_normal(2)))) == n + 1


def test_defaults_of_what_may_be_chosen():
    xT, steps = rng().standard_normal(4), 10
    for plain, chosen in [
        (dpm_solver(EXACT, SCHEDULE, xT, steps), dpm_solver(EXACT, SCHEDULE, xT, steps, order=2)),
        (ddim(EXACT, SCHEDULE, xT, steps), ddim(EXACT, SCHEDULE, xT, steps, eta=0.0)),
    ]:
        np.testing.assert_array_equal(list(plain), list(chosen))


@every_sampler
@pytest.mark.parametrize("steps", [10, [1000, 300, 1, 0], np.array([200, 5, 0], np.uint8), (5, 0), range(9, -1, -3)])
def test_the_model_is_asked_at_every_visited_time(sampler, steps):
    asked = []

    def model(xt, t):
        asked.append(t)
        return EXACT(xt, t)

    list(sampler(model, SCHEDULE, rng().standard_normal(4), steps=steps, rng=rng()))
    visited = SCHEDULE.steps(10)[:-1].tolist() if isinstance(steps, int) else [int(t) for t in steps][:-1]
    assert len(asked) == cost(sampler) * (len(visited) - 1) + 1
    rest = iter(asked)
    assert all(t in rest for t in visited)  # in this order; so once, where a step costs one evaluation
    assert all(type(t) is int for t in asked)


class Counting(np.random.Generator):
    """A generator that counts the draws."""

    def __init__(self):
        super().__init__(np.random.PCG64(0))
        self.draws = []

    def standard_normal(self, shape):
        self.draws.append(shape)
        return np.zeros(shape)


@pytest.mark.parametrize("name", [*SAMPLERS, "eta = 0.1"])
def test_fresh_noise_at_every_step_but_the_last(name):
    sampler, source = SAMPLERS.get(name, ddim), Counting()
    list(sampler(EXACT, SCHEDULE, np.zeros((3, 2)), 10, rng=source, **({"eta": 0.1} if name == "eta = 0.1" else {})))
    assert source.draws == [(3, 2)] * (9 if name in STOCHASTIC or name == "eta = 0.1" else 0)


@pytest.mark.parametrize("sampler", [ddpm, ddim])
def test_a_step_of_ones_own_takes_the_place_of_ours(sampler):
    calls = []

    def my_step(*args):
        calls.append(args)
        return args[0] * 0.5

    *_, before, x0 = sampler(EXACT, SCHEDULE, np.ones(2), [1000, 400, 0], rng=rng(), step=my_step)
    # (x_t, x̂_0, t, s, schedule, z), and of DDIM η
    assert [args[2:5] for args in calls] == [(1000, 400, SCHEDULE), (400, 0, SCHEDULE)]
    np.testing.assert_array_equal(x0, [0.25, 0.25])
    np.testing.assert_allclose(calls[1][1], x0_from_eps(before, SCHEDULE.at(400), EXACT(before, 400)))
    assert np.ndim(calls[1][5]) == 0 and calls[1][5] == 0  # no noise on the last step
    assert [args[6:] for args in calls] == [(0.0,) if sampler is ddim else ()] * 2


@pytest.mark.parametrize("name", [name for name in vars(samplers) if name.endswith("_step")])
def test_every_step_is_called_alike(name):
    """From x_t and the guess to x_s; at s = 0 the guess itself comes out, whatever was guessed before."""
    step, xt, x0_hat = getattr(samplers, name), np.array([0.3, -1.0]), np.array([0.5, 2.0])
    more = {"predict": EXACT.x0_hat, "before": [(400, xt), (500, xt)]}
    more = {key: value for key, value in more.items() if key in inspect.signature(step).parameters}
    np.testing.assert_allclose(step(xt, x0_hat, 300, 0, SCHEDULE, **more), x0_hat, atol=1e-12)


# Floats, arrays and tensors.


@every_sampler
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-4)])
def test_tensors_and_arrays_take_the_same_path(sampler, dtype, tolerance, monkeypatch):
    """Same x_T and same noise; float32 loses about √(1/ᾱ_T) ≈ 160 units of 6e-8 at the first step."""
    noise, xT = rng(12).standard_normal((100, 5, 2)), rng(13).standard_normal((5, 2))
    paths = []
    for start in (xT, torch.tensor(xT, dtype=dtype)):
        monkeypatch.setattr("diffusion_course.samplers.randn_like", recorded(noise))
        paths.append(list(sampler(EXACT, SCHEDULE, start, steps=50)))
    for x, y in zip(*paths, strict=True):
        assert y.dtype == dtype
        np.testing.assert_allclose(y.numpy(), x, atol=tolerance)


@every_sampler
@pytest.mark.parametrize("clip", [None, 1.0])
def test_floats_and_arrays_stay_what_they_are(sampler, clip):
    for dtype in (np.float32, np.float64):
        for x in sampler(EXACT, SCHEDULE, np.zeros((2, 3), dtype), steps=5, rng=rng(), clip=clip):
            assert x.dtype == dtype
    path = list(sampler(EXACT, SCHEDULE, 0.3, steps=20, rng=rng(), clip=clip))
    assert len(path) == 21 and all(isinstance(x, float) for x in path)


@every_sampler
def test_tensor_noise_comes_from_the_given_generator_alone(sampler):
    def ends(seed):
        return end(sampler, EXACT, SCHEDULE, torch.zeros(4), steps=10, rng=torch.Generator().manual_seed(seed))

    state = torch.get_rng_state()
    assert torch.equal(ends(1), ends(1))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(ends(1), ends(2)) == (sampler in (ddim, *ODE_SAMPLERS.values()))


@pytest.mark.filterwarnings("ignore::diffusion_course.schedule.TerminalSNRWarning")
def test_a_schedule_of_one_step():
    schedule = from_beta([0.5])
    model, xT = GaussianDenoiser(2.0, 0.5, schedule), rng().standard_normal(3)
    for sampler in SAMPLERS.values():
        x0 = end(sampler, model, schedule, xT, steps=1)
        np.testing.assert_allclose(x0, x0_from_eps(xT, 0.5, model(xT, 1)))


# Refusals: by the call itself, before anything is drawn.


@pytest.mark.parametrize(
    ("steps", "parts"),
    [
        *((n, ["T = 1000", repr(n), "whole number"]) for n in (0, -3, 1001, 2.5, 10.0, True)),
        *(
            (times, ["fall", "end at 0", np.asarray(times)])
            for times in (
                [0],
                [10],
                [10, 5],
                [0, 5, 10],
                [10, 10, 0],
                [5, 10, 0],
                [[10, 0]],
                [[10, 0]] * 2,
                np.uint8([5, 10, 0]),
            )
        ),
        *((times, ["whole numbers from 0", "T = 1000"]) for times in ([], [1001, 5, 0], [10.0, 0.0], [10, 0, -5])),
    ],
    ids=repr,
)
def test_impossible_steps_are_refused(steps, parts):
    def never(xt, t):
        raise AssertionError("asked before the steps were known")

    for sampler in (*SAMPLERS.values(), encode):
        with refused(*parts):
            sampler(never, SCHEDULE, np.zeros(2), steps=steps)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        *(
            (lambda eta=eta: ddim(EXACT, SCHEDULE, 0.0, eta=eta), ["at least 0 and at most 1", repr(eta)])
            for eta in (-0.1, 1.1, np.nan, "a", None)
        ),
        *(
            (lambda order=order: dpm_solver(EXACT, SCHEDULE, 0.0, order=order), [repr(order), "at most 3"])
            for order in (0, 4, -1, 2.0, None, "2")
        ),
        *((lambda c=c: heun(EXACT, SCHEDULE, 0.0, clip=c), ["clip", "above 0", repr(c)]) for c in (0, -1.0, "x", True)),
        *((lambda s=s: samplers.dynamic_threshold(s), ["share", "at most 1", repr(s)]) for s in (2, "a", -0.1)),
        (lambda: samplers.dpm_solver_step(0.5, 0.5, 5, 5, SCHEDULE), ["0 ≤ ᾱ_t < ᾱ_s ≤ 1"]),
    ],
)
def test_impossible_options_are_refused(call, parts):
    with refused(*parts):
        call()


@every_sampler
@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        *(({"rng": wrong}, ["rng is", "numpy Generator"]) for wrong in (0, "0", torch.Generator(), np.random)),
        ({"xT": torch.zeros(2), "rng": rng()}, ["rng is Generator(PCG64)", "torch Generator"]),
        ({"model": SCHEDULE, "schedule": EXACT}, ["model must be a function eps_hat = model(xt, t)", "Schedule"]),
        ({"schedule": SCHEDULE.alpha_bar}, ["schedule must be a Schedule", "ndarray"]),
        *(({"xT": wrong}, ["xT must be a float, a NumPy array or"]) for wrong in ([0.0], "x", None, np.array(["x"]))),
        ({"xT": torch.zeros(2, dtype=torch.int64)}, ["int64", "floats"]),
        *(({"xT": kind([0.0, np.nan])}, ["xT holds NaN"]) for kind in (np.array, torch.tensor)),
        ({"model": SpiralMLP(SCHEDULE), "xT": torch.zeros(4, 3)}, ["(B, 2)", "(4, 3)"]),
        ({"model": SpiralMLP(SCHEDULE)}, ["a network takes tensors", "ndarray"]),
        ({"model": given(SpiralMLP(SCHEDULE, attributes=(3,)), [[1]]), "xT": torch.zeros(3)}, ["(B, 2)", "(3,)"]),
        ({"model": FullGaussianDenoiser([0.0, 1.0], np.eye(2), SCHEDULE), "xT": np.zeros(2)}, ["(B, 2)", "(2,)"]),
        ({"model": IdealDenoiser(np.zeros((3, 2)), SCHEDULE), "xT": np.zeros((4, 3))}, ["(B, 2)", "(4, 3)"]),
    ],
)
def test_wrong_arguments_are_refused(sampler, changed, parts):
    with refused(*parts):
        sampler(**{"model": EXACT, "schedule": SCHEDULE, "xT": np.zeros(2), **changed})


@pytest.mark.parametrize("clip", [lambda x0_hat: 1.0, lambda x0_hat: None, lambda x0_hat: x0_hat[:1]])
def test_a_clip_that_returns_no_guess_is_refused(clip):
    with refused("clip must return x̂_0, of shape (2,)"):
        list(ddim(EXACT, SCHEDULE, np.zeros(2), clip=clip))


@pytest.mark.parametrize("sampler", [ddpm, ddim])
@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_a_step_that_returns_no_x_s_is_refused(sampler, kind):
    for xs, got in [(None, "NoneType"), (kind([0.0]), "(1,)"), (kind([0.0, np.nan]), "NaN")]:
        with refused("step(xt, x0_hat, t, …)", got, "t = 5"):
            list(sampler(EXACT, SCHEDULE, kind([0.0, 0.0]), [5, 0], step=lambda *_, xs=xs: xs))
    with refused("step must be a function like", "_step, not None"):
        sampler(EXACT, SCHEDULE, kind([0.0, 0.0]), step=None)


def broken_net(answer):
    def my_net(xt, t):
        return answer if t <= 400 else 0 * xt

    return my_net


@every_sampler
def test_answers_that_are_not_like_xt_are_refused(sampler):
    pair = (np.zeros((3, 2)), None)
    answers = [(pair, "tuple"), (None, "NoneType"), (0.0, "shape ()"), (np.zeros((3, 1)), "shape (3, 1)")]
    for xT in (np.zeros((3, 2)), torch.zeros(3, 2)):
        for answer, got in [*answers, (torch.zeros(2, 3), "shape (2, 3)")]:
            with refused("my_net", "(3, 2)", got, "t = 400"):
                list(sampler(broken_net(answer), SCHEDULE, xT, steps=5))
    for answer in (None, (0.0,), np.zeros(1)):
        with refused("my_net", "()", "t = 400"):
            list(sampler(broken_net(answer), SCHEDULE, 0.0, steps=5))


@pytest.mark.parametrize("sampler", [*SAMPLERS.values(), encode])
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize(("kind", "readable"), [(np.array, True), (torch.tensor, True), (torch.tensor, False)])
def test_answers_that_are_not_finite_are_named_with_their_step(sampler, kind, value, readable, monkeypatch):
    """At once where reading costs nothing; on a GPU, here played by `may_read`, at the end, by the first bad step."""
    monkeypatch.setattr("diffusion_course.predictor.may_read", lambda x: readable)
    items = sampler(broken_net(kind([0.0, value])), SCHEDULE, kind([0.0, 0.0]), steps=5)
    number = 0
    with refused("my_net", "NaN or infinity", "t = 1" if sampler is encode else "t = 400"):
        for _ in items:
            number += 1
    found = {1} if sampler is encode else {4, 5 - cost(sampler)}  # a step may look ahead to where it ends
    assert number in ({6} if not readable else found)


def test_a_model_that_is_an_object_is_named_by_its_class():
    class FaceNet:
        def __call__(self, xt, t):
            return None

    with refused("FaceNet(xt, t)", "t = 1000"):
        list(ddim(FaceNet(), SCHEDULE, np.zeros(2)))
