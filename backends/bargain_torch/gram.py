"""The Gram matrix of the tasks' gradients, straight from their losses."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from torch import Tensor

from bargain_torch.autograd_graph import read_graph
from bargain_torch.collect import collect
from bargain_torch.donation import explain_donation
from bargain_torch.features import check_features, gradients_at, read_features
from bargain_torch.losses import check_reach, read_losses, read_parameters
from bargain_torch.per_task import enter
from bargain_torch.trunk import (
    Method,
    TrunkGradients,
    check_method,
    gram_of_rows,
    working_type,
)


def gram(
    losses: Mapping[Any, Tensor] | Sequence[Tensor],
    parameters: Iterable[Tensor],
    *,
    method: Method | Literal["features"] = "auto",
    features: Tensor | Iterable[Tensor] | None = None,
) -> Tensor:
    r"""Compute the inner products of the gradients of K losses.

    The recorded graph is kept, so that ``backward`` can follow, and no ``.grad`` is touched.

    Parameters
    ----------
    losses : dict or sequence of Tensor
        K scalars, in a list or a dict.
    parameters : iterable of Tensor
        What to differentiate with respect to. Those that require no grad are left out; one that a
        loss does not depend on has gradient zero there.
    method : str
        How to go about it; all but the last give the same numbers up to rounding.

        - ``"sequential"``: one backward pass for each task, all gradients formed and kept.
        - ``"batched"``: the same by one backward pass that carries all tasks along.
        - ``"ghost"``: gradients of linear, convolutional and embedding layers are not formed
          where that is cheaper, chosen for each layer from its shapes: with inputs :math:`A` and
          errors :math:`E_i` at the outputs, :math:`\langle E_i^T A, E_j^T A \rangle = \langle
          E_i, (A A^T) E_j \rangle`. Other parameters as above.
        - ``"auto"``: the fastest that is known; now ``"ghost"``.
        - ``"features"``: **another matrix**, that of the gradients with respect to ``features``. It
          costs no pass through the trunk, but weighs the tasks otherwise than their effect on the
          parameters does: Nash-MTL reports a change for the worse on QM9 from 62.0 to 179.2.
    features : Tensor or iterable of Tensor, optional
        The representation that the tasks share, one tensor or several, as computed from the
        parameters. With the exact methods it is a check: a loss that reaches the parameters around
        it is an error. Where the heads begin is found without it.

    Returns
    -------
    Tensor
        Shape ``(K, K)``, symmetric, in u² for gradients in u; at least float32.

    Raises
    ------
    TypeError
        Something is no tensor, or not of real numbers.
    ValueError
        A loss is no scalar, requires no grad or depends on none of the parameters; a parameter is
        listed twice; devices are mixed; features require no grad, are missing, or do not separate
        losses from parameters.

    Notes
    -----
    The layers are found in the graph that autograd recorded, not in modules, so tied weights,
    functional calls and models of any make are served, and nothing has to be wrapped. Each task's
    pass through its own head is separate and cheap; only the trunk is passed for all tasks.

    Gradients in float32 are multiplied in float32 and added up in float64. So squares have to lie
    in its range: multiply a loss whose gradient is longer than 1e18, or shorter than 3e-18, which
    counts as zero wherever tasks bargain.

    References
    ----------
    Goodfellow, "Efficient Per-Example Gradient Computations", arXiv 1510.01799; Li et al., "Large
    Language Models Can Be Strong Differentially Private Learners", arXiv 2110.05679 (ghost norms).
    Gradients of features: Sener and Koltun, arXiv 1810.04650 (MGDA-UB); the warning: Navon et al.,
    arXiv 2202.01017, on gradients of features.

    Examples
    --------
    >>> import torch
    >>> from bargain_torch import gram
    >>> layer = torch.nn.Linear(2, 2, bias=False)
    >>> output = layer(torch.ones(1, 2))[0]
    >>> gram([output[0], 3 * output.sum()], layer.parameters())
    tensor([[ 2.,  6.],
            [ 6., 36.]])
    """
    if method != "features":
        check_method(method)
    representation = read_features(features, method)
    tasks, present = read_losses(losses)
    shared = read_parameters(parameters)
    values = tasks.of(present)
    if representation:
        check_features(tasks.names, values, representation, shared)
    with explain_donation():
        if method == "features":
            products = gram_of_rows(gradients_at(values, representation))
            return products.to(working_type(representation))
        graph = read_graph(values, shared)
        check_reach(tasks, present, graph, shared, "parameters")
        if graph.hidden:
            rows = collect(values, shared)
            products = gram_of_rows([[row.get(leaf) for leaf in shared] for row in rows])
        else:
            cotangents, _ = enter(values, graph, with_heads=False, keep=True)
            products = TrunkGradients(graph, shared, cotangents, method, keep=True).gram()
    return products.to(working_type(shared))
