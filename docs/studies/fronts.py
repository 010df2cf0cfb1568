"""Fronts of several losses: which points nothing beats, and how much they leave behind."""

import numpy as np


def non_dominated(points: np.ndarray) -> np.ndarray:
    """Which of the points (n, 2) no other one beats in one loss without losing in the other."""
    no_worse = (points[None] <= points[:, None]).all(-1)
    better = (points[None] < points[:, None]).any(-1)
    return ~(no_worse & better).any(axis=1)


def hypervolume(points: np.ndarray, reference: np.ndarray) -> float:
    """The area of losses that are worse than some of the points (n, 2), up to a reference."""
    inside = points[(points < reference).all(-1)]
    front = inside[non_dominated(inside)]
    front = np.unique(front, axis=0)  # sorts by the first loss
    heights = np.diff(-front[:, 1], prepend=-reference[1])
    return float(((reference[0] - front[:, 0]) * heights).sum())
