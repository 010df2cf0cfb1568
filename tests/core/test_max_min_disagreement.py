"""Egalitarian, Kalai-Smorodinsky and utilitarian solutions of games with a disagreement point."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain import Egalitarian, KalaiSmorodinsky, Nash, Utilitarian
from bargain.common_level import CommonLevel
from tests import strategies
from tests.judge import check_disagreement
from tests.libraries import as_numpy, game_of, open_library, status_of
from tests.oracles import factor_of_cosines
from tests.solver_runs import canonical_game, states_of

SOLUTIONS = [Egalitarian(), KalaiSmorodinsky()]
every_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda s: type(s).__name__)
OPPOSITE = np.array([[1.0, -1.0], [-1.0, 1.0]])
ATTAINABLE = strategies.attainable_disagreement_cases(strategies.plain_cases(most=12))
UNATTAINABLE = strategies.unattainable_disagreement_cases(strategies.plain_cases(most=12))


def best_level(gram, asked, claims, radius) -> float:
    """Ask a conic solver for the largest t with u >= d + t c; the claims may be zero."""
    import cvxpy

    factor, lengths = factor_of_cosines(gram)
    ideal = radius * lengths
    update, level = cvxpy.Variable(len(factor)), cvxpy.Variable()
    unit = (claims / ideal).max()
    reached = factor.T @ update - asked / ideal - level * (claims / ideal / unit)
    problem = cvxpy.Problem(cvxpy.Maximize(level), [reached >= 0, cvxpy.norm(update) <= 1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver="CLARABEL")
    return np.asarray(level.value).item() / unit


def claims_of(case, solution) -> np.ndarray:
    """What gains are divided by; ideal points come from the conic solver."""
    if isinstance(solution, Egalitarian):
        return np.asarray(case.weights)
    chosen = np.eye(case.players)
    return np.array([best_level(case.gram, case.disagreement, c, case.radius) for c in chosen])


def judge(case, claims, outcome, tolerance=1e-9) -> None:
    """Every number that an agreement claims, recomputed from the game: legal, best, proved."""
    gram, asked, radius = case.gram, case.disagreement, case.radius
    unit = radius * case.lengths
    tolerance = max(tolerance, 4 * float(outcome.certificate.floor))
    coefficients, prices = outcome.coefficients, outcome.certificate.multipliers
    length = math.sqrt(max(coefficients @ gram @ coefficients, 0.0))
    cancelled = np.abs(coefficients) @ np.abs(gram) @ np.abs(coefficients)
    longest = math.sqrt(radius**2 + 1e-14 * cancelled)
    assert length <= longest * (1 + 1e-12), "the update is too long"
    magnitude = 1e-12 * (unit + np.abs(gram) @ np.abs(coefficients))
    assert (np.abs(gram @ coefficients - outcome.utilities) <= magnitude).all(), "other utilities"
    assert (prices >= 0).all()
    gains = outcome.utilities - asked
    factor, lengths = factor_of_cosines(gram)
    bound = radius * np.linalg.norm(factor @ (prices * lengths)) - prices @ asked
    assert bound > 0
    # The prices support the agreement: in all they are worth what was shared.
    assert bound == pytest.approx(case.weights.sum(), rel=max(1e-6, tolerance))
    level = bound / (prices @ claims)
    slack = gains - (1 - tolerance) * level * claims
    assert (slack >= -1e-12 * (unit + np.abs(asked))).all(), (
        f"levels {gains / claims}, promised {level}"
    )
    shares = prices * gains / (prices @ gains)
    np.testing.assert_allclose(outcome.shares, shares, atol=1e-9)


# By hand ------------------------------------------------------------------------------------------


def test_equal_gains_over_the_disagreement_point(eager):
    game = eager.game(np.eye(2), disagreement=np.array([0.6, 0.4]))
    outcome = as_numpy(bargain.solve(game, Egalitarian()))
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.utilities, [0.8, 0.6], rtol=1e-14)
    np.testing.assert_allclose(outcome.coefficients, [0.8, 0.6], rtol=1e-14)
    # Equal gains of 0.2 at prices in proportion to the update: (4, 3) / 7.
    np.testing.assert_allclose(outcome.shares, [4 / 7, 3 / 7], rtol=1e-13)
    np.testing.assert_allclose(outcome.certificate.multipliers, [40 / 7, 30 / 7], rtol=1e-13)
    assert bool(bargain.certify(game, Egalitarian(), bargain.solve(game, Egalitarian())).accepted)


def test_equal_parts_of_the_ideal_gains(eager):
    # The ideal point of d = (0.6, 0) is (1, 0.8): u = (0.6 + 0.4 t, 0.8 t) on the circle.
    level = (-0.48 + math.sqrt(0.48**2 + 4 * 0.8 * 0.64)) / 1.6
    game = eager.game(np.eye(2), disagreement=np.array([0.6, 0.0]))
    found = bargain.solve(game, KalaiSmorodinsky())
    outcome = as_numpy(found)
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.utilities, [0.6 + 0.4 * level, 0.8 * level], rtol=1e-13)
    assert bool(bargain.certify(game, KalaiSmorodinsky(), found).accepted)


def test_an_ideal_point_of_ones_own():
    game = bargain.GradientGame(np.eye(2), disagreement=[0.6, 0.0], ideal=[1.0, 0.4], radius=2.0)
    outcome = bargain.solve(game, KalaiSmorodinsky())
    gains = outcome.utilities - [0.6, 0.0]
    np.testing.assert_allclose(gains[0], gains[1], rtol=1e-13)
    assert math.hypot(*outcome.utilities) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("solution", "asked", "weights", "first"),
    [
        (Egalitarian(), [-1.0, -0.5], [1.0, 1.0], -0.25),
        (Egalitarian(), [-0.5, -0.5], [2.0, 1.0], 1 / 6),
        # The ideal point is (1/2, 1).
        (KalaiSmorodinsky(), [-1.0, -0.5], [1.0, 1.0], -0.25),
        # The ideal point is (1/4, 1/2): (x + 1/2) / (3/4) = (1/4 - x) / (3/4).
        (KalaiSmorodinsky(), [-0.5, -0.25], [1.0, 1.0], -0.125),
    ],
)
def test_strictly_inside_the_radius(solution, asked, weights, first):
    """Opposite gradients: u = (x, -x)."""
    game = bargain.GradientGame(OPPOSITE, weights, asked)
    outcome = bargain.solve(game, solution)
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.utilities, [first, -first], atol=1e-11)
    length = math.sqrt(outcome.coefficients @ OPPOSITE @ outcome.coefficients)
    assert length == pytest.approx(abs(first), abs=1e-11)
    assert bool(bargain.certify(game, solution, outcome).accepted)
    # Against opposite prices nothing is worth anything but what was there before.
    np.testing.assert_allclose(*outcome.certificate.multipliers, rtol=1e-6)


@every_solution
def test_asking_for_everything_is_refused(eager, solution):
    game = eager.game(np.eye(2), disagreement=np.array([0.8, 0.8]))
    outcome = as_numpy(bargain.solve(game, solution))
    assert status_of(outcome) == "DISAGREEMENT"
    beta = outcome.certificate.stationary
    assert math.hypot(*beta) <= 0.8 * beta.sum()
    assert not outcome.coefficients.any()


@every_solution
def test_players_without_gradient_or_say(solution):
    gram = np.diag([1.0, 0.0])
    refused = bargain.solve(bargain.GradientGame(gram, disagreement=[0.0, 0.1]), solution)
    assert status_of(refused) == "DISAGREEMENT"
    agreed = bargain.solve(bargain.GradientGame(gram, disagreement=[0.0, -0.1]), solution)
    np.testing.assert_allclose(agreed.utilities, [1.0, 0.0], atol=1e-13)
    # Whoever has no say, or is not there, may ask for anything.
    for silent in ({"weights": [1.0, 1.0, 0.0]}, {"active": [True, True, False]}):
        for asked in (0.3, -3.0):
            game = bargain.GradientGame(np.eye(3), disagreement=[asked, asked, 9.0], **silent)
            outcome = bargain.solve(game, solution)
            np.testing.assert_allclose(outcome.utilities, [0.5**0.5, 0.5**0.5, 0.0], rtol=1e-13)
            assert not outcome.coefficients[2]
            assert bool(bargain.certify(game, solution, outcome).accepted)
            # Opposite players settle inside the radius, where the steps have the last word.
            gram = np.eye(3)
            gram[:2, :2] = OPPOSITE
            game = bargain.GradientGame(gram, disagreement=[-4.0, -3.0, 9.0], **silent)
            outcome = bargain.solve(game, solution)
            assert status_of(outcome) == "AGREEMENT"
            if solution == Egalitarian():
                np.testing.assert_allclose(outcome.utilities[:2], [-0.5, 0.5], atol=1e-8)


def test_the_largest_sum_asks_nobody(eager):
    gradients = np.array([[1.0, 0.0, 1.0], [-0.5, 2.0, 0.0]])
    weights, asked = np.array([1.0, 3.0]), np.array([50.0, -1.0])
    game = eager.game(gradients @ gradients.T, weights, asked, radius=2.0)
    found = bargain.solve(game, Utilitarian())
    outcome, total = as_numpy(found), weights @ gradients
    plain = as_numpy(
        bargain.solve(eager.game(gradients @ gradients.T, weights, radius=2.0), Utilitarian())
    )
    np.testing.assert_allclose(outcome.utilities, plain.utilities, rtol=1e-14)
    np.testing.assert_allclose(outcome.shares, plain.shares, rtol=1e-13)
    np.testing.assert_allclose(
        outcome.certificate.multipliers, plain.certificate.multipliers, rtol=1e-13
    )
    # The coefficients are the update itself: of length two.
    np.testing.assert_allclose(
        outcome.coefficients, weights * 2.0 / np.linalg.norm(total), rtol=1e-14
    )
    assert bool(bargain.certify(game, Utilitarian(), found).accepted)


# Against a conic solver ---------------------------------------------------------------------------


@every_solution
@settings(max_examples=15)
@given(case=strategies.attainable_disagreement_cases(strategies.plain_cases(most=5)))
def test_the_conic_solver_finds_the_same_level(solution, case):
    outcome = bargain.solve(game_of(case), solution)
    if status_of(outcome) != "AGREEMENT":
        assert not case.solvable or case.margin < 1e-5
        return
    claims = claims_of(case, solution)
    gains = outcome.utilities - case.disagreement
    expected = best_level(case.gram, case.disagreement, claims, case.radius)
    # The conic solver's errors are absolute ones, in units of ideal payoffs.
    blur = 1e-6 * (1 + np.abs(case.disagreement / (case.radius * case.lengths)).max())
    blur *= (case.radius * case.lengths / claims).max()
    assert (gains / claims).min() == pytest.approx(expected, rel=1e-5, abs=blur)


@settings(max_examples=30)
@given(case=ATTAINABLE)
def test_attainable_demands_are_met(case):
    outcome = bargain.solve(game_of(case), Egalitarian())
    if case.solvable and case.margin > 1e-4:
        assert status_of(outcome) == "AGREEMENT"
    if status_of(outcome) == "AGREEMENT":
        judge(case, np.asarray(case.weights), outcome)
        assert bool(bargain.certify(game_of(case), Egalitarian(), outcome).accepted)


@settings(max_examples=15)
@given(case=ATTAINABLE)
def test_ideal_points_that_are_found_are_as_good_as_given(case):
    found = bargain.solve(game_of(case), KalaiSmorodinsky())
    if case.solvable and case.margin > 1e-3:
        assert status_of(found) == "AGREEMENT"
    if status_of(found) != "AGREEMENT":
        return
    assert bool(bargain.certify(game_of(case), KalaiSmorodinsky(), found).accepted)
    ideal = [ideal_payoff(case, k) for k in range(case.players)]
    given_ = bargain.solve(game_of(case)._replace(ideal=np.array(ideal)), KalaiSmorodinsky())
    judge(case, np.array(ideal) - case.disagreement, given_)
    unit = case.radius * case.lengths
    tolerance = 1e-6 + 10 * float(found.certificate.floor)
    gains = [(outcome.utilities - case.disagreement) / unit for outcome in (found, given_)]
    claims = (ideal - case.disagreement) / unit
    levels = [(gain / claims).min() for gain in gains]
    assert levels[0] == pytest.approx(levels[1], rel=tolerance)


def ideal_payoff(case, player) -> float:
    """One player's best payoff, from an egalitarian game in which the others have no claims."""
    weights = np.full(case.players, 1e-9)
    weights[player] = 1.0
    weights *= case.lengths
    game = game_of(case)._replace(weights=weights)
    return float(bargain.solve(game, Egalitarian()).utilities[player])


