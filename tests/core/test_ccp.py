"""The papers' procedure: feasible, counted, and never an agreement without its proof."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings

import bargain
from bargain import CCP
from tests import strategies
from tests.judge import judge_outcome
from tests.libraries import game_of, status_of
from tests.solver_runs import canonical_game, states_of

SOLVABLE = strategies.weighted_cases(
    strategies.plain_cases(strategies.SOLVABLE, most=20), decades=3
)
PLAIN = strategies.plain_cases(["full_rank", "rank_deficient", "duplicated"], most=20)


@given(SOLVABLE)
def test_rounds_stay_inside_their_constraints(case):
    game = canonical_game(case)
    for state in states_of(CCP(), game, most=200):
        assert (state.point > 0).all()
        assert (state.prices > 0).all()
        if state.feasible:
            gains = state.point * (game.cosines @ state.point)
            assert (gains / game.weights >= 1 - 1e-9).all()


@given(SOLVABLE)
def test_rounds_are_counted_one_by_one(case):
    states = list(states_of(CCP(), canonical_game(case), most=200))
    assert states[0].rounds == 0
    assert not states[0].feasible
    for before, after in pairwise(states):
        assert after.rounds - before.rounds in (0, 1)
        assert after.feasible >= before.feasible
        if after.rounds == before.rounds:
            np.testing.assert_array_equal(after.cost, before.cost)


@settings(max_examples=25)
@given(strategies.weighted_cases(PLAIN, decades=3))
def test_each_round_is_linearised_where_it_begins(case):
    game = canonical_game(case)
    previous = None
    for state in states_of(CCP(), game, most=200):
        if previous is not None and state.rounds > previous.rounds:
            # phi_i = log b_i + log (C b)_i; the gradient of its sum is homogeneous of degree -1,
            # so that of the round's first point and of its multiple differ by that multiple.
            point, product = state.point, game.cosines @ state.point
            gradient = 1 / point + game.cosines @ (1 / product)
            linear = state.cost - game.cosines.sum(axis=0)
            ratios = linear / gradient
            np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)
        previous = state


@given(PLAIN)
def test_it_reaches_the_nash_solution(case):
    found = bargain.solve(game_of(case), solver=CCP())
    newton = bargain.solve(game_of(case))
    assert status_of(found) == "AGREEMENT"
    np.testing.assert_allclose(found.coefficients, newton.coefficients, rtol=1e-6)


@given(strategies.weighted_cases(strategies.plain_cases(most=20)))
def test_it_never_claims_what_it_has_not_proved(case):
    outcome = bargain.solve(game_of(case), solver=CCP())
    if status_of(outcome) == "MAX_STEPS":
        assert not outcome.certificate.accepted
        return
    judge_outcome(case, outcome)


@given(strategies.plain_cases(strategies.STATIONARY, most=20))
def test_it_recognises_a_disagreement(case):
    outcome = bargain.solve(game_of(case), solver=CCP())
    assert status_of(outcome) == "DISAGREEMENT"


@pytest.mark.parametrize("rounds", [0, -3])
def test_there_is_a_round_at_least(rounds):
    with pytest.raises(ValueError, match=f"rounds: expected at least 1, found {rounds}"):
        CCP(rounds=rounds)


def test_the_number_of_rounds_is_an_option():
    case = strategies.weighted(strategies.strongly_conflicting(12, 0, 0.1), 0, 3.0)
    full = list(states_of(CCP(), canonical_game(case), most=500))
    needed = int(full[-1].rounds)
    assert needed >= 2, "the game is too easy to tell"
    short = bargain.solve(game_of(case), solver=CCP(rounds=1))
    assert status_of(short) == "MAX_STEPS"
    assert int(short.steps) < len(full) - 1
    assert status_of(bargain.solve(game_of(case), solver=CCP(rounds=needed))) == "AGREEMENT"


@pytest.mark.parametrize("tol", [1e-3, 1e-8])
def test_it_stops_at_the_tolerance_asked_for(tol):
    case = strategies.strongly_conflicting(8, 1, 0.1)
    states = list(states_of(CCP(tol), canonical_game(case), most=500))
    assert states[-1].evidence.residual <= tol
    assert all(state.evidence.residual > tol for state in states[:-1])


def test_it_reads_what_the_published_code_misses():
    """Gradients of very different scale, on which a residual in the gradients' units is useless."""
    case = strategies.rescaled(strategies.full_rank(5, 2), 1, 20)
    outcome = bargain.solve(game_of(case), solver=CCP())
    judge_outcome(case, outcome)
    assert status_of(outcome) == "AGREEMENT"
