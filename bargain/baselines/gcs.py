"""Gradient cosine similarity: auxiliary tasks count as far as they point the main task's way."""

from array_api_compat import array_namespace, device

from bargain.baselines.reading import read_gram, write
from bargain.shapes import Array, Float


def gcs(
    gram: Array, /, *, main: int = 0, weighted: bool = True, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh auxiliary gradients by their cosine with the main task's gradient.

    :math:`\alpha_i = \max(0, \cos(g_{main}, g_i))`, and one for the main task.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    main : int
        Which player is the main task.
    weighted : bool
        If false, an auxiliary task counts in full where its cosine is positive, else not at all.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients; NaN where a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; where one matrix is no Gram matrix; where there is no
        player ``main``.

    Notes
    -----
    The paper has one auxiliary task; with several, each is compared with the main task on its own,
    as in the code of AuxiLearn, which has the unweighted rule only.

    References
    ----------
    Du et al., "Adapting Auxiliary Losses Using Gradient Similarity", arXiv 1812.02224, the weighted
    and the unweighted version.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> gram = numpy.asarray([[4.0, 1.0, -1.0], [1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    >>> baselines.gcs(gram)
    array([1. , 0.5, 0. ])
    """
    reading = read_gram(gram, precision=precision)
    xp = array_namespace(gram)
    players = gram.shape[-1]
    if not 0 <= main < players:
        raise ValueError(f"main: expected a player from 0 to {players - 1}, found {main}")
    cosine = reading.cosines[..., main, :]
    counted = cosine if weighted else xp.ones_like(cosine)
    itself = xp.arange(players, device=device(gram)) == main
    return write(reading, xp.where(itself, 1.0, xp.where(cosine > 0, counted, 0.0)))
