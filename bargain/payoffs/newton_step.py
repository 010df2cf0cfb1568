r"""One primal-dual step on a program, as in Mehrotra's predictor-corrector method.

With multipliers :math:`p` of the equations and :math:`z` of :math:`x \ge 0` a solution satisfies

.. math:: R x + r \tau = b, \quad R^\top p + z = 0, \quad r^\top p = -1, \quad
          x_j z_j = 0 \text{ or } z_j = w_j x_j^{-a}.

Newton's method on these equations holds the products of the first kind at a common positive number
that falls to zero. For the others and orders above one a step takes, in place of the tangent, the
straight line through two points of the curve: the one of the present slope, and the one of the
present column, as for gradient games (``bargain/interior_step.py``). Eliminating columns and slopes
leaves a system in the prices alone, with the normal matrix.
"""

from math import log
from typing import Any, NamedTuple

from array_api_compat import array_namespace

from bargain.payoffs.point import Point, portions, residual_of
from bargain.payoffs.products import apply, apply_transposed, inner
from bargain.payoffs.program import Factor, Program, factorise, solve_bordered
from bargain.shapes import Array

REFINEMENTS = 2
"""How often the final solution of Newton's equations is corrected by what rounding left of them."""
LAG = 1e-2
"""Products outside the welfare do not fall below this part of how far it is off: if they did, the
boundary would be reached before the solution."""
CHANGE = 1.0
"""The largest rise of the logarithm of a product that one step aims for, at orders below one."""
FARTHEST_OFF, NEAR = 20.0, 1e-9
"""How far off a column counts as being at most, and how far off it is for the order to matter, as
logarithms."""
CLOSEST, FARTHEST = 1e-3, 0.1
"""How much of the way to the boundary a step leaves: by how well the predictor did."""


class Aim(NamedTuple):
    """What a step aims for in the columns that make up the welfare.

    Attributes
    ----------
    asked
        Shape ``(*batch, C)``: which those are.
    power
        Shape ``(*batch, C)``: how fast slopes answer to columns, one for the other columns.
    products
        Shape ``(*batch, C)``: what columns times slopes should be, zero for the other columns.
    """

    asked: Array
    power: Array
    products: Array


def step(program: Program, point: Point, order: float) -> Point:
    """Take a predictor and a corrector step, with one normal matrix."""
    if program.depths is None:
        return _linear_step(program, point)
    return _welfare_step(program, point, order)


def _linear_step(program: Program, point: Point) -> Point:
    xp = array_namespace(point.columns)
    x, z = point.columns, point.slopes
    products = x * z
    factor = factorise(program, x / z)
    residuals = _residuals(program, point)
    move = _direction(program, factor, point, residuals, -products)
    wide, high = _reach(x, move.columns)[..., None], _reach(z, move.slopes)[..., None]
    ahead = (x + wide * move.columns) * (z + high * move.slopes)
    mean = xp.mean(products, axis=-1)
    left = xp.clip(xp.mean(ahead, axis=-1) / mean, 0.0, 1.0)
    aim = (left**3 * mean)[..., None] - products - move.columns * move.slopes
    move = _direction(program, factor, point, residuals, aim, REFINEMENTS)
    keep = 1 - xp.clip(left, CLOSEST, FARTHEST)
    return _moved(point, move, _reach(x, move.columns, keep), _reach(z, move.slopes, keep))


def _welfare_step(program: Program, point: Point, order: float) -> Point:
    xp = array_namespace(point.columns)
    assert program.depths is not None
    point = _normalised(program, point, order)
    x, z = point.columns, point.slopes
    products = x * z
    wanted = portions(program, point, order)
    asked, power, goal = _aim(program, point, wanted, order)
    linear = xp.astype(~asked, x.dtype)
    count = xp.sum(linear, axis=-1)
    mean = inner(products, linear) / count
    factor = factorise(program, x / (power * z))
    residuals = _residuals(program, point)
    rescale = None
    if order != 1.0:
        # All prices times a number would do as well, so the step may choose it.
        none = xp.zeros_like(residuals[0]), xp.zeros_like(z), xp.zeros_like(mean)
        along = xp.where(asked, products, 0.0)
        rescale = _direction(program, factor, point, none, along, REFINEMENTS)

    move = _direction(program, factor, point, residuals, goal - products)
    move = _anchored(asked, point, move, rescale)
    reach = _least(_reach(x, move.columns), _reach(z, move.slopes))
    ahead = (x + reach[..., None] * move.columns) * (z + reach[..., None] * move.slopes)
    left = xp.clip(inner(ahead, linear) / count / mean, 0.0, 1.0)
    left = xp.where(left > 1 - reach, left, 1 - reach) ** 3
    off = xp.sum(xp.abs(products - wanted), axis=-1)
    least = LAG * off / count
    barrier = left * mean
    barrier = xp.where(barrier > least, barrier, least)[..., None]
    # The marginal welfare of low orders, or of small weights, hardly stops a column before zero; a
    # barrier does. High orders stop it themselves, and need no more than a little help.
    lift = barrier if order <= 1 else _least(barrier, goal)
    aim = xp.where(asked, goal + lift, barrier)
    # Where the welfare is concerned the second order of a long step may drive into the boundary.
    bend = move.columns * move.slopes * linear * reach[..., None]
    aim = aim - products - bend
    move = _direction(program, factor, point, residuals, aim, REFINEMENTS)
    move = _anchored(asked, point, move, rescale)
    keep = 1 - xp.clip(left, CLOSEST, FARTHEST)
    length = _least(_reach(x, move.columns, keep), _reach(z, move.slopes, keep))
    return _moved(point, move, length, length)


