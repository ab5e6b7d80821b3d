"""A training loop, watched: run for a few steps on a small network that writes down what it meets.

`findings` asks, in the order in which a loop goes wrong, about form, times, noise, loss, gradient and batches.
"""

from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

STEPS, POINTS, CENTRE = 40, 512, torch.tensor([2.0, -1.0])


class Watched(nn.Module):
    """A small denoiser of points that keeps what it is asked, and with which weights, in `calls`."""

    def __init__(self, T: int):
        super().__init__()
        self.T, self.calls, self.layer = T, [], nn.Linear(3, 2)

    def forward(self, xt, t):
        xt, t = torch.as_tensor(xt), torch.as_tensor(t)
        time = t.reshape(-1, *[1] * (xt.ndim - 1)).expand(*xt.shape[:-1], 1) / self.T
        eps_hat = self.layer(torch.cat([xt, time], dim=-1).to(self.layer.weight.dtype))
        before = {name: weight.detach().clone().requires_grad_() for name, weight in self.named_parameters()}
        state = self.training, torch.is_grad_enabled()
        self.calls.append((xt.detach().clone(), t.clone(), eps_hat.detach().double(), before, state))
        return eps_hat


class Run:
    """`loop(model, x0, schedule, steps)`, run to its end or to the error that stops it."""

    def __init__(self, loop, x0, schedule, steps):
        torch.manual_seed(0)
        self.schedule, self.steps, self.losses, self.taken, self.error, self.held = schedule, steps, [], [], None, {}
        self.model, self.result, self.a = Watched(schedule.T), None, torch.tensor(schedule.alpha_bar)
        self.early = False  # whether a loss is handed out before its step is taken
        start, hook = self.weights(), register_optimizer_step_pre_hook(self._take)
        try:
            self.result = loop(self.model, x0.clone(), schedule, steps)
            if hasattr(self.result, "__next__"):
                for loss in islice(self.result, steps + 1):
                    self.losses.append(loss.item() if hasattr(loss, "item") else loss)
                    self.early = 0 < len(self.taken) < len(self.losses)
        except NotImplementedError:
            raise
        except Exception as error:
            self.error, self.held = error, _held(error, loop)
        finally:
            hook.remove()
        self.moved = (self.weights() - start).abs().max().item()
        calls = zip(*self.model.calls, strict=True) if self.model.calls else [()] * 5
        self.xt, self.t, self.eps_hat, self.before, self.states = calls

    def weights(self) -> torch.Tensor:
        return torch.cat([weight.detach().flatten().clone() for weight in self.model.parameters()])

    def stride(self) -> float:
        """How far the weights move in a step: the largest of them, on average."""
        path = torch.stack([torch.cat([w.detach().flatten() for w in before.values()]) for before in self.before])
        return path.diff(dim=0).abs().amax(dim=1).mean().item()

    def _take(self, optimiser, *_):
        grads = [weight.grad for weight in self.model.parameters()]
        self.taken.append((optimiser, None if None in grads else torch.cat([g.flatten().clone() for g in grads])))

    def eps(self, xt, t) -> torch.Tensor:
        """The noise in x_t if its clean point is CENTRE and its ᾱ that of t."""
        a = self.a[t.long()][:, None]
        return (xt.double() - a**0.5 * CENTRE) / (1 - a) ** 0.5

    def gradient(self, k: int) -> torch.Tensor:
        """That of the mean loss in step k, by all weights, in a row."""
        again = torch.func.functional_call(self.model, self.before[k], (self.xt[k], self.t[k]))
        loss = ((self.eps(self.xt[k], self.t[k]) - again) ** 2).mean()
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(self.before[k].values()))])


