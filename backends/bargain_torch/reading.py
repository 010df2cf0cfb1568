"""What a step starts from: losses as given, read, and settled with the other ranks."""

from collections.abc import Sequence
from functools import partial
from math import inf, isfinite
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bargain_torch.autograd_graph import NO_GRAPH, Graph, read_graph
from bargain_torch.losses import Tasks, check_reach, read_losses
from bargain_torch.options import Nonfinite, Options
from bargain_torch.ranks import Alone, Ranks
from bargain_torch.replicas import check_forward, read_replicas

SQUARES = ", or in its square"
"""Gradients are looked at by their inner products, which may overflow where they do not."""


class NonfiniteError(ValueError):
    """A loss or a gradient is NaN or infinite, and the policy is to raise."""


class Reading(NamedTuple):
    """The tasks of a step, and this rank's graph of them.

    Attributes
    ----------
    tasks
        All of them, with losses of this rank.
    present
        Which are played for, on every rank.
    here
        Which of those present this rank has.
    values
        The losses that are here, scaled.
    scale
        By what the scaler has scaled them.
    graph
        The graph of those losses.
    weights
        One for each task, checked.
    parameters
        What is bargained over, as it is trained.
    ranks
        Who trains together.
    """

    tasks: Tasks
    present: list[bool]
    here: list[bool]
    values: list[Tensor]
    scale: float
    graph: Graph
    weights: list[float] | None
    parameters: Sequence[Tensor]
    ranks: Alone | Ranks


def read_step(
    losses: Any, active: Any, parameters: Sequence[Tensor], options: Options, scaler: Any, mark: Any
) -> Reading:
    """Check what was given and agree on it; nobody is present where the step is to be skipped.

    ``mark`` is whatever else must be the same on every rank.
    """
    ranks, parameters = read_replicas(options.replicas, parameters, options.method)
    if scaler is not None and not scaler.is_enabled():
        scaler = None
    scale = 1.0 if scaler is None else float(scaler.get_scale())
    tasks, ours, weights, graph = ranks.agree(
        partial(_read_here, losses, active, parameters, options, ranks),
        partial(_terms, options=options, ranks=ranks, scale=scale, mark=mark),
    )
    numbers = ranks.count([*ours, *(not good for good in _finite(tasks))])
    counts, broken = numbers[: len(ours)], numbers[len(ours) :]
    present = [count > 0 for count in counts]
    if not any(present):
        raise ValueError("active: expected a task that is present, found none; skip this step")
    say = _checked_weights(weights, present)
    present = settle(tasks, present, [not count for count in broken], options.nonfinite, "loss")
    kept = [mine and stays for mine, stays in zip(ours, present, strict=True)]
    values = tasks.of(kept)
    if kept != ours:
        graph = _graph_of(values, parameters, ranks)
    if scaler is not None:
        # Even a rank without a task has to make the scaler ready for what the others found.
        values = scaler.scale([*values, torch.zeros((), device=parameters[0].device)])[:-1]
    # The average over the ranks that have a task, as an average over all of them.
    raised = [ranks.size / count for count in gathered(counts, kept)]
    values = [
        loss if factor == 1 else loss * factor for loss, factor in zip(values, raised, strict=True)
    ]
    here = gathered(kept, present)
    return Reading(tasks, present, here, values, scale, graph, say, parameters, ranks)


def settle(
    tasks: Tasks, present: list[bool], finite: Sequence[bool], policy: Nonfinite, what: str
) -> list[bool]:
    """Return who is present after the policy was applied; nobody where the step is skipped."""
    if all(finite):
        return present
    if policy == "raise":
        names = [str(name) for name, good in zip(tasks.names, finite, strict=True) if not good]
        raise NonfiniteError(
            f"losses: expected finite numbers, found NaN or infinity in the {what} of "
            f"{', '.join(names)}{SQUARES if what == 'gradient' else ''}; nonfinite='skip' or "
            f"nonfinite='drop' trains on without that step or task"
        )
    return [policy == "drop" and here and good for here, good in zip(present, finite, strict=True)]


def gathered(values: Sequence[Any], present: Sequence[bool]) -> list[Any]:
    """Return the values of tasks that are present."""
    return [value for value, here in zip(values, present, strict=True) if here]


def _read_here(
    losses: Any, active: Any, parameters: Sequence[Tensor], options: Options, ranks: Alone | Ranks
) -> tuple[Tasks, list[bool], list[float] | None, Graph]:
    tasks, present = read_losses(losses, active)
    weights = tasks.numbers("weights", options.weights)
    check_forward(ranks)
    values = tasks.of(present)
    graph = _graph_of(values, parameters, ranks)
    if values:
        check_reach(tasks, present, graph, parameters, "shared parameters")
    return tasks, present, weights, graph


def _graph_of(
    values: Sequence[Tensor], parameters: Sequence[Tensor], ranks: Alone | Ranks
) -> Graph:
    graph = read_graph(values, parameters) if values else NO_GRAPH
    return graph._replace(hidden=graph.hidden or ranks.sharded)


def _terms(
    found: tuple[Tasks, list[bool], list[float] | None, Graph],
    *,
    options: Options,
    ranks: Any,
    scale: float,
    mark: Any,
) -> dict[str, Any]:
    """Return what has to be the same on every rank, by the names of arguments."""
    tasks, present, weights, graph = found
    return {
        "losses": list(tasks.names),
        "active": present if ranks.sharded else None,
        **options._replace(weights=weights, replicas=None)._asdict(),
        "scaler": scale,
        "memory": mark,
        "parameters": [
            f"{leaf.dtype} of shape {tuple(leaf.shape)}" for leaf in ranks.leaves(graph.leaves)
        ],
    }


def _finite(tasks: Tasks) -> list[bool]:
    """Say of each loss whether it is a number; absent ones count as such."""
    there = [loss.detach().reshape(()) for loss in tasks.losses if loss is not None]
    values = iter(torch.stack(there).tolist() if there else ())
    return [True if loss is None else isfinite(next(values)) for loss in tasks.losses]


def _checked_weights(weights: list[float] | None, present: Sequence[bool]) -> list[float] | None:
    """Return bargaining weights, checked."""
    if weights is None:
        return None
    usable = all(0 <= value < inf for value in weights)
    if not usable or not any(gathered(weights, present)):
        raise ValueError(
            f"weights: expected numbers of at least zero, one of a present task above zero, found "
            f"{', '.join(f'{value:g}' for value in weights)}; zero means no say"
        )
    return weights
