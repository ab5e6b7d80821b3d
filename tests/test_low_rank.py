"""A network that differs by little: what is trained, what is written, and that nothing else changes."""

import copy
import json

import pytest
import safetensors
import torch

from diffusion_course import training
from diffusion_course.beyond.low_rank import add_low_rank, differences, merged
from diffusion_course.run import checkpoints
from diffusion_course.schedule import cosine
from diffusion_course.unet import UNet

X, T = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0)), 500


def network():
    torch.manual_seed(0)
    return UNet(cosine(), 3, (), widths=(16, 32)).eval()


def moved(model):
    """The same network with differences that are not zero."""
    with torch.no_grad():
        for tensor in differences(model).values():
            tensor.add_(0.1 * torch.randn_like(tensor))
    return model


def test_at_first_nothing_is_changed():
    model = network()
    before = model(X, T)
    assert torch.equal(add_low_rank(model, 2)(X, T), before)


def test_what_is_added_is_a_matrix_of_that_rank():
    plain, weights = network(), merged(moved(add_low_rank(network(), 2)))
    ranks = {
        name: int(torch.linalg.matrix_rank((weights[name] - weight).flatten(1), atol=1e-4))
        for name, weight in plain.named_parameters()
        if weight.ndim > 1
    }
    assert set(ranks.values()) == {2}


def test_a_merged_network_is_a_plain_one_that_answers_alike():
    model = moved(add_low_rank(network(), 2))
    plain, before = network(), network()(X, T)
    plain.load_state_dict(merged(model))
    torch.testing.assert_close(model(X, T), plain(X, T))
    assert (plain(X, T) - before).abs().max() > 0.01


def test_training_moves_the_differences_alone():
    model, plain = add_low_rank(network(), 2), network()
    for _ in training.train(model, X, steps=3, batch=2, lr=1e-2, rng=torch.Generator().manual_seed(0)):
        pass
    assert all(tensor.any() for tensor in differences(model).values())
    for name, tensor in model.state_dict().items():
        name = name.replace("parametrizations.weight.original", "weight")
        if name in plain.state_dict():
            assert torch.equal(tensor, plain.state_dict()[name]), name


def test_only_the_differences_to_what_ships_are_written(tmp_path):
    teacher = checkpoints.pretrained("faces-small")
    model = moved(add_low_rank(copy.deepcopy(teacher), 2, "faces-small")).eval()
    checkpoints.save_model(tmp_path / "student.safetensors", model)
    back = checkpoints.load_model(tmp_path / "student.safetensors")
    torch.testing.assert_close(back(X, T), model(X, T), atol=1e-3, rtol=1e-3)
    assert (back(X, T) - teacher(X, T)).abs().max() > 0.01
    with safetensors.safe_open(tmp_path / "student.safetensors", "pt") as file:
        written = sum(file.get_tensor(name).numel() for name in file.keys())
    assert written < sum(weight.numel() for weight in teacher.parameters()) / 10


def test_of_weights_of_your_own_the_whole_network_is_written(tmp_path):
    model = moved(add_low_rank(network(), 2))
    checkpoints.save_model(tmp_path / "own.safetensors", model)
    assert differences(model)  # it can be trained on
    back = checkpoints.load_model(tmp_path / "own.safetensors")
    torch.testing.assert_close(back(X, T), model(X, T), atol=2e-3, rtol=0)


def test_differences_to_another_network_than_ships_are_not_written(tmp_path):
    other = checkpoints.pretrained("faces-small")
    with torch.no_grad():
        next(other.parameters()).add_(0.1)
    with pytest.raises(ValueError, match="beneath the differences is another network than the 'faces-small'"):
        checkpoints.save_model(tmp_path / "student.safetensors", add_low_rank(other, 2, "faces-small"))
    assert not any(tmp_path.iterdir())


def test_a_rank_of_nothing_and_a_second_difference_are_refused():
    with pytest.raises(ValueError, match="rank is 0; it must be a whole number"):
        add_low_rank(network(), 0)
    with pytest.raises(ValueError, match="has differences already"):
        add_low_rank(add_low_rank(network(), 2), 2)


@pytest.mark.parametrize(
    ("other", "told"), [({"rank": 3}, "another difference to"), ({"sha256": "0"}, "distil it anew")]
)
def test_differences_that_do_not_fit_are_refused(tmp_path, other, told):
    model = add_low_rank(checkpoints.pretrained("faces-small"), 2, "faces-small")
    checkpoints.save_model(tmp_path / "student.safetensors", model)
    with safetensors.safe_open(tmp_path / "student.safetensors", "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}
        about = json.loads(file.metadata()["diffusion_course"])
    checkpoints._write(tmp_path / "other.safetensors", tensors, about | other)
    with pytest.raises(ValueError, match=told):
        checkpoints.load_model(tmp_path / "other.safetensors")
