"""A game for each group of parameters, all of them solved as one batch."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

import bargain
from bargain.lengths import Length
from bargain.solutions import Solution
from bargain_torch.autograd_graph import read_graph
from bargain_torch.collect import accumulate
from bargain_torch.donation import explain_donation
from bargain_torch.losses import check_reach, listed, read_losses, read_parameters
from bargain_torch.per_task import enter
from bargain_torch.play import play
from bargain_torch.trunk import Method, TrunkGradients, check_method, rounding_of


class GroupStep(NamedTuple):
    """The bargains of one training step, one a group; all numbers are on the CPU.

    Parameters
    ----------
    groups : dict
        The names of the G groups.
    names : tuple
        The names of the K tasks.
    outcome : Outcome
        A batch of outcomes, see :class:`bargain.Outcome`: its vectors have shape ``(G, K)``.
    coefficients : Tensor
        Shape ``(G, K)``: the factors of the tasks' gradients in the directions that were written.
    gram : Tensor
        Shape ``(G, K, K)``: the inner products of the gradients in each group.
    """

    groups: tuple[Any, ...]
    names: tuple[Any, ...]
    outcome: bargain.Outcome
    coefficients: Tensor
    gram: Tensor


def backward_by_group(
    losses: Mapping[Any, Tensor] | Sequence[Tensor],
    groups: Mapping[Any, Iterable[Tensor]],
    *,
    weights: Any = None,
    solution: Solution = bargain.Nash(),
    length: Length = "mean",
    maximum: float | None = None,
    method: Method = "auto",
    retain_graph: bool = False,
) -> GroupStep:
    r"""Let the tasks bargain over each group of parameters by itself, and fill ``.grad``.

    In one game over all parameters a layer where a task has large gradients decides for all others.
    With a game for each layer, the tasks share every one of them by their weights. What one update
    of all the layers then does for a task is the sum of its gains, each of them positive.

    Parameters
    ----------
    losses : dict or sequence of Tensor
        K scalars, in a list or a dict.
    groups : dict
        The groups by name, each an iterable of parameters, no parameter in two of them. All leaves
        in no group receive the gradient of the sum of losses.
    weights : sequence, Tensor or dict, optional
        K bargaining weights, in every group the same: a list, a tensor or a dict by task.
    solution : Solution
        Which agreement is meant.
    length : str
        The length of each group's direction, see :func:`bargain.rescale`.
    maximum : float, optional
        Shorten directions that are longer than this (1.0 in the published Nash-MTL).
    method : str
        See :func:`bargain_torch.gram`.
    retain_graph : bool
        Keep the graph, for another pass through it.

    Returns
    -------
    GroupStep
        Outcomes, coefficients and Gram matrices, with a leading axis of groups. In a group where
        the tasks disagree, or that none depends on, nothing is written.

    Raises
    ------
    TypeError
        Something is no tensor, or not of real numbers.
    ValueError
        A loss is no scalar, requires no grad or depends on no parameter of the groups; a parameter
        is listed twice; a gradient is not finite; devices are mixed; an option is unknown.
    RuntimeError
        The graph cannot be taken apart: there are reentrant checkpoints in it, or the model was
        compiled so that it can be passed only once.

    Examples
    --------
    >>> import torch
    >>> from bargain_torch import backward_by_group
    >>> layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    >>> first, second = layers(torch.eye(3)).square().mean(0)
    >>> groups = {"below": layers[0].parameters(), "above": layers[2].parameters()}
    >>> step = backward_by_group({"first": first, "second": 1000 * second}, groups)
    >>> step.groups, step.outcome.shares.round(decimals=3)
    (('below', 'above'), tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]], dtype=torch.float64))
    """
    check_method(method)
    tasks, present = read_losses(losses)
    parts = _read_groups(groups)
    shared = [leaf for leaves in parts for leaf in leaves]
    say = tasks.numbers("weights", weights)
    values = tasks.of(present)
    graph = read_graph(values, shared)
    check_reach(tasks, present, graph, shared, "parameters of the groups")
    if graph.hidden:
        raise RuntimeError(
            "losses: expected a graph that can be taken apart, found reentrant checkpoints; pass "
            "use_reentrant=False to torch.utils.checkpoint.checkpoint"
        )
    with explain_donation():
        cotangents, heads = enter(values, graph, with_heads=True, keep=retain_graph)
        # Leaves of the trunk that are in no group take part in that pass, with equal factors.
        trunk = TrunkGradients(graph, graph.trunk, cotangents, method, keep=retain_graph)
        products = torch.stack([trunk.gram(leaves.keys()) for leaves in parts]).cpu()
    finite = torch.isfinite(products.diagonal(dim1=1, dim2=2)).all(0).tolist()
    if not all(finite):
        names = (name for name, good in zip(tasks.names, finite, strict=True) if not good)
        raise ValueError(
            f"losses: expected finite gradients, found others of {listed(names)}; leave that loss "
            f"out of this step"
        )
    precision = rounding_of(shared)
    outcome, coefficients = play(
        products,
        say,
        present,
        solution=solution,
        length=length,
        maximum=maximum,
        precision=precision,
    )
    _write(trunk, parts, coefficients, heads)
    return GroupStep(tuple(groups), tasks.names, outcome, coefficients, products)


def _read_groups(groups: Any) -> list[dict[Tensor, None]]:
    """Return the parameters of each group, checked."""
    if not isinstance(groups, Mapping) or not groups:
        raise TypeError(
            f"groups: expected a dict of parameters by the names of groups, found "
            f"{type(groups).__name__ if groups else 'none'}; for one game over all of them call "
            f"backward"
        )
    found = {name: [*leaves] for name, leaves in groups.items()}
    trained = set(read_parameters([leaf for leaves in found.values() for leaf in leaves], "groups"))
    return [dict.fromkeys(leaf for leaf in leaves if leaf in trained) for leaves in found.values()]


def _write(
    trunk: TrunkGradients,
    parts: Sequence[dict[Tensor, None]],
    coefficients: Tensor,
    heads: Sequence[dict[Tensor, Tensor]],
) -> None:
    grouped = {leaf for leaves in parts for leaf in leaves}
    rest = {part.leaf for part in trunk.parts} - grouped
    plain = [1.0] * trunk.players
    for leaves, factors in [*zip(parts, coefficients.tolist(), strict=True), (rest, plain)]:
        for leaf, direction in trunk.directions(factors, set(leaves)):
            accumulate(leaf, direction)
    for head in heads:
        for leaf, gradient in head.items():
            # Autograd may hand out one tensor for several leaves.
            accumulate(leaf, gradient.clone())
