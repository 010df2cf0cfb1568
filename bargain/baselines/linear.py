"""Linear scalarisation: fixed weights."""

from typing import Any

from array_api_compat import array_namespace

from bargain.baselines.reading import read_gram, write
from bargain.shapes import Array, Float


def linear(
    gram: Array, /, weights: Any = None, *, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by fixed numbers, the same at every step.

    :math:`\alpha_i = w_i / K`: without weights the update is the mean gradient. Multiply by K for
    the sum. This is the utilitarian solution.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients. Only its shape matters.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it: at least zero, not all zero. Default:
        ones.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; NaN where a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.linear(numpy.asarray([[9.0, -1.0], [-1.0, 1.0]]))
    array([0.5, 0.5])
    """
    reading = read_gram(gram, weights, precision=precision)
    xp = array_namespace(gram)
    return write(reading, reading.weights * xp.ones_like(reading.lengths) / gram.shape[-1])
