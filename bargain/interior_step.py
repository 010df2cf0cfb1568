r"""One primal-dual Newton step, towards the Nash or an α-fair solution.

Prices and surpluses shall satisfy :math:`b_i = v_i s_i^{-a}`. Of the two points of that curve that
share the price or the surplus of the iterate, a step takes the straight line through both:

.. math:: b + db = \hat b - \kappa\, ds, \qquad \hat b = v s^{-a}, \quad \hat s = (v / b)^{1/a},
          \quad \kappa = \frac{b - \hat b}{s - \hat s}.

For :math:`a = 1` that is Newton's line for :math:`b s = v`; for other powers it does not shoot past
as tangents do. At the solution it is the tangent.
"""

from typing import NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame
from bargain.evidence import ROUNDING
from bargain.factor import multiply, norm
from bargain.fair_shares import exponential
from bargain.fair_surplus import log_sum
from bargain.shapes import Array, Float

LEAST_PRESSURE = 1e-14
"""Pressure of the radius, relative to the worth, under which the radius counts as not binding."""
FARTHEST = 20.0
"""How far off its curve, as a logarithm in units of the larger of the powers 1 and a, an iterate
counts as being at most."""
CLOSEST = 1e-9
"""An iterate less far off than this counts as being on it."""
STIFFEST = 1e7
"""Larger curvatures, in units of the squared sum of prices over what they are worth, come in by
refinement only: beside them the others would lose their digits."""
REFINEMENTS = 2
"""How often a step is corrected by what its equations still miss."""


class Line(NamedTuple):
    """The prices wanted for a change of the surplus: ``aim - curvature * change``.

    Attributes
    ----------
    aim, curvature
        Shape ``(*batch, K)``, positive.
    """

    aim: Float[Array, "*batch K"]
    curvature: Float[Array, "*batch K"]


class Iterate(NamedTuple):
    """A primal-dual iterate, or the change of one.

    Attributes
    ----------
    update, surplus, point
        Shape ``(*batch, K)``: see :class:`bargain.interior_point.InteriorPointState`.
    pressure
        Shape ``(*batch)``.
    """

    update: Float[Array, "*batch K"]
    surplus: Float[Array, "*batch K"]
    point: Float[Array, "*batch K"]
    pressure: Float[Array, "*batch"]


