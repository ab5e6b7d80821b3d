"""The statue and the players without a browser: what is sent is what was given, what cannot be shown is refused."""

import base64
import io

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from diffusion_course.base.figure import COLOURS
from diffusion_course.lab.snapshots import side_by_side
from diffusion_course.lab.statue import SHAPES
from diffusion_course.lab.widgets import play_paths, play_pictures, play_points, statue

RNG = np.random.default_rng(0)


def unpack(packed):
    return np.frombuffer(base64.b64decode(packed["data"]), "<" + packed["type"]).reshape(packed["shape"])


@pytest.fixture(scope="module")
def star():
    return statue("star")


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_fit_the_canvas_and_are_even(name, star):
    points = SHAPES[name]()
    assert points.shape == (400, 2) and 1.4 < np.abs(points).max() < 2.5
    nearest = np.partition(np.linalg.norm(points[:, None] - points[None], axis=2), 1, axis=1)[:, 1]
    assert nearest.max() < 3 * np.median(nearest) + 0.02
    assert np.abs(unpack(star.data["shapes"][name]) * 1e-4 - points).max() < 1e-4


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shape": "cube"}, "no shape 'cube'; there are heart, spiral"),
        ({"shape": np.zeros((5, 3))}, r"shape \(n, 2\) with n from 1 to 2000, not \(5, 3\)"),
        ({"shape": np.full((5, 2), 9.0)}, "within ±3; the farthest is 9.0"),
        ({"shape": np.full((5, 2), np.nan)}, "finite"),
        ({"particles": 0}, "1 … 5000, not 0"),
    ],
)
def test_statues_that_cannot_be(given, message):
    with pytest.raises(ValueError, match=message):
        statue(**given)


def test_points_and_paths_arrive_to_a_pixel():
    points = RNG.normal(size=(7, 30, 2))
    sent = play_points({"a": points, "b": -points}, limit=3).data
    for panel, expected in zip(sent["panels"], (points, -points), strict=True):
        assert np.abs(unpack(panel["cloud"]) * sent["unit"] - expected.clip(-6.14, 6.14)).max() < 3 / 16000
    sent = play_paths(None, groups={"x": points[..., 0], "y": points[..., 1]}).data
    expected = np.concatenate([points[..., 0], points[..., 1]], axis=1)
    assert np.abs(unpack(sent["paths"]) * sent["unit"] - expected).max() < 4 / 16000
    assert unpack(sent["groups"]).tolist() == [0] * 30 + [1] * 30


@pytest.mark.parametrize("moving", [False, True])
def test_a_field_stands_still_or_moves(moving):
    places, arrows = RNG.normal(size=(9, 2)), RNG.normal(size=(7, 9, 2) if moving else (9, 2))
    sent = play_points(np.zeros((7, 3, 2)), field=(places, arrows), limit=4).data
    field = unpack(sent["field"]) * sent["unit"]
    assert field.shape == (7 if moving else 1, 9, 4)
    assert np.abs(field[..., 2:] - arrows).max() < 4 / 16000 and np.abs(field[-1, :, :2] - places).max() < 4 / 16000


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_lie_in_one_image(channels):
    frames = np.tanh(RNG.normal(size=(5, 6, channels, 4, 3)))
    sent = play_pictures(list(frames), columns=3, rows=["one", "two"]).data
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(sent["sprites"]))).convert("RGB"))
    for frame in range(5):
        for i in range(6):
            top = frame // sent["across"] * 8 + i // 3 * 4
            left = frame % sent["across"] * 9 + i % 3 * 3
            shown = image[top : top + 4, left : left + 3] / 127.5 - 1
            error = np.abs(shown - frames[frame, i].transpose(1, 2, 0))
            assert error.max() < 0.005 if channels == 1 else error.mean() < 0.15


