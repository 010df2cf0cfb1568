"""Loss weightings without a memory: linear scalarisation, scale invariance, random weights."""

from typing import Any

from array_api_compat import array_namespace

from bargain.baselines.loss_reading import read_beside, read_losses, softmax
from bargain.shapes import Array, Float


def ls(losses: Array, /, weights: Any = None) -> Float[Array, "*batch K"]:
    r"""Weigh losses by fixed numbers: linear scalarisation, :math:`\sum_i w_i L_i`.

    Parameters
    ----------
    losses : Array
        Shape ``(*batch, K)``. Only its shape matters.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it. Default: ones, the sum of losses.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the losses' coefficients; NaN where those of a batch are not finite.

    Raises
    ------
    TypeError
        Something is no array, not of a floating-point type, or of another library.
    ValueError
        A shape does not fit, or losses are not finite.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.ls(numpy.asarray([0.5, 8.0]))
    array([1., 1.])
    """
    losses = read_losses(losses)
    xp = array_namespace(losses)
    known = xp.where(xp.isnan(losses), losses, 1.0)
    return known if weights is None else known * read_beside("weights", weights, losses)


def si(losses: Array, /, weights: Any = None) -> Float[Array, "*batch K"]:
    r"""Weigh losses so that their scales do not matter: :math:`\sum_i w_i \log L_i`.

    The gradient of a logarithm is that of the loss divided by the loss, so the coefficients are
    :math:`w_i / L_i`.

    Parameters
    ----------
    losses : Array
        Shape ``(*batch, K)``, positive.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it. Default: ones.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the losses' coefficients; NaN where those of a batch are not positive
        and finite.

    Raises
    ------
    TypeError
        Something is no array, not of a floating-point type, or of another library.
    ValueError
        A shape does not fit, or losses are not positive and finite.

    References
    ----------
    The baseline "SI" of Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, arXiv
    2202.01017, section 5. Without weights it is the geometric mean of the losses (GLS) up to a
    factor.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.si(numpy.asarray([0.5, 8.0]))
    array([2.   , 0.125])
    """
    losses = read_losses(losses, positive=True)
    return 1 / losses if weights is None else read_beside("weights", weights, losses) / losses


def rlw(normal: Array, /) -> Float[Array, "*batch K"]:
    r"""Weigh losses at random: random loss weighting.

    The softmax of normal random numbers, drawn anew at every step.

    Parameters
    ----------
    normal : Array
        Shape ``(*batch, K)``: draws from the standard normal distribution, by the caller.

    Returns
    -------
    Array
        Shape ``(*batch, K)``: the losses' coefficients, positive; they sum to one. NaN where the
        draws of a batch are not finite.

    Raises
    ------
    TypeError
        They are no array, or not of a floating-point type.
    ValueError
        There is none, or one is not finite.

    References
    ----------
    Lin, Ye, Zhang and Tsang, "Reasonable Effectiveness of Random Weighting: A Litmus Test for
    Multi-Task Learning", TMLR 2022, arXiv 2111.10603, with the normal distribution, one of
    several there. The same weights on gradients are their RGW.

    Examples
    --------
    >>> import numpy
    >>> from bargain import baselines
    >>> baselines.rlw(numpy.asarray([0.0, numpy.log(3.0)]))
    array([0.25, 0.75])
    """
    return softmax(read_losses(normal))
