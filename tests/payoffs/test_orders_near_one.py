"""α-fair solutions on both sides of Nash's, whose order is one."""

import numpy as np
import pytest

from bargain import Nash, Status
from bargain.payoffs import FiniteGame, PayoffGame, certify_payoffs, solve_payoffs
from bargain.payoffs.means import log_mean
from bargain.solutions import AlphaFair
from tests.payoffs.judge import judge
from tests.payoffs.tables import CLASSES, make

DISTANCES = [1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-15]
every_order = pytest.mark.parametrize(
    "order", [1 + side * distance for distance in DISTANCES for side in (1, -1)]
)


@every_order
def test_lotteries_end_with_a_proof_beside_nash(order):
    case = make(CLASSES[0], 3, 6, 3, weighted=True)
    game = PayoffGame(*case[:3])
    outcome = solve_payoffs(game, AlphaFair(order))
    assert outcome.status == Status.AGREEMENT
    assert abs(outcome.gap) < 1e-12
    assert certify_payoffs(game, AlphaFair(order), outcome).accepted
    if abs(order - 1) >= 1e-6:  # the judge's own formula has no more digits than that
        judge(case, AlphaFair(order), outcome)
    beside = solve_payoffs(game, Nash()).utilities
    np.testing.assert_allclose(outcome.utilities, beside, rtol=3 * abs(order - 1) + 1e-9)


@every_order
def test_of_finitely_many_outcomes_nash_s_is_chosen(order):
    # Products of 2.0164, 2 and 2.002, and a sum that is the smallest where the product is largest.
    game = FiniteGame(np.array([[1.0, 2.0], [1.42, 1.42], [2.0, 1.001]]))
    np.testing.assert_array_equal(solve_payoffs(game, AlphaFair(order)).allocation, [0, 1, 0])


@every_order
@pytest.mark.parametrize("spread", [1e-6, 1.0, 30.0])
def test_means_are_next_to_the_geometric_one(order, spread):
    """By the cumulants: the mean, half the variance times the power, and so on."""
    rng = np.random.default_rng(4)
    weights = rng.random(5) / 3
    weights[-1] = 1 - weights[:-1].sum()
    logs = spread * rng.normal(size=5)
    power = 1 - order
    mean = weights @ logs
    second, third, fourth = (weights @ (logs - mean) ** k for k in (2, 3, 4))
    fourth -= 3 * second**2
    expected = mean + power * (second / 2 + power * (third / 6 + power * fourth / 24))
    found = log_mean(order, weights, logs, weights > 0)
    tolerance = 4e-16 * np.abs(logs).max() + abs(power) ** 4 * spread**5
    assert abs(found - expected) <= tolerance
