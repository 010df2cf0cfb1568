"""CAGrad: near the mean gradient, the update that does most for whoever gains least."""

from typing import NamedTuple

from array_api_compat import array_namespace, device

from bargain.baselines.reading import Reading, apply, read_gram, write
from bargain.shapes import Array, Bool, Float

STEPS = 300
"""Steps allowed; 20 to 40 are usual."""
CAREFUL = 1e-4
"""Down to this part of the problem's size the barrier falls slowly, and steps are damped."""
FALL, TRUSTED = 0.2, 0.25
"""What is left of the barrier when it falls, and below which decrement of Newton's it does."""
KEPT = 0.01
"""Part of every entry that a step leaves at least."""


def cagrad(
    gram: Array, /, *, distance: float = 0.4, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by conflict-averse gradient descent.

    With the mean gradient :math:`g_0`, the update solves :math:`\max_d \min_i \langle g_i, d
    \rangle` over :math:`\|d - g_0\| \le c \|g_0\|`. Its dual is :math:`\min_w \langle g_w, g_0
    \rangle + c \|g_0\| \|g_w\|` over the simplex, with :math:`g_w = \sum_i w_i g_i`, and then
    :math:`d = g_0 + c \|g_0\| g_w / \|g_w\|`. The dual is solved by an interior-point method.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    distance : float
        How far the update may be from the mean gradient, as a part of its length, at least zero:
        the paper's c, below one there. Zero gives the mean; the larger, the nearer is the
        direction to MGDA's.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; zeros where :math:`g_w` vanishes, which leaves the
        update open; NaN where a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; where one matrix is no Gram matrix; where the
        distance is negative.

    Notes
    -----
    Below a distance of one the update vanishes only with the mean gradient: at other Pareto
    stationary points it goes on, at the cost of some.

    The published code multiplies the update by :math:`K / (1 + c^2)`, which the paper does not say.
    It solves the dual with a general-purpose solver at its default tolerance and adds 1e-8 under
    roots; TorchJD solves it with a conic solver and gives zeros below a norm of 1e-4 after dividing
    by the trace.

    References
    ----------
    Liu et al., "Conflict-Averse Gradient Descent for Multi-task Learning", NeurIPS 2021, arXiv
    2110.14048, algorithm 1.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.cagrad(numpy.asarray([[4.0, 0.0], [0.0, 1.0]])).round(4)
    array([0.5   , 0.9472])
    """
    if not distance >= 0:
        raise ValueError(f"distance: expected a number of at least zero, found {distance}")
    reading = read_gram(gram, precision=precision)
    xp = array_namespace(gram)
    lengths, players = reading.lengths, gram.shape[-1]
    matrix = reading.cosines * lengths[..., :, None] * lengths[..., None, :]
    gains = xp.sum(matrix, axis=-1) / players
    power = xp.sum(gains, axis=-1) / players
    reach = distance * xp.sqrt(xp.where(power > 0, power, 0.0))
    weights = _minimise(matrix, gains, reach, reading)
    length = _length(matrix, weights)
    defined = length > reading.game.resolution * xp.sum(weights * lengths, axis=-1)
    factor = xp.where(defined, reach / xp.where(defined, length, 1.0), 0.0)[..., None]
    return write(reading, xp.where(defined[..., None], 1 / players + factor * weights, 0.0))


class _State(NamedTuple):
    weights: Float[Array, "*batch K"]
    slack: Float[Array, "*batch K"]
    level: Float[Array, "*batch"]
    length: Float[Array, "*batch"]
    barrier: Float[Array, "*batch"]


def _length(matrix: Array, weights: Array) -> Array:
    xp = array_namespace(weights)
    power = xp.sum(weights * apply(matrix, weights), axis=-1)
    return xp.sqrt(xp.where(power > 0, power, 0.0))


def _minimise(
    matrix: Float[Array, "*batch K K"],
    gains: Float[Array, "*batch K"],
    reach: Float[Array, "*batch"],
    reading: Reading,
) -> Float[Array, "*batch K"]:
    r"""Minimise :math:`a^T w + \rho \|g_w\|` over the simplex by primal-dual steps.

    The norm has a barrier too, that of its cone, which rounds it off where it bends most. Far from
    the optimum the barrier is followed by damped steps, which no bend leads astray.
    """
    xp = array_namespace(gains)
    players = gains.shape[-1]
    epsilon = float(xp.finfo(gains.dtype).eps)
    size = xp.max(xp.abs(gains), axis=-1) + reach
    size = xp.where(size > 0, size, 1.0)
    ridge = 8 * players * epsilon
    least = size * (0.01 * epsilon / players)
    identity = xp.eye(players, dtype=gains.dtype, device=device(gains))

    def slope(weights: Array) -> tuple[Array, Array, Array]:
        length = _length(matrix, weights)
        length = xp.where(length > epsilon, length, epsilon)[..., None]
        toward = apply(matrix, weights) / length
        return gains + reach[..., None] * toward, toward, length

    def running(state: _State) -> Bool[Array, "*batch"]:
        slopes, _, length = slope(state.weights)
        off = xp.max(xp.abs(slopes - state.level[..., None] - state.slack), axis=-1)
        gap = xp.sum(state.weights * state.slack, axis=-1)
        # Where gradients nearly cancel, rounding is as large as what they would be together.
        together = xp.sum(state.weights * reading.lengths, axis=-1) / length[..., 0]
        return (gap > epsilon * size) | (off > ridge * (size + reach * together))

    def step(state: _State) -> _State:
        weights, slack = state.weights, state.slack
        mean = xp.sum(weights * slack, axis=-1)[..., None] / players
        short = state.length < 0.5
        far = state.barrier > CAREFUL * size
        target = mean * xp.where(short, 0.9 * xp.ones_like(state.length), 0.05)[..., None]
        target = xp.where(far, state.barrier, target[..., 0])
        # Below this a gap is none, and slacks would vanish.
        target = xp.where(target > least, target, least)[..., None]
        slack = xp.where(far[..., None], target / weights, slack)
        pull = apply(matrix, weights)
        radius = xp.where(reach > 0, target[..., 0] / xp.where(reach > 0, reach, 1.0), 0.0)
        hypotenuse = xp.sqrt(_length(matrix, weights) ** 2 + radius**2)
        hypotenuse = xp.where(hypotenuse > epsilon, hypotenuse, epsilon)[..., None]
        length = radius[..., None] + hypotenuse
        toward = pull / length
        slopes = gains + reach[..., None] * toward
        bent = toward[..., :, None] * (pull / hypotenuse)[..., None, :]
        bend = (matrix - bent) / length[..., None]
        bend = reach[..., None, None] * bend
        # Along the weights the norm is straight; what is left of its bend there is rounding.
        diagonal = xp.linalg.diagonal(bend)
        straight = ridge * reach[..., None] * xp.linalg.diagonal(matrix) / length
        diagonal = xp.where(diagonal > straight, diagonal, straight) + slack / weights
        scale = 1 / xp.sqrt(diagonal)
        bend = scale[..., :, None] * bend * scale[..., None, :]
        bend = xp.where(identity > 0, 1 + ridge, bend)
        force = state.level[..., None] - slopes + target / weights
        free = scale * reading.backend.solve_spd(bend, scale * force)
        unit = scale * reading.backend.solve_spd(bend, scale)
        missing = 1 - xp.sum(weights, axis=-1) - xp.sum(free, axis=-1)
        rise = missing / xp.sum(unit, axis=-1)
        move = free + rise[..., None] * unit
        change = target / weights - slack - slack * move / weights
        drop = xp.max(xp.concat([-move / weights, -change / slack], axis=-1), axis=-1)
        part = xp.where(drop > 1 - KEPT, (1 - KEPT) / xp.where(drop > 0, drop, 1.0), 1.0)
        # Newton's decrement says how far his step is to be trusted.
        curved = xp.sum(move * force, axis=-1) / xp.where(far, target[..., 0], size)
        decrement = xp.sqrt(xp.where(curved > 0, curved, 0.0))
        near = far & (decrement < TRUSTED)
        part = xp.where(far, xp.where(near, 1.0, 1 / (1 + decrement)), part)
        live = running(state)
        part = xp.where(live, part, 0.0)
        moved = weights + part[..., None] * move
        lifted = xp.where(far[..., None], target / moved, slack + part[..., None] * change)
        barrier = xp.where(live & near, state.barrier * FALL, state.barrier)
        return _State(
            moved,
            xp.where(live[..., None], lifted, state.slack),
            state.level + part * rise,
            xp.where(live, part, state.length),
            barrier,
        )

    even = xp.ones_like(gains) / players
    slopes = slope(even)[0]
    level = xp.min(slopes, axis=-1) - size
    first = _State(even, slopes - level[..., None], level, xp.ones_like(reach), size / players)
    return reading.backend.while_loop(
        lambda state: xp.any(running(state)), step, first, STEPS
    ).weights