def _normalised(program: Program, point: Point, order: float) -> Point:
    """Scale all prices so that the welfare's products sum to one, as portions do."""
    if order == 1.0:
        return point
    xp = array_namespace(point.columns)
    assert program.depths is not None
    products = xp.where(program.depths > -xp.inf, point.columns * point.slopes, 0.0)
    total = xp.sum(products, axis=-1)[..., None]
    return point._replace(slopes=point.slopes / total, prices=point.prices / total)


def _aim(program: Program, point: Point, goal: Array, order: float) -> Aim:
    """Linearise the welfare's conditions, each in the form that bends least."""
    xp = array_namespace(point.columns)
    assert program.depths is not None
    asked, ones = program.depths > -xp.inf, xp.ones_like(point.columns)
    if order == 1.0:
        return Aim(asked, ones, goal)
    products = point.columns * point.slopes
    ratio = xp.where(asked, goal, 1.0) / xp.where(asked, products, 1.0)
    least = xp.finfo(ratio.dtype).smallest_normal
    logs = xp.log(xp.where(ratio > least, ratio, least))
    if order > 1:
        # The line through the points of the present slope and of the present column.
        shift = xp.clip(logs, -FARTHEST_OFF, FARTHEST_OFF)
        most = log(float(xp.finfo(logs.dtype).max)) / 4
        rise = xp.expm1(xp.clip(order * shift, -order * FARTHEST_OFF, most))
        close = xp.abs(shift) < NEAR / order
        power = xp.where(close, order, rise / xp.where(close, 1.0, xp.expm1(shift)))
        near = products * (1 + rise)
    else:
        # Columns on their way to zero: as in a linear program.
        falls = asked & (logs < 0)
        near = xp.where(falls, goal, products * (1 + xp.clip(logs, -CHANGE, CHANGE)))
        power = xp.where(falls, 1 - (1 - order) * ratio, order * ones)
    return Aim(asked, xp.where(asked, power, 1.0), xp.where(asked, near, 0.0))


def _residuals(program: Program, point: Point) -> tuple[Any, Any, Any]:
    xp = array_namespace(point.columns)
    balance = xp.zeros_like(point.number)
    if program.free is not None:
        balance = -1 - inner(program.free, point.prices)
    dual = -apply_transposed(program.matrix, point.prices) - point.slopes
    return residual_of(program, point), dual, balance


def _direction(
    program: Program,
    factor: Factor,
    point: Point,
    residuals: tuple[Any, Any, Any],
    products: Array,
    refinements: int = 0,
) -> Point:
    """Solve Newton's equations: these residuals, and this change of the products."""
    primal, dual, balance = residuals
    known = factor.stretch * (dual - products / point.columns)
    prices, number = solve_bordered(program, factor, primal + apply(program.matrix, known), balance)
    slopes = apply_transposed(program.matrix, prices)
    columns = factor.stretch * slopes - known
    for _ in range(refinements):
        # The normal matrix hides small directions behind large ones; what it misses shows here.
        left, unbalanced = primal - apply(program.matrix, columns), balance
        if program.free is not None:
            left = left - program.free * number[..., None]
            unbalanced = balance - inner(program.free, prices)
        more, extra = solve_bordered(program, factor, left, unbalanced)
        change = apply_transposed(program.matrix, more)
        columns, slopes = columns + factor.stretch * change, slopes + change
        prices, number = prices + more, number + extra
    return Point(columns, dual - slopes, prices, number)


def _anchored(asked: Array, point: Point, move: Point, rescale: Point | None) -> Point:
    """Add the rescaling that keeps the sum of the welfare's products."""
    if rescale is None:
        return move
    drift = [_drift(asked, point, way) for way in (move, rescale)]
    part = -drift[0] / drift[1]
    return _moved(move, rescale, part, part)


def _drift(asked: Array, point: Point, move: Point) -> Array:
    xp = array_namespace(point.columns)
    change = point.columns * move.slopes + point.slopes * move.columns
    return xp.sum(xp.where(asked, change, 0.0), axis=-1)


def _moved(point: Point, move: Point, primal: Array, dual: Array) -> Point:
    return Point(
        columns=point.columns + primal[..., None] * move.columns,
        slopes=point.slopes + dual[..., None] * move.slopes,
        prices=point.prices + dual[..., None] * move.prices,
        number=point.number + primal * move.number,
    )


def _reach(values: Array, moves: Array, keep: Any = 1.0) -> Any:
    """Return the longest step, one at most, that leaves everything positive."""
    xp = array_namespace(values)
    drop = xp.max(-moves / values, axis=-1)
    return xp.where(drop > keep, keep / xp.where(drop > 0, drop, 1.0), 1.0)


def _least(left: Array, right: Array) -> Array:
    return array_namespace(left).where(left < right, left, right)
