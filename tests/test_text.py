"""The network that reads: word order is nothing, −1 is nothing, words matter, attention is a mean."""

import pytest
import torch

from diffusion_course.schedule import cosine
from diffusion_course.text import Attention, TextEncoder, TextUNet

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
    assert model(xt[:, :, :28, :28], 500).shape == (2, 3, 28, 28)


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
    model.check_cond(torch.tensor([[0, WORDS - 1, -1]]))
    for cond in (torch.tensor([[WORDS]]), torch.tensor([[-2]])):
        with pytest.raises(ValueError, match=f"0 to {WORDS - 1}"):
            model.check_cond(cond)
    for cond in (torch.tensor([1, 2]), torch.zeros(1, 2)):
        with pytest.raises(ValueError, match="whole numbers"):
            model.check_cond(cond)
    with pytest.raises(ValueError, match="a row a picture"):
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


def test_the_encoder_s_first_token_gathers_the_words():
    torch.manual_seed(0)
    encoder = TextEncoder(WORDS, 32)
    tokens, said = encoder(torch.tensor([[3, -1], [5, -1]]))
    assert tokens.shape == (2, 3, 32)
    assert said.tolist() == [[True, True, False]] * 2
    assert not torch.allclose(tokens[0, 0], tokens[1, 0])


def test_twenty_training_steps_lower_the_loss():
    """The whole network learns to tell two words apart: "1" is a white picture, "2" a black one."""
    torch.manual_seed(0)
    schedule = cosine()
    model = TextUNet(schedule, WORDS, widths=(16, 32), text=32, blocks=1)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    cond = torch.tensor([[1], [2]]).repeat(8, 1)
    x0 = torch.where(cond == 1, 1.0, -1.0)[:, :, None, None].expand(-1, 3, 16, 16)
    losses = []
    for _ in range(20):
        eps = torch.randn(x0.shape)
        v_hat = model.answer(eps, model.embedding[torch.full((16,), schedule.T)], cond)  # pure noise: v = −x_0
        loss = ((v_hat + x0) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]


def test_the_network_traces_without_a_look_at_values():
    model = TextUNet(cosine(), WORDS, widths=(16, 32), text=32, blocks=1)
    traced = torch.compile(model.answer, fullgraph=True, backend="eager")
    xt, time, cond = torch.randn(2, 3, 16, 16), model.embedding[torch.tensor([3, 900])], torch.tensor([[1, -1]] * 2)
    assert torch.allclose(traced(xt, time, cond), model.answer(xt, time, cond))
    assert torch.allclose(traced(xt, time), model.answer(xt, time))
