"""α-fair solutions with a disagreement point: by hand, other hands' solvers, neighbours, proofs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain import AlphaFair, Egalitarian, InteriorPoint, Nash, Utilitarian
from bargain.canonical import canonicalise
from bargain.terms import terms_of
from tests import strategies
from tests.judge import check_disagreement
from tests.libraries import as_numpy, game_of, open_library, status_of
from tests.oracles import factor_of_cosines
from tests.solver_runs import EPSILON

ORDERS = [0.05, 0.3, 0.9, 1.5, 4.0, 50.0]
every_order = pytest.mark.parametrize("order", ORDERS)
OPPOSITE = np.array([[1.0, -1.0], [-1.0, 1.0]])
ATTAINABLE = strategies.attainable_disagreement_cases(
    strategies.weighted_cases(strategies.plain_cases(most=12), decades=2)
)
LONG = np.longdouble


def judge(case, order, outcome, tolerance=1e-9) -> None:
    """Every number that an agreement claims, recomputed from the game: legal, best, proved.

    By Hölder's inequality: of all gains that are worth no more than what the prices support, the
    best power mean is known, and that of the agreement must not fall short of it.
    """
    gram, asked, radius = case.gram, case.disagreement, case.radius
    factor, lengths = factor_of_cosines(gram)
    unit, tolerance = radius * lengths, max(tolerance, 4 * float(outcome.certificate.floor))
    coefficients, prices = outcome.coefficients, outcome.certificate.multipliers
    length = math.sqrt(max(coefficients @ gram @ coefficients, 0.0))
    cancelled = np.abs(coefficients) @ np.abs(gram) @ np.abs(coefficients)
    assert length <= math.sqrt(radius**2 + 1e-14 * cancelled) * (1 + 1e-12), "too long"
    magnitude = 1e-12 * (unit + np.abs(gram) @ np.abs(coefficients))
    assert (np.abs(gram @ coefficients - outcome.utilities) <= magnitude).all(), "other utilities"
    assert (prices >= 0).all()
    gains = (outcome.utilities - asked).astype(LONG)
    bound = radius * np.linalg.norm(factor @ (prices * lengths)) - prices @ asked
    assert bound == pytest.approx(case.weights.sum(), rel=max(1e-6, tolerance)), "other scale"
    worth = np.asarray(prices, LONG) * gains / bound
    assert abs(1 - worth.sum()) <= tolerance, "the radius leaves something"
    logs = (np.log(case.weights.astype(LONG)) - np.log(prices.astype(LONG))) / order
    owed = np.exp(np.log(prices.astype(LONG)) + logs - (np.log(prices.astype(LONG)) + logs).max())
    owed /= owed.sum()
    assert np.abs(worth - owed).max() <= tolerance, f"shares {worth}, owed {owed}"
    np.testing.assert_allclose(outcome.shares, (worth / worth.sum()).astype(float), atol=1e-9)
    if order > 1:
        assert (gains > 0).all()
    else:
        assert (gains * prices >= -tolerance * bound).all()


def welfare(order, weights, gains) -> float:
    return float(weights @ gains ** (1 - order) / (1 - order))


# By hand ------------------------------------------------------------------------------------------


@every_order
def test_orthogonal_players_on_the_circle(order):
    """On the arc u = (cos t, sin t) the slopes w_i (u_i - d_i)^-a are along the update."""
    weights, asked = np.array([2.0, 1.0]), np.array([0.6, -0.3])
    game = bargain.GradientGame(np.eye(2), weights, asked)
    outcome = bargain.solve(game, AlphaFair(order))
    assert status_of(outcome) == "AGREEMENT"
    assert math.hypot(*outcome.utilities) == pytest.approx(1.0, rel=1e-12)
    logs = np.log(weights) - order * np.log(outcome.utilities - asked)
    slopes = logs - np.log(outcome.utilities)
    if order > 0.1:
        assert slopes[0] == pytest.approx(slopes[1], abs=1e-9 * max(order, 1 / order))
    np.testing.assert_allclose(outcome.coefficients, outcome.utilities, rtol=1e-12)
    assert bool(bargain.certify(game, AlphaFair(order), outcome).accepted)


@every_order
def test_strictly_inside_the_radius(order):
    """u = (x, -x) with gains x + 1 and 1/2 - x in the proportion (2 : 1) ** (1/a)."""
    weights, asked = np.array([2.0, 1.0]), np.array([-1.0, -0.5])
    outcome = bargain.alpha_fair(OPPOSITE, order, weights, disagreement=asked)
    part = 1 / (1 + 0.5 ** (1 / order))
    first = 1.5 * part - 1
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.utilities, [first, -first], atol=1e-8)
    length = math.sqrt(outcome.coefficients @ OPPOSITE @ outcome.coefficients)
    assert length == pytest.approx(abs(first), abs=1e-8)
    np.testing.assert_allclose(outcome.shares, [part, 1 - part], atol=1e-8)


@every_order
def test_asking_for_everything_is_refused(order):
    outcome = bargain.alpha_fair(np.eye(2), order, disagreement=[0.8, 0.8])
    assert status_of(outcome) == "DISAGREEMENT"
    beta = outcome.certificate.stationary
    assert math.hypot(*beta) <= 0.8 * beta.sum() + 1e-7
    assert not outcome.coefficients.any()


@every_order
def test_players_without_gradient_or_say(order):
    gram = np.diag([1.0, 0.0])
    refused = bargain.alpha_fair(gram, order, disagreement=[0.0, 0.1])
    assert status_of(refused) == "DISAGREEMENT"
    agreed = bargain.alpha_fair(gram, order, disagreement=[0.0, -0.1])
    np.testing.assert_allclose(agreed.utilities, [1.0, 0.0], atol=1e-12)
    for silent in ({"weights": [1.0, 1.0, 0.0]}, {"active": [True, True, False]}):
        for asked in (0.3, -3.0):
            game = bargain.GradientGame(np.eye(3), disagreement=[asked, asked, 9.0], **silent)
            outcome = bargain.solve(game, AlphaFair(order))
            np.testing.assert_allclose(outcome.utilities, [0.5**0.5, 0.5**0.5, 0.0], rtol=1e-9)
            assert not outcome.coefficients[2]
            assert not outcome.shares[2]
            assert bool(bargain.certify(game, AlphaFair(order), outcome).accepted)


# Against other hands ------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0.5, 2.0, 3.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_conic_solver_finds_no_more_welfare(order, seed):
    cvxpy, bargain_cvxpy = pytest.importorskip("cvxpy"), pytest.importorskip("bargain_cvxpy")
    name = ["full_rank", "opposite_pair", "stationary", "rank_deficient"][seed]
    case = strategies.weighted(getattr(strategies, name)(5, seed), seed, 1)
    case = strategies.with_attainable_disagreement(case, seed, 0.1, 1.0)
    factor, lengths = factor_of_cosines(case.gram)
    update = cvxpy.Variable(len(factor))
    utilities = cvxpy.multiply(lengths, factor.T @ update)
    game = bargain_cvxpy.ConvexGame(
        utilities=list(utilities),
        constraints=[cvxpy.norm(update) <= 1],
        disagreement=case.disagreement,
        weights=case.weights,
    )
    theirs = game.alpha_fair(order)
    ours = bargain.solve(game_of(case), AlphaFair(order))
    assert status_of(ours) == "AGREEMENT"
    mine = welfare(order, case.weights, ours.utilities - case.disagreement)
    other = welfare(order, case.weights, theirs.utilities - case.disagreement)
    assert mine >= other - 1e-7 * abs(other)
    np.testing.assert_allclose(ours.utilities, theirs.utilities, atol=1e-4)


@given(ATTAINABLE, st.sampled_from(ORDERS))
def test_attainable_demands_are_met(case, order):
    outcome = bargain.solve(game_of(case), AlphaFair(order))
    if case.solvable and case.margin > 1e-3:
        assert status_of(outcome) == "AGREEMENT"
    if status_of(outcome) == "AGREEMENT":
        judge(case, order, outcome)
        assert bool(bargain.certify(game_of(case), AlphaFair(order), outcome).accepted)


@given(
    strategies.unattainable_disagreement_cases(strategies.plain_cases(most=12)),
    st.sampled_from(ORDERS),
)
def test_demands_that_ask_too_much_are_refused(case, order):
    outcome = bargain.solve(game_of(case), AlphaFair(order))
    assert status_of(outcome) == "DISAGREEMENT"
    proof = outcome.certificate
    asked = case.disagreement, case.radius
    check_disagreement(case.gram, proof.stationary, float(proof.resolution), *asked)
    assert bool(bargain.certify(game_of(case), AlphaFair(order), outcome).accepted)


@given(strategies.plain_cases(strategies.SOLVABLE, most=12), st.sampled_from(ORDERS))
def test_without_a_disagreement_point_it_agrees_with_newton(case, order):
    if case.margin < 1e-2:
        return
    newton = bargain.solve(game_of(case), AlphaFair(order))
    interior = bargain.solve(game_of(case), AlphaFair(order), InteriorPoint())
    zero = bargain.solve(
        game_of(case)._replace(disagreement=np.zeros(case.players)), AlphaFair(order)
    )
    for outcome in (interior, zero):
        assert status_of(outcome) == "AGREEMENT"
        np.testing.assert_allclose(outcome.utilities, newton.utilities, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(outcome.shares, newton.shares, atol=1e-8)


# Neighbours ---------------------------------------------------------------------------------------

GRAM = strategies.full_rank(5, 0).gram
ASKED = np.array([0.1, -0.2, 0.05, 0.0, -1.0])
WEIGHTS = np.array([1.0, 2.0, 0.5, 1.0, 3.0])
GAME = bargain.GradientGame(GRAM, WEIGHTS, ASKED)


def test_order_one_is_nash(eager):
    game = eager.game(GRAM, WEIGHTS, ASKED)
    ours, nash = bargain.solve(game, AlphaFair(1.0)), bargain.solve(game, Nash())
    for mine, theirs in zip(as_numpy(ours)[:7], as_numpy(nash)[:7], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert bool(bargain.certify(game, AlphaFair(1.0), nash).accepted)


@given(strategies.attainable_disagreement_cases(strategies.plain_cases(most=8)))
def test_orders_near_one_are_near_nash(case):
    if case.margin < 1e-2:
        return
    nash = bargain.solve(game_of(case)).utilities
    for order in (1 - 1e-7, 1 + 1e-7):
        near = bargain.solve(game_of(case), AlphaFair(order)).utilities
        np.testing.assert_allclose(near, nash, rtol=1e-4, atol=1e-5 * np.abs(nash).max())


@pytest.mark.parametrize("order", [2.0, 10.0, 50.0, 500.0, 2000.0])
@pytest.mark.parametrize("seed", range(5))
def test_high_orders_approach_equality(order, seed):
    """The smallest gain has one of K powers, so it is the best but for K^(1/(a-1))."""
    case = strategies.rescaled(strategies.full_rank(7, seed), seed, 1)
    case = strategies.with_attainable_disagreement(case, seed, 0.1, 1.0)
    best = bargain.egalitarian(case.gram, disagreement=case.disagreement)
    best = (best.utilities - case.disagreement).min()
    outcome = bargain.alpha_fair(case.gram, order, disagreement=case.disagreement)
    assert status_of(outcome) == "AGREEMENT"
    smallest = (outcome.utilities - case.disagreement).min()
    assert best * case.players ** (-1 / (order - 1)) <= smallest * (1 + 1e-9)
    assert smallest <= best * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_low_orders_approach_the_sum(seed):
    rng = np.random.default_rng(seed)
    gradients = np.abs(rng.normal(size=(6, 9)))
    gram, weights = gradients @ gradients.T, rng.uniform(0.5, 2.0, size=6)
    target = bargain.utilitarian(gram, weights).utilities
    asked = 0.5 * target  # which the sum gives everyone twice
    distances = [
        np.abs(bargain.alpha_fair(gram, a, weights, disagreement=asked).utilities - target).max()
        for a in (0.2, 0.1, 0.05)
    ]
    assert distances[0] > 1.8 * distances[1] > 1.8**2 * distances[2] > 0


def test_low_orders_keep_everyone_at_his_disagreement_point_where_the_sum_would_not():
    gram, weights, asked = np.eye(2), np.array([10.0, 1.0]), np.array([0.0, 0.6])
    assert bargain.utilitarian(gram, weights).utilities[1] < 0.6
    outcome = bargain.alpha_fair(gram, 0.05, weights, disagreement=asked)
    np.testing.assert_allclose(outcome.utilities, [0.8, 0.6], atol=1e-3)
    assert outcome.utilities[1] >= 0.6 - 1e-12


def claim(factors) -> bargain.Outcome:
    """An answer to GAME that is a little wrong, in its prices and its update."""
    outcome = bargain.solve(GAME, Nash())
    prices = outcome.certificate.multipliers * factors
    update = prices / math.sqrt(prices @ GRAM @ prices)
    return outcome._replace(
        coefficients=0.999 * update, certificate=outcome.certificate._replace(multipliers=prices)
    )


CLAIM = claim(np.array([1.01, 0.99, 1.0, 1.02, 0.98]))
GAINS = GRAM @ CLAIM.coefficients - ASKED
PRICES = CLAIM.certificate.multipliers
SUPPORTED = math.sqrt(PRICES @ GRAM @ PRICES) - PRICES @ ASKED


def gap_of(solution) -> float:
    return float(bargain.certify(GAME, solution, CLAIM).gap)


def test_the_gap_of_orders_near_one_is_that_of_nash():
    """Nash's is of the logarithm of the weighted product, so W times as large."""
    nash = gap_of(Nash()) / WEIGHTS.sum()
    assert nash > 1e-3
    for order in (1 - 1e-6, 1 + 1e-6):
        assert gap_of(AlphaFair(order)) == pytest.approx(nash, rel=1e-4)


