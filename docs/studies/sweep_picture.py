"""The picture of the study of preferences: fronts of test losses, and shares of updates."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bargain_torch.comparison import Comparison
from sweep_report import losses_of

# Told apart by the colour-blind as well, and where one lies on the other.
COLOURS = {"Nash": "#0072b2", "LS": "#d55e00", "LS, roots": "#009e73"}
SHAPES = {"Nash": "o", "LS": "s", "LS, roots": "^"}
TICKS = [0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0]


def draw(
    fronts: Mapping[str, Comparison],
    alone: Comparison,
    shares: Mapping[str, np.ndarray],
    path: Path,
) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, (left, right) = plt.subplots(1, 2, figsize=(12.0, 5.0), width_ratios=(1.2, 1.0))
    figure.set_layout_engine("constrained")
    _draw_fronts(left, fronts, alone)
    weights = [float(name) for name in fronts["Nash"].methods]
    _draw_shares(right, shares, weights)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _draw_fronts(axes, fronts: Mapping[str, Comparison], alone: Comparison) -> None:
    from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

    axes.set_title("test losses; labels: the weight of the left digit, where there is room")
    axes.set(xscale="log", yscale="log", xlabel="left digit", ylabel="right digit")
    for sweep, comparison in fronts.items():
        middle, colour = losses_of(comparison).mean(axis=1), COLOURS[sweep]
        look = {"marker": SHAPES[sweep], "color": colour, "markersize": 6, "label": sweep}
        axes.plot(*middle.T, linewidth=1, **look)
        if sweep == "LS, roots":
            continue
        side, across, along = (1, "left", "bottom") if sweep == "Nash" else (-1, "right", "top")
        for weight, point in _outermost(comparison.methods, middle):
            place = {"xytext": (5 * side, 4 * side), "ha": across, "va": along}
            look = {"fontsize": 8, "color": colour, "textcoords": "offset points"}
            axes.annotate(weight, point, **place, **look)
    single = losses_of(alone)[0].mean(axis=0)
    look = {"color": "#111111", "marker": "*", "markersize": 11, "linestyle": "none"}
    axes.plot(*single, label="a network for each digit", **look)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(TICKS))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.1, y=0.1)
    axes.legend(frameon=False, loc="upper right")


def _outermost(weights: tuple[str, ...], points: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Weights and points (weights, 2) from the ends inwards, as long as they lie apart."""
    found = []
    for k in sorted(range(len(points)), key=lambda k: -abs(k - (len(points) - 1) / 2)):
        if all(np.abs(np.log(points[k] / other)).max() > 0.2 for _, other in found):
            found.append((weights[k], points[k]))
    return found


def _draw_shares(axes, shares: Mapping[str, np.ndarray], weights: list[float]) -> None:
    axes.set_title("the left digit's share of the updates")
    places = np.arange(len(weights))
    for sweep, rows in shares.items():
        low, middle, high = np.quantile(rows, (0.1, 0.5, 0.9), axis=1)
        axes.fill_between(places, low, high, color=COLOURS[sweep], alpha=0.2, linewidth=0)
        look = {"color": COLOURS[sweep], "marker": SHAPES[sweep], "linewidth": 1}
        axes.plot(places, middle, label=f"{sweep}: median, band from 10 to 90 %", **look)
    look = {"color": "#111111", "marker": "_", "markersize": 16, "linestyle": "none"}
    axes.plot(places, weights, label="the weight", **look)
    axes.set_xticks(places, [f"{weight:g}" for weight in weights], rotation=45)
    axes.set(xlabel="weight of the left digit", ylabel="share", ylim=(-0.08, 1.32))
    axes.set_yticks(np.linspace(0.0, 1.0, 6))  # the legend is above
    axes.legend(frameon=False, loc="upper left")
