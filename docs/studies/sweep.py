"""Study: a sweep of preferences over two overlaid digits, `python docs/studies/sweep.py`.

Eleven weights, as bargaining weights and as weights of a sum of losses: which losses they lead to,
and which share of the update each task really gets.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import bargain_torch
from bargain_torch.comparison import Bargain, Comparison, Fixed, compare
from overlaid_digits import Digits, Pairs, Pictures, load_digits, overlay
from sweep_picture import draw
from sweep_report import points, summary, trials

TASKS = ("left", "right")
# Even steps of odds; coefficients go like the square root of bargaining weights.
WEIGHTS = (0.01, 0.03, 0.07, 0.15, 0.3, 0.5, 0.7, 0.85, 0.93, 0.97, 0.99)
RATES = (0.001, 0.003, 0.01)
FEATURES = 6  # so few that the digits compete for them
CHANNELS = 16, 32
BATCH, BATCHES = 128, 78  # pictures of a batch, batches of an epoch
HELD_OUT = 800  # digits that rates are chosen by
PICTURE = Path(__file__).parents[1] / "pictures" / "sweep.svg"


class Reader(nn.Module):
    """A trunk for both digits, or one for each, and a linear head for each."""

    def __init__(self, features: int, *, alone: bool = False) -> None:
        super().__init__()
        trunk = make_trunk(features)
        self.trunks = nn.ModuleList([trunk, make_trunk(features) if alone else trunk])
        self.heads = nn.ModuleList([nn.Linear(features, 10) for _ in TASKS])

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        left, right = self.trunks
        first = left(pixels)
        second = first if right is left else right(pixels)
        return {"left": self.heads[0](first), "right": self.heads[1](second)}


def make_trunk(features: int) -> nn.Sequential:
    """Convolutions, and a linear layer that leaves only so many numbers of a picture."""

    def convolution(inputs, outputs):
        return nn.Conv2d(inputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)

    few, many = CHANNELS
    layers = *convolution(1, few), *convolution(few, many), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(9 * many, features))


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


def test_on(digits: Digits, count: int) -> Callable[[nn.Module], dict[str, float]]:
    """Losses and accuracies on the same pictures of these digits every time."""
    pictures = overlay(digits, count, torch.Generator().manual_seed(0))

    def evaluate(model):
        with torch.no_grad():
            scores = model(pictures.pixels)
            found = {f"loss {name}": float(loss) for name, loss in losses(model, pictures).items()}
        for name in TASKS:
            hits = scores[name].argmax(1) == getattr(pictures, name)
            found[f"accuracy {name}"] = float(hits.float().mean())
        return found

    return evaluate


def choose_rates(training: Digits, folder: Path, **plan) -> Comparison:
    """Nash and the sum at equal weights, by every rate, judged by digits kept from training."""
    held_out = Digits(training.pixels[:HELD_OUT], training.labels[:HELD_OUT])
    rest = Digits(training.pixels[HELD_OUT:], training.labels[HELD_OUT:])
    return compare(
        data=lambda: Pairs(rest, BATCHES, BATCH),
        evaluate=test_on(held_out, 4_000),
        methods={sweep: SWEEPS[sweep](0.5) for sweep in ("Nash", "LS")},
        rates=RATES,
        seeds=1,
        folder=folder / "rates",
        **plan,
    )


def sweep_all(
    training: Digits, rates: dict[str, float], seeds: int, folder: Path, **plan
) -> dict[str, Comparison]:
    """Every sweep at its rate, each of its methods named by its weight."""
    return {
        sweep: compare(
            data=lambda: Pairs(training, BATCHES, BATCH),
            methods={f"{weight:g}": make(weight) for weight in WEIGHTS},
            rates=(rates[sweep],),
            seeds=seeds,
            folder=folder / sweep,
            **plan,
        )
        for sweep, make in SWEEPS.items()
    }


def shares_of(
    training: Digits, features: int, method: Bargain | Fixed, rate: float, epochs: int
) -> np.ndarray:
    """The left task's share of each update (steps,): its part of what both losses fall at first."""
    torch.manual_seed(0)
    model, found = Reader(features), []
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
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
    training: Digits, features: int, rates: dict[str, float], epochs: int, console: Console
) -> dict[str, np.ndarray]:
    """Shares (weights, steps) of the left task, by sweep."""
    plan = [(sweep, weight) for sweep in ("Nash", "LS") for weight in WEIGHTS]
    found: dict[str, list[np.ndarray]] = {"Nash": [], "LS": []}
    for sweep, weight in track(plan, "shares", console=console, transient=True):
        method = SWEEPS[sweep](weight)
        found[sweep].append(shares_of(training, features, method, rates[sweep], epochs))
    return {sweep: np.stack(rows) for sweep, rows in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--pictures", type=int, default=4_000, help="how many to test on")
    parser.add_argument("--features", type=int, default=FEATURES, help="that the digits share")
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs")
    parser.add_argument("--folder", type=Path, default=Path("comparison/sweep"))
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.epochs = 1, 2
    console, began = Console(), time.perf_counter()
    (training, testing), features = load_digits(), options.features
    folder = options.folder / f"{features} features"
    plan = {
        "losses": losses,
        "shared": shared,
        "higher": [f"accuracy {name}" for name in TASKS],
        "epochs": options.epochs,
    }
    reader = partial(Reader, features)
    tried = choose_rates(training, folder, make_model=reader, **plan)
    rates = {sweep: tried.of(sweep)[0].rate for sweep in ("Nash", "LS")}
    rates["LS, roots"] = rates["LS"]
    plan["evaluate"] = test_on(testing, options.pictures)
    fronts = sweep_all(training, rates, options.seeds, folder, make_model=reader, **plan)
    alone = compare(
        partial(Reader, features, alone=True),
        data=lambda: Pairs(training, BATCHES, BATCH),
        methods={"alone": Fixed()},
        rates=(rates["LS"],),
        seeds=options.seeds,
        folder=folder / "alone",
        **plan,
    )
    shares = measure_shares(training, features, rates, min(options.epochs, 3), console)
    for table in (trials(tried), points(fronts, shares), summary(fronts, alone)):
        console.print(table, soft_wrap=True, markup=False, highlight=False)
        console.print()
    draw(fronts, alone, shares, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
