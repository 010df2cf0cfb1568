"""What a training step leaves behind for people and logs."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from torch import Tensor

import bargain


class Step(NamedTuple):
    """The bargain of one training step; all of its numbers are on the CPU.

    Parameters
    ----------
    names : tuple
        The tasks: the keys of the dict of losses, or 0 to K - 1. All below is in this order.
    outcome : Outcome
        The bargaining outcome, with status, shares and certificate. Of a skipped step: status
        NONFINITE, and NaN.
    coefficients : Tensor
        Shape ``(K,)``: the factors of the tasks' gradients in the direction that was written, of
        the length asked for. Zero for absent tasks and where there is no agreement.
    gram : Tensor
        Shape ``(K, K)``: the inner products of the gradients, zero for absent tasks.
    precision : float
        Relative precision of the entries of the Gram matrix, as :func:`bargain.solve` and
        :func:`bargain.certify` take it.
    skipped : bool
        Whether nothing was bargained because something was not finite.
    fresh : bool
        Whether the game was played in this step; if not, all above is of the step when it was.
    """

    names: tuple[Any, ...]
    outcome: bargain.Outcome
    coefficients: Tensor
    gram: Tensor
    precision: float
    skipped: bool
    fresh: bool

    @property
    def status(self) -> bargain.Status:
        """How the game ended."""
        return bargain.Status(int(self.outcome.status))

    def by_task(self, values: Iterable[Any], /) -> dict[Any, float]:
        """Return numbers such as ``outcome.shares`` in a dict by the tasks' names.

        Parameters
        ----------
        values : iterable of float
            K numbers, for example a tensor of shape ``(K,)``.

        Returns
        -------
        dict
            A number for each task.
        """
        return {name: float(value) for name, value in zip(self.names, values, strict=True)}
