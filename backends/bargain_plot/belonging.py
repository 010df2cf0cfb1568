"""Whether an outcome that a caller gives is one of the game that he gives."""

from typing import Any

import numpy as np

import bargain
from bargain.payoffs import PolytopeGame
from bargain_plot.arrays import as_numpy

DOUBLE, SINGLE = 1e-6, 1e-3
"""How far utilities may be from what is agreed, relative to what rounding errors scale with."""
BASES = ("coefficients", "allocation")
"""What utilities follow from: in gradient games, and in games over payoffs."""


def check_belongs(game: Any, outcome: Any, label: str, here: np.ndarray) -> None:
    """Raise unless the utilities of an agreement are those that this game gives it.

    An outcome that does not say what is agreed, such as one of a convex game, passes.

    Parameters
    ----------
    game : GradientGame, PayoffGame, FiniteGame or PolytopeGame
        The game of the players who are there, with arrays of NumPy.
    outcome : Outcome, PayoffOutcome or ConvexOutcome
        The outcome, with arrays of any library.
    label : str
        What it is called.
    here : np.ndarray
        Which of the outcome's players are there.

    Raises
    ------
    ValueError
        It is an outcome of another game.
    """
    wanted = BASES[0 if isinstance(game, bargain.GradientGame) else 1]
    status = bargain.Status(int(as_numpy(outcome.status)))
    if status not in (bargain.Status.AGREEMENT, bargain.Status.MAX_STEPS):
        return
    bases = [name for name in BASES if hasattr(outcome, name)]
    if not bases:
        return
    if wanted in bases and _fits(game, outcome, here):
        return
    raise ValueError(
        f"solutions: expected an outcome of this game, found {label!r} with utilities that do not "
        f"follow from its {bases[0]} here; solve this game, or draw the one that it is of"
    )


def _fits(game: Any, outcome: Any, here: np.ndarray) -> bool:
    """Whether the utilities follow, in this game, from what is agreed."""
    utilities = as_numpy(outcome.utilities)[here]
    if isinstance(game, bargain.GradientGame):
        table, basis, offset = game.gram, as_numpy(outcome.coefficients)[here], 0.0
        norms = np.sqrt(np.diagonal(table).astype(float))
        size = norms * (norms @ np.abs(basis))
    else:
        table, basis, offset = _linear(game), as_numpy(outcome.allocation), _offset(game)
        if basis.shape != table.shape[1:]:
            return False
        size = np.abs(table) @ np.abs(basis) + np.abs(offset)
    theirs, ours = utilities.astype(float), table.astype(float) @ basis + offset
    if isinstance(game, bargain.GradientGame) and game.disagreement is None:
        # Only the direction is decided; the utilities are those of an update as long as the radius.
        theirs = theirs * np.sqrt(max(basis @ ours, 0.0)) / float(game.radius)
    kinds = {utilities.dtype, basis.dtype, table.dtype}
    tolerance = DOUBLE if kinds == {np.dtype(np.float64)} else SINGLE
    return bool((np.abs(theirs - ours) <= tolerance * size).all())


def _linear(game: Any) -> np.ndarray:
    """Return what a unit of each part of an allocation gives each player, shape ``(K, N)``."""
    return game.utilities if isinstance(game, PolytopeGame) else game.payoffs.T


def _offset(game: Any) -> Any:
    offset = game.offset if isinstance(game, PolytopeGame) else None
    return 0.0 if offset is None else offset