def test_the_gap_of_orders_near_zero_is_what_is_missing_of_the_sum():
    """At the prices of the sum, its own weights: what their radius supports and is not there."""
    claimed = CLAIM._replace(certificate=CLAIM.certificate._replace(multipliers=WEIGHTS))
    best = math.sqrt(WEIGHTS @ GRAM @ WEIGHTS) - WEIGHTS @ ASKED
    missing = 1 - WEIGHTS @ GAINS / best
    gap = float(bargain.certify(GAME, AlphaFair(1e-7), claimed).gap)
    assert gap == pytest.approx(missing, rel=1e-5)
    # The utilitarian gap reads no disagreement point: the same lack, of the sum of utilities.
    plain = float(bargain.certify(GAME, Utilitarian(), claimed).gap)
    whole = math.sqrt(WEIGHTS @ GRAM @ WEIGHTS)
    assert plain * whole == pytest.approx(missing * best, rel=1e-9)


def test_the_gap_of_high_orders_is_that_of_the_smallest_gain():
    """For the power mean of gains, which has a limit, it is log(1 + (a - 1) gap) / (a - 1)."""
    even = GAME._replace(weights=np.ones(5))
    level = float(bargain.certify(even, Egalitarian(), CLAIM).gap)
    assert level > 1e-3
    order = 200.0
    gap = float(bargain.certify(even, AlphaFair(order), CLAIM).gap)
    mean = math.log1p((order - 1) * gap) / (order - 1)
    assert mean == pytest.approx(-math.log1p(-level), abs=3 * math.log(5) / order)
    further = float(bargain.certify(even, AlphaFair(3 * order), CLAIM).gap)
    closer = math.log1p((3 * order - 1) * further) / (3 * order - 1)
    assert abs(closer + math.log1p(-level)) < abs(mean + math.log1p(-level)) / 2


