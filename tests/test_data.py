"""The data: what is promised of each set, and what is refused."""

from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from diffusion_course import data, metrics
from diffusion_course.base.words import FACE_VALUES

PICTURES = {
    "faces train": (lambda: data.faces().x0, (10_000, 3, 16, 16)),
    "faces test": (lambda: data.faces("test").x0, (2_000, 3, 16, 16)),
    "fashion train": (lambda: data.fashion().x0, (10_000, 1, 28, 28)),
    "fashion test": (lambda: data.fashion("test").x0, (2_000, 1, 28, 28)),
    "cat": (data.cat, (1, 3, 256, 256)),
    "smiley": (data.smiley, (1, 1, 28, 28)),
}


@pytest.mark.parametrize("make, shape", PICTURES.values(), ids=PICTURES)
def test_pictures_are_float32_from_minus_one_to_one(make, shape):
    x0 = make()
    assert x0.shape == shape and x0.dtype == np.float32
    assert -1 <= x0.min() < -0.8 and 0.8 < x0.max() <= 1


@pytest.mark.parametrize("make, shape", PICTURES.values(), ids=PICTURES)
def test_a_learner_cannot_spoil_the_next_call(make, shape):
    first = make()
    kept = first.copy()
    first[:] = 7
    assert np.array_equal(make(), kept)


def test_pictures_map_bytes_by_the_stated_formula():
    x0 = data.pictures(np.array([0, 51, 255], np.uint8).reshape(1, 1, 1, 3))
    assert x0.shape == (1, 3, 1, 1)
    assert np.allclose(x0.ravel(), [-1, -0.6, 1], atol=1e-7)


@pytest.mark.parametrize("load", [data.faces, data.fashion])
def test_an_unknown_split_is_refused(load):
    with pytest.raises(ValueError, match="split must be 'train' or 'test', not 'valid'"):
        load("valid")


# ---- faces


def everyone():
    return np.concatenate([data.faces("train").x0, data.faces("test").x0])


def test_all_faces_are_distinct_so_train_and_test_are_disjoint():
    assert len(np.unique(everyone().reshape(12_000, -1), axis=0)) == 12_000


@pytest.mark.parametrize("split", ["train", "test"])
def test_attributes_take_the_listed_values_each_often_enough_to_learn(split):
    attributes = data.faces(split).attributes
    assert list(attributes) == list(FACE_VALUES)
    for name, values in FACE_VALUES.items():
        shares = [np.mean(attributes[name] == value) for value in values]
        assert sum(shares) == pytest.approx(1)
        assert min(shares) > 0.6 / max(len(values), 3), name


def test_attributes_are_independent_of_each_other():
    codes = data.faces().codes
    shown = np.concatenate([codes[:, [i]] == np.arange(1, 1 + codes[:, i].max()) for i in range(7)], axis=1)
    group = np.concatenate([[i] * codes[:, i].max() for i in range(7)])
    apart = group[:, None] != group
    # 10,000 faces: a chance correlation has standard error 0.01; leaving out the faces with a
    # hidden part (3 %) may add a little.
    assert np.abs(np.corrcoef(shown.T.astype(float))[apart]).max() < 0.05


def test_codes_are_the_places_of_the_values():
    faces = data.faces("test")
    assert faces.codes.shape == (2_000, 7) and faces.codes.dtype == np.int64
    for column, (name, values) in zip(faces.codes.T, FACE_VALUES.items(), strict=True):
        assert np.array_equal(np.array(values)[column], faces.attributes[name])
    # The order is a promise to trained weights: face 10,000 keeps its code.
    assert faces.codes[0].tolist() == [0, 1, 0, 0, 1, 1, 0]


def test_the_background_that_is_named_fills_the_corners():
    faces = data.faces()
    colour = {"blue": 0xA9CDF0, "green": 0xB9E3B4, "purple": 0xCBB6EA, "grey": 0xD6D6D6}
    named = np.array([colour[name] for name in faces.attributes["background"]])
    rgb = np.rint((faces.x0 + 1) * 127.5).astype(int)
    corner = (rgb[:, 0] << 16) + (rgb[:, 1] << 8) + rgb[:, 2]
    assert np.array_equal(corner[:, 12, 0], named)  # beside the chin, beyond all hair but plaits


def test_hair_shows_in_the_colour_that_is_named():
    faces = data.faces()
    palette = {
        "black": (0x28, 0x15, 0x0A), "brown": (0x6B, 0x3E, 0x16), "blond": (0xF2, 0xC5, 0x3D),
        "red": (0xC8, 0x40, 0x1A), "blue": (0x00, 0x9B, 0xBD), "green": (0x6F, 0xB5, 0x15),
    }  # fmt: skip
    named = np.array([palette[name] for name in faces.attributes["hair_colour"]])
    rgb = np.rint((faces.x0 + 1) * 127.5).astype(int)
    hair = (rgb == named[:, :, None, None]).all(axis=1)
    assert hair.sum(axis=(1, 2)).min() >= 2  # the rest may be behind tinted glasses
    below = hair[:, 8:].sum(axis=(1, 2))  # below the ears
    assert below[faces.attributes["long_hair"]].min() > 0
    assert below[~faces.attributes["long_hair"]].max() == 0


