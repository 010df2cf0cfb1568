"""What makes a convex game: concave utilities, convex constraints, one number for each player."""

from collections.abc import Iterable
from typing import Any

import cvxpy
import numpy as np


def checked_list(name: str, values: Any) -> list[Any]:
    """Return several expressions or constraints as a list, or raise where it is a single one."""
    single = isinstance(values, cvxpy.Expression) and values.ndim == 0  # iterable, says Python
    if single or isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name}: expected a list, found {type(values).__name__}; write brackets around it, as "
            f"in {name}=[...]"
        )
    return list(values)


def checked_utility(player: int, utility: Any) -> cvxpy.Expression:
    """Return one player's utility as a scalar expression, or raise unless it is concave."""
    if not isinstance(utility, cvxpy.Expression):
        raise TypeError(
            f"utilities[{player}]: expected a CVXPY expression, found {type(utility).__name__}; "
            f"give one for each player"
        )
    if utility.size != 1:
        raise ValueError(
            f"utilities[{player}]: expected a scalar, found shape {utility.shape}; give one "
            f"expression for each player"
        )
    if not (utility.is_real() and utility.is_concave()):
        raise ValueError(
            f"utilities[{player}]: expected a concave expression, found one that CVXPY's rules "
            f"call {utility.curvature.lower()}; write it with concave functions, see "
            f"https://dcp.stanford.edu"
        )
    return cvxpy.reshape(utility, (), order="C")


def checked_constraint(place: int, constraint: Any) -> cvxpy.Constraint:
    """Return the constraint, or raise unless it is convex."""
    if not isinstance(constraint, cvxpy.Constraint):
        raise TypeError(
            f"constraints[{place}]: expected a CVXPY constraint, found "
            f"{type(constraint).__name__}; compare expressions, as in cvxpy.sum(x) <= 1"
        )
    if not constraint.is_dcp():
        raise ValueError(
            f"constraints[{place}]: expected a convex constraint, found {constraint}, which is not "
            f"convex by CVXPY's rules; see https://dcp.stanford.edu"
        )
    return constraint


def checked_numbers(name: str, values: Any, default: float, players: int) -> np.ndarray[Any, Any]:
    """Return one finite number for each player, or raise."""
    numbers = np.full(players, default) if values is None else np.array(values, dtype=np.float64)
    if numbers.shape != (players,) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{name}: expected {players} finite numbers, one for each utility, found {values}"
        )
    return numbers


def checked_weights(values: Any, players: int) -> np.ndarray[Any, Any]:
    """Return the bargaining weights, all one where none are given, or raise."""
    weights = checked_numbers("weights", values, 1.0, players)
    if weights.min() < 0 or weights.max() == 0:
        raise ValueError(
            f"weights: expected numbers of at least zero, not all zero, found {weights}; zero "
            f"means that a player has no say"
        )
    return weights


def check_leaves(problem: cvxpy.Problem) -> None:
    """Raise where a variable takes integers only or a parameter has no value."""
    if problem.is_mixed_integer():
        raise ValueError(
            "constraints: expected a convex set, found variables that take integers only; relax "
            "them, or bargain over lotteries"
        )
    for parameter in problem.parameters():
        if parameter.value is None:
            raise ValueError(
                f"{parameter.name()}: expected a parameter with a value, found none; set its value"
            )
