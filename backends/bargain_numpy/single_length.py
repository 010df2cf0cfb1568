"""A fast way to give a single update another length.

A training does this once a step, after it has solved the game, so it should not take longer than
that. Like the fast ways through games it leaves whatever is not plain to the core.
"""

from math import inf, sqrt
from typing import Any

import numpy as np
from scipy.linalg.blas import idamax  # pyright: ignore[reportAttributeAccessIssue]

from bargain_numpy.plain_game import PlainGame, Vector, plain_game
from bargain_numpy.single_game import ddot, dsymv


def rescale_single(
    coefficients: Any, game: Any, length: str, *, maximum: float | None, precision: float
) -> Vector | None:
    """Do what :func:`bargain.rescale` does for one plain game, or return None for the core."""
    if length == "min-norm" or coefficients.dtype != np.float64:
        return None
    plain = plain_game(game, precision)
    if plain is None:
        return None
    point = coefficients * plain.norms
    largest = abs(float(point[idamax(point)]))
    if not 0 < largest < inf:
        return None
    point /= largest
    present = _norm(plain, point)
    if not 0 < present < inf:
        return None
    wanted = _wanted(plain, length)
    if maximum is not None:
        wanted = min(wanted, maximum)
    point /= plain.norms
    point *= wanted / present
    return point


def _wanted(plain: PlainGame, length: str) -> float:
    players = len(plain.norms)
    if length == "natural":
        return sqrt(plain.mean * players)
    if length == "radius":
        return plain.radius
    if length == "unit":
        return 1.0
    largest = float(plain.norms[idamax(plain.norms)])
    total = _norm(plain, plain.norms / largest) * largest
    return total / players if length == "mean" else total


def _norm(plain: PlainGame, point: Vector) -> float:
    """Return the norm of a combination of unit gradients."""
    return sqrt(max(ddot(point, dsymv(1.0, plain.cosines, point)), 0.0))
