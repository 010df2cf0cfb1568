"""FairGrad: the α-fair agreement, at its natural length."""

from math import isfinite, log
from typing import NamedTuple

from array_api_compat import array_namespace, device

from bargain.baselines.reading import Reading, apply, read_gram, write
from bargain.shapes import Array, Bool, Float

STEPS = 200
"""Steps allowed; 5 to 15 are usual, more for high orders."""
HALVINGS = 30
"""Rounds of the search along a direction."""
NEAR = 0.3
"""Relative change of the entries, in units that suit the order, below which Newton is safe."""


def fairgrad(
    gram: Array, /, *, alpha: float = 2.0, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by α-fairness.

    The coefficients solve :math:`M x = x^{-1/\alpha}`, entry by entry: the α-fair agreement of the
    gradient game, of which Nash-MTL is the case of order one. Found by Newton's method on the
    strictly convex function whose stationary point this is.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    alpha : float
        The order of fairness, a positive number.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients, positive; zero for a player without a gradient;
        zeros at Pareto stationary points, where there is no solution; NaN where a matrix of a batch
        is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; where one matrix is no Gram matrix; where the order
        is not positive or not finite.

    Notes
    -----
    The length of the update depends on the units of the losses: gradients c times as long give
    coefficients :math:`c^{-2 \alpha / (\alpha + 1)}` times as large. Except at order one a change
    of one player's units changes the direction.

    Orders beyond 30 or below 0.3 may ask for coefficients whose digits or decades floating-point
    numbers do not have; the nearest that was found comes back. The outcome of :func:`bargain.solve`
    with ``AlphaFair`` says in its status whether the agreement has been proved.

    The published code hands the equation to a least-squares solver from equal weights, at its
    default tolerance, and uses what comes back, solved or not.

    References
    ----------
    Ban and Ji, "Fair Resource Allocation in Multi-Task Learning", ICML 2024, arXiv 2402.15638, eq.
    4 and algorithm 1.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.fairgrad(numpy.asarray([[8.0, 0.0], [0.0, 1.0]]), alpha=2.0).round(6)
    array([0.25, 1.  ])
    """
    if not (isfinite(alpha) and alpha > 0):
        raise ValueError(
            f"alpha: expected a positive number, found {alpha}; for 0 take linear, for infinity "
            f"mgda, whose directions these approach"
        )
    reading = read_gram(gram, precision=precision)
    xp = array_namespace(gram)
    power = 1 / alpha
    # In unit gradients the equation is C b = t (b / t)^(-1/α), where t comes from the lengths.
    unit = reading.divisors ** ((power - 1) / (power + 1))
    point, stationary = _minimise(reading, unit, power)
    # Gradients were divided by the longest.
    common = reading.longest ** (-2 / (1 + power))
    shares = point / reading.divisors * common[..., None]
    shares = xp.where(reading.moving & ~stationary[..., None], shares, 0.0)
    return write(reading, shares)


class _State(NamedTuple):
    point: Float[Array, "*batch K"]
    residual: Float[Array, "*batch"]
    done: Bool[Array, "*batch"]


def _minimise(
    reading: Reading, unit: Float[Array, "*batch K"], power: float
) -> tuple[Float[Array, "*batch K"], Bool[Array, "*batch"]]:
    """Solve the equation in unit gradients, and tell where there is no solution."""
    xp = array_namespace(unit)
    players = unit.shape[-1]
    epsilon = float(xp.finfo(unit.dtype).eps)
    identity = xp.eye(players, dtype=unit.dtype, device=device(unit))
    cosines = xp.where(identity > 0, 1.0, reading.cosines)
    resolution = reading.game.resolution
    # Coefficients of high orders are powers; below this their products would vanish.
    smallest = float(xp.finfo(unit.dtype).smallest_normal) ** 0.5

    def judge(point: Array) -> tuple[Array, Array, Array]:
        """Residual, the rounding under it, and the relative length of the combination."""
        product, demand = apply(cosines, point), _force(point, unit, power)
        terms = apply(xp.abs(cosines), point)
        residual = xp.max(xp.abs(product / demand - 1), axis=-1)
        floor = 8 * epsilon * xp.max(terms / demand, axis=-1)
        mine = xp.where(reading.moving, point, 0.0)
        length = xp.sum(mine * apply(cosines, mine), axis=-1)
        total = xp.sum(mine, axis=-1)
        length = xp.sqrt(xp.where(length > 0, length, 0.0)) / xp.where(total > 0, total, 1.0)
        return residual, floor, xp.where(total > 0, length, 1.0)

    def settled(point: Array, before: Array) -> tuple[Array, Array]:
        residual, floor, length = judge(point)
        # Half a digit more than the floor, or as far as steps still help.
        stalled = (residual <= 16 * floor) & (residual >= before / 2)
        return residual, (residual <= floor) | stalled | (length <= resolution)

    def step(state: _State) -> _State:
        point = state.point
        force = _force(point, unit, power)
        stiffness = power * force / point
        scale = 1 / xp.sqrt(1 + stiffness)
        matrix = scale[..., :, None] * cosines * scale[..., None, :]
        matrix = xp.where(identity > 0, 1 + 8 * players * epsilon, matrix)
        slope = apply(cosines, point) - force
        move = -scale * reading.backend.solve_spd(matrix, scale * slope)
        length = _search(point, move, apply(cosines, point), apply(cosines, move), unit, power)
        length = xp.where(state.done, 0.0, length)
        following = xp.maximum(point + length[..., None] * move, smallest * unit)
        residual, done = settled(following, state.residual)
        return _State(following, residual, state.done | done)

    infinite = xp.full_like(resolution, xp.inf)
    residual, done = settled(unit, infinite)
    state = _State(unit, residual, done)
    state = reading.backend.while_loop(lambda state: xp.any(~state.done), step, state, STEPS)
    return state.point, judge(state.point)[2] <= resolution


def _force(point: Array, unit: Array, power: float) -> Array:
    """Return what pulls every entry up, cut off where it would leave the range of numbers."""
    xp = array_namespace(point)
    range_ = log(float(xp.finfo(point.dtype).max))
    exponent = -power * xp.log(point / unit)
    return unit * xp.exp(xp.clip(exponent, -range_ / 2, range_ / 4))


def _search(
    point: Array, move: Array, product: Array, turn: Array, unit: Array, power: float
) -> Array:
    """Minimise the convex objective along a line: halve until its slope there is small."""
    xp = array_namespace(point)
    steepest = xp.max(-move / point, axis=-1)
    top = xp.where(steepest > 0.99, 0.99 / xp.where(steepest > 0.99, steepest, 1.0), 1.0)

    def slope(length: Array) -> Array:
        there = point + length[..., None] * move
        gradient = product + length[..., None] * turn - _force(there, unit, power)
        return xp.sum(move * gradient, axis=-1)

    start = xp.abs(slope(xp.zeros_like(top)))
    low, high, length = xp.zeros_like(top), top, top
    # Near the solution Newton needs no search, and rounding would hide its steps from one.
    near = (1 + power) * xp.max(xp.abs(move / point), axis=-1) <= NEAR
    for _ in range(HALVINGS):
        here = slope(length)
        good = near | (here <= 0.5 * start)
        low = xp.where(here <= 0, length, low)
        high = xp.where(here > 0, length, high)
        length = xp.where(good, length, (low + high) / 2)
    return length
