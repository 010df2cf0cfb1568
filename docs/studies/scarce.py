"""Study: few clean labels, many doubtful ones, one head; `python docs/studies/scarce.py`.

QM9's gap between HOMO and LUMO from 300 labels. Three further sources have a label for each of
10,000 other molecules: one is noisy, one has the wrong sign, one is shuffled.
"""

import argparse
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from bargain.preferences import MirrorDescent
from bargain_torch.comparison import Bargain, Fixed, Learned, Run, compare
from qm9_features import Sample, load_sample
from qm9_molecules import find_folder
from scarce_picture import draw
from scarce_problem import SOURCES, Gap, Sizes, held_out_error

FOLDER = Path("comparison/scarce")
PICTURE = Path(__file__).parents[1] / "pictures" / "scarce.svg"
EPOCHS, SEEDS, VARIANT_SEEDS = 25, 6, 3
RATES = (3e-4, 1e-3)
EVERY = 10  # few steps, so the usual 25 would mean 20 lessons
QUICK = Sizes(24, 12, 64, 32)


def only(*names: str) -> dict[str, float]:
    return {name: float(name in names) for name in SOURCES}


learned = partial(Learned, "main", held_out=held_out_error, every=EVERY)
SINGLE, SINGLE_MORE = "single-task, 300 labels", "single-task, 400 labels"
LEARNED = "Nash, learned weights"

METHODS = {
    SINGLE: Fixed(only("main")),
    "LS": Fixed(),
    "LS, main and noisy only": Fixed(only("main", "noisy")),
    "Nash, equal weights": Bargain(),
    "Nash, 0.7 for main": Bargain(weights={**dict.fromkeys(SOURCES, 0.1), "main": 0.7}),
    LEARNED: learned(),
    "Nash, main and noisy only": Bargain(weights=only("main", "noisy")),
}
# One thing changed at a time; at the learning rate that was best for the learned weights.
VARIANTS = {
    "nobody left out, floor 1e-6": learned(silent_below=0.0),
    "nobody left out, floor 1e-3": learned(silent_below=0.0, update=MirrorDescent(floor=1e-3)),
    "rate 1": learned(update=MirrorDescent(rate=1.0)),
}


class Results(NamedTuple):
    """Runs by method: those to compare, and variants of learned weights."""

    methods: dict[str, list[Run]]
    variants: dict[str, list[Run]]


def run(sample: Sample, sizes: Sizes, folder: Path, batch: int, **budget: Any) -> Results:
    def train(problem: Gap, methods: Mapping[str, Any], **options: Any) -> dict[str, list[Run]]:
        comparison = compare(
            problem.model,
            problem.losses if problem.judged else problem.main_loss,
            problem.data,
            shared=lambda model: model.parameters(),  # one head, so all are shared
            evaluate=problem.evaluate,
            methods=methods,
            **{**budget, **options},
        )
        return {name: comparison.of(name) for name in comparison.methods}

    gap = Gap(sample, sizes, batch=batch)
    here = {"folder": folder / "four", "validate": gap.validate}
    found = train(gap, METHODS, rates=RATES, **here)
    # Nothing is left to choose a rate by, so the test molecules decide: a favour.
    alone = Gap(sample, sizes, judged=False, batch=batch)
    more = train(alone, {SINGLE_MORE: Fixed()}, rates=RATES, folder=folder / "alone")
    few, best = min(VARIANT_SEEDS, budget["seeds"]), found[LEARNED][0].rate
    variants = train(gap, VARIANTS, **{**here, "rates": (best,), "seeds": few})
    every = {SINGLE: found[SINGLE], **more, **found}
    return Results(every, {LEARNED: found[LEARNED][:few], **variants})


def table(runs: Mapping[str, list[Run]]) -> str:
    """Markdown: errors, shares at the end, and what bargaining costs."""
    head = ("", "MAE", *(f"share of {name}" for name in SOURCES), "ms a step", "solves")
    rows = [head, (":---", *["---:"] * (len(head) - 1))]
    for name, some in runs.items():
        ends = [shares_of(run)[-1] for run in some if run.weights]
        solves = fmean(run.solve_part for run in some)
        rows.append(
            (
                name,
                spread_of([run.metrics["MAE"] for run in some]),
                *(spread_of(column) if ends else "" for column in np.transpose(ends or [[0] * 4])),
                f"{1000 * fmean(run.step_seconds for run in some):.1f}",
                f"{100 * solves:.1f} %" if solves else "",
            )
        )
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def shares_of(run: Run) -> np.ndarray:
    """Weights as shares of their sum, epochs by four."""
    weights = np.asarray(run.weights)
    return weights / weights.sum(axis=1, keepdims=True)


def spread_of(values: Any) -> str:
    mean, deviation = fmean(values), stdev(values) if len(values) > 1 else 0.0
    return f"{mean:.3f} ± {deviation:.3f}" if deviation else f"{mean:.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for runs and features")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="few molecules, two epochs")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    console, began = Console(soft_wrap=True, highlight=False), time.perf_counter()
    try:
        source = find_folder()
    except ModuleNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    sizes = QUICK if options.quick else Sizes()
    results = run(
        load_sample(source, sizes.training + sizes.test, options.folder),
        sizes,
        options.folder,
        batch=32 if options.quick else 512,
        epochs=2 if options.quick else EPOCHS,
        seeds=options.seeds,
        workers=options.workers,
    )
    console.print(table(results.methods), markup=False)
    console.print(f"\nlearned weights, and what changes them\n\n{table(results.variants)}")
    shares = np.stack([shares_of(run) for run in results.methods[LEARNED]])
    errors = {name: [run.metrics["MAE"] for run in runs] for name, runs in results.methods.items()}
    draw(shares, errors, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
