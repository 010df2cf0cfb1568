"""A fast way through single games in which some have no say.

Where weights are learned, tasks that do harm end with the weight zero, and then every game of the
training is such a game. Those who have a say play among themselves, as plain games are played; the
others only learn what comes of it for them.
"""

from math import sqrt
from typing import Any

import numpy as np

from bargain.newton import Newton
from bargain.outcome import Outcome
from bargain.solutions import Nash
from bargain_numpy.plain_game import PlainGame, Vector, of_mean_one, plain_game
from bargain_numpy.single_game import settle


def solve_silent(
    game: Any, solution: Any, solver: Any, /, *, start: Any, max_steps: int, precision: float
) -> Outcome | None:
    """Solve a game that is plain but for weights of zero, or return None to leave it to the core.

    All rows have to be valid, the silent players' as well, and their number counts for what is
    too short to tell from zero: as in the core.
    """
    weights = game.weights
    if type(solution) is not Nash or type(solver) is not Newton or weights is None:
        return None
    if weights.ndim != 1 or weights.dtype != np.float64 or weights.min() != 0:
        return None
    if start is not None and getattr(start, "shape", None) != weights.shape:
        return None
    heard = np.flatnonzero(weights)
    everybody = plain_game(game._replace(weights=None), precision)
    scaled = of_mean_one(weights[heard]) if len(heard) else None
    if everybody is None or scaled is None:
        return None
    square = np.ix_(heard, heard)
    among = everybody._replace(
        cosines=np.asfortranarray(everybody.cosines[square]),
        magnitudes=np.asfortranarray(everybody.magnitudes[square]),
        weights=scaled[0],
        mean=scaled[1],
        norms=everybody.norms[heard],
    )
    found = settle(among, solver, None if start is None else start[heard], max_steps)
    return None if found is None else _told_all(found, everybody, heard)


def _told_all(found: Outcome, everybody: PlainGame, heard: Any) -> Outcome:
    """Return the outcome for all players: the silent ones gain or lose, and have no share."""

    def spread(values: Any) -> Vector:
        whole = np.zeros(len(everybody.norms))
        whole[heard] = values
        return whole

    coefficients, utilities = spread(found.coefficients), spread(found.utilities)
    point = coefficients * everybody.norms
    product = everybody.cosines @ point
    power = float(point @ product)
    if power > 0:  # zero where they disagree
        gains = product * everybody.norms * (everybody.radius / sqrt(power))
        utilities = np.where(coefficients > 0, utilities, gains)
    return found._replace(
        coefficients=coefficients,
        utilities=utilities,
        shares=spread(found.shares),
        certificate=found.certificate._replace(
            multipliers=spread(found.certificate.multipliers),
            stationary=spread(found.certificate.stationary),
        ),
    )
