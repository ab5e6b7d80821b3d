"""Samples against the data as whole distributions, and sampling that is stopped, resumed or run elsewhere."""

import hashlib
import itertools
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
from sampling import end, rng

from diffusion_course import data
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.forward import posterior_variance
from diffusion_course.samplers import ddim, ddpm, ddpm_step
from diffusion_course.schedule import cosine

SCHEDULE = cosine()
N = 200


def p_value(a, b, permutations=200):
    """Permutation test of the energy distance 2 E|a − b| − E|a − a'| − E|b − b'|, which is 0 only for equal laws.

    With as many a as b, it is −eᵀ D e / N² for the distances D and e = 1 at each a, −1 at each b.
    """
    both = np.concatenate([a, b]).reshape(2 * N, -1).astype(np.float64)
    square = (both**2).sum(1)
    apart = np.sqrt(np.maximum(square[:, None] + square - 2 * both @ both.T, 0))
    signs = np.repeat([1.0, -1.0], N)
    signs = np.stack([signs, *(rng(seed).permutation(signs) for seed in range(permutations))])
    observed, *others = -((signs @ apart) * signs).sum(1) / N**2
    return (1 + np.sum(np.array(others) >= observed)) / (1 + permutations)


def spiral():
    """(exact denoiser, fresh data to compare with)."""
    return IdealDenoiser(data.spiral_curve(256), SCHEDULE), data.spiral(N, rng=rng(1))


def faces():
    """The exact denoiser of 50 portraits must return each of them equally often."""
    portraits = data.faces().x0[:50]
    return IdealDenoiser(portraits, SCHEDULE), rng(1).choice(portraits, N)


SETS = pytest.mark.parametrize("setting", [spiral, faces])


def sampled(model, real, sampler=ddpm, **options):
    """As many samples as there are real ones, in 100 steps."""
    return end(sampler, model, SCHEDULE, rng(2).standard_normal(real.shape), steps=100, rng=rng(3), **options)


@SETS
@pytest.mark.parametrize("sampler", [ddpm, ddim])
def test_samples_of_the_exact_denoiser_cannot_be_told_from_the_data(setting, sampler):
    model, real = setting()
    assert p_value(sampled(model, real, sampler), real) > 0.01


def no_noise(alpha_bar_t, alpha_bar_s):
    return 0.0


def squared(alpha_bar_t, alpha_bar_s):
    """σ multiplies the noise where σ² is meant to be its variance."""
    return posterior_variance(alpha_bar_t, alpha_bar_s) ** 2


@SETS
@pytest.mark.parametrize("variance", [no_noise, squared])
def test_the_same_test_finds_wrong_noise(setting, variance):
    model, real = setting()
    assert p_value(sampled(model, real, step=partial(ddpm_step, variance=variance)), real) < 0.01


def test_the_same_test_finds_a_model_that_is_told_the_wrong_time():
    model, real = spiral()
    assert p_value(sampled(lambda xt, t: model(xt, max(t - 40, 1)), real), real) < 0.01


def test_noise_on_the_last_step_is_seen_as_grain():
    """It is too fine for the two-sample test, so the distance to the nearest datum finds it."""
    model, real = faces()
    clean = sampled(model, real)
    grainy = clean + (1 - SCHEDULE.at(10)) ** 0.5 * rng(4).standard_normal(clean.shape)

    def off(x):
        """Median over samples of the root-mean-square distance to the nearest portrait."""
        return np.median(np.sqrt(((x - model.x0_hat(x, 1)) ** 2).mean((1, 2, 3))))

    assert off(clean) < 0.005 and off(grainy) > 0.015


@pytest.mark.parametrize("sampler", [ddpm, ddim])
def test_sampling_stopped_half_way_goes_on_from_what_it_yielded(sampler):
    model, _ = spiral()
    xT, times = rng(2).standard_normal((20, 2)), SCHEDULE.steps(30)
    whole = end(sampler, model, SCHEDULE, xT, steps=times, rng=rng(3))

    noise = rng(3)
    path = sampler(model, SCHEDULE, xT, steps=times, rng=noise)
    middle = list(itertools.islice(path, 12))[-1]  # x after 11 steps
    path.close()
    np.testing.assert_array_equal(end(sampler, model, SCHEDULE, middle, steps=times[11:], rng=noise), whole)


def test_a_stopped_sampler_leaves_nothing_behind_and_can_be_run_again():
    net = torch.nn.Linear(2, 2)

    def path():
        noise = torch.Generator().manual_seed(0)
        return ddpm(lambda xt, t: net(xt), SCHEDULE, torch.zeros(3, 2), 20, rng=noise)

    stopped = path()
    for _ in range(5):
        next(stopped)
    assert torch.is_grad_enabled() and all(weight.grad is None for weight in net.parameters())
    first, again = torch.stack(list(path())), torch.stack(list(path()))  # while `stopped` still waits
    assert torch.equal(first, again)
    assert torch.equal(torch.stack(list(stopped)), first[5:])


def test_an_error_of_the_model_ends_one_path_but_not_the_next():
    asked = []

    def flaky(xt, t):
        asked.append(t)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return 0 * xt

    path = ddpm(flaky, SCHEDULE, np.zeros(2), 10, rng=rng(0))
    with pytest.raises(KeyboardInterrupt):
        list(path)
    assert list(path) == []
    assert len(list(ddpm(flaky, SCHEDULE, np.zeros(2), 10, rng=rng(0)))) == 11


SAMPLES = """
import hashlib, numpy as np
from diffusion_course.samplers import ddpm
from diffusion_course.schedule import cosine
rng = np.random.default_rng(5)
*_, x0 = ddpm(lambda xt, t: np.tanh(xt[:, ::-1] * t), cosine(), rng.standard_normal((7, 2)), 10, rng=rng)
digest = hashlib.sha256(x0.tobytes()).hexdigest()
"""


def test_the_same_seed_gives_the_same_samples_in_two_processes():
    elsewhere = subprocess.run([sys.executable, "-c", SAMPLES + "print(digest)"], capture_output=True, text=True)
    here = {}
    exec(SAMPLES, here)
    assert len(here["digest"]) == len(hashlib.sha256().hexdigest())
    assert elsewhere.stdout.strip() == here["digest"], elsewhere.stderr
