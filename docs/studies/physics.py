"""Study: a network that solves a wave equation, `python docs/studies/physics.py`.

The Klein-Gordon equation u_tt - u_xx + u³ = f with a known solution, much as in Wang, Teng and
Perdikaris (arXiv 2001.04536): one small network, four losses, four orders of magnitude apart.
"""

import argparse
import time
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import pi
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from torch import Tensor, nn

import bargain
from bargain_torch.comparison import (
    Bargain,
    Comparison,
    Fixed,
    GradientRule,
    LossRule,
    compare,
)

PICTURE = Path(__file__).parents[1] / "pictures" / "physics.svg"
FOLDER = Path("comparison/physics")
INSIDE, EDGE, STEPS = 256, 64, 100  # points of a batch, and batches of an epoch
EPOCHS, TRIAL_EPOCHS, SEEDS = 10, 8, 3
SPEED = 3 * pi  # of the wave; 5 pi in the paper, for which longer trainings are needed
RATES = (3e-3, 1e-2, 3e-2)
FACTORS = (1.0, 10.0, 1e2, 1e3, 1e4, 1e5)  # of the three conditions against the equation
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # told apart by the colour-blind as well

GRID = [
    Fixed({"equation": 1.0, "boundary": factor, "start": factor, "velocity": factor})
    for factor in FACTORS
]
METHODS = {
    "LS": Fixed(),
    "LS, weights tuned": GRID,
    "SI": LossRule("si"),
    "FAMO": LossRule("famo"),
    "MGDA": GradientRule("mgda"),
    "CAGrad": GradientRule("cagrad"),
    "UPGrad": GradientRule("upgrad"),
    "KS": Bargain(bargain.KalaiSmorodinsky(), length="unit"),
    "Nash": Bargain(length="unit"),  # natural and clipped at one, as published, is the same
    "Nash, every 10": Bargain(every=10, length="unit"),
    "Nash, as long as the mean": Bargain(),
}
SEARCHED, LONGER = "LS, weights searched", "LS, searched, in Nash's time"
SLOWER = 2.4  # a step of Nash's takes so much longer than one of a sum


def wave(points: Tensor) -> Tensor:
    """The solution u at points (n, 2) of place and time."""
    x, t = points.unbind(-1)
    return x * torch.cos(SPEED * t) + (x * t) ** 3


def force(points: Tensor) -> Tensor:
    """What stands on the right of the equation."""
    x, t = points.unbind(-1)
    acceleration = -(SPEED**2) * x * torch.cos(SPEED * t) + 6 * x**3 * t
    return acceleration - 6 * x * t**3 + wave(points) ** 3


class Field(nn.Module):
    """A network for u: five layers of 50."""

    def __init__(self) -> None:
        super().__init__()
        widths = (2, *[50] * 5, 1)
        layers = [nn.Linear(*pair) for pair in pairwise(widths)]
        for layer in layers:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
        tanhs = [nn.Tanh() for _ in layers[1:]]
        pairs = zip(layers, tanhs, strict=False)
        self.layers = nn.Sequential(*(part for pair in pairs for part in pair), layers[-1])

    def forward(self, points: Tensor) -> Tensor:
        return self.layers(2 * points - 1)[:, 0]


class Points(NamedTuple):
    """A batch: points inside, points on both ends, and points at the beginning."""

    inside: Tensor
    ends: Tensor
    start: Tensor


def slope(values: Tensor, points: Tensor) -> Tensor:
    """Derivatives (n, 2), which can be differentiated again."""
    return torch.autograd.grad(values.sum(), points, create_graph=True)[0]


def losses(field: Field, batch: Points) -> Mapping[str, Tensor]:
    """Mean squares of what the equation and the three conditions leave."""
    inside, start = (part.detach().requires_grad_() for part in (batch.inside, batch.start))
    value = field(inside)
    by_x, by_t = slope(value, inside).unbind(-1)
    rest = slope(by_t, inside)[:, 1] - slope(by_x, inside)[:, 0] + value**3 - force(batch.inside)
    at_start = field(start)
    return {
        "equation": rest.square().mean(),
        "boundary": (field(batch.ends) - wave(batch.ends)).square().mean(),
        "start": (at_start - wave(batch.start)).square().mean(),
        "velocity": slope(at_start, start)[:, 1].square().mean(),
    }


class Draws:
    """Batches, each of new points."""

    def __init__(self, steps: int = STEPS) -> None:
        self.steps = steps

    def __iter__(self) -> Iterator[Points]:
        for _ in range(self.steps):
            ends, start = torch.rand(2 * EDGE, 2), torch.rand(EDGE, 2)
            ends[:EDGE, 0], ends[EDGE:, 0], start[:, 1] = 0.0, 1.0, 0.0
            yield Points(torch.rand(INSIDE, 2), ends, start)


def relative_error(field: Field, points: Tensor) -> float:
    with torch.no_grad():
        return float((field(points) - wave(points)).norm() / wave(points).norm())


