"""The pieces of lessons 4 to 6: right in any style, the package's own samplers agree, a wrong weight is found."""

import inspect
from itertools import pairwise

import numpy as np
import pytest
import torch

from diffusion_course import check, data, samplers, schedule
from diffusion_course.check import guidance, small_spaces, steering, straight_paths
from diffusion_course.check.engine import Mistake
from diffusion_course.check.lesson6 import SHORT, STARTS, WIDE, missed
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.forward import add_noise, posterior, randn_like, x0_from_eps


def told(name, attempt) -> str:
    with pytest.raises(Mistake) as caught:
        getattr(check, name)(attempt)
    return str(caught.value)


def decode_on_tensors(answer, output, xt, a):
    return decode_of_a_tensor(answer, output, xt, torch.as_tensor(a))


def decode_of_a_tensor(answer, output, xt, a):
    if output == "v":
        return torch.sqrt(a) * answer + torch.sqrt(1 - a) * xt
    return answer if output == "eps" else (xt - torch.sqrt(a) * answer) / torch.sqrt(1 - a)


def ddpm_by_posterior(xt, x0_hat, t, s, schedule, z):
    mean, variance = posterior(x0_hat, xt, schedule.at(t), schedule.at(s))
    return mean if s == 0 else mean + variance**0.5 * z


def ddpm_by_eps(xt, x0_hat, t, s, schedule, z):
    a_t, a_s = torch.tensor(schedule.alpha_bar)[[t, s]]
    eps_hat, variance = (xt - torch.sqrt(a_t) * x0_hat) / torch.sqrt(1 - a_t), (1 - a_s) / (1 - a_t) * (1 - a_t / a_s)
    return torch.sqrt(a_s) * x0_hat + torch.sqrt(1 - a_s - variance) * eps_hat + torch.sqrt(variance) * z


def ddim_by_sigma(x0_hat, eps_hat, t, s, schedule, eta, z):
    a_t, a_s = schedule.alpha_bar[[t, s]]
    sigma = eta * np.sqrt((1 - a_s) / (1 - a_t) * (1 - a_t / a_s))
    return np.sqrt(a_s) * x0_hat + np.sqrt(1 - a_s - sigma**2) * eps_hat + sigma * z if s else x0_hat


def arithmetic(mask, known, guess):
    return mask * known + (1 - mask) * guess


def inpaint_up_afterwards(model, schedule, x, known, mask, steps, rounds, rng, mix=arithmetic):
    for t, s in pairwise(schedule.steps(steps).tolist()):
        for left in reversed(range(rounds)):
            guess = mix(mask, known, x0_from_eps(x, schedule.at(t), model(x, t)))
            x = check.ddpm_step.reference(x, guess, t, s, schedule, randn_like(x, rng))
            x = check.renoise.reference(x, s, t, schedule, randn_like(x, rng)) if left else x
    return x


