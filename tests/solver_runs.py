"""Solvers run by hand, state by state, as the driver runs them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from bargain import Nash
from bargain.canonical import CanonicalGame, canonicalise
from tests.libraries import game_of

EPSILON = float(np.finfo(float).eps)


def canonical_game(case: Any, weights: Any = None) -> CanonicalGame:
    """Bring a case into the form that solvers read."""
    game = game_of(case)
    if weights is not None:
        game = game._replace(weights=weights)
    return canonicalise(game, precision=EPSILON)[0]


def states_of(solver: Any, game: CanonicalGame, most: int = 60, start: Any = None) -> Iterator[Any]:
    """Yield the states of a run until it is done."""
    state = solver.init(game, Nash(), start)
    yield state
    for _ in range(most):
        if bool(solver.done(game, Nash(), state)):
            return
        state = solver.step(game, Nash(), state)
        yield state


def nash_objective(game: CanonicalGame, point: np.ndarray) -> float:
    """The strictly convex function that the Nash solution minimises, for one game in NumPy."""
    return float(point @ game.cosines @ point / 2 - game.weights @ np.log(point))


def rounding_of(game: CanonicalGame, point: np.ndarray) -> float:
    """How far two values of the objective may lie apart through rounding alone."""
    size = point @ np.abs(game.cosines) @ point + game.weights @ np.abs(np.log(point))
    return 8 * len(point) * EPSILON * float(size)
