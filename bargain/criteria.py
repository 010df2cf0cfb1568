"""What a point is worth to a solution: its residual, and its gap to the best agreement.

For games without a disagreement point, where one vector is the whole answer: the coefficients of
an agreement are the prices that support it. Nothing here depends on how the point was found.
"""

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import (
    ROUNDING,
    WORST_FLOOR,
    Evidence,
    combined,
    magnitudes,
    shortfall,
    weigh,
)
from bargain.fair_shares import divergence, weigh_fair
from bargain.shapes import Array, Float
from bargain.solutions import AlphaFair, Nash, Solution, Utilitarian


def judge(
    game: CanonicalGame,
    solution: Solution,
    point: Float[Array, "*batch K"],
    product: Float[Array, "*batch K"],
    /,
) -> tuple[Evidence, Float[Array, "*batch"]]:
    """Return what a point proves, and how much better than it an agreement can be.

    Parameters
    ----------
    game
        The canonical game on the solution's terms.
    solution
        Which agreement is meant.
    point
        Shape ``(*batch, K)``, at least zero, of the natural length.
    product
        Shape ``(*batch, K)``: the cosines times the point.
    """
    match solution:
        case Nash():
            return weigh(game, point, product), divergence(game, point * product)
        case AlphaFair(order):
            return weigh_fair(game, order, point, product)
        case Utilitarian():
            return weigh_sum(game, point, product)
        case _:
            return weigh_smallest(game, point, product)


def weigh_smallest(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> tuple[Evidence, Float[Array, "*batch"]]:
    r"""Weigh a point of a game for the largest smallest part, as egalitarians want it.

    With the claims :math:`q`, no update of length one gives everyone more than :math:`\|\sum_i b_i
    e_i\| / \sum_i b_i q_i` times his claim, whatever the :math:`b \ge 0`. The gap is the part of
    this bound that the point does not reach; the residual counts as well by how much a player with
    a price is above it, as a part of the whole.
    """
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    worth = xp.sum(taken * game.weights, axis=-1)
    level, length = combined(game, taken, product)
    level = level / xp.where(worth > 0, worth, 1.0)
    solid = (worth > 0) & (level > 0)
    level = xp.where(solid, level, 1.0)[..., None]
    claims = level * game.weights
    excess = xp.where(game.inside, product / claims - 1, 0.0)
    epsilon = ROUNDING * xp.finfo(point.dtype).eps
    wobble = xp.where(game.inside, epsilon * magnitudes(game, taken) / claims, 0.0)
    gap, hidden = shortfall(game, -excess, wobble)
    shares = taken * game.weights / xp.where(worth > 0, worth, 1.0)[..., None]
    waste = xp.max(shares * xp.abs(excess), axis=-1)
    # The level is a mean of what players get, by their shares, and known as well as that.
    floor = xp.sum(shares * wobble, axis=-1) + hidden
    residual = xp.where(solid, xp.where(gap > waste, gap, waste), xp.inf)
    evidence = Evidence(residual, floor, length, length <= game.resolution)
    # Where rounding hides whether everyone gains, nothing is bounded.
    return evidence, xp.where(solid & (floor < WORST_FLOOR), gap, xp.inf)


def weigh_sum(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> tuple[Evidence, Float[Array, "*batch"]]:
    r"""Weigh a point of a game for the largest sum.

    The best update is along :math:`\sum_i v_i e_i`. The gap is one minus the cosine of the angle
    between the two, the residual the distance of the two as vectors of length one.
    """
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    wanted = xp.where(game.inside, game.weights, 0.0)
    power, _ = combined(game, taken, product)
    worth, length = combined(game, wanted, apply_cosines(game, wanted))
    solid = (power > 0) & (worth > 0)
    lengths = [xp.sqrt(xp.where(solid, values, 1.0))[..., None] for values in (power, worth)]
    apart = taken / lengths[0] - wanted / lengths[1]
    distance, _ = combined(game, apart, apply_cosines(game, apart))
    residual = xp.sqrt(xp.where(distance > 0, distance, 0.0))
    residual = xp.where(solid, residual, xp.inf)
    blur = xp.sum(taken / lengths[0] + wanted / lengths[1], axis=-1)
    epsilon = ROUNDING * xp.finfo(point.dtype).eps
    evidence = Evidence(residual, epsilon * blur, length, length <= game.resolution)
    return evidence, residual * residual / 2
