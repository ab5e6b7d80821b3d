"""The likelihood of the ODE: against densities that are known, and against the volume that the whole flow changes."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from refusals import refused

from diffusion_course import check
from diffusion_course.beyond import likelihood
from diffusion_course.beyond.mixture import MixtureDenoiser
from diffusion_course.denoisers import FullGaussianDenoiser
from diffusion_course.forward import v_from_eps
from diffusion_course.models import SpiralMLP
from diffusion_course.schedule import cosine, linear

COSINE = cosine()


def rising(n, start=1):
    """About n steps from `start` to T, close together at first."""
    return np.unique(start + ((1000 - start) * np.linspace(0, 1, n + 1) ** 2).astype(int))


@pytest.mark.parametrize("schedule", [COSINE, linear()], ids=["cosine", "linear"])
@pytest.mark.parametrize("start", [1, 200])
def test_it_is_the_density_of_a_mixture(schedule, start):
    model = MixtureDenoiser([[-1.0, 0.0], [1.0, 0.5]], [0.3, 0.5], schedule, weights=[0.3, 0.7])
    xt = np.random.default_rng(0).normal(0, 1, (40, 2))
    found = likelihood.log_likelihood(model, schedule, xt, rising(120, start))
    np.testing.assert_allclose(found, model.log_density(xt, start), atol=0.02)


def test_its_error_is_of_order_two():
    cov = np.array([[1.0, 0.6], [0.6, 0.5]])
    model, xt = FullGaussianDenoiser([1.0, 0.0], cov, COSINE), np.array([[0.3, -0.2], [1.5, 1.0]])
    a = COSINE.at(100)
    off, inverse = xt - a**0.5 * np.array([1.0, 0.0]), np.linalg.inv(a * cov + (1 - a) * np.eye(2))
    right = -np.einsum("bi,ij,bj->b", off, inverse, off) / 2 + np.log(np.linalg.det(inverse)) / 2 - np.log(2 * np.pi)
    found = [likelihood.log_likelihood(model, COSINE, xt, range(100, 1001, every)) for every in (36, 18)]
    errors = [np.abs(each - right).max() for each in found]
    assert errors[0] < 0.01 and 3 < errors[0] / errors[1] < 5


def test_a_learners_own_account_gives_the_same():
    model, xt = MixtureDenoiser([[-1.0, 0.0], [1.0, 0.5]], 0.3, COSINE), np.array([[0.5, -0.3], [1.0, 2.0]])
    xT, grown = likelihood.ride(model, COSINE, xt, rising(20), check.divergence.reference)
    right = likelihood.log_likelihood(model, COSINE, xt, rising(20))
    np.testing.assert_allclose(check.log_p.reference(xT, grown), right, atol=1e-4)


def test_with_a_network_it_is_the_volume_that_the_flow_changes():
    """log p(x) = log N(x_T) + log |det ∂x_T/∂x|, the determinant by automatic differentiation through all steps."""
    torch.manual_seed(0)
    model, times = SpiralMLP(COSINE).double(), list(range(300, 1001, 20))
    angle = torch.tensor(COSINE.alpha_bar).sqrt().arccos()

    def flow(x):
        for t, s in pairwise(times):
            v = v_from_eps(x, COSINE.at(t), model(x, t))
            there = x + (angle[s] - angle[t]) * v
            x = x + (angle[s] - angle[t]) * (v + v_from_eps(there, COSINE.at(s), model(there, s))) / 2
        return x

    xt = torch.tensor([[0.5, -0.3], [1.0, 2.0]], dtype=torch.float64)
    volumes = torch.stack([torch.autograd.functional.jacobian(flow, x[None])[0, :, 0].det().log() for x in xt])
    right = torch.distributions.Normal(0, 1).log_prob(flow(xt)).sum(1) + volumes
    found = likelihood.log_likelihood(model, COSINE, xt, times)
    assert not found.requires_grad
    torch.testing.assert_close(found, right.detach(), atol=0.02, rtol=0)


@pytest.mark.parametrize(
    ("xt", "times", "parts"),
    [
        (np.zeros((3, 2), np.float32), (1, 1000), ["float64", "float32"]),
        (np.zeros(3), (1, 1000), ["(B, d)"]),
        (np.zeros((3, 2)), (0, 1000), ["at least 1"]),
        (np.zeros((3, 2)), (1.9, 1000), ["1.9"]),
        (np.zeros((3, 2)), (1, 900), ["T = 1000"]),
        (np.zeros((3, 2)), (1, 500, 500, 1000), ["rise"]),
    ],
)
def test_what_it_cannot_take_is_refused(xt, times, parts):
    with refused(*parts):
        likelihood.log_likelihood(MixtureDenoiser(np.zeros((1, 2)), 1.0, COSINE), COSINE, xt, times)
