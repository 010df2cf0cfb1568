"""Tables of the study of QM9, in Markdown as on its page."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from bargain_torch.comparison import Comparison
from qm9_molecules import TARGETS


class Results(NamedTuple):
    """A comparison in one unit, and the errors of eleven networks trained by themselves."""

    comparison: Comparison
    alone: Mapping[str, float]


def summary(results: Mapping[str, Results]) -> str:
    """Δm, mean rank, learning rate and cost of every method, units side by side."""
    head = ["method"]
    for units in results:
        head += [f"{units}: Δm %", "Δm % against LS", "mean rank", "rate"]
    rows: dict[str, list[str]] = {}
    for comparison, alone in results.values():
        delta, against, ranks = (
            comparison.delta(alone),
            comparison.delta("LS"),
            comparison.mean_rank(),
        )
        for method in comparison.methods:
            rows.setdefault(method, [method]).extend(
                [
                    per_cent(*delta[method]),
                    per_cent(*against[method]),
                    f"{ranks[method]:.1f}",
                    f"{comparison.of(method)[0].rate:g}",
                ]
            )
    for method, row in rows.items():
        runs = [run for result in results.values() for run in result.comparison.of(method)]
        row += [
            f"{1e3 * fmean(run.step_seconds for run in runs):.1f}",
            f"{100 * fmean(run.solve_part for run in runs):.1f} %",
            f"{fmean(run.seconds for run in runs):.0f} s",
        ]
    return table_of([*head, "median step, ms", "solves' part", "a run"], list(rows.values()))


def details(result: Results) -> str:
    """The mean absolute error of every method and property."""
    head = ["", *(f"{name}, {target.shown}" for name, target in TARGETS.items())]
    alone = ["single-task", *(f"{result.alone[name]:.4g}" for name in TARGETS)]
    rows = [
        [method, *(spread_of(*result.comparison.mean(method, name)) for name in TARGETS)]
        for method in result.comparison.methods
    ]
    return table_of(head, [alone, *rows])


def spread_of(mean: float, deviation: float) -> str:
    """A mean with its deviation, to three digits or so."""
    digits = 0 if abs(mean) >= 100 else 1 if abs(mean) >= 10 else 2 if abs(mean) >= 1 else 3
    return f"{mean:.{digits}f} ± {abs(deviation):.{digits}f}"


def per_cent(mean: float, deviation: float) -> str:
    """A mean with its deviation, to a tenth of a per cent where it is no large number."""
    digits = 0 if abs(mean) >= 100 else 1
    return f"{round(mean, digits) + 0.0:.{digits}f} ± {deviation:.{digits}f}"


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
