"""Study: one helpful and one harmful auxiliary task, `python docs/studies/auxiliary.py`.

Linear regression in the plane. Few noisy labels of the main task, many good ones of a task that has
the same optimum, and many of a task that has another one. All repetitions run as one batch.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import bargain
from bargain.preferences import ClippedSGD, MirrorDescent, audible, hypergradient

MAIN, HELPFUL, HARMFUL = 0, 1, 2
TASKS = ("main", "helpful", "harmful")
WANTED, ELSEWHERE = np.asarray([1.0, 1.0]), np.asarray([-1.5, 0.0])
START = np.asarray([0.0, -2.0])
LABELS, HELD_OUT = 12, 30
BATCH, RATE, EVERY = 8, 0.05, 5
PICTURE = Path(__file__).parents[1] / "pictures" / "auxiliary.svg"
COLOURS = ("#0072b2", "#009e73", "#d55e00")  # told apart by the colour-blind as well
EQUAL_COLOUR = "#cc79a7"


class Sample(NamedTuple):
    """Inputs (runs, n, 2) and labels (runs, n)."""

    inputs: np.ndarray
    labels: np.ndarray

    def gradient(self, points, rows=slice(None)):
        """The gradients (runs, 2) of mean squared errors."""
        inputs, labels = self.inputs[:, rows], self.labels[:, rows]
        errors = np.einsum("rni,ri->rn", inputs, points) - labels
        return 2 * np.einsum("rni,rn->ri", inputs, errors) / labels.shape[1]

    def best(self):
        """The points (runs, 2) of least squares."""
        return np.stack([np.linalg.lstsq(x, y, rcond=None)[0] for x, y in zip(*self, strict=True)])


class Problem(NamedTuple):
    """Data of all runs: three tasks to train on, and the main task's held-out labels."""

    tasks: tuple[Sample, Sample, Sample]
    held_out: Sample


def make_problem(runs: int, seed: int = 0) -> Problem:
    rng = np.random.default_rng(seed)

    def sample(count, optimum, noise):
        inputs = rng.normal(size=(runs, count, 2))
        return Sample(inputs, inputs @ optimum + noise * rng.normal(size=(runs, count)))

    main = sample(LABELS, WANTED, 1.0)
    tasks = (main, sample(200, WANTED, 0.1), sample(200, ELSEWHERE, 0.1))
    return Problem(tasks, sample(HELD_OUT, WANTED, 1.0))


@dataclass(frozen=True)
class Method:
    """How to combine three gradients: by fixed weights, or by learned ones."""

    name: str
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)
    bargains: bool = True
    update: MirrorDescent | ClippedSGD | None = None
    held_out: bool = True
    silent_below: float = 0.01


QUICK = MirrorDescent(rate=0.5)  # 120 updates are few

METHODS = (
    Method("sum of the three losses", bargains=False),
    Method("sum, harmful task left out by hand", (1.0, 1.0, 0.0), bargains=False),
    Method("Nash, equal weights"),
    Method("Nash, fixed weights .7, .15, .15", (0.7, 0.15, 0.15)),
    Method("Nash, harmful task left out by hand", (1.0, 1.0, 0.0)),
    Method("Nash, learned weights, held-out labels", update=QUICK),
    Method("… nobody is left out", update=QUICK, silent_below=0.0),
    Method("… training labels decide", update=QUICK, held_out=False),
    Method("… the default rate of 0.3", update=MirrorDescent()),
    Method(
        "… nobody left out, training labels, as published",
        update=ClippedSGD(),
        held_out=False,
        silent_below=0.0,
    ),
)
EQUAL, LEARNED = METHODS[2], METHODS[5]


class Result(NamedTuple):
    """What a method came to: points (runs, 2) and weights (steps, runs, 3), shares of their sum."""

    points: np.ndarray
    weights: np.ndarray
    way: np.ndarray
    without_agreement: float


def train(
    method: Method, problem: Problem, steps: int, tick: Callable[[], object] = lambda: None
) -> Result:
    rng = np.random.default_rng(1)
    runs = len(problem.held_out.labels)
    points = np.tile(START, (runs, 1))
    weights = np.tile(np.asarray(method.weights), (runs, 1))
    state = method.update.init(weights) if method.update else None
    history, way, open_games = np.empty((steps, runs, 3)), np.empty((steps, runs, 2)), 0
    for step in range(steps):
        if state is not None:
            weights = audible(state.weights, method.silent_below)
        history[step], way[step] = weights / weights.sum(axis=1, keepdims=True), points
        gradients = gradients_of(problem, points, rng)
        if method.bargains:
            coefficients = agreed(bargain.gram(gradients), weights)
            open_games += (coefficients == 0).all(axis=1).mean()
        else:
            coefficients = weights / 3
        update = bargain.combine(coefficients, gradients)
        points = points - RATE * (1 - step / steps) * update
        if method.update and (step + 1) % EVERY == 0:
            state = method.update.update(lesson(method, problem, points, state.weights), state)
        tick()
    return Result(points, history, way, open_games / steps)


def gradients_of(problem: Problem, points: np.ndarray, rng=None) -> np.ndarray:
    """The three gradients (runs, 3, 2): on batches, or without a generator on all data."""

    def rows(sample):
        count = sample.labels.shape[1]
        return slice(None) if rng is None else rng.choice(count, BATCH, replace=False)

    return np.stack([sample.gradient(points, rows(sample)) for sample in problem.tasks], axis=1)


