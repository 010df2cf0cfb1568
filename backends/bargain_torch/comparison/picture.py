"""A picture of a comparison: every figure of merit, a panel each."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any


def draw(comparison: Any, path: Path, reference: str | Mapping[str, float] | None) -> None:
    """Draw means and standard deviations of all methods."""
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'a picture needs {error.name}: run pip install "bargain-solvers[compare]"',
            name=error.name,
        ) from None
    methods = comparison.methods
    panels = {
        f"{metric} ({'higher' if metric in comparison.higher else 'lower'} is better)": [
            comparison.mean(method, metric) for method in methods
        ]
        for metric in comparison.metrics
    }
    if reference is not None:
        panels["Δm in % (lower is better)"] = [*comparison.delta(reference).values()]
    columns = min(4, len(panels))
    rows = -(-len(panels) // columns)
    size = (1.6 + 2.7 * columns, rows * (1.0 + 0.24 * len(methods)))
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True).flat
    places = range(len(methods))
    for axis, (title, figures) in zip(axes, panels.items(), strict=False):
        means, deviations = zip(*figures, strict=True)
        axis.errorbar(means, places, xerr=deviations, fmt="o", color="#0072b2", capsize=2)
        axis.set_title(title, fontsize=9)
        axis.set_yticks(places, methods)
        axis.tick_params(labelsize=8)
        axis.grid(axis="x", color="#e6e6e6")
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_locator(MaxNLocator(4))
    for axis in list(figure.axes)[len(panels) :]:
        axis.remove()
    figure.axes[0].set_ylim(len(methods) - 0.5, -0.5)  # shared, so once; the first method on top
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
