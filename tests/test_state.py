"""A run that is put away and taken up again goes on exactly, or says what does not fit."""

import copy

import numpy as np
import pytest
import torch
from refusals import refused
from small_training import POINTS, Affine, forced, fresh, generator, losses, pictures, pictures_network, run

from diffusion_course import models, schedule

# ---- going on ------------------------------------------------------------------------------------


def frozen(seed):
    model = fresh(seed)
    model.layers[0].requires_grad_(False)
    return model


RESUMED = {
    "points": (fresh, POINTS, None),
    "pictures": (pictures_network, pictures(), None),
    "conditional": (lambda seed: pictures_network(seed, (10,)), pictures(), torch.arange(64) % 10),
    "conditional, told nothing": (lambda seed: pictures_network(seed, (10,)), pictures(), None),
    "frozen layer": (frozen, POINTS, None),
}


@pytest.mark.parametrize(
    ("case", "layout"), [*((case, torch.contiguous_format) for case in RESUMED), ("pictures", torch.channels_last)]
)
def test_a_resumed_run_has_the_same_losses(case, layout, monkeypatch):
    """The same network, average and chance, in another process's generator and weights."""
    make, x0, cond = RESUMED[case]
    if x0.ndim == 4:
        forced(monkeypatch, threads=1, layout=layout, dtype=torch.float32)
    records, found = run(make(0), x0, cond, steps=14, batch=8), []  # from step 11 on the average lags
    for record in records:
        found.append(record.loss.item())
        if record.step == 12:
            state = record.run.state()
    started = make(9)
    if case == "frozen layer":
        started.layers[0].load_state_dict(make(0).layers[0].state_dict())
    further = list(run(started, x0, cond, steps=14, batch=8, rng=generator(9), resume=state))
    assert [other.step for other in further] == [13, 14]
    assert losses(further) == found[12:]
    for name, tensor in record.run.state().tensors.items():
        assert torch.equal(tensor, further[-1].run.state().tensors[name]), name


def test_a_resumed_run_counts_its_steps_from_the_beginning():
    state, model = next(run(steps=3)).run.state(), fresh()
    model.register_forward_hook(lambda _module, _inputs, eps_hat: torch.nan * eps_hat)
    with pytest.raises(FloatingPointError, match=r"at step 2 .* of step 1"):
        next(run(model, steps=3, resume=state))


def test_a_state_is_a_copy():
    records = run()
    state = next(records).run.state()
    kept = {name: tensor.clone() for name, tensor in state.tensors.items()}
    list(records)
    assert all(torch.equal(tensor, kept[name]) for name, tensor in state.tensors.items())


def test_a_run_of_another_kind_of_device_goes_on_with_other_chance():
    """A GPU's generator has another state: it cannot go on here, but the same file goes on in the same way."""
    state = next(run()).run.state()
    state.tensors["rng"] = torch.arange(16, dtype=torch.uint8)
    first, again = (losses(run(resume=state, rng=generator(seed))) for seed in (1, 2))
    assert first == again and len(first) == 19


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": Affine()}, "another architecture (SpiralMLP)"),
        ({"model": fresh(dim=3), "x0": np.zeros((8, 3))}, "another architecture"),
        ({"model": fresh(attributes=(2,))}, "conditions.tables.0.weight has shape nothing"),
        ({"model": frozen(0)}, "optimiser.layers.0.bias.exp_avg"),
        ({"model": models.SpiralMLP(schedule.sigmoid(T=100))}, "another schedule"),
        ({"steps": 21}, "use the same arguments"),
        ({"batch": 33}, "use the same arguments"),
        ({"weight": "v"}, "use the same arguments"),
        ({"x0": np.ones((8, 2))}, "use the same arguments"),
        ({"x0": POINTS[::-1].copy()}, "use the same arguments"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(options, message):
    state = next(run()).run.state()
    model = options.get("model", fresh(3))
    before = copy.deepcopy(model.state_dict())
    with refused(message):
        run(**{"model": model, **options}, resume=state)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
