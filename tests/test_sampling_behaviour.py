"""Samples against the data as whole distributions, and walks that are stopped, resumed or run elsewhere."""

import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch

from diffusion_course import data
from diffusion_course.denoisers import IdealDenoiser
from diffusion_course.forward import posterior_variance
from diffusion_course.samplers import ddim, ddpm
from diffusion_course.schedule import cosine

SCHEDULE = cosine()
N = 200


def rng(seed):
    return np.random.default_rng(seed)


def p_value(a, b, permutations=200):
    """Permutation test of the energy distance 2 E|a − b| − E|a − a'| − E|b − b'|, which is 0 only for equal laws."""
    both = np.concatenate([a, b]).reshape(len(a) + len(b), -1).astype(np.float64)
    square = (both**2).sum(1)
    apart = np.sqrt(np.maximum(square[:, None] + square - 2 * both @ both.T, 0))

    def energy(order):
        first, second = order[: len(a)], order[len(a) :]
        within = apart[np.ix_(first, first)].mean() + apart[np.ix_(second, second)].mean()
        return 2 * apart[np.ix_(first, second)].mean() - within

    random = rng(0)
    observed = energy(np.arange(len(both)))
    others = [energy(random.permutation(len(both))) for _ in range(permutations)]
    return (1 + sum(other >= observed for other in others)) / (1 + permutations)


def spiral():
    """(exact denoiser, fresh data to compare with)."""
    return IdealDenoiser(data.spiral_curve(256), SCHEDULE), data.spiral(N, rng=rng(1))


def faces():
    """The exact denoiser of 50 portraits must return each of them equally often."""
    portraits = data.faces().x0[:50]
    return IdealDenoiser(portraits, SCHEDULE), rng(1).choice(portraits, N)


SETS = pytest.mark.parametrize("setting", [spiral, faces])


def walked(model, real, sampler=ddpm, **options):
    """As many samples as there are real ones, in 100 strokes."""
    xT = rng(2).standard_normal(real.shape)
    *_, x0 = sampler(model, SCHEDULE, xT, steps=100, rng=rng(3), **options)
    return x0


@SETS
@pytest.mark.parametrize("sampler", [ddpm, ddim])
def test_samples_of_the_exact_denoiser_cannot_be_told_from_the_data(setting, sampler):
    model, real = setting()
    assert p_value(walked(model, real, sampler), real) > 0.01


def no_noise(alpha_bar_t, alpha_bar_s):
    return 0.0


def squared(alpha_bar_t, alpha_bar_s):
    """σ multiplies the noise where σ² is meant to be its variance."""
    return posterior_variance(alpha_bar_t, alpha_bar_s) ** 2


@SETS
@pytest.mark.parametrize("variance", [no_noise, squared])
def test_the_same_test_finds_wrong_noise(setting, variance):
    model, real = setting()
    assert p_value(walked(model, real, variance=variance), real) < 0.01


def test_the_same_test_finds_a_model_that_is_told_the_wrong_time():
    model, real = spiral()

    def late(xt, t):
        return model(xt, max(t - 40, 1))

    assert p_value(walked(late, real), real) < 0.01


def test_noise_on_the_last_stroke_is_seen_as_grain():
    """It is too fine for the two-sample test, so the distance to the nearest datum finds it."""
    model, real = faces()
    clean = walked(model, real)
    grainy = clean + (1 - SCHEDULE.at(10)) ** 0.5 * rng(4).standard_normal(clean.shape)

    def off(x):
        """Median over samples of the root-mean-square distance to the nearest portrait."""
        return np.median(np.sqrt(((x - model.x0_hat(x, 1)) ** 2).mean((1, 2, 3))))

    assert off(clean) < 0.005 and off(grainy) > 0.015


@pytest.mark.parametrize("sampler", [ddpm, ddim])
def test_a_walk_stopped_half_way_goes_on_from_what_it_yielded(sampler):
    model, _ = spiral()
    xT, times = rng(2).standard_normal((20, 2)), SCHEDULE.steps(30)
    *_, whole = sampler(model, SCHEDULE, xT, steps=times, rng=rng(3))

    noise = rng(3)
    walk = sampler(model, SCHEDULE, xT, steps=times, rng=noise)
    middle = list(itertools.islice(walk, 12))[-1]  # x after 11 strokes
    walk.close()
    *_, resumed = sampler(model, SCHEDULE, middle, steps=times[11:], rng=noise)
    np.testing.assert_array_equal(resumed, whole)


def test_a_stopped_walk_leaves_nothing_behind_and_can_be_run_again():
    net = torch.nn.Linear(2, 2)

    def walk():
        return ddpm(lambda xt, t: net(xt), SCHEDULE, torch.zeros(3, 2), 20, torch.Generator().manual_seed(0))

    stopped = walk()
    for _ in range(5):
        next(stopped)
    assert torch.is_grad_enabled() and all(weight.grad is None for weight in net.parameters())
    first, again = torch.stack(list(walk())), torch.stack(list(walk()))  # while `stopped` still waits
    assert torch.equal(first, again)
    assert torch.equal(torch.stack(list(stopped)), first[5:])


def test_an_error_of_the_model_ends_the_walk_but_not_the_next_one():
    asked = []

    def flaky(xt, t):
        asked.append(t)
        if len(asked) == 4:
            raise KeyboardInterrupt
        return 0 * xt

    walk = ddpm(flaky, SCHEDULE, np.zeros(2), 10, rng(0))
    with pytest.raises(KeyboardInterrupt):
        list(walk)
    assert list(walk) == []
    assert len(list(ddpm(flaky, SCHEDULE, np.zeros(2), 10, rng(0)))) == 11


PICTURE = """
import hashlib, torch
from diffusion_course.run.checkpoints import pretrained
from diffusion_course.data import face_codes
from diffusion_course.guidance import guided
from diffusion_course.samplers import ddpm
torch.set_num_threads(1)
model, rng = pretrained("faces"), torch.Generator().manual_seed(5)
wish = torch.as_tensor(face_codes("hat")).repeat(2, 1)
*_, x0 = ddpm(guided(model, wish, 2.0), model.schedule, torch.randn(2, 3, 16, 16, generator=rng), 10, rng)
print(hashlib.sha256(x0.contiguous().numpy().tobytes()).hexdigest())
"""


def test_the_same_seed_gives_the_same_picture_in_two_processes():
    runs = [subprocess.run([sys.executable, "-c", PICTURE], capture_output=True, text=True) for _ in range(2)]
    hashes = [run.stdout.strip() for run in runs]
    assert len(hashes[0]) == len(hashlib.sha256().hexdigest()), runs[0].stderr
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    "answer", [lambda xt, t: (xt, t), lambda xt, t: xt[:, :1], lambda xt, t: xt * np.nan], ids=["tuple", "shape", "NaN"]
)
@pytest.mark.parametrize("sampler", [ddpm, ddim])
def test_a_wrong_answer_is_refused_at_the_first_stroke_by_the_models_name(sampler, answer):
    def clumsy_network(xt, t):
        return answer(xt, t)

    walk = sampler(clumsy_network, cosine(), np.ones((3, 2)), steps=50)
    next(walk)  # x_T needs no answer
    with pytest.raises(ValueError, match=r"clumsy_network\(xt, t\).* t = 1000"):
        next(walk)