@every_order
def test_the_gap_of_no_demands_is_the_gap_without_them(order):
    """A claim about d = 0 is worth the same, whether zeros are given or nothing is."""
    plain, zeros = bargain.GradientGame(GRAM, WEIGHTS), GAME._replace(disagreement=np.zeros(5))
    prices = bargain.solve(plain, AlphaFair(order)).coefficients
    prices = prices * np.array([1.001, 0.999, 1.0, 1.002, 0.998])
    guess = CLAIM._replace(
        coefficients=prices / math.sqrt(prices @ GRAM @ prices),
        certificate=CLAIM.certificate._replace(multipliers=prices),
    )
    without = bargain.certify(plain, AlphaFair(order), guess)
    with_zeros = bargain.certify(zeros, AlphaFair(order), guess)
    assert float(with_zeros.gap) == pytest.approx(float(without.gap), rel=1e-6, abs=1e-14)
    assert float(with_zeros.residual) == pytest.approx(float(without.residual), rel=1e-6)


# Proofs -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(ATTAINABLE, st.sampled_from(ORDERS), st.integers(0, 99))
def test_the_gap_bounds_what_is_lost(case, order, seed):
    """Any prices, any legal update: the best welfare is above its own by the gap at most."""
    best = bargain.solve(game_of(case), AlphaFair(order))
    if case.margin < 1e-2 or status_of(best) != "AGREEMENT":
        return
    rng, size = np.random.default_rng(seed), 1e-3 if order > 1 else 0.05
    prices = best.certificate.multipliers * np.exp(size * rng.normal(size=case.players))
    update = (1 - size * rng.uniform()) * best.coefficients
    guess = best._replace(
        coefficients=update, certificate=best.certificate._replace(multipliers=prices)
    )
    proof = bargain.certify(game_of(case), AlphaFair(order), guess)
    gains = [values - case.disagreement for values in (best.utilities, case.gram @ update)]
    if min(values.min() for values in gains) <= 0:
        return
    factor, lengths = factor_of_cosines(case.gram)
    supported = case.radius * np.linalg.norm(factor @ (prices * lengths))
    supported -= prices @ case.disagreement
    # Prices times k are best where they support what the players are owed.
    logs = np.log(case.weights) / order + (1 - 1 / order) * np.log(prices)
    scale = order * (np.log(np.exp(logs - logs.max()).sum()) + logs.max() - np.log(supported))
    units = np.exp(-scale / (1 - order)) if abs(order - 1) > 1e-9 else 1.0
    lost = welfare(order, case.weights, gains[0] * units)
    lost -= welfare(order, case.weights, gains[1] * units)
    lost /= supported
    assert -1e-11 <= lost <= float(proof.gap) * (1 + 1e-6) + 1e-11


