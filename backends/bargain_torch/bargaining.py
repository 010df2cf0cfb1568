"""From losses to ``.grad``: the course of one step."""

from collections.abc import Sequence
from math import inf
from typing import Any, Literal, NamedTuple, Protocol, get_args

import torch
from torch import Tensor

import bargain
from bargain.lengths import Length
from bargain_torch.autograd_graph import read_graph
from bargain_torch.donation import explain_donation
from bargain_torch.losses import Tasks, check_reach, read_losses
from bargain_torch.passes import open_passes, write_again
from bargain_torch.play import no_game, play
from bargain_torch.step import Step
from bargain_torch.trunk import Method, check_method, working_type

Heads = Literal["plain", "weighted"]
Nonfinite = Literal["raise", "skip", "drop"]


class Options(NamedTuple):
    """What stays the same from step to step; see :func:`bargain_torch.backward`."""

    heads: Heads = "plain"
    weights: Any = None
    solution: bargain.Nash = bargain.Nash()
    length: Length = "mean"
    method: Method = "auto"
    nonfinite: Nonfinite = "raise"

    def check(self) -> None:
        """Raise unless there are such options."""
        _check_option("heads", self.heads, Heads)
        _check_option("length", self.length, Length)
        _check_option("nonfinite", self.nonfinite, Nonfinite)
        check_method(self.method)


class Memory(Protocol):
    """What earlier steps contribute to a step."""

    def reuse(self, tasks: Tasks, present: Sequence[bool]) -> Step | None:
        """Return an earlier step whose coefficients will do, None to play the game."""
        ...

    def blend(self, products: Tensor, present: Sequence[bool]) -> Tensor:
        """Return the Gram matrix to play with, given that of this step; on the host."""
        ...

    def start(self, tasks: Tasks) -> Any:
        """Return coefficients to start from, None for a cold start."""
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
    tasks, present = read_losses(losses, active)
    say = _read_weights(tasks, options.weights, present)
    present = _settle(tasks, present, _finite(tasks), options.nonfinite, "loss")
    if not any(present):
        return _skipped(tasks)
    values, scale = tasks.of(present), 1.0
    if scaler is not None and scaler.is_enabled():
        values = [scaler.scale(loss) for loss in values]
        scale = float(scaler.get_scale())
    graph = read_graph(values, parameters)
    check_reach(tasks, present, graph, parameters, "shared parameters")
    with explain_donation():
        earlier = None if memory is None else memory.reuse(tasks, present)
        if earlier is not None:
            write_again(
                values,
                graph,
                parameters,
                _gathered(earlier.coefficients.tolist(), present),
                weighted_heads=options.heads == "weighted",
                keep=retain_graph,
            )
            return earlier
        passes = open_passes(values, graph, parameters, keep=retain_graph)
        products = passes.gram(options.method)
        finite = torch.isfinite(products.diagonal()).tolist()
        if scale != 1 and not all(finite):
            passes.write([1.0] * len(values), [True] * len(values), weighted_heads=False)
            return _skipped(tasks)
        kept = _spread(finite, present)
        kept = _settle(tasks, present, kept, options.nonfinite, "gradient")
        if not any(kept):
            return _skipped(tasks)
        products = _embedded(products, present, kept) / scale**2
        outcome, coefficients = play(
            products if memory is None else memory.blend(products, kept),
            say,
            kept,
            solution=options.solution,
            length=options.length,
            precision=torch.finfo(working_type(parameters)).eps,
            start=None if memory is None else memory.start(tasks),
        )
        passes.write(
            _gathered(coefficients.tolist(), present),
            _gathered(kept, present),
            weighted_heads=options.heads == "weighted",
        )
    return Step(tasks.names, outcome, coefficients, products, skipped=False, fresh=True)


def _check_option(name: str, value: Any, options: Any) -> None:
    if value not in get_args(options):
        raise ValueError(f"{name}: expected one of {', '.join(get_args(options))}, found {value!r}")


def _read_weights(tasks: Tasks, weights: Any, present: Sequence[bool]) -> list[float] | None:
    """Return one bargaining weight for each task, checked."""
    values = tasks.read("weights", weights)
    if values is None:
        return None
    say = [float(value) for value in values]
    usable = all(0 <= value < inf for value in say)
    if not usable or not any(_gathered(say, present)):
        raise ValueError(
            f"weights: expected numbers of at least zero, one of a present task above zero, found "
            f"{', '.join(f'{value:g}' for value in say)}"
        )
    return say


def _finite(tasks: Tasks) -> list[bool]:
    """Say of each loss whether it is a number; absent ones count as such."""
    there = [loss.detach().reshape(()) for loss in tasks.losses if loss is not None]
    flags = iter(torch.stack([torch.isfinite(loss) for loss in there]).tolist())
    return [True if loss is None else next(flags) for loss in tasks.losses]


def _settle(
    tasks: Tasks, present: list[bool], finite: Sequence[bool], policy: Nonfinite, what: str
) -> list[bool]:
    """Return who is present after the policy was applied; nobody where the step is skipped."""
    if all(finite):
        return present
    if policy == "raise":
        names = [str(name) for name, good in zip(tasks.names, finite, strict=True) if not good]
        raise ValueError(
            f"losses: expected finite numbers, found a {what} that is not for {', '.join(names)}; "
            f"nonfinite='skip' or nonfinite='drop' trains on without that step or task"
        )
    return [policy == "drop" and here and good for here, good in zip(present, finite, strict=True)]


def _gathered(values: Sequence[Any], present: Sequence[bool]) -> list[Any]:
    return [value for value, here in zip(values, present, strict=True) if here]


def _spread(finite: Sequence[bool], present: Sequence[bool]) -> list[bool]:
    """Return a flag for each task; absent ones count as finite."""
    rest = iter(finite)
    return [next(rest) if here else True for here in present]


def _embedded(products: Tensor, present: Sequence[bool], kept: Sequence[bool]) -> Tensor:
    """Return a Gram matrix of all tasks on the host, zero for those that are not kept."""
    ours = torch.tensor([k for k, stays in enumerate(_gathered(kept, present)) if stays])
    theirs = torch.tensor([k for k, stays in enumerate(kept) if stays])
    whole = torch.zeros(len(kept), len(kept), dtype=torch.float64)
    whole[theirs[:, None], theirs] = products.cpu()[ours[:, None], ours]
    return whole


def _skipped(tasks: Tasks) -> Step:
    players = len(tasks.names)
    nothing = torch.zeros(players, dtype=torch.float64)
    return Step(
        tasks.names, no_game(players), nothing, nothing.new_zeros(players, players), True, True
    )
