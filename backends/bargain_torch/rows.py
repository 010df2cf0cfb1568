"""Gradients of K tasks that are there: their inner products and their combinations."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from bargain_torch.full_precision import full_precision

Rows = Tensor | list[Tensor]
"""A gradient for each task: stacked along a new first axis, or in a list."""

BLOCK = 2**20
"""Numbers of all tasks that are multiplied at once on a CPU: what fits into its caches."""


def inner_products(rows: Rows) -> Tensor:
    """Return the inner products of K tensors, added up in float64."""
    total = rows[0].new_zeros((len(rows), len(rows)), dtype=torch.float64)
    with full_precision():
        for block in _blocks(rows):
            total += wide(block) @ wide(block).T
    return symmetric(total)


def combined(rows: Rows, coefficients: Sequence[float]) -> Tensor:
    """Return a weighted sum of K tensors; infinities of weight zero do no harm."""
    kept = [k for k, coefficient in enumerate(coefficients) if coefficient]
    if isinstance(rows, Tensor) and len(kept) == len(rows):
        factors = torch.tensor([*coefficients], dtype=wide(rows).dtype, device="cpu")
        # Neither this copy nor picking rows by their numbers may make a GPU wait.
        return torch.tensordot(factors.to(rows.device, non_blocking=True), wide(rows), dims=1)
    total = wide(rows[kept[0]]) * coefficients[kept[0]]
    for k in kept[1:]:
        total.add_(wide(rows[k]), alpha=coefficients[k])
    return total


def completed(found: Sequence[Tensor | None]) -> list[Tensor] | None:
    """Return a gradient for every task, zero where there is none; None for nothing at all."""
    example = next((row for row in found if row is not None), None)
    if example is None:
        return None
    zero = example.new_zeros(()).expand(example.shape)
    return [zero if row is None else row for row in found]


def stacked(rows: Rows) -> Tensor:
    """Return one tensor with a leading axis of tasks."""
    return rows if isinstance(rows, Tensor) else torch.stack(rows)


def symmetric(products: Tensor) -> Tensor:
    """Return inner products in float64, in which they are added up, exactly symmetric."""
    products = products.double()
    return (products + products.T) / 2


def wide(tensor: Tensor) -> Tensor:
    """Return a tensor in a type that sums can be accumulated in."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _blocks(rows: Rows) -> Iterator[Tensor]:
    """Yield matrices of K rows whose columns are those of all the numbers."""
    flat = rows.reshape(len(rows), -1) if isinstance(rows, Tensor) else [r.flatten() for r in rows]
    size = flat[0].numel() if flat[0].device.type != "cpu" else max(1, BLOCK // len(rows))
    if isinstance(flat, Tensor):
        yield from flat.split(max(1, size), dim=1)
    else:
        yield from map(torch.stack, zip(*(row.split(max(1, size)) for row in flat), strict=True))
