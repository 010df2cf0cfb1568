"""From losses to ``.grad``: the course of one step."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from bargain_torch.donation import explain_donation
from bargain_torch.losses import Tasks
from bargain_torch.options import Options
from bargain_torch.passes import open_passes, write_again
from bargain_torch.play import no_game, play, share
from bargain_torch.reading import gathered, read_step, settle
from bargain_torch.step import Step
from bargain_torch.trunk import rounding_of


class Memory(Protocol):
    """What earlier steps contribute to a step."""

    def reuse(self, tasks: Tasks, present: Sequence[bool]) -> Step | None:
        """Return an earlier step whose coefficients will do, None to play the game."""
        ...

    def blend(self, tasks: Tasks, products: Tensor, present: Sequence[bool]) -> Tensor:
        """Return the Gram matrix to play with, given that of this step; on the host."""
        ...

    def mark(self) -> Any:
        """Return what must be the same on all ranks."""
        ...


def take_step(
    losses: Any,
    parameters: Sequence[Tensor],
    options: Options,
    *,
    active: Any,
    scaler: Any,
    retain_graph: bool,
    memory: Memory | None = None,
) -> Step:
    """Do what :func:`bargain_torch.backward` says; its options have been checked."""
    mark = None if memory is None else memory.mark()
    tasks, present, here, values, scale, graph, weights, parameters, ranks = read_step(
        losses, active, parameters, options, scaler, mark
    )
    precision = rounding_of(parameters)
    if not any(present):
        return _skipped(tasks, precision)
    with explain_donation():
        earlier = None if memory is None else memory.reuse(tasks, present)
        if earlier is not None:
            write_again(
                values,
                graph,
                parameters,
                gathered(earlier.coefficients.tolist(), present),
                ranks=ranks,
                here=here,
                weighted_heads=options.heads == "weighted",
                keep=retain_graph,
            )
            return earlier
        passes = open_passes(values, graph, parameters, ranks=ranks, here=here, keep=retain_graph)
        products = passes.gram(options.method).cpu()
        finite = torch.isfinite(products.diagonal()).tolist()
        if scale != 1 and not all(finite):
            passes.write([1.0] * len(here), [True] * len(here), weighted_heads=False)
            return _skipped(tasks, precision)
        kept = _spread(finite, present)
        kept = settle(tasks, present, kept, options.nonfinite, "gradient")
        if not any(kept):
            return _skipped(tasks, precision)
        products = _embedded(products, present, kept) / scale**2
        outcome, coefficients = play(
            products if memory is None else memory.blend(tasks, products, kept),
            weights,
            kept,
            solution=options.solution,
            length=options.length,
            maximum=options.maximum,
            precision=precision,
        )
        outcome, coefficients = share(ranks, outcome, coefficients)
        passes.write(
            gathered(coefficients.tolist(), present),
            gathered(kept, present),
            weighted_heads=options.heads == "weighted",
        )
    return Step(tasks.names, outcome, coefficients, products, precision, skipped=False, fresh=True)


def _spread(finite: Sequence[bool], present: Sequence[bool]) -> list[bool]:
    """Return a flag for each task; absent ones count as finite."""
    rest = iter(finite)
    return [next(rest) if here else True for here in present]


def _embedded(products: Tensor, present: Sequence[bool], kept: Sequence[bool]) -> Tensor:
    """Return a Gram matrix of all tasks on the host, zero for those that are not kept."""
    if all(kept):
        return products
    ours = [k for k, stays in enumerate(gathered(kept, present)) if stays]
    theirs = [k for k, stays in enumerate(kept) if stays]
    whole = np.zeros((len(kept), len(kept)))
    whole[np.ix_(theirs, theirs)] = products.numpy()[np.ix_(ours, ours)]
    return torch.from_numpy(whole)


def _skipped(tasks: Tasks, precision: float) -> Step:
    players = len(tasks.names)
    nothing = torch.zeros(players, dtype=torch.float64, device="cpu")
    products = nothing.new_zeros(players, players)
    return Step(
        tasks.names, no_game(players), nothing, products, precision, skipped=True, fresh=True
    )
