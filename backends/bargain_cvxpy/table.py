"""Where the players of a convex game sit: what a conic solver is asked of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import cvxpy
import numpy as np

from bargain.shapes import Float
from bargain_cvxpy.conic import Conic
from bargain_cvxpy.runs import INFEASIBLE, SOLVED, run

if TYPE_CHECKING:
    from bargain_cvxpy.convex_game import ConvexGame

NumpyArray = np.ndarray[Any, Any]


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
