"""What notebooks draw and make: a folder of example pictures, who looks at whom, a density as a landscape."""

import re

import numpy as np
import pytest
import torch

from diffusion_course import data, lab, plots, schedule
from diffusion_course.lab.gaze import attention_weights
from diffusion_course.unet import UNet


def test_example_pictures_are_read_as_a_folder_and_the_same_again(tmp_path):
    folder = lab.example_pictures(tmp_path / "mine", n=16)
    x0 = data.folder(folder, size=16)
    assert x0.shape == (16, 3, 16, 16)
    assert len(np.unique(x0, axis=0)) > 12  # of 144 houses, so two of sixteen may be alike
    assert np.array_equal(x0, data.folder(lab.example_pictures(tmp_path / "again", n=16), size=16))


def test_attention_weights_are_those_that_the_network_uses():
    torch.manual_seed(0)
    model, xt = UNet(schedule.cosine(), widths=(8, 16)).eval(), torch.randn(2, 3, 16, 16)
    layer, seen = model.middle[1], {}
    torch.nn.init.normal_(layer.out.weight)
    layer.register_forward_hook(lambda _, inputs, out: seen.update(x=inputs[0], y=out))
    weights = attention_weights(model, xt, 300)
    assert weights.shape == (2, 16, 16) and torch.allclose(weights.sum(-1), torch.ones(2, 16))
    values = layer.query_key_value(layer.norm(seen["x"]).flatten(2).transpose(1, 2)).chunk(3, dim=-1)[2]
    expected = layer.out(weights @ values).transpose(1, 2).reshape(seen["x"].shape)
    assert torch.allclose(seen["y"], seen["x"] + expected, atol=1e-5)


def test_attention_says_where_places_look():
    model, pictures = UNet(schedule.cosine(), widths=(8, 16)), torch.zeros(3, 3, 16, 16)
    figure = lab.attention(model, pictures, 300, {"a": (0, 0), "b": (3, 1)}, torch.randn(3, 3, 16, 16))
    assert len(figure.axes) == 3 and "b (row 4, column 2) looks most at" in figure.alt


def test_clouds_take_reference_points_of_each_panel():
    points, marks = np.zeros((5, 2)), {"a": np.ones((2, 2)), "b": np.ones((3, 2))}
    figure = plots.clouds({"a": points, "b": points}, reference=marks)
    assert [len(ax.collections[0].get_offsets()) for ax in figure.axes] == [2, 3]
    with pytest.raises(ValueError, match="'reference b'"):
        plots.clouds({"a": points, "b": points}, reference=marks | {"b": np.zeros(3)})


def test_clouds_can_be_seen_from_close_by():
    figure = plots.clouds({"a": np.ones((5, 2))}, limit=0.5, around=(1, -2), label="metres")
    (ax,) = figure.axes
    assert [text.get_text() for text in figure.texts] == ["metres"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0.5, 1.5), (-2.5, -1.5))


def test_an_axis_falls_if_its_values_do():
    for x in ([1, 2, 4], [4, 2, 1]):
        (ax,) = plots.lines(x, {"y": [0, 1, 2]}, "x", "y", logx=True).axes
        assert (ax.get_xlim()[0] < ax.get_xlim()[1]) == (x[0] < x[-1])


def test_a_landscape_lies_as_its_grid_does():
    """Up is up, right is right: the highest place is drawn, and told, where the density has it."""
    places = lab.grid(2.0, 21)
    heights = 1 - ((places - [1.0, -0.6]) ** 2).sum(1).reshape(21, 21)
    figure = lab.landscape({"flat": np.full((21, 21), -3.0), "peak": heights}, 2.0, edges={0.75: "red"})
    image = figure.axes[1].images[0]
    row, column = np.unravel_index(image.get_array().argmax(), (21, 21))
    left, right, bottom, top = image.get_extent()
    assert image.origin == "lower"
    assert left + (column + 0.5) * (right - left) / 21 == pytest.approx(1.0)
    assert bottom + (row + 0.5) * (top - bottom) / 21 == pytest.approx(-0.6)
    assert "peak (highest 1.0 at (1.0, -0.6))" in figure.alt
    (line,) = figure.axes[0].collections[0].get_paths()
    np.testing.assert_allclose(np.hypot(*(line.vertices - [1, -0.6]).T), 0.5, atol=0.02)
    shown = lab.landscape({"peak": heights, "less": heights - 1}, 2.0, off="gain").axes[1].images[0].get_array()
    np.testing.assert_allclose(shown.filled(-1), np.where(heights < -7, -1, 1))
    with pytest.raises(ValueError, match="empty"):
        lab.landscape({}, 1.0)


def test_averages_over_patches_keep_a_plane_and_shrink_noise_by_the_side_of_a_patch():
    slope = np.broadcast_to(np.linspace(-1, 1, 40), (1, 3, 40, 40))
    np.testing.assert_allclose(lab.averaged(slope, 5)[..., 2:-2], slope[..., 2:-2], atol=1e-12)
    noise = np.random.default_rng(0).standard_normal((1, 1, 200, 200))
    for k in (1, 2, 5, 8):
        assert lab.averaged(noise, k).shape == noise.shape
        assert lab.averaged(noise, k).std() == pytest.approx(1 / k, rel=0.1)
    with pytest.raises(ValueError, match="1 or more pixels, not 0"):
        lab.averaged(noise, 0)


def test_errors_lie_on_one_curve_over_the_honest_clock():
    """A function of log-SNR alone differs over t, and is drawn as one curve over log-SNR."""
    schedules = {"linear": schedule.linear(), "cosine": schedule.cosine()}
    times = np.arange(25, 1001, 25)
    errors = {name: 1 / (1 + np.exp(s.log_snr[times] + 3)) for name, s in schedules.items()}
    figure = lab.two_clocks(times, errors, schedules)
    steps, clock, ticks = figure.axes
    for name, drawn, marks in zip(errors, clock.get_lines(), ticks.get_lines(), strict=True):
        np.testing.assert_allclose(drawn.get_ydata(), 1 / (1 + np.exp(drawn.get_xdata() + 3)))
        np.testing.assert_allclose(marks.get_xdata(), schedules[name].log_snr[times])
    assert np.abs(steps.get_lines()[0].get_ydata() - steps.get_lines()[1].get_ydata()).max() > 0.2
    start, end = map(float, re.findall(r"log-SNR (\S+) to (\S+)\.$", figure.alt)[0])
    assert (start, end) == pytest.approx((np.log(19) - 3, -np.log(19) - 3), abs=0.15) and clock.xaxis_inverted()


def test_strips_stand_side_by_side_in_a_frame():
    figure = lab.strips({"dark": np.full((4, 1, 8, 8), -1.0), "light": np.full((4, 1, 8, 8), 1.0)})
    page = figure.axes[0].images[0].get_array()
    assert page.shape[:2] == (2 * 9 + 1, 4 * 4 + 2) and page[1:9, 1:17].max() == 0 and page[10:18, 1:17].min() == 1
    assert all(spine.get_visible() for spine in figure.axes[0].spines.values()) and "dark, light" in figure.alt


def test_a_unet_is_drawn_with_the_sizes_that_its_parts_give():
    told = lab.unet(UNet(schedule.cosine(), widths=(8, 16)), (3, 16, 16)).alt
    assert "stem 8 × 8 × 8," in told and "middle 16 × 4 × 4, up 8 × 8 × 8," in told
