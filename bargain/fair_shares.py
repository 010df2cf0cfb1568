r"""Shares under α-fairness: what each player gains, and what he is owed.

Prices :math:`b` are worth :math:`G_i = b_i \hat u_i` to player i. At the α-fair solution of order
a he is owed :math:`O_i = b_i s_i` with :math:`b_i = v_i s_i^{-a}`, and both sum to the same. In
between lies the duality gap, relative to the sum

.. math:: \frac{1}{1 - a} \sum_i \bigl[ (1 - a) G_i + a O_i - G_i^{1 - a} O_i^a \bigr] \ge 0 ,

which information theory knows as the α-divergence of one distribution from the other. For the Nash
solution (order one) it is the Kullback-Leibler divergence, and what a player is owed his weight.
"""

from math import log

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame
from bargain.evidence import ROUNDING, Evidence, combined, magnitudes
from bargain.shapes import Array, Float

NEAR_ONE = 1e-9
"""Orders this close to one count as one where the difference would be divided by."""


def divergence(game: CanonicalGame, gains: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    r"""Return :math:`\sum_i w_i \log(w_i / s_i) + s_i - w_i`; infinite where a gain is negative.

    The generalised Kullback-Leibler divergence, in a form that does not cancel near zero.
    """
    xp = array_namespace(gains)
    excess = gains / game.weights - 1
    legal = excess > -1
    terms = game.weights * (excess - xp.log1p(xp.where(legal, excess, 0.0)))
    return xp.sum(xp.where(game.inside, xp.where(legal, terms, xp.inf), 0.0), axis=-1)


def logarithm(values: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
    """Return the logarithm of numbers that may have vanished in rounding."""
    xp = array_namespace(values)
    least = xp.finfo(values.dtype).smallest_normal
    return xp.log(xp.where(values > least, values, least))


def exponential(logs: Float[Array, "*batch K"]) -> Float[Array, "*batch K"]:
    """Return numbers for their logarithms, very large ones for what would overflow."""
    xp = array_namespace(logs)
    most = log(float(xp.finfo(logs.dtype).max)) / 4
    return xp.exp(xp.where(logs < most, logs, most))


def log_stakes(game: CanonicalGame, order: float) -> Float[Array, "*batch K"]:
    """Return the logarithms of the numbers :math:`c` with :math:`s_i = c_i b_i^{-1/a}`."""
    xp = array_namespace(game.weights)
    return xp.log(game.weights) * max(1.0, 1 / order)


def log_owed(
    game: CanonicalGame, order: float, logs: Float[Array, "*batch K"]
) -> tuple[Float[Array, "*batch K"], Float[Array, "*batch"]]:
    """Return the logarithms of what players inside are owed for prices, and of its sum."""
    xp = array_namespace(logs)
    owed = log_stakes(game, order) + (1 - 1 / order) * logs
    most = xp.max(xp.where(game.inside, owed, -xp.inf), axis=-1)
    most = xp.where(most > -xp.inf, most, 0.0)
    relative = xp.exp(xp.where(game.inside, owed - most[..., None], 0.0))
    total = xp.sum(xp.where(game.inside, relative, 0.0), axis=-1)
    return owed, most + xp.log(xp.where(total > 0, total, 1.0))


def fair_parts(
    game: CanonicalGame,
    order: float,
    point: Float[Array, "*batch K"],
    product: Float[Array, "*batch K"],
) -> tuple[Float[Array, "*batch K"], Float[Array, "*batch K"]]:
    """Return the shares that players have and those that they are owed; each sums to one."""
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    power, _ = combined(game, taken, product)
    gains = taken * product / xp.where(power > 0, power, 1.0)[..., None]
    owed, total = log_owed(game, order, logarithm(point))
    owed = xp.where(game.inside, owed - total[..., None], 0.0)
    return gains, xp.where(game.inside, exponential(owed), 0.0)


def weigh_fair(
    game: CanonicalGame,
    order: float,
    point: Float[Array, "*batch K"],
    product: Float[Array, "*batch K"],
    *,
    most: float = float("inf"),
) -> tuple[Evidence, Float[Array, "*batch"]]:
    """Weigh a point by the largest difference of a share from what is owed, and bound its gap.

    At high orders shares may agree where someone is left out: so if the gap of the power mean of
    gains is larger, that is the residual.

    Parameters
    ----------
    game
        The canonical game on the solution's terms.
    order
        The order a of fairness.
    point, product
        Shape ``(*batch, K)``: the point, at least zero, and the cosines times it.
    most
        A larger gap is left aside: far from a solution it tells a solver nothing.
    """
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    gains, owed = fair_parts(game, order, point, product)
    power, length = combined(game, taken, product)
    solid = power > 0
    gap = fair_divergence(game, order, point, product)
    residual, lost = xp.max(xp.abs(gains - owed), axis=-1), mean_gap(xp.full_like(gap, order), gap)
    lost = xp.where(lost < most, lost, 0.0)
    residual = xp.where(solid, xp.where(residual > lost, residual, lost), xp.inf)
    wobble = xp.max(taken * magnitudes(game, taken), axis=-1) / xp.where(solid, power, 1.0)
    epsilon = ROUNDING * xp.finfo(point.dtype).eps
    # A number is only as exact as the digits of its logarithm behind the point.
    exponents = xp.abs(log_stakes(game, order)) + abs(1 - 1 / order) * xp.abs(logarithm(point))
    wobble = wobble + xp.max(owed * exponents, axis=-1)
    return Evidence(residual, epsilon * wobble, length, length <= game.resolution), gap


def fair_divergence(
    game: CanonicalGame,
    order: float,
    point: Float[Array, "*batch K"],
    product: Float[Array, "*batch K"],
) -> Float[Array, "*batch"]:
    """Return the relative duality gap; infinite where it bounds nothing."""
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    gains, owed = fair_parts(game, order, point, product)
    power, _ = combined(game, taken, product)
    _, total = log_owed(game, order, logarithm(point))
    # What is owed determines the prices' scale, k times the point of length one.
    half = xp.log(xp.where(power > 0, power, 1.0)) / 2
    scale = order * (total - (1 - 1 / order) * half)
    utilities = product / xp.exp(half)[..., None]
    epsilon = ROUNDING * xp.finfo(point.dtype).eps
    blur = epsilon * magnitudes(game, taken) / xp.exp(half)[..., None]
    value = order * log_stakes(game, order) + (1 - order) * logarithm(utilities)
    value = exponential(xp.where(game.inside, value - scale[..., None], 0.0))
    # Near the solution both nearly agree, and the difference keeps its digits in this form.
    known = owed > xp.finfo(point.dtype).smallest_normal / epsilon
    excess = gains / xp.where(known, owed, 1.0) - 1
    known = known & (xp.abs(excess) < 0.5)
    bent = (1 - order) * xp.log1p(xp.where(known, excess, 0.0))
    known = known & (xp.abs(bent) < 1)
    bent = xp.expm1(xp.where(known, bent, 0.0))
    close = owed * (excess - bent / (1 - order))
    far = gains + (order * owed - value) / (1 - order)
    terms = xp.where(known, close, far)
    # Below order one it is no catastrophe to be left with nothing; else gains have to be certain.
    legal = utilities >= -blur if order < 1 else utilities > blur
    terms = xp.where(legal, xp.where(terms > 0, terms, 0.0), xp.inf)
    gap = xp.sum(xp.where(game.inside, terms, 0.0), axis=-1)
    return xp.where((power > 0) | ~xp.any(game.inside, axis=-1), gap, xp.inf)


def mean_gap(order: Float[Array, "*batch"], gap: Float[Array, "*batch"]) -> Float[Array, "*batch"]:
    """Return a gap of welfare as one of the logarithm of gains' power mean; zero if it is none.

    Above order one welfare falls without bound where someone loses, and means do not.
    """
    xp = array_namespace(gap)
    power = xp.where(order > 1 + NEAR_ONE, order - 1, 1.0)
    safe = xp.where(gap < xp.inf, gap, 1.0)
    mean = xp.where(order > 1 + NEAR_ONE, xp.log1p(power * safe) / power, safe)
    return xp.where(gap < xp.inf, mean, 0.0)