@pytest.mark.parametrize("name", list(FACE_VALUES))
def test_each_attribute_can_be_read_off_unseen_faces(name):
    """Least squares on the pixels beats the commonest answer by far: the labels mean something."""
    train, test = data.faces("train"), data.faces("test")
    column = list(FACE_VALUES).index(name)
    design = np.c_[train.x0.reshape(10_000, -1), np.ones(10_000)]
    unseen = np.c_[test.x0.reshape(2_000, -1), np.ones(2_000)]
    answers = np.eye(len(FACE_VALUES[name]))[train.codes[:, column]]
    gram = design.T @ design + np.eye(design.shape[1])
    fit = np.linalg.solve(gram, design.T @ answers)
    right = np.mean((unseen @ fit).argmax(axis=1) == test.codes[:, column])
    commonest = answers.mean(axis=0).max()
    assert right > 1 - (1 - commonest) / 3


# ---- fashion, cat, smiley


@pytest.mark.parametrize("split, each", [("train", 1000), ("test", 200)])
def test_fashion_is_balanced_and_named(split, each):
    items = data.fashion(split)
    assert items.labels.dtype == np.int64
    assert np.bincount(items.labels).tolist() == [each] * 10
    assert len(items.names) == 10 and items.names[1] == "trouser"
    # Trousers are two legs: dark between them near the hem, unlike dresses.
    between = items.x0[:, 0, 20:26, 13:15].mean(axis=(1, 2))
    assert between[items.labels == 1].mean() < -0.5 < 0 < between[items.labels == 3].mean()


def test_fashion_train_and_test_share_no_picture():
    both = np.concatenate([data.fashion("train").x0, data.fashion("test").x0])
    assert len(np.unique(both.reshape(12_000, -1), axis=0)) == 12_000


@pytest.mark.parametrize("size", [1, 8, 64, 128])
def test_a_smaller_cat_averages_blocks(size):
    small, block = data.cat(size), 256 // size
    assert small.shape == (1, 3, size, size) and small.dtype == np.float32
    corner = data.cat()[:, :, :block, :block].mean(axis=(2, 3))
    assert np.allclose(small[:, :, 0, 0], corner, atol=1e-5)


@pytest.mark.parametrize("size", [0, -4, 100, 512])
def test_a_cat_that_does_not_divide_is_refused(size):
    with pytest.raises(ValueError, match=f"size is {size}; it must"):
        data.cat(size)


