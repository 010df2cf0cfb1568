"""The conic reference solver."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import get_ident
from typing import Any, ClassVar, NamedTuple

import cvxpy
import numpy as np
from array_api_compat import is_numpy_array

from bargain.canonical import CanonicalGame
from bargain.evidence import Answer
from bargain.interior_point import agreed_update, with_disagreement
from bargain.shapes import Bool, Float
from bargain.solutions import Solution
from bargain_cvxpy.runs import require_installed, run_to_optimum

NumpyArray = np.ndarray[Any, Any]

TIGHT: Mapping[str, Mapping[str, Any]] = {
    "CLARABEL": {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13},
    "ECOS": {"abstol": 1e-12, "reltol": 1e-12, "feastol": 1e-12},
    "SCS": {"eps_abs": 1e-10, "eps_rel": 1e-10, "max_iters": 20_000},
}
"""A reference goes as far as its solver can: with Clarabel's own 1e-8 residuals stay at 1e-4."""


class ConicState(NamedTuple):
    """Nothing yet, or the whole answer: there is one step only.

    Attributes
    ----------
    coefficients, multipliers : ndarray
        Shape ``(*batch, K)``: see :class:`bargain.evidence.Answer`.
    solved : ndarray
        Shape ``(*batch)``: whether the solver has been asked.
    """

    coefficients: Float[NumpyArray, "*batch K"]
    multipliers: Float[NumpyArray, "*batch K"]
    solved: Bool[NumpyArray, "*batch"]


@dataclass(frozen=True)
class Conic:
    r"""The Nash solution by any conic solver that CVXPY knows: a reference from other hands.

    With unit gradients as the rows of :math:`F` and the disagreement point :math:`\delta` in units
    of the ideal payoffs, two convex problems share one objective:

    .. math:: \min_b \; \|F^T b\| - \delta^T b
              \qquad\text{and}\qquad
              \min_{b > 0} \; \|F^T b\| - \delta^T b - \sum_i w_i \log b_i .

    The first, over the simplex, has a value of zero or less where the players disagree, and its
    solution shows why. Elsewhere the second has a solution: the multipliers, and as the dual
    variable of :math:`F^T b = z` the agreed update. Each of them is compiled once for a number of
    players, a solver and a thread; every game sets all parameters and starts cold. A batch is
    solved one game after the other, and a whole solve counts as one step. Where to begin
    (``start``) is of no use to conic solvers and is not read.

    Parameters
    ----------
    solver : str
        A solver of second-order and exponential cones: CLARABEL, ECOS, SCS, MOSEK, ...
    tol : float
        The residual (in convex games: the gap for a unit of weight) up to which an answer counts as
        an agreement. The certificate decides, whatever the solver says of itself.
    options : mapping of str to object, optional
        Passed on to the solver; they add to tight tolerances for CLARABEL, ECOS and SCS.

    Raises
    ------
    ImportError
        The solver is not installed.
    ValueError
        CVXPY knows no solver of that name.
    SolverError
        When a game is solved: the solver gave up.
    TypeError
        When a game is solved: its arrays are not NumPy's.

    Examples
    --------
    >>> import bargain, bargain_cvxpy, numpy
    >>> gram = numpy.asarray([[1.0, -0.5], [-0.5, 2.0]])
    >>> outcome = bargain.nash(gram, solver=bargain_cvxpy.Conic())
    >>> numpy.allclose(outcome.coefficients, bargain.nash(gram).coefficients, rtol=1e-6)
    True
    """

    solver: str = "CLARABEL"
    tol: float = 2e-5
    # A dict has no hash; equal solvers still have equal ones.
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    patience: ClassVar[int] = 1
    takes_disagreement: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_installed(self.solver)

    def init(self, game: CanonicalGame, solution: Solution, start: Any) -> ConicState:
        """Claim nothing."""
        if not is_numpy_array(game.cosines):
            raise TypeError(
                f"Conic: expected a game of NumPy arrays, found {type(game.cosines).__name__}; "
                f"convert its arrays first"
            )
        ones = np.ones_like(game.weights)
        return ConicState(ones, ones, np.zeros(game.resolution.shape, dtype=bool))

    def step(self, game: CanonicalGame, solution: Solution, state: ConicState) -> ConicState:
        """Solve every game."""
        settled = [
            self._settle(CanonicalGame(*(None if part is None else part[index] for part in game)))
            for index in np.ndindex(game.resolution.shape)
        ]
        shape, dtype = game.weights.shape, game.weights.dtype
        coefficients, multipliers = (
            np.asarray(values).reshape(shape).astype(dtype) for values in zip(*settled, strict=True)
        )
        return ConicState(coefficients, multipliers, np.ones_like(state.solved))

    def done(
        self, game: CanonicalGame, solution: Solution, state: ConicState
    ) -> Bool[NumpyArray, "*batch"]:
        """Whether the solver has been asked."""
        return state.solved

    def answer(self, game: CanonicalGame, solution: Solution, state: ConicState) -> Answer:
        """Read the answer off the state."""
        return Answer(state.coefficients, state.multipliers)

    def settings(self, *, proving: bool = False) -> dict[str, Any]:
        """Return the options that the solver is run with; no proof is loosened by the caller's."""
        tight = TIGHT.get(self.solver, {})
        return {**self.options, **tight} if proving else {**tight, **self.options}

    def _settle(self, game: CanonicalGame) -> Answer:
        """Solve one game."""
        apart, disagreement = with_disagreement(game)
        values, vectors = np.linalg.eigh(apart.cosines.astype(np.float64))
        known = values > len(values) * np.finfo(game.cosines.dtype).eps
        factor = vectors * np.sqrt(np.where(known, values, 0.0))
        disagreement = disagreement.astype(np.float64)

        key = len(values), self.solver, get_ident()
        alternative = compiled(*key, nash=False)
        convex = self._multipliers(alternative, factor, disagreement)
        surplus = np.linalg.norm(factor.T @ convex) - disagreement @ convex
        if surplus <= game.resolution * np.sum(convex * (1 + np.abs(disagreement))):
            return Answer(convex, convex)

        problem = compiled(*key, nash=True)
        problem.weights.value = game.weights.astype(np.float64)
        multipliers = np.where(game.inside, self._multipliers(problem, factor, disagreement), 0.0)
        if game.disagreement is None:
            return Answer(multipliers, multipliers)
        update, length, binds = agreed_update(factor, problem.balance.dual_value, multipliers)
        if binds:
            return Answer(multipliers / length, multipliers)
        # Strictly inside the radius the multipliers cancel, and the update is expressed by itself.
        within = factor @ (update / np.where(known, values, 1.0))
        return Answer(np.where(game.inside, within, 0.0), multipliers)

    def _multipliers(
        self,
        problem: "CompiledProblem",
        factor: Float[NumpyArray, "K K"],
        disagreement: Float[NumpyArray, " K"],
    ) -> Float[NumpyArray, " K"]:
        problem.transposed.value = factor.T
        problem.disagreement.value = disagreement
        run_to_optimum(problem.problem, self.solver, self.settings())
        return np.asarray(problem.multipliers.value)


