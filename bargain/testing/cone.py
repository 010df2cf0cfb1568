"""The geometry of gradients: their cosines, and mixtures of them with chances of at least zero."""

from typing import Any, cast

import numpy as np
from scipy.optimize import (  # pyright: ignore[reportMissingTypeStubs]
    nnls,  # pyright: ignore[reportUnknownVariableType]
)

from bargain.games import GradientGame
from bargain.shapes import Array
from bargain.testing.loss_games import gradients_of


def gram_of(game: Any) -> Array:
    """Return the Gram matrix of a game or of plain gradients, shape ``(K, K)``."""
    if isinstance(game, GradientGame):
        return np.asarray(game.gram, float)
    rows = gradients_of(game)
    return rows @ rows.T


def cosines_of(game: Any) -> Array:
    """Return the cosines between the gradients, shape ``(K, K)``."""
    gram = gram_of(game)
    lengths = np.sqrt(np.diagonal(gram))
    divisors = np.where(lengths > 0, lengths, 1.0)
    return gram / divisors[:, None] / divisors


def rows_of(gram: Array) -> Array:
    """Return gradients, one a row, that have this Gram matrix."""
    values, vectors = np.linalg.eigh(gram)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def margin_of(game: Any) -> float:
    """Return the length of the shortest convex combination of the unit gradients."""
    rows = rows_of(cosines_of(game))
    count = len(rows)
    # Whatever the scale of a mixture, it is shortest where its sum is nearest to one.
    mixture, _ = nearest_mixture(np.hstack([rows, np.ones((count, 1))]), np.eye(count + 1)[-1])
    return float(np.linalg.norm(mixture @ rows) / np.sum(mixture))


def nearest_mixture(rows: Array, point: Array) -> tuple[Array, float]:
    """Return the coefficients, at least zero, of the point of a cone nearest to a point.

    Parameters
    ----------
    rows : Array
        Shape ``(K, P)``: what spans the cone.
    point : Array
        Shape ``(P,)``.

    Returns
    -------
    tuple of Array and float
        The coefficients, shape ``(K,)``, and the distance.
    """
    found = cast(Any, nnls(rows.T, point))
    return found[0], float(found[1])
