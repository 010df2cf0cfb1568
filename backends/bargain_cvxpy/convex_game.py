"""Bargaining over any convex set with any concave utilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cvxpy

from bargain.solutions import AlphaFair, Egalitarian, KalaiSmorodinsky, Nash, Solution, Utilitarian
from bargain_cvxpy.agreement import agreement, refusal, settle
from bargain_cvxpy.conic import Conic
from bargain_cvxpy.convex_outcome import ConvexOutcome
from bargain_cvxpy.convexity import (
    check_leaves,
    checked_constraint,
    checked_list,
    checked_numbers,
    checked_utility,
    checked_weights,
)
from bargain_cvxpy.criteria import checked_solution, criterion_of
from bargain_cvxpy.table import Table


@dataclass(frozen=True, eq=False)
class ConvexGame:
    r"""K players bargain over the points of a convex set.

    After an agreement the values of the caller's own variables are the agreement; after a
    disagreement or an error they are None.

    Parameters
    ----------
    utilities : sequence of cvxpy.Expression
        One concave CVXPY expression (a scalar) for each player.
    constraints : sequence of cvxpy.Constraint, optional
        CVXPY constraints: what can be agreed.
    disagreement : array_like, optional
        K numbers, in units of utility: what each player has without an agreement. Default: zero.
    weights : array_like, optional
        K numbers, at least zero, not all zero: bargaining weights. A player of weight zero has no
        say. Default: all one.

    Raises
    ------
    TypeError
        A utility is no expression, a constraint no constraint, or either of them no list.
    ValueError
        A utility is not concave, a constraint not convex (by CVXPY's rules), a variable takes
        integers only, a parameter has no value, or disagreement point or weights do not fit.

    Notes
    -----
    Conic solvers have absolute tolerances: state utilities in units in which they are about one.
    The more important the certificate is, which every outcome carries.

    Examples
    --------
    Split a dollar between two, one of whom has 20 cents without an agreement:

    >>> import bargain_cvxpy, cvxpy
    >>> dollars = cvxpy.Variable(2, nonneg=True)
    >>> game = bargain_cvxpy.ConvexGame(
    ...     utilities=[dollars[0], dollars[1]],
    ...     constraints=[cvxpy.sum(dollars) <= 1],
    ...     disagreement=[0.2, 0.0],
    ... )
    >>> outcome = game.nash()
    >>> outcome.status.name, outcome.utilities.round(4), dollars.value.round(4)
    ('AGREEMENT', array([0.6, 0.4]), array([0.6, 0.4]))
    """

    utilities: Sequence[cvxpy.Expression]
    constraints: Sequence[Any] = ()  # CVXPY's own types take comparisons for possible booleans
    disagreement: Any = None
    weights: Any = None

    def __post_init__(self) -> None:
        listed = checked_list("utilities", self.utilities)
        utilities = tuple(checked_utility(*item) for item in enumerate(listed))
        if not utilities:
            raise ValueError("utilities: expected at least one, found none; give one for a player")
        listed = checked_list("constraints", self.constraints)
        constraints = tuple(checked_constraint(*item) for item in enumerate(listed))
        disagreement = checked_numbers("disagreement", self.disagreement, 0.0, len(utilities))
        weights = checked_weights(self.weights, len(utilities))
        for name, value in [
            ("utilities", utilities),
            ("constraints", constraints),
            ("disagreement", disagreement),
            ("weights", weights),
        ]:
            object.__setattr__(self, name, value)
        check_leaves(self._problem())

    def solve(self, solution: Solution = Nash(), *, solver: Conic | None = None) -> ConvexOutcome:
        """Solve the game for a solution of the core; the methods below are short for this one.

        Parameters
        ----------
        solution : Nash, AlphaFair, KalaiSmorodinsky, Egalitarian or Utilitarian, optional
            Which agreement is meant; without leximin. Default: ``bargain.Nash()``.
        solver : Conic, optional
            Which conic solver, how far to go and what to accept. Default: ``Conic()``.

        Returns
        -------
        ConvexOutcome
            Utilities, shares, status and certificate.

        Raises
        ------
        TypeError
            The solution is none of these, or the solver no ``Conic``.
        NotImplementedError
            The solution is lexicographic.
        ValueError
            The constraints contradict one another, or some gain has no bound.
        SolverError
            The conic solver gave up.
        """
        solution = checked_solution(solution)
        if not (solver is None or isinstance(solver, Conic)):
            call = f"({solver!r})" if isinstance(solver, str) else "()"
            raise TypeError(
                f"solver: expected a Conic, found {solver!r}; write bargain_cvxpy.Conic{call}"
            )
        table = Table(self, solver)

        def find() -> ConvexOutcome:
            # Utilitarians ask nobody whether he agrees.
            refused = None if isinstance(solution, Utilitarian) else refusal(table)
            return refused or agreement(table, criterion_of(table, solution))

        return settle(table, find)

    def nash(self, *, solver: Conic | None = None) -> ConvexOutcome:
        r"""Maximise :math:`\sum_i w_i \log(u_i - d_i)` ; errors as in :meth:`solve`.

        Parameters
        ----------
        solver : Conic, optional
            See :meth:`solve`.

        Returns
        -------
        ConvexOutcome
            The outcome with its proof.
        """
        return self.solve(Nash(), solver=solver)

    def alpha_fair(self, alpha: float, /, *, solver: Conic | None = None) -> ConvexOutcome:
        r"""Maximise :math:`\sum_i w_i (u_i - d_i)^{1 - a} / (1 - a)`; errors as in :meth:`solve`.

        Parameters
        ----------
        alpha : float
            The order, positive. One is Nash; towards zero the solution becomes utilitarian (over
            :math:`u \ge d`), for large orders egalitarian (of equal weights).
        solver : Conic, optional
            See :meth:`solve`.

        Returns
        -------
        ConvexOutcome
            The outcome with its proof.
        """
        return self.solve(AlphaFair(alpha), solver=solver)

    def egalitarian(self, *, solver: Conic | None = None) -> ConvexOutcome:
        r"""Maximise :math:`\min_i (u_i - d_i) / w_i` ; errors as in :meth:`solve`.

        Parameters
        ----------
        solver : Conic, optional
            See :meth:`solve`.

        Returns
        -------
        ConvexOutcome
            The outcome with its proof.

        References
        ----------
        Kalai, "Proportional solutions to bargaining situations", Econometrica 45 (1977) 1623-1630.
        """
        return self.solve(Egalitarian(), solver=solver)

    def kalai_smorodinsky(self, *, solver: Conic | None = None) -> ConvexOutcome:
        r"""Maximise :math:`\min_i (u_i - d_i) / (u^*_i - d_i)`; errors as in :meth:`solve`.

        The ideal payoffs :math:`u^*_i` are the players' best ones where nobody with a say gets
        less than at the disagreement point. Of a weight it only matters whether it is zero.

        Parameters
        ----------
        solver : Conic, optional
            See :meth:`solve`.

        Returns
        -------
        ConvexOutcome
            The outcome with its proof.

        References
        ----------
        Kalai and Smorodinsky, "Other solutions to Nash's bargaining problem", Econometrica 43
        (1975) 513-518.
        """
        return self.solve(KalaiSmorodinsky(), solver=solver)

    def utilitarian(self, *, solver: Conic | None = None) -> ConvexOutcome:
        r"""Maximise :math:`\sum_i w_i u_i`; errors as in :meth:`solve`.

        It does not respect the disagreement point: nobody is asked, and a player may end below it.
        Here the gap is in units of utility, and the multipliers are the weights.

        Parameters
        ----------
        solver : Conic, optional
            See :meth:`solve`.

        Returns
        -------
        ConvexOutcome
            The outcome with its proof.
        """
        return self.solve(Utilitarian(), solver=solver)

    def variables(self) -> list[cvxpy.Variable]:
        """Return the variables that utilities and constraints speak of.

        Returns
        -------
        list of cvxpy.Variable
            The caller's own.
        """
        return self._problem().variables()

    def _problem(self) -> cvxpy.Problem:
        return cvxpy.Problem(cvxpy.Maximize(sum(self.utilities)), list(self.constraints))
