"""The solutions that raise the smallest part, as functions of a Gram matrix."""

from typing import Any

from bargain.games import GradientGame
from bargain.outcome import Outcome
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Egalitarian, KalaiSmorodinsky
from bargain.solve import solve
from bargain.solver import Solver


def kalai_smorodinsky(
    gram: Float[Array, "*batch K K"],
    weights: Float[Array, "*#batch K"] | None = None,
    *,
    ideal: Float[Array, "*#batch K"] | None = None,
    leximin: bool = False,
    disagreement: Float[Array, "*#batch K"] | None = None,
    radius: Any = 1.0,
    active: Bool[Array, "*#batch K"] | None = None,
    solver: Solver | None = None,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    r"""Solve a gradient game for its Kalai-Smorodinsky solution.

    The update of bounded length with the largest :math:`\min_i u_i / I_i`, where :math:`I` is the
    ideal point: everyone gets the same part of what he could hope for at best. It is along the
    shortest convex combination of the :math:`g_i / I_i`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``: inner products of gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)``: zero for players without a say (otherwise they do
        not matter); default: all one.
    ideal : Array or sequence of float, optional
        Shape ``(*batch, K)``, positive: each player's best payoff; default: ``radius * ||g_i||``.
    leximin : bool
        See :class:`bargain.KalaiSmorodinsky`; it makes no difference without a disagreement point.
    disagreement : Array or sequence of float, optional
        What each player has without an agreement; default: zero.
    radius : float or Array
        See :class:`bargain.GradientGame`, also for the next.
    active : Array or sequence of bool, optional
        Who is there.
    solver : Solver, optional
        See :func:`bargain.solve`, also for the next three.
    start : Array, optional
        Coefficients to start from.
    max_steps : int, optional
        Give up after so many steps.
    precision : float, optional
        Relative precision of the entries of the Gram matrix.

    Returns
    -------
    Outcome
        Coefficients, utilities, shares, status and certificate.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` and :func:`bargain.solve` do.

    References
    ----------
    Kalai and Smorodinsky, Econometrica 43 (1975) 513-518. With the default ideal point the update
    has equal inner products with all unit gradients that count, as in IMTL-G (Liu et al., ICLR
    2021) and ConFIG (Liu, Chu and Thuerey, arXiv 2408.11104).

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 4.0]])
    >>> bargain.kalai_smorodinsky(gram).utilities.round(4)
    array([0.7071, 1.4142])
    """
    game = GradientGame(gram, weights, disagreement, radius, active, ideal)
    return solve(
        game,
        KalaiSmorodinsky(leximin),
        solver=solver,
        start=start,
        max_steps=max_steps,
        precision=precision,
    )


def egalitarian(
    gram: Float[Array, "*batch K K"],
    weights: Float[Array, "*#batch K"] | None = None,
    *,
    leximin: bool = False,
    disagreement: Float[Array, "*#batch K"] | None = None,
    radius: Any = 1.0,
    active: Bool[Array, "*#batch K"] | None = None,
    solver: Solver | None = None,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    r"""Solve a gradient game for its (weighted) egalitarian solution.

    The update of bounded length with the largest :math:`\min_i u_i / w_i`. It is along the shortest
    convex combination of the :math:`g_i / w_i`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``: inner products of gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)``: what each player's gain is divided by; default: all one.
    leximin : bool
        See :class:`bargain.Egalitarian`; it makes no difference without a disagreement point.
    disagreement : Array or sequence of float, optional
        What each player has without an agreement; default: zero.
    radius : float or Array
        See :class:`bargain.GradientGame`, also for the next.
    active : Array or sequence of bool, optional
        Who is there.
    solver : Solver, optional
        See :func:`bargain.solve`, also for the next three.
    start : Array, optional
        Coefficients to start from.
    max_steps : int, optional
        Give up after so many steps.
    precision : float, optional
        Relative precision of the entries of the Gram matrix.

    Returns
    -------
    Outcome
        Coefficients, utilities, shares, status and certificate.

    Raises
    ------
    TypeError, ValueError
        As :class:`bargain.GradientGame` and :func:`bargain.solve` do.

    References
    ----------
    Kalai, Econometrica 45 (1977) 1623-1630; in multi-task learning: Désidéri, Comptes Rendus
    Mathématique 350 (2012) 313-318; Sener and Koltun, arXiv 1810.04650 (MGDA).

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 4.0]])
    >>> bargain.egalitarian(gram).utilities.round(4)
    array([0.8944, 0.8944])
    """
    game = GradientGame(gram, weights, disagreement, radius, active)
    return solve(
        game,
        Egalitarian(leximin),
        solver=solver,
        start=start,
        max_steps=max_steps,
        precision=precision,
    )
