"""The picture of the study of scarce labels: weights over time, and errors."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from scarce_problem import SOURCES

# Told apart by the colour-blind as well.
COLOURS = {"main": "#0072b2", "noisy": "#009e73", "flipped": "#d55e00", "shuffled": "#cc79a7"}
DASHES = {"main": "-", "noisy": "-", "flipped": "--", "shuffled": ":"}
SMALLEST = 1e-4  # shares below are drawn here


def draw(shares: np.ndarray, errors: Mapping[str, Sequence[float]], path: Path) -> None:
    """Draw shares (seeds, epochs, 4) of learned weights, and the errors of all methods."""
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.0), width_ratios=(1.0, 1.0))
    figure.set_layout_engine("constrained")
    _draw_shares(left, shares)
    _draw_errors(right, errors)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _draw_shares(axis, shares: np.ndarray) -> None:
    seeds, epochs, players = shares.shape
    started = np.concatenate([np.full((seeds, 1, players), 1 / players), shares], axis=1)
    for k, name in enumerate(SOURCES):
        shown = np.maximum(started[..., k], SMALLEST)
        low, middle, high = shown.min(axis=0), np.median(shown, axis=0), shown.max(axis=0)
        axis.fill_between(range(epochs + 1), low, high, color=COLOURS[name], alpha=0.15, lw=0)
        axis.plot(middle, color=COLOURS[name], linestyle=DASHES[name], lw=2, label=name)
    axis.set(xlabel="epoch", yscale="log", xlim=(0, epochs), ylim=(0.8 * SMALLEST, 1.3))
    axis.set_yticks([1, 0.1, 0.01, 0.001, SMALLEST], ["1", "0.1", "0.01", "0.001", "0"])
    axis.minorticks_off()
    axis.set_title(f"learned weights, as shares (median and range of {seeds} seeds)")
    axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=4)
    axis.spines[["top", "right"]].set_visible(False)


def _draw_errors(axis, errors: Mapping[str, Sequence[float]]) -> None:
    names = list(errors)
    for place, name in enumerate(names):
        values = np.asarray(errors[name])
        colour = COLOURS["main"] if "learned" in name else "#a6a6a6"
        axis.barh(place, values.mean(), color=colour, height=0.7)
        spread = values.std(ddof=1) if len(values) > 1 else 0.0
        axis.errorbar(values.mean(), place, xerr=spread, color="#222222", capsize=3)
        written = "white" if "learned" in name else "black"
        axis.annotate(f"{values.mean():.3f}", (0.01, place), va="center", color=written)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="mean absolute error, in standard deviations of the gap")
    axis.invert_yaxis()
    axis.set_title("test error (mean and standard deviation)")
    axis.spines[["top", "right"]].set_visible(False)