@pytest.mark.parametrize("size", [8, 28, 29, 256])
def test_the_smiley_is_symmetric_and_smiles(size):
    face = data.smiley(size)[0, 0]
    assert face.shape == (size, size)
    assert np.allclose(face, face[:, ::-1])
    assert face[0, 0] == -1 and face[size // 2, size // 2] == 1


def test_the_corners_of_its_mouth_are_higher_than_the_middle():
    mouth = data.smiley()[0, 0, 14:23, 6:22] < 0
    rows = [np.flatnonzero(column).mean() for column in mouth.T if column.any()]
    assert rows[0] < rows[len(rows) // 2] - 3  # rows count downwards


def test_a_smiley_too_small_to_draw_is_refused():
    with pytest.raises(ValueError, match="size is 7; it must be a whole number, at least 8"):
        data.smiley(7)


# ---- points

POINTS = {"scalars": (data.scalars, 1), "blob": (data.blob, 2), "spiral": (data.spiral, 2)}


@pytest.mark.parametrize("make, d", POINTS.values(), ids=POINTS)
@given(n=st.integers(1, 300), seed=st.integers(0, 2**32))
def test_points_follow_their_generator(make, d, n, seed):
    one, two = (make(n, rng=np.random.default_rng(seed)) for _ in range(2))
    assert one.shape == (n, d) and one.dtype == np.float32 and np.isfinite(one).all()
    assert np.array_equal(one, two)


@pytest.mark.parametrize("make, d", POINTS.values(), ids=POINTS)
def test_without_a_generator_points_are_fresh(make, d):
    assert not np.array_equal(make(50), make(50))


@pytest.mark.parametrize("make, d", POINTS.values(), ids=POINTS)
@pytest.mark.parametrize(
    "arguments, said",
    [
        ({"n": 0}, "n is 0; it must be a whole number, at least 1"),
        ({"n": -3}, "n is -3"),
        ({"n": 2.0}, "n is 2.0"),
        ({"n": True}, "n is True"),
        ({"n": 5, "rng": 0}, r"rng is 0; give a numpy Generator, such as np.random.default_rng\(0\)"),
        ({"n": 5, "rng": torch.Generator()}, "such as np.random.default_rng"),
    ],
    ids=["zero", "negative", "float", "bool", "rng an int", "rng of torch"],
)
def test_a_wrong_number_or_generator_is_refused(make, d, arguments, said):
    with pytest.raises(ValueError, match=said):
        make(**arguments)


def test_blob_has_the_stated_mean_and_spread():
    n = 100_000
    x0 = data.blob(n, np.random.default_rng(0)).astype(float)
    assert np.abs(x0.mean(axis=0) - (2, -1)).max() < 4 * 0.3 / np.sqrt(n)
    assert np.abs(x0.var(axis=0) - 0.09).max() < 4 * 0.09 * np.sqrt(2 / n)
    assert abs(np.corrcoef(x0.T)[0, 1]) < 4 / np.sqrt(n)


def test_scalars_have_two_equal_bumps():
    n = 100_000
    x0 = data.scalars(n, np.random.default_rng(0)).astype(float)
    assert abs(np.mean(x0 > 0) - 0.5) < 4 * 0.5 / np.sqrt(n)
    for sign in (-1, 1):
        bump = sign * x0[sign * x0 > 0]
        assert abs(bump.mean() - 1) < 4 * 0.2 / np.sqrt(n / 2)
        assert abs(bump.std() - 0.2) < 4 * 0.2 / np.sqrt(n)


# ---- the spiral


@cache
def fine_curve(n):
    """The curve by another route: equal steps of angle, weights by the length between them."""
    theta = np.linspace(0, 4 * np.pi, n)
    raw = np.c_[theta * np.cos(theta), theta * np.sin(theta)]
    lengths = np.linalg.norm(np.diff(raw, axis=0), axis=1)[:, None]
    middles = (raw[1:] + raw[:-1]) / 2
    centre = (lengths * middles).sum(axis=0) / lengths.sum()
    variance = (lengths * (middles - centre) ** 2).sum() / lengths.sum() / 2
    return (raw - centre) / np.sqrt(variance), lengths


def nearest(x, curve):
    return np.array([np.linalg.norm(curve - point, axis=1).min() for point in x])


def test_distance_agrees_with_brute_force():
    curve, _ = fine_curve(20_001)
    rng = np.random.default_rng(0)
    far = np.concatenate([s * rng.standard_normal((200, 2)) for s in (0.3, 1, 3)])
    inmost = curve[0] + 0.2 * rng.standard_normal((200, 2))  # where the turns crowd
    x = np.concatenate([far, inmost])
    step = np.linalg.norm(np.diff(curve, axis=0), axis=1).max()
    brute, ours = nearest(x, curve), metrics.distance_to_spiral(x)
    assert (ours <= brute + 1e-6).all()  # the nearest point is found, …
    assert (ours >= brute - step).all()  # … and it is on the curve
    assert (ours >= brute - 1e-4)[brute > 0.02].all()


@settings(max_examples=25)
@given(n=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_points_of_the_spiral_lie_on_it(n, seed):
    points = data.spiral(n, np.random.default_rng(seed))
    assert metrics.distance_to_spiral(points).max() < 2e-6


def test_a_step_off_the_outer_turn_is_measured_exactly():
    """Along the normal of the curve, the distance is the length of the step."""
    points, _ = fine_curve(200_001)
    i, off = np.random.default_rng(0).integers(120_000, 199_000, 2000), np.linspace(0.01, 0.2, 2000)
    tangent = points[i + 1] - points[i - 1]
    normal = np.c_[-tangent[:, 1], tangent[:, 0]] / np.linalg.norm(tangent, axis=1)[:, None]
    for side in (-1, 1):
        assert np.allclose(metrics.distance_to_spiral(points[i] + side * off[:, None] * normal), off, atol=1e-5)


def test_the_spiral_is_centred_scaled_and_even_along_its_length():
    n = 100_000
    x0 = data.spiral(n, rng=np.random.default_rng(0)).astype(float)
    assert np.abs(x0.mean(axis=0)).max() < 4 * 1.04 / np.sqrt(n)
    assert abs(x0.var(axis=0).mean() - 1) < 0.02
    curve, lengths = fine_curve(401)
    share = lengths[:, 0] / lengths.sum()
    piece = ((x0[:, None] - curve[None, ::20]) ** 2).sum(axis=-1).argmin(axis=1)
    assert len(np.unique(piece)) == 21  # every part of the curve is visited
    raw_radius = np.linalg.norm(x0 - curve[0], axis=1)  # grows with the angle
    inner = raw_radius < np.linalg.norm(curve[200] - curve[0])
    expected = share[:200].sum()
    assert abs(inner.mean() - expected) < 4 * np.sqrt(expected * (1 - expected) / n) + 1e-4


def test_the_arms_of_two_turns_lie_one_unit_apart():
    curve, _ = fine_curve(401)
    assert np.linalg.norm(curve[400] - curve[200]) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("x", [np.zeros(2), np.zeros((3, 3)), [[np.nan, 0]], [[0, np.inf]]])
def test_distance_refuses_what_is_not_points(x):
    with pytest.raises(ValueError, match=r"but \(n, 2\) is needed|holds (nan|inf)"):
        metrics.distance_to_spiral(x)
