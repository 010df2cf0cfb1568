r"""Agreement sets: what every game over payoffs that can be mixed comes down to.

Surpluses are linear in columns :math:`x \ge 0` that satisfy equations. For lotteries the columns
are the chances and the one equation says that they sum to one; for a polytope they are the point,
counted from its lower bounds, and the slacks of the inequalities.
"""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bargain.payoffs.games import FiniteGame, PayoffGame
from bargain.payoffs.products import apply
from bargain.shapes import Array


class AgreementSet(NamedTuple):
    """Surpluses ``gains @ x + base`` over all ``x >= 0`` with ``rows @ x == levels``.

    Attributes
    ----------
    gains
        Shape ``(*batch, K, C)``, in u.
    base
        Shape ``(*batch, K)``, in u.
    rows
        Shape ``(*batch, M, C)``.
    levels
        Shape ``(*batch, M)``.
    sizes
        Shape ``(*batch, K)``, in u: of the numbers that surpluses are differences of.
    units
        Shape ``(*batch, K)``, in u, positive: what to count surpluses in.
    """

    gains: Array
    base: Array
    rows: Array
    levels: Array
    sizes: Array
    units: Array


class Stakes(NamedTuple):
    """Who bargains over what.

    Attributes
    ----------
    weights
        Shape ``(*batch, K)``, sums to one; zero for players without a say.
    total
        Shape ``(*batch)``: the sum of the game's own weights.
    inside
        Shape ``(*batch, K)``: who has a say.
    asked
        Shape ``(*batch, K)``, in u: the disagreement point.
    hoped
        Shape ``(*batch, K)``, in u: the game's ideal point less the disagreement point; or None.
    valid
        Shape ``(*batch)``: whether the numbers can belong to a game at all.
    """

    weights: Array
    total: Array
    inside: Array
    asked: Array
    hoped: Array | None
    valid: Array


def stakes_of(game: Any, chief: Array, players: tuple[int, ...]) -> Stakes:
    """Read weights, disagreement point and ideal point of a game of any kind."""
    xp = array_namespace(chief)
    where = {"dtype": chief.dtype, "device": device(chief)}
    weights = xp.ones(players, **where) if game.weights is None else game.weights
    weights = xp.broadcast_to(weights, players)
    asked = xp.zeros(players, **where) if game.disagreement is None else game.disagreement
    asked = xp.broadcast_to(asked, players)
    inside = weights > 0
    fine = xp.isfinite(weights) & (weights >= 0) & xp.isfinite(asked)
    hoped = None
    if game.ideal is not None:
        hoped = xp.broadcast_to(game.ideal, players) - asked
        fine = fine & xp.isfinite(hoped) & ((hoped > 0) | ~inside)
    valid = xp.all(fine, axis=-1) & xp.any(inside, axis=-1)
    sound = valid[..., None]
    weights = xp.where(sound, weights, 1.0)
    if hoped is not None:
        hoped = xp.where(sound & inside, hoped, 1.0)
    largest = xp.max(weights, axis=-1)[..., None]
    parts = weights / largest
    total = xp.sum(parts, axis=-1)[..., None]
    return Stakes(
        weights=parts / total,
        total=(total * largest)[..., 0],
        inside=weights > 0,
        asked=xp.where(sound, asked, 0.0),
        hoped=hoped,
        valid=valid,
    )


def lotteries_of(game: PayoffGame | FiniteGame) -> tuple[AgreementSet, Stakes]:
    """Return the surpluses of every outcome, and the stakes; harmless ones for invalid games."""
    payoffs = game.payoffs
    xp = array_namespace(payoffs)
    outcomes, players = payoffs.shape[-2:]
    batch = tuple(payoffs.shape[:-2])
    stakes = stakes_of(game, payoffs, (*batch, players))
    table = xp.matrix_transpose(payoffs)
    valid = stakes.valid & xp.all(xp.isfinite(table), axis=(-2, -1))
    sound = valid[..., None, None]
    gains = xp.where(sound, table - stakes.asked[..., None], 1.0)
    sizes = xp.max(xp.abs(xp.where(sound, table, 1.0)), axis=-1) + xp.abs(stakes.asked)
    where = {"dtype": payoffs.dtype, "device": device(payoffs)}
    best = xp.max(gains, axis=-1)
    units = xp.where(best > 0, best, sizes)
    agreements = AgreementSet(
        gains=gains,
        base=xp.zeros((*batch, players), **where),
        rows=xp.ones((*batch, 1, outcomes), **where),
        levels=xp.ones((*batch, 1), **where),
        sizes=sizes,
        units=xp.where(units > 0, units, 1.0),
    )
    return agreements, stakes._replace(valid=valid)


def surplus_of(agreements: AgreementSet, columns: Array) -> Array:
    """Return what each player gains."""
    return apply(agreements.gains, columns) + agreements.base


def in_units(agreements: AgreementSet, inside: Array) -> AgreementSet:
    """Count each player's surplus in units of his own, and cut off those without a say.

    So no scale of payoffs reaches the search. A player without a say keeps his place, so that
    shapes depend on no value, with a surplus of one whatever is agreed.
    """
    xp = array_namespace(agreements.gains)
    gains = xp.where(inside[..., None], agreements.gains / agreements.units[..., None], 0.0)
    return agreements._replace(
        gains=gains,
        base=xp.where(inside, agreements.base / agreements.units, 1.0),
        sizes=agreements.sizes / agreements.units,
        units=xp.ones_like(agreements.units),
    )