@every_order
def test_planted_faults_are_found(order):
    outcome = bargain.solve(GAME, AlphaFair(order))
    proof = outcome.certificate
    assert bool(bargain.certify(GAME, AlphaFair(order), outcome, tol=1e-11).accepted)

    def accepted(wrong) -> bool:
        return bool(bargain.certify(GAME, AlphaFair(order), wrong, tol=1e-6).accepted)

    for other in (0.5 * order, 2 * order, 1.001 * order):
        assert not accepted(bargain.solve(GAME, AlphaFair(other)))
    bent = np.array([1.0, 1, 1.001, 1, 1])
    for factors in (1.00001, 0.99999, bent, -1.0):
        assert not accepted(outcome._replace(coefficients=outcome.coefficients * factors))
    for prices in (proof.multipliers * bent, -proof.multipliers, np.zeros(5), np.ones(5)):
        assert not accepted(outcome._replace(certificate=proof._replace(multipliers=prices)))
    longer = proof._replace(multipliers=proof.multipliers * 7)  # which proves the same
    assert accepted(outcome._replace(certificate=longer))
    refusal = outcome._replace(
        status=np.asarray(1), certificate=proof._replace(stationary=np.full(5, 0.2))
    )
    assert not accepted(refusal)


def test_nobody_is_left_behind_at_high_orders():
    """Shares agree here to many digits, and yet the second player loses."""
    game = bargain.GradientGame(np.eye(2), disagreement=[0.0, 0.5])
    outcome = bargain.solve(game, AlphaFair(50.0))
    update, prices = np.array([math.sqrt(1 - 0.4**2), 0.4]), np.array([1e-40, 1.0])
    wrong = outcome._replace(
        coefficients=update, certificate=outcome.certificate._replace(multipliers=prices)
    )
    proof = bargain.certify(game, AlphaFair(50.0), wrong)
    assert not bool(proof.accepted)
    assert float(proof.gap) == math.inf


