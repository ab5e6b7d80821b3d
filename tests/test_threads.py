"""How many threads compute: chosen by how long a step took, here on machines that are made up."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_training import fresh, losses, pictures, pictures_network, run

from diffusion_course import training
from diffusion_course.machine import hardware, threads

IDLE = {1: 1.0, 2: 0.6, 4: 0.4, 8: 0.3}  # seconds a step
BUSY = {1: 1.1, 2: 20.0, 4: 30.0, 8: 40.0}
HALF = {1: 1.0, 2: 0.6, 4: 0.5, 8: 25.0}  # eight cores, of which other programs hold three


def tried(seconds, most, each=3):
    """The counts that a trial used, one after another, and the one that it chose."""
    trial, used = threads.Trial(most, each), []
    while not trial.done:
        used.append(trial.now)
        trial.took(seconds[trial.now])
    return used, trial.now


@pytest.mark.parametrize(
    ("seconds", "most", "used", "chosen"),
    [
        (IDLE, 8, [1, 1, 1, 2, 2, 2, 4, 4, 4, 8, 8, 8], 8),
        (IDLE, 3, None, 3),
        (HALF, 8, [1, 1, 1, 2, 2, 2, 4, 4, 4, 8], 4),
        (BUSY, 8, [1, 1, 1, 2], 1),
        ({1: 1.0, 2: 0.95}, 2, [1, 1, 1, 2, 2, 2], 1),
        (IDLE, 1, [1, 1, 1], 1),
    ],
)
def test_a_trial_doubles_as_long_as_that_helps(seconds, most, used, chosen):
    found = tried({3: 0.5, **seconds}, most)
    assert found[1] == chosen and used in (None, found[0])


def spent(phases, bound=lambda: 8):
    """Seconds that each phase, (seconds by count, steps), takes, over what the best count would take."""
    chooser = threads.Threads(8, bound)
    for seconds, steps in phases:
        took = []
        for _ in range(steps):
            took.append(seconds[chooser.now])
            chooser.took(took[-1])
        yield sum(took) / (steps * min(seconds.values()))


def test_work_that_comes_and_goes_costs_at_most_twice_the_best():
    share = list(spent([(IDLE, 1000), (BUSY, 1000), (HALF, 2000)]))
    assert share[0] < 1.1 and share[1] < 2 and share[2] < 2


def test_what_the_quick_trial_rules_out_is_not_tried():
    assert list(spent([(BUSY, 600)], lambda: 1)) == [pytest.approx(1.0)]


def test_a_restless_machine_is_tried_ever_less_often():
    """Busy for a while every 20 steps: trials that only confirm one thread do not eat up what they save."""
    restless = [({**BUSY, 1: 1.0}, 20), ({**BUSY, 1: 2.0}, 20)] * 50
    assert np.mean(list(spent(restless))[20:]) < 1.5


def test_the_first_step_of_a_training_does_not_count():
    chooser = threads.Threads(2, lambda: 2)
    for seconds in (100.0, 1.0, 1.0, 1.0):
        assert chooser.now == 1
        chooser.took(seconds)
    assert chooser.now == 2 and chooser.trial.best == 1.0


def test_with_one_thread_nothing_is_tried(monkeypatch):
    monkeypatch.setattr(threads, "quickest", lambda: pytest.fail("tried"))
    chooser = threads.Threads(1)
    for seconds in (1.0, 1.0, 50.0, 50.0):
        chooser.took(seconds)
    assert chooser.now == 1


def test_threads_change_a_training_by_rounding_only(monkeypatch):
    """The count moves with every step; the losses stay: float32 rounds them by 1.2e-5 on one CPU, less on others."""
    monkeypatch.setattr(hardware, "allowed", lambda: 2)
    monkeypatch.setattr(hardware, "quickest", lambda: 1)

    class Restless(threads.Threads):
        @property
        def now(self):
            self.turn = getattr(self, "turn", 0) + 1
            return 1 + self.turn % 2

    before = torch.get_num_threads()
    alone = list(run(pictures_network(), pictures(), steps=8, batch=8))
    monkeypatch.setattr(training, "Threads", lambda most: Restless(most, lambda: most))
    moving = list(run(pictures_network(), pictures(), steps=8, batch=8))
    assert {record.machine.split(",")[1] for record in moving} == {" 1 thread", " 2 threads"}
    assert losses(moving) == pytest.approx(losses(alone), rel=2e-3 if "bfloat16" in moving[0].machine else 1e-4)
    assert torch.get_num_threads() == before


@pytest.fixture
def four_cores(monkeypatch):
    """The caller may use four threads, and nothing was chosen before."""
    kept, before = threads._kept, torch.get_num_threads()
    monkeypatch.setattr(threads, "_kept", SimpleNamespace(**{**vars(kept), "now": 0, "most": 0, "shell": None}))
    threads.use(4)
    yield
    threads.use(before)


def test_adapt_sets_the_threads_of_numpy_and_torch_and_may_raise_them_again(four_cores, monkeypatch):
    monkeypatch.setattr(threads, "_product", lambda: lambda: None)
    ticks = iter(range(10**6))
    for best in (2, 4):
        cost = {1: 8, 2: 4 if best == 2 else 5, 4: 6 if best == 2 else 3}
        now, threads._kept.tried = [0.0], -1e9
        monkeypatch.setattr(threads.time, "perf_counter", lambda now=now, cost=cost: _clock(now, cost, next(ticks)))
        assert threads.adapt() == best == torch.get_num_threads()
        assert {library["num_threads"] for library in threads._blas().info()} == {best}
        assert threads.allowed() == 4


def _clock(now, cost, tick):
    """Even calls begin a piece, odd ones end it: it takes what so many threads cost."""
    now[0] += cost[torch.get_num_threads()] if tick % 2 else 0
    return now[0]


def test_a_number_set_by_the_user_is_kept(four_cores, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(threads, "quickest", lambda: 2)
        assert threads.adapt() == 2
    torch.set_num_threads(1)
    assert threads.allowed() == threads.adapt() == torch.get_num_threads() == 1


def test_a_single_thread_stays_one_however_often_it_is_asked_for(four_cores, monkeypatch):
    monkeypatch.setattr(threads.time, "perf_counter", lambda: pytest.fail("tried"))
    threads.use(1)
    assert [threads.adapt(), threads.allowed(), threads.quickest(), threads.adapt()] == [1, 1, 1, 1]


def test_in_a_notebook_each_cell_asks_again(four_cores, monkeypatch):
    asked = []
    monkeypatch.setattr(threads, "quickest", lambda: 2)
    events = SimpleNamespace(register=lambda event, function: asked.append((event, function)))
    shell = SimpleNamespace(events=events)
    monkeypatch.setattr(threads, "_notebook", lambda: shell)
    threads.adapt()
    threads.adapt()
    ((event, function),) = asked
    assert event == "pre_run_cell" and function("what runs") == torch.get_num_threads()


def test_points_need_no_trial(monkeypatch):
    monkeypatch.setattr(hardware, "quickest", lambda: pytest.fail("tried"))
    assert next(run(fresh())).machine == "cpu, 1 thread, float32"
