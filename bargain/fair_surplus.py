r"""Shares under α-fairness where there is a disagreement point, and the gap that is left.

Prices :math:`b` support at most :math:`P = \|\sum_i b_i e_i\| - \sum_i b_i \delta_i`. As parts of
it player i has :math:`G_i = b_i s_i / P` and is owed :math:`O_i`, in proportion to
:math:`v_i^{1/a} b_i^{1 - 1/a}`; the radius leaves the slack :math:`1 - \sum_i G_i`. No update has a
welfare that is larger by more than

.. math:: 1 - \sum_i G_i + \sum_i O_i \Bigl[ z_i - 1 - \frac{z_i^{1 - a} - 1}{1 - a} \Bigr] \ge 0,
          \qquad z_i = G_i / O_i ,

relative to what the agreement is worth at these prices. Nothing here depends on how they were
found.
"""

from math import log
from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame
from bargain.evidence import ROUNDING, Evidence
from bargain.fair_shares import NEAR_ONE, logarithm, mean_gap
from bargain.shapes import Array, Bool, Float


class FairParts(NamedTuple):
    """What players have and are owed, as parts of what the prices support.

    Attributes
    ----------
    gains, owed, log_owed, log_value
        Shape ``(*batch, K)``, zero outside: ``G``, ``O`` and its logarithm, and that of what the
        gains are worth to the welfare, :math:`G^{1 - a} O^a`, from which prices cancel.
    surplus, blur
        Shape ``(*batch, K)``: what each player has over his disagreement point, and its rounding.
    slack, supported, solid
        Shape ``(*batch)``: what the radius leaves, ``P``, and whether that is positive.
    """

    gains: Float[Array, "*batch K"]
    owed: Float[Array, "*batch K"]
    log_owed: Float[Array, "*batch K"]
    log_value: Float[Array, "*batch K"]
    surplus: Float[Array, "*batch K"]
    blur: Float[Array, "*batch K"]
    slack: Float[Array, "*batch"]
    supported: Float[Array, "*batch"]
    solid: Bool[Array, "*batch"]


def fair_surplus(
    game: CanonicalGame,
    order: Float[Array, "*batch"],
    utilities: Float[Array, "*batch K"],
    magnitude: Float[Array, "*batch K"],
    prices: Float[Array, "*batch K"],
    length: Float[Array, "*batch"],
) -> tuple[Evidence, Float[Array, "*batch"]]:
    """Weigh an update and prices by the largest difference of a share from what is owed.

    Parameters
    ----------
    game
        The canonical game on the solution's terms, with a disagreement point.
    order
        Shape ``(*batch)``: the order of fairness.
    utilities
        Shape ``(*batch, K)``: what the update gives each player, in units of his ideal payoff.
    magnitude
        Shape ``(*batch, K)``: the sums of absolute values that the utilities are the sums of.
    prices
        Shape ``(*batch, K)``, at least zero; in any scale.
    length
        Shape ``(*batch)``: the norm of the combination of unit gradients by the prices.

    Returns
    -------
    Evidence
        What is proved.
    Array
        Shape ``(*batch)``: the gap, infinite where nothing is bounded.
    """
    xp = array_namespace(utilities)
    order = order[..., None]
    parts = _parts(game, order, utilities, magnitude, prices, length)
    taken = xp.where(game.inside, prices, 0.0)
    # Below order one it is no catastrophe to be left with nothing, and what falls short of that
    # counts as what it is worth; else gains have to be certain.
    legal = (parts.surplus > parts.blur) | (order < 1) | ~game.inside
    legal = parts.solid & xp.all(legal, axis=-1)
    off = xp.max(xp.abs(parts.gains - parts.owed), axis=-1)
    off = xp.where(off > xp.abs(parts.slack), off, xp.abs(parts.slack))
    # Below order one, what costs nothing is worth without bound.
    bounded = xp.all((prices > 0) | (order >= 1) | ~game.inside, axis=-1)
    gap = xp.where(legal & bounded, _gap(game, order, parts), xp.inf)
    # At high orders shares may agree where someone loses, or is left out.
    lost = mean_gap(order[..., 0], gap)
    off = xp.where(off > lost, off, lost)
    off = xp.where((gap < xp.inf) | (off > 1), off, 1.0)

    epsilon = (ROUNDING + utilities.shape[-1]) * xp.finfo(utilities.dtype).eps
    wobble = xp.max(taken * parts.blur, axis=-1) / parts.supported
    # A number is only as exact as the digits of its logarithm behind the point.
    powers = xp.abs(1 - 1 / order) * xp.abs(logarithm(prices))
    exponents = xp.abs(_log_stakes(game, order)) + powers
    wobble = wobble + epsilon * xp.max(parts.owed * exponents, axis=-1)
    # The length is a square root: where it vanishes, rounding leaves the root of epsilon.
    power = xp.sum(taken, axis=-1) ** 2 * epsilon
    root = power / xp.where(power > 0, xp.sqrt(length * length + power) + length, 1.0)
    root = root / parts.supported
    given = xp.sum(taken * game.disagreement, axis=-1)
    size = xp.sum(taken * (1 + xp.abs(game.disagreement)), axis=-1)
    evidence = Evidence(
        residual=xp.where(parts.solid, off, xp.inf),
        floor=xp.where(wobble > root, wobble, root),
        length=(length - given) / xp.where(size > 0, size, 1.0),
        stationary=length - given <= game.resolution * size,
    )
    return evidence, gap