@every_order
def test_leaving_out_a_player_is_found(order):
    """The best for the others, at prices that ask nothing of the third; he gains as well."""
    asked = np.where(np.arange(5) == 2, -0.3, ASKED)
    game, weights = GAME._replace(disagreement=asked), np.where(np.arange(5) == 2, 0.0, WEIGHTS)
    whole = bargain.solve(game, AlphaFair(order))
    others = bargain.solve(game._replace(weights=weights), AlphaFair(order))
    gains = [outcome.utilities - asked for outcome in (whole, others)]
    assert gains[1].min() > 0
    proof = bargain.certify(game, AlphaFair(order), others)
    assert not bool(proof.accepted)
    if order < 1:
        assert float(proof.gap) == math.inf
        return
    prices = others.certificate.multipliers
    scale = math.sqrt(prices @ GRAM @ prices) - prices @ asked
    logs = np.log(WEIGHTS)[prices > 0] / order + (1 - 1 / order) * np.log(prices[prices > 0])
    scale *= (np.exp(logs).sum() / scale) ** order  # at the best multiple of the prices
    lost = welfare(order, WEIGHTS, gains[0]) - welfare(order, WEIGHTS, gains[1])
    assert 0 < lost / scale <= float(proof.gap) * (1 + 1e-9)


