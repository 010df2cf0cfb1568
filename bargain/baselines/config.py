"""ConFIG: equal cosines with all gradients, and a length that follows from them."""

from typing import Any

from array_api_compat import array_namespace

from bargain.baselines.pseudo_inverse import pseudo_solve
from bargain.baselines.reading import apply, read_gram, write
from bargain.shapes import Array, Float


def config(
    gram: Array, /, weights: Any = None, *, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients so that the update is free of conflicts.

    With the matrix U of unit gradients, :math:`v = U^{+} w` has the same cosine with every
    gradient, or cosines in the ratio of the weights; the update is :math:`(\sum_i \langle g_i,
    \hat v \rangle) \hat v` with :math:`\hat v = v / \|v\|`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it, at least zero: the ratio of the cosines.
        Default: ones.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; zeros where no direction has such cosines even
        nearly (as for g and -g); NaN where a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Notes
    -----
    Where gradients depend on one another, the direction is the least-squares one and may conflict.
    A Gram matrix shows dependence only down to the root of its precision, where the
    pseudo-inverse of the gradients themselves, as in the published code, sees more. A player
    without a gradient gets zero.

    References
    ----------
    Liu, Chu and Thuerey, "ConFIG: Towards Conflict-free Training of Physics Informed Neural
    Networks", ICLR 2025, arXiv 2408.11104, eq. 2.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.config(numpy.asarray([[4.0, 0.0], [0.0, 1.0]])).round(6)
    array([0.75, 1.5 ])
    """
    reading = read_gram(gram, weights, precision=precision)
    xp = array_namespace(gram)
    wished = xp.where(reading.moving, reading.weights, 0.0)
    shares = pseudo_solve(reading.cosines, wished, reading.precision)
    projections = apply(reading.cosines, shares)
    power = xp.sum(shares * projections, axis=-1)[..., None]
    size = xp.sum(wished * wished, axis=-1)[..., None]
    # The shortest power possible is |w|^2 over the largest eigenvalue, at most K.
    defined = power > 64 * reading.precision * size
    length = xp.sum(reading.lengths * projections, axis=-1)[..., None]
    factor = xp.where(defined, length / xp.where(defined, power, 1.0), 0.0)
    return write(reading, xp.where(reading.moving, factor * shares / reading.divisors, 0.0))
