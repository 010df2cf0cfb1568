r"""The path from the Nash solution to an order of fairness, along which the order grows or falls.

High powers of surpluses, and of prices, make for equations that Newton's method cannot solve from
far away. In the middle of the family they are mild, and solutions move little when the order
doubles. On the way the numbers of ``bargain.terms`` stay what they are for the order wanted.
"""

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame
from bargain.evidence import ROUNDING
from bargain.factor import agreed_update, multiply
from bargain.fair_surplus import fair_surplus
from bargain.shapes import Array, Bool, Float

GROWTH = 2.0
"""The factor by which the order moves when the solution for the last one is near."""
NEAR, NEAR_GAP = 0.1, 0.3
"""Residual, relative error of the surpluses, and gap at which it is."""


def next_order(
    game: CanonicalGame,
    wanted: float,
    order: Float[Array, "*batch"],
    factor: Float[Array, "*batch K K"],
    update: Float[Array, "*batch K"],
    surplus: Float[Array, "*batch K"],
    point: Float[Array, "*batch K"],
) -> Float[Array, "*batch"]:
    """Return the order to go on with: the next one where an iterate is near the present solution.

    Parameters
    ----------
    game
        The canonical game on the solution's terms.
    wanted
        The order to arrive at.
    order
        Shape ``(*batch)``: the present one.
    factor, update, surplus, point
        The iterate, see :class:`bargain.interior_point.InteriorPointState`.
    """
    xp = array_namespace(order)
    if wanted > 1:
        further = xp.where(GROWTH * order < wanted, GROWTH * order, wanted)
    else:
        further = xp.where(order / GROWTH > wanted, order / GROWTH, wanted)
    return xp.where(is_near(game, order, factor, update, surplus, point), further, order)


def is_near(
    game: CanonicalGame,
    order: Float[Array, "*batch"],
    factor: Float[Array, "*batch K K"],
    update: Float[Array, "*batch K"],
    surplus: Float[Array, "*batch K"],
    point: Float[Array, "*batch K"],
) -> Bool[Array, "*batch"]:
    """Whether an iterate is near the solution of an order."""
    xp = array_namespace(point)
    lack = multiply(factor, update) - game.disagreement - surplus
    legal, length, _ = agreed_update(factor, update, xp.where(game.inside, point, 0.0))
    evidence, gap = fair_surplus(
        game,
        order,
        utilities=multiply(factor, legal),
        magnitude=multiply(xp.abs(factor), xp.abs(legal)),
        prices=point,
        length=length,
    )
    blur = ROUNDING * point.shape[-1] * xp.finfo(point.dtype).eps
    allowed = NEAR * surplus + blur * (1 + xp.abs(game.disagreement))
    attained = xp.all(xp.abs(lack) <= allowed, axis=-1)
    return attained & (evidence.residual <= NEAR) & (gap <= NEAR_GAP)