def test_too_few_steps_are_no_proof():
    outcome = bargain.solve(GAME, AlphaFair(4.0), max_steps=2)
    assert status_of(outcome) == "MAX_STEPS"
    assert not bool(outcome.certificate.accepted)


# What does not matter -----------------------------------------------------------------------------


@given(ATTAINABLE, st.integers(-30, 30), st.sampled_from(ORDERS))
def test_radius_and_demands_scale_together(case, power, order):
    if case.margin < 1e-3:
        return
    before, factor = bargain.solve(game_of(case), AlphaFair(order)), 2.0**power
    game = game_of(case)._replace(
        disagreement=case.disagreement * factor, radius=case.radius * factor
    )
    after = bargain.solve(game, AlphaFair(order))
    assert status_of(after) == status_of(before)
    np.testing.assert_allclose(after.utilities, before.utilities * factor, rtol=1e-12)


@every_order
def test_asking_for_more_never_brings_less(order):
    received = [
        float(bargain.alpha_fair(GRAM, order, disagreement=[asked, 0, 0, 0, 0]).utilities[0])
        for asked in np.linspace(0.0, 0.4, 6)
    ]
    assert np.all(np.diff(received) > -1e-9)


# Ways to run --------------------------------------------------------------------------------------


def lot() -> tuple[np.ndarray, np.ndarray]:
    opposite = np.eye(3)
    opposite[:2, :2] = OPPOSITE
    gram = strategies.full_rank(3, 0).gram
    grams = np.stack([gram, np.eye(3), np.full((3, 3), np.nan), gram, opposite])
    asked = np.array([[0.1, 0, 0], [0.9, 0.9, 0], [0, 0, 0], [-3.0, -0.5, 0], [-1, -0.5, -2.0]])
    return grams, asked


