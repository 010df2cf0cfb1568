"""What is measured along a training run, and its summary."""

from typing import NamedTuple

import numpy as np

__all__ = ["Log", "Run"]


class Run(NamedTuple):
    """What a training run has shown; arrays of shape (2,) hold the left and the right digit's."""

    losses: np.ndarray
    """Cross-entropy on the test images, in nats whatever the units were in training."""
    accuracies: np.ndarray
    """Part of the test images that is read correctly."""
    shares: np.ndarray
    """The tasks' mean parts of the squared length of the direction."""
    conflicts: float
    """Part of the steps in which the two gradients pointed apart."""
    harms: float
    """Part of the steps in which the direction made a task worse, to first order."""
    disagreements: int
    """Number of steps in which there was nothing to agree on."""
    solve_seconds: np.ndarray
    """Time of each bargaining solve, shape (steps,)."""
    bargain_seconds: float
    """Time of all that bargaining adds: Gram matrix, solve, length, combination."""
    seconds: float
    """Time of the training."""


class Log:
    """The record of one training run.

    Parameters
    ----------
    steps : int
        How many steps the run has.
    """

    def __init__(self, steps: int) -> None:
        self.grams = np.zeros((steps, 2, 2))
        self.coefficients = np.zeros((steps, 2))
        self.solve_seconds = np.zeros(steps)
        self.bargain_seconds = np.zeros(steps)

    def summary(self, losses: np.ndarray, accuracies: np.ndarray, seconds: float) -> Run:
        """Sum the run up.

        Parameters
        ----------
        losses, accuracies : np.ndarray
            The test results of both tasks, shape (2,).
        seconds : float
            Time of the training.

        Returns
        -------
        Run
            The test results, and the means over all steps.
        """
        # What a step gives each task to first order, and the tasks' parts of its squared length.
        gains = np.einsum("sij,sj->si", self.grams, self.coefficients)
        parts = self.coefficients * gains
        total = parts.sum(axis=1)
        moved = total > 0
        return Run(
            losses=losses,
            accuracies=accuracies,
            shares=(parts[moved] / total[moved, None]).mean(axis=0),
            conflicts=float((self.grams[:, 0, 1] < 0).mean()),
            harms=float((gains.min(axis=1) < 0).mean()),
            disagreements=int((~moved).sum()),
            solve_seconds=self.solve_seconds,
            bargain_seconds=float(self.bargain_seconds.sum()),
            seconds=seconds,
        )
