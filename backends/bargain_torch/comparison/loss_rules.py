"""Methods that weigh losses and never look at gradients."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from bargain import baselines
from bargain_torch.comparison.stepping import Losses, Memoryless, Setting, Stepper
from bargain_torch.losses import listed, read_losses
from bargain_torch.options import check_option
from bargain_torch.reading import NonfiniteError

LossRuleName = Literal["si", "rlw", "dwa", "uw", "famo"]


@dataclass(frozen=True)
class Fixed:
    """The weighted sum of the losses: linear scalarisation.

    Parameters
    ----------
    weights : dict or sequence of float, optional
        A factor for each loss, by the tasks' names or in their order. Default: all one.

    Examples
    --------
    >>> from bargain_torch.comparison import Fixed
    >>> Fixed({"depth": 1.0, "normals": 0.1})
    Fixed(weights={'depth': 1.0, 'normals': 0.1})
    """

    weights: Any = None

    def start(self, setting: Setting) -> Stepper:
        """Begin a training."""
        return _FixedStepper(self.weights)


@dataclass(frozen=True)
class LossRule:
    """A weighting of losses from ``bargain.baselines``, by name.

    Parameters
    ----------
    name : {"si", "rlw", "dwa", "uw", "famo"}
        Which one; see ``bargain.baselines`` for what it does and whose it is. Its options are
        the defaults there.

    Raises
    ------
    ValueError
        There is none of that name.

    Examples
    --------
    >>> from bargain_torch.comparison import LossRule
    >>> LossRule("si")
    LossRule(name='si')
    """

    name: LossRuleName

    def __post_init__(self) -> None:
        check_option("name", self.name, LossRuleName)

    def start(self, setting: Setting) -> Stepper:
        """Begin a training."""
        return {
            "si": _Logarithms,
            "rlw": _Random,
            "dwa": _Rates,
            "uw": _Uncertainties,
            "famo": _Famo,
        }[self.name]()


def add_up(losses: Losses, coefficients: Any) -> Tensor:
    """Pass the weighted sum of the losses back; return the coefficients."""
    factors = torch.as_tensor(np.asarray(coefficients, dtype=np.float64))
    starts = []
    for (name, loss), factor in zip(losses.items(), factors.tolist(), strict=True):
        if not abs(factor) <= torch.finfo(loss.dtype).max:
            raise NonfiniteError(
                f"the loss of {name} gets a factor of {factor:.3g}, too large for {loss.dtype}"
            )
        starts.append(torch.full_like(loss, factor))
    torch.autograd.backward(list(losses.values()), starts)
    return factors


def _numbers(losses: Losses) -> np.ndarray:
    return (
        torch.stack([loss.detach().reshape(()) for loss in losses.values()]).cpu().double().numpy()
    )


def _above_zero(losses: Losses) -> np.ndarray:
    """For rules that take logarithms: at zero they have no value, so a training ends there."""
    found = _numbers(losses)
    gone = [name for name, loss in zip(losses, found, strict=True) if loss == 0]
    if gone:
        raise NonfiniteError(f"the loss of {listed(gone)} is zero, and its logarithm is infinite")
    return found


class _FixedStepper(Memoryless):
    def __init__(self, weights: Any) -> None:
        self._weights = weights

    def backward(self, losses: Losses) -> Tensor:
        tasks, _ = read_losses(losses)
        if isinstance(self._weights, Mapping) and set(self._weights) != set(losses):
            raise ValueError(
                f"weights: expected a factor for each of {listed(losses)}, found those of "
                f"{listed(self._weights)}; zero leaves a loss out"
            )
        factors = tasks.numbers("weights", self._weights) or [1.0] * len(losses)
        if not np.isfinite(factors).all():
            raise ValueError(
                f"weights: expected finite numbers, found {listed(factors)}; zero leaves a loss out"
            )
        return add_up(losses, factors)


class _Logarithms(Memoryless):
    def backward(self, losses: Losses) -> Tensor:
        return add_up(losses, baselines.si(_above_zero(losses)))


class _Random(Memoryless):
    def __init__(self) -> None:
        # Dice of its own, so that all methods see the same batches.
        self._dice = np.random.default_rng(torch.initial_seed())

    def backward(self, losses: Losses) -> Tensor:
        return add_up(losses, baselines.rlw(self._dice.normal(size=len(losses))))

    def state_dict(self) -> dict[str, Any]:
        return {"dice": self._dice.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._dice.bit_generator.state = state["dice"]


class _Remembering(Memoryless):
    """A rule with a named tuple of arrays for a memory, made when the first losses are seen."""

    kind: Any
    begin: Any
    memory: Any = None

    def remembered(self, losses: Losses) -> Any:
        if self.memory is None:
            self.memory = type(self).begin(_numbers(losses))
        return self.memory

    def state_dict(self) -> dict[str, Any]:
        if self.memory is None:
            return {}
        return {name: torch.tensor(value) for name, value in self.memory._asdict().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if state:
            self.memory = self.kind(**{name: value.numpy() for name, value in state.items()})


class _Rates(_Remembering):
    kind, begin = baselines.DWAState, staticmethod(baselines.dwa_init)

    def backward(self, losses: Losses) -> Tensor:
        return add_up(losses, baselines.dwa(self.remembered(losses)))

    def after_epoch(self, means: Mapping[Any, float]) -> None:
        self.memory = baselines.dwa_update(self.memory, np.asarray(list(means.values())))


class _Uncertainties(_Remembering):
    kind, begin = baselines.UWState, staticmethod(baselines.uw_init)

    def backward(self, losses: Losses) -> Tensor:
        return add_up(losses, baselines.uw(self.remembered(losses)))

    def after_step(self, losses: Losses, again: Callable[[], Losses]) -> None:
        self.memory = baselines.uw_update(self.memory, _numbers(losses))


class _Famo(_Remembering):
    kind, begin = baselines.FAMOState, staticmethod(baselines.famo_init)

    def backward(self, losses: Losses) -> Tensor:
        return add_up(losses, baselines.famo(self.remembered(losses), _above_zero(losses)))

    def after_step(self, losses: Losses, again: Callable[[], Losses]) -> None:
        self.memory = baselines.famo_update(self.memory, _numbers(losses), _above_zero(again()))
