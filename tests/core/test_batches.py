"""A batch is the loop over its games, and one bad game harms none of its neighbours."""

import numpy as np
import pytest

import bargain
from bargain import CCP, FixedPoint, InteriorPoint, Newton, Status
from tests import strategies
from tests.libraries import as_numpy, game_of

SOLVERS = [Newton(), FixedPoint(), CCP(), InteriorPoint()]
every_solver = pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: type(s).__name__)
ROUNDING = 1e-12


def mixed_cases(players=5):
    """Easy and hard games, with and without an agreement, that take different numbers of steps."""
    return [
        strategies.full_rank(players, 0),
        strategies.rescaled(strategies.full_rank(players, 1), 1, 24),
        strategies.stationary(players, 2),
        strategies.weighted(strategies.rank_deficient(players, 3), 3, 4.0),
        strategies.strongly_conflicting(players, 4, 3e-2),
        strategies.opposite_pair(players, 5),
        strategies.duplicated(players, 6),
        strategies.with_silent_players(strategies.full_rank(players, 7), 7),
        strategies.with_zero_gradients(strategies.full_rank(players, 8), 8),
    ]


CASES = mixed_cases()
GRAMS = np.stack([case.gram for case in CASES])
WEIGHTS = np.stack([case.weights for case in CASES])


def element(tree, index):
    """Take one game's part of an outcome."""
    if isinstance(tree, tuple):
        return type(tree)(*(element(part, index) for part in tree))
    return tree[index]


def conditioning(case):
    """How much a rounding error in the matrix may grow in the coefficients."""
    return 1 / min(case.margin, 1.0) ** 2 if case.margin > 0 else 1.0


def assert_same(found, expected, *, growth=1.0):
    assert int(found.status) == int(expected.status)
    for name in ("coefficients", "utilities", "shares"):
        scale = np.abs(getattr(expected, name)) + np.finfo(float).tiny
        difference = np.abs(getattr(found, name) - getattr(expected, name))
        assert (difference <= ROUNDING * growth * scale).all(), name
    np.testing.assert_allclose(
        found.certificate.stationary, expected.certificate.stationary, rtol=1e-6, atol=1e-9
    )


@every_solver
def test_a_batch_equals_the_loop(solver, no_shortcut):
    together = bargain.nash(GRAMS, WEIGHTS, solver=solver)
    for k, case in enumerate(CASES):
        alone = bargain.solve(game_of(case), solver=solver)
        assert_same(element(together, k), alone, growth=conditioning(case))
        if isinstance(solver, Newton | InteriorPoint):
            assert abs(int(together.steps[k]) - int(alone.steps)) <= 1
        else:
            assert int(together.steps[k]) == pytest.approx(int(alone.steps), rel=0.1, abs=2)


def test_easy_games_take_the_same_steps_in_a_batch(no_shortcut):
    cases = [strategies.full_rank(4, seed) for seed in range(20)]
    together = bargain.nash(np.stack([case.gram for case in cases]))
    alone = [int(bargain.solve(game_of(case)).steps) for case in cases]
    np.testing.assert_array_equal(together.steps, alone)


def test_a_batch_equals_the_loop_in_every_library(xp):
    outcome = as_numpy(bargain.solve(xp.game(GRAMS, WEIGHTS)))
    for k, case in enumerate(CASES):
        alone = bargain.solve(game_of(case))
        assert_same(element(outcome, k), alone, growth=10 * conditioning(case))


def test_batches_with_disagreement_points(xp):
    base = [strategies.full_rank(4, seed) for seed in range(4)]
    cases = [strategies.with_attainable_disagreement(c, 1, 0.1, 2.0) for c in base[:3]]
    cases.append(strategies.with_unattainable_disagreement(base[3], 1, 0.1, 2.0))
    parts = [
        np.stack([getattr(c, name) for c in cases]) for name in ("gram", "weights", "disagreement")
    ]
    outcome = as_numpy(bargain.solve(xp.game(*parts, radius=np.full(4, 2.0))))
    np.testing.assert_array_equal(outcome.status, [0, 0, 0, 1])
    for k, case in enumerate(cases):
        alone = bargain.solve(game_of(case))
        np.testing.assert_allclose(outcome.utilities[k], alone.utilities, rtol=1e-8)


def _with(i, j, value):
    gram = GRAMS[0].copy()
    gram[i, j] = value
    return gram


ONES = np.ones(5)
BAD = {
    "NaN": (_with(0, 1, np.nan), ONES),
    "NaN on the diagonal": (_with(1, 1, np.nan), ONES),
    "infinity": (_with(2, 2, np.inf), ONES),
    "asymmetric": (_with(0, 1, 0.9), ONES),
    "indefinite": (np.eye(5) * 1.9 - 0.9, ONES),
    "negative norm": (_with(0, 0, -1.0), ONES),
    "negative weight": (GRAMS[0], np.array([1, 1, -1e-3, 1, 1])),
    "only zero weights": (GRAMS[0], 0 * ONES),
    "NaN weight": (GRAMS[0], np.array([1, 1, np.nan, 1, 1])),
}


