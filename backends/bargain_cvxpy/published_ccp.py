"""The papers' concave-convex procedure as its code was published, for comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import get_ident
from typing import Any, ClassVar, NamedTuple

import cvxpy
import numpy as np
from array_api_compat import is_numpy_array

import bargain
from bargain.canonical import CanonicalGame
from bargain.evidence import Answer
from bargain.shapes import Bool, Float
from bargain.solutions import Solution
from bargain_cvxpy.runs import SolverError, require_installed, run_to_optimum

NumpyArray = np.ndarray[Any, Any]

RESIDUAL = 1e-3
"""The published bound on the residual, which is computed in no consistent units."""
CHANGE = 1e-6
"""The published bound on the change of the coefficients."""


@dataclass(frozen=True)
class CCP:
    r"""The concave-convex procedure of Nash-MTL and AuxiNash, faithful to the published code.

    With :math:`\varphi_i(\alpha) = \log \alpha_i + \log (M \alpha)_i - \log w_i`, each round
    minimises :math:`\sum_i (M \alpha)_i + \nabla(\sum_i \varphi_i)(\alpha_t)^T \alpha` subject to
    :math:`\varphi_i(\alpha) \ge 0` by a solver of exponential cones. As published: :math:`M` is
    divided by its Frobenius norm :math:`n`; the procedure starts at ones or at the coefficients of
    the step before; it stops where :math:`\|M \alpha_t / n - w / \alpha_t\|` is under 1e-3
    (normalised on one side only) or the coefficients move by less than 1e-6, and then returns the
    iterate *before* the last one. The scales of the gradients do matter here, unlike in
    :class:`bargain.CCP`.

    What differs: where a solver fails, finds a round unbounded or is missing, the published code
    goes on with the coefficients that it has, silently; here that is an error. The outcome has the
    natural length, as any, and a certificate that says how far it can be trusted. Weights are
    scaled to mean one, as in AuxiNash. That the papers' training loops bargain only every so many
    steps (``update_weights_every``) is the training loop's business, not the procedure's.

    Parameters
    ----------
    solver : str
        A solver of exponential cones: CLARABEL, ECOS (as published), SCS, MOSEK, ...
    tol : float
        The (dimensionless) residual up to which the outcome counts as an agreement. It has no
        influence on the procedure.
    rounds : int
        The most rounds.
    options : mapping of str to object, optional
        Passed on to the solver; ``{"max_iters": 100}`` with ECOS in the published code.

    Raises
    ------
    ImportError
        The solver is not installed.
    ValueError
        CVXPY knows no solver of that name.

    References
    ----------
    Navon et al., arXiv 2202.01017, section 3.2; Shamsian et al., arXiv 2301.13501, section 4.1.

    Examples
    --------
    >>> import bargain, bargain_cvxpy, numpy
    >>> game = bargain.GradientGame(numpy.asarray([[2.0, 0.5], [0.5, 1.0]]))
    >>> outcome = bargain_cvxpy.CCP().solve(game)
    >>> outcome.coefficients.round(2), bargain.solve(game).coefficients.round(2)
    (array([0.61, 0.86]), array([0.61, 0.86]))
    """

    solver: str = "CLARABEL"
    tol: float = 1e-3
    rounds: int = 20
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_installed(self.solver)
        if self.rounds < 1:
            raise ValueError(f"rounds: expected at least 1, found {self.rounds}")

    def solve(
        self,
        game: bargain.GradientGame,
        *,
        start: Float[NumpyArray, " K"] | None = None,
        precision: float | None = None,
    ) -> bargain.Outcome:
        """Solve one game without a disagreement point.

        Parameters
        ----------
        game : GradientGame
            The game, of NumPy arrays and without batch axes.
        start : ndarray, optional
            Shape ``(K,)``, positive: the coefficients of the step before (``prvs_alpha`` in the
            published code). Default: ones.
        precision : float, optional
            See :func:`bargain.solve`.

        Returns
        -------
        Outcome
            As that of :func:`bargain.solve`; ``steps`` counts the rounds.

        Raises
        ------
        TypeError, ValueError
            As :func:`bargain.solve` does; also for a batch, a disagreement point, arrays that are
            not NumPy's, and a start that is not positive.
        SolverError
            The solver gave up, or a round's problem does not exist.
        """
        if not isinstance(game, bargain.GradientGame) or not is_numpy_array(game.gram):
            raise TypeError(
                "game: expected a GradientGame of NumPy arrays; make one with "
                "bargain.GradientGame(gram)"
            )
        if game.gram.ndim != 2 or game.disagreement is not None:
            raise ValueError(
                f"game: expected one game without a disagreement point, found shape "
                f"{game.gram.shape} and the disagreement point {game.disagreement}; solve the "
                f"games of a batch one after the other, and with a disagreement point use Conic"
            )
        gram = game.gram.astype(np.float64)
        origin = np.ones(len(gram)) if start is None else np.asarray(start, dtype=np.float64)
        if origin.shape != (len(gram),) or not np.all((origin > 0) & np.isfinite(origin)):
            raise ValueError(
                f"start: expected {len(gram)} positive, finite coefficients, found {start}; leave "
                f"it out to start at ones"
            )
        rounds = Rounds(self, gram, origin)
        return bargain.solve(game, solver=rounds, max_steps=self.rounds, precision=precision)


class RoundsState(NamedTuple):
    """The coefficients that the procedure would return now, and whether it has stopped."""

    coefficients: Float[NumpyArray, " K"]
    stopped: Bool[NumpyArray, ""]


@dataclass(frozen=True, eq=False)
class Rounds:
    """The procedure in the driver's loop, which judges the answer. One step is one round.

    It keeps the Gram matrix as given, because canonical games have lost the gradients' scales.
    """

    procedure: CCP
    gram: Float[NumpyArray, "K K"]
    origin: Float[NumpyArray, " K"]
    patience: ClassVar[int] = 20
    takes_disagreement: ClassVar[bool] = False

    @property
    def tol(self) -> float:
        return self.procedure.tol

    def init(self, game: CanonicalGame, solution: Solution, start: Any) -> RoundsState:
        """Begin at ones or at the coefficients of the step before."""
        return RoundsState(self.origin, np.asarray(not game.inside.any()))

    def step(self, game: CanonicalGame, solution: Solution, state: RoundsState) -> RoundsState:
        """Solve one round's problem, and test whether to stop."""
        inside = game.inside
        old = state.coefficients[inside]
        weights = game.weights[inside].astype(np.float64)
        gram = self.gram[np.ix_(inside, inside)]
        size = float(np.linalg.norm(gram))
        normal = gram / size

        new = self._round(normal, size, weights, old)
        residual = np.linalg.norm(normal @ old - weights / old)
        if residual < RESIDUAL or np.linalg.norm(new - old) < CHANGE:
            return RoundsState(state.coefficients, np.asarray(True))
        coefficients = state.coefficients.copy()
        coefficients[inside] = new
        return RoundsState(coefficients, state.stopped)

    def done(
        self, game: CanonicalGame, solution: Solution, state: RoundsState
    ) -> Bool[NumpyArray, ""]:
        """Whether the published stop test has held."""
        return state.stopped

    def answer(self, game: CanonicalGame, solution: Solution, state: RoundsState) -> Answer:
        """Express the coefficients in unit gradients."""
        norms = np.sqrt(np.where(game.inside, np.diagonal(self.gram), 0.0))
        point = (np.where(game.inside, state.coefficients, 0.0) * norms).astype(game.weights.dtype)
        return Answer(point, point)

    def _round(
        self,
        normal: Float[NumpyArray, "N N"],
        size: float,
        weights: Float[NumpyArray, " N"],
        old: Float[NumpyArray, " N"],
    ) -> Float[NumpyArray, " N"]:
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = 1 / old + normal.T @ (1 / (normal @ old))
        if not np.isfinite(slope).all():
            raise SolverError(
                "CCP: expected every player to gain or lose from the update so far, found one with "
                "neither, where the procedure's linearisation does not exist; start elsewhere"
            )
        problem = compiled_round(len(old), self.procedure.solver, get_ident())
        problem.gram.value = normal
        problem.cost.value = normal.sum(axis=0) + slope / size
        problem.offset.value = np.log(size) - np.log(weights)
        run_to_optimum(problem.problem, self.procedure.solver, self.procedure.options)
        return np.asarray(problem.coefficients.value)


class CompiledRound(NamedTuple):
    """A round's problem with its parameters and its variable."""

    problem: cvxpy.Problem
    gram: cvxpy.Parameter
    cost: cvxpy.Parameter
    offset: cvxpy.Parameter
    coefficients: cvxpy.Variable


@lru_cache(maxsize=64)  # of compilations, as in bargain_cvxpy.conic
def compiled_round(players: int, solver: str, thread: int) -> CompiledRound:
    """Return the problem of a round with so many players."""
    gram, cost = cvxpy.Parameter((players, players)), cvxpy.Parameter(players)
    offset, coefficients = cvxpy.Parameter(players), cvxpy.Variable(players)
    feasible = cvxpy.log(coefficients) + cvxpy.log(gram @ coefficients) + offset >= 0
    problem = cvxpy.Problem(cvxpy.Minimize(cost @ coefficients), [feasible])
    return CompiledRound(problem, gram, cost, offset, coefficients)
