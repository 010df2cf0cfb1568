"""The two payoff matrices of a game of two players: what they have to be."""

from typing import Any

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.payoffs.checks import check_table, companion, require_array
from bargain.shapes import Array

REMEDY = "give one row for each strategy of the first player, one column for each of the second"


def check_matrix(name: str, matrix: Any) -> None:
    """Raise unless this is a payoff matrix, or a batch of them."""
    require_array(name, matrix)
    check_table(name, matrix, REMEDY)


def check_matrices(first: Any, second: Any) -> Array:
    """Return the second of two payoff matrices as an array; raise unless they are of one game."""
    check_matrix("first", first)
    second = companion("second", second, tuple(first.shape), "first", first)
    if second is None or tuple(second.shape) != tuple(first.shape):
        raise ValueError(
            f"second: expected a matrix of the shape of first, {tuple(first.shape)}, found "
            f"{None if second is None else tuple(second.shape)}; {REMEDY}"
        )
    xp = array_namespace(first)
    for name, table in (("first", first), ("second", second)):
        finite = xp.all(xp.isfinite(table))
        if table.ndim == 2 and backend_for(table).concrete(finite) and not bool(finite):
            raise ValueError(
                f"{name}: expected finite payoffs, found NaN or infinity; replace them"
            )
    return second
