"""Every student's own spiral: reproducible, measured right, and never mistaken for another's."""

import subprocess
import sys

import numpy as np
import pytest

from diffusion_course.check.homework import variant

IDS = [f"student-{i:03d}" for i in range(300)]


@pytest.fixture
def spiral():
    return variant.of("ada")


def near(spiral, spread=0.005, n=variant.COUNT, seed=1):
    """Points near the curve, as a trained network draws them."""
    rng = np.random.default_rng(seed)
    return spiral.data(n, seed) + spread * variant.RADIUS * rng.standard_normal((n, 2))


def test_an_id_is_one_spiral_whatever_its_capitals_and_blanks():
    assert variant.of("Ada") == variant.of(" ada\n") != variant.of("bob")
    assert variant.of("Zoe\u0308") == variant.of("zo\u00eb")  # two encodings of one name


def test_an_empty_id_is_refused():
    with pytest.raises(ValueError, match="student id is empty"):
        variant.of("  ")


def test_shapes_vary_within_their_bounds_and_are_of_the_size_of_static():
    spirals = [variant.of(student_id) for student_id in IDS]
    for name, low, high in (
        ("turns", 1.25, 2),
        ("rotation", 0, 2 * np.pi),
        ("tilt", 0, np.pi),
        ("aspect", 1 / 1.7, 1.7),
    ):
        values = np.array([getattr(spiral, name) for spiral in spirals])
        width = high - low
        assert low <= values.min() < low + 0.05 * width and high - 0.05 * width < values.max() <= high
    assert {spiral.direction for spiral in spirals} == {-1, 1}
    spreads = [spiral.data(500).std(axis=0).mean() for spiral in spirals[:50]]
    assert 0.6 < min(spreads) and max(spreads) < 1.4


def test_data_are_exact_points_spread_evenly_and_the_same_each_time(spiral):
    x0 = spiral.data()
    assert x0.shape == (2048, 2) and x0.dtype == np.float32
    np.testing.assert_array_equal(x0, variant.of("ada").data())
    assert not np.array_equal(x0, spiral.data(seed=1))
    assert spiral.distance(x0).max() < 1e-4 and spiral.coverage(x0) == 1
    gaps = np.hypot(*np.diff(spiral.at(np.linspace(0, 1, 1000)), axis=0).T)
    np.testing.assert_allclose(gaps[20:], gaps.mean(), rtol=0.02)  # at the very middle chords cut corners


def test_the_curve_is_the_formula_that_is_written(spiral):
    theta = 2 * np.pi * spiral.turns * 0.7
    r, angle = variant.RADIUS * 0.7, spiral.direction * theta + spiral.rotation
    a, b = r * np.cos(angle) * spiral.aspect**0.5, r * np.sin(angle) / spiral.aspect**0.5
    x = spiral.centre[0] + a * np.cos(spiral.tilt) - b * np.sin(spiral.tilt)
    y = spiral.centre[1] + a * np.sin(spiral.tilt) + b * np.cos(spiral.tilt)
    assert spiral.distance([[x, y]])[0] < 1e-5


def test_distance_is_that_to_a_dense_curve_in_radii(spiral):
    x = np.random.default_rng(0).uniform(-4, 4, (50, 2))
    curve = spiral.at(np.linspace(0, 1, 100_001))
    brute = [np.hypot(*(point - curve).T).min() / variant.RADIUS for point in x]
    np.testing.assert_allclose(spiral.distance(x), brute, atol=1e-4)


def test_coverage_counts_arcs_that_are_really_reached(spiral):
    assert spiral.coverage(spiral.at(np.linspace(0, 0.5, 500))) == pytest.approx(0.5, abs=0.02)
    assert spiral.coverage(spiral.at(np.full(500, 0.3))) == 1 / 64
    away = spiral.data(500) + 10.0
    assert spiral.coverage(away) == 0


