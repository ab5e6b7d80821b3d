"""The network that reads: word order is nothing, −1 is nothing, words matter, attention is a mean."""

from functools import partial

import numpy as np
import pytest
import torch

from diffusion_course.beyond.emoji import emoji, vocabulary
from diffusion_course.beyond.text import PENCILS, Attention, TextEncoder, TextUNet, questions
from diffusion_course.distill import trajectories
from diffusion_course.run.captions import Order, draw_captions, training_set
from diffusion_course.schedule import cosine
from diffusion_course.training import train

WORDS = 12


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = TextUNet(cosine(), WORDS, widths=(16, 32), text=32, blocks=2)
    for weight in model.parameters():  # the parts that start at zero hide what is in front of them
        if not weight.any():
            torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


@pytest.fixture
def xt():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def test_a_prediction_has_the_picture_s_shape(model, xt):
    assert model(xt, 500, torch.tensor([[1, 2], [3, -1]])).shape == xt.shape
    for height in (28, 30, 9):
        assert model(xt[:, :, :height], 500).shape == (2, 3, height, 32)
    with pytest.raises(ValueError, match="xt must have shape"):
        model(xt[:, :1], 500)


@torch.no_grad()
def test_the_order_of_words_and_empty_places_change_nothing(model, xt):
    said = model(xt, 500, torch.tensor([[1, 7, 4, -1]] * 2))
    assert torch.allclose(said, model(xt, 500, torch.tensor([[4, -1, -1, 1, -1, 7]] * 2)), atol=1e-5)


@torch.no_grad()
def test_a_row_without_words_is_the_null_condition(model, xt):
    cond = torch.tensor([[1, 7, 4]] * 2)
    assert torch.allclose(model(xt, 500), model(xt, 500, torch.full_like(cond, -1)), atol=1e-5)


@torch.no_grad()
def test_another_word_is_another_prediction(model, xt):
    one, other = (model(xt, 500, torch.tensor([[word]] * 2)) for word in (1, 2))
    assert (one - other).abs().max() > 1e-3


@torch.no_grad()
def test_each_picture_reads_its_own_row(model, xt):
    both = model(xt, 500, torch.tensor([[1], [2]]))
    assert torch.allclose(both[1:], model(xt[1:], 500, torch.tensor([[2]])), atol=1e-5)


def test_a_condition_that_does_not_fit_is_told(model):
    assert model.check_cond([[0, WORDS - 1, -1]], batch=2).tolist() == [[0, WORDS - 1, -1]] * 2
    for cond in (torch.tensor([[WORDS]]), torch.tensor([[-2]])):
        with pytest.raises(ValueError, match=f"0 to {WORDS - 1}"):
            model.check_cond(cond)
    for cond in (torch.tensor([1, 2]), torch.zeros(1, 2), torch.zeros(1, 2) < 1, torch.zeros(1, 2) + 0j):
        with pytest.raises(ValueError, match="whole numbers"):
            model.check_cond(cond)
    with pytest.raises(ValueError, match="3 pictures"):
        model.check_cond(torch.tensor([[1], [2]]), batch=3)


def test_attention_is_softmax_of_keys_and_queries():
    torch.manual_seed(0)
    attention = Attention(32, 32).double()
    x, source = torch.randn(1, 3, 32).double(), torch.randn(1, 5, 32).double()
    q, k, v = attention.query(x)[0], attention.key(source)[0], attention.value(source)[0]
    by_hand = torch.zeros(3, 32).double()
    for i in range(3):
        fit = [(q[i] @ k[j] / 32**0.5).exp() for j in range(5)]
        by_hand[i] = sum(f * v[j] for j, f in enumerate(fit)) / sum(fit)
    assert torch.allclose(attention(x, source)[0], attention.out(by_hand))


def test_what_is_not_said_gets_no_weight():
    said = torch.tensor([[True, False, True]])
    weights = Attention(64, 32).weights(torch.randn(1, 4, 64), torch.randn(1, 3, 32), said)
    assert weights.shape == (1, 2, 4, 3)
    assert (weights[..., 1] == 0).all()
    assert torch.allclose(weights.sum(-1), torch.ones(1, 2, 4))


@torch.no_grad()
def test_the_sketch_lies_where_it_is_drawn_and_follows_the_words(model, xt):
    cond, other = torch.tensor([[1, 2]] * 2), torch.tensor([[3, -1]] * 2)
    before = model(xt, 500, cond)
    drawn = model.sketch.draw.bias.unflatten(0, (PENCILS, 8, 8))
    drawn[:, 3, 5] += 1  # of 8 × 8 places: pixels 12…15 down, 20…23 across
    change = (model(xt, 500, cond) - before).abs().sum(dim=(0, 1))
    places = change.unflatten(0, (8, 4)).unflatten(2, (8, 4)).mean(dim=(1, 3))
    assert places.argmax() == 3 * 8 + 5 and places[3, 5] > 2 * places.mean()
    gists = [model.encoder(ids)[0].mean(1) for ids in (cond, other)]
    sketches = [model.sketch(gist, (8, 8)) for gist in gists]
    assert sketches[0].shape == (2, 32, 8, 8) and (sketches[0] - sketches[1]).abs().max() > 1e-3
    assert model.sketch(gists[0], (7, 7)).shape == (2, 32, 7, 7)


