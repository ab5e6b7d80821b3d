"""The rulers, measured: by hand, by known answers, by what they must not depend on."""

from functools import partial

import numpy as np
import pytest
import torch

from diffusion_course import data, metrics
from diffusion_course.metrics import accuracy
from diffusion_course.run.classifiers import Classifier, train_classifier
from diffusion_course.run.judges import PictureJudge, SpiralJudge, report
from diffusion_course.run.sets import Samples


def rng(seed=0):
    return np.random.default_rng(seed)


# ---- points --------------------------------------------------------------------------------------


def test_real_points_reach_the_floor_and_noise_does_not():
    found = report(SpiralJudge(), data.spiral(512, rng=rng(1)))
    assert found["distance"].value < 1e-5 and found["distance_95"].value < 1e-5
    assert found["coverage"].value >= 0.97
    for name in ("distance", "distance_95", "wasserstein"):
        assert found[name].noise > 1.5 * found[name].floor
    assert found["wasserstein"].value < 1.5 * found["wasserstein"].floor


def test_distance_is_in_units_of_the_data():
    away = data.spiral_curve(400)[300:] * 1.05  # pushed outwards by 5 % of the distance from the centre
    expected = metrics.distance_to_spiral(away)
    found = SpiralJudge().numbers(away)
    assert found["distance"] == pytest.approx(expected.mean())
    assert found["distance_95"] == pytest.approx(np.quantile(expected, 0.95))


def test_coverage_counts_the_arc_that_is_there():
    curve = data.spiral_curve(640)
    for share in (0.25, 0.5, 1.0):
        assert metrics.coverage(curve[: int(640 * share)]) == pytest.approx(share, abs=1 / metrics.BINS)
    assert metrics.coverage(curve[:1]) == 1 / metrics.BINS


def test_sliced_wasserstein_of_a_shift_is_its_mean_projection():
    x, directions = rng().standard_normal((100, 2)), rng(1).standard_normal((50_000, 2))
    shifted = x + np.array([3.0, 4.0])
    # mean |cos φ| over directions is 2/π
    assert metrics.sliced_wasserstein(x, shifted, directions) == pytest.approx(5 * 2 / np.pi, rel=0.01)
    assert metrics.sliced_wasserstein(x, x[::-1], directions) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("name", ["distance", "wasserstein"])
def test_means_do_not_grow_with_n(name):
    """Ten times as many bad points: the same number, within its chance. A sum would be ten times as large."""
    few, many = (
        np.mean([SpiralJudge().numbers(0.5 + data.spiral(n, rng=rng(k)), seed=k + 9)[name] for k in range(3)])
        for n in (100, 1000)
    )
    assert few == pytest.approx(many, rel=0.2)


POINTS = data.spiral(40, rng())
NAN = np.full((40, 2), np.nan)


@pytest.mark.parametrize("bad", [np.zeros((0, 2)), np.zeros(2), np.zeros((4, 3)), NAN, np.full((4, 2), np.inf)])
@pytest.mark.parametrize(
    "measure",
    [
        metrics.coverage,
        metrics.distance_to_spiral,
        lambda x: metrics.spiral_numbers(x, POINTS, np.ones((1, 2))),
    ],
)
def test_what_is_no_set_of_points_gives_no_number(measure, bad):
    with pytest.raises(ValueError, match=r"but \(n, 2\) is needed|holds (nan|inf)"):
        measure(bad)


