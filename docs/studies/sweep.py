"""Study: a sweep of preferences over two overlaid digits, `python docs/studies/sweep.py`.

Eleven weights, as bargaining weights and as weights of a sum of losses: which losses they lead to,
and which share of the update each task really gets.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy.stats import spearmanr
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import bargain_torch
from bargain_torch.comparison import Bargain, Comparison, Fixed, compare
from fronts import hypervolume, non_dominated
from overlaid_digits import SIDE, Digits, Pairs, Pictures, load_digits, overlay

TASKS = ("left", "right")
# Coefficients go like the square root of bargaining weights, so they want a wide range.
WEIGHTS = (0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99, 0.997)
WIDTH = 32  # features that the heads see
BATCH, BATCHES = 128, 78  # pictures of a batch, batches of an epoch
REFERENCE = np.full(2, np.log(10))  # the losses of who knows nothing about a digit
PICTURE = Path(__file__).parents[1] / "pictures" / "sweep.svg"
COLOURS = {"Nash": "#0072b2", "LS": "#d55e00", "LS, roots": "#009e73"}  # for all eyes
SHAPES = {"Nash": "o", "LS": "s", "LS, roots": "^"}


class Trunk(NamedTuple):
    """What both digits are read by, and its learning rate.

    The rate is the best of 0.001, 0.003 and 0.01 on digits kept from training, at equal weights; it
    was the same one for the bargain and for the sum.
    """

    make: Callable[[], nn.Sequential]
    rate: float


def one_layer() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, WIDTH), nn.ReLU())


def convolutions() -> nn.Sequential:
    def convolution(inputs, outputs):
        return nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)

    layers = *convolution(1, 6), *convolution(6, 12), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(12 * 9, WIDTH), nn.ReLU())


TRUNKS = {"layer": Trunk(one_layer, 3e-3), "convolutions": Trunk(convolutions, 1e-2)}


class Reader(nn.Module):
    """A trunk for both digits, or one for each, and a linear head for each."""

    def __init__(self, trunk: Trunk, *, alone: bool = False) -> None:
        super().__init__()
        first = trunk.make()
        self.trunks = nn.ModuleList([first, trunk.make() if alone else first])
        self.heads = nn.ModuleList([nn.Linear(WIDTH, 10) for _ in TASKS])

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        first, second = self.trunks
        features = first(pixels)
        features = features, features if second is first else second(pixels)
        return {name: self.heads[k](features[k]) for k, name in enumerate(TASKS)}


def losses(model: nn.Module, pictures: Pictures) -> dict[str, Tensor]:
    scores = model(pictures.pixels)
    return {name: cross_entropy(scores[name], getattr(pictures, name)) for name in TASKS}


def shared(model: Reader):
    return model.trunks.parameters()


def preference(weight: float) -> dict[str, float]:
    return {"left": weight, "right": 1 - weight}


def roots(weight: float) -> dict[str, float]:
    """Weights of a sum like a bargain's coefficients, if gradients were orthogonal and as long."""
    return {name: part**0.5 for name, part in preference(weight).items()}


SWEEPS = {
    "Nash": lambda weight: Bargain(weights=preference(weight)),
    "LS": lambda weight: Fixed(weights=preference(weight)),
    "LS, roots": lambda weight: Fixed(weights=roots(weight)),
}


def train(
    digits: tuple[Digits, Digits],
    trunk: Trunk,
    seeds: int,
    epochs: int,
    pictures: int,
    folder: Path,
) -> tuple[Comparison, Comparison]:
    """All sweeps, and networks for one task each; resumes in its folder."""
    training, testing = digits
    test = overlay(testing, pictures, torch.Generator().manual_seed(0))

    def evaluate(model):
        with torch.no_grad():
            scores = model(test.pixels)
            found = {f"loss {name}": float(loss) for name, loss in losses(model, test).items()}
        for name in TASKS:
            hits = scores[name].argmax(1) == getattr(test, name)
            found[f"accuracy {name}"] = float(hits.float().mean())
        return found

    methods = {
        f"{sweep} {weight:g}": make(weight) for sweep, make in SWEEPS.items() for weight in WEIGHTS
    }
    plan = {
        "losses": losses,
        "data": lambda: Pairs(training, BATCHES, BATCH),
        "shared": shared,
        "evaluate": evaluate,
        "higher": [f"accuracy {name}" for name in TASKS],
        "rates": (trunk.rate,),
        "seeds": seeds,
        "epochs": epochs,
    }
    swept = compare(lambda: Reader(trunk), methods=methods, folder=folder / "sweeps", **plan)
    alone = {"alone": Fixed()}
    return swept, compare(
        lambda: Reader(trunk, alone=True), methods=alone, folder=folder / "alone", **plan
    )


