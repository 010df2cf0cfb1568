"""Study: eleven properties of molecules from one network, `python docs/studies/qm9.py`.

The table of Nash-MTL (arXiv 2202.01017, section 6.1) in small: 10,000 molecules of QM9, one trunk,
a head for each property. Once all properties are standardised, once losses have the data's units.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn

import bargain
from bargain_torch.comparison import (
    Bargain,
    Fixed,
    GradientRule,
    LossRule,
    compare,
)
from qm9_features import Sample, load_sample
from qm9_molecules import TARGETS, find_folder
from qm9_networks import Separate, Shared
from qm9_picture import draw
from qm9_report import Results, details, summary

PICTURE = Path(__file__).parents[1] / "pictures" / "qm9.svg"
EPOCHS, TRIAL_EPOCHS, BATCH = 30, 10, 128
RATES = (1e-3, 3e-3, 1e-2)
UNITS = ("standardised", "raw")

METHODS = {
    "LS": Fixed(),
    "SI": LossRule("si"),
    "RLW": LossRule("rlw"),
    "DWA": LossRule("dwa"),
    "UW": LossRule("uw"),
    "FAMO": LossRule("famo"),
    "MGDA": GradientRule("mgda"),
    "PCGrad": GradientRule("pcgrad"),
    "CAGrad": GradientRule("cagrad"),
    "IMTL-G": GradientRule("imtl_g"),
    "FairGrad": GradientRule("fairgrad"),
    "UPGrad": GradientRule("upgrad"),
    "KS": Bargain(bargain.KalaiSmorodinsky()),
    "Nash": Bargain(),
    "Nash, every 10": Bargain(every=10),
}


class Sizes(NamedTuple):
    """How many molecules to train on, to choose learning rates by, and to report."""

    train: int = 10_000
    validation: int = 2_000
    test: int = 10_000


QUICK = Sizes(256, 64, 128)


class Batches:
    """Molecules by index; shuffled by torch's global dice, the last odd ones left out."""

    def __init__(self, inputs: Tensor, wanted: Tensor, size: int) -> None:
        self._inputs, self._wanted, self._size = inputs, wanted, size

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(len(self._inputs)).split(self._size):
            if len(rows) == self._size:
                yield self._inputs[rows], self._wanted[rows]


class Properties:
    """The problem: predict standardised properties; losses in one unit or another."""

    def __init__(self, sample: Sample, sizes: Sizes, units: str, batch: int = BATCH) -> None:
        train = slice(sizes.train)
        features, wanted = sample.features, sample.properties
        # Some distances hardly ever occur: what is rare must not become huge.
        spread = np.maximum(features[train].std(axis=0), 0.1)
        inputs = (features - features[train].mean(axis=0)) / spread
        centre, self.deviations = wanted[train].mean(axis=0), wanted[train].std(axis=0)
        self.inputs = torch.from_numpy(inputs.astype(np.float32))
        self.wanted = torch.from_numpy(((wanted - centre) / self.deviations).astype(np.float32))
        # A squared error in the data's units is the standardised one times the variance: networks,
        # starts and targets are the same in both units, and only the scales of the losses differ.
        variances = self.deviations**2 if units == "raw" else np.ones(len(TARGETS))
        self.scales = torch.from_numpy(variances.astype(np.float32))
        self.sizes, self.batch = sizes, batch

    def data(self) -> Batches:
        train = slice(self.sizes.train)
        return Batches(self.inputs[train], self.wanted[train], self.batch)

    def losses(self, model: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        inputs, wanted = batch
        errors = (model(inputs) - wanted).square().mean(dim=0) * self.scales
        return dict(zip(TARGETS, errors.unbind(), strict=True))

    def validate(self, model: nn.Module) -> dict[str, float]:
        return self._errors(model, slice(self.sizes.train, -self.sizes.test))

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        return self._errors(model, slice(-self.sizes.test, None))

    def _errors(self, model: nn.Module, rows: slice) -> dict[str, float]:
        """Mean absolute errors, in the units of the tables."""
        with torch.no_grad():
            errors = (model(self.inputs[rows]) - self.wanted[rows]).abs().mean(dim=0).numpy()
        shown = [target.factor for target in TARGETS.values()]
        return dict(zip(TARGETS, (errors * self.deviations * shown).tolist(), strict=True))


def run(
    sample: Sample,
    sizes: Sizes,
    units: str,
    folder: Path,
    methods: Mapping[str, object] = METHODS,
    **budget: object,
) -> Results:
    """Train a network for each property, then all methods in the units."""
    alone = Properties(sample, sizes, "standardised")  # each by itself, so units cannot matter
    single = compare(
        Separate,
        alone.losses,
        alone.data,
        shared=lambda model: model.parameters(),
        evaluate=alone.evaluate,
        validate=alone.validate,
        methods={"single-task": Fixed()},
        folder=folder / "single",
        **budget,
    )
    problem = Properties(sample, sizes, units)
    comparison = compare(
        Shared,
        problem.losses,
        problem.data,
        shared=lambda model: model.trunk.parameters(),
        evaluate=problem.evaluate,
        validate=problem.validate,
        methods=methods,
        folder=folder / units,
        **budget,
    )
    return Results(
        comparison, {name: single.mean("single-task", name)[0] for name in single.metrics}
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("qm9"), help="for runs and features")
    parser.add_argument("--units", choices=UNITS, nargs="+", default=UNITS)
    parser.add_argument("--model", choices=("features", "messages"), default="features")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--quick", action="store_true", help="few molecules, two epochs")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    console, began = Console(soft_wrap=True), time.perf_counter()
    try:
        source = find_folder()
    except ModuleNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    sizes = QUICK if options.quick else Sizes()
    budget = {
        "rates": RATES,
        "trial_epochs": 1 if options.quick else TRIAL_EPOCHS,
        "epochs": 2 if options.quick else options.epochs,
        "seeds": options.seeds,
    }
    sample = load_sample(source, sum(sizes), options.folder)
    results = {
        units: run(sample, sizes, units, options.folder, **budget) for units in options.units
    }
    console.print(summary(results), highlight=False, markup=False)
    for units, result in results.items():
        console.print(f"\n{units}\n\n{details(result)}", highlight=False, markup=False)
    draw(results, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
