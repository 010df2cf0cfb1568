"""A solver cannot vouch for itself: whatever it answers, only what is right is accepted."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from array_api_compat import array_namespace

import bargain
from bargain.evidence import Answer
from bargain.solve import USUAL

GRAM = np.array([[1.0, -0.2, 0.1], [-0.2, 2.0, 0.3], [0.1, 0.3, 3.0]])
SOLUTIONS = [
    bargain.Nash(),
    bargain.AlphaFair(2.0),
    bargain.KalaiSmorodinsky(),
    bargain.Egalitarian(),
]
LIES = {
    "negated": lambda values: -values,
    "one negated": lambda values: values * np.asarray([1.0, -1.0, 1.0]),
    "NaN": lambda values: values * np.nan,
    "one NaN": lambda values: values * np.asarray([1.0, np.nan, 1.0]),
    "infinite": lambda values: values * np.inf,
    "one infinite": lambda values: values * np.asarray([1.0, np.inf, 1.0]),
    "nothing": lambda values: values * 0.0,
    "twice for one": lambda values: values * np.asarray([1.0, 2.0, 1.0]),
}


@dataclass(frozen=True)
class Dishonest:
    """Does the work of another solver, and answers something else."""

    solver: Any
    lie: Any
    solutions: ClassVar[Any] = (bargain.Nash, bargain.AlphaFair, bargain.KalaiSmorodinsky,
                                bargain.Egalitarian)  # fmt: skip
    patience: ClassVar[int] = 100
    takes_disagreement: ClassVar[bool] = False
    tol: ClassVar[float] = 1e-9

    def init(self, game, solution, start):
        return self.solver.init(game, solution, start)

    def step(self, game, solution, state):
        return self.solver.step(game, solution, state)

    def done(self, game, solution, state):
        return self.solver.done(game, solution, state)

    def answer(self, game, solution, state):
        xp = array_namespace(game.weights)
        found = self.solver.answer(game, solution, state)
        return Answer(*(xp.asarray(self.lie(np.asarray(values))) for values in found))


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda solution: type(solution).__name__)
def test_lies_are_not_accepted(solution, lie, batched):
    solver = Dishonest(USUAL[type(solution)](), LIES[lie])
    game = bargain.GradientGame(np.stack([GRAM, 4 * GRAM]) if batched else GRAM)
    with np.errstate(all="ignore"):
        outcome = bargain.solve(game, solution, solver)
    assert (np.asarray(outcome.status) == bargain.Status.MAX_STEPS).all()
    assert not np.any(outcome.certificate.accepted)


@pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda solution: type(solution).__name__)
def test_the_truth_is_accepted(solution):
    solver = Dishonest(USUAL[type(solution)](), lambda values: values)
    outcome = bargain.solve(bargain.GradientGame(GRAM), solution, solver)
    assert int(outcome.status) == bargain.Status.AGREEMENT
    assert bool(outcome.certificate.accepted)
