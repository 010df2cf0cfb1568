"""The problem of the study of QM9: standardised properties, batches, losses and errors."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from qm9_molecules import TARGETS

UNITS = ("standardised", "raw")


class Sizes(NamedTuple):
    """How many molecules to train on, to choose learning rates by, and to report."""

    train: int = 10_000
    validation: int = 2_000
    test: int = 10_000


class Batches:
    """Molecules by index; shuffled by torch's global dice, the last odd ones left out."""

    def __init__(self, inputs: Any, wanted: Tensor, train: int, size: int) -> None:
        self._inputs, self._wanted, self._train, self._size = inputs, wanted, train, size

    def __iter__(self) -> Iterator[tuple[Any, Tensor]]:
        for rows in torch.randperm(self._train).split(self._size):
            if len(rows) == self._size:
                yield self._inputs[rows], self._wanted[rows]


class Properties:
    """Predict standardised properties from inputs that take rows as an index; losses in units."""

    def __init__(
        self, inputs: Any, properties: np.ndarray, sizes: Sizes, units: str, batch: int = 128
    ) -> None:
        train = properties[: sizes.train]
        self.deviations = train.std(axis=0)
        wanted = (properties - train.mean(axis=0)) / self.deviations
        self.inputs, self.wanted = inputs, torch.from_numpy(wanted.astype(np.float32))
        # A squared error in the data's units is the standardised one times the variance: networks,
        # starts and targets are the same in both units, and only the scales of the losses differ.
        variances = self.deviations**2 if units == "raw" else np.ones(len(TARGETS))
        self.scales = torch.from_numpy(variances.astype(np.float32))
        self.sizes, self.batch = sizes, batch

    def data(self) -> Batches:
        return Batches(self.inputs, self.wanted, self.sizes.train, self.batch)

    def losses(self, model: nn.Module, batch: tuple[Any, Tensor]) -> dict[str, Tensor]:
        inputs, wanted = batch
        errors = (model(inputs) - wanted).square().mean(dim=0) * self.scales
        return dict(zip(TARGETS, errors.unbind(), strict=True))

    def validate(self, model: nn.Module) -> dict[str, float]:
        return self._errors(model, self._rows()[1])

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return self._errors(model, self._rows()[2])

    def _rows(self) -> tuple[Tensor, ...]:
        return torch.arange(sum(self.sizes)).split(list(self.sizes))

    def _errors(self, model: nn.Module, rows: Tensor) -> dict[str, float]:
        """Mean absolute errors, in the units of the tables."""
        total = torch.zeros(len(TARGETS), dtype=torch.float64)
        with torch.no_grad():
            for some in rows.split(self.batch):
                total += (model(self.inputs[some]) - self.wanted[some]).abs().double().sum(dim=0)
        shown = [target.factor for target in TARGETS.values()]
        errors = total.numpy() / len(rows) * self.deviations * shown
        return dict(zip(TARGETS, errors.tolist(), strict=True))


def standardised(features: np.ndarray, train: int) -> Tensor:
    """Features as a network likes them, by what the first molecules say."""
    seen = features[:train]
    # Some distances hardly ever occur: what is rare must not become huge.
    spread = np.maximum(seen.std(axis=0), 0.1)
    return torch.from_numpy(((features - seen.mean(axis=0)) / spread).astype(np.float32))
