"""The prompt box without a browser: what a painting is asked for, what is sent, what a refusal offers instead."""

import numpy as np
import pytest

from diffusion_course.lab.prompt_box import PromptBox, known, near

ANSWERS = {"grey": 0.0, "white": 1.0}


def painting(prompt, n, scale, steps, seed, style):
    if prompt not in ANSWERS:
        raise ValueError(f"no {prompt!r} here.")
    target = np.full((n, 3, 2, 2), ANSWERS[prompt], np.float32)
    return (step / steps * target for step in range(1, steps + 1))


painting.words = tuple(ANSWERS)


@pytest.fixture
def box(monkeypatch):
    box = PromptBox(painting, "white", n=2, steps=4)
    sent = []
    monkeypatch.setattr(box.paper, "send", lambda message, buffers=(): sent.append((message, buffers)))
    return box, sent


def test_the_first_prompt_is_drawn_at_once_and_kept_for_a_page_without_a_kernel(box):
    box, _ = box
    assert box.pictures.shape == (2, 3, 2, 2) and (box.pictures == 1).all()
    assert box.alt.startswith("white (scale 3): 2 pictures") and box.paper.last["pixels"]["shape"] == [2, 3, 2, 2]
    assert PromptBox(painting, "white", caption="left, right").alt.startswith("white (scale 3) · left, right: 8")


def test_a_request_is_drawn_step_by_step(box, monkeypatch):
    box, sent = box
    monkeypatch.setattr("diffusion_course.lab.prompt_box.BETWEEN", -1)
    box.paper._handle_custom_msg({"draw": {"prompt": "grey", "n": 1, "steps": 3}}, [])
    assert [message["step"] for message, _ in sent[:-1]] == [1, 2, 3, 3]
    assert sent[-2][1] == [bytes([128]) * 12] and sent[-1][0]["done"].startswith("grey: ")
    assert box.pictures.shape == (1, 3, 2, 2)


def test_a_refusal_says_why_and_offers_near_words(box):
    box, sent = box
    box.paper._handle_custom_msg({"draw": {"prompt": "gray"}}, [])
    assert sent == [({"refused": "no 'gray' here.", "near": [("gray", ["grey"])], "rest": ""}, ())]
    assert (box.pictures == 1).all()
    box.paper._handle_custom_msg({"draw": {"prompt": "grey", "steps": "3"}}, [])
    assert sent[-1][0]["refused"].startswith("TypeError: ")


def test_the_first_prompt_s_error_is_the_cells():
    with pytest.raises(ValueError, match="no 'gray' here"):
        PromptBox(painting, "gray")


@pytest.mark.parametrize(
    ("prompt", "words", "expected"),
    [
        ("blu cat, dog", ["blue", "cat", "dog"], [("blu", ["blue"])]),
        ("no hatt, blue hair", ["no hat", "blue hair"], [("no hatt", ["no hat"])]),
        ("Cat", ["cat"], []),
        ("xyzzy", ["cat"], []),
    ],
)
def test_near_words_by_part(prompt, words, expected):
    assert near(prompt, words) == expected


@pytest.mark.parametrize(
    ("prompt", "words", "expected"),
    [
        ("blue catt", ["blue", "cat"], "blue"),
        ("Hat, xyzzy, blue hair", ["hat", "blue hair"], "Hat, blue hair"),
        ("blue cat", ["blue", "cat"], ""),
        ("xyzzy", ["cat"], ""),
        ("cat without hat", ["cat", "hat"], ""),
    ],
)
def test_what_is_known_of_a_prompt(prompt, words, expected):
    assert known(prompt, words) == expected


def test_settings_begin_as_the_painting_has_them():
    def own(prompt, n=1, scale=2.0, **settings):
        yield np.zeros((n, 3, 2, 2))

    settings = PromptBox(own, scale=5.0).paper.settings
    assert settings == {"n": 1, "scale": 5.0, "steps": 20, "seed": 0, "style": None}


def test_faces_are_drawn_where_their_network_is(monkeypatch):
    """Here it is nowhere, on the device "meta", which has shapes and no numbers that could be shown."""
    torch = pytest.importorskip("torch")
    from diffusion_course.lab.prompt_box import faces_painting
    from diffusion_course.machine import hardware
    from diffusion_course.run.checkpoints import pretrained

    model, asked, chosen = pretrained("faces").to("meta"), [], hardware.choose_machine(torch.zeros(1))
    monkeypatch.setattr(hardware, "choose_machine", lambda x: chosen)  # "meta" has no number formats to choose from
    model.register_forward_pre_hook(lambda _, given: asked.append(given[0].device.type))
    with pytest.raises(NotImplementedError, match="meta"):
        next(faces_painting(model)("hat", n=2, steps=3))
    assert asked == ["meta"]


def test_faces_painting_draws_what_was_said_and_refuses_what_it_does_not_know():
    pytest.importorskip("torch")
    from diffusion_course.lab.prompt_box import faces_painting
    from diffusion_course.run.checkpoints import pretrained

    painting = faces_painting(pretrained("faces"))
    with pytest.raises(ValueError, match="'hatt'"):  # at the call, not at the first picture
        painting("hatt")
    first, second = ([*painting("hat, blue hair", n=2, steps=3, seed=1)] for _ in range(2))
    assert [x.shape for x in first] == [(2, 3, 16, 16)] * 3 and (first[-1] == second[-1]).all()
    assert "hat" in painting.words and np.abs(first[-1]).max() <= 1
