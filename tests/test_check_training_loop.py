"""The training loop of lesson 4: any right one passes, each known mistake is named, an error tells what was there."""

import pytest
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from diffusion_course import check
from diffusion_course.check.engine import Mistake
from diffusion_course.forward import add_noise

LOOP = check.training_loop


def pair(x, schedule):
    t, eps = torch.randint(1, schedule.T + 1, (len(x),)), torch.randn_like(x)
    return add_noise(x, schedule.at(t), eps), t, eps


def gradient_descent(model, x0, schedule, steps):
    """Another optimiser and batch; the gradient is emptied after the step; a float is yielded."""
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for _ in range(steps):
        xt, t, eps = pair(x0[torch.randperm(len(x0))[:64]], schedule)
        loss = functional.mse_loss(model(xt, t), eps)
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        yield loss.item()


def on_tensors(model, x0, schedule, steps):
    """ᾱ as a tensor, a clipped gradient, a falling learning rate."""
    alpha_bar = torch.tensor(schedule.alpha_bar).float()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        x = x0[torch.randint(0, len(x0), (256,))]
        t, eps = 1 + torch.randint(schedule.T, (256,)), torch.randn(256, 2)
        a = alpha_bar[t].unsqueeze(1)
        loss = (eps - model(a.sqrt() * x + (1 - a).sqrt() * eps, t)).square().mean()
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        falling.step()
        yield loss.detach()


def by_hand(model, x0, schedule, steps):
    """No optimiser at all, and all points in every batch."""
    for _ in range(steps):
        xt, t, eps = pair(x0, schedule)
        loss = ((eps - model(xt, t)) ** 2).mean()
        slopes = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for weight, slope in zip(model.parameters(), slopes, strict=True):
                weight -= 0.01 * slope
        yield loss


def with_a_loader(model, x0, schedule, steps):
    optimiser, done = torch.optim.Adam(model.parameters()), 0
    while True:
        for (x,) in DataLoader(TensorDataset(x0), batch_size=128, shuffle=True):
            if done == steps:
                return
            xt, t, eps = pair(x, schedule)
            loss, done = ((eps - model(xt, t)) ** 2).mean(), done + 1
            yield loss  # early
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()


def told(attempt) -> Mistake:
    with pytest.raises(Mistake) as caught:
        LOOP(attempt)
    return caught.value


@pytest.mark.parametrize("loop", [LOOP.reference, gradient_descent, on_tensors, by_hand, with_a_loader])
def test_any_right_loop_is_right(loop, capsys):
    assert LOOP(loop) is loop
    said = capsys.readouterr().out
    assert said.startswith("✓ training_loop") and ("batches of 128" in said) == (loop is not LOOP.reference)
    assert ("stops early" in said) == (loop is with_a_loader)


@pytest.mark.parametrize("fault", LOOP.faults, ids=lambda fault: fault.name)
def test_each_mistake_is_named(fault):
    mistake = told(fault.mutant)
    assert mistake.fault == fault.name and "{" not in str(mistake)


def test_a_blank_is_calm(capsys):
    def blank(model, x0, schedule, steps):
        raise NotImplementedError

    def dots(model, x0, schedule, steps): ...

    assert LOOP(blank) is LOOP(dots) is LOOP.reference


def test_an_error_tells_the_line_and_the_shapes():
    def attempt(model, x0, schedule, steps):
        for _ in range(steps):
            yield model(x0[:5], torch.ones(4, dtype=torch.long)).mean() + nowhere  # noqa: F821

    assert "(Shapes there: x0 (512, 2).)" in str(told(attempt))


def test_a_learning_rate_far_off_is_told_in_numbers():
    def attempt(model, x0, schedule, steps):
        optimiser = torch.optim.Adam(model.parameters(), lr=3.0)
        for _ in range(steps):
            xt, t, eps = pair(x0[torch.randint(len(x0), (128,))], schedule)
            loss = ((eps - model(xt, t)) ** 2).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield loss

    assert "learning rate does not fit. Your weights move by up to 0.7 a step" in str(told(attempt))
