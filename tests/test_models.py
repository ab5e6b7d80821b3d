"""The networks as denoisers: the embedding, the three answers, the shapes and refusals."""

import numpy as np
import pytest
import torch

from diffusion_course import data, schedule
from diffusion_course.forward import add_noise, v_from_eps
from diffusion_course.models import Denoiser, SpiralMLP, time_embedding

COSINE = schedule.cosine(T=100)


class Oracle(Denoiser):
    """Answers with the true ε, x_0 or v, whichever it was told to."""

    def __init__(self, noise_schedule, output, truth):
        super().__init__(noise_schedule, output)
        self.truth = truth

    def answer(self, xt, time):
        return self.truth


def test_embedding_is_sines_then_cosines_of_the_log_snr():
    log_snr = np.array([-3.0, 0.5])
    frequencies = 0.05 * 30 ** (np.arange(16) / 15)
    for row, value in zip(time_embedding(log_snr), log_snr, strict=True):
        np.testing.assert_allclose(row[:16], np.sin(frequencies * value), atol=1e-12)
        np.testing.assert_allclose(row[16:], np.cos(frequencies * value), atol=1e-12)


@pytest.mark.parametrize("make", [schedule.linear, schedule.cosine, schedule.sigmoid])
def test_distinct_times_have_distinct_embeddings(make):
    rows = time_embedding(make().log_snr[1:])
    steps = np.linalg.norm(np.diff(rows, axis=0), axis=1)
    assert steps.min() > 1e-4
    apart = np.linalg.norm(rows[::50, None] - rows[None, ::50], axis=-1) + np.eye(len(rows[::50]))
    assert apart.min() > 0.1  # the embedding does not come back to where it was


def test_embedding_stays_finite_without_signal():
    zero_snr = schedule.zero_terminal_snr(COSINE)
    assert np.isfinite(time_embedding(zero_snr.log_snr)).all()


@pytest.mark.parametrize("output", ["eps", "x0", "v"])
@pytest.mark.parametrize("t", [1, 50, 100])
def test_every_kind_of_answer_becomes_the_same_noise(output, t):
    x0 = torch.tensor(data.spiral(64, rng=np.random.default_rng(0))).double()
    eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    power = COSINE.at(t)
    xt = add_noise(x0, power, eps)
    truth = {"eps": eps, "x0": x0, "v": v_from_eps(xt, power, eps)}[output]
    torch.testing.assert_close(Oracle(COSINE, output, truth)(xt, t), eps, rtol=0, atol=1e-9)


def test_one_time_for_all_is_the_same_as_one_time_each():
    torch.manual_seed(0)
    model, x = SpiralMLP(COSINE), torch.randn(5, 2)
    torch.testing.assert_close(model(x, 30), model(x, torch.full((5,), 30)))
    assert not torch.allclose(model(x, 30), model(x, 31))


def test_samples_do_not_influence_each_other():
    torch.manual_seed(0)
    model, x, t = SpiralMLP(COSINE), torch.randn(6, 2), torch.arange(1, 7)
    torch.testing.assert_close(model(x, t)[2:3], model(x[2:3], t[2:3]))


def test_mlp_has_the_shape_the_homework_gives():
    linear = [layer for layer in SpiralMLP(COSINE).modules() if isinstance(layer, torch.nn.Linear)]
    assert [layer.out_features for layer in linear] == [128, 128, 128, 2]
    assert sum(isinstance(layer, torch.nn.SiLU) for layer in SpiralMLP(COSINE).modules()) == 3


def test_refusals():
    with pytest.raises(ValueError, match="output must be one of"):
        SpiralMLP(COSINE, output="noise")
    with pytest.raises(ValueError, match="at t = 0 there is no noise"):
        SpiralMLP(COSINE)(torch.zeros(2, 2), torch.tensor([0, 5]))
    with pytest.raises(ValueError, match=r"from 0 \(clean\) to T = 100"):
        SpiralMLP(COSINE)(torch.zeros(2, 2), 101)
