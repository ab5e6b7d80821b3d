"""The exact denoiser of a finite data set against Bayes' rule written out; what exact denoisers refuse."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from diffusion_course import denoisers
from diffusion_course.beyond.mixture import MixtureDenoiser
from diffusion_course.denoisers import FullGaussianDenoiser, GaussianDenoiser, IdealDenoiser
from diffusion_course.forward import add_noise
from diffusion_course.schedule import cosine, linear, zero_terminal_snr

SCHEDULE = linear()
steps = st.integers(1, 1000)


def by_direct_summation(data, xt, power):
    """E[x_0 | x_t], one query and one datum at a time, in extended precision where there is one."""
    answers = []
    for query in xt.astype(np.longdouble):
        square = np.array([((query - np.sqrt(np.longdouble(power)) * x) ** 2).sum() for x in data])
        weights = np.exp(-(square - square.min()) / (2 * (1 - np.longdouble(power))))
        answers.append(sum(w * x for w, x in zip(weights, data, strict=True)) / weights.sum())
    return np.array(answers, np.float64)


@given(t=steps, seed=st.integers(0, 2**32 - 1))
def test_ideal_is_direct_summation(t, seed):
    rng = np.random.default_rng(seed)
    data = rng.uniform(-1, 1, (20, 3))
    eps = rng.standard_normal((4, 3))
    xt = add_noise(data[:4], SCHEDULE.at(t), eps)
    model = IdealDenoiser(data, SCHEDULE)
    x0_hat = by_direct_summation(data, xt, SCHEDULE.at(t))
    np.testing.assert_allclose(model.x0_hat(xt, t), x0_hat, atol=1e-9)
    expected = (xt - SCHEDULE.at(t) ** 0.5 * x0_hat) / (1 - SCHEDULE.at(t)) ** 0.5
    np.testing.assert_allclose(model(xt, t), expected, atol=1e-7)


@pytest.mark.parametrize("t", [1, 2, 500, 999, 1000])
def test_ideal_is_direct_summation_for_large_samples(t):
    """768 numbers a sample at t = 1: squared distances over 2(1−ᾱ) reach millions."""
    rng = np.random.default_rng(3)
    data = rng.uniform(-1, 1, (30, 3, 16, 16))
    xt = add_noise(data[:6], SCHEDULE.at(t), rng.standard_normal((6, 3, 16, 16)))
    x0_hat = IdealDenoiser(data, SCHEDULE).x0_hat(xt, t)
    np.testing.assert_allclose(x0_hat, by_direct_summation(data, xt, SCHEDULE.at(t)), atol=1e-7)


@pytest.mark.parametrize("t", [1, 1000])
@pytest.mark.parametrize("size", [0.0, 1.0, 1e6])
def test_weights_are_probabilities_however_far_the_query(t, size):
    rng = np.random.default_rng(4)
    model = IdealDenoiser(rng.uniform(-1, 1, (50, 768)), SCHEDULE)
    weights = model.weights(size * rng.standard_normal((5, 768)), t)
    assert weights.shape == (5, 50)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-12)


def test_at_the_clean_end_the_nearest_sample_at_the_noisy_end_the_average():
    data = np.random.default_rng(5).uniform(-1, 1, (50, 8))
    early = IdealDenoiser(data, SCHEDULE)
    np.testing.assert_allclose(early.x0_hat(data, 1), data, atol=1e-12)
    static = IdealDenoiser(data, zero_terminal_snr(SCHEDULE))
    queries = np.random.default_rng(6).standard_normal((3, 8))
    np.testing.assert_allclose(static.x0_hat(queries, 1000), np.broadcast_to(data.mean(0), (3, 8)), atol=1e-12)
    np.testing.assert_allclose(static(queries, 1000), queries, atol=1e-12)


def test_ties_are_shared():
    model = IdealDenoiser(np.array([[-1.0], [1.0]]), SCHEDULE)
    for t in (1, 500, 1000):
        np.testing.assert_array_equal(model.weights(np.zeros((1, 1)), t), [[0.5, 0.5]])
        np.testing.assert_array_equal(model.x0_hat(np.zeros((1, 1)), t), [[0.0]])


def test_a_sample_held_twice_counts_twice():
    model = IdealDenoiser(np.array([[-1.0], [1.0], [1.0]]), SCHEDULE)
    np.testing.assert_allclose(model.weights(np.zeros((1, 1)), 1), [[1 / 3] * 3])


def test_a_cloud_of_gaussian_samples_acts_like_the_gaussian():
    t = 400
    data = 2 + 0.5 * np.random.default_rng(7).standard_normal((50_000, 1))
    queries = np.linspace(0, 2, 9)[:, None] * SCHEDULE.at(t) ** 0.5 * 2
    ideal, gaussian = IdealDenoiser(data, SCHEDULE), GaussianDenoiser(2.0, 0.5, SCHEDULE)
    weights = ideal.weights(queries, t)
    # Standard error of a weighted mean of x_0, carried over to ε̂ = (x_t − √ᾱ x̂_0) / √(1−ᾱ).
    spread = np.sqrt((weights**2 * (data.T - ideal.x0_hat(queries, t)) ** 2).sum(1))
    error = spread * (SCHEDULE.at(t) / (1 - SCHEDULE.at(t))) ** 0.5
    assert (np.abs(ideal(queries, t) - gaussian(queries, t))[:, 0] < 4 * error).all()


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(8)
    model = IdealDenoiser(rng.uniform(-1, 1, (30, 2, 2)), cosine())
    xt, t = rng.standard_normal((17, 2, 2)), rng.integers(1, 1001, 17)
    whole = model(xt, t), model.weights(xt, t)
    for chunk in (1, 60, 100):  # 1, 2 and 3 queries at a time
        monkeypatch.setattr(denoisers, "CHUNK", chunk)
        np.testing.assert_allclose(model(xt, t), whole[0], atol=1e-10)
        np.testing.assert_allclose(model.weights(xt, t), whole[1], atol=1e-10)


@pytest.mark.parametrize(("d", "most"), [(1, 1e7), (768, 1.25e8)])
def test_many_queries_are_answered_in_blocks(d, most):
    """2,000 queries against 5,000 samples are a table of 80 MB; of single numbers, blocks of 256 KB will do."""
    data, xt = (np.random.default_rng(seed).standard_normal((n, d)) for seed, n in ((9, 5000), (10, 2000)))
    tracemalloc.start()
    IdealDenoiser(data, SCHEDULE)(xt, 300)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < most


def test_full_size_stays_below_1_GB():
    faces = np.random.default_rng(9).uniform(-1, 1, (12_000, 3, 16, 16)).astype(np.float32)
    xt = np.random.default_rng(10).standard_normal((256, 3, 16, 16)).astype(np.float32)
    tracemalloc.start()
    eps_hat = IdealDenoiser(faces, SCHEDULE)(xt, 300)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert eps_hat.shape == xt.shape
    assert peak < 1e9


@pytest.mark.parametrize("kind", [np.float32, np.float64, lambda x: torch.tensor(x, dtype=torch.float32), torch.tensor])
def test_the_answer_comes_back_as_what_came_in(kind):
    data = np.random.default_rng(11).uniform(-1, 1, (9, 1, 4, 4))
    xt = np.random.default_rng(12).standard_normal((5, 1, 4, 4))
    model, t = IdealDenoiser(kind(data), SCHEDULE), np.array([1, 10, 100, 500, 1000])
    for method in (model, model.x0_hat):
        answer = method(kind(xt), t)
        assert type(answer) is type(kind(xt))
        assert answer.dtype == kind(xt).dtype
        one_by_one = np.concatenate([np.asarray(method(kind(xt[i : i + 1]), int(t[i]))) for i in range(5)])
        np.testing.assert_allclose(np.asarray(answer), one_by_one, atol=1e-4)


def test_what_the_caller_does_to_the_data_later_does_not_count():
    data = np.array([[-1.0], [1.0]])
    for kept in (data, torch.tensor(data), torch.tensor(data).numpy()):
        model = IdealDenoiser(kept, SCHEDULE)
        kept[:] = 7.0
        np.testing.assert_allclose(model.x0_hat(np.array([[0.9]]), 1), [[1.0]])


def test_queries_of_another_shape_are_refused():
    model = IdealDenoiser(np.zeros((5, 3, 4)), SCHEDULE)
    for shape in [(2, 12), (2, 4, 3), (3, 4)]:
        with refused("(B, 3, 4)", shape):
            model(np.zeros(shape), 5)


MODELS = [
    GaussianDenoiser(0.0, 1.0, SCHEDULE),
    FullGaussianDenoiser(0.0, np.eye(2), SCHEDULE),
    IdealDenoiser(np.zeros((5, 2)), SCHEDULE),
]


@pytest.mark.parametrize("model", [*MODELS, *(model.x0_hat for model in MODELS), MODELS[2].weights])
@pytest.mark.parametrize(
    ("t", "parts"),
    [
        *((t, ["T = 1000"]) for t in (-1, 1001, 1.5, True, [1, -1, 2])),
        *((t, ["t = 0", "start at t = 1"]) for t in (0, [5, 0, 7])),
        ([5, 7], ["(2,)", "(3, 2)"]),
    ],
    ids=repr,
)
def test_impossible_times_are_refused(model, t, parts):
    with refused(*parts):
        model(np.zeros((3, 2)), t)


@pytest.mark.parametrize(
    ("call", "parts"),
    [
        *(
            (lambda mean=mean, std=std: GaussianDenoiser(mean, std, SCHEDULE), ["finite", mean, std])
            for mean, std in [(0.0, -0.5), (0.0, [0.5, -0.5]), (0.0, np.nan), (0.0, np.inf), (np.nan, 1.0)]
        ),
        (lambda: FullGaussianDenoiser(0.0, [[1.0, 2.0], [2.0, 1.0]], SCHEDULE), ["negative eigenvalue", "-1"]),
        (lambda: FullGaussianDenoiser(np.inf, np.eye(2), SCHEDULE), ["finite", "inf"]),
        *(
            (lambda cov=cov: FullGaussianDenoiser(0.0, cov, SCHEDULE), ["symmetric", "(d, d)"])
            for cov in (1.0, [1.0, 1.0], np.ones((2, 3)), [[1.0, 0.5], [0.4, 1.0]], [[np.nan, 0], [0, 1.0]])
        ),
        *((lambda x0=x0: IdealDenoiser(x0, SCHEDULE), ["(n, …)"]) for x0 in (np.zeros(3), np.zeros((0, 3)), 1.0)),
        *((lambda bad=bad: IdealDenoiser([[0.0], [bad]], SCHEDULE), ["finite"]) for bad in (np.nan, np.inf)),
    ],
)
def test_impossible_data_are_refused(call, parts):
    with refused(*parts):
        call()


# ---- mixtures of Gaussians -----------------------------------------------------------------------


@given(t=steps, seed=st.integers(0, 2**32 - 1))
def test_a_mixture_of_points_is_the_ideal_denoiser_and_one_gaussian_is_the_gaussian(t, seed):
    rng = np.random.default_rng(seed)
    points, xt = rng.uniform(-2, 2, (6, 2)), rng.standard_normal((5, 2))
    for mixture, known in (
        (MixtureDenoiser(points, 0.0, SCHEDULE), IdealDenoiser(points, SCHEDULE)),
        (MixtureDenoiser(points[:1], 0.3, SCHEDULE), GaussianDenoiser(points[0], 0.3, SCHEDULE)),
    ):
        np.testing.assert_allclose(mixture(xt, t), known(xt, t), atol=1e-7)
        np.testing.assert_allclose(mixture.x0_hat(xt, t), known.x0_hat(xt, t), atol=1e-7)


@pytest.mark.parametrize("t", [1, 300, 1000])
def test_the_noise_of_a_mixture_is_the_slope_of_its_log_density(t):
    """∇ log q(x_t) = −ε̂ / √(1−ᾱ_t), by central differences; and q(x_t) is normalised."""
    model = MixtureDenoiser([[-1.0], [1.0], [0.5]], [0.2, 0.1, 0.4], SCHEDULE, weights=[1, 2, 3])
    x, h = np.linspace(-6, 6, 6001)[:, None], 1e-5
    slope = (model.log_density(x + h, t) - model.log_density(x - h, t)) / (2 * h)
    np.testing.assert_allclose(-model(x, t)[:, 0] / (1 - SCHEDULE.at(t)) ** 0.5, slope, rtol=1e-5, atol=1e-5)
    assert np.exp(model.log_density(x, t)).sum() * 0.002 == pytest.approx(1, abs=1e-6)


def test_a_mixture_takes_tensors_and_a_step_for_each_sample():
    model, xt = MixtureDenoiser([[-1.0, 0.0], [1.0, 1.0]], 0.2, SCHEDULE), torch.randn(3, 2)
    assert model(xt, 5).dtype == torch.float32
    each = torch.cat([model(xt[i : i + 1], t) for i, t in enumerate((1, 500, 1000))])
    torch.testing.assert_close(model(xt, torch.tensor([1, 500, 1000])), each)
    assert model.shares(xt, 5).sum(1) == pytest.approx(1)
    assert np.isfinite(model.log_density(xt, 0)).all()


@pytest.mark.parametrize(
    ("mean", "std", "weights", "message"),
    [
        ([1.0, 2.0], 0.1, 1, "shape"),
        ([[np.nan]], 0.1, 1, "finite"),
        ([[1.0]], -1, 1, "0 or more"),
        ([[1.0]], 1, 0, "0"),
    ],
)
def test_mixtures_that_are_none_are_refused(mean, std, weights, message):
    with refused(message):
        MixtureDenoiser(mean, std, SCHEDULE, weights)


def test_a_mixture_refuses_other_shapes_and_the_clean_end():
    model = MixtureDenoiser([[0.0, 1.0]], 0.1, SCHEDULE)
    for xt in (np.zeros((4, 3)), 0.5):
        with refused("(B, 2)"):
            model(xt, 5)
    with refused("must be a Schedule"):
        MixtureDenoiser([[0.0]], 1.0, None)
    with refused("start at t = 1"):
        model(np.zeros((4, 2)), 0)