@pytest.mark.parametrize(
    ("play", "message"),
    [
        (lambda: play_points(np.zeros((3, 4))), r"points \(frames, n, 2\), not an array of shape \(3, 4\)"),
        (lambda: play_points(np.zeros((3, 4, 3))), r"points are \(frames, n, 2\)"),
        (lambda: play_points({}), "at least one panel"),
        (lambda: play_points({"a": np.zeros((3, 4, 2)), "b": np.zeros((2, 4, 2))}), r"same frames, not \[3, 2\]"),
        (lambda: play_points(np.zeros((3, 4, 2)), ["t"]), "captions names 1 frames, but there are 3"),
        (lambda: play_points(np.full((3, 4, 2), np.nan)), "frame 0 is not finite"),
        (lambda: play_points(np.zeros((1, 4, 2))), "2 to 400 frames, not 1"),
        (
            lambda: play_points(np.zeros((3, 4, 2)), field=(np.zeros((5, 2)), np.zeros((2, 5, 2)))),
            r"arrows \(m, 2\) or \(3, m, 2\)\), not \(5, 2\) and \(2, 5, 2\)",
        ),
        (lambda: play_pictures(np.zeros((3, 4, 2, 5, 5))), "c = 1 or 3 channels, not 2"),
        (lambda: play_pictures(np.zeros((3, 4, 1, 5, 5)), columns=2, rows=["a"]), "1 rows, but 4 pictures in 2"),
        (lambda: play_pictures(np.zeros((3, 4, 1, 5, 5)), columns=0), "columns is 0"),
        (lambda: play_points(np.zeros((3, 4, 2)), limit=0), "limit must be a finite number above 0, not 0"),
        (lambda: play_paths(np.zeros((3, 4)), seconds=-1), "seconds must be"),
        (lambda: play_paths(np.zeros((3, 4, 2))), r"paths \(frames, n\)"),
        (
            lambda: play_paths(None, groups={"few": np.zeros((3, 4))}, stops={"many": 2}),
            r"stops names \['many'\], but the groups are \['few'\]",
        ),
    ],
)
def test_what_cannot_be_played(play, message):
    with pytest.raises(ValueError, match=message):
        play()


def test_the_still_of_several_panels_tells_where_points_began():
    """Points begin in four directions and end in one place: at the end, too, each has the colour of its start."""
    start = np.array([[1.0, 0.1], [0.1, 1.0], [-1.0, 0.1], [-0.1, -1.0]])
    path = start * np.linspace(1, 0, 11)[:, None, None]
    places = np.zeros((1, 2))
    still = play_points({"a": path, "b": path}, groups="start", field=(places, places), trails=3, limit=2).still
    grid = np.array(still.axes).reshape(3, 2)  # a row for each moment, a column for each panel
    assert [ax.get_title() for ax in grid[0]] == ["a", "b"]
    assert [ax.get_ylabel() for ax in grid[:, 0]] == ["frame 1 of 11", "frame 3 of 11", "frame 11 of 11"]
    dots = [row[0].collections[-1] for row in grid]
    colours = [dot.get_facecolor() for dot in dots]
    assert len(np.unique(colours[0], axis=0)) == 4 and (colours[0] == colours[2]).all()
    assert np.allclose(dots[1].get_offsets(), path[2]) and "a: spread 0.7" in still.alt


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_the_still_of_paths_names_groups_where_they_start_else_in_a_legend(spread):
    path = np.linspace(RNG.normal(size=20) * spread, RNG.normal(size=20), 11)
    still = play_paths(None, groups={"low": path - 2, "high": path + 2}, ends=("0", "10"), limit=4).still
    ax, edge = still.axes
    at_start = {text.get_text(): text.xy[1] for text in ax.texts}
    legend = [text.get_text() for each in still.legends for text in each.get_texts()]
    assert (at_start, legend) == (({}, ["low", "high"]) if spread else ({"low": -2, "high": 2}, []))
    assert sum(bar.get_width() for bar in edge.patches) > 0 and len(edge.lines) == 1  # where they end, and the bell


def test_a_bell_at_the_start_stands_over_the_starts_and_the_paths_drawn_keep_the_proportion():
    path = np.linspace(RNG.normal(size=400), 1, 11)
    left, ax, edge = play_paths(None, groups={"few": path[:, :100], "many": path[:, 100:]}, bell="start").still.axes
    assert [len(side.lines) for side in (left, edge)] == [1, 0]
    assert len({bar.get_y() for bar in left.patches if bar.get_width()}) > 9
    drawn = [line.get_color() for line in ax.lines]  # with one more of each for the legend
    assert (drawn.count(drawn[0]), drawn.count(drawn[-1])) == (21, 61)


def test_without_the_bell_each_group_has_a_histogram_of_its_own():
    """Half as many in the second group, and at one place: no bar stands on another, and each has the area 1."""
    groups = {"wide": np.linspace(0, np.linspace(-1, 1, 200), 3), "narrow": np.zeros((3, 100)) + 0.5}
    _, edge = play_paths(None, groups=groups, limit=2, bell=False).still.axes
    for outline, paths in zip(edge.patches, groups.values(), strict=True):
        density, edges = np.histogram(paths[-1], np.linspace(-2, 2, 37), density=True)
        drawn, places, _ = outline.get_data()
        assert np.allclose(np.nan_to_num(drawn), density) and np.allclose(places, edges)
        assert np.isnan(drawn[density == 0]).all()  # no line on the axis where nobody ended


