"""Study: eleven properties of molecules from one network, `python docs/studies/qm9.py`.

The table of Nash-MTL (arXiv 2202.01017, section 6.1) in small: 10,000 molecules of QM9, one trunk,
a head for each property. Once all properties are standardised, once losses have the data's units.
"""

import argparse
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

import bargain
from bargain_torch.comparison import Bargain, Fixed, GradientRule, LossRule, compare
from qm9_features import Sample, load_sample
from qm9_molecules import TARGETS, find_folder, read_molecules
from qm9_networks import Separate, Shared
from qm9_picture import draw
from qm9_problem import UNITS, Properties, Sizes, standardised
from qm9_report import Results, details, summary

PICTURE = Path(__file__).parents[1] / "pictures" / "qm9.svg"
FOLDER = Path("comparison/qm9")
EPOCHS, TRIAL_EPOCHS, GRAPH_EPOCHS = 30, 10, 10
RATES = (1e-3, 3e-3, 1e-2)
QUICK = Sizes(256, 64, 128)
GRAPHS = Sizes(1_000, 0, 500)  # graphs take long

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


def run(
    sample: Sample,
    sizes: Sizes,
    units: str,
    folder: Path,
    methods: Mapping[str, object],
    **budget: object,
) -> Results:
    """Train a network for each property, then all methods in the units."""
    inputs = standardised(sample.features, sizes.train)
    # Each network learns by itself, so the units of the losses cannot matter.
    alone = Properties(inputs, sample.properties, sizes, "standardised")
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
    problem = Properties(inputs, sample.properties, sizes, units)
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
    return Results(comparison, {name: single.mean("single-task", name)[0] for name in TARGETS})


def run_graphs(source: Path, sizes: Sizes, folder: Path, epochs: int, seeds: int) -> str:
    """Train a message-passing network by four methods, and return their table."""
    from qm9_messages import Graphs, Messages

    graphs = Graphs(read_molecules(source, sum(sizes)))
    problem = Properties(graphs, graphs.properties, sizes, "standardised", batch=32)
    comparison = compare(
        Messages,
        problem.losses,
        problem.data,
        shared=lambda model: model.trunk.parameters(),
        evaluate=problem.evaluate,
        methods={name: METHODS[name] for name in ("LS", "SI", "Nash", "Nash, every 10")},
        epochs=epochs,
        seeds=seeds,
        folder=folder / "messages",
    )
    return comparison.table("LS")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for runs and features")
    parser.add_argument("--units", choices=UNITS, nargs="+", default=UNITS)
    parser.add_argument("--model", choices=("features", "messages"), default="features")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="30, or 10 for messages")
    parser.add_argument("--quick", action="store_true", help="few molecules, two epochs")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    console, began = Console(soft_wrap=True, highlight=False), time.perf_counter()
    usual = EPOCHS if options.model == "features" else GRAPH_EPOCHS
    epochs = options.epochs or (2 if options.quick else usual)
    try:
        source = find_folder()
        if options.model == "messages":
            sizes = QUICK if options.quick else GRAPHS
            table = run_graphs(source, sizes, options.folder, epochs, options.seeds)
            console.print(f"{table}\n{time.perf_counter() - began:.0f} s", markup=False)
            return
    except ModuleNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    sizes = QUICK if options.quick else Sizes()
    budget = {
        "rates": RATES,
        "trial_epochs": 1 if options.quick else TRIAL_EPOCHS,
        "epochs": epochs,
        "seeds": options.seeds,
    }
    sample = load_sample(source, sum(sizes), options.folder)
    results = {
        units: run(sample, sizes, units, options.folder, METHODS, **budget)
        for units in options.units
    }
    console.print(summary(results), markup=False)
    for units, result in results.items():
        console.print(f"\n{units}\n\n{details(result)}", markup=False)
    draw(results, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
