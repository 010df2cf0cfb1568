"""The fixed point: positive, monotone, and where Newton's method ends it ends too."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain import FixedPoint
from bargain.opening import lipschitz_bound, opening, proximal_step, stretch
from tests import strategies
from tests.libraries import as_numpy, game_of, status_of
from tests.solver_runs import canonical_game, nash_objective, rounding_of, states_of

CASES = strategies.weighted_cases(strategies.plain_cases(strategies.SOLVABLE, most=12))
EASY = strategies.plain_cases(["full_rank", "rank_deficient", "duplicated"], most=40)


@settings(max_examples=25)
@given(CASES)
def test_states_stay_positive_and_the_objective_never_rises(case):
    game = canonical_game(case)
    states = list(states_of(FixedPoint(), game))
    for before, after in pairwise(states):
        assert (after.point > 0).all()
        assert after.previous == before.evidence.residual
        np.testing.assert_array_equal(after.older, before.point)
        allowed = rounding_of(game, before.point)
        rise = nash_objective(game, after.point) - nash_objective(game, before.point)
        assert rise <= allowed


@given(CASES, st.integers(0, 2**32 - 1))
def test_a_proximal_step_is_positive_and_descends(case, seed):
    game = canonical_game(case)
    point = np.exp(3 * np.random.default_rng(seed).normal(size=case.players))
    moved = proximal_step(game, point, game.cosines @ point, lipschitz_bound(game))
    assert (moved > 0).all()
    allowed = rounding_of(game, point)
    assert nash_objective(game, moved) <= nash_objective(game, point) + allowed


@given(CASES)
def test_the_bound_is_at_least_the_largest_eigenvalue(case):
    game = canonical_game(case)
    largest = np.linalg.eigvalsh(game.cosines)[-1]
    assert largest <= lipschitz_bound(game) * (1 + 1e-14)


@given(EASY)
def test_the_solution_is_the_fixed_point_of_the_map(case):
    game = canonical_game(case)
    solution = list(states_of(bargain.Newton(), game))[-1].point
    moved = proximal_step(game, solution, game.cosines @ solution, lipschitz_bound(game))
    np.testing.assert_allclose(moved, solution, rtol=1e-11)


def test_the_best_multiple_puts_the_point_at_its_natural_length(xp):
    from bargain.canonical import canonicalise

    gram = np.array([[1.0, 0.5, 0.0], [0.5, 1.0, -0.5], [0.0, -0.5, 1.0]])
    game = canonicalise(xp.game(gram), precision=1e-16)[0]
    point = xp.asarray(np.array([3.0, 1.0, 2.0]))
    factor = float(stretch(game, point, xp.asarray(gram @ np.array([3.0, 1.0, 2.0]))))
    scaled = factor * np.array([3.0, 1.0, 2.0])
    assert abs(scaled @ gram @ scaled - 3) <= 1e-14


@given(strategies.plain_cases(most=20))
def test_the_opening_is_positive_and_finite(case):
    start = opening(canonical_game(case))
    assert np.isfinite(start).all()
    assert (start > 0).all()


def test_the_opening_spares_newton_steps_where_weights_spread():
    opened, plain = 0, 0
    for seed in range(20):
        game = canonical_game(strategies.weighted(strategies.full_rank(11, seed), seed, 8.0))
        opened += len(list(states_of(bargain.Newton(), game)))
        plain += len(list(states_of(bargain.Newton(), game, start=np.sqrt(game.weights))))
    assert opened < 0.8 * plain


def test_two_equal_players_are_solved_by_the_opening():
    case = strategies.strongly_conflicting(2, 0, 0.1)
    assert len(list(states_of(FixedPoint(), canonical_game(case)))) == 1


@given(EASY)
def test_it_agrees_with_newton(case):
    fixed = bargain.solve(game_of(case), solver=FixedPoint())
    newton = bargain.solve(game_of(case))
    assert status_of(fixed) == status_of(newton) == "AGREEMENT"
    np.testing.assert_allclose(fixed.coefficients, newton.coefficients, rtol=1e-6)


def test_acceleration_pays():
    """A few dozen steps where the plain map needs thousands."""
    case = strategies.strongly_conflicting(12, 3, 3e-2)
    game = canonical_game(case)
    states = list(states_of(FixedPoint(), game, most=2000))
    assert states[-1].evidence.residual <= 1e-11
    point = states[0].point
    for _ in range(2 * len(states)):
        point = proximal_step(game, point, game.cosines @ point, lipschitz_bound(game))
    plain = np.abs(point * (game.cosines @ point) / game.weights - 1).max()
    assert plain > 100 * states[-1].evidence.residual


@settings(max_examples=15)
@given(strategies.plain_cases(strategies.STATIONARY, most=20))
def test_it_recognises_a_disagreement(case):
    outcome = bargain.solve(game_of(case), solver=FixedPoint())
    assert status_of(outcome) == "DISAGREEMENT"
    assert (as_numpy(outcome.certificate.stationary) >= 0).all()
