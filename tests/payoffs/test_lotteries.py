"""Games over lotteries: by hand, against an independent judge, and at the edges."""

import inspect

import numpy as np
import pytest
from hypothesis import given, settings

from bargain import InteriorPoint, Nash, Status, solve
from bargain.payoffs import PayoffGame, certify_payoffs, solve_payoffs
from bargain.solutions import AlphaFair, Egalitarian, KalaiSmorodinsky, Utilitarian
from tests.libraries import as_numpy
from tests.payoffs.judge import judge
from tests.payoffs.tables import CLASSES, cases, make, scaled

# The tests put a type checker in front of every function; these have words of their own.
bare = inspect.unwrap
SOLUTIONS = [
    Nash(),
    AlphaFair(0.3),
    AlphaFair(2.0),
    AlphaFair(8.0),
    KalaiSmorodinsky(),
    Egalitarian(),
    Utilitarian(),
]
every_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=str)
TRIANGLE = np.asarray([[1.0, 0.0], [0.75, 1.0], [0.0, 1.0]])


@every_solution
def test_a_dollar_is_split_in_halves(solution, eager):
    game = PayoffGame(eager.asarray([[1.0, 0.0], [0.0, 1.0]]))
    outcome = as_numpy(solve_payoffs(game, solution))
    assert outcome.status == Status.AGREEMENT
    if not isinstance(solution, Utilitarian):  # any lottery has the same sum
        np.testing.assert_allclose(outcome.utilities, 0.5, rtol=1e-9)
        np.testing.assert_allclose(outcome.shares, 0.5, rtol=1e-9)


@every_solution
@settings(max_examples=20)
@given(case=cases())
def test_an_independent_judge_agrees(solution, case):
    game = PayoffGame(*case[:3])
    outcome = solve_payoffs(game, solution)
    if isinstance(solution, AlphaFair) and case.name == "scaled" and outcome.status == 2:
        return  # honest: sums of powers over twelve decades have too few digits
    judge(case, solution, outcome)
    assert certify_payoffs(game, solution, outcome).accepted
    if not isinstance(solution, Utilitarian) and outcome.status == Status.AGREEMENT:
        earned = outcome.certificate.multipliers @ (outcome.utilities - case.disagreement)
        assert earned == pytest.approx(case.weights.sum(), rel=1e-9)


def test_nash_and_kalai_smorodinsky_part_on_the_triangle():
    # The frontier goes from (0.75, 1) to (1, 0): u2 = 4 (1 - u1). The corner (0.75, 1) has the
    # largest product, and equal parts of the hopes (1, 1) meet the frontier at (0.8, 0.8).
    game = PayoffGame(TRIANGLE)
    nash, ks = solve_payoffs(game, Nash()), solve_payoffs(game, KalaiSmorodinsky())
    np.testing.assert_allclose(nash.utilities, [0.75, 1.0], rtol=1e-9)
    np.testing.assert_allclose(nash.certificate.multipliers, [4 / 3, 1.0], rtol=1e-9)
    np.testing.assert_allclose(ks.utilities, [0.8, 0.8], rtol=1e-10)
    np.testing.assert_allclose(ks.certificate.hopes.ideal, [1.0, 1.0], rtol=1e-10)
    assert int(nash.steps) <= 20


@pytest.mark.parametrize("order", [0.25, 0.5, 1.0, 2.0, 5.0, 40.0])
def test_alpha_fair_on_a_line(order):
    # Over u1 + u2 / 4 = 1: u1 = 1 / (1 + p^((1 - 1/a))...) from prices (1, 1/4): u_i^-a ~ p_i.
    game = PayoffGame(np.asarray([[1.0, 0.0], [0.0, 4.0]]))
    utilities = solve_payoffs(game, AlphaFair(order)).utilities
    ratio = 4.0 ** (1 / order)  # u2 / u1
    first = 1 / (1 + ratio / 4)
    np.testing.assert_allclose(utilities, [first, first * ratio], rtol=2e-8)


def test_alpha_fair_joins_its_neighbours():
    case = make(CLASSES[1], 3, 30, 4, shifted=True)
    game = PayoffGame(*case[:3])

    def utilities(solution):
        return solve_payoffs(game, solution).utilities

    np.testing.assert_allclose(utilities(AlphaFair(1.0)), utilities(Nash()), rtol=1e-8)
    near, far = utilities(AlphaFair(1e-3)), utilities(AlphaFair(1000.0))
    floor = np.maximum(0, utilities(Utilitarian()) - case.disagreement)
    assert (near - case.disagreement).sum() >= 0.9 * floor.sum() * 0.5
    least = (utilities(Egalitarian()) - case.disagreement).min()
    assert (far - case.disagreement).min() == pytest.approx(least, rel=5e-3)


def test_weights_are_shares():
    game = PayoffGame(np.eye(3), [3.0, 2.0, 1.0])
    outcome = solve_payoffs(game, Nash())
    np.testing.assert_allclose(outcome.utilities, [3 / 6, 2 / 6, 1 / 6], rtol=1e-9)
    np.testing.assert_allclose(outcome.shares, [3 / 6, 2 / 6, 1 / 6], rtol=1e-9)


