"""What an update and prices prove where there is a disagreement point.

There the update does not follow from the prices, so both are part of the answer, and each claim is
checked: that the update is legal, that it reaches what it should, and that by the prices nothing
can reach more. Nothing here depends on how they were found.
"""

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, apply_cosines, total_weight
from bargain.evidence import (
    ROUNDING,
    WORST_FLOOR,
    Evidence,
    combined,
    magnitudes,
    shortfall,
    weigh_surplus,
)
from bargain.fair_shares import divergence
from bargain.fair_surplus import fair_surplus
from bargain.shapes import Array, Float
from bargain.solutions import AlphaFair, Nash, Solution, Utilitarian


def judge_surplus(
    game: CanonicalGame,
    solution: Solution,
    coefficients: Float[Array, "*batch K"],
    prices: Float[Array, "*batch K"],
    /,
) -> tuple[Evidence, Float[Array, "*batch"]]:
    """Return what an answer proves, and how much better than it an agreement can be.

    Parameters
    ----------
    game
        The canonical game on the solution's terms, with a disagreement point.
    solution
        Which agreement is meant.
    coefficients
        Shape ``(*batch, K)``, zero outside: the update, as a part of the radius.
    prices
        Shape ``(*batch, K)``, at least zero; for the Nash solution scaled to what they support.
    """
    xp = array_namespace(prices)
    if isinstance(solution, Utilitarian):
        evidence, gap = weigh_update_of_sum(game, coefficients)
    else:
        taken = xp.where(game.inside, prices, 0.0)
        utilities = apply_cosines(game, coefficients)
        power = xp.sum(taken * apply_cosines(game, taken), axis=-1)
        length = xp.sqrt(xp.where(power > 0, power, 0.0))
        magnitude = magnitudes(game, coefficients)
        if isinstance(solution, Nash):
            evidence = weigh_surplus(game, utilities, magnitude, prices, length)
            slack = length - xp.sum(taken * utilities, axis=-1)
            gap = divergence(game, prices * (utilities - game.disagreement))
            gap = gap + xp.where(slack > 0, slack, 0.0)
        elif isinstance(solution, AlphaFair):
            order = xp.full_like(length, solution.alpha)
            evidence, gap = fair_surplus(game, order, utilities, magnitude, prices, length)
        else:
            evidence, gap = weigh_level(game, utilities, magnitude, taken, length)
    excess = overreach(game, coefficients)
    residual = xp.where(excess > evidence.residual, excess, evidence.residual)
    return evidence._replace(residual=residual), gap


def overreach(
    game: CanonicalGame, coefficients: Float[Array, "*batch K"]
) -> Float[Array, "*batch"]:
    """Return by which part an update is longer than the radius, beyond what rounding explains."""
    xp = array_namespace(coefficients)
    power, _ = combined(game, coefficients, apply_cosines(game, coefficients))
    players = coefficients.shape[-1]
    epsilon = (ROUNDING + players) * xp.finfo(coefficients.dtype).eps
    blur = epsilon * (1 + xp.sum(xp.abs(coefficients) * magnitudes(game, coefficients), axis=-1))
    long = power > 1 + blur
    return xp.where(long, xp.sqrt(xp.where(long, power, 1.0)) - 1, 0.0)


