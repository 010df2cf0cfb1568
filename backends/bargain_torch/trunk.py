"""The tasks' gradients in the trunk, in the shape that each parameter's part wants them."""

from collections.abc import Iterator, Sequence, Set
from math import prod
from typing import Any, Literal, get_args

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge

from bargain_torch.autograd_graph import LEAF, Graph
from bargain_torch.ghost import CONVERSION, TRANSPOSITION, Part, formed_parts, ghost_parts
from bargain_torch.per_task import Cotangents, can_go_together, one_by_one, together
from bargain_torch.rows import Rows, completed, inner_products

Method = Literal["auto", "sequential", "batched", "ghost"]

ROOM = 2**21
"""Bytes of one task's largest error in the trunk from which on tasks pass one by one.

On a CPU; beyond that a batch of tasks no longer fits into the caches that one of them fits into.
"""


class TrunkGradients:
    """Gradients of K tasks with respect to the shared parameters in the trunk."""

    def __init__(
        self,
        graph: Graph,
        shared: Sequence[Tensor],
        cotangents: Cotangents,
        method: Method,
        *,
        keep: bool,
    ) -> None:
        self.players = len(cotangents)
        if method in ("sequential", "batched"):
            self.parts = formed_parts(graph, shared)
        else:
            self.parts = ghost_parts(graph, shared, self.players)
        self.device = next(iter(cotangents[0].values())).device
        self.targets = list(dict.fromkeys(edge for part in self.parts for edge in part.edges))
        self.found: dict[GradientEdge, Rows | None] = {}
        if not self.targets:
            return
        batched = method == "batched" or (
            method != "sequential" and pass_together(graph, cotangents)
        )
        self._pass(together if batched else one_by_one, cotangents, keep)
        if batched and not uniform(graph) and not self._finite():
            # Zeros that one task sends through another one's operations turn infinities into NaN.
            self._pass(one_by_one, cotangents, keep)

    @torch.no_grad()
    def gram(self, leaves: Set[Tensor] | None = None) -> Tensor:
        """Return the Gram matrix in float64, where the gradients are; of some leaves, or all."""
        shape = (self.players, self.players)
        total = torch.zeros(shape, dtype=torch.float64, device=self.device)
        with torch.autocast(self.device.type, enabled=False):
            for part in self._parts_of(leaves):
                contribution = part.gram([self.found[edge] for edge in part.edges])
                if contribution is not None:
                    total += contribution
        return total

    @torch.no_grad()
    def directions(
        self, coefficients: Sequence[float], leaves: Set[Tensor] | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield parameters, each with the combination of its gradients."""
        if not any(coefficients):
            return
        for part in self._parts_of(leaves):
            with torch.autocast(self.device.type, enabled=False):
                direction = part.direction([self.found[edge] for edge in part.edges], coefficients)
            if direction is not None:
                yield part.leaf, direction

    def _parts_of(self, leaves: Set[Tensor] | None) -> Iterator[Part]:
        return (part for part in self.parts if leaves is None or part.leaf in leaves)

    def _pass(self, propagate: Any, cotangents: Cotangents, keep: bool) -> None:
        with torch.autocast(self.device.type, enabled=False):
            rows = propagate(cotangents, self.targets, keep=keep)
        self.found = dict(zip(self.targets, rows, strict=True))

    def _finite(self) -> bool:
        found = [row for rows in self.found.values() if rows is not None for row in rows]
        # All verdicts at once, since each alone would make a GPU wait.
        return all(torch.stack([torch.isfinite(row).all() for row in found]).tolist())


def uniform(graph: Graph) -> bool:
    """Whether all tasks enter the trunk at the same edges, so that each passes all of it."""
    return len({frozenset(edges) for edges in graph.entries}) == 1


def gram_of_rows(rows: Sequence[Sequence[Tensor | None]]) -> Tensor:
    """Return the Gram matrix in float64 of gradients that are there, parameter by parameter."""
    total: Any = torch.zeros(len(rows), len(rows), dtype=torch.float64, device="cpu")
    for gradients in zip(*rows, strict=True):
        found = completed(gradients)
        if found is not None:
            products = inner_products(found)
            total = total.to(products.device) + products
    return total


def working_type(parameters: Sequence[Tensor]) -> torch.dtype:
    """Return the type whose rounding the Gram matrix has: the coarsest, at least float32."""
    types = {parameter.dtype for parameter in parameters}
    return torch.float64 if types == {torch.float64} else torch.float32


def rounding_of(parameters: Sequence[Tensor]) -> float:
    """Return the relative precision of the Gram matrix's entries."""
    return torch.finfo(working_type(parameters)).eps


def check_method(method: Any) -> None:
    """Raise unless there is such a method."""
    if method not in get_args(Method):
        raise ValueError(f"method: expected one of {', '.join(get_args(Method))}, found {method!r}")


def pass_together(graph: Graph, cotangents: Cotangents) -> bool:
    """Whether tasks should pass together, and can."""
    entering = next(iter(cotangents[0].values()))
    on_host = entering.device.type == "cpu"
    fits = not on_host or _largest(graph) * entering.element_size() < ROOM
    return fits and can_go_together(graph)


def _largest(graph: Graph) -> int:
    """Return how many numbers the largest error in the trunk has, those of weights not counted."""
    weights = (LEAF, TRANSPOSITION, CONVERSION)
    nodes = (node for node in graph.nodes if node.name() not in weights)
    shapes = (place.shape for node in nodes for place in node._input_metadata)
    return max(map(prod, shapes), default=0)
