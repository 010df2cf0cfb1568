"""MGDA: the shortest convex combination of gradients."""

from array_api_compat import array_namespace

from bargain.baselines.reading import read_gram, write
from bargain.min_norm import min_norm
from bargain.shapes import Array, Float


def mgda(
    gram: Array, /, *, normalised: bool = False, precision: float | None = None
) -> Float[Array, "*batch K"]:
    r"""Weigh gradients by the multiple-gradient descent algorithm.

    The coefficients of the shortest convex combination, :math:`\min_\alpha \|\sum_i \alpha_i
    g_i\|` over :math:`\alpha \ge 0`, :math:`\sum_i \alpha_i = 1`, found exactly by an
    interior-point method. Its direction is the egalitarian solution of the gradient game.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, in u²: inner products of the gradients.
    normalised : bool
        Take unit gradients: the combination is the shortest in *their* hull, which is the
        Kalai-Smorodinsky solution, and the coefficients, in 1/u, are those of the gradients as
        they are.
    precision : float, optional
        Relative precision of the matrix's entries, as in :func:`bargain.solve`.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the coefficients. At a Pareto stationary point they give an update
        that is zero as far as the matrix can tell, about the root of the machine epsilon. NaN where
        a matrix of a batch is no Gram matrix.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` does; and where one matrix is no Gram matrix.

    Notes
    -----
    A player without a gradient puts zero into the hull: his coefficient is one, and the update
    zero. With ``normalised`` he has no unit gradient and is left out.

    Published code differs. Sener and Koltun, and all who took their solver over, search by
    Frank-Wolfe steps, which crawl towards faces of the simplex; and where they normalise
    gradients, they apply the weights found to the gradients that are *not* normalised, which is
    another direction than either.

    References
    ----------
    Désidéri, "Multiple-gradient descent algorithm (MGDA) for multiobjective optimization", Comptes
    Rendus Mathématique 350 (2012) 313-318; Sener and Koltun, "Multi-Task Learning as
    Multi-Objective Optimization", NeurIPS 2018, arXiv 1810.04650, eq. 3 and algorithm 2.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.mgda(numpy.asarray([[4.0, 0.0], [0.0, 1.0]])).round(6)
    array([0.2, 0.8])
    """
    reading = read_gram(gram, precision=precision)
    xp = array_namespace(gram)
    frame = reading.frame
    if normalised:
        units = xp.ones_like(frame.units)
        weights, _ = min_norm(reading.game, frame._replace(units=units), reading.backend)
        return write(reading, weights / frame.units)
    weights, _ = min_norm(reading.game, frame, reading.backend)
    still = xp.astype(~reading.moving, gram.dtype)
    count = xp.sum(still, axis=-1)[..., None]
    weights = xp.where(count > 0, still / xp.where(count > 0, count, 1.0), weights)
    return write(reading, weights)
