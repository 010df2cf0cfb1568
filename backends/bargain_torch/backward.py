"""One training step's backward pass: the bargained direction for shared parameters."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

import bargain
from bargain.lengths import Length
from bargain.solutions import Solution
from bargain_torch.bargaining import take_step
from bargain_torch.losses import read_parameters
from bargain_torch.options import Heads, Nonfinite, Options
from bargain_torch.step import Step
from bargain_torch.trunk import Method


def backward(
    losses: Mapping[Any, Tensor | None] | Sequence[Tensor | None],
    shared: Iterable[Tensor],
    *,
    heads: Heads = "plain",
    weights: Any = None,
    solution: Solution = bargain.Nash(),
    length: Length = "mean",
    maximum: float | None = None,
    active: Any = None,
    method: Method = "auto",
    nonfinite: Nonfinite = "raise",
    replicas: Any = None,
    scaler: Any = None,
    retain_graph: bool = False,
) -> Step:
    r"""Let the tasks bargain over the shared parameters' update, and fill ``.grad`` with it.

    Takes the place of ``sum(losses).backward()``. Adds to ``.grad`` as that does, so gradients of
    several batches may be accumulated. Whatever is wrong with the arguments is found before
    anything is written.

    Parameters
    ----------
    losses : dict or sequence of Tensor
        K scalars, in a list or a dict.
    shared : iterable of Tensor
        The parameters to bargain over; those that require no grad are left out. All other leaves
        that the losses depend on count as heads.
    heads : {"plain", "weighted"}
        What the heads receive: ``"plain"``, the gradient of the sum of losses; ``"weighted"``, that
        of the sum weighted by the coefficients, as the shared parameters do.
    weights : sequence, Tensor or dict, optional
        K bargaining weights, a list, a tensor or a dict by task; default: all one.
    solution : Solution
        Which agreement is meant.
    length : str
        The length of the direction, see :func:`bargain.rescale`. The default ``"mean"`` suits a
        learning rate tuned for the mean of the losses.
    maximum : float, optional
        Shorten directions that are longer than this (1.0 in the published Nash-MTL).
    active : sequence, Tensor or dict, optional
        K booleans, like weights. Absent tasks take no part, their heads receive nothing, and their
        losses may be None.
    method : str
        See :func:`bargain_torch.gram`.
    nonfinite : {"raise", "skip", "drop"}
        What to do about a loss or a gradient that is NaN or infinite: ``"raise"``; ``"skip"``, to
        write nothing at all; ``"drop"``, to treat that task as absent. A gradient that is zero
        needs no policy: its task is indifferent and takes no part.
    replicas : Module or ProcessGroup, optional
        Where several processes train together, each on a batch of its own: the module, which may be
        a ``DistributedDataParallel`` (forward under ``no_sync()``), one sharded by ``fully_shard``,
        or a plain one; or the process group, if all parameters are plain tensors and every rank
        uses the same. Then ``.grad`` becomes what one process would find on the whole batch, with
        losses that are means, and a task takes part if any rank has it.
    scaler : torch.amp.GradScaler, optional
        A ``torch.amp.GradScaler``. Pass the losses unscaled; ``.grad`` ends up scaled as the scaler
        expects, and so do overflows, which are the scaler's business then: it skips that step.
    retain_graph : bool
        Keep the graph, for another pass through it.

    Returns
    -------
    Step
        The outcome with the tasks' names, the coefficients as applied, and the Gram matrix.

    Raises
    ------
    TypeError
        Something is no tensor, or not of real numbers.
    ValueError
        A loss is no scalar, requires no grad or depends on no shared parameter; a parameter is
        listed twice; weights do not fit; devices are mixed; an option is unknown; something is not
        finite and ``nonfinite="raise"``; or ranks disagree. What raises on one rank does on all.
    RuntimeError
        The model was compiled so that its graph can be passed only once.

    Notes
    -----
    The cost is that of the Gram matrix and of one more pass through the trunk; heads are passed
    once. Where the tasks cannot agree (status DISAGREEMENT, the point is Pareto stationary) the
    direction is zero and shared parameters receive nothing. Under a status of MAX_STEPS the
    coefficients are the best that was found, without proof.

    Parameters inside *reentrant* checkpoints do not show in the graph. They must all be among the
    shared ones; any other would receive the plain gradient, whatever ``heads`` says.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, arXiv 2202.01017, algorithm
    1; Shamsian et al., arXiv 2301.13501, for weights.

    Examples
    --------
    >>> import torch
    >>> from bargain_torch import backward
    >>> trunk = torch.nn.Linear(3, 2, bias=False)
    >>> first, second = trunk(torch.eye(3)).square().sum(0)
    >>> step = backward({"first": first, "second": second}, trunk.parameters())
    >>> step.names, [round(float(share), 3) for share in step.outcome.shares]
    (('first', 'second'), [0.5, 0.5])
    >>> trunk.weight.grad.shape
    torch.Size([2, 3])
    """
    options = Options(heads, weights, solution, length, maximum, method, nonfinite, replicas)
    options.check()
    return take_step(
        losses,
        read_parameters(shared, "shared"),
        options,
        active=active,
        scaler=scaler,
        retain_graph=retain_graph,
    )
