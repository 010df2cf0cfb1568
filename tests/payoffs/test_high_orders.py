"""α-fair solutions of high order where payoffs spread over a dozen decades."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bargain import Status
from bargain.payoffs import PayoffGame, PolytopeGame, certify_payoffs, solve_payoffs
from bargain.solutions import AlphaFair, Egalitarian
from tests.payoffs.judge import judge
from tests.payoffs.tables import make

ORDERS = [1.5, 3.0, 20.0, 200.0, 2000.0]
every_order = pytest.mark.parametrize("order", ORDERS)


def spread(decades):
    """Players who count in units of their own, so many decades apart."""

    def construct(rng, outcomes, players):
        units = 10.0 ** rng.uniform(-decades / 2, decades / 2, players)
        return rng.random((outcomes, players)) * units

    construct.__name__ = f"spread({decades})"
    return construct


@pytest.mark.parametrize("decades", [3, 6, 12, 13, 14, 20])
@every_order
def test_a_line_between_two_units(decades, order):
    """Over u1 + 10^k u2 = 1 the slopes u_i^-a are as 1 to 10^k."""
    game = PayoffGame(np.asarray([[1.0, 0.0], [0.0, 10.0**-decades]]))
    outcome = solve_payoffs(game, AlphaFair(order))
    assert outcome.status == Status.AGREEMENT
    # u1 = 10^(k/a) u2, in the units of each.
    ratio = 10.0 ** (decades / order - decades)
    expected = np.array([ratio, 1.0]) / (1 + ratio)
    tolerance = np.array([1e-11, 1e-8])  # what digits of the sum are left for the first player
    found = outcome.utilities * [1.0, 10.0**decades]
    assert (np.abs(found - expected) <= tolerance[0] + tolerance[1] * expected).all()
    assert int(outcome.steps) <= 40


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    outcomes=st.integers(2, 40),
    players=st.integers(2, 6),
    decades=st.floats(0.0, 12.0),
    shifted=st.booleans(),
    order=st.sampled_from(ORDERS),
)
def test_a_dozen_decades(seed, outcomes, players, decades, shifted, order):
    case = make(spread(decades), seed, outcomes, players, weighted=True, shifted=shifted)
    game, solution = PayoffGame(*case[:3]), AlphaFair(order)
    outcome = solve_payoffs(game, solution)
    judge(case, solution, outcome)
    if outcome.status == Status.AGREEMENT:
        assert bool(certify_payoffs(game, solution, outcome).accepted)
        assert int(outcome.steps) <= 60


def line(decades) -> PolytopeGame:
    """The same line as a polytope; the units lie as far on either side of one."""
    unit = 10.0 ** (decades / 2)
    return PolytopeGame(np.diag([unit, 1 / unit]), np.ones((1, 2)), np.ones(1))


@every_order
@pytest.mark.parametrize("decades", [6, 10])
def test_polytopes_too(order, decades):
    outcome = solve_payoffs(line(decades), AlphaFair(order))
    assert outcome.status == Status.AGREEMENT
    ratio = 10.0 ** (decades / order - decades)
    expected = np.array([ratio, 1.0]) / (1 + ratio)
    np.testing.assert_allclose(outcome.allocation, expected, rtol=1e-3, atol=1e-12)


@pytest.mark.parametrize("order", [200.0, 2000.0])
def test_over_polytopes_a_share_below_the_tolerance_is_the_limit(order):
    """What the first consumes is worth 1e-12 of the whole: no proof, but nearly one."""
    outcome = solve_payoffs(line(12), AlphaFair(order))
    assert outcome.status == Status.MAX_STEPS
    assert not bool(outcome.certificate.accepted)
    assert outcome.gap < 1e-7


def test_high_orders_approach_equality():
    case = make(spread(12), 3, 30, 4, shifted=True)
    game = PayoffGame(*case[:3])
    best = (solve_payoffs(game, Egalitarian()).utilities - case.disagreement).min()
    for order in (20.0, 200.0, 2000.0):
        smallest = (solve_payoffs(game, AlphaFair(order)).utilities - case.disagreement).min()
        assert best * 4 ** (-1 / (order - 1)) * (1 - 1e-6) <= smallest <= best * (1 + 1e-6)


def test_a_gain_below_the_rounding_of_a_payoff_is_the_limit():
    """Everyone shall gain about the same, and for some that is less than rounding."""
    case = make(spread(20), 4, 23, 4, weighted=True, shifted=True)
    outcome = solve_payoffs(PayoffGame(*case[:3]), AlphaFair(2000.0))
    assert outcome.status == Status.MAX_STEPS
    assert not bool(outcome.certificate.accepted)
    most = (case.payoffs - case.disagreement).max(axis=0).min()  # the most that all can gain
    rounding = np.finfo(float).eps * np.abs(case.disagreement).max()
    assert most < rounding
    # A disagreement point of zero leaves a gain all its digits.
    unshifted = make(spread(20), 4, 23, 4, weighted=True)
    outcome = solve_payoffs(PayoffGame(*unshifted[:3]), AlphaFair(2000.0))
    judge(unshifted, AlphaFair(2000.0), outcome)
    assert outcome.status == Status.AGREEMENT
