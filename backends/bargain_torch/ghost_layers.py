"""Layers whose weight gradients need not be formed.

A layer's weight gradient is a sum of products of what went in and of the error at what came out.
Inner products of such sums follow from the two factors, and so does any combination of them. Which
layer a node of the graph stands for is read off the node and what it saved for its backward pass.
Tensors that hooks guard (checkpoints, offloading) are left alone, since every look at one computes
it anew.
"""

import functools
from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import unfold

from bargain_torch.autograd_graph import Node
from bargain_torch.full_precision import full_precision
from bargain_torch.rows import inner_products, symmetric, wide


class Bias(NamedTuple):
    """A vector that is added to every row (or channel) of the output."""

    node: Node
    channels: int
    """The axis of the output that the vector lies along."""

    def rows(self, errors: Tensor) -> Tensor:
        """Return gradients of shape ``(K, P)`` from errors of shape ``(K, *output)``."""
        axis = 1 + self.channels % (errors.ndim - 1)
        others = [k for k in range(1, errors.ndim) if k != axis]
        return wide(errors).sum(others) if others else wide(errors)


class Product(NamedTuple):
    """A matrix that multiplies N rows: a linear layer, or a convolution seen as one."""

    node: Node
    transposed: bool
    """Whether the weight is used as (in, out), not as (out, in) like ``torch.nn.Linear`` does."""
    count: int
    """N."""
    fan_in: int
    fan_out: int
    saved: Tensor
    """What went in, as the node keeps it."""
    window: dict[str, Any] | None = None
    """Of a convolution: the arguments of ``unfold``."""

    def inputs(self) -> Tensor:
        """Return what went in, of shape ``(N, in)``."""
        if self.window is None:
            return wide(self.saved)
        pictures = self.saved if self.saved.ndim == 4 else self.saved[:, :, None]
        patches = unfold(wide(pictures), **self.window)
        return patches.transpose(1, 2).reshape(self.count, self.fan_in)

    def errors(self, errors: Tensor) -> Tensor:
        """Return the errors of shape ``(K, *output)`` as ``(K, N, out)``."""
        if self.window is not None:
            errors = errors.flatten(3).transpose(2, 3).flatten(1, 2)
        return wide(errors)


class Lookup(NamedTuple):
    """A table whose rows are looked up."""

    node: Node
    indices: Tensor
    padding: int | None
    """The row that receives no gradient."""

    def errors(self, errors: Tensor) -> Tensor:
        """Return the errors as ``(K, N, D)``, none where padding was looked up."""
        rows = wide(errors.reshape(errors.shape[0], self.indices.numel(), -1))
        if self.padding is None:
            return rows
        return rows.masked_fill((self.indices.reshape(-1) == self.padding)[:, None], 0.0)


Use = Bias | Product | Lookup


def recognise(node: Node, slot: int, transposed: bool) -> Use | None:
    """Say how a node uses the parameter at one of its inputs, or None where that is not known.

    ``transposed`` says whether the parameter came through a transposition.
    """
    name = node.name()
    if name == "AddmmBackward0" and node._saved_alpha == 1 and node._saved_beta == 1:
        return Bias(node, -1) if slot == 0 else _linear(node, slot == 2, transposed, "mat1")
    if name == "MmBackward0":
        return _linear(node, slot == 1, transposed, "self")
    if name == "ConvolutionBackward0":
        return Bias(node, 1) if slot == 2 else _convolution(node, slot == 1, transposed)
    if name == "EmbeddingBackward0":
        return _lookup(node, transposed)
    return None


def gram_of_biases(uses: Sequence[Bias], errors: Sequence[Tensor]) -> Tensor:
    """Return the inner products of a vector's K gradients."""
    rows = [use.rows(error) for use, error in zip(uses, errors, strict=True)]
    return inner_products(functools.reduce(torch.Tensor.add, rows))


def gram_of_lookups(uses: Sequence[Lookup], errors: Sequence[Tensor]) -> Tensor:
    """Return the inner products of a table's K gradients: only rows looked up have any."""
    indices = torch.cat([use.indices.reshape(-1) for use in uses])
    gradients = torch.cat([use.errors(error) for use, error in zip(uses, errors, strict=True)], 1)
    # What is distinct is counted in place: ``torch.unique`` would make a GPU wait for its count.
    ordered, order = indices.sort()
    fresh = torch.diff(ordered, prepend=ordered[:1]) != 0
    places = torch.empty_like(order).scatter_(0, order, fresh.cumsum(0))
    return inner_products(torch.zeros_like(gradients).index_add_(1, places, gradients))


