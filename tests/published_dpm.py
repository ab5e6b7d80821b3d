"""The third-order step of DPM-Solver++ as the authors' code and diffusers have it: half of its last term."""

import math

from diffusion_course.samplers import dpm_solver_step


def published_step(xt, x0_hat, t, s, schedule, before=()):
    """`samplers.dpm_solver_step` but for order 3, where ∫ e^{u−u_s} (u−u_t)² du counts half.

    Newton's second divided difference is half of a second derivative; released code halves once more.
    """
    x = dpm_solver_step(xt, x0_hat, t, s, schedule, before)
    if len(before) < 2 or s == 0:
        return x
    u = schedule.log_snr / 2
    (t_0, guess_0), (t_1, guess_1), (t_2, guess_2) = (t, x0_hat), *before
    slopes = (guess_0 - guess_1) / (u[t_0] - u[t_1]), (guess_1 - guess_2) / (u[t_1] - u[t_2])
    h, bend = u[s] - u[t], (slopes[0] - slopes[1]) / (u[t_0] - u[t_2])
    return x - schedule.at(s) ** 0.5 * (h**2 - 2 * (h + math.expm1(-h))) / 2 * bend
