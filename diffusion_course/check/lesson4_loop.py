"""Exercise of lesson 4: the training loop.

No two right loops draw the same numbers, so nothing is compared with ours. The loop is watched, and the first finding
has its sentence in the table.
"""

import warnings

import numpy as np
import torch

from ..forward import add_noise
from ..schedule import Schedule
from .engine import Exercise, Mistake
from .handed import is_blank, place_of
from .table import exercise
from .watching import CENTRE, NUMBERS, POINTS, STEPS, Run, batches, findings


class Loop(Exercise):
    """The exercise whose answers are watched, not compared."""

    def _judge(self, attempt, kind: str) -> str | None:
        self._refuse_other_signature(attempt)
        if is_blank(attempt):
            raise NotImplementedError
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ᾱ_T is far from 0 here
            steep, flat = Schedule(np.linspace(1, 0.2, 11)), Schedule(1 - np.linspace(0, 1e-6, 11))
            run = Run(attempt, CENTRE.repeat(POINTS, 1), steep, STEPS)
            name = next((name for name, made in findings(run) if made), None)
            if name is None and run.error is None:
                apart = torch.stack([100 * torch.arange(POINTS), torch.zeros(POINTS)], dim=1)
                run = Run(attempt, apart, flat, 6)
                name = next((name for name, made in batches(run) if made), None)
        if name:
            sentence = next(fault.sentence for fault in self.faults if fault.name == name)
            quoted = {key: tell(run) for key, tell in NUMBERS.items() if f"{{{key}}}" in sentence}
            raise Mistake(f"{self.name}: {name}. {sentence.format(**quoted)}", name, "named")
        if run.error:
            told = " ".join(f"{type(run.error).__name__}: {run.error}".split())
            told = told if len(told) < 150 else told[:150] + " …"
            shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in run.held.items())
            told = f"{place_of(run.error, attempt)} raises {told} (Shapes there: {shapes}.)"
            raise Mistake(f"{self.name}: {told}", kind="raised")
        lr = next((optimiser.defaults["lr"] for optimiser, _ in run.taken), None)
        remarks = []
        if (lr, len(run.xt[0])) != (2e-3, 128):
            remarks.append("The numbers below were made with lr = 2e-3 and batches of 128.")
        if run.early:
            remarks.append("You yield before the step: whoever stops early loses the last one.")
        return "\n".join(remarks)


