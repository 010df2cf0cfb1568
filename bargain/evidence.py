"""What an answer proves about a canonical game.

Solvers stop on it, and the driver and :func:`bargain.certify` judge by it; none of it depends on
how the point was found.
"""

from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, total_weight
from bargain.shapes import Array, Bool, Float

ROUNDING = 8.0
"""Rounding errors of a product of a matrix with a vector, in units of the machine epsilon."""
WORST_FLOOR = 0.5
"""With a larger rounding floor not even the sign of every gain is certain: that is no agreement."""


class Answer(NamedTuple):
    """What a solver answers, in canonical terms; zero for the players outside.

    Attributes
    ----------
    coefficients
        Shape ``(*batch, K)``, of unit gradients. Without a disagreement point any positive
        multiple will do; with one they give the update as a part of the radius.
    multipliers
        Shape ``(*batch, K)``, positive inside: the prices that support it, up to a factor.
        Without a disagreement point they are the coefficients.
    """

    coefficients: Float[Array, "*batch K"]
    multipliers: Float[Array, "*batch K"]


class Evidence(NamedTuple):
    """How far a point is from proving an agreement or a disagreement.

    Attributes
    ----------
    residual
        Shape ``(*batch)``: ``max |b_i (C b)_i / w_i - 1|``.
    floor
        Shape ``(*batch)``: the part of it that rounding makes unavoidable.
    length
        Shape ``(*batch)``: the norm of the convex combination of unit gradients that the point
        stands for.
    stationary
        Shape ``(*batch)``: whether that length counts as zero, which proves a disagreement.
    """

    residual: Float[Array, "*batch"]
    floor: Float[Array, "*batch"]
    length: Float[Array, "*batch"]
    stationary: Bool[Array, "*batch"]


