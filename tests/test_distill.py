"""Distillation against a teacher whose trajectories are known in closed form: the exact denoiser of a Gaussian."""

import copy

import numpy as np
import pytest
import torch
from refusals import refused

from diffusion_course import distill, models, samplers, schedule
from diffusion_course.denoisers import GaussianDenoiser
from diffusion_course.distill import STEPS
from diffusion_course.forward import add_noise

COSINE = schedule.cosine()
LEARNT = [(1000, 700), (700, 400), (400, 150), (150, 0), (999, 300), (300, 0), (998, 0)]
MEAN, STD = 0.7, 0.4
TEACHER = GaussianDenoiser(MEAN, STD, COSINE)
NEXT = dict(LEARNT)  # t: where the step from t ends


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def spread(t):
    """Standard deviation of x_t."""
    return (COSINE.at(t) * STD**2 + 1 - COSINE.at(t)) ** 0.5


def follow(xt, t, s):
    """Where the ODE leads x_t: all x_t are Gaussian, it only shifts and scales them, (x_t − μ_t)/σ_t stays."""
    mean_t, mean_s = MEAN * COSINE.at(t) ** 0.5, MEAN * COSINE.at(s) ** 0.5
    return mean_s + spread(s) * (xt - mean_t) / spread(t)


def perfect(xt, t):
    """The student of `TEACHER` that has nothing more to learn."""
    return distill.pair(xt, follow(xt, t, NEXT[t]), COSINE.at(t), COSINE.at(NEXT[t]))[1]


def noise(n=400, dtype=torch.float64):
    return torch.randn(n, 2, generator=generator(), dtype=dtype)


# ---- the teacher's trajectories ------------------------------------------------------------------


def test_trajectories_follow_the_exact_solution():
    """40 steps of order 2: to within 1 % of the data's size. A place taken for its neighbour's is farther off."""
    path = distill.trajectories(TEACHER, noise()).path
    for t, s in LEARNT:
        assert (path[s] - follow(path[t], t, s)).abs().max() < 0.01 * STD
        if 0 < s:
            assert (path[s] - follow(path[t], t, s - 25)).abs().max() > 0.04 * STD
    assert all(torch.equal(path[t], noise()) for t in (998, 999, 1000))


def test_more_steps_end_nearer():
    exact = follow(noise(), 1000, 0)
    errors = [(distill.trajectories(TEACHER, noise(), steps=n).path[0] - exact).abs().max() for n in (20, 40, 80, 160)]
    assert all(np.diff(errors) < 0)


def test_steps_that_pass_by_what_is_to_be_learnt_are_refused():
    with pytest.raises(ValueError, match=r"7 steps pass by t = \[150, 300, 400, 700\]"):
        distill.trajectories(TEACHER, noise(), steps=7)


def test_each_trajectory_follows_its_own_condition():
    def moved(xt, t, cond):
        return GaussianDenoiser(cond[:, None], 0.0, COSINE)(xt, t)

    moved.schedule = COSINE
    means = torch.arange(5)
    found = distill.trajectories(moved, torch.zeros(5, 1), means, steps=20)
    torch.testing.assert_close(found.path[0][:, 0], means.float(), atol=1e-3, rtol=0)
    assert found.cond is means
    assert distill.trajectories(moved, torch.zeros(5, 1), means[:1], steps=20).cond.tolist() == [0] * 5


def test_a_scale_without_a_condition_is_refused():
    with pytest.raises(ValueError, match="there is no cond that it could exaggerate"):
        distill.trajectories(TEACHER, noise(), scale=3.0)


# ---- what the student is taught ------------------------------------------------------------------


@pytest.mark.parametrize(("t", "s"), LEARNT)
def test_the_pair_makes_both_ends_of_the_step_and_ddim_goes_from_one_to_the_other(t, s):
    xt, xs = noise(), torch.randn(400, 2, generator=generator(1), dtype=torch.float64)
    x0, eps = distill.pair(xt, xs, COSINE.at(t), COSINE.at(s))
    torch.testing.assert_close(add_noise(x0, COSINE.at(t), eps), xt)
    torch.testing.assert_close(add_noise(x0, COSINE.at(s), eps), xs)
    _, x = list(samplers.ddim(lambda xt, t: eps, COSINE, xt, (t, s) if s == 0 else (t, s, 0)))[:2]
    torch.testing.assert_close(x, xs)