class CompiledProblem(NamedTuple):
    """A problem with the parameters and variables that games differ in."""

    problem: cvxpy.Problem
    transposed: cvxpy.Parameter
    disagreement: cvxpy.Parameter
    weights: cvxpy.Parameter
    multipliers: cvxpy.Variable
    balance: cvxpy.Constraint


# Compilations, not answers, are what this keeps. Problems hold parameters, so each thread has its
# own; CVXPY keeps one compilation in a problem, so each solver has too.
@lru_cache(maxsize=64)
def compiled(players: int, solver: str, thread: int, *, nash: bool) -> CompiledProblem:
    """Return the problem of so many players, over positive multipliers or over the simplex."""
    transposed = cvxpy.Parameter((players, players))
    disagreement = cvxpy.Parameter(players)
    weights = cvxpy.Parameter(players, nonneg=True)
    multipliers, combination = cvxpy.Variable(players), cvxpy.Variable(players)
    balance = transposed @ multipliers == combination
    surplus = cvxpy.norm(combination) - disagreement @ multipliers
    if nash:
        problem = cvxpy.Problem(
            cvxpy.Minimize(surplus - weights @ cvxpy.log(multipliers)), [balance]
        )
    else:
        simplex = [multipliers >= 0, cvxpy.sum(multipliers) == 1]
        problem = cvxpy.Problem(cvxpy.Minimize(surplus), [balance, *simplex])
    return CompiledProblem(problem, transposed, disagreement, weights, multipliers, balance)
