"""Tables of the study of MT10, in Markdown as on its page."""

from collections.abc import Mapping, Sequence
from statistics import fmean, stdev

from bargain_torch.comparison import Comparison, Run

ERROR = "error"


def success(run: Run) -> float:
    """How often the tasks succeed, on average, in per cent."""
    return 100 * fmean(rate for name, rate in run.metrics.items() if name != ERROR)


def summary(results: Mapping[str, Comparison]) -> str:
    """Success, error and learning rate of every method, and what its steps cost."""
    units = [name for name in results if name != "single"]
    head = ["method"]
    for name in units:
        head += [f"{name}: success %", "error", "rate"]
    # Each of these networks is trained by itself, and Adam does not see the scale of a loss.
    rows = [("single-task", [results["single"]] * len(units))]
    rows += [(name, [results[unit] for unit in units]) for name in results[units[0]].methods]
    lines = []
    for method, comparisons in rows:
        line = [method]
        for comparison in comparisons:
            runs = comparison.of(method)
            error, deviation = comparison.mean(method, ERROR)
            line += [
                spread_of([success(run) for run in runs], 1),
                f"{error:.4f} ± {deviation:.4f}",
                f"{runs[0].rate:g}",
            ]
        runs = comparisons[0].of(method)
        line += [
            f"{1e3 * fmean(run.step_seconds for run in runs):.1f}",
            f"{100 * fmean(run.solve_part for run in runs):.1f} %",
        ]
        lines.append(line)
    return table_of([*head, "ms a step", "solves' part"], lines)


def tasks_of(results: Mapping[str, Comparison], units: str) -> str:
    """How often every task succeeds, in per cent."""
    tasks = [name for name in results[units].metrics if name != ERROR]
    lines = []
    for comparison in (results["single"], results[units]):
        for method in comparison.methods:
            runs = comparison.of(method)
            rates = [[100 * run.metrics[task] for run in runs] for task in tasks]
            lines.append([method, *(spread_of(rate, 0) for rate in rates)])
    return table_of(["method", *(task.removesuffix("-v3") for task in tasks)], lines)


def spread_of(values: Sequence[float], digits: int) -> str:
    """Mean and standard deviation over seeds."""
    deviation = stdev(values) if len(values) > 1 else 0.0
    return f"{fmean(values):.{digits}f} ± {deviation:.{digits}f}"


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = [":---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
