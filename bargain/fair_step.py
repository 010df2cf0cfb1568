r"""Newton's step for the α-fair solutions.

They solve :math:`C b = c / b^{\gamma}`, :math:`\gamma = 1/a`: the minimiser over :math:`b > 0` of

.. math:: f(b) = \tfrac12 b^T C b - \sum_i c_i \frac{b_i^{1 - \gamma}}{1 - \gamma} ,

strictly convex for every :math:`\gamma > 0`, with the Nash solution where :math:`\gamma = 1`.
Prices spread over hundreds of decades where :math:`\gamma` is small, and what they are
wanted for, :math:`s = c / b^\gamma`, where it is large. So the method differs from that for Nash
games in three ways, without which it would crawl.

- Prices are kept as logarithms.
- The curvature is that of a secant: where :math:`s` is to move to :math:`\hat u = C b`, the second
  derivative :math:`\gamma s / b` becomes :math:`\gamma m / b` with :math:`m` the logarithmic mean
  of the two, which is exact for a player on his own. At the solution it is Newton's again.
- A price that falls to less than half does so exponentially: it may lose a hundred decades in one
  step and holds up nobody. Others move along the straight line, which keeps combinations of
  gradients that nearly cancel as they are.

The direction descends, whatever the curvature, and a search along it makes sure that :math:`f`
falls.
"""

from typing import NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import ROUNDING, Evidence
from bargain.fair_shares import exponential, log_owed, log_stakes, logarithm, weigh_fair
from bargain.shapes import Array, Bool, Float

ROUNDS = 12
"""Slopes that the search looks at; one does near a solution."""
SLACK = 0.5
"""The search ends where the slope has fallen to this part of the slope it started with."""
NEAR = 1e-3
"""Gaps above this belong to no iterate that is near the solution."""
LEAST_UTILITY = 1e-3
"""Utilities below this part of what is wanted count as so much for the secant."""


class FairState(NamedTuple):
    """Prices and their logarithms, the cosines times them, and what they prove."""

    logs: Float[Array, "*batch K"]
    point: Float[Array, "*batch K"]
    product: Float[Array, "*batch K"]
    evidence: Evidence
    previous: Float[Array, "*batch"]


class _Search(NamedTuple):
    """A length between two bounds, and whether it is good enough."""

    lower: Float[Array, "*batch"]
    upper: Float[Array, "*batch"]
    length: Float[Array, "*batch"]
    settled: Bool[Array, "*batch"]


def fair_state(
    game: CanonicalGame,
    order: float,
    logs: Float[Array, "*batch K"],
    previous: Float[Array, "*batch"],
) -> FairState:
    """Return the state of prices after an exact search along their ray."""
    xp = array_namespace(logs)
    largest = xp.max(xp.where(game.inside, logs, -xp.inf), axis=-1)
    largest = xp.where(largest > -xp.inf, largest, 0.0)
    shape = xp.where(game.inside, exponential(logs - largest[..., None]), 0.0)
    power = xp.sum(shape * apply_cosines(game, shape), axis=-1)
    # Where gradients cancel, the power counts as what the resolution can tell.
    least = (0.1 * game.resolution * xp.sum(shape, axis=-1)) ** 2
    power = xp.where(power > least, power, xp.where(least > 0, least, 1.0))
    _, owed = log_owed(game, order, logs)
    stretch = (owed - xp.log(power) - 2 * largest) / (1 + 1 / order)
    logs = xp.where(game.inside, logs + stretch[..., None], 0.0)
    point = exponential(logs)
    product = apply_cosines(game, point)
    evidence, _ = weigh_fair(game, order, point, product, most=NEAR)
    return FairState(logs, point, product, evidence, previous)


def fair_step(game: CanonicalGame, order: float, state: FairState) -> FairState:
    """Take one step along Newton's direction."""
    direction = _direction(game, order, state)
    length = _search(game, order, state, direction)
    moved = state.logs + _moved(length[..., None] * direction)[1]
    return fair_state(game, order, moved, state.evidence.residual)


