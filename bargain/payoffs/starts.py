"""Where the search for an agreement starts: over lotteries, and over any other polytope."""

from typing import Any, ClassVar, Protocol

from array_api_compat import array_namespace

from bargain.payoffs.agreements import AgreementSet
from bargain.payoffs.point import Point
from bargain.payoffs.products import apply_transposed, inner
from bargain.payoffs.program import Program, factorise, solve_bordered
from bargain.shapes import Array

ASIDE = 1e-3
"""Where a lottery starts, in units of the players: the least surplus, and the price of those whom
the search does not concern."""
MARGIN = 0.05
"""By how much the worth of the best outcome is exceeded at the start of a search for welfare."""
BALANCE = 0.1
"""The sum of columns times slopes at the start of a search for welfare over a polytope."""
LIFT = 0.5
"""The least of its columns, relative to their mean: what starts near the boundary stays there."""
STEEP = 2.0
"""Orders above this start at the prices of a max-min solution."""


class Ground(Protocol):
    """What a search has to know about the kind of agreement set."""

    repairs: ClassVar[bool]
    """Whether any point near the equations is easily put right, and any prices bound the worth."""

    def begin(self, program: Program, players: int, hint: Any) -> Point:
        """Return a first point of a linear program, near the hint if there is one."""
        ...

    def enter(
        self,
        agreements: AgreementSet,
        depths: Array,
        order: float,
        columns: Array,
        surplus: Array,
        point: Point,
    ) -> Point:
        """Return a first point for the welfare, from an agreement that a linear program found."""
        ...

    def legal(self, columns: Array) -> Array:
        """Return columns without what rounding left of infeasibility, where that is simple."""
        ...

    def support(self, prices: Array) -> Array:
        """Return what bounds the worth of agreements, out of the prices of the rows."""
        ...


class Lotteries:
    """Chances of at least zero that sum to one."""

    repairs: ClassVar[bool] = True

    def begin(self, program: Program, players: int, hint: Any) -> Point:
        """Begin with equal chances, and equal prices of the players' parts."""
        xp = array_namespace(program.rhs)
        assert program.free is not None
        gains = program.matrix[..., :players, :-players]
        count = gains.shape[-1]
        direction, needed = -program.free[..., :players], program.rhs[..., :players]
        chances = xp.ones_like(gains[..., 0, :]) / count
        if hint is not None:
            chances = (chances + hint) / 2
        above = inner(gains, chances[..., None, :]) - needed
        chances = xp.broadcast_to(chances, (*needed.shape[:-1], count))
        # A number low enough to leave one unit to everyone whom the search concerns.
        concerned = direction > 0
        ratio = xp.where(concerned, above / xp.where(concerned, direction, 1.0), xp.inf)
        number = xp.min(ratio, axis=-1) - 1
        number = xp.where(xp.any(concerned, axis=-1), number, 0.0)
        surplus = above - direction * number[..., None]
        surplus = xp.where(surplus > ASIDE, surplus, ASIDE)
        prices = xp.where(concerned, 1 / surplus, ASIDE)
        total = inner(direction, prices)[..., None]
        prices = prices / xp.where(total > 0, total, 1.0)
        values = apply_transposed(gains, prices)
        top = xp.max(values, axis=-1)[..., None] + inner(prices, surplus)[..., None]
        return Point(
            columns=xp.concat([chances, surplus], axis=-1),
            slopes=xp.concat([top - values, prices], axis=-1),
            prices=xp.concat([prices, -top], axis=-1),
            number=number,
        )

    def enter(
        self,
        agreements: AgreementSet,
        depths: Array,
        order: float,
        columns: Array,
        surplus: Array,
        point: Point,
    ) -> Point:
        """Take prices that are near, and slopes in balance with them."""
        xp = array_namespace(surplus)
        asked, parts = depths > -xp.inf, _parts(depths, order, surplus, point)
        prices = xp.where(asked, parts / surplus, ASIDE)
        values = apply_transposed(agreements.gains, prices)
        top = xp.max(values, axis=-1)[..., None]
        top = xp.where(top > 1, top, 1.0) * (1 + MARGIN)
        return Point(
            columns=xp.concat([columns, surplus], axis=-1),
            slopes=xp.concat([top - values, prices], axis=-1),
            prices=xp.concat([prices, -top], axis=-1),
            number=xp.zeros_like(surplus[..., 0]),
        )

    def legal(self, columns: Array) -> Array:
        """Make the chances sum to one."""
        return columns / array_namespace(columns).sum(columns, axis=-1)[..., None]

    def support(self, prices: Array) -> Array:
        """Return nothing: the best outcome bounds every lottery."""
        return prices[..., :0]


