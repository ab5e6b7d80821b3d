"""A sampler and its model walk by one schedule: another is refused, also behind guidance, before anything is drawn."""

import numpy as np
import pytest
import torch

from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.guidance import guided, inpainted
from diffusion_course.models import SpiralMLP, given
from diffusion_course.run.sampling import Counted
from diffusion_course.samplers import ddim, ddpm, dpm_solver, heun
from diffusion_course.schedule import cosine, linear

MLP = SpiralMLP(cosine(50), attributes=(3,))
MODELS = {
    "exact": GaussianDenoiser(2.0, 0.5, cosine(50)),
    "network": MLP,
    "given": given(MLP, [[1]]),
    "guided": guided(MLP, [[1]], 2.0),
    "counted": Counted(guided(MLP, [[1]], 2.0)),  # two wrappers, neither of which has a schedule
    "inpainted": inpainted(guided(MLP, [[1]], 2.0), cosine(50), torch.zeros(2), torch.zeros(2)),
}


@pytest.mark.parametrize("sampler", [ddpm, ddim, heun, dpm_solver])
@pytest.mark.parametrize("name", MODELS)
def test_another_schedule_than_the_models_is_refused(sampler, name):
    x = np.zeros((2, 2)) if name == "exact" else torch.zeros(2, 2)
    with pytest.raises(ValueError, match=r"not the model's schedule \(T = 50, here 50\): pass model.schedule"):
        sampler(MODELS[name], linear(50), x, 10)
    assert len(list(sampler(MODELS[name], cosine(50), x, 10))) > 1  # an equal one need not be the same object


def test_inpainting_by_another_schedule_than_the_models_is_refused():
    for name in MODELS:
        with pytest.raises(ValueError, match="not the model's schedule"):
            inpainted(MODELS[name], linear(50), torch.zeros(2), torch.zeros(2))
