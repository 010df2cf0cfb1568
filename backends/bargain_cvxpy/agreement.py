"""From a convex game to an outcome with its proof: three kinds of convex problems, no more.

Is there anything to agree on; which agreement does the solution choose; and what is the whole
agreement set worth at the prices that support it.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import cvxpy
import numpy as np

from bargain.outcome import Status
from bargain.shapes import Float
from bargain_cvxpy.conic import Conic
from bargain_cvxpy.convex_outcome import ConvexOutcome
from bargain_cvxpy.runs import INFEASIBLE, SOLVED, run

if TYPE_CHECKING:
    from bargain_cvxpy.convex_game import ConvexGame

NumpyArray = np.ndarray[Any, Any]
SMALLEST = float(np.finfo(np.float64).smallest_normal)


class Table:
    """A game and a solver, at which the players with a say (N of K) sit."""

    def __init__(self, game: "ConvexGame", solver: Conic | None) -> None:
        self.solver = Conic() if solver is None else solver
        self.constraints = list(game.constraints)
        self.disagreement = game.disagreement
        self.inside = game.weights > 0
        self.weights = game.weights[self.inside]
        self.utilities = cvxpy.hstack(game.utilities)
        self.variables = game.variables()
        self.surplus = (self.utilities - game.disagreement)[np.flatnonzero(self.inside)]

    def maximise(
        self,
        objective: Any,
        constraints: Sequence[cvxpy.Constraint] = (),
        *,
        proving: bool = False,
    ) -> cvxpy.Problem:
        """Maximise over the agreement set and return the solved problem."""
        problem = cvxpy.Problem(cvxpy.Maximize(objective), [*self.constraints, *constraints])
        status = run(problem, self.solver.solver, self.solver.settings(proving=proving))
        if status in SOLVED:
            return problem
        if status in INFEASIBLE:
            raise ValueError(
                f"constraints: expected at least one point that satisfies all of them, found none "
                f"({self.solver.solver}: {status}); relax them"
            )
        raise ValueError(
            f"utilities: expected gains that are bounded over the constraints, found some that "
            f"grow without limit ({self.solver.solver}: {status}); add a constraint"
        )

    def worth(self, prices: Float[NumpyArray, " N"], least: float | None) -> float:
        """Return what the best point of the agreement set is worth at these prices.

        Only points count that gain every player ``least``: elsewhere the set may go on without
        limit, and prices have rounding errors.
        """
        limits = [] if least is None else [self.surplus >= least]
        total = prices.sum()
        self.maximise((prices / total) @ self.surplus, limits, proving=True)
        return float(prices @ self.gains())

    def gains(self) -> Float[NumpyArray, " N"]:
        """Return what the players with a say gain at the point found last."""
        return np.asarray(self.surplus.value)

    def clear(self) -> None:
        """Leave no value in the caller's variables."""
        for variable in self.variables:
            variable.value = None

    def spread(self, values: Float[NumpyArray, " N"]) -> Float[NumpyArray, " K"]:
        """Return the values with zeros for the players without a say."""
        everyone = np.zeros(len(self.inside))
        everyone[self.inside] = values
        return everyone


class Criterion(NamedTuple):
    """What a solution maximises, and the prices that support what it finds.

    Attributes
    ----------
    objective : cvxpy.Expression
        Concave.
    constraints : sequence of cvxpy.Constraint
        What the objective needs besides the agreement set.
    support : callable
        From the gains, shape ``(N,)``, of a solved problem to the prices, shape ``(N,)``, and the
        level that the best point is worth at least, and at most if the outcome is right.
    least : float, optional
        The gain without which nobody would agree; None where nobody is asked.
    """

    objective: cvxpy.Expression
    constraints: Sequence[cvxpy.Constraint]
    support: Callable[[Float[NumpyArray, " N"]], tuple[Float[NumpyArray, " N"], float]]
    least: float | None = 0.0