def lesson(method: Method, problem: Problem, points: np.ndarray, weights: np.ndarray):
    """What the weights do to the main task: one game, on all data because it is played seldom."""
    gradients = gradients_of(problem, points)
    gram = bargain.gram(gradients)
    coefficients = agreed(gram, weights)
    # Where the tasks cannot agree, those who are not heard have no veto.
    again = agreed(gram, audible(weights, method.silent_below))
    coefficients = np.where((coefficients > 0).any(axis=1)[:, None], coefficients, again)
    judge = problem.held_out if method.held_out else problem.tasks[MAIN]
    products = np.einsum("rki,ri->rk", gradients, judge.gradient(points))
    return hypergradient(gram, weights, coefficients, products)


def agreed(gram: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Coefficients of an update as long as the mean gradient, zero without an agreement."""
    game = bargain.GradientGame(gram, weights)
    outcome = bargain.solve(game)
    agree = outcome.status == bargain.Status.AGREEMENT
    return np.where(agree[:, None], bargain.rescale(outcome.coefficients, game, "mean"), 0.0)


def run(runs: int, steps: int, console: Console) -> tuple[Problem, dict[Method, Result]]:
    problem = make_problem(runs)
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("training", total=len(METHODS) * steps)
        results = {
            method: train(method, problem, steps, lambda: progress.advance(bar))
            for method in METHODS
        }
    return problem, results


def distances(points: np.ndarray) -> np.ndarray:
    """How far from the optimum of the main task."""
    return np.linalg.norm(points - WANTED, axis=-1)


def all_labels(problem: Problem) -> Sample:
    """The main task's labels, those held out as well."""
    pairs = zip(problem.tasks[MAIN], problem.held_out, strict=True)
    return Sample(*(np.concatenate(pair, axis=1) for pair in pairs))


def make_table(problem: Problem, results: dict[Method, Result]) -> Table:
    table = Table("", "distance to the optimum", "weight of helpful", "of harmful", "no agreement")
    for column in table.columns[1:]:
        column.justify = "right"
    alone = {
        f"main task alone, {LABELS} labels": problem.tasks[MAIN],
        f"main task alone, {LABELS + HELD_OUT} labels": all_labels(problem),
    }
    for name, sample in alone.items():
        table.add_row(name, spread_of(distances(sample.best())), "", "", "")
    for method, result in results.items():
        shares = result.weights[-1].T
        table.add_row(
            method.name,
            spread_of(distances(result.points)),
            *(spread_of(shares[k]) if method.bargains else "" for k in (HELPFUL, HARMFUL)),
            f"{100 * result.without_agreement:.0f} %" if method.bargains else "",
        )
    return table


def spread_of(values: np.ndarray) -> str:
    return f"{values.mean():.3f} ± {values.std():.3f}"


def draw(problem: Problem, result: Result, equal: Result, path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.6), width_ratios=(1.0, 1.0))
    figure.set_layout_engine("constrained")
    runs = result.weights.shape[1]
    left.set_title(f"learned weights, as shares ({runs} runs)")
    for k, (task, colour) in enumerate(zip(TASKS, COLOURS, strict=True)):
        low, middle, high = np.quantile(result.weights[..., k], (0.1, 0.5, 0.9), axis=1)
        left.fill_between(range(len(middle)), low, high, color=colour, alpha=0.18, linewidth=0)
        left.plot(middle, color=colour, linewidth=2, label=task)
    left.set(xlabel="training step", xlim=(0, len(middle) - 1), ylim=(0, 1))
    left.legend(frameon=False, loc="upper left", title="median, band from 10 to 90 %", ncols=3)
    left.spines[["top", "right"]].set_visible(False)

    right.set_title("expected loss of the main task, solutions of all runs")
    x, y = np.meshgrid(np.linspace(-1.8, 2.1, 120), np.linspace(-0.6, 2.1, 90))
    loss = (x - WANTED[0]) ** 2 + (y - WANTED[1]) ** 2
    right.contourf(x, y, loss, levels=16, cmap="Greys", alpha=0.5)
    right.plot(*result.way[:, 0].T, color="#555555", linewidth=1, label="one way from (0, −2)")
    for name, points, shape, colour, size in (
        (f"main task alone, {LABELS} labels", problem.tasks[MAIN].best(), "s", COLOURS[0], 16),
        ("equal weights", equal.points, "D", EQUAL_COLOUR, 14),
        ("learned weights", result.points, "o", COLOURS[1], 16),
        ("optimum of the main task", WANTED[None], "^", "#111111", 80),
        ("optimum of the harmful task", ELSEWHERE[None], "X", COLOURS[2], 70),
    ):
        look = {"marker": shape, "s": size, "edgecolor": "white", "linewidth": 0.4, "zorder": 3}
        right.scatter(*points.T, color=colour, label=name, **look)
    limits = {"xlim": (x.min(), x.max()), "ylim": (y.min(), y.max())}
    right.set(aspect="equal", xlabel="first parameter", ylabel="second parameter", **limits)
    right.legend(loc="upper center", bbox_to_anchor=(0.45, -0.16), frameon=False, ncols=2)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=48, help="repetitions with data of their own")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    console, began = Console(), time.perf_counter()
    problem, results = run(options.runs, options.steps, console)
    console.print(make_table(problem, results))
    draw(problem, results[LEARNED], results[EQUAL], options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