def gram_of_products(uses: Sequence[Product], errors: Sequence[Tensor]) -> Tensor:
    """Return the inner products of a matrix's K gradients E_iᵀA, which are not formed.

    <E_iᵀA, E_jᵀA> = <E_i, (AAᵀ)E_j>; several uses of one matrix are one use of more rows.
    """
    inputs = torch.cat([use.inputs() for use in uses]) if len(uses) > 1 else uses[0].inputs()
    parts = [use.errors(error) for use, error in zip(uses, errors, strict=True)]
    outer = torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]
    with full_precision():
        mixed = (inputs @ inputs.T) @ outer
        return symmetric(outer.flatten(1) @ mixed.flatten(1).T)


def bias_direction(uses: Sequence[Bias], errors: Sequence[Tensor], leaf: Tensor) -> Tensor:
    """Return a vector's gradient from one error at each of its uses, as for all below."""
    shares = [use.rows(error[None])[0] for use, error in zip(uses, errors, strict=True)]
    return functools.reduce(torch.Tensor.add_, shares)


def lookup_direction(uses: Sequence[Lookup], errors: Sequence[Tensor], leaf: Tensor) -> Tensor:
    """Return a table's gradient."""
    total = wide(torch.zeros_like(leaf))
    for use, error in zip(uses, errors, strict=True):
        total.index_add_(0, use.indices.reshape(-1), use.errors(error[None])[0])
    return total


def product_direction(uses: Sequence[Product], errors: Sequence[Tensor], leaf: Tensor) -> Tensor:
    """Return a matrix's gradient."""
    shares = []
    for use, error in zip(uses, errors, strict=True):
        outer, inputs = use.errors(error[None])[0], use.inputs()
        shares.append(inputs.T @ outer if use.transposed else outer.T @ inputs)
    return functools.reduce(torch.Tensor.add_, shares).view_as(leaf)


def ghost_pays(uses: Sequence[Use], players: int) -> bool:
    """Whether to leave the gradients unformed, by the number of multiplications."""
    first = uses[0]
    if not isinstance(first, Product):
        return True
    count = sum(use.count for use in uses if isinstance(use, Product))
    fan_in, fan_out = first.fan_in, first.fan_out
    ghost = count * count * (fan_in + players * fan_out) + players**2 * count * fan_out
    formed = players * count * fan_in * fan_out + players**2 * fan_in * fan_out
    return ghost < formed


def _linear(node: Node, is_weight: bool, transposed: bool, name: str) -> Product | None:
    if not is_weight or _guarded(node, name):
        return None
    inputs = getattr(node, f"_saved_{name}")
    fan_out = node._input_metadata[0].shape[1]
    count, fan_in = inputs.shape
    return Product(node, not transposed, count, fan_in, fan_out, inputs)


def _convolution(node: Node, is_weight: bool, transposed: bool) -> Product | None:
    plain = node._saved_groups == 1 and not (node._saved_transposed or transposed)
    if not (is_weight and plain) or _guarded(node, "input") or _guarded(node, "weight"):
        return None
    weight, output = node._saved_weight, node._input_metadata[0].shape
    if weight.ndim not in (3, 4):
        return None
    missing = 4 - weight.ndim  # axes; a sequence is a picture of height one
    window = {
        "kernel_size": (*(1,) * missing, *weight.shape[2:]),
        "dilation": (*(1,) * missing, *node._saved_dilation),
        "padding": (*(0,) * missing, *node._saved_padding),
        "stride": (*(1,) * missing, *node._saved_stride),
    }
    count = output[0] * prod(output[2:])
    return Product(
        node, False, count, weight[0].numel(), weight.shape[0], node._saved_input, window
    )


def _lookup(node: Node, transposed: bool) -> Lookup | None:
    odd = node._saved_scale_grad_by_freq or node._saved_sparse or transposed
    if odd or _guarded(node, "indices"):
        return None
    padding = node._saved_padding_idx
    # Where there is none the node keeps -1, read without its sign.
    return Lookup(node, node._saved_indices, padding if padding < 2**63 else None)


def _guarded(node: Node, name: str) -> bool:
    """Whether a hook stands between a node and a tensor that it saved."""
    saved = getattr(node, f"_raw_saved_{name}", None)
    return getattr(saved, "unpack_hook", None) is not None