def points_of(comparison: Comparison, method: str) -> np.ndarray:
    """Test losses (seeds, 2) of a method."""
    runs = comparison.of(method)
    return np.asarray([[run.metrics[f"loss {name}"] for name in TASKS] for run in runs])


def front_of(comparison: Comparison, sweep: str) -> np.ndarray:
    """Test losses (weights, seeds, 2) of a sweep."""
    return np.stack([points_of(comparison, f"{sweep} {weight:g}") for weight in WEIGHTS])


def shares_of(training: Digits, trunk: Trunk, method: Bargain | Fixed, epochs: int) -> np.ndarray:
    """The left task's share of each update (steps,): its part of what both losses fall at first."""
    torch.manual_seed(0)
    model, found = Reader(trunk), []
    optimizer = torch.optim.Adam(model.parameters(), lr=trunk.rate)
    balancer = bargain_torch.Balancer(shared(model), weights=method.weights)
    for _ in range(epochs):
        for pictures in Pairs(training, BATCHES, BATCH):
            optimizer.zero_grad()
            present = losses(model, pictures)
            if isinstance(method, Bargain):
                step = balancer.backward(present)
                gram, factors = step.gram.numpy(), step.coefficients.numpy()
            else:
                factors = np.asarray([method.weights[name] for name in TASKS])
                gram = bargain_torch.gram(present, shared(model)).numpy()
                sum(method.weights[name] * present[name] for name in TASKS).backward()
            optimizer.step()
            gains = factors * (gram @ factors)
            found.append(gains[0] / gains.sum())
    return np.asarray(found)


def measure_shares(
    training: Digits, trunk: Trunk, epochs: int, console: Console
) -> dict[str, np.ndarray]:
    """Shares (weights, steps) of the left task, by sweep."""
    plan = [(sweep, weight) for sweep in ("Nash", "LS") for weight in WEIGHTS]
    found: dict[str, list[np.ndarray]] = {"Nash": [], "LS": []}
    for sweep, weight in track(plan, "shares", console=console, transient=True):
        found[sweep].append(shares_of(training, trunk, SWEEPS[sweep](weight), epochs))
    return {sweep: np.stack(rows) for sweep, rows in found.items()}


def make_tables(comparison: Comparison, alone: Comparison, shares: dict[str, np.ndarray]):
    """A table of the sweeps, and one of what is to be said of each as a whole."""
    table = Table("left's weight", title="test losses of left and right digit, and left's share")
    whole = Table("", "not dominated", "rank correlation", "hypervolume", "left", "right")
    fronts = {sweep: front_of(comparison, sweep) for sweep in SWEEPS}
    for sweep, front in fronts.items():
        table.add_column(sweep, justify="right")
        if sweep in shares:
            table.add_column("share, 10–90 %", justify="right")
        means = front.mean(axis=1)
        volumes = [hypervolume(front[:, seed], REFERENCE) for seed in range(front.shape[1])]
        own = np.asarray([list(preference(weight).values()) for weight in WEIGHTS])
        ranks = [spearmanr(own[:, k], means[:, k]).statistic for k in range(2)]
        whole.add_row(
            sweep,
            f"{non_dominated(means).sum()} of {len(means)}",
            " / ".join(f"{rank:.3f}" for rank in ranks),
            f"{spread_of(volumes)}",
            *(f"{means[:, k].min():.3f} … {means[:, k].max():.3f}" for k in range(2)),
        )
    whole.add_row("alone", "", "", "", *map(spread_of, points_of(alone, "alone").T))
    for row, weight in enumerate(WEIGHTS):
        cells = []
        for sweep, front in fronts.items():
            cells.append(" / ".join(spread_of(front[row, :, k]) for k in range(2)))
            if sweep in shares:
                low, high = np.quantile(shares[sweep][row], (0.1, 0.9))
                cells.append(f"{shares[sweep][row].mean():.3f} ({low:.3f} … {high:.3f})")
        table.add_row(f"{weight:g}", *cells)
    return table, whole


