"""The results of the demonstration in a table, and in sentences that say what was measured."""

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table

from bargain_cli.demo.data import TEST_DIGITS
from bargain_cli.demo.experiment import UNIT, Plan, Results, across_seeds
from bargain_cli.demo.log import Run
from bargain_cli.demo.training import BATCH, WIDTH

__all__ = ["front_size", "print_summary"]


def print_summary(results: Results, plan: Plan, seed: int, console: Console) -> None:
    """Print what was measured.

    Parameters
    ----------
    results : Results
        All runs.
    plan : Plan
        How much was run.
    seed : int
        The first seed.
    console : Console
        Where to print.
    """
    console.print(_setting(plan, seed) + "\n")
    console.print(_table(results))
    for sentence in (_sweep(results), _equal_weights(results), _units(results), _games(results)):
        console.print(f"• {sentence}")


def front_size(losses: np.ndarray) -> int:
    """Count the points that no other point dominates.

    Parameters
    ----------
    losses : np.ndarray
        One point a row, shape (N, K); less is better.

    Returns
    -------
    int
        The number of points for which no other is at least as good everywhere and better somewhere.
    """
    no_worse = (losses[:, None] <= losses).all(axis=-1)
    better = (losses[:, None] < losses).any(axis=-1)
    return int((~(no_worse & better).any(axis=0)).sum())


def _setting(plan: Plan, seed: int) -> str:
    seeds = f"seeds {seed} to {seed + plan.seeds - 1}" if plan.seeds > 1 else f"seed {seed}"
    spread = "mean ± standard deviation over the seeds" if plan.seeds > 1 else "one run each"
    return (
        "Two tasks share one layer: read the left and the right of two overlaid MNIST digits. "
        f"{plan.train:,} training and {plan.test:,} test images; the test images are made of "
        f"{TEST_DIGITS:,} digits that are in no training image. "
        f"{WIDTH} shared units, {plan.epochs} epochs in batches of {BATCH}, Adam; {seeds}; "
        f"{spread}."
    )


def _table(results: Results) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("weights", no_wrap=True)
    for heading in ("accuracy\nleft %", "accuracy\nright %", "test loss\nleft", "test loss\nright"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("left's\nshare", "apart", "harm"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_row("linear")
    table.add_row("0.5 : 0.5", *_cells(results.linear))
    table.add_row(f"  right × {UNIT:g}", *_cells(results.linear_units), end_section=True)
    table.add_row("Nash")
    for weight, runs in results.sweep.items():
        table.add_row(f"{weight:g} : {1 - weight:g}", *_cells(runs))
        if weight == 0.5:
            table.add_row(f"  right × {UNIT:g}", *_cells(results.nash_units))
    table.caption = (
        f"right × {UNIT:g}: the right loss multiplied in training. Test loss: cross-entropy in "
        "nats, never multiplied. Share: the left task's part of the squared length of the shared "
        "direction, mean over the steps. Apart: steps in which the gradients point apart "
        "(cosine < 0). Harm: steps whose direction makes a task worse to first order."
    )
    table.caption_justify = "left"
    return table


def _cells(runs: list[Run]) -> list[str]:
    cells = []
    for name, scale, digits in (("accuracies", 100.0, 1), ("losses", 1.0, 2)):
        means, deviations = across_seeds(runs, name)
        for mean, deviation in zip(means * scale, deviations * scale, strict=True):
            spread = f"±{deviation:.{digits}f}" if len(runs) > 1 else ""
            cells.append(f"{mean:.{digits}f}{spread}")
    shares, _ = across_seeds(runs, "shares")
    cells.append(f"{shares[0]:.3f}")
    for name in ("conflicts", "harms"):
        part, _ = across_seeds(runs, name)
        cells.append(f"{100 * part:.0f} %")
    return cells


def _sweep(results: Results) -> str:
    losses = np.asarray([across_seeds(runs, "losses")[0] for runs in results.sweep.values()])
    weights = np.asarray(list(results.sweep))
    left, right = (_rank_correlation(weights, losses[:, task]) for task in (0, 1))
    return (
        f"Sweep: {front_size(losses)} of {len(losses)} mean points are not dominated by another; "
        f"rank correlation of the left task's weight with the left loss {left:+.2f}, with the "
        f"right loss {right:+.2f}."
    )


def _rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Compute Spearman's coefficient; the entries of each vector, shape (N,), must differ."""
    ranks = [vector.argsort().argsort() for vector in (first, second)]
    return float(np.asarray(np.corrcoef(ranks))[0, 1])


def _equal_weights(results: Results) -> str:
    apart = _greatest_difference(results.linear, results.sweep[0.5])
    return (
        "Equal weights, losses in the same unit: bargained and added gradients give test losses "
        f"that differ by up to {apart:.2g} from the same seed."
    )


def _units(results: Results) -> str:
    added = _greatest_difference(results.linear, results.linear_units)
    bargained = _greatest_difference(results.sweep[0.5], results.nash_units)
    return (
        f"Units: with the right loss multiplied by {UNIT:g}, a test loss moves by up to "
        f"{added:.2g} where gradients are added, and by up to {bargained:.2g} where they are "
        "bargained over."
    )


def _greatest_difference(first: list[Run], second: list[Run]) -> float:
    """Compare the test losses of two methods, seed by seed."""
    pairs = zip(first, second, strict=True)
    return max(np.abs(one.losses - other.losses).max() for one, other in pairs)


def _games(results: Results) -> str:
    runs = [run for runs in results.sweep.values() for run in runs] + results.nash_units
    solves = np.concatenate([run.solve_seconds for run in runs])
    seconds = sum(run.seconds for run in runs)
    solving = 100 * solves.sum() / seconds
    bargaining = 100 * sum(run.bargain_seconds for run in runs) / seconds
    return (
        f"Games: {len(solves):,} solved, {sum(run.disagreements for run in runs):,} without an "
        f"agreement; median {1e6 * np.median(solves):.0f} µs a solve, {solving:.0f} % of the time "
        f"to train this small network ({bargaining:.0f} % with Gram matrix, length and "
        "combination)."
    )
