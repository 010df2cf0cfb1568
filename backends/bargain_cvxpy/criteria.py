"""What each solution of the core maximises over a convex set, and the prices that support it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, get_args

import cvxpy
import numpy as np

from bargain.shapes import Float
from bargain.solutions import AlphaFair, Egalitarian, KalaiSmorodinsky, Nash, Solution, Utilitarian
from bargain_cvxpy.table import Table

NumpyArray = np.ndarray[Any, Any]
SMALLEST = float(np.finfo(np.float64).smallest_normal)


def checked_solution(solution: Any) -> Solution:
    """Return a solution of the core that a convex game has, or say what is wrong."""
    if not isinstance(solution, get_args(Solution)):
        *names, last = (kind.__name__ for kind in get_args(Solution))
        raise TypeError(
            f"solution: expected bargain.{', '.join(names)} or {last}, found {solution!r}; make "
            f"one, as in bargain.Nash()"
        )
    if getattr(solution, "leximin", False):
        raise NotImplementedError(
            f"leximin: expected False in a convex game, found {solution}; ask for "
            f"{type(solution).__name__}(), or state the game as a PayoffGame or a PolytopeGame"
        )
    return solution


class Criterion(NamedTuple):
    """What a solution maximises, and the prices that support what it finds.

    Attributes
    ----------
    objective : cvxpy.Expression
        Concave.
    constraints : sequence of cvxpy.Constraint
        What the objective needs besides the agreement set.
    support : callable
        From the gains, shape ``(N,)``, of a solved problem to the prices, shape ``(N,)``, and the
        level that the best point is worth at least, and at most if the outcome is right.
    least : float, optional
        The gain without which nobody would agree; None where nobody is asked.
    """

    objective: cvxpy.Expression
    constraints: Sequence[cvxpy.Constraint]
    support: Callable[[Float[NumpyArray, " N"]], tuple[Float[NumpyArray, " N"], float]]
    least: float | None = 0.0


def welfare(table: Table, order: float) -> Criterion:
    """Return the weighted welfare of a positive order; Nash's is of order one."""
    weights, total = table.weights, float(table.weights.sum())
    # Ask first: solvers follow logarithms far out and call it optimal.
    table.worth(np.ones(len(weights)), 0.0)
    gains = cvxpy.Variable(len(weights))
    utility = cvxpy.log(gains) if order == 1 else cvxpy.power(gains, 1 - order) / (1 - order)

    def support(gains: Float[NumpyArray, " N"]) -> tuple[Float[NumpyArray, " N"], float]:
        # A gain that is not positive gets a price that no certificate accepts.
        gains = np.maximum(gains / gains.max(), SMALLEST) * gains.max()
        slopes = weights * (gains / gains.max()) ** -order
        return slopes * (total / (slopes @ gains)), total

    return Criterion(weights @ utility, [gains <= table.surplus], support)


def fair_division(table: Table, claims: Float[NumpyArray, " N"]) -> Criterion:
    """Return the smallest gain in units of the players' claims."""
    level, total = cvxpy.Variable(), float(table.weights.sum())
    enough = table.surplus >= level * claims

    def support(gains: Float[NumpyArray, " N"]) -> tuple[Float[NumpyArray, " N"], float]:
        prices = np.maximum(enough.dual_value, 0)
        least = max(float(np.min(gains / claims)), SMALLEST)
        return prices * (total / (prices @ claims * least)), total

    return Criterion(level, [enough], support)


def weighted_sum(table: Table) -> Criterion:
    """Return the sum of gains; the weights are its prices."""
    weights = table.weights

    def support(gains: Float[NumpyArray, " N"]) -> tuple[Float[NumpyArray, " N"], float]:
        return weights, float(weights @ gains)

    return Criterion(weights @ table.surplus, [], support, least=None)


def best_gains(table: Table) -> Float[NumpyArray, " N"]:
    """Return the most that each player can gain where nobody loses."""
    best = np.empty(len(table.weights))
    for player in range(len(best)):
        table.maximise(table.surplus[player], [table.surplus >= 0])
        best[player] = table.gains()[player]
    return best


def criterion_of(table: Table, solution: Solution) -> Criterion:
    """Return what a solution maximises among these players."""
    match solution:
        case Nash():
            return welfare(table, 1.0)
        case AlphaFair(alpha):
            return welfare(table, alpha)
        case KalaiSmorodinsky():
            return fair_division(table, best_gains(table))
        case Egalitarian():
            return fair_division(table, table.weights)
        case Utilitarian():
            return weighted_sum(table)
