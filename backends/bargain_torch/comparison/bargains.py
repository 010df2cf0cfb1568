"""Bargaining, with fixed weights or learned ones, in a training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

import bargain
from bargain.lengths import Length
from bargain.preferences import InverseHessian
from bargain_torch.balancer import Balancer
from bargain_torch.comparison.stepping import Losses, Memoryless, Setting, Stepper
from bargain_torch.options import Heads
from bargain_torch.preference_learner import MIRROR_DESCENT, ONE_STEP, PreferenceLearner


@dataclass(frozen=True)
class Bargain:
    """Bargaining, by :class:`bargain_torch.Balancer`.

    Parameters
    ----------
    solution : Solution
        Which agreement is meant.
    weights : dict or sequence of float, optional
        Bargaining weights, by the tasks' names or in their order. Default: all one.
    every, decay, length, heads : various
        See :class:`bargain_torch.Balancer`.

    Examples
    --------
    >>> from bargain_torch.comparison import Bargain
    >>> Bargain(every=10).every
    10
    """

    solution: Any = bargain.Nash()
    weights: Any = None
    every: int = 1
    decay: float = 0.0
    length: Length = "mean"
    heads: Heads = "plain"

    def start(self, setting: Setting) -> Stepper:
        """Begin a training."""
        balancer = Balancer(
            setting.shared,
            solution=self.solution,
            weights=self.weights,
            every=self.every,
            decay=self.decay,
            length=self.length,
            heads=self.heads,
        )
        return _BargainStepper(balancer, self.weights, self.solution)


@dataclass(frozen=True)
class Learned:
    """Nash bargaining with weights that are learned for a main task's sake.

    Parameters
    ----------
    main : hashable
        The name of the task that matters.
    held_out : callable, optional
        Takes the model and returns the main task's loss on data that should decide. Default:
        another batch of training data.
    weights : dict or sequence of float, optional
        Positive weights to start from. Default: all one.
    every, update, inverse, silent_below, length : various
        See :class:`bargain_torch.preference_learner.PreferenceLearner`.
    heads : {"plain", "weighted"}
        See :func:`bargain_torch.backward`.

    Examples
    --------
    >>> from bargain_torch.comparison import Learned
    >>> Learned("gap", every=10).main
    'gap'
    """

    main: Any
    held_out: Callable[[torch.nn.Module], Tensor] | None = None
    weights: Any = None
    every: int = 25
    update: Any = MIRROR_DESCENT
    inverse: InverseHessian = ONE_STEP
    silent_below: float = 0.01
    length: Length = "mean"
    heads: Heads = "plain"

    def start(self, setting: Setting) -> Stepper:
        """Begin a training."""
        return _LearnedStepper(self, setting)


class _BargainStepper(Memoryless):
    def __init__(self, balancer: Balancer, weights: Any, solution: Any) -> None:
        self._balancer, self._weights, self._solution = balancer, weights, solution
        self._names: tuple[Any, ...] = ()

    def backward(self, losses: Losses) -> Tensor:
        self._names = tuple(losses)
        return self._balancer.backward(losses).coefficients

    def weights(self) -> Mapping[Any, float] | None:
        given = self._weights
        if given is None or isinstance(given, Mapping):
            return given
        return dict(zip(self._names, map(float, given), strict=True))

    def games(self) -> int:
        return self._balancer.counts["games"]

    def play_again(self) -> None:
        step, weights = self._balancer.last, self.weights()
        if step is not None and not step.skipped:
            say = None if weights is None else np.asarray([weights[name] for name in step.names])
            game = bargain.GradientGame(step.gram.numpy(), say)
            bargain.solve(game, self._solution, precision=step.precision)

    def state_dict(self) -> dict[str, Any]:
        return self._balancer.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._balancer.load_state_dict(state)


class _LearnedStepper(_BargainStepper):
    """The learner needs the tasks' names, so it is made when the first losses are seen."""

    def __init__(self, method: Learned, setting: Setting) -> None:
        self._method, self._setting = method, setting
        self._learner: PreferenceLearner | None = None

    def backward(self, losses: Losses) -> Tensor:
        if self._learner is None:
            self._begin(losses)
        return super().backward(losses)

    def learner(self) -> PreferenceLearner:
        if self._learner is None:
            raise RuntimeError("expected a training that has taken a step, found none")
        return self._learner

    def _begin(self, names: Any) -> None:
        method, setting = self._method, self._setting
        judge = method.held_out
        self._learner = PreferenceLearner(
            setting.shared,
            names,
            method.main,
            setting.fresh,
            validation=None if judge is None else lambda: judge(setting.model),
            every=method.every,
            update=method.update,
            inverse=method.inverse,
            weights=method.weights,
            silent_below=method.silent_below,
            length=method.length,
        )
        weights = self._learner.weights
        balancer = Balancer(
            setting.shared, weights=weights, length=method.length, heads=method.heads
        )
        super().__init__(balancer, weights, bargain.Nash())

    def games(self) -> int:
        # A training may end before its first step.
        learner = self._learner
        return 0 if learner is None else super().games() + learner.counts["updates"]

    def play_again(self) -> None:
        if self._learner is not None:
            super().play_again()

    def after_step(self, losses: Losses, again: Callable[[], Losses]) -> None:
        self.learner().step()

    def state_dict(self) -> dict[str, Any]:
        return {"balancer": super().state_dict(), "learner": self.learner().state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._begin(state["learner"]["tasks"])
        super().load_state_dict(state["balancer"])
        self.learner().load_state_dict(state["learner"])
