"""The solutions that maximise a sum, as functions of a Gram matrix: what most people need."""

from typing import Any

from bargain.games import GradientGame
from bargain.outcome import Outcome
from bargain.shapes import Array, Bool, Float
from bargain.solutions import AlphaFair, Utilitarian
from bargain.solve import solve
from bargain.solver import Solver


def nash(
    gram: Float[Array, "*batch K K"],
    weights: Float[Array, "*#batch K"] | None = None,
    *,
    disagreement: Float[Array, "*#batch K"] | None = None,
    radius: Any = 1.0,
    active: Bool[Array, "*#batch K"] | None = None,
    solver: Solver | None = None,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    r"""Solve a gradient game for its (asymmetric) Nash bargaining solution.

    Without a disagreement point the coefficients satisfy :math:`M \alpha = w / \alpha`, as in
    Nash-MTL and AuxiNash. The parameters are those of :class:`bargain.GradientGame` and
    :func:`bargain.solve`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``: inner products of gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)``: bargaining weights; default: all one.
    disagreement : Array or sequence of float, optional
        See :class:`bargain.GradientGame`, also for the next two.
    radius : float or Array
        The longest update allowed.
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
    Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022, arXiv 2202.01017, claim
    3.1; Shamsian et al., "Auxiliary Learning as an Asymmetric Bargaining Game", ICML 2023, arXiv
    2301.13501.

    Examples
    --------
    >>> import numpy, bargain
    >>> outcome = bargain.nash(numpy.asarray([[4.0, 0.0], [0.0, 1.0]]), [1.0, 3.0])
    >>> outcome.shares
    array([0.25, 0.75])
    >>> outcome.coefficients.round(4)
    array([0.5   , 1.7321])
    """
    game = GradientGame(gram, weights, disagreement, radius, active)
    return solve(game, solver=solver, start=start, max_steps=max_steps, precision=precision)


def alpha_fair(
    gram: Float[Array, "*batch K K"],
    alpha: float,
    weights: Float[Array, "*#batch K"] | None = None,
    *,
    disagreement: Float[Array, "*#batch K"] | None = None,
    radius: Any = 1.0,
    active: Bool[Array, "*#batch K"] | None = None,
    solver: Solver | None = None,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    r"""Solve a gradient game for its α-fair solution.

    The update of bounded length that maximises :math:`\sum_i w_i (u_i - d_i)^{1 - a} / (1 - a)`;
    where the bound is felt its coefficients are along :math:`\alpha_i = w_i (u_i - d_i)^{-a}`.
    Order 1 is :func:`bargain.nash`; towards 0 the family approaches the utilitarian solution (among
    the updates that harm nobody), towards infinity the egalitarian one without weights.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``: inner products of gradients.
    alpha : float
        The order a, a positive number.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)``: bargaining weights; default: all one.
    disagreement : Array or sequence of float, optional
        See :class:`bargain.GradientGame`, also for the next two.
    radius : float or Array
        The longest update allowed.
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
    Mo and Walrand, IEEE/ACM Transactions on Networking 8 (2000) 556-567; in multi-task learning:
    Ban and Ji, "Fair Resource Allocation in Multi-Task Learning", arXiv 2402.15638 (FairGrad).

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 4.0]])
    >>> [bargain.alpha_fair(gram, order).utilities.round(3).tolist() for order in (0.5, 1.0, 2.0)]
    [[0.622, 1.567], [0.707, 1.414], [0.783, 1.243]]
    """
    game = GradientGame(gram, weights, disagreement, radius, active)
    return solve(
        game, AlphaFair(alpha), solver=solver, start=start, max_steps=max_steps, precision=precision
    )


def utilitarian(
    gram: Float[Array, "*batch K K"],
    weights: Float[Array, "*#batch K"] | None = None,
    *,
    disagreement: Float[Array, "*#batch K"] | None = None,
    radius: Any = 1.0,
    active: Bool[Array, "*#batch K"] | None = None,
    solver: Solver | None = None,
    start: Float[Array, "*batch K"] | None = None,
    max_steps: int | None = None,
    precision: float | None = None,
) -> Outcome:
    r"""Solve a gradient game for its (weighted) utilitarian solution.

    The update of bounded length that maximises :math:`\sum_i w_i u_i`, whether or not everyone
    gains: it is along :math:`\sum_i w_i g_i`.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``: inner products of gradients.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)``: bargaining weights; default: all one.
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
    Harsanyi, Journal of Political Economy 63 (1955) 309-321. In multi-task learning: linear
    scalarisation.

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 4.0]])
    >>> bargain.utilitarian(gram).utilities.round(4)
    array([0.4472, 1.7889])
    """
    game = GradientGame(gram, weights, disagreement, radius, active)
    return solve(
        game, Utilitarian(), solver=solver, start=start, max_steps=max_steps, precision=precision
    )