def test_without_the_bell_the_ends_of_few_paths_are_dots():
    groups = {"fine": np.linspace(0, np.linspace(-1, 1, 8), 3), "coarse": np.zeros((3, 8)) + 0.5}
    played = play_paths(None, groups=groups, limit=2, ends=("9", "5", "0"), bell=False)
    ax, edge = played.still.axes
    ended = [dots.get_offsets()[:, 1] for dots in edge.collections]
    assert not edge.patches and np.allclose(ended, [paths[-1] for paths in groups.values()])
    assert played.data["dots"] and list(ax.get_xticks()) == [0, 1, 2]


def test_stops_are_dots_on_the_paths_of_their_group():
    groups = {"fine": np.linspace(0, np.linspace(-1, 1, 8), 7), "coarse": np.linspace(0, np.ones(2), 7)}
    played = play_paths(None, groups=groups, stops={"coarse": 3}, limit=2, bell=False)
    dots = [line.get_xydata() for line in played.still.axes[0].lines if line.get_marker() == "o"]
    assert np.allclose(dots, [[(0, 0), (3, 0.5), (6, 1)]] * 2)
    assert played.data["stops"] == [0, 3]


def test_the_still_of_one_panel_shows_its_moments_side_by_side():
    still = play_points(np.linspace([[1.0, 0.0]], [[0.0, 0.0]], 11), trails=3, limit=2).still
    assert len({ax.get_subplotspec().rowspan.start for ax in still.axes}) == 1
    assert [ax.get_title() for ax in still.axes] == ["frame 1 of 11", "frame 3 of 11", "frame 11 of 11"]


def test_the_still_of_several_panels_shows_the_frames_asked_for():
    path = np.linspace([[1.0, 0.0]], [[0.0, 0.0]], 11)
    still = play_points({"a": path, "b": path}, range(10, -1, -1), still=(0, 9), limit=2).still
    assert [ax.get_ylabel() for ax in still.axes] == ["10", "", "1", ""]
    wide = play_points({"a": path, "b": path}, range(10, -1, -1), still=(0, 4, 9), limit=2).still
    assert [ax.get_ylabel() for ax in wide.axes] == ["a", "", "", "b", "", ""]
    assert [ax.get_title() for ax in wide.axes] == ["10", "6", "1", "", "", ""]


def test_with_named_axes_the_still_shows_the_whole_paths_and_the_marks():
    path = np.linspace([[1.0, 0.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 2.0]], 11)
    look = {"axes": ("right", "up"), "marks": {"goal": (0, 0.5)}, "names": ("one", "two"), "limit": 3}
    drawing = play_points(path, trails=3, groups=[0, 1], **look)
    (ax,) = drawing.still.axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("right", "up")
    np.testing.assert_array_equal(ax.collections[0].get_segments(), path.transpose(1, 0, 2))
    assert [text.get_text() for text in ax.texts] == ["goal", "one", "two"]
    assert [to_hex(text.get_color()) for text in ax.texts[1:]] == [*COLOURS[:2]]
    assert drawing.data["marks"] == [["goal", 0.0, 0.5]] and drawing.data["names"] == ["one", "two"]


def test_sheets_side_by_side_keep_each_picture_in_its_row_and_column():
    pictures = np.linspace(-1, 1, 12).reshape(2, 3, 2, 1, 1, 1)
    still = side_by_side({"a": pictures[0], "b": pictures[1]}, rows=["u", "v", "w"])
    assert [ax.get_title() for ax in still.axes] == ["a", "b"]
    assert [label.get_text() for label in still.axes[0].get_yticklabels()] == ["u", "v", "w"]
    for ax, expected in zip(still.axes, pictures[..., 0, 0, 0], strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array()[::2, ::2, 0], np.rint((expected + 1) * 127.5))


def test_statues_end_in_the_drawing_if_the_steps_are_many_enough(star):
    """The still shows the ends of 5, 12 and 20 steps: more of them lie closer to the drawn points."""
    still = star.still
    points = SHAPES["star"]()
    ends = [still.axes[i].collections[-1].get_offsets() for i in (3, 4, 5)]
    far = [np.linalg.norm(end[:, None] - points, axis=2).min(axis=1).mean() for end in ends]
    assert len(ends[0]) == 1000 and far == sorted(far, reverse=True) and far[-1] < 0.05
    assert [len(ax.collections[1].get_offsets()) for ax in still.axes] == [81, 81, 81, 0, 0, 0]  # arrows
