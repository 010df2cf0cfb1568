"""The picture of the study of QM9: what every method reaches, and what a step costs."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from qm9_report import Results

COLOURS = {"standardised": "#0072b2", "raw": "#d55e00"}  # told apart by the colour-blind as well
MARKERS = {"standardised": "o", "raw": "s"}


def draw(results: Mapping[str, Results], path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, axes = plt.subplots(
        1, 2, figsize=(10.0, 5.2), width_ratios=(2.2, 1.0), sharey=True, layout="constrained"
    )
    first = next(iter(results.values()))
    delta = first.comparison.delta(first.alone)
    methods = sorted(delta, key=lambda name: delta[name][0])
    places = range(len(methods))
    for units, (comparison, alone) in results.items():
        found = comparison.delta(alone)
        means, deviations = zip(*(found[name] for name in methods), strict=True)
        axes[0].errorbar(
            means,
            places,
            xerr=deviations,
            fmt=MARKERS[units],
            color=COLOURS[units],
            capsize=2,
            label=f"{units} units" if units == "raw" else units,
        )
        axes[1].plot(
            [1e3 * fmean(run.step_seconds for run in comparison.of(name)) for name in methods],
            places,
            MARKERS[units],
            color=COLOURS[units],
        )
    axes[0].set_xscale("symlog", linthresh=10)
    axes[0].set(title="Δm against single-task, % (lower is better)")
    axes[0].axvline(0, color="#555555", linewidth=0.8)
    axes[0].set_yticks(places, methods)
    axes[0].set_ylim(len(methods) - 0.5, -0.5)
    axes[0].legend(frameon=False)
    axes[1].set(title="a training step, ms", xlim=(0, None))
    for axis in axes:
        axis.grid(axis="both", color="#e6e6e6")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
