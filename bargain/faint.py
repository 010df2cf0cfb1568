"""Gradients that are too short for the type in which their inner products were taken."""

from sys import float_info

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.shapes import Array, Float

FAINT = 1e-35
"""Squares of lengths in float32 that count as zero: those of its smallest numbers are denormal."""


def without_faint(gram: Float[Array, "*batch K K"], precision: float, /) -> Float[Array, "..."]:
    """Return the matrix with zeros for gradients whose squares have lost their digits.

    What is left of such a square may be less than its products with others allow, and then the
    matrix is none of Gram's.

    Parameters
    ----------
    gram
        Shape ``(*batch, K, K)``: inner products, on the way from gradients to a game.
    precision
        The relative precision in which they were taken.
    """
    if precision <= float_info.epsilon:
        return gram
    xp = array_namespace(gram)
    faint = xp.linalg.diagonal(gram) < FAINT
    if backend_for(gram).concrete(faint) and not bool(xp.any(faint)):
        return gram
    return xp.where(faint[..., :, None] | faint[..., None, :], 0.0, gram)