@every_solution
def test_a_player_without_weight_has_no_say(solution):
    table = np.asarray([[1.0, 0.0, -9.0], [0.0, 1.0, -9.0], [0.2, 0.2, 1.0]])
    outcome = solve_payoffs(PayoffGame(table, [1.0, 1.0, 0.0]), solution)
    alone = solve_payoffs(PayoffGame(table[:, :2]), solution)
    assert outcome.status == Status.AGREEMENT
    np.testing.assert_allclose(outcome.utilities[:2], alone.utilities, rtol=1e-9)
    assert outcome.utilities[2] < -8
    assert outcome.shares[2] == 0


@pytest.mark.parametrize("solution", [Nash(), KalaiSmorodinsky()], ids=str)
@settings(max_examples=20)
@given(case=cases())
def test_units_do_not_matter(solution, case):
    units = 10.0 ** np.linspace(-6, 6, len(case.weights))
    outcome = solve_payoffs(PayoffGame(*case[:3]), solution)
    other = PayoffGame(case.payoffs * units, case.weights, case.disagreement * units)
    scaled_outcome = solve_payoffs(other, solution)
    assert outcome.status == scaled_outcome.status
    # Where a payoff is indifferent to first order, its digits are the square root's.
    size = 1e-5 * np.abs(case.payoffs).max(axis=0)
    assert (np.abs(scaled_outcome.utilities / units - outcome.utilities) <= size + 1e-300).all()


@every_solution
@pytest.mark.parametrize("distance", [1e-2, 1e-6])
def test_disagreement_next_to_the_frontier(solution, distance):
    rng = np.random.default_rng(0)
    table = np.concatenate([rng.dirichlet(np.ones(4), 50), np.eye(4)])
    asked = np.full(4, (1 - distance) / 4)
    outcome = solve_payoffs(PayoffGame(table, disagreement=asked), solution)
    assert outcome.status == Status.AGREEMENT
    if not isinstance(solution, Utilitarian):
        np.testing.assert_allclose(outcome.utilities - asked, distance / 4, rtol=1e-4)
        assert outcome.gap <= max(1e-9, outcome.certificate.floor)


@every_solution
def test_what_nobody_can_better_is_refused_with_a_proof(solution):
    touching = np.asarray([[1.0, -1.0], [-2.0, 2.0], [0.0, 0.0]])
    for table in (touching, touching - 1e-3, -np.ones((1, 2)), np.zeros((3, 2))):
        game = PayoffGame(table)
        outcome = solve_payoffs(game, solution)
        certificate = certify_payoffs(game, solution, outcome)
        assert certificate.accepted
        if isinstance(solution, Utilitarian):
            assert outcome.status == Status.AGREEMENT
            continue
        assert outcome.status == Status.DISAGREEMENT
        assert (table @ outcome.certificate.multipliers).max() <= 1e-14
        np.testing.assert_array_equal(outcome.utilities, 0)


def test_utilitarians_take_the_first_of_equals_and_spare_nobody():
    table = np.asarray([[1.0, 1.0], [4.0, -1.0], [-1.0, 4.0]])
    outcome = solve_payoffs(PayoffGame(table), Utilitarian())
    np.testing.assert_array_equal(outcome.allocation, [0.0, 1.0, 0.0])
    assert outcome.status == Status.AGREEMENT


def test_ideal_points_that_the_game_names():
    # Maximin relative improvement: parts of (2, 1) on u1 + u2 = 1.
    game = PayoffGame(np.eye(2), ideal=[2.0, 1.0])
    outcome = solve_payoffs(game, KalaiSmorodinsky())
    np.testing.assert_allclose(outcome.utilities, [2 / 3, 1 / 3], rtol=1e-10)
    assert certify_payoffs(game, KalaiSmorodinsky(), outcome).accepted


def test_ideal_points_are_counted_from_the_disagreement_point():
    # On u1 + u2 = 1 from (0.2, 0) towards (1, 0.8): parts equal, gains too.
    game = PayoffGame(np.eye(2), disagreement=[0.2, 0.0], ideal=[1.0, 0.8])
    outcome = solve_payoffs(game, KalaiSmorodinsky())
    np.testing.assert_allclose(outcome.utilities, [0.6, 0.4], rtol=1e-10)


def test_hopes_leave_nobody_below_disagreement():
    # Alone he could have 3, but that would cost the other one 1.
    table = np.asarray([[3.0, -1.0], [1.0, 1.0], [0.0, 2.0]])
    outcome = solve_payoffs(PayoffGame(table), KalaiSmorodinsky())
    np.testing.assert_allclose(outcome.certificate.hopes.ideal, [2.0, 2.0], rtol=1e-10)