def spread_of(values) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) if len(values) > 1 else 0:.3f}"


def outermost(points: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Weights and points (weights, 2) from the ends inwards, as long as they lie apart."""
    found = []
    for k in sorted(range(len(points)), key=lambda k: -abs(k - (len(points) - 1) / 2)):
        if all(np.abs(np.log(points[k] / other)).max() > 0.15 for _, other in found):
            found.append((WEIGHTS[k], points[k]))
    return found


def draw(fronts: dict[str, np.ndarray], alone: np.ndarray, shares: dict, path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt
    from matplotlib.ticker import FixedLocator, NullFormatter, StrMethodFormatter

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, (left, right) = plt.subplots(1, 2, figsize=(12.0, 5.0), width_ratios=(1.2, 1.0))
    figure.set_layout_engine("constrained")
    left.set_title("test losses; labels: the weight of the left digit, where there is room")
    left.set(xscale="log", yscale="log", xlabel="left digit", ylabel="right digit")
    for sweep, front in fronts.items():
        middle, colour = front.mean(axis=1), COLOURS[sweep]
        bars = front.std(axis=1, ddof=1).T if front.shape[1] > 1 else None
        left.plot(*middle.T, color=colour, linewidth=1, alpha=0.6)
        look = {"fmt": SHAPES[sweep], "color": colour, "markersize": 6, "label": sweep}
        left.errorbar(*middle.T, *(bars[::-1] if bars is not None else ()), elinewidth=0.7, **look)
        if sweep == "LS, roots":
            continue
        inside = sweep == "Nash"  # labels on the side of the lower losses
        for weight, point in outermost(middle):
            far = -8 if inside else 8
            place = {"xytext": (2 * far, 0), "ha": "right" if inside else "left", "va": "center"}
            if weight < 0.5:
                place = {"xytext": (0, far), "ha": "center", "va": "top" if inside else "bottom"}
            look = {"fontsize": 8, "color": colour, "textcoords": "offset points"}
            left.annotate(f"{weight:g}", point, **place, **look)
    for line, mean in ((left.axvline, alone[:, 0].mean()), (left.axhline, alone[:, 1].mean())):
        line(mean, color="#555555", linestyle=":", linewidth=1.2)
    left.plot([], [], color="#555555", linestyle=":", label="a network for each digit")
    for axis in (left.xaxis, left.yaxis):
        axis.set_major_locator(FixedLocator([0.15, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0]))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    left.margins(x=0.1, y=0.1)
    left.legend(frameon=False, loc="upper right")

    right.set_title("the left digit's share of the updates")
    places = np.arange(len(WEIGHTS))
    for sweep, rows in shares.items():
        low, middle, high = np.quantile(rows, (0.1, 0.5, 0.9), axis=1)
        right.fill_between(places, low, high, color=COLOURS[sweep], alpha=0.2, linewidth=0)
        look = {"color": COLOURS[sweep], "marker": SHAPES[sweep], "linewidth": 1}
        right.plot(places, middle, label=f"{sweep}: median, band from 10 to 90 %", **look)
    look = {"color": "#111111", "marker": "_", "markersize": 16, "linestyle": "none"}
    right.plot(places, WEIGHTS, label="the weight", **look)
    right.set_xticks(places, [f"{weight:g}" for weight in WEIGHTS], rotation=45)
    right.set(xlabel="weight of the left digit", ylabel="share")
    right.legend(frameon=False, loc="upper left")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--pictures", type=int, default=4_000, help="how many to test on")
    parser.add_argument("--trunk", choices=TRUNKS, default="layer", help="what the digits share")
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs")
    parser.add_argument("--folder", type=Path, default=Path("comparison/sweep"))
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.epochs = 1, 2
    console, began = Console(), time.perf_counter()
    digits, trunk = load_digits(), TRUNKS[options.trunk]
    size = options.seeds, options.epochs, options.pictures
    comparison, alone = train(digits, trunk, *size, options.folder / options.trunk)
    shares = measure_shares(digits[0], trunk, min(options.epochs, 3), console)
    for table in make_tables(comparison, alone, shares):
        console.print(table)
    fronts = {sweep: front_of(comparison, sweep) for sweep in SWEEPS}
    draw(fronts, points_of(alone, "alone"), shares, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
