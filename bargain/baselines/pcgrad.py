"""PCGrad: every gradient gives up what conflicts with another."""

from typing import Any

from array_api_compat import array_namespace, device

from bargain.baselines.reading import read_gram, read_order, write
from bargain.shapes import Array, Float


def pcgrad(
    gram: Array, /, *, order: Any, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by projecting conflicting gradients.

    Each gradient in turn meets the others, in a random order of his own; where its inner product
    with another one is negative, it is projected onto that one's normal plane. The update is the
    sum of what remains: :math:`\sum_i g_i^{PC}`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    order : Array or sequence of int
        Shape ``(*batch, K, K)`` or one that broadcasts to it, as ``(K,)``: row i is a permutation
        of all players, in which i meets the others. The paper draws it anew at every step.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; NaN where a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; where one matrix is no Gram matrix; where the order
        does not consist of permutations.

    Notes
    -----
    A projection may bring back a conflict that an earlier one removed: with more than two players
    the update may still conflict with some of them, and for two it never does.

    The copy in the code of Nash-MTL lets a gradient meet itself as well, which matters where the
    others' projections have turned it against itself.

    References
    ----------
    Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020, arXiv 2001.06782,
    algorithm 1.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.pcgrad(numpy.asarray([[4.0, -1.0], [-1.0, 1.0]]), order=[0, 1])
    array([1.25, 2.  ])
    """
    reading = read_gram(gram, precision=precision)
    visits = read_order(order, gram)
    xp = array_namespace(gram)
    players = gram.shape[-1]
    # Row i: what remains of the unit gradient of player i, in terms of all unit gradients.
    rows = xp.eye(players, dtype=gram.dtype, device=device(gram)) * xp.ones_like(reading.cosines)
    for turn in range(players):
        products = rows @ reading.cosines
        conflict = visits[..., turn, :, :] & (products < 0)
        rows = rows - xp.where(conflict, products, 0.0)
    total = xp.sum(reading.lengths[..., :, None] * rows, axis=-2)
    return write(reading, xp.where(reading.moving, total / reading.divisors, 1.0))