def welfare(table: Table, order: float) -> Criterion:
    """Return the weighted welfare of a positive order; Nash's is of order one."""
    weights, total = table.weights, float(table.weights.sum())
    # Ask first: solvers follow logarithms far out and call it optimal.
    table.worth(np.ones(len(weights)), 0.0)
    gains = cvxpy.Variable(len(weights))
    utility = cvxpy.log(gains) if order == 1 else cvxpy.power(gains, 1 - order) / (1 - order)

    def support(gains: Float[NumpyArray, " N"]) -> tuple[Float[NumpyArray, " N"], float]:
        # A gain that is not positive gets a price that no certificate accepts.
        gains = np.maximum(gains / gains.max(), SMALLEST) * gains.max()
        slopes = weights * (gains / gains.max()) ** -order
        return slopes * (total / (slopes @ gains)), total

    return Criterion(weights @ utility, [gains <= table.surplus], support)


def fair_division(table: Table, claims: Float[NumpyArray, " N"]) -> Criterion:
    """Return the smallest gain in units of the players' claims."""
    level, total = cvxpy.Variable(), float(table.weights.sum())
    enough = table.surplus >= level * claims

    def support(gains: Float[NumpyArray, " N"]) -> tuple[Float[NumpyArray, " N"], float]:
        prices = np.maximum(enough.dual_value, 0)
        least = max(float(np.min(gains / claims)), SMALLEST)
        return prices * (total / (prices @ claims * least)), total

    return Criterion(level, [enough], support)


def weighted_sum(table: Table) -> Criterion:
    """Return the sum of gains; the weights are its prices."""
    weights = table.weights

    def support(gains: Float[NumpyArray, " N"]) -> tuple[Float[NumpyArray, " N"], float]:
        return weights, float(weights @ gains)

    return Criterion(weights @ table.surplus, [], support, least=None)


def best_gains(table: Table) -> Float[NumpyArray, " N"]:
    """Return the most that each player can gain where nobody loses."""
    best = np.empty(len(table.weights))
    for player in range(len(best)):
        table.maximise(table.surplus[player], [table.surplus >= 0])
        best[player] = table.gains()[player]
    return best


def settle(table: Table, find: Callable[[], ConvexOutcome]) -> ConvexOutcome:
    """Return what is found, and leave in the caller's variables that agreement or nothing."""
    table.clear()
    try:
        outcome = find()
    except Exception:
        table.clear()
        raise
    if outcome.status == Status.DISAGREEMENT:
        table.clear()
    return outcome


def refusal(table: Table) -> ConvexOutcome | None:
    """Return the proof that no point gives every player more than his disagreement point."""
    margin = cvxpy.Variable()
    more = table.surplus >= margin
    table.maximise(margin, [more, margin <= 1])
    tol, smallest = table.solver.tol, float(np.min(table.gains()))
    if smallest > tol:
        return None
    prices = np.maximum(more.dual_value, 0)
    prices = prices / prices.sum()
    # A point that gives everyone more than d is among those that cost nobody more than this.
    least = min(smallest, 0.0) - 1
    scale = 1 + float(prices @ np.abs(table.disagreement[table.inside]))
    if table.worth(prices, least) > tol * scale:
        return None
    nothing = np.zeros(len(table.inside))
    return ConvexOutcome(
        utilities=table.disagreement.copy(),
        shares=nothing,
        status=Status.DISAGREEMENT,
        gap=0.0,
        multipliers=nothing.copy(),
        stationary=table.spread(prices),
    )


def agreement(table: Table, criterion: Criterion) -> ConvexOutcome:
    """Return the point that a criterion chooses, with the prices that support it."""
    problem = table.maximise(criterion.objective, criterion.constraints)
    gains, utilities = table.gains(), np.asarray(table.utilities.value)
    prices, level = criterion.support(gains)
    worth = float(prices @ gains)
    gap = max(table.worth(prices, criterion.least), worth, level) - level
    problem.unpack(problem.solution)  # the agreement's own numbers, back into the variables
    excess = max((float(np.max(c.violation())) for c in table.constraints), default=0.0)
    tol = table.solver.tol
    proven = gap <= tol * table.weights.sum() and excess <= tol
    return ConvexOutcome(
        utilities=utilities,
        shares=table.spread(prices * gains / worth if worth > 0 else np.full_like(gains, np.nan)),
        status=Status.AGREEMENT if proven else Status.MAX_STEPS,
        gap=gap,
        multipliers=table.spread(prices),
        stationary=np.zeros(len(table.inside)),
    )
