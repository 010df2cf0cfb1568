"""Solutions over payoffs have the derivatives that small changes of the game show."""

import numpy as np
import pytest

import bargain
from bargain.payoffs import FiniteGame, PayoffGame, PolytopeGame

torch = pytest.importorskip("torch")

SOLUTIONS = [
    bargain.Nash(),
    bargain.AlphaFair(0.5),
    bargain.AlphaFair(2.0),
    bargain.KalaiSmorodinsky(),
    bargain.Egalitarian(),
    bargain.Utilitarian(),
]
PAYOFFS = np.array([[0.0, 5.0], [3.0, 4.6], [6.0, 3.6], [9.0, 1.8], [10.0, 0.0]])
DISAGREEMENT = np.array([0.5, 0.7])
WORTH = np.array([[2.0, 0.3], [0.1, 1.0]])
GAMES = {
    "lotteries": (PayoffGame, {"payoffs": PAYOFFS, "disagreement": DISAGREEMENT}),
    "outcomes": (FiniteGame, {"payoffs": PAYOFFS, "disagreement": DISAGREEMENT}),
    "polytope": (PolytopeGame, {"utilities": WORTH, "A": np.ones((1, 2)), "b": np.ones(1)}),
}
STEP = 1e-5


def worth(kind, solution, *parts):
    """Return a number that depends on what both players get."""
    utilities = bargain.solve(kind(*parts), solution).utilities
    return utilities[0] + 2.5 * utilities[1]


@pytest.mark.parametrize("solution", SOLUTIONS, ids=str)
@pytest.mark.parametrize("name", GAMES)
def test_derivatives_are_those_of_small_changes(name, solution):
    kind, parts = GAMES[name]

    def make(*values):
        return kind(**dict(zip(parts, values, strict=True)))

    tensors = [torch.tensor(part, requires_grad=True) for part in parts.values()]
    found = torch.autograd.grad(
        worth(make, solution, *tensors), tensors, allow_unused=True, materialize_grads=True
    )
    assert any(part.any() for part in found)
    for k, part in enumerate(parts.values()):
        for place in np.ndindex(part.shape):
            ends = []
            for sign in (1, -1):
                values = [value.copy() for value in parts.values()]
                values[k][place] += sign * STEP
                ends.append(worth(make, solution, *values))
            expected = (ends[0] - ends[1]) / (2 * STEP)
            assert float(found[k][place]) == pytest.approx(expected, abs=1e-8)
