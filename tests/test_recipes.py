"""The registry of experiments: every entry fits together, from the loader to the weights that ship."""

import numpy as np
import pytest
import torch
from refusals import refused

from diffusion_course.base import files
from diffusion_course.run import checkpoints, quality, recipes, sampling
from diffusion_course.run.judges import SpiralJudge
from diffusion_course.training import train

STAND_ALONE = [name for name, entry in recipes.EXPERIMENTS.items() if not entry.own]


@pytest.mark.parametrize("name", STAND_ALONE)
def test_data_network_and_recipe_of_an_entry_fit(name):
    """One training step on a few samples, then two sampling steps, with and without the condition."""
    entry = recipes.experiment(name)
    x0, cond, _ = entry.load("test", 0)  # smaller than the training set, and of the same kind
    assert x0.shape[1:] == entry.shape and x0.dtype == np.float32
    model = entry.network(entry.schedule())
    recipe = entry.recipe("cpu") | {"batch": 2, "steps": 1}
    *_, record = train(model, x0[:4], None if cond is None else cond[:4], **recipe)
    xT = sampling.pure_noise(2, entry.shape)
    for said in (None,) if cond is None else (None, cond[:2], cond[:1]):
        scale = 1.0 if said is None else 2.0
        ((x, path),) = sampling.paths(record.ema, xT, entry.sampler, 2, cond=said, guidance=scale)
        assert x.shape == xT.shape and torch.equal(path[0], xT) and torch.equal(path[-1], x)


@pytest.mark.parametrize("name", [name for name in STAND_ALONE if not name.startswith("emoji")])  # which has its own
def test_held_out_data_are_others_of_the_same_kind(name):
    train, test = (recipes.experiment(name).load(split, 0) for split in ("train", "test"))
    assert train.x0.shape[1:] == test.x0.shape[1:] and (train.cond is None) == (test.cond is None)
    seen = {x.tobytes() for x in train.x0}
    assert np.mean([x.tobytes() in seen for x in test.x0]) < 0.01


@pytest.mark.parametrize("name", [name for name, entry in recipes.EXPERIMENTS.items() if entry.codes])
def test_a_prompt_is_a_row_of_the_conditions(name):
    entry = recipes.experiment(name)
    row = entry.codes(entry.prompt)
    assert row.shape == entry.load("test", 0).cond.shape[1:]
    with pytest.raises(ValueError, match="qwertz"):
        entry.codes("qwertz")


def test_a_gpu_has_a_recipe_of_its_own_and_a_cpu_never_takes_it():
    for entry in recipes.EXPERIMENTS.values():
        assert entry.recipe("cpu") == {**entry.training["cpu"], "weight": entry.weight}
        assert entry.recipe("cuda:0")["batch"] >= entry.recipe("cpu")["batch"]
        assert {*entry.recipe("cuda")} == {"steps", "batch", "lr", "weight"}


def test_every_network_that_ships_is_that_of_its_entry():
    for name in recipes.shipping():
        entry = recipes.experiment(name)
        model, expected = checkpoints.pretrained(name), entry.network(entry.schedule())
        assert type(model) is type(expected) and model.config == expected.config
        assert np.array_equal(model.schedule.alpha_bar, entry.schedule().alpha_bar)
    assert {"spiral", "faces", "fashion", "spiral-student", "faces-student"} <= set(recipes.shipping())


def test_what_is_judged_has_what_its_judge_needs():
    for name, entry in recipes.EXPERIMENTS.items():
        assert bool(entry.measured) <= bool(entry.judge)
        if entry.judge and entry.codes:
            assert files.ships(f"{name}-classifier.safetensors")
    assert set(quality.SIZES) == {name for name, entry in recipes.EXPERIMENTS.items() if entry.measured}


@pytest.mark.parametrize("name", ["cats", "fashion-student", "spiral-student-student", ""])
def test_an_unknown_experiment_is_refused_with_those_that_are_there(name):
    with pytest.raises(ValueError, match=r"'spiral' or 'faces' or .*'faces-student'"):
        recipes.experiment(name)


def test_no_seed_of_a_training_has_the_points_of_a_test():
    load = recipes.experiment("spiral").load
    for seed in (1000, 2001):
        assert not np.array_equal(load("train", seed).x0, load("test", seed - 1000).x0)
        assert not np.array_equal(load("train", seed).x0, SpiralJudge().held_out(2048, seed - 1000).x0)


# ---- drawing samples -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in sampling.SAMPLERS if name != "student"])
@pytest.mark.parametrize("n", [1, 2, 4, 10])
def test_evaluations_are_counted_and_never_more_than_asked(name, n):
    model = checkpoints.pretrained("spiral")
    counted = sampling.Counted(model)
    how = sampling.SAMPLERS[name]
    xT, rng = sampling.pure_noise(20, (2,)), torch.Generator().manual_seed(0)
    *_, x = how.run(counted, model.schedule, xT, how.times(model.schedule, n), rng=rng)
    assert x.shape == xT.shape and counted.count == how.evaluations(n) in (n - 1, n)


def test_batches_change_nothing():
    model, xT = checkpoints.pretrained("spiral"), sampling.pure_noise(7, (2,))
    ((whole, _),) = sampling.paths(model, xT, "ddim", 5)
    parts = torch.cat([x for x, _ in sampling.paths(model, xT, "ddim", 5, batch=3)])
    torch.testing.assert_close(whole, parts)


def test_one_condition_for_all_is_that_condition_for_each():
    model, xT = checkpoints.pretrained("fashion"), sampling.pure_noise(3, (1, 28, 28))
    one, each = (
        torch.cat([x for x, _ in sampling.paths(model, xT, "ddim", 2, cond=cond, guidance=2.0)])
        for cond in ([[3]], [3, 3, 3])
    )
    torch.testing.assert_close(one, each)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sampler": "euler"}, "'student', not 'euler'"),
        ({"guidance": 2.0}, "no cond"),
        *(({"nfe": nfe, "sampler": name}, "n, the number of") for nfe in (0, 2001) for name in ("ddim", "heun")),
    ],
)
def test_a_path_that_cannot_be_sampled_is_refused(given, said):
    with refused(said):
        next(sampling.paths(checkpoints.pretrained("spiral"), sampling.pure_noise(3, (2,)), **given))
    with refused("number of samples, is 0"):
        sampling.pure_noise(0, (2,))
    with refused("knows no 3"):
        recipes.EXPERIMENTS["fashion"].codes(3)