@exercise(
    cls=Loop,
    probes=((None, None, None, STEPS),),
    table="""
    hint | Before the loop: an optimiser, `torch.optim.Adam(model.parameters(), lr=2e-3)`. In each step: random rows of
        x0, a random t from 1 to T for each, noise of their shape.
    hint | Then x_t with `add_noise`, ε̂ = `model(xt, t)`, and the mean of (ε − ε̂)².
    hint | The last four lines: `optimiser.zero_grad()`, `loss.backward()`, `optimiser.step()`, `yield loss`.
    why | Each step is one small regression on fresh noise at random noise levels. The gradient of the mean says how to
        change the weights; zero_grad forgets that of the step before, which PyTorch would add up.
    gradients are off | eps_hat = model(xt, t) → with torch.no_grad(): eps_hat = model(xt, t) |
        Under `torch.no_grad()` nothing is kept for `backward()`. It is for sampling.
    the network is in eval mode | optimiser = → model.eval(); optimiser = |
        `model.eval()` switches parts such as dropout to sampling; a network that learns is in train mode.
    the loss is cut off from the network | ** 2).mean() → ** 2).mean().detach().requires_grad_(False) |
        `backward()` finds no way from your loss to the weights. `.item()`, `.detach()` and `torch.tensor(…)` cut it.
    nothing is yielded | yield loss → pass⏎    return loss | Your function returns a {result}. `yield loss` shows each
        step.
    another number of losses | yield loss → pass⏎    yield loss |
        In {steps} steps the number of losses you yield is {losses}. `steps` counts batches; `yield loss` is the last
        line inside the loop.
    more than the loss is yielded | yield loss → yield 0, loss |
        Yield the loss alone: a number or a tensor with one number.
    x_t has a wrong shape | eps_hat = model(xt, t) → eps_hat = model(xt[None], t[:1])[0] |
        A batch of points has shape (batch, 2). Give ᾱ_t the shape (batch, 1), so that each point gets its own.
    t has a wrong shape | model(xt, t) → model(xt, t[:, None]) | t is one number a point, of shape (batch,).
    one t for a whole batch | schedule.T + 1, (128,)) → schedule.T + 1, (1,)).expand(128) |
        All points of a batch get the same t, so each step learns one noise level and forgets the others.
    T is written as a number | torch.randint(1, schedule.T + 1, (128,)) → torch.randint(1, 1001, (128,)) |
        The check trains with T = {T}, and other schedules have other numbers of steps: use `schedule.T`.
    t is no whole number | torch.randint(1, schedule.T + 1, (128,)) → 1 + (schedule.T - 1) * torch.rand(128) |
        `torch.rand` gives floats; steps are counted: `torch.randint(1, schedule.T + 1, …)`.
    ᾱ_t wants a second axis | add_noise(x0[rows], schedule.at(t), eps) → (a := torch.tensor(schedule.at(t)))**0.5 *
        x0[rows] |
        ᾱ_t of shape (batch,) cannot multiply points of shape (batch, 2). `[:, None]` makes it (batch, 1).
    the network is not asked once a step | eps_hat = → model(xt, t); eps_hat = |
        In {steps} steps you call it {calls} times.
    t is drawn before the loop | for _ in range(steps): → torch.manual_seed(1); kept = torch.randint(1, schedule.T +
        1, (128,))⏎    for _ in range(steps): && = torch.randint(1, schedule.T + 1, (128,)) → = kept |
        All your steps use the same t. Draw inside the loop.
    t starts at 0 | randint(1, → randint(0, | {zero} of your t are 0, where there is no noise to be found. t runs from
        1 to T.
    t never reaches T | schedule.T + 1 → schedule.T | With T = {T} your largest t is {most}: `torch.randint` leaves
        out its upper end.
    ε is drawn before the loop | for _ in range(steps): → fixed = torch.randn(128, 2)⏎    for _ in range(steps): &&
        torch.randn_like(x0[rows]) → fixed |
        All your steps use the same noise, and the network learns it by heart. Draw inside the loop.
    one ε for a whole batch | torch.randn_like(x0[rows]) → torch.randn(2).expand(128, 2) |
        All points of a batch are pushed the same way. ε has the shape of the batch, (batch, 2).
    1 − ᾱ stands for √(1 − ᾱ) #1 | schedule.at(t), eps) → a := schedule.at(t), eps * torch.tensor((1 - a[:, None]) **
        0.5).float()) | {factors}
    ᾱ of step t − 1 #5 | schedule.at(t) → schedule.at(t - 1) | {factors}
    the network is given the clean x_0 | model(xt, t) → model(x0[rows], t) | {factors} x_0 holds nothing of ε.
    the noise is uniform #2 | torch.randn_like → torch.rand_like |
        Yours has mean {mean} and ends abruptly on both sides. `torch.randn` is Gaussian, `torch.rand` is not.
    x_t does not have the noise of its t | schedule.at(t) → schedule.at(t.flip(0)) | {factors}
    the loss is a sum, not a mean #20 | ** 2).mean() → ** 2).sum() |
        {first} A sum grows with the batch, and the step with it.
    the loss adds up both coordinates | ** 2).mean() → ** 2).sum(1).mean() |
        {first} Yours is twice that: take the mean over both coordinates, too.
    the target is x_0 #13 | (eps - eps_hat) → (x0[rows] - eps_hat) |
        {first} A sampler asks this network for ε, not for x_0.
    the absolute value, not the square | ** 2).mean() → ).abs().mean() |
        {first} It leads to the median of ε, the square to its mean.
    another loss | ** 2).mean() → ** 4).mean() | {first}
    the optimiser never steps | optimiser.step() → pass | After all steps the weights are those of the start.
    a new optimiser in every step | zero_grad() → zero_grad(); optimiser = type(optimiser)(model.parameters(),
        lr=2e-3) |
        Adam remembers past gradients. Make it once, before the loop.
    no gradient reaches the optimiser | optimiser.zero_grad()⏎ → ⏎ && optimiser.step() → optimiser.zero_grad();
        optimiser.step() |
        When it steps, the gradients are zero or missing. The order is zero_grad, backward, step.
    the step climbs | loss.backward() → (-loss).backward() | Your gradient has the wrong sign, so the loss rises.
    zero_grad is missing | optimiser.zero_grad()⏎ → ⏎ |
        PyTorch adds gradients up, so your last step follows all {steps} at once. Call `optimiser.zero_grad()`
        in every step.
    the gradient is not that of the loss | loss.backward() → eps_hat.mean().backward() |
        Call `backward()` on the loss that you yield.
    the learning rate does not fit | lr=2e-3 → lr=2e-9 |
        Your weights move by up to {moved} a step. With Adam that is about the learning rate, and 0.002 is a good one.
    plain SGD stands for Adam | torch.optim.Adam( → torch.optim.SGD( |
        With this learning rate the steps of plain SGD are far too short; the cells below expect those of
        `torch.optim.Adam`.
    the batch is small | torch.randint(len(x0), (128,)) → torch.randint(len(x0), (8,)) && schedule.T + 1, (128,)) →
        schedule.T + 1, (8,)) |
        Your batch holds {most points} of the points. Its gradient is so noisy that the cells below would show
        something else: take 128.
    one point for a whole batch | torch.randint(len(x0), (128,)) → torch.randint(len(x0), (1,)).expand(128) |
        Your batch holds the same point again and again. Draw one row for each.
    the same batch in every step | torch.randint(len(x0), (128,)) → torch.arange(128) |
        Your loop never sees the other points. Draw the rows inside the loop.
    the points are overwritten by a batch | rows = torch.randint(len(x0), (128,)) → x0 = x0[torch.randint(len(x0),
        (128,))]; rows = torch.arange(128) |
        Each batch is drawn from the batch before, so that fewer and fewer points are left. Give the batch a name of
        its own: `batch = x0[rows]`.
    """,
)
def training_loop(model, x0, schedule, steps):
    optimiser = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(steps):
        rows = torch.randint(len(x0), (128,))
        t = torch.randint(1, schedule.T + 1, (128,))
        eps = torch.randn_like(x0[rows])
        xt = add_noise(x0[rows], schedule.at(t), eps)
        eps_hat = model(xt, t)
        loss = ((eps - eps_hat) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        yield loss
