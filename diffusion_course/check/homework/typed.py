"""What answers must be for the cells below to compute with them; right numbers are not enough."""

import torch


def no_tensor(answer) -> str | None:
    """Is it a torch tensor?"""
    if isinstance(answer, torch.Tensor):
        return None
    return f"it returns a {type(answer).__name__}; the cells below compute with a torch tensor."


def no_float32(answer) -> str | None:
    """Is it a tensor that points of float32 can be multiplied by?"""
    if no_tensor(answer) or answer.dtype == torch.float32:
        return no_tensor(answer)
    return f"it returns {answer.dtype}; the points and the network are float32. Append `.float()`."


def no_gradient(answer) -> str | None:
    """Is it a tensor through which the gradient reaches the model?"""
    if no_tensor(answer) or answer.requires_grad:
        return no_tensor(answer)
    return "no gradient reaches the model through it: no `.item()`, `.detach()` or `no_grad` in here."
