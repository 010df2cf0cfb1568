"""One ordinary backward pass that weighs the tasks in the trunk and not in their heads."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from bargain_torch.autograd_graph import Graph


def steered_pass(
    losses: Sequence[Tensor],
    graph: Graph,
    coefficients: Sequence[float],
    *,
    weighted_heads: bool,
    keep: bool,
) -> None:
    """Add to ``.grad`` of all leaves: in the trunk weighted by coefficients, in heads as asked.

    Where a head's gradient goes over into the trunk, a hook multiplies it. A task that has all of
    its graph in the trunk is weighted from the start.
    """
    starts, handles = [], []
    for loss, exits, coefficient in zip(losses, graph.exits, coefficients, strict=True):
        steer = bool(exits) and not weighted_heads
        starts.append(torch.full_like(loss, 1.0 if steer else coefficient))
        if steer:
            for node, slots in exits.items():
                handles.append(node.register_hook(_scale(slots, coefficient)))
    try:
        torch.autograd.backward(losses, starts, retain_graph=keep)
    finally:
        for handle in handles:
            handle.remove()


def _scale(slots: Sequence[int], factor: float) -> Callable[..., Any]:
    def hook(inward: tuple[Any, ...], outward: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            gradient * factor if k in slots and gradient is not None else gradient
            for k, gradient in enumerate(inward)
        )

    return hook
