"""The picture of the study of MT10: how often each task succeeds, by every method."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

import numpy as np

from bargain_torch.comparison import Comparison
from mt10_report import ERROR, success

COLOURS = {"natural": "#0072b2", "rescaled": "#d55e00"}  # told apart by the colour-blind as well
MARKERS = {"natural": "o", "rescaled": "s"}


def draw(results: Mapping[str, Comparison], path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, axes = plt.subplots(
        1, 3, figsize=(13.0, 4.4), width_ratios=(1.0, 1.15, 1.15), sharey=True, layout="constrained"
    )
    methods = ["single-task", *results["natural"].methods]
    for units, shift in (("natural", -0.16), ("rescaled", 0.16)):
        draw_means(axes[0], methods, results, units, shift)
    axes[0].set(title="mean of the tasks, %: seeds, and their mean")
    axes[0].set_yticks(range(len(methods)), methods)
    axes[0].set_ylim(len(methods) - 0.5, -0.5)
    axes[0].grid(axis="x", color="#e6e6e6")
    axes[0].set_axisbelow(True)
    axes[0].spines[["top", "right"]].set_visible(False)
    axes[0].legend(
        frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=2, title="losses"
    )
    for axis, units in zip(axes[1:], MARKERS, strict=True):
        draw_tasks(axis, methods, results, units)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def runs_of(results: Mapping[str, Comparison], units: str, method: str):
    return results["single" if method == "single-task" else units].of(method)


def draw_means(axis, methods, results, units, shift) -> None:
    for place, method in enumerate(methods):
        found = [success(run) for run in runs_of(results, units, method)]
        label = units if place == 0 else None
        look = {"color": COLOURS[units], "zorder": 3}
        where = np.full(len(found), place + shift)
        axis.scatter(found, where, marker=MARKERS[units], s=22, alpha=0.7, label=label, **look)
        axis.vlines(fmean(found), place + shift - 0.14, place + shift + 0.14, linewidth=2, **look)


def draw_tasks(axis, methods, results, units) -> None:
    tasks = [name for name in results[units].metrics if name != ERROR]
    rates = np.asarray(
        [
            [
                100 * fmean(run.metrics[task] for run in runs_of(results, units, method))
                for task in tasks
            ]
            for method in methods
        ]
    )
    axis.imshow(rates, cmap="Blues_r", vmin=0, vmax=100, aspect="auto")
    for (row, column), rate in np.ndenumerate(rates):
        colour = "white" if rate < 55 else "black"
        axis.text(column, row, f"{rate:.0f}", ha="center", va="center", color=colour, fontsize=8.5)
    axis.set(title=f"{units} losses: success of each task, %")
    axis.set_xticks(
        range(len(tasks)),
        [task.removesuffix("-v3") for task in tasks],
        rotation=40,
        ha="right",
        rotation_mode="anchor",
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
