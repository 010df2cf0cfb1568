"""The games are what their names say: held against NNLS and a conic solver."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies
from tests.oracles import attainable_slack_by_cvxpy, min_norm_point
from tests.strategies import GramCase

few = settings(max_examples=25, deadline=None)
fewer = settings(max_examples=12, deadline=None)


def hull_distance(case: GramCase) -> float:
    inside = np.flatnonzero(case.bargaining)
    return min_norm_point(case.gram[np.ix_(inside, inside)])[1]


def resolution(case: GramCase) -> float:
    return math.sqrt(case.players * np.finfo(case.gram.dtype).eps)


def check_margin(case: GramCase) -> None:
    if case.margin > 0:
        assert hull_distance(case) >= case.margin * (1 - 1e-3) - resolution(case)
    elif case.margin == 0:
        assert hull_distance(case) <= 3 * resolution(case)


@few
@given(strategies.gram_cases())
def test_every_case_is_a_gram_matrix(case):
    gram, inside = case.gram, case.lengths > 0
    assert np.array_equal(gram, gram.T)
    assert np.isfinite(gram).all()
    assert 1 <= case.players <= 200
    lengths = case.lengths[inside]
    cosines = gram[np.ix_(inside, inside)] / lengths[:, None] / lengths
    assert np.linalg.eigvalsh(cosines)[0] >= -1e-14 * case.players
    assert np.any(case.bargaining)
    assert not gram.flags.writeable


@few
@given(strategies.gram_cases())
def test_margins_hold_through_every_modifier(case):
    check_margin(case)


@pytest.mark.parametrize("name", strategies.ALL)
def test_each_class_has_its_margin(name):
    @fewer
    @given(strategies.plain_cases([name], most=40))
    def holds(case):
        check_margin(case)
        assert case.solvable is (name in strategies.SOLVABLE)

    holds()


@fewer
@given(strategies.plain_cases(["strongly_conflicting", "nearly_opposite_pair"], most=12))
def test_conflicting_games_are_exactly_as_close_to_stationary_as_they_say(case):
    assert hull_distance(case) == pytest.approx(case.margin, rel=1e-3, abs=resolution(case))


@fewer
@given(strategies.plain_cases(["stationary_subset"], most=12))
def test_blockers_alone_make_the_game_stationary(case):
    blockers = sorted(case.blockers)
    assert 2 <= len(blockers) < case.players
    assert min_norm_point(case.gram[np.ix_(blockers, blockers)])[1] <= 3 * resolution(case)
    others = sorted(set(range(case.players)) - case.blockers)
    assert min_norm_point(case.gram[np.ix_(others, others)])[1] > 0.1


@fewer
@given(strategies.plain_cases(["rank_deficient"], most=12))
def test_deficient_games_are_deficient(case):
    assert np.linalg.matrix_rank(case.gram, hermitian=True) < case.players


@fewer
@given(strategies.plain_cases(["opposite_pair"], most=12))
def test_opposite_pairs_are_opposite(case):
    first, second = sorted(case.blockers)
    assert case.gram[first, second] == -1.0


@fewer
@given(strategies.extreme_cases(strategies.plain_cases(most=12)), st.integers(0, 2**32 - 1))
def test_lengths_leave_the_angles_alone(case, seed):
    lengths = case.lengths
    assert np.all((lengths >= 0.9e-125) & (lengths <= 1.1e125))
    longer = strategies.rescaled(case, seed, 0.0, 3.0)
    np.testing.assert_allclose(longer.lengths, 1e3 * lengths, rtol=1e-15)
    before, after = (c.gram / c.lengths[:, None] / c.lengths for c in (case, longer))
    np.testing.assert_allclose(after, before, rtol=4e-15)


def test_ranges_are_as_wide_as_promised():
    base = strategies.full_rank(200, 0)
    lengths = strategies.rescaled(base, 1, 24).lengths
    assert 1e22 < lengths.max() / lengths.min() < 1e24
    weights = strategies.weighted(base, 1, 8).weights
    assert 1e7 < weights.max() / weights.min() < 1e8
    extreme = np.abs(strategies.rescaled(base, 1, 250).gram)
    assert extreme.min() < 1e-240
    assert extreme.max() > 1e240


@fewer
@given(strategies.attainable_disagreement_cases(strategies.plain_cases(most=6)))
def test_attainable_disagreement_points_leave_their_slack(case):
    slack = attainable_slack_by_cvxpy(case.gram, case.disagreement, case.radius)
    assert slack >= case.margin - 1e-6


@fewer
@given(strategies.unattainable_disagreement_cases(strategies.plain_cases(most=6)))
def test_unattainable_disagreement_points_miss_by_their_excess(case):
    slack = attainable_slack_by_cvxpy(case.gram, case.disagreement, case.radius)
    assert slack <= case.margin + 1e-6
    assert case.solvable is False


@fewer
@given(strategies.silent_player_cases(), strategies.zero_gradient_cases())
def test_idle_players_are_idle_and_someone_is_left(silent, zero):
    assert np.all(silent.bargaining == (silent.weights > 0))
    assert np.all(zero.bargaining == (np.diagonal(zero.gram) > 0))
    assert np.any(silent.bargaining)
    assert np.any(zero.bargaining)


@fewer
@given(strategies.absent_player_cases(strategies.attainable_disagreement_cases()))
def test_absent_players_bring_nan(case):
    absent = ~case.active
    assert np.isnan(case.gram[absent]).all()
    assert np.isfinite(case.gram[np.ix_(case.active, case.active)]).all()


@fewer
@given(strategies.float32_cases())
def test_single_precision_cases_are_finite_and_single(case):
    assert case.gram.dtype == case.weights.dtype == np.float32
    assert np.isfinite(case.gram).all()
    assert np.all(np.diagonal(case.gram) > np.finfo(np.float32).tiny)


@fewer
@given(strategies.single_player_cases())
def test_single_players_are_alone(case):
    assert case.players == 1
    assert case.solvable


@fewer
@given(strategies.badly_scaled_cases(strategies.weighted_cases(strategies.plain_cases(most=12))))
def test_a_name_is_the_call_that_rebuilds_the_case(case):
    rebuilt = eval(case.name, vars(strategies).copy())
    assert np.array_equal(rebuilt.gram, case.gram)
    assert np.array_equal(rebuilt.weights, case.weights)


def test_heavier_demands_on_precision_leave_the_answer_open():
    conflict = strategies.strongly_conflicting(3, 0, 1e-5)
    assert conflict.solvable is True
    assert strategies.weighted(conflict, 1, 8.0).solvable is None
    assert strategies.in_float32(conflict).solvable is None
    assert strategies.with_silent_players(strategies.stationary(4, 0), 2).solvable is None
