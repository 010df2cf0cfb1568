"""The picture of the study of QM9: what every method reaches, and what a step costs."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from qm9_report import Results

# Told apart by the colour-blind as well, and where one lies on the other.
LOOKS = {
    "standardised": {"color": "#0072b2", "marker": "o", "markersize": 5},
    "raw": {"color": "#d55e00", "marker": "s", "markersize": 9, "markerfacecolor": "none"},
}
LABELS = {"standardised": "losses of standardised properties", "raw": "losses in the data's units"}
TICKS = (-10, -5, 0, 5, 10, 20, 50, 100, 200, 500, 1000)


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
        look = {"linestyle": "none", **LOOKS[units]}
        axes[0].errorbar(means, places, xerr=deviations, capsize=2, label=LABELS[units], **look)
        times = [1e3 * fmean(run.step_seconds for run in comparison.of(name)) for name in methods]
        axes[1].plot(times, places, **look)
    axes[0].set_xscale("symlog", linthresh=10)
    low, high = axes[0].get_xlim()
    axes[0].set_xticks([tick for tick in TICKS if low <= tick <= high])
    axes[0].xaxis.set_major_formatter("{x:g}")
    axes[0].set_title("Δm against single-task, % (lower is better)")
    axes[0].axvline(0, color="#555555", linewidth=0.8)
    axes[0].set_yticks(places, methods)
    axes[0].set_ylim(len(methods) - 0.5, -0.5)
    axes[1].set(title="a training step, median, ms", xlim=(0, None))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    for axis in axes:
        axis.grid(axis="both", color="#e6e6e6")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