class Polytopes:
    """Any polytope in standard form."""

    repairs: ClassVar[bool] = False

    def begin(self, program: Program, players: int, hint: Any) -> Point:
        """Begin with Mehrotra's point: the shortest solutions of the equations, made positive."""
        xp = array_namespace(program.rhs)
        shape = (*program.rhs.shape[:-1], program.matrix.shape[-1])
        ones = xp.broadcast_to(xp.ones_like(program.matrix[..., 0, :]), shape)
        factor = factorise(program, ones)
        zero = xp.zeros_like(program.rhs[..., 0])
        combination, number = solve_bordered(program, factor, program.rhs, zero)
        prices, _ = solve_bordered(program, factor, xp.zeros_like(program.rhs), zero - 1)
        columns = _lifted(apply_transposed(program.matrix, combination))
        slopes = _lifted(-apply_transposed(program.matrix, prices))
        product = inner(columns, slopes)[..., None] / 2
        tiny = xp.finfo(columns.dtype).eps ** 0.5
        sums = [xp.sum(part, axis=-1)[..., None] for part in (columns, slopes)]
        return Point(
            columns=columns + product / (sums[1] + tiny) + tiny,
            slopes=slopes + product / (sums[0] + tiny) + tiny,
            prices=prices,
            number=number,
        )

    def enter(
        self,
        agreements: AgreementSet,
        depths: Array,
        order: float,
        columns: Array,
        surplus: Array,
        point: Point,
    ) -> Point:
        """Take prices that are near, and slopes in balance with the columns."""
        xp = array_namespace(surplus)
        players, count = surplus.shape[-1], columns.shape[-1]
        asked = depths > -xp.inf
        prices = _parts(depths, order, surplus, point) / surplus
        prices = xp.where(asked, prices, ASIDE)
        former = xp.where(asked, point.prices[..., :players] * surplus, 0.0)
        total = xp.sum(former, axis=-1)[..., None]
        rows = point.prices[..., players:] / total
        inside = point.columns[..., :count]
        least = LIFT * xp.mean(inside, axis=-1)[..., None]
        inside = xp.where(inside > least, inside, least)
        return Point(
            columns=xp.concat([inside, surplus], axis=-1),
            slopes=xp.concat([BALANCE / count / inside, prices], axis=-1),
            prices=xp.concat([prices, rows], axis=-1),
            number=xp.zeros_like(surplus[..., 0]),
        )

    def legal(self, columns: Array) -> Array:
        """Leave them."""
        return columns

    def support(self, prices: Array) -> Array:
        """Return the multipliers of the rows, positive where they bound from above."""
        return -prices


def _parts(depths: Array, order: float, surplus: Array, point: Point) -> Array:
    """Return what each player's gain is worth at the start, at prices of the agreement's own.

    High orders make those depend on its last digits: then at the prices that led there.
    """
    xp = array_namespace(surplus)
    if order > STEEP:
        prices = point.prices[..., : surplus.shape[-1]]
        parts = xp.where(depths > -xp.inf, prices * surplus, 0.0)
    else:
        logs = depths + (1 - order) * xp.log(surplus)
        parts = xp.exp(logs - xp.max(logs, axis=-1)[..., None])
    return parts / xp.sum(parts, axis=-1)[..., None]


def _lifted(values: Array) -> Array:
    xp = array_namespace(values)
    least = xp.min(values, axis=-1)[..., None]
    return values + xp.where(least < 0, -1.5 * least, 0.0)