def _wanted(game: CanonicalGame, order: float, logs: Array) -> Array:
    """Return the utilities that make the prices right."""
    return exponential(log_stakes(game, order) - logs / order)


def _direction(game: CanonicalGame, order: float, state: FairState) -> Float[Array, "*batch K"]:
    """Return the relative change of every price."""
    xp = array_namespace(state.point)
    point, product = state.point, state.product
    wanted = _wanted(game, order, state.logs)
    secant = _logarithmic_mean(
        wanted, xp.where(product > LEAST_UTILITY * wanted, product, LEAST_UTILITY * wanted)
    )
    curvature = exponential(logarithm(secant) - state.logs) / order
    players = point.shape[-1]
    identity = xp.eye(players, dtype=point.dtype, device=device(point))
    scale = 1 / xp.sqrt(xp.linalg.diagonal(game.cosines) + curvature)
    ridge = ROUNDING * players * xp.finfo(point.dtype).eps
    coupling = scale[..., :, None] * game.cosines * scale[..., None, :]
    matrix = xp.where(identity > 0, 1 + ridge, coupling)
    move = scale * backend_for(point).solve_spd(matrix, scale * (wanted - product))
    # Prices that have vanished still have a relative change: that of what is wanted for them.
    stiff = curvature > 1
    force = wanted - product - apply_cosines(game, move)
    implied = force * order / xp.where(stiff, secant, 1.0)
    return xp.where(stiff, implied, move / xp.where(stiff, 1.0, point))


def _logarithmic_mean(one: Array, other: Array) -> Array:
    xp = array_namespace(one)
    ratio = logarithm(one) - logarithm(other)
    close = xp.abs(ratio) < 1e-3
    return xp.where(close, (one + other) / 2, (one - other) / xp.where(close, 1.0, ratio))


def _moved(change: Array) -> tuple[Array, Array, Array]:
    """Return by which factor prices move, its logarithm, and its derivative."""
    xp = array_namespace(change)
    linear = change > -0.5
    straight = xp.where(linear, change, 0.0)
    fallen = exponential(1 + 2 * xp.where(linear, -0.5, change)) / 2
    factor = xp.where(linear, 1 + straight, fallen)
    logs = xp.where(linear, xp.log1p(straight), 1 + 2 * change - 0.6931471805599453)
    return factor, logs, xp.where(linear, 1.0, 2 * fallen)


def _search(
    game: CanonicalGame, order: float, state: FairState, direction: Float[Array, "*batch K"]
) -> Float[Array, "*batch"]:
    """Return how far to go: to where the slope has fallen enough."""
    xp = array_namespace(direction)

    def slope(length: Array) -> Array:
        factor, logs, speed = _moved(length[..., None] * direction)
        point = state.point * factor
        force = apply_cosines(game, point) - _wanted(game, order, state.logs + logs)
        return xp.sum(force * state.point * speed * direction, axis=-1)

    def running(search: _Search) -> Array:
        return xp.any(~search.settled)

    def look(search: _Search) -> _Search:
        found = slope(search.length)
        settled = search.settled | (xp.abs(found) <= SLACK * start)
        upper = xp.where(found > 0, search.length, search.upper)
        lower = xp.where(found > 0, search.lower, search.length)
        bounded = upper < xp.inf
        middle = (lower + xp.where(bounded, upper, lower)) / 2
        proposal = xp.where(bounded, middle, 2 * search.length)
        return _Search(lower, upper, xp.where(settled, search.length, proposal), settled)

    nothing = xp.zeros_like(game.resolution)
    start = xp.abs(slope(nothing))
    first = _Search(nothing, nothing + xp.inf, nothing + 1, start == 0)
    last = backend_for(direction).while_loop(running, look, first, ROUNDS)
    return xp.where(last.settled | (last.upper == xp.inf), last.length, last.lower)