def weigh(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> Evidence:
    """Weigh a point of a game without a disagreement point, where one vector is the whole answer.

    Parameters
    ----------
    game
        The canonical game.
    point
        Shape ``(*batch, K)``, positive.
    product
        Shape ``(*batch, K)``: the cosines times the point.
    """
    xp = array_namespace(point)
    gains = point * product
    residual = xp.max(xp.abs(gains / game.weights - 1), axis=-1)
    magnitude = (xp.abs(game.cosines) @ point[..., None])[..., 0]
    epsilon = ROUNDING * xp.finfo(point.dtype).eps
    floor = epsilon * xp.max(point * magnitude / game.weights, axis=-1)
    size = xp.sum(xp.where(game.inside, point, 0.0), axis=-1)
    power = xp.sum(xp.where(game.inside, gains, 0.0), axis=-1)
    length = xp.sqrt(xp.where(power > 0, power, 0.0)) / xp.where(size > 0, size, 1.0)
    return Evidence(residual, floor, length, length <= game.resolution)


def magnitudes(game: CanonicalGame, point: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
    """Return the sums of absolute values that the products with the cosines are the sums of."""
    xp = array_namespace(point)
    return (xp.abs(game.cosines) @ xp.abs(point)[..., None])[..., 0]


def combined(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> tuple[Float[Array, "*batch"], Float[Array, "*batch"]]:
    """Return the squared norm of a combination of unit gradients, and the norm of the convex one.

    Parameters
    ----------
    game
        The canonical game.
    point
        Shape ``(*batch, K)``, zero for the players outside.
    product
        Shape ``(*batch, K)``: the cosines times the point.
    """
    xp = array_namespace(point)
    power = xp.sum(xp.where(game.inside, point * product, 0.0), axis=-1)
    size = xp.sum(xp.abs(point), axis=-1)
    length = xp.sqrt(xp.where(power > 0, power, 0.0)) / xp.where(size > 0, size, 1.0)
    return power, length


def shortfall(
    game: CanonicalGame, lack: Float[Array, "*batch K"], wobble: Float[Array, "*batch K"]
) -> tuple[Float[Array, "*batch"], Float[Array, "*batch"]]:
    """Return the part by which the worst claim is missed, and how much more rounding may hide.

    Rounding counts only where it could put a player below his claim. One with a long gradient gets
    a multiple of what he claims, and what rounding does to that multiple is nobody's loss.

    Parameters
    ----------
    game
        The canonical game.
    lack
        Shape ``(*batch, K)``: the part of his claim that each player does not get; negative where
        he gets more.
    wobble
        Shape ``(*batch, K)``: the part that rounding may change that by.
    """
    xp = array_namespace(lack)
    gap = xp.max(xp.where(game.inside, lack, 0.0), axis=-1)
    gap = xp.where(gap > 0, gap, 0.0)
    worst = xp.max(xp.where(game.inside, lack + wobble, 0.0), axis=-1)
    return gap, xp.where(worst > gap, worst - gap, 0.0)


def proved(evidence: Evidence, gap: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Return the residual, larger by one where rounding hides whether everyone gains.

    Who gets his claim to the last digit, but of numbers that nearly cancel, proves less than one
    who gets a little more. Of two that prove nothing the one with the smaller residual is nearer.
    """
    xp = array_namespace(gap)
    return xp.where(gap < xp.inf, evidence.residual, evidence.residual + 1)


def weigh_surplus(
    game: CanonicalGame,
    utilities: Float[Array, "*batch K"],
    magnitude: Float[Array, "*batch K"],
    multipliers: Float[Array, "*batch K"],
    length: Float[Array, "*batch"],
) -> Evidence:
    """Weigh an update and multipliers in a game with a disagreement point.

    Parameters
    ----------
    game
        The canonical game.
    utilities
        Shape ``(*batch, K)``: what the update gives each player, in units of his ideal payoff.
    magnitude
        Shape ``(*batch, K)``: the sums of absolute values that the utilities are the sums of.
    multipliers
        Shape ``(*batch, K)``, positive.
    length
        Shape ``(*batch)``: the norm of the combination of unit gradients by the multipliers.
    """
    xp = array_namespace(utilities)
    disagreement, players = game.disagreement, utilities.shape[-1]
    inside = xp.where(game.inside, multipliers, 0.0)
    gains = multipliers * (utilities - disagreement)
    size = xp.sum(inside * (1 + xp.abs(disagreement)), axis=-1)
    size = xp.where(size > 0, size, 1.0)
    slack = length - xp.sum(inside * utilities, axis=-1)
    total = total_weight(game)
    balance = xp.max(xp.abs(gains / game.weights - 1), axis=-1)
    pressure = xp.abs(slack) / total
    # Utilities and length may have been computed through a factor of the cosines.
    epsilon = (ROUNDING + players) * xp.finfo(utilities.dtype).eps
    wobble = multipliers * (magnitude + xp.abs(disagreement)) / game.weights
    # The length is a square root: where it vanishes, rounding leaves the root of epsilon.
    power = xp.sum(inside, axis=-1) ** 2 * epsilon
    blur = power / xp.where(power > 0, xp.sqrt(length * length + power) + length, 1.0) / total
    floor = epsilon * xp.max(wobble, axis=-1)
    return Evidence(
        residual=xp.where(balance > pressure, balance, pressure),
        floor=xp.where(floor > blur, floor, blur),
        length=(length - xp.sum(inside * disagreement, axis=-1)) / size,
        stationary=length - xp.sum(inside * disagreement, axis=-1) <= game.resolution * size,
    )


def within(residual: Array, floor: Array, tol: float) -> Array:
    """Whether a residual meets the tolerance, or the rounding floor where that is higher.

    Twice the tolerance: a solver met it in its own arithmetic, and here all is computed afresh.
    """
    xp = array_namespace(residual)
    bar = xp.where(floor < WORST_FLOOR, floor, WORST_FLOOR)
    return residual <= xp.where(bar > 2 * tol, bar, 2 * tol)


def settled(evidence: Evidence, previous: Array, tol: float) -> Array:
    """Whether a solver should stop: a proof is there, or rounding allows no better one.

    Under the floor the residual may still fall, so it counts only once it no longer halves, and it
    has to be well under it, to be so again when it is computed afresh. Numbers that
    are lost (infinite, NaN) do not come back.
    """
    stalled = (evidence.residual <= evidence.floor / 2) & (evidence.residual > previous / 2)
    lost = ~(evidence.residual < array_namespace(previous).inf)
    return evidence.stationary | (evidence.residual <= tol) | stalled | lost