def test_the_pair_of_one_gaussian_step_by_hand():
    """Data N(0, 1): the ODE stands still, x_s = x_t, so x_0 = x_t (1 − q)/(√ᾱ_s − q √ᾱ_t)."""
    a_t, a_s = 0.36, 0.64  # signal 0.6 and 0.8, noise 0.8 and 0.6, q = 3/4
    x0, eps = distill.pair(2.0, 2.0, a_t, a_s)
    assert x0 == pytest.approx(2 * 0.25 / (0.8 - 0.75 * 0.6))
    assert eps == pytest.approx((2 - 0.6 * x0) / 0.8)


@pytest.mark.parametrize("cond", [None, torch.arange(400)])
def test_a_batch_deals_trajectories_out_evenly_among_the_steps(cond):
    path = distill.trajectories(TEACHER, noise()).path
    x0, t, eps, said = distill.draw_batch(path[0], cond, COSINE, 70, generator(1), path=path, student=TEACHER)
    rows = torch.randint(400, (70,), generator=generator(1))
    assert said is None if cond is None else torch.equal(said, rows)
    for start, end in LEARNT:
        here = t == start
        assert here.sum() == 10
        for time in (start, end):
            torch.testing.assert_close(add_noise(x0[here], COSINE.at(time), eps[here]), path[time][rows[here]])


def test_a_student_of_fewer_ways_is_taught_the_steps_of_those_alone():
    path = distill.trajectories(TEACHER, noise(), ways=(4, 1)).path
    assert sorted(path) == [0, 150, 400, 700, 998, 1000]
    assert distill.student_steps(path) == [*LEARNT[:4], LEARNT[-1]]
    _, t, _, _ = distill.draw_batch(path[0], None, COSINE, 70, generator(1), path=path, student=TEACHER)
    assert sorted(set(t.tolist())) == [150, 400, 700, 998, 1000]


def test_the_perfect_student_has_no_loss_and_the_teacher_has():
    """Nothing is left to chance in the pairs, so nothing of the loss is left but the error of the teacher's steps."""
    path = distill.trajectories(TEACHER, noise()).path
    x0, t, eps, _ = distill.draw_batch(path[0], None, COSINE, 700, generator(1), path=path, student=TEACHER)
    xt, of_v = add_noise(x0, COSINE.at(t), eps), 1 / torch.from_numpy(COSINE.at(t))[:, None]
    answers = torch.cat([perfect(xt[t == start], start) for start, _ in LEARNT])
    loss, of_teacher = ((((eps - eps_hat) ** 2) * of_v).mean().item() for eps_hat in (answers, TEACHER(xt, t)))
    assert loss < 1e-3 * STD**2 < 0.05 * STD**2 < of_teacher


def test_a_small_student_learns_the_steps():
    """A network 800 steps old: within 5 % of the data's size of the exact end on average, from each of the starts."""
    torch.manual_seed(0)
    paths = distill.trajectories(TEACHER, torch.randn(4000, 2, generator=generator(2)))
    *_, record = distill.distill(models.SpiralMLP(COSINE), paths, steps=800, batch=140, lr=4e-3, rng=generator())
    fresh = torch.randn(1000, 2, generator=generator(3))
    for times in STEPS.values():
        *_, x0 = samplers.ddim(record.ema, COSINE, fresh, times)
        assert (x0 - follow(fresh, 1000, 0)).abs().mean() < 0.05 * STD
    *_, of_teacher = samplers.ddim(TEACHER, COSINE, fresh, STEPS[1])
    assert (of_teacher - follow(fresh, 1000, 0)).abs().mean() > 0.5 * STD  # its one step ends at the mean


