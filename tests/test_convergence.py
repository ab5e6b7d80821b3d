"""Each sampler of the ODE has the order of convergence it claims, on a problem whose exact solution is known.

For data N(mean, std²) the probability-flow ODE moves x along its quantile: (x_t − √ᾱ_t mean) / spread of x_t stays.

The measurement is kept clean by three choices. The schedule is even in u = ½ log-SNR from −5, where sampling begins
in practice, to 3, so that n steps have the same length there, and no integer time needs rounding. The last step, to
ᾱ = 1, has order 1 whatever the sampler and an infinite length in u: it is taken, but not looked at. And the error is
the largest on the way, at 15 times that all paths visit: at a single time errors of both signs may cancel and feign a
higher order. The first steps of `dpm_solver`, of lower order, do not show: at u = −5 the guess of x_0 hardly moves yet,
and their error counts e^{2u} = 5e-5 times.
"""

import numpy as np
import pytest
from published_dpm import published_step
from sampling import EXACT, MEAN, ODE_SAMPLERS, SCHEDULE, SCHEDULES, STD, end, transported

from diffusion_course import samplers
from diffusion_course.beyond.inversion import encode
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.samplers import ddim, heun
from diffusion_course.schedule import Schedule

T = 961  # 960 steps even in u, and the one to ᾱ = 1
EVEN_IN_U = Schedule(np.append(1.0, 1 / (1 + np.exp(-2 * np.linspace(3, -5, T)))))
MODEL = GaussianDenoiser(MEAN, STD, EVEN_IN_U)
XT = np.array([-1.0, 0.5, 2.0])
ORDERS = {"ddim": 1, "heun": 2, "dpm-1": 1, "dpm-2": 2, "dpm-3": 3}
every_ode_sampler = pytest.mark.parametrize("sampler", ODE_SAMPLERS.values(), ids=ODE_SAMPLERS)


def error(sampler, n):
    times = np.append(np.arange(T, 0, -(960 // n)), 0)
    path = np.array(list(sampler(MODEL, EVEN_IN_U, XT, times)))
    power = EVEN_IN_U.at(times)[:, None]
    spread = (power * STD**2 + 1 - power) ** 0.5
    exact = power**0.5 * MEAN + spread * (XT - power[0] ** 0.5 * MEAN) / spread[0]
    return np.abs(path - exact)[:-1][:: n // 15].max()


def slopes(errors):
    """log₂ of how much smaller the error gets when the steps get half as long, three times."""
    return np.log2(np.array(errors[:-1]) / errors[1:])


@pytest.mark.parametrize("name", ["ddim", *ODE_SAMPLERS])
def test_observed_order_and_a_smaller_error_for_it(name):
    sampler, order = ODE_SAMPLERS.get(name, ddim), ORDERS[name]
    errors = [error(sampler, n) for n in (60, 120, 240, 480)]
    np.testing.assert_allclose(slopes(errors), order, atol=0.2)
    assert order == 1 or errors[0] < error(ddim, 60) / 4


def test_half_of_the_last_term_costs_an_order(monkeypatch):
    """Why `dpm_solver` does not have the third-order formula as released."""
    monkeypatch.setattr(samplers, "dpm_solver_step", published_step)
    errors = [error(ODE_SAMPLERS["dpm-3"], n) for n in (60, 120, 240, 480)]
    np.testing.assert_allclose(slopes(errors), 2, atol=0.2)


# Towards the exact solution.


def test_ddim_with_all_steps_follows_the_exact_transport_map():
    xT = np.linspace(-2, 2, 9)
    x0 = end(ddim, EXACT, SCHEDULE, xT, steps=1000)
    np.testing.assert_allclose(x0, transported(SCHEDULE, xT), atol=0.01)  # 1000 steps: bias of order 1/1000 each way


@every_ode_sampler
def test_more_steps_are_closer_to_the_exact_transport_map(sampler):
    xT = np.array([2.0])
    off = [abs(end(sampler, EXACT, SCHEDULE, xT, n) - transported(SCHEDULE, xT))[0] for n in (5, 20, 100, 1000)]
    assert off == sorted(off, reverse=True)


@every_ode_sampler
@pytest.mark.parametrize("spacing", ["even", "leading", "logsnr", "exponential", "karras"])
def test_every_spacing_leads_to_the_transport_map(sampler, spacing):
    xT = np.linspace(-2, 2, 9)
    x0 = end(sampler, EXACT, SCHEDULE, xT, steps=SCHEDULE.steps(200, spacing))
    np.testing.assert_allclose(x0, transported(SCHEDULE, xT), atol=0.05)


def test_heun_on_cosine_needs_steps_of_a_bounded_factor_in_sigma():
    """The mean of slopes is far off from σ_T = 20,000 to 16 in one step; not from 107 to 71, nor evenly in log σ."""
    schedule, xT = SCHEDULES["cosine"], np.linspace(-2, 2, 9)
    model = GaussianDenoiser(MEAN, STD, schedule)

    def error(steps):  # √ᾱ_T, and even √ᾱ at log-SNR −10.2, count for less than 0.02
        return np.abs(end(heun, model, schedule, xT, steps) - (MEAN + STD * xT)).max()

    assert error(schedule.steps(26, "logsnr")[1:]) < 0.05
    assert error(schedule.steps(40, "exponential")) < 0.1
    assert error(25) > 0.5


# Up and down again.


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_encode_climbs_the_transport_map(schedule):
    x0 = MEAN + STD * np.linspace(-2, 2, 9)
    first, *_, xT = encode(GaussianDenoiser(MEAN, STD, schedule), schedule, x0, steps=1000)
    power = schedule.alpha_bar[-1]
    spread = (power * STD**2 + 1 - power) ** 0.5
    assert first is x0
    np.testing.assert_allclose(xT, power**0.5 * MEAN + spread * (x0 - MEAN) / STD, atol=0.02)


def test_decoding_what_was_encoded_errs_with_the_length_of_the_steps():
    """Twice the steps, half the error: order 1."""
    x0 = MEAN + STD * np.linspace(-2, 2, 9)

    def off(n):
        xT = end(encode, EXACT, SCHEDULE, x0, steps=n)
        return np.abs(end(ddim, EXACT, SCHEDULE, xT, steps=n) - x0).max()

    np.testing.assert_allclose(slopes([off(n) for n in (62, 125, 250, 500)]), 1, atol=0.2)


def test_encode_asks_at_the_cleaner_end_of_each_step_and_never_at_0():
    asked = []

    def model(xt, t):
        asked.append(t)
        return EXACT(xt, t)

    path = list(encode(model, SCHEDULE, np.zeros(3), steps=[1000, 400, 30, 0]))
    assert asked == [1, 30, 400]
    assert len(path) == 4
    np.testing.assert_array_equal(path[-1], end(encode, EXACT, SCHEDULE, np.zeros(3), steps=(1000, 400, 30, 0)))
    assert len(list(encode(EXACT, SCHEDULE, np.zeros(3)))) == 51  # 50 steps unless told otherwise
