"""A sampler and its model walk by one schedule: another is refused, also behind guidance, before anything is drawn."""

import numpy as np
import pytest
import torch

from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.guidance import guided
from diffusion_course.models import SpiralMLP, given
from diffusion_course.samplers import ddim, ddpm, dpm_solver, heun
from diffusion_course.schedule import cosine, linear

MLP = SpiralMLP(cosine(50), attributes=(3,))
MODELS = {
    "exact": GaussianDenoiser(2.0, 0.5, cosine(50)),
    "network": MLP,
    "given": given(MLP, [[1]]),
    "guided": guided(MLP, [[1]], 2.0),
}


@pytest.mark.parametrize("sampler", [ddpm, ddim, heun, dpm_solver])
@pytest.mark.parametrize("name", MODELS)
def test_another_schedule_than_the_models_is_refused(sampler, name):
    x = np.zeros((2, 2)) if name == "exact" else torch.zeros(2, 2)
    with pytest.raises(ValueError, match=r"not the model's schedule \(T = 50, here 50\): pass model.schedule"):
        list(sampler(MODELS[name], linear(50), x, 10))
    assert len(list(sampler(MODELS[name], cosine(50), x, 10))) > 1  # an equal one need not be the same object


def test_guided_takes_conditions_as_given_does_and_refuses_at_once():
    x = torch.zeros(2, 2)
    listed, tensor = (guided(MLP, cond, 2.0)(x, 5) for cond in ([[1], [2]], torch.tensor([[1], [2]])))
    torch.testing.assert_close(listed, tensor)
    with pytest.raises(ValueError, match="cond"):
        guided(MLP, [[9]], 2.0)


@pytest.mark.parametrize("xt", [np.zeros((4, 2)), torch.zeros(4, 2, dtype=torch.int64)])
def test_a_network_takes_floats_in_a_tensor(xt):
    with pytest.raises(ValueError, match="64: give floats in a tensor"):
        MLP(xt, 5)
