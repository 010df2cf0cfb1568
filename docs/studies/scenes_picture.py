"""The picture of the study of scenes: some of them with their labels, and what methods reach."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from bargain_torch.comparison import Comparison
from scenes_folders import Scene

# Told apart by the colour-blind as well.
COLOURS = ("#2b2b2b", "#e69f00", "#999999", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#f0e442")
INK = "#0072b2"


def draw(
    path: Path,
    scenes: Sequence[Scene],
    comparison: Comparison,
    reference: Mapping[str, float],
) -> None:
    figure = Figure(figsize=(11.5, 0.6 + 1.25 * len(scenes)), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, 1.0))
    _draw_scenes(left, scenes)
    axes = right.subplots()
    delta = comparison.delta(reference)
    means, deviations = zip(*delta.values(), strict=True)
    places = range(len(delta))
    axes.errorbar(means, places, xerr=deviations, fmt="o", color=INK, capsize=3, markersize=6)
    axes.axvline(0.0, color="#999999", linewidth=1)
    axes.set_yticks(places, list(delta))
    axes.set_ylim(len(delta) - 0.5, -0.5)
    axes.set_title("Δm against three separate networks, %", fontsize=11)
    axes.set_xlabel("lower is better; mean and standard deviation of the seeds")
    axes.grid(axis="x", color="#e6e6e6")
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _draw_scenes(figure: Figure, scenes: Sequence[Scene]) -> None:
    titles = ("picture", "segmentation", "depth", "normals")
    shown = titles if scenes[0].normal.numel() else titles[:3]
    panels = figure.subplots(len(scenes), len(shown), squeeze=False)
    for row, scene in zip(panels, scenes, strict=True):
        image, depth = np.moveaxis(scene.image.numpy(), 0, -1), scene.depth.numpy()[0]
        classes = np.ma.masked_less(scene.label.numpy() % len(COLOURS), 0)
        row[0].imshow(np.clip(image, 0, 1))
        row[1].imshow(classes, cmap=ListedColormap(COLOURS), vmin=-0.5, vmax=len(COLOURS) - 0.5)
        row[2].imshow(np.ma.masked_equal(depth, 0), cmap="cividis")
        if len(shown) > 3:
            normal = np.moveaxis(scene.normal.numpy(), 0, -1)
            row[3].imshow((1 + normal) / 2)
        for axes in row:
            axes.set_axis_off()
    for axes, title in zip(panels[0], shown, strict=True):
        axes.set_title(title, fontsize=11)