FACTORS = {  # x_t = signal · x_0 + noise · ε with the factors that are met, from ᾱ_t and ᾱ_{t−1}
    "1 − ᾱ stands for √(1 − ᾱ)": lambda a, before: (a**0.5, 1 - a),
    "ᾱ of step t − 1": lambda a, before: (before**0.5, (1 - before) ** 0.5),
    "the network is given the clean x_0": lambda a, before: (a**0, 0 * a),
}
LOSSES = {
    "the loss is a sum, not a mean": lambda e, e_hat, xt: ((e - e_hat) ** 2).sum(),
    "the loss adds up both coordinates": lambda e, e_hat, xt: ((e - e_hat) ** 2).sum(1).mean(),
    "the target is x_0": lambda e, e_hat, xt: ((CENTRE - e_hat) ** 2).mean(),
    "the absolute value, not the square": lambda e, e_hat, xt: (e - e_hat).abs().mean(),
}


def findings(run: Run) -> Iterator[tuple[str, bool]]:
    """(mistake, is it made?) for a loop whose points are all CENTRE, so that x_t tells the noise; lazily, in order."""
    done, T, trouble = run.error is None, run.schedule.T, str(run.error)
    yield "gradients are off", any(not grad for _, grad in run.states)
    yield "the network is in eval mode", any(not training for training, _ in run.states)
    yield "the loss is cut off from the network", "not require grad" in trouble or "'backward'" in trouble
    t = run.held.get("t")
    yield "t is no whole number", getattr(t, "dtype", None) in (torch.float32, torch.float64)
    yield "T is written as a number", "to T = " in trouble or "out of bounds" in trouble
    yield "one t for a whole batch", getattr(t, "shape", None) == (1,)
    rows = any(held.ndim == 1 and "float" in str(held.dtype) for held in run.held.values())
    yield "ᾱ_t wants a second axis", "must match the size" in trouble and rows
    yield "nothing is yielded", done and not hasattr(run.result, "__next__")
    yield "another number of losses", done and len(run.losses) != run.steps
    yield "more than the loss is yielded", done and not all(isinstance(loss, float) for loss in run.losses)
    if not run.xt:
        return
    yield "x_t has a wrong shape", run.xt[0].ndim != 2
    yield "t has a wrong shape", run.t[0].ndim > 1
    yield "one t for a whole batch", len(run.xt[0]) > 1 and all(t.unique().numel() == 1 for t in run.t)
    if not done:
        return
    yield "the network is not asked once a step", len(run.xt) != run.steps
    xt, t = torch.cat(run.xt).double(), torch.cat(run.t).long()
    yield "t is drawn before the loop", all(torch.equal(other, run.t[0]) for other in run.t)
    yield "t starts at 0", bool((t < 1).any())
    yield "t never reaches T", bool(t.max() < T)
    each, eps = [run.eps(*call) for call in zip(run.xt, run.t, strict=True)], run.eps(xt, t)
    yield "ε is drawn before the loop", each[0].shape == each[1].shape and torch.allclose(each[0], each[1], atol=1e-3)
    yield "one ε for a whole batch", len(each[0]) > 1 and bool(each[0].std(0).max() < 1e-3)
    standard = _standard(eps, t)
    for name, factors in FACTORS.items():
        signal, noise = (factor[:, None] for factor in factors(run.a[t], run.a[t - 1]))
        rest, some = xt - signal * CENTRE, noise[:, 0] > 0
        fits = _standard((rest / noise)[some], t[some]) if some.any() else bool(rest.abs().max() < 1e-3)
        yield name, not standard and fits
    yield "the noise is uniform", bool(((eps - eps.mean()) / eps.std()).abs().max() < 1.8)
    yield "x_t does not have the noise of its t", not standard
    parts = list(zip(each, run.eps_hat, run.xt, strict=True))
    wrong = not _are(run.losses, [((e - e_hat) ** 2).mean() for e, e_hat, _ in parts])
    for name, loss in LOSSES.items():
        yield name, wrong and _are(run.losses, [loss(*part) for part in parts])
    yield "another loss", wrong
    given = [grads for _, grads in run.taken]
    yield "the optimiser never steps", not given and not run.moved
    yield "a new optimiser in every step", len({id(optimiser) for optimiser, _ in run.taken}) > 1
    yield "no gradient reaches the optimiser", any(g is None or not g.any() for g in given)
    if len(given) == run.steps:
        right, last = torch.stack([run.gradient(k) for k in range(run.steps)]), given[-1]
        same = _along(last, right[-1])
        yield "the step climbs", same < -0.999
        yield "zero_grad is missing", same < 0.999 and _along(last, right.sum(0)) > 0.999
        yield "the gradient is not that of the loss", same < 0.999
    yield "plain SGD stands for Adam", any(_is_plain(optimiser) for optimiser, _ in run.taken)
    yield "the learning rate does not fit", not 1e-6 < run.stride() < 0.045


