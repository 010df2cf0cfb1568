"""One game in double precision without anything special, read with as few calls as possible."""

from math import inf
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs

from bargain.canonical import SMALLEST_SAY, resolution_of, symmetry_tolerance
from bargain.validation import SLACK

Vector = np.ndarray[Any, np.dtype[np.float64]]
Matrix = np.ndarray[Any, np.dtype[np.float64]]

LEAST = SMALLEST_SAY * float(np.finfo(np.float64).smallest_normal)

# BLAS's sums take a fraction of the time of NumPy's reductions.
(dasum,) = get_blas_funcs(("asum",), dtype=np.float64)
(dpotrf,) = get_lapack_funcs(("potrf",), dtype=np.float64)


class PlainGame(NamedTuple):
    """One valid game in double precision without anything special.

    Attributes
    ----------
    cosines, magnitudes
        Shape ``(K, K)``, in LAPACK's order: the cosines and their absolute values.
    weights, mean
        Shape ``(K)`` and a number: the weights divided by their mean, and that.
    norms
        Shape ``(K)``: the gradients' norms.
    radius, resolution
        See :class:`bargain.canonical.Frame` and :class:`bargain.canonical.CanonicalGame`.
    """

    cosines: Matrix
    magnitudes: Matrix
    weights: Vector
    mean: float
    norms: Vector
    radius: float
    resolution: float


def plain_game(game: Any, precision: float) -> PlainGame | None:
    """Return a game in canonical form if it is plain and valid, else None."""
    gram, weights = game.gram, game.weights
    if (
        gram.ndim != 2
        or gram.dtype != np.float64
        or game.disagreement is not None
        or game.active is not None
        or type(game.radius) is not float
        or not 0 < game.radius < inf
        or (weights is not None and weights.dtype != np.float64)
    ):
        return None
    squares = gram.diagonal()
    if not all(0 < square < inf for square in squares.tolist()):
        return None
    norms = np.sqrt(squares)
    matrices = _cosines(gram, norms, precision)
    if matrices is None:
        return None
    cosines, magnitudes = matrices
    if weights is None:
        weights, mean = np.ones(len(norms)), 1.0
    else:
        scaled = of_mean_one(weights)
        if scaled is None:
            return None
        weights, mean = scaled
    resolution = resolution_of(precision, len(norms))
    return PlainGame(cosines, magnitudes, weights, mean, norms, game.radius, resolution)


def of_mean_one(weights: Vector) -> tuple[Vector, float] | None:
    """Return weights divided by their mean, and that; None if the core has to look at any."""
    values = weights.tolist()
    largest = max(values)
    least = largest * LEAST * len(values)
    if not all(least < value < inf for value in values):
        return None
    weights = weights / largest
    mean = dasum(weights) / len(weights)
    return weights / mean, mean * largest


def _cosines(gram: Matrix, norms: Vector, precision: float) -> tuple[Matrix, Matrix] | None:
    """Return the cosines of a valid Gram matrix and their magnitudes; None for any other."""
    tol = symmetry_tolerance(precision)
    inverse = 1 / norms
    with np.errstate(over="ignore"):
        cosines = gram * inverse
        cosines *= inverse[:, None]
    difference = cosines - cosines.T
    # NaN is not zero, and comparisons with it are false, so that NaN and infinity end here.
    if dasum(difference.ravel()) != 0:
        if not difference.max() <= tol:
            return None
        cosines = (cosines + cosines.T) / 2
    players = len(norms)
    # A symmetric matrix is its transpose, which is in LAPACK's order already.
    cosines = cosines.T
    cosines.T.flat[:: players + 1] = 1 + SLACK * players * precision
    # Where this succeeds no cosine is longer than the diagonal.
    if dpotrf(cosines)[1] != 0:
        return None
    cosines.T.flat[:: players + 1] = 1.0
    return cosines, np.abs(cosines)