def with_a_bad_game(name):
    gram, weights = BAD[name]
    return np.insert(GRAMS, 3, gram, axis=0), np.insert(WEIGHTS, 3, weights, axis=0)


@every_solver
@pytest.mark.parametrize("name", BAD)
def test_a_bad_game_is_marked_and_its_neighbours_do_not_notice(solver, name):
    clean = bargain.nash(GRAMS, WEIGHTS, solver=solver)
    mixed = bargain.nash(*with_a_bad_game(name), solver=solver)
    _compare_neighbours(clean, mixed)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_game_is_marked_in_every_library(xp, name):
    clean = as_numpy(bargain.solve(xp.game(GRAMS, WEIGHTS)))
    mixed = as_numpy(bargain.solve(xp.game(*with_a_bad_game(name))))
    _compare_neighbours(clean, mixed, exactly=xp.name == "numpy")


def _compare_neighbours(clean, mixed, *, exactly=True):
    bad, others = element(mixed, 3), np.delete(np.arange(10), 3)
    assert int(bad.status) == Status.NONFINITE
    assert not bad.certificate.accepted
    for name in ("coefficients", "utilities", "shares", "gap", "residual"):
        assert np.isnan(getattr(bad, name)).all(), name
        found, expected = getattr(mixed, name)[others], getattr(clean, name)
        if exactly:
            np.testing.assert_array_equal(found, expected)
        elif name not in ("gap", "residual"):
            np.testing.assert_allclose(found, expected, rtol=1e-9)
    np.testing.assert_array_equal(mixed.status[others], clean.status)
    if exactly:
        np.testing.assert_array_equal(mixed.steps[others], clean.steps)


def test_a_bad_radius_or_disagreement_point_harms_no_neighbour():
    grams = np.stack([GRAMS[0]] * 3)
    outcome = bargain.nash(grams, radius=np.array([1.0, -1.0, 2.0]))
    np.testing.assert_array_equal(outcome.status, [0, 3, 0])
    asked = np.array([[0.0] * 5, [np.nan] * 5, [-1.0] * 5])
    outcome = bargain.nash(grams, disagreement=asked)
    np.testing.assert_array_equal(outcome.status, [0, 3, 0])


def test_several_batch_axes(xp):
    grams = np.stack([case.gram for case in CASES[:6]]).reshape(2, 3, 5, 5)
    flat = as_numpy(bargain.solve(xp.game(grams.reshape(6, 5, 5))))
    deep = as_numpy(bargain.solve(xp.game(grams)))
    assert deep.coefficients.shape == deep.certificate.multipliers.shape == (2, 3, 5)
    assert deep.status.shape == deep.gap.shape == deep.steps.shape == (2, 3)
    np.testing.assert_array_equal(deep.status.reshape(6), flat.status)
    np.testing.assert_allclose(deep.coefficients.reshape(6, 5), flat.coefficients, rtol=1e-9)


@every_solver
@pytest.mark.parametrize("shape", [(0,), (0, 4), (3, 0)])
def test_an_empty_batch_has_empty_outcomes(eager, solver, shape):
    outcome = as_numpy(bargain.solve(eager.game(np.ones((*shape, 3, 3))), solver=solver))
    assert outcome.coefficients.shape == (*shape, 3)
    assert outcome.status.shape == shape


@pytest.mark.parametrize("shape", [(5,), (1, 5), (3, 5), (2, 1, 5), (1, 3, 5)])
def test_weights_broadcast(eager, shape):
    grams = np.stack([GRAMS[0], GRAMS[1], GRAMS[3], GRAMS[6], GRAMS[0], GRAMS[6]]).reshape(
        2, 3, 5, 5
    )
    weights = np.random.default_rng(1).uniform(0.5, 2, size=shape)
    found = as_numpy(bargain.solve(eager.game(grams, weights)))
    full = np.broadcast_to(weights, (2, 3, 5))
    np.testing.assert_allclose(found.shares, full / full.sum(axis=-1)[..., None], rtol=1e-9)


def test_a_batch_of_starts_may_hold_bad_ones(no_shortcut):
    cold = bargain.nash(GRAMS, WEIGHTS)
    starts = np.where(np.arange(len(GRAMS))[:, None] % 2, cold.coefficients, np.nan)
    warm = bargain.nash(GRAMS, WEIGHTS, start=starts)
    np.testing.assert_array_equal(warm.status, cold.status)
    assert (warm.steps[::2] == cold.steps[::2]).all()
    agreed = np.flatnonzero(cold.status == 0)
    assert (warm.steps[agreed] <= cold.steps[agreed]).all()
    assert warm.steps[1] == 0 < cold.steps[1]


def test_a_game_that_is_done_waits_unchanged(no_shortcut):
    """The easy game's numbers are those of its own last step, whatever the others still need."""
    easy, hard = strategies.full_rank(5, 0), strategies.strongly_conflicting(5, 4, 1e-4)
    together = bargain.nash(np.stack([easy.gram, hard.gram]))
    twice = bargain.nash(np.stack([easy.gram, easy.gram]))
    assert together.steps[0] == twice.steps[0] < together.steps[1]
    np.testing.assert_array_equal(together.coefficients[0], twice.coefficients[0])
