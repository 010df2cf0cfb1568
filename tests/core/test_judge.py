"""The judge and the oracles know the closed forms."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies
from tests.exact import exact_dot, exact_products, exact_root
from tests.judge import check_disagreement, judge_outcome, nash_residual, rounding_floor
from tests.oracles import measured_case, min_norm_point, nash_value_by_cvxpy

RESOLUTION = math.sqrt(2 * np.finfo(float).eps)
EPSILON = float(np.finfo(float).eps)
PAIR = np.array([[1.0, -2.0], [-2.0, 4.0]])


def test_exact_arithmetic_where_floats_cancel():
    matrix = np.array([[1e200, 1.0, -1e200], [2.0**-1000, 0.0, 0.0]])
    vector = np.array([1e100, 3.0, 1e100])
    assert exact_products(matrix, vector) == [3, Fraction(1e100) / 2**1000]
    assert exact_dot(vector, [Fraction(1), Fraction(1, 3), Fraction(-1)]) == 1
    assert exact_root(Fraction(9, 4**600)) == Fraction(3, 2**600)
    assert abs(exact_root(Fraction(2)) ** 2 - 2) < Fraction(1, 2**190)


def test_one_player():
    gram, weights = np.array([[4.0]]), np.array([9.0])
    assert nash_residual(gram, weights, [1.5]) == 0
    assert nash_residual(gram, weights, [1.5 * (1 + 1e-12)]) == pytest.approx(2e-12, rel=1e-3)
    assert rounding_floor(gram, weights, [1.5], EPSILON) == EPSILON


@given(st.floats(-0.99, 0.99), st.floats(-50, 50), st.floats(-50, 50))
@settings(max_examples=25, deadline=None)
def test_two_players_of_equal_weight_weigh_inversely_to_length(cosine, first, second):
    lengths = np.array([10.0**first, 10.0**second])
    gram = np.outer(lengths, lengths) * np.array([[1, cosine], [cosine, 1]])
    coefficients = 1 / lengths / math.sqrt(1 + cosine)
    assert nash_residual(gram, np.ones(2), coefficients) <= 1e-12
    assert nash_residual(gram, np.ones(2), coefficients * [1, 1.01]) >= 1e-4


def test_orthogonal_gradients_weigh_by_the_root_of_the_weight():
    lengths, weights = np.array([1e-100, 2.0, 1e90]), np.array([1e-6, 1.0, 4.0])
    coefficients = np.sqrt(weights) / lengths
    assert nash_residual(np.diag(lengths**2), weights, coefficients) <= 1e-14


def test_identical_gradients_share_by_weight():
    weights = np.array([1.0, 2.0, 5.0])
    assert nash_residual(np.ones((3, 3)), weights, weights / math.sqrt(8)) <= 1e-15


def test_idle_players_do_not_enter_the_residual():
    gram = np.diag([1.0, 0.0, 4.0])
    assert nash_residual(gram, np.array([1.0, 1.0, 0.0]), [1.0, 0.0, 0.0]) == 0


def test_opposite_gradients_are_stationary():
    beta, norm = min_norm_point(PAIR)
    assert norm <= 1e-15
    np.testing.assert_allclose(beta, 0.5)
    check_disagreement(PAIR, [2 / 3, 1 / 3], RESOLUTION)


@given(strategies.plain_cases(most=12))
@settings(max_examples=25, deadline=None)
def test_min_norm_point_satisfies_its_optimality_condition(case):
    beta, norm = min_norm_point(case.gram)
    assert beta.min() >= 0
    assert beta.sum() == pytest.approx(1)
    assert np.all(case.gram @ beta >= norm**2 - 1e-13)


def test_conic_value_in_closed_form():
    lengths, weights = np.array([1e-30, 1.0, 1e40]), np.array([1.0, 2.0, 5.0])
    reference = nash_value_by_cvxpy(np.diag(lengths**2), weights, radius=3.0)
    utilities = 3 * lengths * np.sqrt(weights / 8)
    assert reference.value == pytest.approx(weights @ np.log(utilities), abs=1e-6)
    np.testing.assert_allclose(reference.utilities, utilities, rtol=1e-4)
    np.testing.assert_allclose(reference.coefficients, np.sqrt(weights) / lengths, rtol=1e-4)


def test_conic_value_with_a_disagreement_point():
    # Opposite gradients u = (x, -x), d = (-1/2, -1/2), weights 2 and 1: x = 1/6, inside the radius.
    opposite, asked = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([-0.5, -0.5])
    reference = nash_value_by_cvxpy(opposite, np.array([2.0, 1.0]), asked)
    np.testing.assert_allclose(reference.utilities, [1 / 6, -1 / 6], atol=1e-4)
    assert reference.value == pytest.approx(2 * math.log(2 / 3) + math.log(1 / 3), abs=1e-6)


def test_the_status_must_be_the_one_that_the_class_of_the_game_allows():
    bargain = pytest.importorskip("bargain")
    agreed, refused = strategies.full_rank(3, 0), strategies.stationary(3, 0)
    outcomes = {case: bargain.nash(case.gram, case.weights) for case in (agreed, refused)}
    for case, outcome in outcomes.items():
        judge_outcome(case, outcome)
    for case, other in ((agreed, refused), (refused, agreed)):
        with pytest.raises(AssertionError, match="expected"):
            judge_outcome(case, outcomes[other])
    unfinished = outcomes[agreed]._replace(status=np.asarray(int(bargain.Status.MAX_STEPS)))
    with pytest.raises(AssertionError, match="expected AGREEMENT"):
        judge_outcome(agreed, unfinished)


def test_measured_margins_decide_games_from_elsewhere():
    assert measured_case(np.eye(2), name="orthogonal").solvable is True
    assert measured_case(PAIR, name="opposite").solvable is False
    assert (
        measured_case(np.array([[1.0, -1 + 1e-15], [-1 + 1e-15, 1.0]]), name="?").solvable is None
    )