RIGHT = [
    ("decode", decode_on_tensors),
    ("loss_floor", lambda a, s: 1 - (1 - a) / (1 - a + (a**0.5 * s) ** 2)),
    ("ddpm_step", ddpm_by_posterior),
    ("ddpm_step", ddpm_by_eps),
    ("relay", lambda early, late, switch: lambda x, t: (late if t <= switch else early)(x, t)),
    ("guided", lambda free, cond, scale: (1 - scale) * free + scale * cond),
    ("guided_within", lambda free, cond, t, w, low, high: cond + (w - 1) * (cond - free) * (low < t <= high)),
    ("variance_left", lambda C, a: C[0, 0] - a * C[0] @ np.linalg.solve(a * C + (1 - a) * np.eye(len(C)), C[0])),
    ("renoise", lambda xs, s, t, schedule, z: add_noise(xs, np.prod(schedule.alpha[s + 1 : t + 1]), z)),
    ("inpaint", inpaint_up_afterwards),
    ("ddim_step", ddim_by_sigma),
    ("extended_guess", lambda now, before, h, h_before: (1 + h / h_before / 2) * now - h / h_before / 2 * before),
    ("spacing", lambda T, n: [round(T * (1 - i / n) ** 2) for i in range(n + 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "attempt"), RIGHT, ids=lambda part: part if isinstance(part, str) else part.__name__)
def test_right_in_any_style(name, attempt):
    assert inspect.unwrap(getattr(check, name)(attempt)) is attempt


def test_a_function_for_tensors_is_handed_tensors():
    read = check.decode(decode_of_a_tensor)
    assert read(torch.tensor([0.4]), "v", torch.tensor([2.2]), 0.36).item() == pytest.approx(2)


@pytest.mark.parametrize(("library", "fails"), [(np, "tensors"), (torch, "NumPy arrays")], ids=["numpy", "torch"])
def test_inpainting_must_do_with_arrays_and_tensors(library, fails):
    def inpaint(*given):
        return inpaint_up_afterwards(*given, mix=lambda mask, known, guess: library.where(mask == 1, known, guess))

    assert f"right, but not for {fails}" in told("inpaint", inpaint)


def test_steps_are_those_of_the_samplers():
    x, xs, rng = STARTS, STARTS, np.random.default_rng(3)
    *_, sampled = samplers.ddpm(WIDE, SHORT, x, 25, rng=np.random.default_rng(3))
    for t, s in pairwise(SHORT.steps(25).tolist()):
        z = randn_like(x, rng) if s else 0 * x
        xs = check.ddpm_step.reference(xs, x0_from_eps(xs, SHORT.at(t), WIDE(xs, t)), t, s, SHORT, z)
    np.testing.assert_allclose(xs, sampled, atol=1e-9)
    *_, sampled = samplers.ddim(WIDE, SHORT, x, 25, eta=0.5, rng=np.random.default_rng(3))
    found = check.ddim_sampler.reference(WIDE, SHORT, x, 25, 0.5, np.random.default_rng(3))
    np.testing.assert_allclose(found, sampled, atol=1e-9)
    *_, own = samplers.ddpm(WIDE, SHORT, x, 25, rng=np.random.default_rng(3), step=check.ddpm_step.reference)
    *_, ours = samplers.ddpm(WIDE, SHORT, x, 25, rng=np.random.default_rng(3))
    np.testing.assert_allclose(own, ours, atol=1e-9)
    *_, sampled = samplers.dpm_solver(WIDE, SHORT, x, 12)
    np.testing.assert_allclose(check.dpm_2m.reference(WIDE, SHORT, x, SHORT.steps(12)), sampled, atol=1e-9)


def test_samplers_run_networks_too():
    def network(xt, t):
        return xt / 2

    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0))
    *_, right = samplers.ddim(network, SHORT, x, 10, eta=1.0, rng=torch.Generator().manual_seed(1))
    found = check.ddim_sampler.reference(network, SHORT, x, 10, 1.0, torch.Generator().manual_seed(1))
    torch.testing.assert_close(found, right)
    assert check.dpm_2m.reference(network, SHORT, x, SHORT.steps(10)).dtype == x.dtype


def too_little_noise(model, schedule, xT, n, eta, rng):
    x = xT
    for t, s in pairwise(schedule.steps(n)):
        eps_hat, a_t = model(x, t), schedule.at(t)
        x0_hat = (x - (1 - a_t) ** 0.5 * eps_hat) / a_t**0.5
        x = check.ddim_step.reference(x0_hat, eps_hat, t, s, schedule, eta, 0.9 * randn_like(x, rng))
    return x


def every_step(model, schedule, xT, n, eta, rng):
    return check.ddim_sampler.reference(model, schedule, xT, schedule.T, eta, rng)


def negative_factor(model, schedule, xT, times):
    lam, x = schedule.log_snr / 2, xT
    for t, s in pairwise(times):
        a_t, a_s = schedule.at(t), schedule.at(s)
        x0_hat = (x - (1 - a_t) ** 0.5 * model(x, t)) / a_t**0.5
        x = ((1 - a_s) / (1 - a_t)) ** 0.5 * x + a_s**0.5 * (np.exp(lam[t] - lam[s]) - 1) * x0_hat
    return x


