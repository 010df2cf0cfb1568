"""Others' ways to the Nash solution, each set up as fast as we know how.

A peer is made once for a number of players and then called with one Gram matrix after the other;
it returns coefficients. What can be prepared without the matrix is, and is not timed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Solver = Callable[[np.ndarray], np.ndarray]


def square_root(gram: np.ndarray) -> np.ndarray:
    """Return L with L L^T = gram, by Cholesky's method where it works."""
    try:
        return np.linalg.cholesky(gram)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(gram)
        return vectors * np.sqrt(np.maximum(values, 0.0))


class Clarabel:
    """CVXPY with Clarabel on a problem compiled once (disciplined parametrised programming).

    Three forms of the same problem; none is the fastest for every number of players. The matrix
    is scaled to unit gradients first, which the conic solver needs to be exact and gets for free.
    """

    FORMS = ("coefficients", "update", "ball")

    def __init__(self, players: int, form: str):
        import cvxpy

        self.factor = cvxpy.Parameter((players, players))
        self.unknown = cvxpy.Variable(players)
        self.form = form
        if form == "coefficients":
            logarithms = cvxpy.sum(cvxpy.log(self.unknown))
            square = 0.5 * cvxpy.sum_squares(self.factor.T @ self.unknown)
            self.problem = cvxpy.Problem(cvxpy.Minimize(square - logarithms))
        else:
            logarithms = cvxpy.sum(cvxpy.log(self.factor @ self.unknown))
            if form == "update":
                square = 0.5 * cvxpy.sum_squares(self.unknown)
                self.problem = cvxpy.Problem(cvxpy.Minimize(square - logarithms))
            else:
                ball: Any = cvxpy.norm(self.unknown) <= 1
                self.problem = cvxpy.Problem(cvxpy.Maximize(logarithms), [ball])
        if not self.problem.is_dpp():
            raise AssertionError(f"the form {form} would be compiled at every call")
        self(np.eye(players) + 0.1)

    def __call__(self, gram: np.ndarray) -> np.ndarray:
        norms = np.sqrt(np.diagonal(gram))
        self.factor.value = square_root(gram / norms / norms[:, None])
        self.problem.solve(solver="CLARABEL")
        found = self.unknown.value
        if found is None:
            raise ArithmeticError(self.problem.status)
        return (found if self.form == "coefficients" else 1 / (self.factor.value @ found)) / norms


class NashMTL:
    """The weighting of ``torchjd.aggregation.NashMTL``, the papers' published solver.

    It wants gradients; it gets the smallest matrix that has the same inner products. Cold, it
    forgets the game before; warm, it starts from its answer, as in training.
    """

    def __init__(self, players: int, warm: bool):
        import torch
        from torchjd.aggregation import NashMTL as Aggregator

        torch.set_num_threads(1)
        self.tensor = torch.from_numpy
        self.weighting = Aggregator(players, max_norm=0.0).weighting
        self.warm = warm
        self(np.eye(players) + 0.1)
        self.weighting.reset()

    def __call__(self, gram: np.ndarray) -> np.ndarray:
        if not self.warm:
            self.weighting.reset()
        return self.weighting(self.tensor(square_root(gram))).numpy()


class LeastSquares:
    """``scipy.optimize.least_squares`` on M a = 1 / a, called as FairGrad calls it."""

    def __init__(self, players: int, cosines: bool):
        self.start = np.ones(players) / players
        self.cosines = cosines

    def __call__(self, gram: np.ndarray) -> np.ndarray:
        from scipy.optimize import least_squares

        norms = np.sqrt(np.diagonal(gram)) if self.cosines else np.ones(len(gram))
        matrix = gram / norms / norms[:, None]
        found = least_squares(lambda a: matrix @ a - 1 / a, self.start, bounds=(0, np.inf))
        return found.x / norms