@pytest.mark.parametrize(
    "a, b, directions, said",
    [
        (np.zeros((3, 2)), np.zeros((4, 2)), np.ones((1, 2)), "draw as many"),
        (np.zeros((3, 2)), np.zeros((3, 2)), np.ones((1, 3)), "draw as many"),
        (POINTS, NAN, np.ones((1, 2)), "'b' holds nan"),
        (POINTS, POINTS, np.zeros((1, 2)), "a direction is 0"),
        (POINTS, POINTS, np.zeros((0, 2)), "'directions' has shape"),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(a, b, directions, said):
    with pytest.raises(ValueError, match=said):
        metrics.sliced_wasserstein(a, b, directions)


def test_tensors_are_measured_as_arrays_are():
    directions = rng(1).standard_normal((8, 2))
    as_arrays = metrics.spiral_numbers(POINTS, POINTS[::-1], directions)
    assert metrics.spiral_numbers(torch.tensor(POINTS), torch.tensor(POINTS), torch.tensor(directions)) == as_arrays


def test_coverage_grows_with_the_number_of_points():
    """So no number of it can be read without n."""
    few, many = (metrics.coverage(data.spiral(n, rng(3))) for n in (32, 1024))
    assert few < 0.5 and many == 1


# ---- pictures ------------------------------------------------------------------------------------


def gaussian(mean, scales, n=200_000):
    z = torch.randn(n, len(mean), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.tensor(mean) + z * torch.tensor(scales)


def test_frechet_of_two_gaussians_is_their_formula():
    """For diagonal covariances: Σ (μ_a − μ_b)² + Σ (σ_a − σ_b)²."""
    a, b = gaussian([0.0, 1.0], [1.0, 2.0]), gaussian([3.0, 1.0], [2.0, 0.5])
    assert metrics.frechet(a, b) == pytest.approx(9 + 1 + 2.25, rel=0.01)
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-6)


def test_frechet_turns_with_the_axes():
    """Correlated features: no diagonal shortcut would survive a rotation."""
    a, b = gaussian([0.0, 1.0], [1.0, 2.0]), gaussian([3.0, 1.0], [2.0, 0.5])
    c, s = np.cos(0.7), np.sin(0.7)
    turn = torch.tensor([[c, -s], [s, c]])
    assert metrics.frechet(a @ turn, b @ turn) == pytest.approx(metrics.frechet(a, b), rel=1e-6)


def test_frechet_of_features_that_do_not_vary():
    same = torch.ones(10, 4, dtype=torch.float64)
    assert metrics.frechet(same, same + 2) == pytest.approx(16)


def test_nearest_distance_finds_copies():
    train = torch.rand(50, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = metrics.nearest_distance(torch.cat([train[7:8], train[9:10] + 0.01]), train)
    assert found[0] < 1e-3 and found[1] == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    "a, b",
    [
        (torch.zeros(1, 4), torch.zeros(9, 4)),
        (torch.zeros(9, 4), torch.zeros(9, 3)),
        (torch.zeros(9), torch.zeros(9)),
        (torch.full((9, 4), torch.nan), torch.zeros(9, 4)),
    ],
)
def test_frechet_refuses_what_has_no_covariance(a, b):
    with pytest.raises(ValueError, match="features"):
        metrics.frechet(a, b)


def test_frechet_of_one_feature():
    assert metrics.frechet(gaussian([1.0], [2.0]), gaussian([0.0], [1.0])) == pytest.approx(2, rel=0.02)


def test_pictures_of_any_kind_of_array_are_compared():
    x = np.linspace(-1, 1, 2 * 12).reshape(2, 3, 2, 2)
    assert metrics.nearest_distance(x, torch.tensor(x).float()).max() < 1e-3
    with pytest.raises(ValueError, match="12 numbers cannot be compared with pictures of 27"):
        metrics.nearest_distance(x, np.zeros((2, 3, 3, 3)))


@pytest.mark.parametrize(
    "x, said",
    [
        (np.zeros((0, 3, 2, 2)), "finite pictures"),
        (np.zeros((3, 2, 2)), "finite pictures"),
        (np.full((1, 3, 2, 2), np.nan), "finite pictures"),
        (np.full((1, 3, 2, 2), 255.0), "like pictures of 0…255"),
        (np.full((1, 3, 2, 2), 255, np.uint8), "like pictures of 0…255"),
    ],
)
def test_what_is_no_picture_gives_no_number(x, said):
    fine, classifier = torch.zeros(2, 3, 2, 2), Classifier(3, (2,))
    for measure in (
        lambda: metrics.nearest_distance(x, fine),
        lambda: metrics.nearest_distance(fine, x),
        lambda: metrics.features(classifier, x),
        lambda: accuracy(classifier, x, np.zeros(len(x))),
    ):
        with pytest.raises(ValueError, match=said):
            measure()


@pytest.mark.parametrize("codes", [[0], [-1, -1], [], 3])
def test_accuracy_refuses_conditions_that_say_nothing(codes):
    with pytest.raises(ValueError, match="give one each that says something"):
        accuracy(Classifier(3, (2,)), torch.zeros(2, 3, 8, 8), torch.tensor(codes))


@pytest.mark.parametrize("k", [1, 2, 4])
def test_accuracy_refuses_another_number_of_attributes(k):
    with pytest.raises(ValueError, match=rf"codes must have shape \(2, 3\).*\(2, {k}\)"):
        accuracy(Classifier(3, (2, 2, 2)), torch.zeros(2, 3, 8, 8), torch.zeros(2, k))


def test_accuracy_counts_what_was_asked():
    class Always(Classifier):
        def predict(self, x):
            return torch.zeros(len(x), 2, dtype=torch.long)

    codes = np.array([[0, 1], [0, -1], [1, 0]])
    assert accuracy(Always(1, (2, 2)), np.zeros((3, 1, 8, 8)), codes) == pytest.approx(3 / 5)


def test_classifier_learns_what_is_to_be_seen():
    """Two attributes of a made-up picture: a bright left half, a bright top."""
    rng_ = rng()
    codes = rng_.integers(2, size=(600, 2))
    x = 0.3 * rng_.standard_normal((600, 1, 8, 8)).astype(np.float32)
    x[codes[:, 0] == 1, :, :, :4] += 0.5
    x[codes[:, 1] == 1, :, :4] += 0.5
    torch.manual_seed(0)
    model = Classifier(1, (2, 2))
    losses = list(train_classifier(model, x[:500], codes[:500], epochs=6, batch=50))
    assert losses[-1] < 0.2 * losses[0]
    assert accuracy(model, x[500:], codes[500:]) > 0.97


@pytest.fixture(scope="module")
def judged():
    """A judge of faces against 2,000 training pictures, those, and the held-out ones."""
    judge = PictureJudge("faces")
    judge.train = Samples(judge.train.x0[:2000], judge.train.cond[:2000])
    return partial(report, judge), judge.train[:2], judge.test[:2]


def test_copies_are_known_by_their_distance(judged):
    judge, (x, codes), _ = judged
    report = judge(x[:300], codes[:300])
    assert report["distance"].value < 1e-3 < 0.05 < report["distance"].floor < report["distance"].noise


def test_real_pictures_reach_the_floor_and_spoilt_ones_do_not(judged):
    judge, _, (x, codes) = judged
    other, asked = x[1000:], codes[1000:]  # the floor is of the first thousand
    real, pale = judge(other, asked), judge(0.5 * other + 0.5, asked)
    assert real["frechet"].value < 1.5 * real["frechet"].floor < pale["frechet"].value
    assert real["frechet"].noise > 10 * real["frechet"].floor
    assert real["accuracy"].value > 0.95 and real["accuracy"].noise < 0.6


def test_more_samples_than_held_out_pictures_are_refused(judged):
    judge, (x, codes), _ = judged
    with pytest.raises(ValueError, match="2 … 2000 samples"):
        judge(np.concatenate([x, x[:1]]), np.concatenate([codes, codes[:1]]))
