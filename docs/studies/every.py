"""Study: what it costs and what it spoils to bargain every N steps, `python docs/studies/every.py`.

The eleven properties of QM9 once more, standardised, with `Balancer(every=N)`: between games the
coefficients of the last one are used again. How long that goes well is Nash-MTL's question (arXiv
2202.01017, section 5).
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console

import bargain
import qm9
from bargain_torch import Balancer, Step, gram
from bargain_torch.comparison import Bargain, Fixed
from qm9_features import load_sample
from qm9_molecules import find_folder
from qm9_networks import Shared
from qm9_problem import Properties, Sizes, standardised
from qm9_report import Results, per_cent, table_of

PICTURE = Path(__file__).parents[1] / "pictures" / "every.svg"
INTERVALS = (1, 2, 5, 10, 25, 50)
RATE = 3e-3  # the sum of losses and Nash both chose it in the study of QM9
COLOURS = {"low": "#0072b2", "high": "#d55e00"}  # told apart by the colour-blind as well


def name_of(every: int) -> str:
    """As in the study of QM9, so that no training is done twice."""
    return "Nash" if every == 1 else f"Nash, every {every}"


METHODS = {"LS": Fixed(), **{name_of(every): Bargain(every=every) for every in INTERVALS}}


class Cost(NamedTuple):
    """What a step takes on average, games and steps without one together."""

    seconds: float
    games: float


def cost_of(problem: Properties, every: int | None, steps: int) -> Cost:
    """Processor time of a training step; without an interval that of the plain sum of losses."""
    torch.manual_seed(0)
    model, batches = Shared(), endless(problem)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    balancer = None if every is None else Balancer(model.trunk.parameters(), every=every)

    def step() -> None:
        optimizer.zero_grad()
        losses = problem.losses(model, next(batches))
        if balancer is None:
            torch.autograd.backward(list(losses.values()))
        else:
            balancer.backward(losses)
        optimizer.step()

    for _ in range(max(INTERVALS)):  # the first steps of a process take longer
        step()
    before = 0 if balancer is None else balancer.counts["games"]
    began = time.process_time()
    for _ in range(steps):
        step()
    seconds = (time.process_time() - began) / steps
    after = 0 if balancer is None else balancer.counts["games"]
    return Cost(seconds, (after - before) / steps)


def costs(problem: Properties, steps: int, rounds: int = 3) -> dict[str, Cost]:
    """The median of several rounds, in each of which everybody has a turn."""
    turns = {"LS": None, **{name_of(every): every for every in INTERVALS}}
    found = [
        {name: cost_of(problem, every, steps) for name, every in turns.items()}
        for _ in range(rounds)
    ]
    return {
        name: Cost(
            *(median(values) for values in zip(*(turn[name] for turn in found), strict=True))
        )
        for name in turns
    }


def solve_times(problem: Properties, steps: int) -> tuple[float, float]:
    """Median processor time of a game alone: with caches as a step leaves them, and once more."""
    torch.manual_seed(0)
    model, batches = Shared(), endless(problem)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    balancer, times = Balancer(model.trunk.parameters()), []
    for _ in range(steps):
        optimizer.zero_grad()
        step = balancer.backward(problem.losses(model, next(batches)))
        optimizer.step()
        game, marks = bargain.GradientGame(step.gram.numpy()), [time.process_time()]
        for _ in range(2):
            bargain.solve(game, precision=step.precision)
            marks.append(time.process_time())
        times.append(np.diff(marks))
    cold, warm = np.median(times, axis=0)
    return float(cold), float(warm)


def endless(problem: Properties) -> Iterator:
    data = problem.data()
    while True:
        yield from data


def aged_shares(problem: Properties, every: int, rate: float, steps: int, seed: int) -> np.ndarray:
    """Shares of the update by the age of its coefficients: (games, every, 11).

    A training with the longest interval, in which the inner products are taken at every step,
    only to see what the old coefficients give to each property now.
    """
    torch.manual_seed(seed)
    model, batches = Shared(), endless(problem)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    balancer, found = Balancer(model.trunk.parameters(), every=every), []
    for _ in range(steps // every * every):
        optimizer.zero_grad()
        losses = problem.losses(model, next(batches))
        products = gram(losses, model.trunk.parameters())
        found.append(shares_of(products.double().numpy(), balancer.backward(losses)))
        optimizer.step()
        schedule.step()
    return np.stack(found).reshape(-1, every, len(found[0]))


def shares_of(products: np.ndarray, step: Step) -> np.ndarray:
    """Each player's part of an update's utilities, weighed by their coefficients."""
    coefficients = step.coefficients.double().numpy()
    parts = coefficients * (products @ coefficients)
    return parts / parts.sum()


def make_table(results: Results, spent: dict[str, Cost]) -> str:
    comparison = results.comparison
    delta, ranks, plain = comparison.delta(results.alone), comparison.mean_rank(), spent["LS"]
    rows = [
        [
            method,
            f"{100 * spent[method].games:.0f} %",
            f"{1e3 * spent[method].seconds:.2f}",
            f"{spent[method].seconds / plain.seconds:.2f}",
            per_cent(*delta[method]),
            f"{ranks[method]:.1f}",
            f"{100 * fmean(run.solve_part for run in comparison.of(method)):.1f} %",
        ]
        for method in comparison.methods
    ]
    head = ["", "games", "ms a step", "times LS", "Δm %", "mean rank", "solves' part"]
    return table_of(head, rows)


def age_table(shares: np.ndarray) -> str:
    """What the coefficients give when they are so many steps old; a fair share is 1 / 11."""
    ages = [age for age in (0, 1, 2, 5, 10, 25, 49) if age < shares.shape[1]]
    rows = [
        [
            str(age),
            f"{np.median(shares[:, age].min(axis=1)):.3f}",
            f"{np.median(shares[:, age].max(axis=1)):.3f}",
            f"{100 * (shares[:, age] < 0).any(axis=1).mean():.0f} %",
        ]
        for age in ages
    ]
    head = ["steps since the game", "smallest share", "largest share", "steps that harm somebody"]
    return table_of(head, rows)


def draw(results: Results, spent: dict[str, Cost], shares: np.ndarray, path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12.0, 3.8), layout="constrained")
    names = [name_of(every) for every in INTERVALS]
    plain = spent["LS"].seconds
    left.plot(INTERVALS, [spent[name].seconds / plain for name in names], "o-", color="#0072b2")
    left.axhline(1, color="#555555", linestyle="--", linewidth=1)
    left.text(INTERVALS[0], 1, "sum of losses", va="bottom", color="#555555")
    left.set(title="a step's cost, in steps of the sum of losses", ylim=(0, None))

    delta = results.comparison.delta(results.alone)
    means, deviations = zip(*(delta[name] for name in names), strict=True)
    middle.errorbar(INTERVALS, means, yerr=deviations, fmt="o-", color="#0072b2", capsize=3)
    mean, deviation = delta["LS"]
    middle.axhspan(mean - deviation, mean + deviation, color="#555555", alpha=0.2, linewidth=0)
    middle.axhline(mean, color="#555555", linestyle="--", linewidth=1)
    middle.text(
        INTERVALS[-1], mean + deviation, "sum of losses", ha="right", va="bottom", color="#555555"
    )
    middle.set(title="Δm against single-task, % (lower is better)")
    for axis in (left, middle):
        axis.set_xscale("log")
        axis.set_xticks(INTERVALS, [str(every) for every in INTERVALS])
        axis.minorticks_off()
        axis.set(xlabel="a game every N steps")

    ages = np.arange(shares.shape[1])
    for label, values, colour in (
        ("largest", shares.max(axis=2), COLOURS["high"]),
        ("smallest", shares.min(axis=2), COLOURS["low"]),
    ):
        low, half, high = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
        right.fill_between(ages, low, high, color=colour, alpha=0.2, linewidth=0)
        right.plot(ages, half, color=colour, linewidth=2, label=f"{label} of the 11 shares")
    right.axhline(1 / shares.shape[2], color="#555555", linestyle="--", linewidth=1)
    right.set(title="shares by the age of the coefficients", xlabel="steps since the game")
    right.legend(frameon=False, title="median, band from 10 to 90 %")
    for axis in (left, middle, right):
        axis.grid(color="#e6e6e6")
        axis.set_axisbelow(True)
        axis.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=qm9.FOLDER, help="that of the study of QM9")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=qm9.EPOCHS)
    parser.add_argument("--quick", action="store_true", help="few molecules, two epochs")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    console, began = Console(soft_wrap=True, highlight=False), time.perf_counter()
    torch.set_num_threads(1)  # processor time is what is counted
    try:
        source = find_folder()
    except ModuleNotFoundError as missing:
        raise SystemExit(str(missing)) from None
    sizes = qm9.QUICK if options.quick else Sizes()
    epochs = 2 if options.quick else options.epochs
    sample = load_sample(source, sum(sizes), options.folder)
    results = qm9.run(
        sample,
        sizes,
        "standardised",
        options.folder,
        METHODS,
        rates=(RATE,),
        epochs=epochs,
        seeds=options.seeds,
    )
    inputs = standardised(sample.features, sizes.train)
    problem = Properties(inputs, sample.properties, sizes, "standardised")
    spent = costs(problem, 50 if options.quick else 300)
    cold, warm = solve_times(problem, 50 if options.quick else 300)
    longest = INTERVALS[-1]
    steps = 2 * longest if options.quick else epochs * (sizes.train // problem.batch)
    shares = np.concatenate(
        [aged_shares(problem, longest, RATE, steps, seed) for seed in range(options.seeds)]
    )
    console.print(f"{make_table(results, spent)}\n\n{age_table(shares)}", markup=False)
    console.print(
        f"\na game alone: {1e3 * cold:.2f} ms after a step, {1e3 * warm:.2f} ms once more, with "
        f"warm caches: {100 * warm / spent['Nash'].seconds:.1f} % of a step"
    )
    draw(results, spent, shares, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
