"""α-fair solutions: games by hand, other hands' solvers, neighbours, proofs, degenerate games."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import least_squares

import bargain
from bargain import AlphaFair, Nash
from tests import strategies
from tests.judge import check_disagreement
from tests.libraries import as_numpy, game_of, open_library, status_of
from tests.oracles import factor_of_cosines

GRAMS = sorted((Path(__file__).parents[1] / "data" / "grams").glob("*.npz"))
ORDERS = [0.05, 0.3, 0.9, 1.5, 4.0, 50.0]
every_order = pytest.mark.parametrize("order", ORDERS)
SOLVABLE = strategies.plain_cases(strategies.SOLVABLE, most=30)
GRAM = strategies.full_rank(5, 0).gram


def gap_from_utilities(gram, weights, order, outcome) -> float:
    """Return r ||sum y_i g_i|| / sum y_i u_i - 1 for the slopes y of the welfare at the utilities.

    The welfare is concave, so no update gains more than that times sum y_i u_i.
    """
    utilities = np.asarray(outcome.utilities, float)
    logs = np.log(weights) - order * np.log(utilities)
    slopes = np.exp(logs - np.max(logs + np.log(utilities)))
    longest = math.sqrt(slopes @ gram @ slopes)
    return longest / float(slopes @ utilities) - 1


@every_order
def test_orthogonal_gradients(eager, order):
    """With orthogonal gradients u_i^(1 + a) is proportional to w_i ||g_i||^2."""
    lengths, weights = np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5, 2.0])
    outcome = as_numpy(bargain.solve(eager.game(np.diag(lengths**2), weights), AlphaFair(order)))
    expected = (weights * lengths**2) ** (1 / (1 + order))
    expected /= np.linalg.norm(expected / lengths)
    np.testing.assert_allclose(outcome.utilities, expected, rtol=1e-10)
    natural = outcome.coefficients * lengths
    assert natural @ natural == pytest.approx(weights.sum())
    shares = (expected / lengths) ** 2
    np.testing.assert_allclose(outcome.shares, shares / shares.sum(), rtol=1e-9)


def test_two_players_by_hand():
    """Unit gradients at 60 degrees, a = 2: the angle to either is tan's and cosine's business."""
    gram = np.array([[1.0, 0.5], [0.5, 1.0]])
    outcome = bargain.alpha_fair(gram, 2.0, np.array([8.0, 1.0]))
    one, other = outcome.utilities
    angle = math.acos(one)
    assert other == pytest.approx(math.cos(math.pi / 3 - angle), abs=1e-12)
    # The slope of 8 / cos x + 1 / cos(60 - x) vanishes.
    slope = 8 * math.sin(angle) / one**2 - math.sin(math.pi / 3 - angle) / other**2
    assert abs(slope) < 1e-11


@every_order
@pytest.mark.parametrize("seed", range(4))
def test_the_equation_of_fairgrad(order, seed):
    """Least squares solves M a = (w / a)^(1/order), and finds the same direction."""
    if order in (0.05, 50.0):
        order = {0.05: 0.2, 50.0: 8.0}[order]  # where least squares still does
    case = strategies.weighted(strategies.full_rank(4, seed), seed, 1)
    ours = bargain.alpha_fair(case.gram, order, case.weights)

    def lack(logs):
        return np.log(case.gram @ np.exp(logs)) - (np.log(case.weights) - logs) / order

    scale = np.exp(np.mean(np.log(case.weights) - np.log(ours.coefficients) * (order + 1)))
    first = np.log(ours.coefficients * scale ** (1 / (order + 1)))
    found = least_squares(lack, first + 0.05, xtol=1e-15, ftol=1e-15, gtol=1e-15).x
    theirs = np.exp(found)
    ratio = theirs / ours.coefficients
    np.testing.assert_allclose(ratio / ratio[0], 1.0, rtol=1e-8)


@pytest.mark.parametrize("order", [0.5, 2.0, 3.0])
def test_a_conic_solver_finds_no_more_welfare(order):
    import cvxpy

    case = strategies.weighted(strategies.nearly_opposite_pair(5, 3, 0.1), 3, 1)
    factor, lengths = factor_of_cosines(case.gram)
    update = cvxpy.Variable(len(factor))
    utilities = cvxpy.multiply(lengths, factor.T @ update)
    welfare = case.weights @ cvxpy.power(utilities, 1 - order) / (1 - order)
    problem = cvxpy.Problem(cvxpy.Maximize(welfare), [cvxpy.norm(update) <= 1])
    problem.solve(solver="CLARABEL")
    ours = bargain.alpha_fair(case.gram, order, case.weights)
    mine = case.weights @ ours.utilities ** (1 - order) / (1 - order)
    assert mine == pytest.approx(problem.value, rel=1e-6)
    np.testing.assert_allclose(ours.utilities, utilities.value, rtol=1e-3)


@given(
    strategies.badly_scaled_cases(strategies.weighted_cases(SOLVABLE, decades=3), decades=4),
    st.sampled_from(ORDERS),
)
def test_nobody_can_gain(case, order):
    if case.margin < 1e-4 or case.solvable is not True:
        return
    outcome = bargain.solve(game_of(case), AlphaFair(order))
    if float(outcome.certificate.floor) > 1e-9 or status_of(outcome) != "AGREEMENT":
        return  # rounding decides; that this is rare is tested below
    # Below order one a gain may vanish, and with it the slope of welfare in floating point.
    if order > 1 or outcome.utilities.min() > 1e-9 * outcome.utilities.max():
        assert abs(gap_from_utilities(case.gram, case.weights, order, outcome)) < 1e-6


@every_order
@pytest.mark.parametrize("name", strategies.SOLVABLE)
def test_solvable_games_are_solved(name, order):
    for seed in range(6):
        knobs = (0.01,) if name in ("strongly_conflicting", "nearly_opposite_pair") else ()
        case = getattr(strategies, name)(3 + 4 * seed, seed, *knobs)
        case = strategies.weighted(strategies.rescaled(case, seed, 4), seed, 3)
        outcome = bargain.solve(game_of(case), AlphaFair(order))
        assert status_of(outcome) == "AGREEMENT", case
        assert bool(bargain.certify(game_of(case), AlphaFair(order), outcome).accepted)
        assert int(outcome.steps) <= 60


@every_order
@pytest.mark.parametrize("path", GRAMS, ids=lambda path: path.stem)
def test_real_trainings(path, order):
    grams = np.load(path)["grams"][::8].astype(float)
    batch = bargain.alpha_fair(grams, order)
    nash = bargain.nash(grams)
    solved = nash.status == bargain.Status.AGREEMENT
    np.testing.assert_array_equal(batch.status[solved], 0)
    assert (batch.residual[solved] <= np.maximum(2e-12, batch.certificate.floor[solved])).all()
    game = bargain.GradientGame(grams)
    assert bargain.certify(game, AlphaFair(order), batch).accepted[solved].all()
    for gram, utilities in zip(grams[solved][:3], batch.utilities[solved], strict=False):
        alone = bargain.alpha_fair(gram, order)
        # What nearly cancels keeps the rounding of what it is the sum of.
        atol = 1e-15 * utilities.max()
        np.testing.assert_allclose(alone.utilities, utilities, rtol=1e-7, atol=atol)
        if order > 1 or alone.utilities.min() > 1e-9 * alone.utilities.max():
            assert abs(gap_from_utilities(gram, np.ones(len(gram)), order, alone)) < 1e-5


@every_order
@pytest.mark.parametrize("name", strategies.STATIONARY)
def test_gradients_that_cancel(name, order):
    for seed in range(5):
        case = strategies.rescaled(getattr(strategies, name)(3 + 2 * seed, seed), seed, 4)
        outcome = bargain.solve(game_of(case), AlphaFair(order))
        assert status_of(outcome) == "DISAGREEMENT"
        proof = outcome.certificate
        check_disagreement(case.gram, proof.stationary, float(proof.resolution))
        assert bool(bargain.certify(game_of(case), AlphaFair(order), outcome).accepted)


# Neighbours ----------------------------------------------------------------------------------


def test_order_one_is_nash(eager):
    game = eager.game(GRAM, np.array([1.0, 2.0, 3.0, 0.5, 1.0]))
    ours, nash = bargain.solve(game, AlphaFair(1.0)), bargain.solve(game, Nash())
    for mine, theirs in zip(as_numpy(ours)[:7], as_numpy(nash)[:7], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert bool(bargain.certify(game, AlphaFair(1.0), nash).accepted)
    assert bool(bargain.certify(game, Nash(), ours).accepted)


@given(strategies.weighted_cases(strategies.plain_cases(["full_rank"], most=12), decades=2))
def test_orders_near_one_are_near_nash(case):
    if case.margin < 1e-2:
        return
    nash = bargain.solve(game_of(case)).utilities
    for order in (1 - 1e-7, 1 + 1e-7):
        near = bargain.solve(game_of(case), AlphaFair(order)).utilities
        np.testing.assert_allclose(near, nash, rtol=1e-4)
        assert not np.array_equal(near, nash) or case.players == 1


@pytest.mark.parametrize("order", [2.0, 10.0, 50.0, 500.0])
@pytest.mark.parametrize("seed", range(5))
def test_high_orders_approach_equality(order, seed):
    """The smallest u has one of K powers u^(1-a), so it is the best but for K^(1/(a-1))."""
    case = strategies.rescaled(strategies.full_rank(7, seed), seed, 1)
    best = bargain.egalitarian(case.gram).utilities.min()
    smallest = bargain.alpha_fair(case.gram, order).utilities.min()
    assert best * case.players ** (-1 / (order - 1)) <= smallest * (1 + 1e-9)
    assert smallest <= best * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_low_orders_approach_the_sum(seed):
    rng = np.random.default_rng(seed)
    gradients = np.abs(rng.normal(size=(6, 9)))  # in one orthant, so the sum harms nobody
    gram, weights = gradients @ gradients.T, rng.uniform(0.5, 2.0, size=6)
    target = bargain.utilitarian(gram, weights).utilities
    distances = [
        np.abs(bargain.alpha_fair(gram, order, weights).utilities - target).max()
        for order in (0.2, 0.1, 0.05)
    ]
    assert distances[0] > 1.8 * distances[1] > 1.8**2 * distances[2] > 0


def test_low_orders_harm_nobody_where_the_sum_would():
    gradients = np.array([[1.0, 0.0], [-1.0, 0.4]])
    gram, weights = bargain.gram(gradients), np.array([3.0, 1.0])
    assert bargain.utilitarian(gram, weights).utilities.min() < 0
    outcome = bargain.alpha_fair(gram, 0.05, weights)
    assert outcome.utilities.min() >= -1e-15
    # Along the edge of what the second player tolerates.
    edge = np.array([0.4, 1.0]) / np.linalg.norm([0.4, 1.0])
    np.testing.assert_allclose(outcome.utilities[0], edge[0], rtol=1e-3)


# What does not matter ---------------------------------------------------------------------------


@given(SOLVABLE, st.floats(-60, 60), st.sampled_from(ORDERS))
def test_a_common_scale_does_not_matter(case, decade, order):
    if case.margin < 1e-2:
        return
    one = bargain.solve(game_of(case), AlphaFair(order))
    scaled = bargain.alpha_fair(case.gram * 10.0**decade, order, 10.0**decade * case.weights)
    np.testing.assert_allclose(scaled.shares, one.shares, rtol=1e-6, atol=1e-9)


@every_order
def test_players_without_a_say(order):
    case = strategies.full_rank(6, 1)
    keep = np.array([0, 2, 3, 5])
    expected = bargain.alpha_fair(case.gram[np.ix_(keep, keep)], order)
    weights = np.array([1.0, 0, 1, 1, 0, 1])
    silent = bargain.alpha_fair(case.gram, order, weights)
    zero = np.outer(weights, weights) * case.gram
    absent = np.where(np.outer(weights, weights) > 0, case.gram, np.nan)
    for outcome in (
        silent,
        bargain.alpha_fair(zero, order),
        bargain.alpha_fair(absent, order, active=weights > 0),
    ):
        np.testing.assert_allclose(outcome.coefficients[keep], expected.coefficients, rtol=1e-9)
        assert not outcome.coefficients[[1, 4]].any()
        assert not outcome.shares[[1, 4]].any()
    np.testing.assert_allclose(silent.utilities, case.gram @ silent.coefficients / 2.0, rtol=1e-12)


# Ways to run ------------------------------------------------------------------------------------

LOT = [
    strategies.rescaled(strategies.full_rank(5, 1), 1, 2).gram,
    strategies.stationary(5, 7).gram,
    strategies.duplicated(5, 6).gram,
    np.full((5, 5), np.nan),
    strategies.strongly_conflicting(5, 5, 3e-2).gram,
]


@pytest.mark.parametrize("order", [0.3, 4.0])
def test_a_batch_is_its_games(eager, order):
    outcome = as_numpy(bargain.solve(eager.game(np.stack(LOT)), AlphaFair(order)))
    assert outcome.status.tolist() == [0, 1, 0, 3, 0]
    for k in (0, 1, 2, 4):
        alone = bargain.alpha_fair(LOT[k], order)
        np.testing.assert_allclose(outcome.utilities[k], alone.utilities, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(outcome.gap[k], alone.gap, atol=1e-10)
    assert np.isnan(outcome.coefficients[3]).all()


def test_under_jit():
    open_library("jax")
    import jax

    stacked = jax.numpy.asarray(np.stack(LOT))
    solve = jax.jit(lambda gram: bargain.alpha_fair(gram, 4.0))
    expected = bargain.alpha_fair(np.stack(LOT), 4.0)
    found = jax.vmap(solve)(stacked)
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.utilities, expected.utilities, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("order", [0.3, pytest.param(4.0, marks=pytest.mark.slow)])
def test_jax_differentiates(order):
    open_library("jax")
    import jax

    direction = np.arange(1.0, 6.0)
    weights = np.linspace(0.5, 2.0, 5)

    def outcome(gram, weights):
        found = bargain.alpha_fair(gram, order, weights)
        return (found.utilities + found.coefficients) @ direction

    gradient = jax.grad(outcome, argnums=(0, 1))(*map(jax.numpy.asarray, (GRAM, weights)))
    step = 1e-5
    for k, change in enumerate(step * np.eye(5)):
        slope = (outcome(GRAM, weights + change) - outcome(GRAM, weights - change)) / (2 * step)
        assert float(gradient[1][k]) == pytest.approx(slope, rel=1e-6, abs=1e-8)
    bend = np.add.outer(direction, direction)
    slope = (outcome(GRAM + step * bend, weights) - outcome(GRAM - step * bend, weights)) / 2e-5
    assert float((gradient[0] * bend).sum()) == pytest.approx(slope, rel=1e-6)


def test_torch_says_that_it_cannot_differentiate():
    torch = pytest.importorskip("torch")
    gram = torch.tensor(GRAM, requires_grad=True)
    outcome = bargain.alpha_fair(gram, 2.0)
    np.testing.assert_allclose(
        outcome.utilities.detach(), bargain.alpha_fair(GRAM, 2.0).utilities, rtol=1e-12
    )
    with pytest.raises(NotImplementedError, match="found the solution AlphaFair"):
        outcome.utilities.sum().backward()


@every_order
def test_a_warm_start_needs_fewer_steps(order):
    case = strategies.rescaled(strategies.full_rank(11, 2), 2, 2)
    cold = bargain.alpha_fair(case.gram, order)
    warm = bargain.alpha_fair(case.gram, order, start=cold.coefficients)
    assert int(warm.steps) <= 2 < int(cold.steps)
    np.testing.assert_allclose(warm.utilities, cold.utilities, rtol=1e-8)


# Proofs -----------------------------------------------------------------------------------------


@given(strategies.plain_cases(["full_rank"], most=8), st.sampled_from(ORDERS), st.integers(0, 99))
def test_the_gap_bounds_what_is_lost(case, order, seed):
    """Any positive coefficients: the welfare of the solution is above by the gap at most."""
    if case.margin < 1e-2:
        return
    rng, weights = np.random.default_rng(seed), np.ones(case.players)
    best = bargain.solve(game_of(case), AlphaFair(order))
    size = 1e-3 if order > 1 else 0.1
    guess = best.coefficients * np.exp(size * rng.normal(size=case.players))
    claim = best._replace(coefficients=guess)
    proof = bargain.certify(game_of(case), AlphaFair(order), claim)
    utilities = case.gram @ guess / math.sqrt(guess @ case.gram @ guess)
    if utilities.min() <= 0:
        return
    prices = guess * math.exp(
        order
        * np.log((weights ** (1 / order) * guess ** (1 - 1 / order)).sum() / (guess @ utilities))
    )
    welfare = [(w ** (1 - order) / (1 - order)).sum() for w in (best.utilities, utilities)]
    lost = (welfare[0] - welfare[1]) / (prices @ utilities)
    assert -1e-12 <= lost <= float(proof.gap) * (1 + 1e-6) + 1e-12
    if case.players > 1:
        assert float(proof.gap) <= 1e3 * max(lost, 1e-13) * max(order, 1 / order)


@every_order
def test_planted_faults_are_found(order):
    game = bargain.GradientGame(GRAM)
    outcome = bargain.solve(game, AlphaFair(order))
    names = [0.5 * order, 2.0 * order, order * 1.001]
    wrong = (
        [bargain.solve(game, AlphaFair(other)) for other in names]
        + [
            outcome._replace(coefficients=outcome.coefficients * factors)
            for factors in (np.array([1, 1, 1.01, 1, 1]), np.array([1, 1, 1, 1, 0.0]), -np.ones(5))
        ]
        + [outcome._replace(coefficients=np.ones(5))]
    )
    for claim in wrong:
        assert not bool(bargain.certify(game, AlphaFair(order), claim, tol=1e-7).accepted)
    assert bool(bargain.certify(game, AlphaFair(order), outcome, tol=1e-9).accepted)


@every_order
def test_leaving_out_a_player_is_found(order):
    """The best update for the others, with nothing of the third in it, who gains as well."""
    gram = bargain.gram(np.array([[1.0, 0.0, 0.0], [0.2, 1.0, 0.0], [0.5, 0.5, 2.0]]))
    others = bargain.alpha_fair(gram, order, np.array([1.0, 1.0, 0.0]))
    assert others.utilities.min() > 0
    proof = bargain.certify(bargain.GradientGame(gram), AlphaFair(order), others)
    assert not bool(proof.accepted)
    assert float(proof.gap) > 1e-2


def test_too_few_steps_are_no_proof():
    outcome = bargain.alpha_fair(GRAM, 4.0, max_steps=1)
    assert status_of(outcome) == "MAX_STEPS"
    assert not bool(outcome.certificate.accepted)


@pytest.mark.parametrize("solver", [bargain.FixedPoint(), bargain.CCP()])
def test_solvers_for_nash_refuse(solver):
    with pytest.raises(TypeError, match="solver: expected one for the solution AlphaFair, found"):
        bargain.alpha_fair(GRAM, 2.0, solver=solver)


@pytest.mark.parametrize("solution", [Nash, "nash", AlphaFair, None, 1])
def test_a_solution_is_a_solution(solution):
    with pytest.raises(TypeError, match="solution: expected one of Nash, AlphaFair, Kalai"):
        bargain.solve(bargain.GradientGame(GRAM), solution)