@pytest.mark.parametrize("x", [np.zeros((3, 3)), np.zeros(2), np.full((2, 2), np.nan)])
def test_what_is_no_set_of_points_is_refused(spiral, x):
    with pytest.raises(ValueError, match="finite points of shape"):
        spiral.distance(x)


FAILING = {
    "no cloud": (lambda s: None, "there is no `samples[50]`"),
    "too few": (lambda s: near(s, n=100), r"shape (100, 2), asked are (512, 2)"),
    "flat": (lambda s: near(s).ravel(), "the samples have shape"),
    "NaN": (lambda s: np.where(np.arange(512)[:, None] < 3, np.nan, near(s)), "3 of the 512 samples are NaN"),
    "the data": (lambda s: s.data()[:512], "copies"),
    "the data of another seed": (lambda s: s.data(512, seed=5), "copies"),
    "static": (lambda s: np.random.default_rng(0).standard_normal((512, 2)), "too far from your spiral"),
    "very far": (lambda s: np.full((512, 2), 1e100), "Mean distance 7.1e+99 radii"),
    "one place": (lambda s: s.at(np.full(512, 0.6)) + 0.01 * near(s), "parts of your spiral are missing"),
    "the outer half": (lambda s: s.at(np.linspace(0.5, 1, 512)) + 0.003, "parts of your spiral are missing"),
    "another's": (lambda s: near(variant.of("bob")), "too far from your spiral"),
}


@pytest.mark.parametrize("kind", FAILING)
def test_a_wrong_cloud_fails_and_is_named(spiral, kind):
    make, named = FAILING[kind]
    passed, says = variant.judge(spiral, make(spiral), 50)
    assert not passed and named in says


@pytest.mark.parametrize(("steps", "spread"), [(10, 0.05), (50, 0.01), (1000, 0.01)])
def test_a_right_cloud_passes(spiral, steps, spread):
    x = near(spiral, spread)
    x[:5] = 1000  # strays, as a right network may make one
    assert variant.judge(spiral, x, steps)[0]
    x[5] = 1000
    assert not variant.judge(spiral, x, steps)[0]


def test_reproduced_names_whose_spiral_it_is():
    assert variant.reproduced(near(variant.of("bob")), ["ada", "bob", "eve"]) == ["bob"]
    assert variant.reproduced(near(variant.of("zoe")), ["ada", "bob", "eve"]) == []


@pytest.mark.long
def test_no_two_of_300_students_can_be_confused():
    """Exact points of any spiral fail on every other, on the laxest line too.

    First the distances to the corners of coarse polygons, which are at most half a piece too long; then those of few
    points; what is still open is judged as a submission is.
    """
    spirals, laxest = [variant.of(student_id) for student_id in IDS], max(variant.LINES.values())
    shares = np.linspace(0, 1, 129)
    few = np.stack([spiral.at((np.arange(24) + 0.5) / 24) for spiral in spirals])
    points = few.reshape(-1, 2).astype(np.float32)
    judged = 0
    for own, spiral in enumerate(spirals):
        corners = spiral.at(shares).astype(np.float32)
        slack = np.hypot(*np.diff(corners, axis=0).T).max() / 2
        squared = (points**2).sum(1) + ((corners**2).sum(1)[:, None] - 2 * corners @ points.T).min(0)
        lower = (np.sqrt(np.maximum(squared, 0)).reshape(300, 24).mean(1) - slack) / variant.RADIUS
        for other in np.flatnonzero(lower <= laxest):
            if other != own and spiral.distance(few[other]).mean() < 1.1 * laxest:
                x = spirals[other].at((np.arange(variant.COUNT) + 0.5) / variant.COUNT)
                assert not any(variant.judge(spiral, x, steps)[0] for steps in variant.LINES), (own, other)
                judged += 1
    assert judged > 100  # or the first sieves would have been the whole test


def test_students_need_neither_torch_nor_the_grader_for_their_spiral():
    code = "import sys, diffusion_course.check.homework.variant as v; v.of('ada').data(); "
    code += "assert not {'torch', 'nbgrader', 'diffusion_course.homework'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
