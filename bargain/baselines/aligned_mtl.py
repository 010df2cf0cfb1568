"""Aligned-MTL: gradients replaced by their nearest orthogonal system."""

from typing import Any

from array_api_compat import array_namespace

from bargain.baselines.pseudo_inverse import spectrum, transform
from bargain.baselines.reading import read_gram, write
from bargain.shapes import Array, Float


def aligned_mtl(
    gram: Array, /, weights: Any = None, *, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by independent component alignment.

    With :math:`M = V \Lambda V^T` the gradients become :math:`\hat G = \sqrt{\lambda_{min}}\, V
    \Lambda^{-1/2} V^T G`, orthogonal to one another and of equal length, the smallest singular
    value of G; the update is :math:`\frac1K \sum_i w_i \hat g_i`.

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
        Shape ``(*batch, K)``: the coefficients; NaN where a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Notes
    -----
    Singular values that are rounding are left out, as in the paper; so next to a singular matrix
    the smallest one jumps, and the length of the update with it. Without any gradient the
    coefficients are the weights over K.

    The published code adds the aligned gradients up where the paper weighs them: K times this
    update. Its scales "median" and "rmse" are not in the paper and not here.

    References
    ----------
    Senushkin et al., "Independent Component Alignment for Multi-Task Learning", CVPR 2023, arXiv
    2305.19000, algorithm 1.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.aligned_mtl(numpy.asarray([[4.0, 0.0], [0.0, 1.0]])).round(6)
    array([0.25, 0.5 ])
    """
    reading = read_gram(gram, weights, precision=precision)
    xp = array_namespace(gram)
    lengths = reading.lengths
    matrix = reading.cosines * lengths[..., :, None] * lengths[..., None, :]
    parts = spectrum(matrix, reading.precision)
    smallest = xp.min(xp.where(parts.present, parts.values, xp.inf), axis=-1)[..., None]
    factors = xp.sqrt(xp.where(parts.present, smallest / parts.values, 1.0))
    wished = reading.weights / gram.shape[-1]
    aligned = transform(parts, factors, wished)
    return write(reading, xp.where(xp.any(reading.moving, axis=-1)[..., None], aligned, wished))