@every_solution
@settings(max_examples=20)
@given(case=UNATTAINABLE)
def test_demands_that_ask_too_much_are_refused(solution, case):
    outcome = bargain.solve(game_of(case), solution)
    assert status_of(outcome) == "DISAGREEMENT"
    proof = outcome.certificate
    check_disagreement(
        case.gram, proof.stationary, float(proof.resolution), case.disagreement, case.radius
    )
    assert bool(bargain.certify(game_of(case), solution, outcome).accepted)


@settings(max_examples=30)
@given(case=strategies.badly_scaled_cases(ATTAINABLE.filter(lambda case: case.margin > 1e-3)))
def test_lengths_over_many_decades(case):
    asked = case.disagreement
    if not np.isfinite(asked).all():
        return
    outcome = bargain.solve(game_of(case), KalaiSmorodinsky())
    assert status_of(outcome) in ("AGREEMENT", "DISAGREEMENT")
    assert bool(bargain.certify(game_of(case), KalaiSmorodinsky(), outcome).accepted)


# Laws ---------------------------------------------------------------------------------------------


@every_solution
@settings(max_examples=15)
@given(case=ATTAINABLE, power=st.integers(-30, 30))
def test_radius_and_demands_scale_together(solution, case, power):
    before = bargain.solve(game_of(case), solution)
    factor = 2.0**power
    after = bargain.solve(
        game_of(case)._replace(
            disagreement=case.disagreement * factor, radius=case.radius * factor
        ),
        solution,
    )
    assert status_of(after) == status_of(before)
    np.testing.assert_allclose(after.utilities, before.utilities * factor, rtol=1e-12)


