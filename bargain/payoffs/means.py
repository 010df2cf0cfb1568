"""Power means of surpluses, the geometric one among them, and how far one is from the best."""

from array_api_compat import array_namespace

from bargain.payoffs.agreements import Stakes
from bargain.shapes import Array


def log_mean(
    order: float,
    weights: Array,
    logs: Array,
    inside: Array,
) -> Array:
    """Return the logarithm of the power mean of exponent ``1 - order``, from logarithms."""
    xp = array_namespace(logs)
    power = 1 - order
    shared = xp.where(inside, weights, 0.0)
    geometric = xp.sum(shared * xp.where(inside, logs, 0.0), axis=-1)
    if order == 1.0:
        return geometric
    # Where all is about the same, or the order near one, the excess over the geometric mean keeps
    # its digits.
    exponents = power * xp.where(inside, logs - geometric[..., None], 0.0)
    near = xp.max(xp.abs(exponents), axis=-1) < 1
    exponents = xp.where(near[..., None], exponents, 0.0)
    excess = xp.log1p(xp.sum(shared * xp.expm1(exponents), axis=-1)) / power
    parts = xp.where(inside, xp.log(xp.where(inside, weights, 1.0)) + power * logs, -xp.inf)
    top = xp.max(parts, axis=-1)
    total = xp.sum(xp.exp(parts - top[..., None]), axis=-1)
    return xp.where(near, geometric + excess, (top + xp.log(total)) / power)


def own_prices(order: float, stakes: Stakes, surplus: Array) -> Array:
    """Return the prices at which an agreement's own mean grows: the welfare's gradient."""
    xp = array_namespace(surplus)
    asked = stakes.inside & (surplus > 0)
    safe = xp.where(asked, surplus, 1.0)
    logs = xp.log(xp.where(asked, stakes.weights, 1.0)) + (1 - order) * xp.log(safe)
    logs = xp.where(asked, logs, -xp.inf)
    top = xp.max(logs, axis=-1)[..., None]
    return xp.where(asked, xp.exp(logs - xp.where(top > -xp.inf, top, 0.0)) / safe, 0.0)


def mean_gap(
    order: float,
    stakes: Stakes,
    surplus: Array,
    prices: Array,
    best: Array,
) -> tuple[Array, Array, Array]:
    """Bound the mean by Hölder's inequality: among all surpluses worth ``best``, the best mean."""
    xp = array_namespace(surplus)
    inside, weights = stakes.inside, stakes.weights
    tiny = xp.finfo(surplus.dtype).smallest_normal
    # Under order one a player may end with nothing, or by rounding with a little less.
    poor = surplus <= 0
    positive = xp.all(~poor | ~inside, axis=-1)
    if order < 1:
        positive = xp.any(~poor & inside, axis=-1)
    logs = xp.log(xp.where(inside & ~poor, surplus, tiny))
    priced = xp.all((prices > 0) | ~inside, axis=-1) & (best > 0)
    costs = xp.log(xp.where(inside & (prices > 0), prices, tiny))
    ideal = (xp.log(xp.where(inside, weights, 1.0)) - costs) / order
    spent = xp.where(inside, costs + ideal, -xp.inf)
    top = xp.max(spent, axis=-1)
    budget = top + xp.log(xp.sum(xp.exp(spent - top[..., None]), axis=-1))
    bound = log_mean(order, weights, ideal, inside) - budget
    bound = bound + xp.log(xp.where(best > 0, best, 1.0))
    gap = bound - log_mean(order, weights, logs, inside)

    portions = xp.log(xp.where(inside, weights, 1.0)) + (1 - order) * logs
    portions = xp.where(inside, portions, -xp.inf)
    portions = xp.exp(portions - xp.max(portions, axis=-1)[..., None])
    portions = portions / xp.sum(portions, axis=-1)[..., None]
    off = xp.abs(prices * surplus / xp.where(best > 0, best, 1.0)[..., None] - portions)
    residual = xp.max(xp.where(inside, off, 0.0), axis=-1)
    return gap, residual, positive & priced
