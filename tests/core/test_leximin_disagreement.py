"""Lexicographic refinement with a disagreement point: by hand, a conic solver, its proofs."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain import Egalitarian, KalaiSmorodinsky
from bargain.canonical import canonicalise
from bargain.evidence import Answer
from bargain.leximin import proposed_stages
from bargain.leximin_proof import Stages, judge_stages
from bargain.terms import terms_of
from tests import strategies
from tests.libraries import as_numpy, game_of, open_library, status_of
from tests.oracles import factor_of_cosines
from tests.solver_runs import EPSILON

LEXIMIN = Egalitarian(leximin=True)
#: Two opposite players, and two at a right angle to everyone.
CROSS = np.array([[1.0, -1.0, 0.0, 0.0], [-1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])
CROSS = np.concatenate([CROSS, [[0.0, 0.0, 0.0, 1.0]]])
ASKED = np.array([-1.0, -0.5, -0.2, -0.1])
CASES = strategies.attainable_disagreement_cases(
    strategies.weighted_cases(
        strategies.plain_cases(["stationary_subset", "opposite_pair", "full_rank"], most=9),
        decades=1,
    )
)


# By hand ------------------------------------------------------------------------------------------


def test_what_the_opposite_players_leave_is_shared_by_the_others(eager):
    """The first two end at 1/4 of the way, and the others share a circle of radius sqrt(15/16)."""
    game = eager.game(CROSS, disagreement=ASKED)
    found = bargain.solve(game, LEXIMIN)
    outcome = as_numpy(found)
    assert status_of(outcome) == "AGREEMENT"
    # x + 0.2 = y + 0.1 on x^2 + y^2 = 15/16.
    x = (-0.1 + math.sqrt(0.01 - 2 * (0.01 - 15 / 16))) / 2
    np.testing.assert_allclose(outcome.utilities, [-0.25, 0.25, x, x + 0.1], atol=1e-9)
    assert bool(bargain.certify(game, LEXIMIN, found).accepted)


def test_without_leximin_the_first_stage_suffices():
    game = bargain.GradientGame(CROSS, disagreement=ASKED)
    outcome = bargain.solve(game, Egalitarian())
    gains = outcome.utilities - ASKED
    assert gains.min() == pytest.approx(0.75, rel=1e-9)
    assert bool(bargain.certify(game, Egalitarian(), outcome).accepted)
    refined = bargain.certify(game, LEXIMIN, outcome)
    assert not bool(refined.accepted)
    # What the smallest of the others lacks, as a part of what it could be.
    best = np.sort(bargain.solve(game, LEXIMIN).utilities - ASKED)[2]
    assert float(refined.gap) == pytest.approx(1 - np.sort(gains)[2] / best, rel=1e-6)


def test_stage_after_stage():
    """Two pairs of opposite players, at two levels, and one who takes what they leave."""
    gradients = np.zeros((5, 3))
    gradients[[0, 1], 0], gradients[[2, 3], 1], gradients[4, 2] = [1.0, -2.0], [1.0, -1.0], 3.0
    weights, asked = np.array([1.0, 1.0, 2.0, 1.0, 1.0]), np.array([-0.2, -0.1, -0.6, -0.6, 0.0])
    game = bargain.GradientGame(gradients @ gradients.T, weights, asked)
    outcome = bargain.solve(game, LEXIMIN)
    # x + 0.2 = -2x + 0.1, and (y + 0.6) / 2 = -y + 0.6.
    x, y = -0.1 / 3, 0.2
    z = math.sqrt(1 - x * x - y * y)
    np.testing.assert_allclose(outcome.utilities, [x, -2 * x, y, -y, 3 * z], atol=1e-8)
    assert bool(bargain.certify(game, LEXIMIN, outcome).accepted)
    stages = stages_of(game)
    np.testing.assert_array_equal(stages.settled, [0, 0, 1, 1, 2])


def test_equal_parts_of_the_ideal_gains():
    """Ideal gains 1.5, 1.5, 1.2 and 1.1: the others share the rest in proportion to theirs."""
    game = bargain.GradientGame(CROSS, disagreement=ASKED)
    outcome = bargain.solve(game, KalaiSmorodinsky(leximin=True))
    assert status_of(outcome) == "AGREEMENT"
    gains = outcome.utilities - ASKED
    np.testing.assert_allclose(gains[:2], 0.75, atol=1e-9)
    ideal = [math.sqrt(1 - x * x) + more for x, more in ((0.0, 0.2), (0.0, 0.1))]
    assert gains[2] / ideal[0] == pytest.approx(gains[3] / ideal[1], rel=1e-9)
    assert outcome.utilities[2:] @ outcome.utilities[2:] == pytest.approx(15 / 16, rel=1e-9)
    assert bool(bargain.certify(game, KalaiSmorodinsky(leximin=True), outcome).accepted)


@pytest.mark.parametrize("solution", [Egalitarian, KalaiSmorodinsky])
def test_where_the_radius_binds_there_is_nothing_to_refine(solution):
    case = strategies.full_rank(5, 0)
    asked = 0.1 * case.lengths * np.array([1.0, -1.0, 2.0, 0.0, 1.0])
    game = bargain.GradientGame(case.gram, disagreement=asked)
    plain, refined = bargain.solve(game, solution()), bargain.solve(game, solution(leximin=True))
    np.testing.assert_array_equal(refined.coefficients, plain.coefficients)
    np.testing.assert_allclose(refined.residual, plain.residual, atol=1e-14)
    assert bool(bargain.certify(game, solution(leximin=True), plain).accepted)


def test_players_without_gradient_or_say():
    gram = np.zeros((6, 6))
    gram[:4, :4], gram[5, 5] = CROSS, 1.0
    asked, weights = np.append(ASKED, [-0.3, 9.0]), np.array([1.0, 1, 1, 1, 1, 0])
    expected = bargain.egalitarian(CROSS, leximin=True, disagreement=ASKED).utilities
    outcome = bargain.egalitarian(gram, weights, leximin=True, disagreement=asked)
    # Who has no gradient does not take part, below his demands or not.
    np.testing.assert_allclose(outcome.utilities[:4], expected, atol=1e-9)
    refused = bargain.egalitarian(
        gram, weights, leximin=True, disagreement=asked * [1, 1, 1, 1, -1, 1]
    )
    assert status_of(refused) == "DISAGREEMENT"


# Against a conic solver ---------------------------------------------------------------------------


def best_of_the_others(case, gains, settled) -> float:
    """Ask a conic solver for the largest smallest part of those not settled."""
    import cvxpy

    factor, lengths = factor_of_cosines(case.gram)
    unit = case.radius * lengths
    update, level = cvxpy.Variable(len(factor)), cvxpy.Variable()
    reached = factor.T @ update - case.disagreement / unit
    kept = (gains / unit)[settled] - 1e-7
    claims = (case.weights / unit)[~settled]
    constraints = [cvxpy.norm(update) <= 1, reached[~settled] >= level * claims]
    if settled.any():
        constraints.append(reached[settled] >= kept)
    problem = cvxpy.Problem(cvxpy.Maximize(level), constraints)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver="CLARABEL")
    return float(problem.value)


@settings(max_examples=25)
@given(CASES)
def test_the_conic_solver_raises_no_part_further(case):
    outcome = bargain.solve(game_of(case), LEXIMIN)
    if case.margin < 1e-2 or status_of(outcome) != "AGREEMENT":
        return
    gains = outcome.utilities - case.disagreement
    parts = gains / case.weights
    for level in np.sort(parts):
        settled = parts < level * (1 - 1e-6)
        found = best_of_the_others(case, gains, settled)
        # To let go of 1e-7 of what others have may bring more, by their angles.
        assert found <= level * (1 + 1e-2), (parts, level, found)


@settings(max_examples=60)
@given(CASES)
def test_attainable_demands_are_met_and_proved(case):
    outcome = bargain.solve(game_of(case), LEXIMIN)
    plain = bargain.solve(game_of(case), Egalitarian())
    if case.margin > 1e-3:
        assert status_of(outcome) == "AGREEMENT"
    if status_of(outcome) != "AGREEMENT" or status_of(plain) != "AGREEMENT":
        return
    assert bool(bargain.certify(game_of(case), LEXIMIN, outcome).accepted)
    parts = [np.sort((o.utilities - case.disagreement) / case.weights) for o in (plain, outcome)]
    tolerance = 1e-8 + 10 * float(outcome.certificate.floor)
    np.testing.assert_allclose(parts[1][0], parts[0][0], rtol=tolerance)
    first = np.flatnonzero(np.abs(parts[1] - parts[0]) > 1e-5 * parts[0])
    assert not len(first) or parts[1][first[0]] > parts[0][first[0]]


@settings(max_examples=40)
@given(CASES, st.integers(0, 2**32 - 1))
def test_no_other_update_is_better(case, seed):
    outcome = bargain.solve(game_of(case), LEXIMIN)
    if case.margin < 1e-2 or status_of(outcome) != "AGREEMENT":
        return
    rng, factor = np.random.default_rng(seed), factor_of_cosines(case.gram)[0]
    lengths = case.radius * case.lengths
    mine = np.sort((outcome.utilities - case.disagreement) / case.weights)
    here = np.linalg.lstsq(factor.T, outcome.utilities / lengths, rcond=None)[0]
    for size in (1e-3, 1e-2, 0.1, 1.0):
        other = here + size * rng.normal(size=len(here))
        other /= max(1.0, float(np.linalg.norm(other)))
        theirs = np.sort((factor.T @ other * lengths - case.disagreement) / case.weights)
        worse = np.flatnonzero(np.abs(theirs - mine) > 1e-7 * mine)
        assert not len(worse) or theirs[worse[0]] < mine[worse[0]]


# Proofs -------------------------------------------------------------------------------------------


def stages_of(game, solution=LEXIMIN) -> Stages:
    canonical, frame = canonicalise(game, precision=EPSILON)
    return proposed_stages(terms_of(canonical, frame, solution), np.asarray(True))


def judged(stages) -> float:
    """What stages prove of the right answer to the game of the cross."""
    game = bargain.GradientGame(CROSS, disagreement=ASKED)
    canonical, frame = canonicalise(game, precision=EPSILON)
    terms = terms_of(canonical, frame, LEXIMIN)
    return float(judge_stages(terms, bargain.solve(game, LEXIMIN).coefficients, stages)[0])


def test_stages_prove_nothing_but_what_they_prove():
    game = bargain.GradientGame(CROSS, disagreement=ASKED)
    stages = stages_of(game)
    np.testing.assert_array_equal(stages.settled, [0, 0, 1, 1])
    assert judged(stages) < 1e-10
    prices, settled = stages.multipliers, stages.settled
    # Everyone settled at once, though some have no price and prices cancel: nothing is proved.
    assert judged(stages._replace(settled=0 * settled)) == math.inf
    for wrong in (
        stages._replace(multipliers=-prices),
        stages._replace(multipliers=0 * prices),
        stages._replace(settled=settled[::-1].copy()),
        stages._replace(settled=settled + 4),
    ):
        assert judged(wrong) > 1e-3 or wrong.settled.min() == 4
    bent = prices * np.where(np.arange(4) == 2, 1.01, 1.0)
    assert 1e-6 < judged(stages._replace(multipliers=bent)) < 1e-3


def test_planted_faults_are_found():
    game = bargain.GradientGame(CROSS, disagreement=ASKED)
    outcome = bargain.solve(game, LEXIMIN)
    assert bool(bargain.certify(game, LEXIMIN, outcome, tol=1e-11).accepted)
    for player, factor in ((2, 0.999), (3, 0.999), (0, 1.001)):
        bent = np.where(np.arange(4) == player, factor, 1.0)
        wrong = outcome._replace(coefficients=outcome.coefficients * bent)
        assert not bool(bargain.certify(game, LEXIMIN, wrong, tol=1e-6).accepted)
    # The same smallest part, and another player's part raised at the cost of the third.
    turned = np.array([0.0, 0.0, -0.05, 0.0]) + outcome.coefficients
    turned[3] = math.sqrt(15 / 16 - turned[2] ** 2)
    gains = outcome.certificate.multipliers * (CROSS @ turned - ASKED)
    wrong = outcome._replace(
        coefficients=turned, utilities=CROSS @ turned, shares=gains / gains.sum()
    )
    assert bool(bargain.certify(game, Egalitarian(), wrong).accepted)
    assert not bool(bargain.certify(game, LEXIMIN, wrong).accepted)


def test_stages_that_are_not_found_prove_nothing(monkeypatch):
    game = bargain.GradientGame(CROSS, disagreement=ASKED)
    outcome = bargain.solve(game, LEXIMIN)

    def nothing(terms, first, running, max_steps):
        empty = Stages(0 * np.arange(4) + 4, np.zeros((4, 4)))
        return Answer(first.coefficients, first.multipliers), empty, np.asarray(0)

    assert bool(bargain.certify(game, LEXIMIN, outcome).accepted)
    monkeypatch.setattr("bargain.leximin.refine", nothing)
    assert not bool(bargain.certify(game, LEXIMIN, outcome).accepted)


# Ways to run --------------------------------------------------------------------------------------


def lot() -> tuple[np.ndarray, np.ndarray]:
    grams = np.stack([CROSS, np.eye(4), np.full((4, 4), np.nan), CROSS])
    far = [-0.1, -0.1, 0.3, -1.0]
    return grams, np.array([ASKED, [0.9, 0.9, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], far])


def assert_rows_are_games(outcome) -> None:
    grams, asked = lot()
    assert outcome.status.tolist() == [0, 1, 3, 0]
    for k in (0, 1, 3):
        alone = bargain.egalitarian(grams[k], leximin=True, disagreement=asked[k])
        np.testing.assert_allclose(outcome.utilities[k], alone.utilities, atol=1e-8)


def test_a_batch_is_its_games(eager):
    grams, asked = lot()
    game = eager.game(grams, disagreement=asked)
    outcome = bargain.solve(game, LEXIMIN)
    assert_rows_are_games(as_numpy(outcome))
    accepted = as_numpy(bargain.certify(game, LEXIMIN, outcome).accepted)
    assert accepted.tolist() == [True, True, False, True]


@pytest.mark.slow
def test_under_jit():
    open_library("jax")
    import jax

    grams, asked = map(jax.numpy.asarray, lot())
    solve = jax.jit(lambda gram, asked: bargain.egalitarian(gram, leximin=True, disagreement=asked))
    assert_rows_are_games(as_numpy(solve(grams, asked)))


def test_single_precision(eager):
    game = eager.game(CROSS.astype(np.float32), disagreement=ASKED.astype(np.float32))
    outcome = as_numpy(bargain.solve(game, LEXIMIN))
    assert outcome.utilities.dtype == np.float32
    assert status_of(outcome) == "AGREEMENT"
    exact = bargain.egalitarian(CROSS, leximin=True, disagreement=ASKED)
    np.testing.assert_allclose(outcome.utilities, exact.utilities, atol=1e-3)
