"""UPGrad and DualProj: projections onto the cone of updates that harm nobody."""

from typing import Any

from array_api_compat import array_namespace, device

from bargain.baselines.nonnegative import minimise
from bargain.baselines.reading import Reading, apply, read_gram, write
from bargain.shapes import Array, Float


def upgrad(
    gram: Array, /, weights: Any = None, *, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by unconflicting projection.

    Every gradient is projected onto the dual cone :math:`\{d : \langle g_i, d \rangle \ge 0\}` of
    all gradients; the update is :math:`\frac1K \sum_i w_i \pi(g_i)`. Each projection is a quadratic
    program, :math:`\min_v v^T M v` over :math:`v \ge e_i`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it, at least zero. Default: ones.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients, at least zero. At a Pareto stationary point where
        every gradient takes part they give an update that is zero up to rounding. NaN where a
        matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Notes
    -----
    Of dependent gradients several coefficients give the same update; one of these comes back.

    The published code (TorchJD) adds 1e-4 times the trace to the diagonal of the Gram matrix, by
    default, before it projects, so its update is near this one and may conflict a little.

    References
    ----------
    Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization", arXiv 2406.16232, eq. 3
    and proposition 1.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.upgrad(numpy.asarray([[4.0, -1.0], [-1.0, 1.0]])).round(6)
    array([0.625, 1.   ])
    """
    reading = read_gram(gram, weights, precision=precision)
    xp = array_namespace(gram)
    players = gram.shape[-1]
    identity = xp.eye(players, dtype=gram.dtype, device=device(gram))
    rows = (reading.lengths * reading.weights / players)[..., :, None]
    everyone = xp.ones_like(reading.cosines[..., None]) * reading.cosines[..., None, :, :]
    units = identity * xp.ones_like(reading.cosines)
    projected = units + _lift(everyone, units, reading.moving[..., None, :], reading)
    return _finish(reading, xp.sum(rows * projected, axis=-2))


def dualproj(
    gram: Array, /, weights: Any = None, *, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by projecting their mean onto the dual cone.

    The update is :math:`\pi(\frac1K \sum_i w_i g_i)`, of all updates that harm nobody the nearest
    to the weighted mean.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it, at least zero. Default: ones.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients, at least zero; NaN where a matrix of a batch is no
        Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    References
    ----------
    Lopez-Paz and Ranzato, "Gradient Episodic Memory for Continual Learning", NeurIPS 2017, arXiv
    1706.08840, eq. 11, there with the gradients of past tasks.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.dualproj(numpy.asarray([[16.0, -2.0], [-2.0, 1.0]])).round(6)
    array([0.5, 1. ])
    """
    reading = read_gram(gram, weights, precision=precision)
    start = reading.lengths * reading.weights / gram.shape[-1]
    return _finish(reading, start + _lift(reading.cosines, start, reading.moving, reading))


def _lift(cosines: Array, start: Array, moving: Array, reading: Reading) -> Array:
    """Return what has to be added to coefficients of unit gradients to reach the dual cone."""
    xp = array_namespace(start)
    identity = xp.eye(start.shape[-1], dtype=start.dtype, device=device(start))
    # Players without a gradient have a problem of their own, whose answer is zero.
    wish = xp.where(moving, -apply(cosines, start), -1.0)
    return minimise(xp.where(identity > 0, 1.0, cosines), wish, reading.backend)


def _finish(reading: Reading, shares: Array) -> Array:
    """Return coefficients from those of unit gradients."""
    xp = array_namespace(shares)
    idle = reading.weights / shares.shape[-1]
    return write(reading, xp.where(reading.moving, shares / reading.divisors, idle))
