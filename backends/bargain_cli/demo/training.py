"""One training run, in which the gradients of the tasks are added, or bargained over."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import NamedTuple

import numpy as np

import bargain
from bargain_cli.demo.adam import Adam
from bargain_cli.demo.data import Dataset
from bargain_cli.demo.log import Log, Run
from bargain_cli.demo.network import evaluate, new_network, task_gradients

__all__ = ["Method", "steps_of", "train"]

WIDTH = 16  # units of the trunk: so few that the two tasks compete for them
BATCH = 128
RATE = 3e-3


class Method(NamedTuple):
    """How the two tasks share the trunk."""

    bargains: bool
    """Whether the direction is bargained for; otherwise the weighted gradients are added."""
    weights: tuple[float, float] = (0.5, 0.5)
    """Bargaining weights, or the factors on the gradients."""
    units: tuple[float, float] = (1.0, 1.0)
    """The units in which the losses are measured: a factor on each."""


def steps_of(dataset: Dataset, epochs: int) -> int:
    """Count the steps of a training run.

    Parameters
    ----------
    dataset : Dataset
        The images.
    epochs : int
        How often each of them is used.

    Returns
    -------
    int
        The number of batches.
    """
    return epochs * (len(dataset.train.labels) // BATCH)


def train(
    dataset: Dataset, method: Method, seed: int, *, epochs: int, advance: Callable[[], object]
) -> Run:
    """Train a new network and test it.

    Parameters
    ----------
    dataset : Dataset
        The images.
    method : Method
        How the tasks share the trunk.
    seed : int
        Decides the first weights and the order of the images.
    epochs : int
        How often each image is used.
    advance : callable
        Called after every step.

    Returns
    -------
    Run
        The test results, and what was seen on the way.
    """
    pixels, labels = dataset.train
    generator = np.random.default_rng(seed)
    network = new_network(generator, inputs=pixels.shape[1], width=WIDTH, classes=10)
    trunk, heads = Adam(network.trunk), [Adam(head) for head in network.heads]
    weights = np.asarray(method.weights)
    steps = steps_of(dataset, epochs)
    log, start = Log(steps), perf_counter()

    for step, rows in enumerate(_batches(len(labels), epochs, generator)):
        gradients = task_gradients(network, pixels[rows], labels[rows], method.units)

        begin = perf_counter()
        game = bargain.GradientGame(bargain.gram(gradients.shared, dtype=np.float64), weights)
        if method.bargains:
            begin_solve = perf_counter()
            outcome = bargain.solve(game)
            log.solve_seconds[step] = perf_counter() - begin_solve
            # The agreement is a direction; its length is ours to choose: the same at every step.
            coefficients = bargain.rescale(outcome.coefficients, game, "unit")
        else:
            coefficients = weights
        direction = bargain.combine(coefficients, gradients.shared)
        log.bargain_seconds[step] = perf_counter() - begin
        log.grams[step], log.coefficients[step] = game.gram, coefficients

        rate = RATE * (1 + np.cos(np.pi * step / steps)) / 2
        trunk.step(direction, rate)
        for head, gradient in zip(heads, gradients.heads, strict=True):
            head.step(gradient, rate)
        advance()

    seconds = perf_counter() - start
    return log.summary(*evaluate(network, *dataset.test), seconds)


def _batches(count: int, epochs: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield the rows of one batch after another, in a new order every epoch."""
    for _ in range(epochs):
        order = generator.permutation(count)
        for first in range(0, count - BATCH + 1, BATCH):
            yield order[first : first + BATCH]
