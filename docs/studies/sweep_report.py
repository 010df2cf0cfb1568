"""Tables of the study of preferences, in Markdown as on its page."""

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
from scipy.stats import spearmanr

from bargain_torch.comparison import Comparison
from fronts import hypervolume, non_dominated

LOSSES = ("loss left", "loss right")
REFERENCE = np.full(2, np.log(10))  # the losses of who knows nothing about a digit


def losses_of(comparison: Comparison) -> np.ndarray:
    """Test losses (methods, seeds, 2)."""
    return np.asarray(
        [
            [[run.metrics[name] for name in LOSSES] for run in comparison.of(method)]
            for method in comparison.methods
        ]
    )


def trials(tried: Comparison) -> str:
    """Losses on the digits kept from training, by method and rate."""
    rows = [
        [run.method, f"{run.rate:g}", *(f"{run.metrics[name]:.3f}" for name in LOSSES)]
        for run in tried.trials
    ]
    return table_of(["equal weights", "rate", "left", "right"], rows)


def points(fronts: Mapping[str, Comparison], shares: Mapping[str, np.ndarray]) -> str:
    """Test losses of both digits at every weight, and the left one's share of the updates."""
    head, columns = ["weight of the left digit"], [list(next(iter(fronts.values())).methods)]
    for sweep, comparison in fronts.items():
        found = losses_of(comparison)
        head += [f"{sweep}: left", "right"]
        columns += [[spread_of(seeds) for seeds in found[..., k]] for k in range(2)]
        if sweep in shares:
            head.append("share of left, 10–90 %")
            columns.append([range_of(steps) for steps in shares[sweep]])
    return table_of(head, list(zip(*columns, strict=True)))


def summary(fronts: Mapping[str, Comparison], alone: Comparison) -> str:
    """What is to be said of each sweep as a whole, its costs included."""
    head = ["", "points that no other one dominates", "of single seeds"]
    head += ["rank correlation of weight and own loss", "hypervolume", "left", "right"]
    head += ["ms a step", "ms a solve", "solves' part"]
    rows = []
    for sweep, comparison in fronts.items():
        found = losses_of(comparison)
        means, seeds = found.mean(axis=1), found.swapaxes(0, 1)
        weights = [float(name) for name in comparison.methods]
        left, right = (spearmanr(weights, means[:, k]).statistic for k in range(2))
        rows.append(
            [
                sweep,
                f"{non_dominated(means).sum()} of {len(means)}",
                ", ".join(f"{non_dominated(front).sum()}" for front in seeds),
                f"{left:.3f}, {-right:.3f}".replace("-", "−"),
                spread_of([hypervolume(front, REFERENCE) for front in seeds]),
                *(f"{means[:, k].min():.3f} … {means[:, k].max():.3f}" for k in range(2)),
                *costs_of(comparison),
            ]
        )
    single = [spread_of(seeds) for seeds in losses_of(alone)[0].T]
    rows.append(["a network for each digit", "", "", "", "", *single, "", "", ""])
    return table_of(head, rows)


def costs_of(comparison: Comparison) -> list[str]:
    runs = comparison.runs
    return [
        f"{1e3 * fmean(run.step_seconds for run in runs):.1f}",
        f"{1e3 * fmean(run.solve_seconds for run in runs):.2f}",
        f"{100 * fmean(run.solve_part for run in runs):.1f} %",
    ]


def spread_of(values: Sequence[float]) -> str:
    """Mean and standard deviation over seeds."""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.3f}"


def range_of(steps: np.ndarray) -> str:
    """Mean of the shares of all steps, and between what most of them lie."""
    low, high = np.quantile(steps, (0.1, 0.9))
    return f"{steps.mean():.3f} ({low:.3f} … {high:.3f})".replace("-", "−")


def table_of(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---:"] * len(head)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