class System(NamedTuple):
    """Newton's matrix ``F^T diag(curvature) F + pressure I``, scaled to a unit diagonal.

    Where prices may rescale, what a step makes of all prices in proportion belongs to it.

    Attributes
    ----------
    matrix, scale
        Shapes ``(*batch, K, K)`` and ``(*batch, K)``.
    response, drag, stiffness
        Shapes ``(*batch, K)``, ``(*batch, K)`` and ``(*batch)``; or None.
    """

    matrix: Float[Array, "*batch K K"]
    scale: Float[Array, "*batch K"]
    response: Array = None
    drag: Array = None
    stiffness: Array = None

    def plain(self, rhs: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
        """Solve with the matrix alone."""
        return self.scale * backend_for(rhs).solve_spd(self.matrix, self.scale * rhs)

    def solve(
        self, rhs: Float[Array, "*batch K"], excess: Array | float = 0.0
    ) -> tuple[Array, Array]:
        """Solve, and say by which part all prices rescale; none of them where they may not."""
        xp = array_namespace(rhs)
        found = self.plain(rhs)
        if self.response is None:
            return found, xp.zeros_like(rhs[..., 0])
        part = (xp.sum(self.drag * found, axis=-1) + excess) / self.stiffness
        return found + part[..., None] * self.response, part


def newton_move(
    game: CanonicalGame,
    factor: Float[Array, "*batch K K"],
    iterate: Iterate,
    worth: Float[Array, "*batch"],
    order: Float[Array, "*batch 1"] | None,
) -> Iterate:
    """Solve Newton's equations; the pressure moves as trust-region methods let it.

    Parameters
    ----------
    game
        The canonical game, with a disagreement point.
    factor
        Shape ``(*batch, K, K)``: the unit gradients, in coordinates of their span.
    iterate
        Where to move from.
    worth
        Shape ``(*batch)``: what the prices are worth at the solution.
    order
        Shape ``(*batch, 1)``: the order of fairness; or None for the Nash solution.
    """
    xp = array_namespace(iterate.point)
    update, surplus, point, pressure = iterate
    transposed, press = xp.matrix_transpose(factor), pressure[..., None]
    lack = multiply(factor, update) - game.disagreement - surplus
    if order is None:
        line = soft = Line(game.weights / surplus, point / surplus)
    else:
        line = fair_line(game, order, surplus, point)
        soft = _softened(game, surplus, point, line)
    system = _system(game, factor, iterate, soft, order)
    force = multiply(transposed, soft.aim - soft.curvature * lack)
    excess = surplus * (point - soft.aim) + (surplus * soft.curvature - point) * lack
    excess = xp.sum(xp.where(game.inside, excess, 0.0), axis=-1)
    move, part = system.solve(force - press * update, excess)
    pull, relief = system.solve(update)

    # The pressure that puts the moved update on the sphere, by Moré and Sorensen.
    moved = update + move
    reach = norm(moved)
    stiffness = xp.sum(moved * system.solve(moved)[0], axis=-1)
    change = xp.where(
        stiffness > 0, reach * reach / xp.where(stiffness > 0, stiffness, 1.0) * (reach - 1), 0.0
    )
    aim = pressure + change
    aim = xp.where(aim < 0.05 * pressure, 0.05 * pressure, aim)
    aim = xp.where(aim > 20 * pressure, 20 * pressure, aim)
    least = LEAST_PRESSURE * worth
    change = xp.where(aim > least, aim, least) - pressure

    move = move - change[..., None] * pull
    rescaling = (part - change * relief)[..., None] * xp.where(game.inside, point, 0.0)
    widening = multiply(factor, move) + lack
    repricing = soft.aim - point - soft.curvature * widening + rescaling
    if order is not None:
        for _ in range(REFINEMENTS):
            bare = multiply(transposed, point + repricing)
            missed = bare - press * (update + move) - change[..., None] * update
            short = widening + (point + repricing - line.aim - rescaling) / line.curvature
            more = system.plain(missed - multiply(transposed, soft.curvature * short))
            repricing = repricing - soft.curvature * (multiply(factor, more) + short)
            move = move + more
            widening = multiply(factor, move) + lack
    return Iterate(move, widening, repricing, change)


def _system(
    game: CanonicalGame,
    factor: Float[Array, "*batch K K"],
    iterate: Iterate,
    line: Line,
    order: Float[Array, "*batch 1"] | None,
) -> System:
    xp = array_namespace(factor)
    update, surplus, point, pressure = iterate
    transposed, players = xp.matrix_transpose(factor), update.shape[-1]
    identity = xp.eye(players, dtype=update.dtype, device=device(update))
    matrix = (transposed * line.curvature[..., None, :]) @ factor
    matrix = matrix + pressure[..., None, None] * identity
    scale = 1 / xp.sqrt(xp.linalg.diagonal(matrix))
    ridge = ROUNDING * players * xp.finfo(update.dtype).eps
    coupling = scale[..., :, None] * matrix * scale[..., None, :]
    system = System(xp.where(identity > 0, 1 + ridge, coupling), scale)
    if order is None:
        return system
    taken = xp.where(game.inside, point, 0.0)
    away = xp.where(game.inside, surplus * line.curvature, 0.0) - taken
    response, drag = system.plain(multiply(transposed, taken)), multiply(transposed, away)
    worth = xp.sum(taken * surplus, axis=-1)
    worth = xp.where(worth > 0, worth, 1.0)
    least = worth / 2 / xp.where(order > 1, order, 1.0)[..., 0]
    stiffness = worth - xp.sum(drag * response, axis=-1)
    stiffness = xp.where(stiffness > least, stiffness, least)
    return system._replace(response=response, drag=drag, stiffness=stiffness)


def fair_line(
    game: CanonicalGame,
    order: Float[Array, "*batch 1"],
    surplus: Float[Array, "*batch K"],
    point: Float[Array, "*batch K"],
) -> Line:
    """Return the line through the two points of an α-fair player's curve.

    All weights times a number have the same solution. That number is chosen to put the players on
    their curves in the mean, by whichever of the two powers is the milder.
    """
    xp = array_namespace(point)
    prices, gains, stakes = xp.log(point), xp.log(surplus), xp.log(game.weights)
    high = xp.where(order > 1, order, 1.0)
    owed = stakes + xp.where(order > 1, (1 - 1 / order) * prices, (1 - order) * gains)
    common = high * (log_sum(game, prices + gains) - log_sum(game, owed))[..., None]
    off = prices + order * gains - high * stakes - common
    off = xp.where(off > FARTHEST * high, FARTHEST * high, off)
    off = xp.where(off < -FARTHEST * high, -FARTHEST * high, off)
    off = xp.where(game.inside, off, 0.0)
    rise, shift = _growth(-off), _growth(-off / order)
    close = xp.abs(off) < CLOSEST * order / high
    slope = xp.where(close, order, rise / xp.where(close, 1.0, shift))
    curvature = point / surplus * slope
    return Line(point * (1 + rise), curvature)


def _softened(
    game: CanonicalGame,
    surplus: Float[Array, "*batch K"],
    point: Float[Array, "*batch K"],
    line: Line,
) -> Line:
    """Return lines that are not too stiff for the system, each through a point of the true one."""
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    worth = xp.sum(taken * surplus, axis=-1)
    size = xp.sum(taken, axis=-1)
    most = (STIFFEST * size * size / xp.where(worth > 0, worth, 1.0))[..., None]
    stiff = game.inside & (line.curvature > most)
    curvature = xp.where(stiff, most, line.curvature)
    return Line(point + (line.aim - point) * curvature / line.curvature, curvature)


def _growth(logs: Array) -> Array:
    """Return the exponential less one, in a form that keeps its digits and does not overflow."""
    xp = array_namespace(logs)
    small = xp.abs(logs) < 1
    return xp.where(small, xp.expm1(xp.where(small, logs, 0.0)), exponential(logs) - 1)
