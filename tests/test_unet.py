"""The U-Net: shapes of any size, what sees what, the context of time, refusals."""

import pytest
import torch
from refusals import refused

from diffusion_course import schedule
from diffusion_course.unet import Context, SelfAttention, UNet, doubled

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


def test_every_pixel_is_doubled_in_both_directions():
    x = torch.arange(12.0).reshape(1, 2, 2, 3)
    assert torch.equal(doubled(x), x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))


def test_every_weight_gets_a_gradient():
    model = awake(UNet(COSINE, attributes=(3,)))
    model(torch.randn(3, 3, 16, 16), 5, torch.tensor([0, 1, 2])).square().sum().backward()
    assert [name for name, w in model.named_parameters() if w.grad is None or not w.grad.any()] == []


def test_attention_does_not_care_where_the_places_are():
    attention = awake(SelfAttention(16))
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


@pytest.mark.parametrize("size", [(18, 18), (17, 23), (1, 1), (28, 5), (3, 64)])
def test_any_size_is_padded_inside_and_cropped_at_the_end(size):
    """As if the picture went on outside with its last row and column."""
    model, x = awake(UNet(COSINE)), torch.randn(2, 3, *size)
    with torch.no_grad():
        found = model(x, 50)
        wider = torch.nn.functional.pad(x, (0, -size[1] % 4, 0, -size[0] % 4), mode="replicate")
        torch.testing.assert_close(found, model(wider, 50)[..., : size[0], : size[1]])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_odd_sizes_in_half_precision(dtype):
    model, x = awake(UNet(COSINE, widths=(8, 16))), torch.randn(2, 3, 9, 11)
    with torch.no_grad():
        torch.testing.assert_close(model.to(dtype)(x, 50), model.float()(x, 50), rtol=0.1, atol=0.1)


@pytest.mark.parametrize("shape", [(2, 1, 16, 16), (2, 3, 16), (3, 16, 16)])
def test_refuses_other_shapes(shape):
    with refused("xt must have shape (B, 3, H, W)", shape):
        UNet(COSINE)(torch.zeros(shape), 5)


def test_context_adds_one_vector_a_stated_attribute():
    torch.manual_seed(0)
    context, time = Context((2, 3), 8), torch.zeros(1, 32)
    seen = []
    context.mix.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        context(time, torch.tensor([[1, -1]]))
    expected = torch.nn.functional.silu(context.time(time) + context.tables[0].weight[1])
    torch.testing.assert_close(seen[0], expected)
