"""Every relation of NOTATION.md holds, and holds for diffusers too where that has the same thing."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

from diffusion_course import forward, guidance, schedule

TEXT = (Path(__file__).parents[1] / "NOTATION.md").read_text(encoding="utf-8")
ROWS = [
    line
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith(("| symbol", "| written"))
]
LINEAR = schedule.linear()
T = np.arange(1, 1001)


@pytest.fixture(scope="module")
def names():
    scope = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1], scope)
    return scope


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_relation(row, names):
    relation = re.search(r"`([^`]+)` \|$", row)[1]
    comparison = ast.parse(relation, mode="eval").body
    assert isinstance(comparison, ast.Compare) and isinstance(*comparison.ops, ast.Eq), relation
    left, right = (
        eval(compile(ast.Expression(side), relation, "eval"), names)
        for side in (comparison.left, *comparison.comparators)
    )
    assert ast.dump(comparison.left) != ast.dump(comparison.comparators[0])
    # float64; the log-SNR runs over 20, and 1 − ᾱ_1 = 1e-4 loses four digits
    np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-10)
    assert np.isfinite(left).all()


def test_every_row_of_the_course_is_there():
    assert len(ROWS) == 24
    for symbol in ("β̃_t", "ᾱ_t", "log-SNR", "σ | EDM", "DDIM", "alphas_cumprod", "x_t / √ᾱ_t"):
        assert symbol in TEXT


@pytest.fixture(scope="module")
def diffusers():
    return pytest.importorskip("diffusers")


def scheduler(kind):
    return kind(num_train_timesteps=1000, beta_start=1e-4, beta_end=0.02, beta_schedule="linear")


def test_diffusers_counts_from_zero(diffusers):
    theirs = scheduler(diffusers.DDIMScheduler)
    np.testing.assert_allclose(theirs.betas[T - 1], LINEAR.beta[T], rtol=1e-4)  # float32 there
    np.testing.assert_allclose(theirs.alphas_cumprod[T - 1], LINEAR.alpha_bar[T], rtol=1e-4)
    assert theirs.final_alpha_cumprod == LINEAR.alpha_bar[0] == 1


def test_diffusers_noises_as_we_do(diffusers):
    torch = pytest.importorskip("torch")
    x0, eps = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(0))
    t = torch.tensor([1, 10, 400, 999, 1000])
    theirs = scheduler(diffusers.DDPMScheduler).add_noise(x0, eps, t - 1)
    torch.testing.assert_close(theirs, forward.add_noise(x0, LINEAR.at(t), eps), rtol=1e-4, atol=1e-4)


def test_diffusers_posterior_variance(diffusers):
    theirs = scheduler(diffusers.DDPMScheduler)
    for t in (2, 10, 500, 1000):
        _, variance = forward.posterior(0.0, 0.0, LINEAR.at(t), LINEAR.at(t - 1))
        assert float(theirs._get_variance(t - 1)) == pytest.approx(float(variance), rel=1e-3)


def test_diffusers_sigma_is_that_of_edm(diffusers):
    theirs = scheduler(diffusers.EulerDiscreteScheduler)
    theirs.set_timesteps(1000)
    sigma = ((1 - LINEAR.alpha_bar) / LINEAR.alpha_bar) ** 0.5
    np.testing.assert_allclose(theirs.sigmas, sigma[::-1], rtol=1e-3)  # falling, and ending with 0
    assert sigma[0] == 0


def test_diffusers_lambda_is_half_the_log_snr(diffusers):
    theirs = scheduler(diffusers.DPMSolverMultistepScheduler)
    np.testing.assert_allclose(theirs.lambda_t[T - 1], LINEAR.log_snr[T] / 2, rtol=1e-3, atol=1e-3)


def test_w_of_the_paper_is_scale_minus_one():
    free, asked, w = 2.0, 5.0, 0.5
    model = guidance.guided(lambda xt, t, *cond: asked if cond else free, "a wish", w + 1)
    assert model(None, None) == (1 + w) * asked - w * free
