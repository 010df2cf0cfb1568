"""IMTL-G: equal projections on all unit gradients."""

from array_api_compat import array_namespace

from bargain.baselines.pseudo_inverse import pseudo_solve
from bargain.baselines.reading import read_gram, write
from bargain.shapes import Array, Float

CANCELLED = 64.0
"""A sum below this many times K precisions of its absolute terms counts as zero."""


def imtl_g(gram: Array, /, *, precision: float | None = None) -> Float[Array, "*batch K"]:
    r"""Weigh gradients so that the update has equal projections on all unit gradients.

    With unit gradients :math:`u_i = g_i / \|g_i\|` and their cosines C: :math:`\beta = C^{+} 1`,
    :math:`\alpha_i \propto \beta_i / \|g_i\|`, and :math:`\sum_i \alpha_i = 1`. This is the paper's
    closed form :math:`\alpha = g_1 U^T (D U^T)^{-1}` wherever that exists.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; zeros where no multiple sums to one; NaN where a
        matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Notes
    -----
    Coefficients may be negative, and with three players or more their sum may be negative before
    it is made one: then *every* inner product of the update with a gradient is negative, and a
    step raises all losses. That is the paper's closed form, and its published code.

    Where gradients depend on one another, equal projections may not exist; the answer is then the
    least-squares one, on unit gradients. TorchJD takes the pseudo-inverse of the Gram matrix
    itself, which makes that answer depend on the gradients' scales. A player without a gradient
    gets zero.

    References
    ----------
    Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021 (IMTL-G); dependent gradients:
    Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization", arXiv 2406.16232.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.imtl_g(numpy.asarray([[4.0, 0.0], [0.0, 1.0]])).round(6)
    array([0.333333, 0.666667])
    """
    reading = read_gram(gram, precision=precision)
    xp = array_namespace(gram)
    ones = xp.astype(reading.moving, gram.dtype)
    solved = pseudo_solve(reading.cosines, ones, reading.precision)
    shares = xp.where(reading.moving, solved, 0.0) / reading.divisors
    total = xp.sum(shares, axis=-1)[..., None]
    size = xp.sum(xp.abs(shares), axis=-1)[..., None]
    defined = xp.abs(total) > CANCELLED * gram.shape[-1] * reading.precision * size
    return write(reading, xp.where(defined, shares / xp.where(defined, total, 1.0), 0.0))
