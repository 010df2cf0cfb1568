"""Study: two losses in the plane from five starts, `python docs/studies/landscape.py`.

The illustrative example of CAGrad (arXiv 2110.14048) and Nash-MTL (arXiv 2202.01017). All starts
and both scalings of the losses run as one batch, with gradients written out by hand.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import bargain
from bargain import baselines

STARTS = np.asarray([[-8.5, 7.5], [0.0, 0.0], [9.0, 9.0], [-7.5, -0.5], [9.0, -1.0]])
SCALES = {"1 : 1": np.asarray([1.0, 1.0]), "0.1 : 1": np.asarray([0.1, 1.0])}
RATIOS = np.logspace(-3, 3, 13)  # weights of the first loss that a sum of both tries
STEPS, RATE = 35_000, 1e-3  # those of Nash-MTL's published code
LOWEST = 5e-6  # keeps the logarithms finite
NEAR = 0.1  # who ends within this distance has reached the front
PICTURE = Path(__file__).parents[1] / "pictures" / "landscape.svg"
REACHED, MISSED, FRONT = "#0072b2", "#d55e00", "#009e73"  # told apart by the colour-blind as well

METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "LS": baselines.linear,
    "MGDA": baselines.mgda,
    "PCGrad": lambda gram: baselines.pcgrad(gram, order=[0, 1]),  # of two, the order is no matter
    "CAGrad": lambda gram: baselines.cagrad(gram, distance=0.4),
    "Nash": lambda gram: bargain.nash(gram).coefficients,
}


def losses(points: np.ndarray) -> np.ndarray:
    """Both losses (…, 2) at points (…, 2)."""
    hills, bowls, (above, below) = _parts(points)[0]
    return above[..., None] * hills + below[..., None] * bowls


def gradients(points: np.ndarray) -> np.ndarray:
    """Their gradients (…, 2, 2), a row a loss."""
    (hills, bowls, (above, below)), (slopes, sides, (rise, fall)) = _parts(points)
    rows = above[..., None, None] * slopes + below[..., None, None] * sides
    rows[..., 1] += rise[..., None] * hills + fall[..., None] * bowls
    return rows


def _parts(points: np.ndarray):
    """Hills (logarithms) over y > 0, bowls under it, what blends them; and their derivatives."""
    x, y = points[..., 0], points[..., 1]
    bent, flat = np.tanh(y), 1 - np.tanh(y) ** 2
    inner = np.stack([-(x + 7) / 2 + bent, (3 - x) / 2 - bent + 2], axis=-1)
    hills = np.log(np.maximum(np.abs(inner), LOWEST)) + 6
    inner_slopes = np.stack([np.full_like(y, -0.5), flat, np.full_like(y, -0.5), -flat], axis=-1)
    inner_slopes = inner_slopes.reshape(*y.shape, 2, 2)
    live = np.abs(inner) >= LOWEST
    slopes = np.where(live, 1 / np.where(live, inner, 1.0), 0.0)[..., None] * inner_slopes

    away = x[..., None] - np.asarray([7.0, -7.0])
    bowls = (away**2 + 0.1 * (y[..., None] + 8) ** 2) / 10 - 20
    sides = np.stack([away / 5, np.broadcast_to(0.02 * (y[..., None] + 8), away.shape)], axis=-1)

    half = np.tanh(y / 2)
    steep, up = (1 - half**2) / 2, y >= 0  # on the crease the slopes are those from above
    blend = np.maximum(half, 0), np.maximum(-half, 0)
    return (hills, bowls, blend), (slopes, sides, (np.where(up, steep, 0), np.where(up, 0, -steep)))


def pareto_front(count: int = 2001) -> np.ndarray:
    """Points (count, 2) where a convex combination of the gradients vanishes, below the crease.

    The first coordinates follow from the bowls' x² alone; the second ones are bisected.
    """
    weight = np.linspace(0, 1, count)
    x = 14 * weight - 7
    low, high = np.full(count, -12.0), np.full(count, -1.0)
    for _ in range(60):
        middle = (low + high) / 2
        rows = gradients(np.stack([x, middle], axis=-1))
        rising = weight * rows[:, 0, 1] + (1 - weight) * rows[:, 1, 1] > 0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    return np.stack([x, (low + high) / 2], axis=-1)


def descend(
    method: Callable[[np.ndarray], np.ndarray],
    scales: np.ndarray,
    steps: int = STEPS,
    rate: float = RATE,
    tick: Callable[[], object] = lambda: None,
) -> np.ndarray:
    """Paths (steps + 1, scales, starts, 2) by Adam, on losses times scales (scales, 2)."""
    paths = np.empty((steps + 1, len(scales), *STARTS.shape))
    paths[0] = STARTS
    mean, square = np.zeros_like(paths[0]), np.zeros_like(paths[0])
    for step in range(1, steps + 1):
        rows = scales[:, None, :, None] * gradients(paths[step - 1])
        update = bargain.combine(method(bargain.gram(rows)), rows)
        mean = 0.9 * mean + 0.1 * update
        square = 0.999 * square + 0.001 * update**2
        width = np.sqrt(square / (1 - 0.999**step)) + 1e-8
        paths[step] = paths[step - 1] - rate * mean / (1 - 0.9**step) / width
        tick()
    return paths


class Findings(NamedTuple):
    """Of one method: distances to the front and places on it (scales, starts), and the change."""

    distances: np.ndarray
    places: np.ndarray
    moved: np.ndarray
    """How far each end point is from that of the losses as they are (scales, starts)."""

    @property
    def reached(self) -> np.ndarray:
        return self.distances < NEAR


def findings(paths: np.ndarray, front: np.ndarray) -> Findings:
    ends = paths[-1]
    apart = np.linalg.norm(ends[..., None, :] - front, axis=-1)
    nearest = apart.argmin(axis=-1)
    moved = np.linalg.norm(ends - ends[0], axis=-1)
    return Findings(apart.min(axis=-1), front[nearest][..., 0], moved)


def run(steps: int, rate: float, console: Console) -> tuple[dict[str, np.ndarray], Findings]:
    """Paths of all methods, and what sums of the losses come to with a grid of weights."""
    scales = np.stack(list(SCALES.values()))
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("descending", total=(len(METHODS) + 1) * steps)
        more = (steps, rate, lambda: progress.advance(bar))
        paths = {name: descend(method, scales, *more) for name, method in METHODS.items()}
        weights = np.stack([RATIOS, np.ones_like(RATIOS)], axis=-1)
        sums = findings(descend(baselines.linear, weights, *more), pareto_front())
    return paths, sums


def make_table(found: dict[str, Findings]) -> Table:
    columns = ("reach the front", "distance, worst", "ends at x", "sd", "moved by the scale")
    table = Table("", "scale", *columns)
    for column in table.columns[2:]:
        column.justify = "right"
    for name, facts in found.items():
        for k, scale in enumerate(SCALES):
            places = facts.places[k][facts.reached[k]]
            spread = ("", "")
            if places.size:
                spread = (f"{places.min():.2f} … {places.max():.2f}", f"{places.std():.2f}")
            table.add_row(
                name,
                scale,
                f"{facts.reached[k].sum()} of {len(STARTS)}",
                f"{facts.distances[k].max():.3f}",
                *spread,
                f"{facts.moved[k].max():.3f}" if k else "",
            )
    return table


def draw(paths: dict[str, np.ndarray], front: np.ndarray, path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    shape = {"figsize": (13.0, 6.0), "sharex": True, "sharey": True}
    figure, panels = plt.subplots(len(SCALES), len(paths), **shape)
    figure.set_layout_engine("constrained")
    x, y = np.meshgrid(np.linspace(-11, 11, 67), np.linspace(-11, 11, 67))
    height = losses(np.stack([x, y], axis=-1))
    for column, (name, way) in zip(panels.T, paths.items(), strict=True):
        column[0].set_title(name)
        column[-1].set_xlabel("x")
        for k, (panel, scale) in enumerate(zip(column, SCALES.values(), strict=True)):
            panel.contour(x, y, height @ scale / 2, levels=10, colors="#bbbbbb", linewidths=0.6)
            panel.plot(*front.T[:, ::50], color=FRONT, linewidth=5, solid_capstyle="round")
            reached = findings(way, front).reached[k]
            for trail, there in zip(way[:, k].swapaxes(0, 1), reached, strict=True):
                colour = REACHED if there else MISSED
                panel.plot(*trail[:: max(1, len(trail) // 120)].T, color=colour, linewidth=1.6)
                panel.plot(*trail[0], "o", color="white", markeredgecolor=colour, markersize=6)
                shown = "*" if there else "X"
                panel.plot(*trail[-1], shown, color=colour, markeredgecolor="white", markersize=11)
            panel.set(xlim=(-11, 11), ylim=(-11, 11), aspect="equal")
    for panel, scale in zip(panels[:, 0], SCALES, strict=True):
        panel.set_ylabel(f"losses {scale}\n\ny")
    for label, look in {
        "start": {"marker": "o", "markerfacecolor": "white", "linestyle": "", "color": REACHED},
        "ends on the front": {"marker": "*", "markersize": 10, "linestyle": "", "color": REACHED},
        "ends elsewhere": {"marker": "X", "markersize": 8, "linestyle": "", "color": MISSED},
        "Pareto front": {"linewidth": 5, "color": FRONT},
        "levels of the mean loss": {"linewidth": 0.8, "color": "#bbbbbb"},
    }.items():
        panels[0, 0].plot([], [], label=label, **look)
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the steps, ten times as wide"
    )
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    shorter = 10 if options.quick else 1
    console, began = Console(), time.perf_counter()
    paths, sums = run(options.steps // shorter, options.rate * shorter, console)
    front = pareto_front()
    console.print(make_table({name: findings(way, front) for name, way in paths.items()}))
    counts = ", ".join(str(count) for count in sums.reached.sum(axis=-1))
    span = f"from {RATIOS[0]:g} to {RATIOS[-1]:g} times the first loss"
    console.print(f"Sums with {len(RATIOS)} weights {span} reach it from {counts} starts.")
    draw(paths, front, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
