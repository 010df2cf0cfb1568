"""Bargaining from step to step: with memory, counters and hooks."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

import bargain
from bargain.lengths import Length
from bargain.solutions import Solution
from bargain_torch.bargaining import take_step
from bargain_torch.losses import read_parameters
from bargain_torch.memory import Recollection
from bargain_torch.options import Heads, Nonfinite, Options
from bargain_torch.step import Step
from bargain_torch.trunk import Method

COUNTERS = ("steps", "games", "agreements", "disagreements", "unproved", "skipped")


class Balancer:
    """:func:`bargain_torch.backward` with memory.

    Parameters
    ----------
    shared : iterable of Tensor
        The parameters to bargain over.
    every : int
        Play the game every so many steps, and use its coefficients in between, which makes those
        steps as cheap as plain ones. The game is played anew whenever other tasks are present, and
        after anything but an agreement. Between games only losses are checked to be finite.
    decay : float
        How much of the running average of Gram matrices is kept from step to step, from 0 (only the
        present one counts) to less than 1. Noise of small batches averages out.
    heads, weights, solution, length, maximum, method, nonfinite, replicas : various
        See :func:`bargain_torch.backward`.

    Attributes
    ----------
    counts
        How many ``steps`` there were, how many ``games`` were played in them, how many of these
        ended in ``agreements`` and ``disagreements`` or remained ``unproved``, and how many steps
        were ``skipped``.
    last
        The last step, None before the first.

    Raises
    ------
    TypeError, ValueError
        As :func:`bargain_torch.backward` does; also where ``every`` or ``decay`` is out of range.

    Notes
    -----
    Each game is solved cold: from one batch to the next games change so much that the search takes
    longer from the last solution. A balancer saved with ``state_dict`` goes on bit for bit where it
    was.

    References
    ----------
    Navon et al., "Multi-Task Learning as a Bargaining Game", arXiv 2202.01017, section 5 and
    appendix, on playing every 5 to 50 steps.

    Examples
    --------
    >>> import torch
    >>> from bargain_torch import Balancer
    >>> trunk, heads = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)
    >>> optimizer = torch.optim.SGD([*trunk.parameters(), *heads.parameters()], lr=0.1)
    >>> balancer = Balancer(trunk.parameters(), every=5)
    >>> for _ in range(10):
    ...     optimizer.zero_grad()
    ...     losses = heads(trunk(torch.eye(3))).square().mean(0)
    ...     step = balancer.backward({"left": losses[0], "right": losses[1]})
    ...     optimizer.step()
    >>> balancer.counts["steps"], balancer.counts["games"]
    (10, 2)
    """

    def __init__(
        self,
        shared: Iterable[Tensor],
        *,
        every: int = 1,
        decay: float = 0.0,
        heads: Heads = "plain",
        weights: Any = None,
        solution: Solution = bargain.Nash(),
        length: Length = "mean",
        maximum: float | None = None,
        method: Method = "auto",
        nonfinite: Nonfinite = "raise",
        replicas: Any = None,
    ) -> None:
        self._options = Options(
            heads, weights, solution, length, maximum, method, nonfinite, replicas
        )
        self._options.check()
        if type(every) is not int or every < 1:
            raise ValueError(f"every: expected a whole number of at least 1, found {every!r}")
        if not 0 <= decay < 1:
            raise ValueError(f"decay: expected at least 0 and less than 1, found {decay!r}")
        self._parameters = read_parameters(shared, "shared")
        self._recollection = Recollection(every, decay)
        self._hooks: dict[object, Callable[[Step], Any]] = {}
        self.counts: dict[str, int] = dict.fromkeys(COUNTERS, 0)
        self.last: Step | None = None

    def backward(
        self,
        losses: Mapping[Any, Tensor | None] | Sequence[Tensor | None],
        *,
        active: Any = None,
        scaler: Any = None,
        retain_graph: bool = False,
    ) -> Step:
        """Fill ``.grad`` for one step.

        Parameters
        ----------
        losses, active, scaler, retain_graph : various
            See :func:`bargain_torch.backward`.

        Returns
        -------
        Step
            As :func:`bargain_torch.backward` returns it. ``fresh`` says whether the game was played
            in this step.

        Raises
        ------
        TypeError, ValueError, RuntimeError
            As :func:`bargain_torch.backward` does. The step does not count then.
        """
        step = take_step(
            losses,
            self._parameters,
            self._options,
            active=active,
            scaler=scaler,
            retain_graph=retain_graph,
            memory=self._recollection,
        )
        self._count(step)
        self.last = step
        for hook in list(self._hooks.values()):
            hook(step)
        return step

    def add_hook(self, hook: Callable[[Step], Any]) -> Callable[[], None]:
        """Have a function called with every step.

        Parameters
        ----------
        hook : callable
            Takes the :class:`Step`; what it returns is ignored. See :func:`scalars_of`.

        Returns
        -------
        callable
            Call it without arguments to take the hook away again.
        """
        key = object()
        self._hooks[key] = hook
        return lambda: self._hooks.pop(key, None) and None

    def state_dict(self) -> dict[str, Any]:
        """Return what the balancer remembers.

        Returns
        -------
        dict
            Plain containers, numbers and tensors, as ``torch.save`` likes them.
        """
        return {"counts": dict(self.counts), "recollection": self._recollection.state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what another balancer remembered; options stay those of this one.

        Parameters
        ----------
        state : dict
            What :meth:`state_dict` returned.

        Raises
        ------
        ValueError
            It is something else.
        """
        if set(state) != {"counts", "recollection"}:
            raise ValueError(
                f"state: expected what state_dict() returned, found the keys "
                f"{', '.join(map(str, state))}"
            )
        self.counts = dict(state["counts"])
        self._recollection.restore(state["recollection"])
        self.last = self._recollection.step

    def _count(self, step: Step) -> None:
        self.counts["steps"] += 1
        if step.skipped:
            self.counts["skipped"] += 1
        elif step.fresh:
            self._recollection.remember(step)
            self.counts["games"] += 1
            self.counts[_ENDS[step.status]] += 1


_ENDS = {
    bargain.Status.AGREEMENT: "agreements",
    bargain.Status.DISAGREEMENT: "disagreements",
    bargain.Status.MAX_STEPS: "unproved",
    bargain.Status.NONFINITE: "unproved",
}


def scalars_of(step: Step, prefix: str = "bargain") -> dict[str, float]:
    """Return the numbers of a step that are worth plotting.

    Parameters
    ----------
    step : Step
        What a balancer hands to its hooks.
    prefix : str
        What the names begin with.

    Returns
    -------
    dict
        Share, coefficient and gradient norm of each task, the residual, and whether the game was
        played in this step, by names such as ``bargain/share/depth``.

    Examples
    --------
    With a TensorBoard writer, or anything else that takes a name, a number and a step::

        def log(step):
            for name, value in scalars_of(step).items():
                writer.add_scalar(name, value, balancer.counts["steps"])

        balancer.add_hook(log)
    """
    norms = step.gram.diagonal().sqrt()
    columns = {"share": step.outcome.shares, "coefficient": step.coefficients, "norm": norms}
    scalars = {
        f"{prefix}/{column}/{name}": value
        for column, values in columns.items()
        for name, value in step.by_task(values).items()
    }
    return {
        **scalars,
        f"{prefix}/residual": float(step.outcome.residual),
        f"{prefix}/fresh": float(step.fresh),
    }