@pytest.mark.parametrize("count", [1, 100, 10_000])
def test_gaps_are_tiny_at_any_size(count):
    rng = np.random.default_rng(count)
    game = PayoffGame(rng.normal(size=(count, 8)) + 1.0)
    for solution in (Nash(), AlphaFair(2.0), Egalitarian()):
        outcome = solve_payoffs(game, solution)
        assert outcome.status in (Status.AGREEMENT, Status.DISAGREEMENT)
        assert outcome.gap <= 1e-11
        assert outcome.steps <= 40


def test_a_lottery_to_begin_near():
    game = PayoffGame(*make(CLASSES[0], 5, 30, 3)[:3])
    cold = solve_payoffs(game, Nash())
    warm = solve_payoffs(game, Nash(), start=cold.allocation)
    np.testing.assert_allclose(warm.utilities, cold.utilities, rtol=1e-7)
    useless = solve_payoffs(game, Nash(), start=np.full(30, np.nan))
    np.testing.assert_array_equal(useless.utilities, cold.utilities)


def test_giving_up_is_no_agreement():
    game = PayoffGame(TRIANGLE)
    outcome = solve_payoffs(game, Nash(), max_steps=1)
    assert outcome.status == Status.MAX_STEPS
    assert not outcome.certificate.accepted


def test_tolerance_is_the_solvers():
    game = PayoffGame(*make(CLASSES[0], 5, 200, 4)[:3])
    loose = solve_payoffs(game, Nash(), InteriorPoint(tol=1e-4))
    assert loose.steps < solve_payoffs(game, Nash()).steps


@pytest.mark.parametrize(
    ("make_game", "message"),
    [
        (lambda: PayoffGame(np.zeros((0, 2))), "at least one row"),
        (lambda: PayoffGame(np.zeros((2, 0))), "at least one row"),
        (lambda: PayoffGame(np.zeros(2)), "two axes"),
        (lambda: PayoffGame(np.eye(2), [1.0, 1.0, 1.0]), "weights: expected shape"),
        (lambda: PayoffGame(np.eye(2), disagreement=np.zeros((3, 2))), "disagreement: expected"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2) * np.nan), Nash()), "payoffs: expected finite"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2), [0.0, 0.0]), Nash()), "above zero"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2), [-1.0, 1.0]), Nash()), "at least zero"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2), ideal=[0.0, 1.0]), Nash()), "ideal: expected"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2)), Nash(), max_steps=-1), "max_steps"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2)), Nash(), start=np.ones(3)), "start: expected"),
    ],
)
def test_bad_values_are_explained(make_game, message):
    with pytest.raises(ValueError, match=message):
        make_game()


@pytest.mark.parametrize(
    ("make_game", "message"),
    [
        (lambda: PayoffGame(np.eye(2, dtype=int)), "payoffs: expected a real floating"),
        (lambda: PayoffGame(np.eye(2), weights="equal"), "weights: expected an array"),
        (lambda: solve_payoffs(PayoffGame([[1.0]]), Nash()), "payoffs: expected an array"),
        (lambda: solve_payoffs(np.eye(2), Nash()), "game: expected a PayoffGame"),
        (lambda: bare(solve_payoffs)(PayoffGame(np.eye(2)), "nash"), "solution: expected one of"),
        (lambda: solve_payoffs(PayoffGame(np.eye(2)), Nash(), "newton"), "solver: expected"),
        (lambda: bare(solve_payoffs)(PayoffGame(np.eye(2)), Nash(), max_steps=1.5), "whole"),
        (lambda: bare(certify_payoffs)(PayoffGame(np.eye(2)), Nash(), None), "outcome: expected"),
        (lambda: solve(PayoffGame(np.eye(2)), precision=1e-7), "precision: expected none for a P"),
    ],
)
def test_bad_types_are_explained(make_game, message):
    with pytest.raises(TypeError, match=message):
        make_game()


def test_bad_values_are_explained_where_jax_has_no_wide_numbers():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(False):
        payoffs = jax.numpy.asarray([[1.0, jax.numpy.nan], [0.0, 1.0]])
        with pytest.raises(ValueError, match="payoffs: expected finite numbers, found 1 that"):
            solve_payoffs(PayoffGame(payoffs), Nash())


def test_scales_of_twelve_decades_end_with_a_proof_for_nash():
    for seed in range(5):
        case = make(scaled, seed, 500, 6, shifted=True)
        assert solve_payoffs(PayoffGame(*case[:3]), Nash()).gap <= 1e-10


@pytest.mark.parametrize("weights", [[10.0, 1.0], [1.0, 10.0], [1e5, 1.0]])
@pytest.mark.parametrize("threat", [0.4, 0.45, 0.49])
def test_a_small_weight_near_the_frontier(weights, threat):
    """The step once ran into the boundary of whose weight is small, and stayed there."""
    game = PayoffGame(np.asarray([[0.0, 1.0], [1.0, 0.0]]), weights, [threat, threat])
    outcome = solve_payoffs(game, Nash())
    expected = threat + (1 - 2 * threat) * np.asarray(weights) / sum(weights)
    assert int(outcome.status) == 0
    np.testing.assert_allclose(outcome.utilities, expected, rtol=1e-7)