def assert_rows_are_games(outcome, order) -> None:
    grams, asked = lot()
    assert outcome.status.tolist() == [0, 1, 3, 0, 0]
    for k in (0, 1, 3, 4):
        alone = bargain.alpha_fair(grams[k], order, disagreement=asked[k])
        np.testing.assert_allclose(outcome.utilities[k], alone.utilities, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(outcome.shares[k], alone.shares, atol=1e-7)


@pytest.mark.parametrize("order", [0.3, 20.0])
def test_a_batch_is_its_games(eager, order):
    grams, asked = lot()
    game = eager.game(grams, disagreement=asked)
    outcome = bargain.solve(game, AlphaFair(order))
    assert_rows_are_games(as_numpy(outcome), order)
    accepted = as_numpy(bargain.certify(game, AlphaFair(order), outcome).accepted)
    assert accepted.tolist() == [True, True, False, True, True]


@pytest.mark.parametrize("order", [0.3, pytest.param(20.0, marks=pytest.mark.slow)])
def test_under_jit(order):
    open_library("jax")
    import jax

    grams, asked = map(jax.numpy.asarray, lot())
    solve = jax.jit(lambda gram, asked: bargain.alpha_fair(gram, order, disagreement=asked))
    assert_rows_are_games(as_numpy(solve(grams, asked)), order)


def test_jax_says_that_it_cannot_differentiate():
    open_library("jax")
    import jax

    def first(gram):
        return bargain.alpha_fair(gram, 2.0, disagreement=[0.1, 0.0]).utilities[0]

    with pytest.raises(NotImplementedError, match="without a disagreement point"):
        jax.grad(first)(jax.numpy.eye(2))


@pytest.mark.parametrize("order", [0.3, 20.0])
def test_single_precision(eager, order):
    case = strategies.in_float32(strategies.full_rank(5, 1))
    asked = (0.1 * case.lengths).astype(np.float32)
    outcome = bargain.solve(eager.game(case.gram, disagreement=asked), AlphaFair(order))
    assert "float32" in str(outcome.utilities.dtype)
    exact = bargain.alpha_fair(case.gram.astype(float), order, disagreement=asked.astype(float))
    assert status_of(as_numpy(outcome)) == "AGREEMENT"
    np.testing.assert_allclose(as_numpy(outcome).utilities, exact.utilities, rtol=1e-3, atol=1e-4)


@every_order
def test_a_warm_start_needs_fewer_steps(order):
    cold = bargain.solve(GAME, AlphaFair(order))
    warm = bargain.solve(GAME, AlphaFair(order), start=cold.coefficients)
    assert int(warm.steps) < int(cold.steps)
    np.testing.assert_allclose(warm.utilities, cold.utilities, rtol=1e-8, atol=1e-10)


@settings(max_examples=25)
@given(ATTAINABLE, st.sampled_from(ORDERS))
def test_states_stay_inside_and_end_soon(case, order):
    game, frame = canonicalise(game_of(case), precision=EPSILON)
    game, solution, solver = terms_of(game, frame, AlphaFair(order)), AlphaFair(order), None
    solver = InteriorPoint()
    state, steps = solver.init(game, solution, None), 0
    while not bool(solver.done(game, solution, state)) and steps < 200:
        state, steps = solver.step(game, solution, state), steps + 1
        for values in (state.surplus, state.point, state.pressure):
            assert (values > 0).all()
        assert np.isfinite(state.update).all()
        assert min(1, order) <= state.order <= max(1, order)
    if case.solvable and case.margin > 1e-3:
        assert steps <= 80
