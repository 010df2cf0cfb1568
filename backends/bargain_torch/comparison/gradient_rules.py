"""The field's methods that weigh gradients, in a training."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from bargain import baselines
from bargain_torch.comparison.stepping import Losses, Memoryless, Setting, Stepper
from bargain_torch.options import Heads, check_option
from bargain_torch.ruled import ruled_step

GradientRuleName = Literal[
    "mgda", "pcgrad", "gradvac", "cagrad", "imtl_g", "config", "aligned_mtl", "upgrad", "dualproj",
    "fairgrad", "gcs",
]  # fmt: skip
ORDERED = ("pcgrad", "gradvac")


@dataclass(frozen=True)
class GradientRule:
    """A weighting of gradients from ``bargain.baselines``, by name.

    Parameters
    ----------
    name : str
        ``"mgda"``, ``"pcgrad"``, ``"gradvac"``, ``"cagrad"``, ``"imtl_g"``, ``"config"``,
        ``"aligned_mtl"``, ``"upgrad"``, ``"dualproj"``, ``"fairgrad"`` or ``"gcs"``.
    options : dict
        What the function there takes besides the Gram matrix and what changes from step to step
        (orders, memory), such as ``{"distance": 0.4}`` or ``{"weights": [1.0, 2.0]}``.
    heads : {"plain", "weighted"}
        See :func:`bargain_torch.backward`.

    Raises
    ------
    ValueError
        There is none of that name.

    Examples
    --------
    >>> from bargain_torch.comparison import GradientRule
    >>> GradientRule("cagrad", {"distance": 0.4}).name
    'cagrad'
    """

    name: GradientRuleName
    options: Mapping[str, Any] = field(default_factory=dict)
    heads: Heads = "plain"

    def __post_init__(self) -> None:
        check_option("name", self.name, GradientRuleName)
        check_option("heads", self.heads, Heads)

    def start(self, setting: Setting) -> Stepper:
        """Begin a training."""
        kind = _OrderedStepper if self.name in ORDERED else _RuleStepper
        return kind(self, setting.shared)


class _RuleStepper(Memoryless):
    def __init__(self, rule: GradientRule, shared: list[Tensor]) -> None:
        self._rule, self._shared = rule, shared

    def backward(self, losses: Losses) -> Tensor:
        return ruled_step(losses, self._shared, self.coefficients, heads=self._rule.heads)

    def coefficients(self, gram: np.ndarray, precision: float) -> np.ndarray:
        options = {"precision": precision, **self._rule.options}
        return getattr(baselines, self._rule.name)(gram, **options)


class _OrderedStepper(_RuleStepper):
    """Rules that visit tasks in an order of dice, one of which remembers cosines as well."""

    def __init__(self, rule: GradientRule, shared: list[Tensor]) -> None:
        super().__init__(rule, shared)
        # Dice of its own, so that all methods see the same batches.
        self._dice = np.random.default_rng(torch.initial_seed())
        self._cosines: Any = None

    def coefficients(self, gram: np.ndarray, precision: float) -> np.ndarray:
        players = len(gram)
        order = np.stack([self._dice.permutation(players) for _ in range(players)])
        options = {"precision": precision, **self._rule.options}
        if self._rule.name == "pcgrad":
            return baselines.pcgrad(gram, order=order, **options)
        if self._cosines is None:
            self._cosines = baselines.gradvac_init(gram, precision=options["precision"])
        found, self._cosines = baselines.gradvac_update(gram, self._cosines, order=order, **options)
        return found

    def state_dict(self) -> dict[str, Any]:
        cosines = {} if self._cosines is None else self._cosines._asdict()
        return {
            "dice": self._dice.bit_generator.state,
            "cosines": {name: torch.tensor(value) for name, value in cosines.items()},
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._dice.bit_generator.state = state["dice"]
        if state["cosines"]:
            cosines = {name: value.numpy() for name, value in state["cosines"].items()}
            self._cosines = baselines.GradVacState(**cosines)