def weigh_level(
    game: CanonicalGame,
    utilities: Float[Array, "*batch K"],
    magnitude: Float[Array, "*batch K"],
    prices: Float[Array, "*batch K"],
    length: Float[Array, "*batch"],
) -> tuple[Evidence, Float[Array, "*batch"]]:
    r"""Weigh an update and prices for the largest smallest part of the claims.

    With claims :math:`q` and prices :math:`b \ge 0` no update of length one gives everyone more
    than :math:`t = (\|\sum_i b_i e_i\| - \sum_i b_i \delta_i) / \sum_i b_i q_i` times his claim
    over his disagreement point. Gap and residual are the part of this bound that the update does
    not reach. Players who claim nothing only want their disagreement point.

    Parameters
    ----------
    game
        The canonical game, with the claims as weights; zero is allowed.
    utilities
        Shape ``(*batch, K)``: what the update gives each player, in units of his ideal payoff.
    magnitude
        Shape ``(*batch, K)``: the sums of absolute values that the utilities are the sums of.
    prices
        Shape ``(*batch, K)``, at least zero; zero outside.
    length
        Shape ``(*batch)``: the norm of the combination of unit gradients by the prices.
    """
    xp = array_namespace(utilities)
    disagreement, players = game.disagreement, utilities.shape[-1]
    claims = xp.where(game.inside, game.weights, 0.0)
    worth = xp.sum(prices * claims, axis=-1)
    given = xp.sum(prices * disagreement, axis=-1)
    size = xp.sum(prices * (1 + xp.abs(disagreement)), axis=-1)
    solid = (worth > 0) & (length > given)
    bound = xp.where(solid, length - given, 1.0) / xp.where(solid, worth, 1.0)

    epsilon = (ROUNDING + players) * xp.finfo(utilities.dtype).eps
    asked = claims * bound[..., None]
    unit = xp.where(asked > 0, asked, 1 + xp.abs(disagreement))
    lack = (asked - (utilities - disagreement)) / unit
    gap, hidden = shortfall(game, lack, epsilon * (magnitude + xp.abs(disagreement)) / unit)
    # The length is a square root: where it vanishes, rounding leaves the root of epsilon.
    power = xp.sum(prices, axis=-1) ** 2 * epsilon
    blur = power / xp.where(power > 0, xp.sqrt(length * length + power) + length, 1.0)
    blur = blur + epsilon * xp.sum(prices * xp.abs(disagreement), axis=-1)
    floor = blur / xp.where(solid, length - given, 1.0)
    floor = floor + hidden
    evidence = Evidence(
        residual=xp.where(solid, gap, xp.inf),
        floor=floor,
        length=(length - given) / xp.where(size > 0, size, 1.0),
        stationary=length - given <= game.resolution * size,
    )
    return evidence, xp.where(solid & (floor < WORST_FLOOR), gap, xp.inf)


def weigh_update_of_sum(
    game: CanonicalGame, coefficients: Float[Array, "*batch K"]
) -> tuple[Evidence, Float[Array, "*batch"]]:
    r"""Weigh an update for the largest sum: it has to be :math:`\sum_i v_i e_i` over its length.

    The residual is the distance of the two, the gap the part of the largest sum that is missing.
    """
    xp = array_namespace(coefficients)
    wanted = xp.where(game.inside, game.weights, 0.0)
    worth, length = combined(game, wanted, apply_cosines(game, wanted))
    best = wanted / xp.sqrt(xp.where(worth > 0, worth, 1.0))[..., None]
    apart, _ = combined(game, coefficients - best, apply_cosines(game, coefficients - best))
    apart = xp.where(apart > 0, apart, 0.0)
    # The distance squared is the sum's lack twice, less what is left of the radius.
    power, _ = combined(game, coefficients, apply_cosines(game, coefficients))
    lack = (apart + 1 - power) / 2
    epsilon = ROUNDING * xp.finfo(coefficients.dtype).eps
    evidence = Evidence(
        residual=xp.where(worth > 0, xp.sqrt(apart), xp.inf),
        floor=epsilon * xp.sum(xp.abs(coefficients) + best, axis=-1),
        length=length,
        stationary=length <= game.resolution,
    )
    return evidence, xp.where(lack > 0, lack, 0.0)


def supported(game: CanonicalGame, prices: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
    r"""Scale prices to :math:`\|\sum_i b_i e_i\| - \sum_i b_i \delta_i = \sum w`; ones outside."""
    xp = array_namespace(prices)
    taken = xp.where(game.inside, prices, 0.0)
    power = xp.sum(taken * apply_cosines(game, taken), axis=-1)
    length = xp.sqrt(xp.where(power > 0, power, 0.0))
    surplus = length - xp.sum(taken * game.disagreement, axis=-1)
    surplus = xp.where(surplus > 0, surplus, total_weight(game))
    factor = (total_weight(game) / surplus)[..., None]
    return xp.where(game.inside, prices * factor, prices)