@pytest.mark.parametrize(
    ("name", "attempt", "text"),
    [
        ("ddim_sampler", too_little_noise, "in x at question 2 to the network (t = 27) your weight of z_1 is 0.337"),
        ("ddim_sampler", every_step, "your function asks the network 40 times, where 3 is right"),
        ("principal_axes", lambda x, k: (x.mean(0)[None], np.linalg.svd(x - x.mean(0))[2][:k]), "its shape is (1, 4)"),
        ("dpm_2m", negative_factor, "in x at question 2 to the network (t = 30) your weight of x_T is −"),
    ],
)
def test_what_no_table_foresees_is_isolated(name, attempt, text):
    assert text in told(name, attempt)


@pytest.mark.parametrize(
    ("attempt", "text"),
    [
        (lambda early, late, switch: early(0.5, 30), "return a function of (x, t)"),
        (lambda early, late, switch: early if switch > 5 else late, "`late` is never asked"),
        (lambda early, late, switch: lambda x, t: early(x, t) + late(x, t), "your answer at t = 30 is −179, and 30.5"),
    ],
)
def test_a_relay_is_asked_on_both_sides_of_the_switch(attempt, text):
    assert text in told("relay", attempt)


def test_enough_steps_takes_what_samples_can_tell(capsys):
    assert 58 <= check.enough_steps(...) <= 76 and not set("678") & set(capsys.readouterr().out)  # no answer given away
    assert check.enough_steps(66) == 66 and "exactly: 68" in capsys.readouterr().out
    assert check.enough_steps(59) == 59 and check.enough_steps(67.0) == 67  # 1/n from 25 steps, and a division's result
    check.enough_steps.solution()
    assert "enough_steps = 68\n" in capsys.readouterr().out
    assert "59.5 is not a number of steps" in told("enough_steps", 59.5)
    losses = [check.lesson5.too_narrow(n) for n in (67, 68)]
    assert losses[1] <= 0.05 < losses[0]
    assert "with 10 steps the spread is 22.3% too small" in told("enough_steps", 10)
    assert "1.9% too small; find the n for 5 %" in told("enough_steps", 200)
    rng = np.random.default_rng(0)
    model = GaussianDenoiser(2.0, 0.5, schedule.cosine())
    *_, x = samplers.ddpm(model, model.schedule, rng.standard_normal(20_000), 67, rng=rng)
    assert x.std() == pytest.approx(0.475, abs=0.01)  # four standard errors


def test_walkers_cross_where_the_check_of_the_level_says_they_do(capsys):
    assert check.crossing_level(92) == 92 and "exactly: 93" in capsys.readouterr().out
    shares = [check.score.crossed(t, walkers=4000) for t in (87, 93, 99)]
    assert shares == pytest.approx([0.45, 0.5, 0.55], abs=0.024)  # three standard errors
    assert "at t = 20, 0% of 20,000 walkers end right of 0" in told("crossing_level", 20)
    assert check.crossing_level(103) == 103  # 54 % of the 2000 that the notebook draws there


def test_the_haze_is_halved_where_the_check_says():
    (n,) = check.haze_level.right
    haze = {level: check.likelihood.haze(level) for level in (50, n - 10, n)}
    assert haze[n] < haze[50] / 2 < haze[n - 10]
    assert "below t = 200 the gaps hold 0.02%, of 0.32%" in told("haze_level", 200)


def test_the_two_that_meet_are_near_and_part_most():
    places = np.array([[0, 0], [0.01, 0], [0, 0.02], [1, 1]])
    assert straight_paths.meeting(places, np.array([[1, 0], [-1, 0], [0.5, 0], [-9, 0]])) == (0, 1)


def test_partners_may_be_drawn_in_any_order():
    def drawn(apart=False, later=0, given=True, rows=8192):
        def partners(ends, noise, times, rng):
            draw = lambda *to: torch.randint(*to, (128,), generator=rng if given else None)  # noqa: E731
            t, k = times[draw(40)] + later, draw(rows)
            return ends[draw(rows) if apart else k], noise[k], t

        return partners

    check.partners(drawn())
    assert "ends and noise are drawn apart" in told("partners", drawn(apart=True))
    assert "draw t from `times`" in told("partners", drawn(later=1))
    assert "Draw from `rng`" in told("partners", drawn(given=False))
    assert "from all there are" in told("partners", drawn(rows=128))