@settings(max_examples=15)
@given(case=ATTAINABLE, seed=st.integers(0, 2**32 - 1))
def test_equal_parts_do_not_see_units(case, seed):
    """Kalai and Smorodinsky's solution is covariant under a change of anyone's unit."""
    units = 2.0 ** np.random.default_rng(seed).integers(-20, 20, case.players)
    before = bargain.solve(game_of(case), KalaiSmorodinsky())
    gram = case.gram * units[:, None] * units
    other = game_of(case)._replace(gram=gram, disagreement=case.disagreement * units)
    after = bargain.solve(other, KalaiSmorodinsky())
    assert status_of(after) == status_of(before)
    np.testing.assert_allclose(after.utilities, before.utilities * units, rtol=1e-12)


@every_solution
def test_asking_for_more_never_brings_less(solution):
    gram = strategies.full_rank(4, 1).gram
    received = [
        float(
            bargain.solve(
                bargain.GradientGame(gram, disagreement=[asked, 0.0, 0.0, 0.0]), solution
            ).utilities[0]
        )
        for asked in np.linspace(0.0, 0.4, 9)
    ]
    assert np.all(np.diff(received) > 0)


@settings(max_examples=30)
@given(strategies.plain_cases(["full_rank", "rank_deficient", "duplicated"], most=12))
def test_a_disagreement_point_of_zero(case):
    """Equal gains over zero are equal utilities; with the ideal point named, also equal parts."""
    nothing = game_of(case)._replace(disagreement=np.zeros(case.players))
    plain = bargain.solve(game_of(case), Egalitarian())
    found = bargain.solve(nothing, Egalitarian())
    np.testing.assert_allclose(found.utilities, plain.utilities, rtol=1e-8, atol=1e-9)
    parts = bargain.solve(nothing._replace(ideal=case.lengths), KalaiSmorodinsky())
    plain = bargain.solve(game_of(case), KalaiSmorodinsky())
    np.testing.assert_allclose(parts.utilities, plain.utilities, rtol=1e-8, atol=1e-9)
    length = math.sqrt(parts.coefficients @ case.gram @ parts.coefficients)
    assert length == pytest.approx(1.0, rel=1e-9)


