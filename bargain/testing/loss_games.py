"""Games of gradients whose players have losses, now and before: what loss weightings see."""

from typing import Any, NamedTuple

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from bargain.shapes import Array
from bargain.testing.gradient_games import PLAYERS, gradient_tables


class LossGame(NamedTuple):
    """Gradients, and the losses that they are of. A player's losses share the unit of his gradient.

    Parameters
    ----------
    gradients : Array
        Shape ``(K, P)``, in u: a row for each player.
    losses : Array
        Shape ``(K,)``, in u, positive: what the players have lost where the gradients are taken.
    before : Array
        Shape ``(K,)``, in u, positive: what they had lost the time before, which methods remember.

    Examples
    --------
    >>> import numpy as np
    >>> from bargain.testing import LossGame
    >>> game = LossGame(np.eye(2), np.asarray([1.0, 4.0]), np.asarray([2.0, 4.0]))
    >>> game.losses @ game.gradients
    array([1., 4.])
    """

    gradients: Array
    losses: Array
    before: Array


def gradients_of(game: Any) -> Array:
    """Return the gradients of a game with losses, or plain gradients as they are."""
    return game.gradients if isinstance(game, LossGame) else game


def loss_games(players: tuple[int, int] = PLAYERS) -> SearchStrategy[LossGame]:
    """Draw games of such gradients as ``gradient_tables`` draws, with small whole losses.

    Parameters
    ----------
    players : tuple of int
        The fewest and the most.

    Returns
    -------
    SearchStrategy
        Of games.

    Examples
    --------
    >>> from bargain import baselines
    >>> from bargain.testing import axioms, check_axioms, loss_games
    >>> def si(game):
    ...     return baselines.si(game.losses) @ game.gradients
    >>> wanted = [axioms.gradient_covariance, axioms.non_conflict]
    >>> report = check_axioms(si, wanted, loss_games(), examples=60)
    >>> [verdict.holds for verdict in report.verdicts]
    [True, False]
    """
    losses = st.lists(st.integers(1, 9), min_size=players[1], max_size=players[1])

    def play(rows: Array, losses: Any, before: Any) -> LossGame:
        numbers = (np.asarray(some[: len(rows)], dtype=float) for some in (losses, before))
        return LossGame(rows, *numbers)

    return st.builds(play, gradient_tables(players), losses, losses)
