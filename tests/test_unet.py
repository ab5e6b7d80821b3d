"""The U-Net: shapes, condition, the context of time, refusals, size."""

import pytest
import torch

from diffusion_course import schedule
from diffusion_course.unet import Attention, Context, UNet

COSINE = schedule.cosine(T=100)


def awake(model):
    """The model with its zeroed weights made random, so that every part takes part in the answer."""
    torch.manual_seed(1)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.1)
    return model.eval()


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 28, 28), (2, 12, 20)])
def test_answers_in_the_shape_of_the_picture(shape):
    x = torch.randn(2, *shape)
    assert UNet(COSINE, channels=shape[0])(x, torch.tensor([1, 100])).shape == x.shape


def test_a_fresh_block_is_the_identity():
    torch.manual_seed(0)
    model = UNet(COSINE)
    x, context = torch.randn(2, 80, 8, 8), torch.randn(2, 160)
    for block in model.before:
        bias = block.conv2.bias[None, :, None, None]
        torch.testing.assert_close(block(x, context), x + bias)


def test_every_weight_gets_a_gradient():
    model = awake(UNet(COSINE, attributes=(3,)))
    model(torch.randn(3, 3, 16, 16), 5, torch.tensor([0, 1, 2])).square().sum().backward()
    assert [name for name, w in model.named_parameters() if w.grad is None or not w.grad.any()] == []


def test_attention_does_not_care_where_the_places_are():
    attention = awake(Attention(16))
    x = torch.randn(2, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(attention(x.flip(-1), None), attention(x, None).flip(-1))


def test_every_pixel_can_see_every_other():
    model = awake(UNet(COSINE))
    x = torch.randn(1, 3, 16, 16, requires_grad=True)
    model(x, 50)[0, :, 0, 0].sum().backward()
    assert (x.grad.abs().sum(1) > 0).all()


def test_time_matters():
    model, x = awake(UNet(COSINE)), torch.randn(2, 3, 16, 16)
    assert not torch.allclose(model(x, 10), model(x, 60))


def test_condition_matters_and_nothing_said_is_no_condition():
    model, x = awake(UNet(COSINE, attributes=(2, 6))), torch.randn(2, 3, 16, 16)
    said, partly = torch.tensor([[1, 4], [1, 4]]), torch.tensor([[1, -1], [1, -1]])
    nothing = torch.full((2, 2), -1)
    torch.testing.assert_close(model(x, 50, nothing), model(x, 50), rtol=0, atol=0)
    answers = [model(x, 50, cond) for cond in (said, partly, nothing)]
    assert not torch.allclose(answers[0], answers[1])
    assert not torch.allclose(answers[1], answers[2])


def test_a_single_attribute_may_come_as_a_flat_row():
    model, x = awake(UNet(COSINE, 1, attributes=(10,))), torch.randn(2, 1, 28, 28)
    torch.testing.assert_close(model(x, 7, torch.tensor([3, 9])), model(x, 7, torch.tensor([[3], [9]])))


@pytest.mark.parametrize(
    ("cond", "message"),
    [
        (torch.tensor([[0, 6], [0, 0]]), "or −1 for not said"),
        (torch.tensor([[0, -2], [0, 0]]), "or −1 for not said"),
        (torch.tensor([[0], [0]]), r"must be \(2, 2\)"),
        (torch.tensor([[0, 0]]), r"must be \(2, 2\)"),
    ],
)
def test_refuses_conditions_that_do_not_fit(cond, message):
    with pytest.raises(ValueError, match=message):
        UNet(COSINE, attributes=(2, 6))(torch.zeros(2, 3, 16, 16), 5, cond)


def test_refuses_a_condition_for_an_unconditional_network():
    with pytest.raises(ValueError, match="0 attributes"):
        UNet(COSINE)(torch.zeros(2, 3, 16, 16), 5, torch.tensor([1, 1]))


def test_refuses_sizes_that_cannot_be_halved_twice():
    with pytest.raises(ValueError, match="multiples of 4"):
        UNet(COSINE)(torch.zeros(1, 3, 18, 18), 5)


def test_context_adds_one_vector_a_stated_attribute():
    torch.manual_seed(0)
    context, time = Context((2, 3), 8), torch.zeros(1, 32)
    seen = []
    context.mix.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        context(time, torch.tensor([[1, -1]]))
    expected = torch.nn.functional.silu(context.time(time) + context.tables[0].weight[1])
    torch.testing.assert_close(seen[0], expected)