def batches(run: Run) -> Iterator[tuple[str, bool]]:
    """The same for a loop whose points lie 100 apart and whose noise is next to none, so that x_t tells the points."""
    rows = [(xt[:, 0] / 100).round() for xt in run.xt]
    yield "the batch is small", max(map(len, rows)) < 32
    yield "one point for a whole batch", all(row.unique().numel() == 1 < len(row) for row in rows)
    yield "the same batch in every step", rows[0].unique().numel() < POINTS and all(map(rows[0].equal, rows))
    seen = [set(row.tolist()) for row in rows]
    yield "the points are overwritten by a batch", 1 < len(seen[0]) < POINTS and all(b <= a for a, b in pairwise(seen))


def _is_plain(optimiser) -> bool:
    return isinstance(optimiser, torch.optim.SGD) and not any(group["momentum"] for group in optimiser.param_groups)


def _standard(eps, t) -> bool:
    """Mean 0 and spread 1 at every t, to about five standard errors."""
    groups = [eps[t == step] for step in t.unique()]
    return all(g.mean().abs() < 5 / g.numel() ** 0.5 and (g.std() - 1).abs() < 4 / g.numel() ** 0.5 for g in groups)


def _are(losses, others) -> bool:
    return np.allclose(losses, [float(other) for other in others], rtol=1e-3, atol=1e-4)


def _along(a, b) -> float:
    return float(torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=0))


def _held(error, loop) -> dict:
    """The arrays and tensors that the learner's function held when it failed."""
    part = error.__traceback__
    while part and part.tb_frame.f_code is not getattr(loop, "__code__", None):
        part = part.tb_next
    return {name: value for name, value in part.tb_frame.f_locals.items() if hasattr(value, "shape")} if part else {}


def _factors(run) -> str:
    xt, t = torch.cat(run.xt).double(), torch.cat(run.t).long()
    top, a = xt[t == t.max()], run.a[t.max()]
    kept, spread = top.mean(0) @ CENTRE.double() / 5, top.std(0).mean()
    mine = f"your x_t keeps {kept:.2f} of x_0 and has noise of spread {spread:.2f}"
    return f"At t = {t.max()} {mine}; right are {a**0.5:.2f} and {(1 - a) ** 0.5:.2f}."


def _first(run) -> str:
    right = ((run.eps(run.xt[0], run.t[0]) - run.eps_hat[0]) ** 2).mean()
    return f"In the first step you yield {run.losses[0]:.3g}, and the mean of (ε − ε̂)² is {right:.3g}."


NUMBERS = {  # what the sentences quote
    "T": lambda run: run.schedule.T,
    "steps": lambda run: run.steps,
    "losses": lambda run: len(run.losses),
    "calls": lambda run: len(run.xt),
    "result": lambda run: type(run.result).__name__,
    "most points": lambda run: max(map(len, run.xt)),
    "moved": lambda run: f"{run.stride():.1g}",
    "most": lambda run: torch.cat(run.t).max().item(),
    "zero": lambda run: f"{(torch.cat(run.t) < 1).double().mean():.0%}",
    "mean": lambda run: f"{run.eps(torch.cat(run.xt), torch.cat(run.t)).mean():.2f}",
    "factors": _factors,
    "first": _first,
}