@torch.no_grad()
def test_questions_are_those_that_the_words_answer_and_asking_leaves_no_trace(model, xt):
    cond = torch.tensor([[1, -1, 4]] * 2)
    before, answers = model(xt, 500, cond), []
    hooks = [block.words.register_forward_hook(lambda _, inputs, out: answers.append(out[0])) for block in model.middle]
    heads = questions(model, xt, 500, cond)
    for hook in hooks:
        hook.remove()
    assert len(heads) == len(model.middle)  # one head of 32 numbers in each
    for (q, k, v), answer, block in zip(heads, answers, model.middle, strict=True):
        assert q.shape == (64, 32) and k.shape == v.shape == (3, 32)  # the token in front and two words
        found = (q @ k.T / 32**0.5).softmax(dim=-1) @ v
        assert torch.allclose(block.words.out(found), answer, atol=1e-5)
    assert torch.equal(model(xt, 500, cond), before)
    assert not any(block.words._forward_pre_hooks for block in model.middle)


def test_the_encoder_s_first_token_hears_the_words():
    torch.manual_seed(0)
    encoder = TextEncoder(WORDS, 32)
    tokens, said = encoder(torch.tensor([[3, -1], [5, -1]]))
    assert tokens.shape == (2, 3, 32)
    assert said.tolist() == [[True, True, False]] * 2
    assert not torch.allclose(tokens[0, 0], tokens[1, 0])


def test_twenty_training_steps_lower_the_loss():
    """The whole recipe runs, and learns first of all that the paper is white."""
    torch.manual_seed(0)
    x0, cond, order = training_set("names", common=True)  # the smallest split that has copies
    model = TextUNet(cosine(), len(vocabulary()), widths=(16, 32), text=32, blocks=1)
    draw = partial(draw_captions, order=order)
    rng = torch.Generator().manual_seed(0)
    recipe = {"steps": 20, "batch": 32, "lr": 4e-2, "weight": "v", "rng": rng, "draw": draw}
    losses = [record.loss.item() for record in train(model, x0, cond, **recipe)]
    assert len(losses) == 20
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_a_copy_s_colour_is_always_said_and_everything_else_is_hidden_now_and_then():
    x0 = torch.zeros(100, 3, 4, 4)
    cond = torch.arange(100)[:, None] * torch.ones(1, 6, dtype=torch.long)
    rng = torch.Generator().manual_seed(0)
    clean, t, eps, said = draw_captions(x0, cond, cosine(), 4000, rng, order=Order(60))
    assert clean.shape == eps.shape == (4000, 3, 4, 4) and t.min() >= 1
    row = said.max(dim=1).values
    copy = row >= 60
    assert (said[copy][:, 0] == row[copy]).all()
    assert abs(copy.float().mean() - 0.3) < 0.03
    share = (said[~copy & (row >= 0)] >= 0).float().mean(dim=1)
    assert share.min() <= 1 / 6 and share.max() == 1
    assert 0.05 < (row == -1).float().mean() < 0.2  # nothing said at all: what guidance needs


def test_common_things_stand_first_and_are_drawn_more_often():
    data = emoji("names")
    x0, _, order = training_set("names", common=True)
    assert order.common == data.common.sum() > 0 and order.common_copies > 0
    assert order.originals == len(data.images) and x0.shape == training_set("names")[0].shape
    assert np.array_equal(x0[: order.common], data.x0[data.common])
    rows = torch.arange(100)[:, None]
    for order, expected in ((Order(60, 6, 4), 0.75 + 0.25 / 10), (Order(60), 0.1)):
        *_, said = draw_captions(rows.float(), rows, cosine(), 8000, torch.Generator().manual_seed(0), order=order)
        row = said[said >= 0]  # a copy's only word is always said
        for kind, first in ((row[row < 60], 6), (row[row >= 60] - 60, 4)):
            assert abs((kind < first).float().mean() - expected) < 0.03


def test_the_network_traces_without_a_look_at_values():
    model = TextUNet(cosine(), WORDS, widths=(16, 32), text=32, blocks=1)
    traced = torch.compile(model, fullgraph=True, backend="eager")
    xt, t, cond = torch.randn(2, 3, 16, 16), torch.tensor([3, 900]), torch.tensor([[1, -1]] * 2)
    assert torch.allclose(traced(xt, t, cond), model(xt, t, cond))
    assert torch.allclose(traced(xt, t), model(xt, t))


def test_a_teacher_can_be_guided(model):
    xT, cond = torch.randn(1, 3, 8, 8), torch.tensor([[1, 2]])
    with torch.no_grad():
        ends = {scale: trajectories(model, xT, cond, 20, scale=scale, clip=1).path[0] for scale in (0, 1, 3)}
        free = trajectories(model, xT, torch.full_like(cond, -1), 20, clip=1).path[0]
    assert torch.allclose(ends[0], free, atol=1e-4)
    assert (ends[1] - free).abs().max() > 1e-3 and (ends[3] - ends[1]).abs().max() > 1e-3
    assert all(end.abs().max() <= 1 for end in ends.values())
