"""The runs of the demonstration: every method from every seed."""

from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bargain_cli.demo.data import load_digits, overlay
from bargain_cli.demo.log import Run
from bargain_cli.demo.training import Method, steps_of, train

__all__ = ["FULL", "QUICK", "UNIT", "Plan", "Results", "across_seeds", "run"]

UNIT = 10.0  # the factor on the right digit's loss, where units change


class Plan(NamedTuple):
    """How much is run."""

    sweep: tuple[float, ...]
    """Bargaining weights of the left digit; those of the right one make up for 1."""
    seeds: int
    """How many seeds each method is run from."""
    epochs: int
    """How often each training image is used."""
    train: int
    """Number of training images."""
    test: int
    """Number of test images."""


# Coefficients go like the square root of the weights, so an even front wants a wide range of them.
FULL = Plan((0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99, 0.997), 3, 15, 10_000, 4_000)
QUICK = Plan((0.01, 0.1, 0.5, 0.9, 0.99), 1, 5, 4_000, 1_000)


class Results(NamedTuple):
    """The runs of each method, a run a seed."""

    linear: list[Run]
    linear_units: list[Run]
    """Losses added, the right digit's in units that make it `UNIT` times as large."""
    nash_units: list[Run]
    """Equal bargaining weights, in the same changed units."""
    sweep: dict[float, list[Run]]
    """Bargaining, by the weight of the left digit."""


def run(plan: Plan, seed: int, console: Console) -> Results:
    """Run the experiment, with a progress bar.

    Parameters
    ----------
    plan : Plan
        How much is run.
    seed : int
        The first seed; the following numbers are the others.
    console : Console
        Where the progress bar is drawn.

    Returns
    -------
    Results
        All runs.
    """
    changed = (1.0, UNIT)
    methods = {
        "linear": Method(bargains=False),
        "linear, changed units": Method(bargains=False, units=changed),
        "Nash, changed units": Method(bargains=True, units=changed),
    }
    sweep = {weight: f"Nash {weight:g} : {1 - weight:g}" for weight in plan.sweep}
    for weight, name in sweep.items():
        methods[name] = Method(bargains=True, weights=(weight, 1 - weight))
    runs: dict[str, list[Run]] = {name: [] for name in methods}

    columns = TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TextColumn("steps"), TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("reading the digits", total=None)
        digits = load_digits()
        for current in range(seed, seed + plan.seeds):
            dataset = overlay(digits, current, train=plan.train, test=plan.test)
            total = plan.seeds * len(methods) * steps_of(dataset, plan.epochs)
            for name, method in methods.items():
                progress.update(bar, description=name, total=total)
                runs[name].append(
                    train(
                        dataset,
                        method,
                        current,
                        epochs=plan.epochs,
                        advance=lambda: progress.advance(bar),
                    )
                )
        progress.update(bar, description="trained")
    return Results(
        runs["linear"],
        runs["linear, changed units"],
        runs["Nash, changed units"],
        {weight: runs[name] for weight, name in sweep.items()},
    )


def across_seeds(runs: list[Run], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of one measurement.

    Parameters
    ----------
    runs : list of Run
        The runs of one method, a run a seed.
    name : str
        The field of `Run` that is meant.

    Returns
    -------
    mean : np.ndarray
        The mean over the seeds, of the shape of the field.
    deviation : np.ndarray
        The standard deviation over the seeds, of the same shape; zero if there is one seed.
    """
    values = np.asarray([getattr(one, name) for one in runs])
    return values.mean(axis=0), values.std(axis=0, ddof=1) if len(values) > 1 else values[0] * 0