def test_the_ideal_point_counts_only_what_harms_nobody():
    """With a disagreement point, even of zeros, nobody hopes for what others would not accept."""
    gram = bargain.gram(np.array([[1.0, 0.0], [-0.6, 0.8]]))
    outcome = bargain.solve(bargain.GradientGame(gram, disagreement=[0.0, 0.0]), KalaiSmorodinsky())
    # The best for either, while the other does not lose, is 0.8 and 0.8; equal anyway.
    np.testing.assert_allclose(outcome.utilities[0], outcome.utilities[1], rtol=1e-12)
    scaled = bargain.gram(np.array([[1.0, 0.0, 0.0], [-0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]))
    game = bargain.GradientGame(scaled, disagreement=np.zeros(3))
    gains = bargain.solve(game, KalaiSmorodinsky()).utilities / np.array([0.8, 0.8, 1.0])
    np.testing.assert_allclose(gains, gains[0], rtol=1e-12)


# Certificates -------------------------------------------------------------------------------------


@every_solution
def test_planted_faults_are_found(solution):
    case = strategies.full_rank(5, 0)
    asked = 0.1 * case.lengths * np.array([1.0, -1.0, 2.0, 0.0, 1.0])
    game = bargain.GradientGame(case.gram, disagreement=asked)
    outcome = bargain.solve(game, solution)
    proof = outcome.certificate
    assert bool(bargain.certify(game, solution, outcome, tol=1e-12).accepted)

    def accepted(claim) -> bool:
        return bool(bargain.certify(game, solution, claim, tol=1e-6).accepted)

    bent = np.array([1.0, 1, 1, 1, 1.001])
    for factors in (1.00001, 0.99999, bent, -1.0):
        assert not accepted(outcome._replace(coefficients=outcome.coefficients * factors))
    for prices in (proof.multipliers * bent**100, -proof.multipliers, np.zeros(5), np.ones(5)):
        assert not accepted(outcome._replace(certificate=proof._replace(multipliers=prices)))
    # A multiple of the prices proves the same.
    longer = proof._replace(multipliers=proof.multipliers * 7)
    assert accepted(outcome._replace(certificate=longer))
    refusal = outcome._replace(
        status=np.asarray(1), certificate=proof._replace(stationary=np.full(5, 0.2))
    )
    assert not accepted(refusal)
    other = Egalitarian() if isinstance(solution, KalaiSmorodinsky) else KalaiSmorodinsky()
    assert not bool(bargain.certify(game, other, outcome).accepted)


def test_the_gap_of_a_shorter_update_is_what_it_leaves():
    game = bargain.GradientGame(np.eye(2), disagreement=[0.6, 0.4])
    outcome = bargain.solve(game, Egalitarian())
    shorter = outcome._replace(coefficients=0.9 * outcome.coefficients)
    # Gains of 0.12 and 0.14, where 0.2 is possible.
    assert float(bargain.certify(game, Egalitarian(), shorter).gap) == pytest.approx(0.4)


def test_an_update_longer_than_the_radius_proves_nothing():
    """Shares and slack alone do not see it: both are perfect here, and the update is too long."""
    game = bargain.GradientGame(np.eye(2), disagreement=[0.0, 0.0])
    outcome = bargain.solve(game)
    update = np.array([0.6, 1 / math.sqrt(4 - 1 / 0.36)])
    assert math.hypot(*update) > 1.08
    claim = outcome._replace(
        coefficients=update, certificate=outcome.certificate._replace(multipliers=1 / update)
    )
    assert not bool(bargain.certify(game, Nash(), claim).accepted)
    longer = bargain.solve(game, Utilitarian())
    longer = longer._replace(coefficients=1.01 * longer.coefficients)
    assert not bool(bargain.certify(game, Utilitarian(), longer).accepted)


def test_an_ideal_point_that_is_not_proved_proves_nothing(monkeypatch):
    """Two steps do not find it. The level is right for what they do find, and yet no proof."""
    game = bargain.GradientGame(strategies.full_rank(4, 3).gram, disagreement=[0.1, 0.2, 0.0, -0.1])
    outcome = bargain.solve(game, KalaiSmorodinsky())
    assert status_of(outcome) == "AGREEMENT"
    monkeypatch.setattr(CommonLevel, "patience", 2)
    monkeypatch.setattr("bargain.common_level_finish.TRIALS", 0)
    claim = bargain.certify(game, KalaiSmorodinsky(), outcome)
    assert not bool(claim.accepted)
    assert float(claim.gap) > 1e-6
    blind = bargain.solve(game, KalaiSmorodinsky(), max_steps=100)
    assert status_of(blind) == "MAX_STEPS"
    assert float(blind.residual) > 1e-6


# Ways to run --------------------------------------------------------------------------------------


def lot() -> tuple[np.ndarray, np.ndarray]:
    gram = strategies.full_rank(3, 0).gram
    grams = np.stack([gram, np.eye(3), np.full((3, 3), np.nan), gram])
    opposite = np.eye(3)
    opposite[:2, :2] = OPPOSITE
    grams = np.concatenate([grams, opposite[None]])
    asked = np.array([[0.1, 0, 0], [0.9, 0.9, 0], [0, 0, 0], [-3.0, -0.5, 0], [-1, -0.5, -2.0]])
    return grams, asked


def assert_rows_are_games(outcome, solution) -> None:
    grams, asked = lot()
    assert outcome.status.tolist() == [0, 1, 3, 0, 0]
    for k in (0, 1, 3, 4):
        alone = bargain.solve(bargain.GradientGame(grams[k], disagreement=asked[k]), solution)
        np.testing.assert_allclose(outcome.utilities[k], alone.utilities, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(outcome.shares[k], alone.shares, atol=1e-7)


@every_solution
def test_a_batch_is_its_games(eager, solution):
    grams, asked = lot()
    game = eager.game(grams, disagreement=asked)
    outcome = bargain.solve(game, solution)
    assert_rows_are_games(as_numpy(outcome), solution)
    accepted = as_numpy(bargain.certify(game, solution, outcome).accepted)
    assert accepted.tolist() == [True, True, False, True, True]


@pytest.mark.parametrize(
    "solution",
    [
        pytest.param(Egalitarian(), id="Egalitarian"),
        pytest.param(KalaiSmorodinsky(), id="KalaiSmorodinsky", marks=pytest.mark.slow),
    ],
)
def test_under_jit(solution):
    open_library("jax")
    import jax

    grams, asked = map(jax.numpy.asarray, lot())
    solve = jax.jit(
        lambda gram, asked: bargain.solve(bargain.GradientGame(gram, None, asked), solution)
    )
    assert_rows_are_games(as_numpy(solve(grams, asked)), solution)


@every_solution
def test_single_precision(eager, solution):
    case = strategies.in_float32(strategies.full_rank(5, 1))
    asked = (0.1 * case.lengths).astype(np.float32)
    outcome = bargain.solve(eager.game(case.gram, disagreement=asked), solution)
    assert "float32" in str(outcome.utilities.dtype)
    exact = bargain.GradientGame(case.gram.astype(float), disagreement=asked.astype(float))
    exact = bargain.solve(exact, solution)
    assert status_of(as_numpy(outcome)) == "AGREEMENT"
    np.testing.assert_allclose(as_numpy(outcome).utilities, exact.utilities, rtol=1e-4)


@settings(max_examples=20)
@given(ATTAINABLE)
def test_states_stay_inside(case):
    for state in states_of(CommonLevel(), canonical_game(case), most=60):
        assert (state.surplus > 0).all()
        assert (state.point > 0).all()
        assert state.pressure > 0
        assert state.room > 0
        assert np.isfinite(state.update).all()


@given(strategies.plain_cases(strategies.SOLVABLE, most=12))
def test_without_a_disagreement_point_it_agrees_with_the_shortest_combination(case):
    if case.margin < 1e-3:
        return
    expected = bargain.solve(game_of(case), Egalitarian())
    found = bargain.solve(game_of(case), Egalitarian(), CommonLevel())
    np.testing.assert_allclose(found.utilities, expected.utilities, rtol=1e-8, atol=1e-9)


# Refusals -----------------------------------------------------------------------------------------


def test_other_solvers_say_so():
    game = bargain.GradientGame(np.eye(2), disagreement=[0.1, 0.0])
    with pytest.raises(TypeError, match="found MinNorm"):
        bargain.solve(game, Egalitarian(), bargain.MinNorm())


def test_numbers_that_no_game_can_have():
    for ideal in ([0.05, 1.0], [1.0, math.inf]):
        game = bargain.GradientGame(np.eye(2), disagreement=[0.1, 0.0], ideal=ideal)
        with pytest.raises(ValueError, match="ideal: expected finite payoffs above the disagree"):
            bargain.solve(game, KalaiSmorodinsky())
    below = bargain.GradientGame(np.eye(2), disagreement=[-2.0, 0.0], ideal=[-0.1, 0.5])
    assert status_of(bargain.solve(below, KalaiSmorodinsky())) == "AGREEMENT"
    for solution in (*SOLUTIONS, Utilitarian()):
        game = bargain.GradientGame(np.eye(2), disagreement=[math.nan, 0.0])
        with pytest.raises(ValueError, match="disagreement: expected finite numbers"):
            bargain.solve(game, solution)


@pytest.mark.parametrize(
    ("shorthand", "solution"),
    [
        (bargain.egalitarian, bargain.Egalitarian()),
        (bargain.kalai_smorodinsky, bargain.KalaiSmorodinsky()),
        (bargain.utilitarian, bargain.Utilitarian()),
    ],
)
def test_the_shorthands_take_a_disagreement_point(shorthand, solution):
    gram, demands = np.asarray([[2.0, 0.5], [0.5, 1.0]]), [0.3, -0.2]
    game = bargain.GradientGame(gram, disagreement=demands)
    expected = bargain.solve(game, solution)
    found = shorthand(gram, disagreement=demands)
    np.testing.assert_array_equal(found.utilities, expected.utilities)
    assert not np.allclose(found.utilities, shorthand(gram).utilities) or "Util" in repr(solution)
