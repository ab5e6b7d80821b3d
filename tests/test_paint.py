"""Painting from a prompt: shapes, seeds, errors at once, nothing left behind in the caller's thread."""

import numpy as np
import pytest
import torch

from diffusion_course.beyond.emoji import COLOURS, emoji, main_colour, vocabulary
from diffusion_course.beyond.text import TextUNet
from diffusion_course.run.paint import paint, painting
from diffusion_course.schedule import cosine


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = TextUNet(cosine(), len(vocabulary()), widths=(8, 32), text=32, blocks=1)
    for weight in model.parameters():
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


def test_as_many_pictures_as_asked_appear_step_by_step(model):
    *before, last = painting("blue cat", n=np.int64(3), steps=5, network=model)
    assert len(before) == 4
    for pictures in (*before, last):
        assert pictures.shape == (3, 3, 32, 32) and pictures.dtype == np.float32
        assert abs(pictures).max() <= 1
    assert np.array_equal(last, paint("blue cat", n=3, steps=5, network=model))


def test_seed_prompt_style_and_scale_all_matter(model):
    usual = {"n": 1, "steps": 3, "network": model}
    one = paint("blue cat", **usual)
    assert np.allclose(one, paint("cat, blue", **usual), atol=1e-4)  # sums of the words in another order
    for other in (
        paint("blue cat", seed=1, **usual),
        paint("red cat", **usual),
        paint("blue cat", style="noto", **usual),
        paint("blue cat", scale=1.0, **usual),
    ):
        assert abs(one - other).max() > 1e-3
    assert np.allclose(paint("cat", scale=0.0, **usual), paint("heart", scale=0.0, **usual), atol=1e-4)


def test_a_student_draws_in_four_steps_whatever_is_said_of_scale_and_steps(model, monkeypatch):
    asked = []
    counting = lambda xt, t, cond=None, **how: asked.append(int(t)) or model(xt, t, cond, **how)  # noqa: E731
    counting.schedule, counting.parameters = model.schedule, model.parameters
    monkeypatch.setattr("diffusion_course.run.paint.pretrained", {"emoji-student": counting}.get)
    *before, last = painting("blue cat", n=2, network="emoji-student")
    assert len(before) == 3 and last.shape == (2, 3, 32, 32) and abs(last).max() <= 1
    assert asked == [1000, 700, 400, 150]
    assert np.array_equal(last, paint("blue cat", n=2, scale=9.0, steps=7, network="emoji-student"))


@pytest.mark.parametrize("pair", ["orange heart", "purple apple", "blue cat"])
def test_the_network_that_ships_gives_things_a_colour_that_they_never_had(pair):
    """Each pair of a colour and a thing is held out from training."""
    assert pair in emoji("pairs").pairs
    drawn = np.rint((paint(pair, n=4, steps=10) + 1) * 127.5).astype(np.uint8).transpose(0, 2, 3, 1)
    assert (main_colour(drawn) == COLOURS.index(pair.split()[0])).sum() >= 3


def test_what_is_wrong_is_told_by_the_call(model):
    for arguments, told in (
        ({"prompt": "blue catt"}, "catt"),
        ({"n": 0}, "at least 1"),
        ({"scale": float("nan")}, "finite"),
        ({"scale": -1.0}, "not -1.0"),
        ({"scale": "a"}, "not 'a'"),
        *(({"seed": seed}, f"seed is {seed}") for seed in (-1, 1.5)),
        ({"steps": 0}, "is 0"),
        ({"prompt": 3}, "prompt is 3"),
        ({"style": "cat"}, "'noto' or .* not 'cat'"),
        *(({"network": other}, f"'emoji' or 'emoji-student', not {other!r}") for other in ("nope", 3)),
    ):
        with pytest.raises(ValueError, match=told):
            painting(**{"prompt": "cat", "network": model} | arguments)


def test_between_two_steps_the_caller_can_train(model):
    path = painting("cat", n=1, steps=3, network=model)
    next(path)
    assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert not torch.is_autocast_enabled("cpu")
