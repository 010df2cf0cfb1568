"""From a convex game to an outcome with its proof: three kinds of convex problems, no more.

Is there anything to agree on; which agreement does the solution choose; and what is the whole
agreement set worth at the prices that support it.
"""

from collections.abc import Callable

import cvxpy
import numpy as np

from bargain.outcome import Status
from bargain_cvxpy.convex_outcome import ConvexOutcome
from bargain_cvxpy.criteria import Criterion
from bargain_cvxpy.table import Table


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