def test_an_order_must_keep_the_rule_and_how_often_two_meet():
    codes, pieces = data.faces().codes[:, :5], small_spaces
    shares = [(codes[codes.sum(1) == 2] == row).all(1).mean() for row in pieces.ROWS]
    assert pieces.CLUB == pytest.approx(shares, abs=0.01)
    a, b, c, d, *rest = pieces.NAMES
    assert "13% of the rows have both, and 8%" in told("reveal_order", lambda _: [[a, b], [c], [d], rest[:1], rest[1:]])
    assert "with your order 68% of the rows" in told("reveal_order", lambda _: [[a], [b], [c], [d, *rest]])
    assert "you ask 7 times" in told("reveal_order", lambda names: [[name] for name in names])
    assert "background stands once; yours are [['hat']]" in told("reveal_order", lambda names: [names[:1]])


def test_levels_of_ones_own_must_fall_and_miss_little():
    assert "the last of them 0.002; yours are [1.0, 0.5]" in told("my_grid", lambda n: [1, 0.5])
    assert "misses the ends by 0.1" in told("my_grid", lambda n: np.geomspace(80, 0.002, n))


def test_the_guidance_interval_has_to_win_in_both_numbers():
    places = {n: [guidance.interval(top - 20 * n, top) for top in range(200, 420, 20)] for n in (2, 3)}
    assert {n for n in places if any(obeys >= 0.995 and far < 0.1 for obeys, far in places[n])} == {3}
    assert "place, below t = 340, 99.2% obey and the distance is 0.104." in told("guided_steps", 2)
    assert "4 are more than you need" in told("guided_steps", 4)


def test_a_share_of_the_variance_is_judged_by_where_the_crowd_ends():
    right = check.pull.right
    off = [abs(steering.mean_of_v(share) - 1.8) for share in (right[0], right[-1], right[0] - 1, right[-1] + 1)]
    assert max(off[:2]) < 0.02 < min(off[2:])
    assert "with 100 % of the common variance, v ends at 1.71 on average" in told("pull", 100)
    assert check.pull(80) == 80 and "40.5 is not a percentage" in told("pull", 40.5)


def test_a_gradient_that_goes_past_the_network_is_named():
    def attempt(model, xt, t, schedule, loss):
        xt = xt.clone().requires_grad_()
        x0_hat = x0_from_eps(xt, schedule.at(t), model(xt, t).detach())
        return -torch.autograd.grad(loss(x0_hat), xt)[0]

    assert "the gradient goes past the network" in told("slope_through", attempt)


def test_the_exact_root_in_a_step_of_the_family_is_named():
    def attempt(xt, score, beta, dial, z):
        return xt / (1 - beta) ** 0.5 + beta / 2 * (1 + dial) * score + (dial * beta) ** 0.5 * z

    assert "at β = 0.1 your weight of x_t is 1.054, and 1.050 is asked for" in told("family_step", attempt)


def test_spacing_of_ones_own_has_to_win_clearly():
    even, by_snr = schedule.cosine().steps(10), schedule.cosine().steps(10, "logsnr")
    assert missed(check.spacing.reference(1000, 10)) < missed(even) / 2 < missed(even) < missed(by_snr)
    assert "misses the ends by 0.0124, with even ones by 0.0124" in told("spacing", lambda T, n: even)
    assert "for n = 10 as for n = 8; yours are 2" in told("spacing", lambda T, n: [1000, 0])
    with pytest.raises(ValueError, match="yours go 0, 0"):
        missed([1000, 500, 0, 0])


def test_the_root_of_a_negative_number_is_told_not_raised():
    def attempt(model, schedule, xT, times):
        x = xT
        for t, s in pairwise(times):
            x = model(x, t) * (schedule.at(t) - schedule.at(s)) ** 0.5  # complex in Python
        return x

    assert "your weight of ε̂_1 is NaN" in told("dpm_2m", attempt).replace("weight of x_T", "weight of ε̂_1")


def test_an_error_that_quotes_an_array_is_cut():
    message = told("renoise", lambda xs, s, t, schedule, z: schedule.at(xs))
    assert "raises ValueError" in message and len(message) < 400
