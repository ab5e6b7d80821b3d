"""The mathematics of diffusion.js, in a real JavaScript engine: the ideal denoiser and the samplers once more."""

import numpy as np
import pytest

from diffusion_course import denoisers, samplers
from diffusion_course.lab.panel import script
from diffusion_course.schedule import linear

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def javascript(new_page):
    """`javascript(expression, **arrays)`: its value, with the arrays as flat lists."""
    with new_page() as page:

        def run(expression, **given):
            flat = {name: np.asarray(value, dtype=float).ravel().tolist() for name, value in given.items()}
            names = ", ".join(flat)
            code = f"({{{names}}}) => {{ {script('diffusion')}\nconst made = {expression};\nreturn [...made]; }}"
            return np.array(page.evaluate(code, flat))

        yield run


@pytest.mark.parametrize("t", [1, 30, 400, 1000])
def test_the_guess_is_the_ideal_denoisers(javascript, t):
    schedule, data = linear(), RNG.normal(size=(50, 2))
    xt = RNG.normal(size=(40, 2))
    guess = javascript(f"idealGuess(xt, data, {schedule.at(t)!r})", xt=xt, data=data)
    np.testing.assert_allclose(guess, denoisers.IdealDenoiser(data, schedule).x0_hat(xt, t).ravel(), atol=1e-9)


def test_the_step_is_the_samplers(javascript):
    schedule, t, s = linear(), 700, 650
    xt, x0_hat = RNG.normal(size=(2, 40, 2))
    powers = f"{schedule.at(t)!r}, {schedule.at(s)!r}"
    stepped = javascript(f"ddimStep(xt, x0_hat, {powers})", xt=xt, x0_hat=x0_hat)
    np.testing.assert_allclose(stepped, samplers.ddim_step(xt, x0_hat, t, s, schedule).ravel(), atol=1e-12)


@pytest.mark.parametrize("n", [1, 7, 400, 1000])
def test_the_times_are_the_schedules(javascript, n):
    assert (javascript(f"evenSteps(1000, {n})") == linear().steps(n)).all()


def test_the_whole_way_is_ddim(javascript):
    schedule, data, xT = linear(), RNG.normal(size=(30, 2)), RNG.normal(size=(40, 2))
    made = """(() => {
      const run = flow({ alphaBar, points: data, steps: 20, xT });
      while (run.known < 20) run.next();
      return run.at(20);
    })()"""
    x0 = javascript(made, alphaBar=schedule.alpha_bar, data=data, xT=xT)
    *_, expected = samplers.ddim(denoisers.IdealDenoiser(data, schedule), schedule, xT, 20)
    np.testing.assert_allclose(x0, expected.ravel(), atol=1e-7)


def test_noise_is_normal(javascript):
    z = javascript("normals(100000, uniform(3))")
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02 and abs((z**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(z[::2], z[1::2])[0, 1]) < 0.02


def test_strokes_become_even_points(javascript):
    points = javascript("alongStrokes([[[0, 0], [3, 0], [3, 1]], [[0, 2], [0, 6]], [[5, 5]]], 8)").reshape(8, 2)
    expected = [[0.5, 0], [1.5, 0], [2.5, 0], [3, 0.5], [0, 2.5], [0, 3.5], [0, 4.5], [0, 5.5]]
    np.testing.assert_allclose(points, expected, atol=1e-6)
