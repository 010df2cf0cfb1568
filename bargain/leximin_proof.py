"""What proves a lexicographic refinement: at each stage, prices that no update beats.

Nothing here depends on how stages were found.
"""

from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import ROUNDING, magnitudes
from bargain.shapes import Array, Bool, Float, Int

BINDING = 1e-3
"""A price counts as positive if it is worth this part of the largest one; less pins nobody down to
the digits that matter."""


class Stages(NamedTuple):
    """At which stage each player was settled, and the prices of every stage.

    Attributes
    ----------
    settled
        Shape ``(*batch, K)``: the stage, counted from zero; K for those outside.
    multipliers
        Shape ``(*batch, K, K)``, at least zero: prices, in units of unit gradients, a row for a
        stage.
    """

    settled: Int[Array, "*batch K"]
    multipliers: Float[Array, "*batch K K"]


def judge_stages(
    game: CanonicalGame, coefficients: Float[Array, "*batch K"], stages: Stages, /
) -> tuple[Float[Array, "*batch"], Float[Array, "*batch"]]:
    r"""Bound at each stage the smallest part of those who were not settled before it.

    Of the updates that leave the players settled before with what they have, none gives everyone
    else more than :math:`(\|\sum_i b_i e_i\| - \sum_i b_i \delta_i - \sum_{i \text{ before}} b_i
    s_i) / \sum_{i \text{ left}} b_i q_i` times his claim. Those whose price is positive have no
    more than that in any best update, and where prices do not cancel the best update is unique:
    only so can players be settled.

    Parameters
    ----------
    game
        The canonical game with a disagreement point, with the claims as weights.
    coefficients
        Shape ``(*batch, K)``, zero outside: the update, as a part of the radius.
    stages
        The claims.

    Returns
    -------
    Array
        Shape ``(*batch)``: the largest part of such a bound that the update does not reach;
        infinite where a stage proves nothing.
    Array
        Shape ``(*batch)``: the part of it that rounding makes unavoidable.
    """
    xp = array_namespace(coefficients)
    players = coefficients.shape[-1]
    epsilon = (ROUNDING + players) * xp.finfo(coefficients.dtype).eps
    gains = apply_cosines(game, coefficients) - game.disagreement
    blur = magnitudes(game, coefficients) + xp.abs(game.disagreement)
    claims = xp.where(game.inside, game.weights, 1.0)
    gap, floor = xp.zeros_like(game.resolution), xp.zeros_like(game.resolution)
    for stage in range(players):
        left = game.inside & (stages.settled >= stage)
        prices = xp.where(game.inside, stages.multipliers[..., stage, :], 0.0)
        power = xp.sum(prices * apply_cosines(game, prices), axis=-1)
        power = xp.where(power > 0, power, 0.0)
        length, size = xp.sqrt(power), xp.sum(prices, axis=-1)
        spent = xp.sum(xp.where(game.inside & ~left, prices * gains, 0.0), axis=-1)
        bound = length - xp.sum(prices * game.disagreement, axis=-1) - spent
        parts = xp.where(left, prices * claims, 0.0)
        worth, most = xp.sum(parts, axis=-1), xp.max(parts, axis=-1)[..., None]
        asked = xp.any(left, axis=-1)
        level = xp.min(xp.where(left, gains / claims, xp.inf), axis=-1)
        level = xp.where(asked, level, 1.0)
        here = left & (stages.settled == stage)
        fixed = (parts >= BINDING * most) | ~cancels(size, length)[..., None] | ~here
        sound = (level > 0) & (worth > 0) & (bound > 0) & xp.all(prices >= 0, axis=-1)
        sound = sound & xp.all(fixed, axis=-1)
        solid = asked & sound
        divisor = xp.where(solid, bound, 1.0)
        short = 1 - xp.where(solid, worth * level, 1.0) / divisor
        short = xp.where(asked, xp.where(sound, short, xp.inf), 0.0)
        # The length is a square root: where it vanishes, rounding leaves the root of epsilon.
        root = size * size * epsilon
        wobble = root / xp.where(root > 0, xp.sqrt(power + root) + length, 1.0)
        wobble = (wobble + epsilon * xp.sum(prices * blur, axis=-1)) / divisor
        gap = xp.where(short > gap, short, gap)
        floor = xp.where(solid & (wobble > floor), wobble, floor)
    return gap, floor


def cancels(size: Float[Array, "*batch"], length: Float[Array, "*batch"]) -> Bool[Array, "*batch"]:
    """Whether a combination of unit gradients of some size vanishes, as far as digits can tell."""
    epsilon = float(array_namespace(length).finfo(length.dtype).eps)
    return length <= 8 * epsilon**0.5 * size