def evaluate(field: Field) -> dict[str, float]:
    """The relative error in L² on a grid of 201 × 201 points."""
    axis = torch.linspace(0, 1, 201)
    return {"relative error": relative_error(field, torch.cartesian_prod(axis, axis))}


def validate(field: Field) -> dict[str, float]:
    """The same at 100 points, as if the wave had been measured there; by it methods are tuned."""
    sensors = torch.rand(100, 2, generator=torch.Generator().manual_seed(1))
    return {"relative error": relative_error(field, sensors)}


def run(folder: Path, seeds: int, epochs: int, trial_epochs: int, steps: int) -> Comparison:
    """All methods with as many trials each, and fixed weights with the whole grid and more time."""

    def train(methods: Mapping[str, object], rates: tuple[float, ...], **budget: Any) -> Comparison:
        return compare(
            Field,
            losses,
            lambda: Draws(steps),
            shared=lambda field: field.parameters(),
            evaluate=evaluate,
            validate=validate,
            methods=methods,
            rates=rates,
            trial_epochs=trial_epochs,
            seeds=seeds,
            folder=folder,
            **budget,
        )

    alike = train(METHODS, RATES, epochs=epochs, trials=len(RATES))
    searched = train({SEARCHED: GRID}, RATES, epochs=epochs)
    best = searched.runs[0]
    longer = train({LONGER: GRID[best.member]}, (best.rate,), epochs=round(SLOWER * epochs))
    parts = (alike, searched, longer)
    return Comparison(
        tuple(run for part in parts for run in part.runs),
        tuple(run for part in parts for run in part.trials),
        alike.higher,
    )


def scales(field: Field) -> str:
    """How far apart losses and gradients are before any training."""
    torch.manual_seed(0)
    found = losses(field, next(iter(Draws())))
    lines = []
    for name, loss in found.items():
        rows = torch.autograd.grad(
            loss, [*field.parameters()], retain_graph=True, allow_unused=True
        )
        length = sum(float(row.square().sum()) for row in rows if row is not None) ** 0.5
        lines.append(f"{name}: loss {loss.item():.2g}, gradient {length:.2g}")
    return "; ".join(lines)


def chosen(comparison: Comparison) -> str:
    """Which factors the trials of the grids have led to."""
    names = [name for name in ("LS, weights tuned", SEARCHED) if name in comparison.methods]
    found = [f"{name}: {FACTORS[comparison.of(name)[0].member]:g}" for name in names]
    return "Factor of the conditions by trials: " + "; ".join(found)


def draw(comparison: Comparison, path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    shown = ("LS", SEARCHED, "Nash")
    figure = plt.figure(figsize=(12.5, 4.2), layout="constrained")
    ratios = (1.9, *[1.0] * len(shown))
    places = figure.add_gridspec(1, 1 + len(shown), width_ratios=ratios)
    left = figure.add_subplot(places[0])
    for height, name in enumerate(reversed(comparison.methods)):
        errors = [run.metrics.get("relative error", float("nan")) for run in comparison.of(name)]
        colour = COLOURS[1] if name.startswith("Nash") else COLOURS[0]
        left.plot(errors, [height] * len(errors), "o", color=colour, alpha=0.75)
    left.set_yticks(range(len(comparison.methods)), list(reversed(comparison.methods)))
    left.set(xscale="log", xlabel="relative error, a point a seed")
    left.grid(axis="x", color="#dddddd")
    left.spines[["top", "right"]].set_visible(False)
    first = None
    for k, name in enumerate(shown):
        panel = figure.add_subplot(places[1 + k], sharey=first)
        one = comparison.of(name)[0]
        for task, values, colour in zip(
            one.tasks, zip(*one.losses, strict=True), COLOURS, strict=True
        ):
            panel.plot(range(1, len(values) + 1), values, color=colour, label=task, linewidth=1.8)
        panel.set(yscale="log", title=name, xlabel=f"epoch of {STEPS} steps")
        panel.spines[["top", "right"]].set_visible(False)
        if first is None:
            panel.set_ylabel("training losses, first seed")
            figure.legend(*panel.get_legend_handles_labels(), **LEGEND)
        else:
            panel.tick_params(labelleft=False)
        first = first or panel
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


LEGEND = {"loc": "outside upper right", "ncols": 4, "frameon": False}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for runs and checkpoints")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--steps", type=int, default=STEPS, help="of an epoch")
    parser.add_argument("--quick", action="store_true", help="one seed, a twentieth of the epochs")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    shorter = 20 if options.quick else 1
    console, began = Console(soft_wrap=True, highlight=False), time.perf_counter()
    epochs = max(1, options.epochs // shorter)
    comparison = run(
        options.folder,
        1 if options.quick else options.seeds,
        epochs,
        max(1, epochs * TRIAL_EPOCHS // EPOCHS),
        options.steps,
    )
    torch.manual_seed(0)
    console.print(scales(Field()))
    console.print(comparison.table(), markup=False)
    console.print(chosen(comparison))
    draw(comparison, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
