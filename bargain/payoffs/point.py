"""The iterates of the interior point method, and what they miss."""

from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.payoffs.products import apply
from bargain.payoffs.program import Program
from bargain.shapes import Array


class Point(NamedTuple):
    """An iterate.

    Attributes
    ----------
    columns, slopes
        Shape ``(*batch, C)``, positive: the columns, and the multipliers of their signs.
    prices
        Shape ``(*batch, M)``: the multipliers of the equations.
    number
        Shape ``(*batch)``: the free number.
    """

    columns: Array
    slopes: Array
    prices: Array
    number: Array


def residual_of(program: Program, point: Point) -> Array:
    """Return by how much a point misses the equations."""
    residual = program.rhs - apply(program.matrix, point.columns)
    if program.free is None:
        return residual
    return residual - program.free * point.number[..., None]


def portions(program: Program, point: Point, order: float) -> Array:
    """Return what columns times slopes are at the solution, up to a factor; they sum to one.

    Below order one by the columns, above it by the slopes: high powers of columns are nowhere near
    what they are at the solution until the last digits are right.
    """
    xp = array_namespace(point.columns)
    assert program.depths is not None
    if order == 1.0:
        return xp.exp(program.depths)  # which sum to one, as weights do
    asked = program.depths > -xp.inf
    if order > 1:
        slopes = xp.log(xp.where(asked, point.slopes, 1.0))
        depths = program.depths / order + (1 - 1 / order) * slopes
    else:
        depths = program.depths + (1 - order) * xp.log(xp.where(asked, point.columns, 1.0))
    parts = xp.exp(depths - xp.max(depths, axis=-1)[..., None])
    return parts / xp.sum(parts, axis=-1)[..., None]
