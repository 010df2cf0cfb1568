"""What a method does in a training: fill ``.grad``, and learn from what came of it."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

Losses = Mapping[Any, Tensor]


class Setting(NamedTuple):
    """Where a method finds itself.

    Parameters
    ----------
    model : Module
        What is trained.
    shared : list of Tensor
        Its shared parameters.
    fresh : callable
        Takes nothing and returns the losses on another training batch.
    """

    model: torch.nn.Module
    shared: list[Tensor]
    fresh: Callable[[], Losses]


class Stepper(Protocol):
    """A method at work in one training."""

    def backward(self, losses: Losses) -> Tensor:
        """Fill ``.grad``.

        Parameters
        ----------
        losses : dict of Tensor
            K finite scalars by the tasks' names.

        Returns
        -------
        Tensor or sequence of float
            Shape ``(K,)``: the coefficients of the tasks' gradients.
        """
        ...

    def after_step(self, losses: Losses, again: Callable[[], Losses]) -> None:
        """Learn from a step of the optimiser.

        Parameters
        ----------
        losses : dict of Tensor
            Those that ``backward`` was given.
        again : callable
            Takes nothing and computes the losses of the same batch anew.
        """
        ...

    def after_epoch(self, means: Mapping[Any, float]) -> None:
        """Learn from an epoch.

        Parameters
        ----------
        means : dict of float
            The mean of each training loss.
        """
        ...

    def weights(self) -> Mapping[Any, float] | None:
        """Return the present bargaining weights.

        Returns
        -------
        dict of float or None
            None if the method has none.
        """
        ...

    def games(self) -> int:
        """Return how many games were played so far.

        Returns
        -------
        int
            Zero for methods that play none.
        """
        ...

    def play_again(self) -> None:
        """Solve the last game once more and forget the answer, to see how long it takes."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what it remembers.

        Returns
        -------
        dict
            Plain containers, numbers and tensors.
        """
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what it remembered.

        Parameters
        ----------
        state : dict
            What :meth:`state_dict` returned.
        """
        ...


class Method(Protocol):
    """A way to combine the gradients of several losses: a frozen dataclass of plain values."""

    def start(self, setting: Setting) -> Stepper:
        """Begin a training."""
        ...


class Memoryless:
    """A stepper that learns nothing; the others say what they do otherwise."""

    def after_step(self, losses: Losses, again: Callable[[], Losses]) -> None: ...

    def after_epoch(self, means: Mapping[Any, float]) -> None: ...

    def weights(self) -> Mapping[Any, float] | None:
        return None

    def games(self) -> int:
        return 0

    def play_again(self) -> None: ...

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...