# ---- how the student is sampled ------------------------------------------------------------------


@pytest.mark.parametrize("count", STEPS)
def test_so_many_steps_are_so_many_evaluations_and_a_perfect_student_ends_exactly(count):
    evaluated = []

    def student(xt, t):
        evaluated.append(t)
        return perfect(xt, t)

    *_, x0 = samplers.ddim(student, COSINE, noise(), STEPS[count])
    assert len(evaluated) == count and set(evaluated) <= set(NEXT)
    torch.testing.assert_close(x0, follow(noise(), STEPS[count][0], 0))


def test_the_start_says_how_many_steps_because_nothing_else_is_left_there():
    assert distill.student_steps(range(1001)) == LEARNT
    assert len(NEXT) == len(LEARNT) == sum(STEPS)  # no time is taught two ways
    assert COSINE.alpha_bar[min(times[0] for times in STEPS.values())] < 1e-5


@pytest.mark.parametrize("way", [8, 0, "4", None, [4]])
def test_a_number_of_steps_that_nobody_is_taught_is_refused(way):
    with refused("4, 2, 1 sampling steps, not 8" if way == 8 else f"a number in ways is {way!r}"):
        distill.trajectories(TEACHER, noise(5), ways=(4, way))


def test_another_T_than_that_of_the_taught_times_is_refused():
    short = models.SpiralMLP(schedule.cosine(100))
    for call in (
        lambda: distill.trajectories(short, noise(5)),
        lambda: distill.distill(short, distill.Trajectories({0: noise(5)}, None), steps=1),
    ):
        with refused("T = 1000", "T = 100"):
            call()
    with refused("Linear has no .schedule"):
        distill.trajectories(torch.nn.Linear(2, 2), noise(5))


def test_trajectories_that_teach_nothing_are_refused():
    student = models.SpiralMLP(COSINE)
    for path in ({}, {0: noise(5)}):
        with refused("stop at t =", list(path)):
            distill.distill(student, distill.Trajectories(path, None), steps=1)
    for ways, said in ((8, ("ways must be a list", "8")), ((), ("ways is empty",))):
        with refused(*said):
            distill.trajectories(TEACHER, noise(5), ways=ways)


def test_a_batch_too_small_for_every_step_is_refused():
    paths = distill.trajectories(TEACHER, noise(5), ways=(2, 1))
    next(distill.distill(models.SpiralMLP(COSINE), paths, steps=1, batch=3))
    with refused("batch, of 3 kinds of steps to learn, is 2"):
        distill.distill(models.SpiralMLP(COSINE), paths, steps=1, batch=2)


# ---- as a training -------------------------------------------------------------------------------


def test_a_resumed_distillation_has_the_same_losses():
    torch.manual_seed(0)
    student, paths = models.SpiralMLP(COSINE), distill.trajectories(TEACHER, noise(50))
    recipe = {"steps": 10, "batch": 14, "lr": 1e-3}
    losses = []
    for record in distill.distill(copy.deepcopy(student), paths, **recipe, rng=generator()):
        losses.append(record.loss.item())
        if record.step == 6:
            state = record.run.state()
    resumed = distill.distill(copy.deepcopy(student), paths, **recipe, rng=generator(9), resume=state)
    assert [record.loss.item() for record in resumed] == losses[6:]


def test_a_conditional_student_hears_the_condition_of_its_trajectory():
    torch.manual_seed(0)
    network = models.SpiralMLP(COSINE, attributes=(5,))
    paths = distill.trajectories(network, noise(50, torch.float32), torch.arange(50) % 5, steps=20)
    heard, told = [], {tuple(x.tolist()): code for x, code in zip(paths.path[0], paths.cond, strict=True)}
    student = copy.deepcopy(network)
    student.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[2]))
    next(distill.distill(student, paths, steps=1, batch=14, rng=generator()))
    rows = torch.randint(50, (14,), generator=generator())
    assert heard[0].flatten().tolist() == [told[tuple(paths.path[0][row].tolist())].item() for row in rows]