def _parts(
    game: CanonicalGame,
    order: Array,
    utilities: Array,
    magnitude: Array,
    prices: Array,
    length: Array,
) -> FairParts:
    xp = array_namespace(utilities)
    taken = xp.where(game.inside, prices, 0.0)
    surplus = utilities - game.disagreement
    epsilon = (ROUNDING + utilities.shape[-1]) * xp.finfo(utilities.dtype).eps
    supported = length - xp.sum(taken * game.disagreement, axis=-1)
    solid = supported > 0
    supported = xp.where(solid, supported, 1.0)
    stakes = _log_stakes(game, order)
    logs = stakes + (1 - 1 / order) * logarithm(prices)
    total = log_sum(game, logs)[..., None]
    logs = xp.where(game.inside & (prices > 0), logs - total, -xp.inf)
    value = (1 - order) * (logarithm(surplus) - xp.log(supported)[..., None])
    return FairParts(
        gains=taken * surplus / supported[..., None],
        owed=xp.exp(logs),
        log_owed=logs,
        log_value=value + order * (stakes - total),
        surplus=surplus,
        blur=epsilon * (magnitude + xp.abs(game.disagreement)),
        slack=(length - xp.sum(taken * utilities, axis=-1)) / supported,
        supported=supported,
        solid=solid,
    )


def _gap(game: CanonicalGame, order: Array, parts: FairParts) -> Array:
    """Add up what each player contributes to the gap, and the slack."""
    xp = array_namespace(parts.gains)
    short = xp.where(parts.gains < 0, -parts.gains, 0.0)
    gains, owed = parts.gains + short, parts.owed
    one = xp.abs(order - 1) < NEAR_ONE
    power = xp.where(one, 1.0, 1 - order)
    least = xp.finfo(gains.dtype).smallest_normal
    epsilon = ROUNDING * xp.finfo(gains.dtype).eps
    # Near the solution both nearly agree, and the difference keeps its digits in this form.
    known = owed > least / epsilon
    excess = gains / xp.where(known, owed, 1.0) - 1
    known = known & (xp.abs(excess) < 0.5)
    logs = xp.log1p(xp.where(known, excess, 0.0))
    known = known & (xp.abs(power * logs) < 1)
    logs = xp.where(known, logs, 0.0)
    close = owed * (excess - xp.where(one, logs, xp.expm1(power * logs) / power))
    logs = logarithm(gains)
    owed_logs = xp.where(owed > 0, parts.log_owed, xp.log(xp.zeros_like(owed) + least))
    most = 0.9 * log(float(xp.finfo(gains.dtype).max))
    value = xp.where(game.inside, parts.log_value, 0.0)
    value = xp.exp(xp.where(value < most, value, most))
    far = gains + ((1 - power) * owed - value) / power
    far = xp.where(one, gains - owed + owed * (owed_logs - logs), far)
    terms = xp.where(known, close, far)
    terms = xp.where(game.inside & (terms > 0), terms, 0.0)
    return xp.sum(terms + short, axis=-1) + xp.where(parts.slack > 0, parts.slack, 0.0)


def log_sum(game: CanonicalGame, logs: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    """Return the logarithm of the sum over the players inside, from logarithms."""
    xp = array_namespace(logs)
    most = xp.max(xp.where(game.inside, logs, -xp.inf), axis=-1)
    most = xp.where(most > -xp.inf, most, 0.0)
    relative = xp.exp(xp.where(game.inside, logs - most[..., None], -xp.inf))
    total = xp.sum(relative, axis=-1)
    return most + xp.log(xp.where(total > 0, total, 1.0))


def _log_stakes(game: CanonicalGame, order: Array) -> Float[Array, "*batch K"]:
    """Return the logarithms of :math:`v^{1/a}` from the terms: v, or for a > 1 its root."""
    xp = array_namespace(game.weights)
    logs = xp.log(game.weights)
    return xp.where(order < 1, logs / order, logs)
