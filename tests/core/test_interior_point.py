"""Games with a disagreement point: closed forms, a conic solver, and the other solvers at zero."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain import InteriorPoint
from tests import strategies
from tests.judge import judge_outcome
from tests.libraries import as_numpy, game_of, status_of
from tests.oracles import nash_value_by_cvxpy
from tests.solver_runs import canonical_game, states_of

ATTAINABLE = strategies.attainable_disagreement_cases()


@given(ATTAINABLE)
def test_states_stay_inside(case):
    for state in states_of(InteriorPoint(), canonical_game(case), most=200):
        assert (state.surplus > 0).all()
        assert (state.point > 0).all()
        assert state.pressure > 0
        assert np.isfinite(state.update).all()


@given(ATTAINABLE)
def test_the_factor_is_one_of_the_cosines(case):
    game = canonical_game(case)
    factor = next(states_of(InteriorPoint(), game)).factor
    np.testing.assert_allclose(factor @ factor.T, game.cosines, atol=1e-13 * case.players)


@given(ATTAINABLE)
def test_attainable_demands_are_met(case):
    outcome = bargain.solve(game_of(case))
    judge_outcome(case, outcome)
    if status_of(outcome) == "AGREEMENT":
        assert (outcome.utilities > case.disagreement).all()


@given(strategies.unattainable_disagreement_cases())
def test_demands_that_ask_too_much_are_refused(case):
    judge_outcome(case, bargain.solve(game_of(case)))


@given(ATTAINABLE)
def test_twenty_steps_are_usual_and_sixty_enough(case):
    if case.solvable:
        assert int(bargain.solve(game_of(case)).steps) <= 60


def test_orthogonal_players_on_the_circle(xp):
    # u = (x, sqrt(1 - x^2)), d = (0.6, 0): 2 x^2 - 0.6 x - 1 = 0.
    x = (0.6 + math.sqrt(0.36 + 8)) / 4
    outcome = as_numpy(bargain.solve(xp.game(np.eye(2), disagreement=np.array([0.6, 0.0]))))
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.utilities, [x, math.sqrt(1 - x * x)], rtol=1e-11)
    np.testing.assert_allclose(outcome.coefficients, outcome.utilities, rtol=1e-11)
    np.testing.assert_allclose(
        outcome.certificate.multipliers, 1 / (outcome.utilities - [0.6, 0.0]), rtol=1e-10
    )
    np.testing.assert_allclose(outcome.shares, 0.5, rtol=1e-10)


def test_an_agreement_strictly_inside_the_radius(xp):
    # Opposite gradients u = (x, -x), d = (-1/2, -1/2), weights 2 and 1: x = 1/6.
    opposite, asked = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([-0.5, -0.5])
    game = xp.game(opposite, np.array([2.0, 1.0]), asked)
    outcome = as_numpy(bargain.solve(game))
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.utilities, [1 / 6, -1 / 6], rtol=1e-7)
    length = math.sqrt(outcome.coefficients @ opposite @ outcome.coefficients)
    assert length == pytest.approx(1 / 6, rel=1e-7)


def test_asking_for_everything_is_refused(xp):
    game = xp.game(np.eye(2), disagreement=np.array([0.8, 0.8]))
    outcome = as_numpy(bargain.solve(game))
    assert status_of(outcome) == "DISAGREEMENT"
    beta = outcome.certificate.stationary
    assert math.hypot(*beta) <= 0.8 * beta.sum() + 1e-7
    assert not outcome.coefficients.any()


def test_a_player_without_a_gradient_who_asks_for_something_blocks(xp):
    gram = np.diag([1.0, 0.0])
    refused = as_numpy(bargain.solve(xp.game(gram, disagreement=np.array([0.0, 0.1]))))
    assert status_of(refused) == "DISAGREEMENT"
    beta = refused.certificate.stationary
    assert beta[0] <= 0.1 * beta[1] * (1 + 1e-6)
    agreed = as_numpy(bargain.solve(xp.game(gram, disagreement=np.array([0.0, -0.1]))))
    assert status_of(agreed) == "AGREEMENT"
    np.testing.assert_allclose(agreed.utilities, [1.0, 0.0], atol=1e-12)


@settings(max_examples=20)
@given(strategies.attainable_disagreement_cases(strategies.plain_cases(most=6)))
def test_the_conic_solver_finds_nothing_better(case):
    outcome = bargain.solve(game_of(case))
    if status_of(outcome) != "AGREEMENT":
        return
    value = float(case.weights @ np.log(outcome.utilities - case.disagreement))
    reference = nash_value_by_cvxpy(case.gram, case.weights, case.disagreement, case.radius)
    assert value >= reference.value - 1e-6 * case.players
    assert value <= reference.value + 1e-4 * case.players


@given(strategies.plain_cases(strategies.SOLVABLE, most=20))
def test_with_nothing_to_lose_it_agrees_with_newton(case):
    newton = bargain.solve(game_of(case))
    interior = bargain.solve(game_of(case), solver=InteriorPoint())
    if not case.solvable:
        return
    assert status_of(interior) == status_of(newton) == "AGREEMENT"
    np.testing.assert_allclose(interior.coefficients, newton.coefficients, rtol=1e-6)
    np.testing.assert_allclose(interior.utilities, newton.utilities, rtol=1e-6)


@given(strategies.plain_cases(["full_rank", "duplicated"], most=20))
def test_a_disagreement_point_of_zero_is_none(case):
    plain = bargain.solve(game_of(case))
    zero = bargain.solve(game_of(case)._replace(disagreement=np.zeros(case.players)))
    np.testing.assert_allclose(zero.utilities, plain.utilities, rtol=1e-6)
    length = math.sqrt(zero.coefficients @ case.gram @ zero.coefficients)
    assert length == pytest.approx(1.0, rel=1e-9)


@given(ATTAINABLE, st.integers(-30, 30))
def test_radius_and_demands_scale_together(case, power):
    """Doubling the radius and all demands doubles the update, bit for bit."""
    before = bargain.solve(game_of(case))
    factor = 2.0**power
    game = game_of(case)._replace(
        disagreement=case.disagreement * factor, radius=case.radius * factor
    )
    after = bargain.solve(game)
    assert status_of(after) == status_of(before)
    np.testing.assert_allclose(after.coefficients, before.coefficients * factor, rtol=1e-12)
    np.testing.assert_allclose(after.utilities, before.utilities * factor, rtol=1e-12)


@pytest.mark.parametrize("solver", [bargain.Newton(), bargain.FixedPoint(), bargain.CCP()])
def test_the_other_solvers_say_that_they_cannot(solver):
    name = type(solver).__name__
    with pytest.raises(TypeError, match=f"solver: expected InteriorPoint .* found {name}"):
        bargain.nash(np.eye(2), disagreement=[0.1, 0.1], solver=solver)


def test_asking_for_more_never_brings_less():
    gram = strategies.full_rank(4, 1).gram
    received = [
        float(bargain.nash(gram, disagreement=[asked, 0.0, 0.0, 0.0]).utilities[0])
        for asked in np.linspace(0.0, 0.4, 9)
    ]
    assert np.all(np.diff(received) > 0)
