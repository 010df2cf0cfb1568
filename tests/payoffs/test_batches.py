"""Batches, libraries, types and compilers give what single games in NumPy give."""

import numpy as np
import pytest

from bargain import Nash, Status
from bargain.payoffs import FiniteGame, PayoffGame, PolytopeGame, certify_payoffs, solve_payoffs
from bargain.solutions import AlphaFair, Egalitarian, KalaiSmorodinsky, Utilitarian
from tests.libraries import as_numpy, open_library

SOLUTIONS = [
    Nash(),
    AlphaFair(0.5),
    AlphaFair(3.0),
    KalaiSmorodinsky(leximin=True),
    Egalitarian(leximin=True),
    Utilitarian(),
]
every_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=str)


def tables():
    """Five games in one: two plain ones, one refused, one not finite, one over equal outcomes."""
    rng = np.random.default_rng(2)
    payoffs = rng.normal(size=(5, 20, 3)) + 0.3
    payoffs[2] = -np.abs(payoffs[2])
    payoffs[3, 4, 1] = np.nan
    payoffs[4] = payoffs[4, :1]
    payoffs[4] = np.abs(payoffs[4])
    return payoffs, rng.uniform(0.5, 2, (5, 3))


@every_solution
@pytest.mark.parametrize("kind", [PayoffGame, FiniteGame])
def test_batches_are_single_games(solution, kind, eager):
    payoffs, weights = tables()
    game = kind(eager.asarray(payoffs), eager.asarray(weights))
    batch = solve_payoffs(game, solution)
    certificate = as_numpy(certify_payoffs(game, solution, batch))
    batch = as_numpy(batch)
    for k in range(5):
        if k == 3:
            assert batch.status[k] == Status.NONFINITE
            assert np.isnan(batch.utilities[k]).all()
            assert not certificate.accepted[k]
            continue
        single = solve_payoffs(kind(payoffs[k], weights[k]), solution)
        assert certificate.accepted[k]
        assert batch.status[k] == single.status
        # Games that are done wait; their neighbours change nothing. (Rounding may, by a step.)
        assert abs(int(batch.steps[k]) - int(single.steps)) <= 3
        np.testing.assert_allclose(batch.utilities[k], single.utilities, rtol=1e-6, atol=1e-9)


def test_two_batch_axes_and_shared_weights():
    payoffs, _ = tables()
    payoffs = payoffs[[0, 1, 2, 0, 1, 2]].reshape(2, 3, 20, 3)
    outcome = solve_payoffs(PayoffGame(payoffs, [1.0, 2.0, 0.5]), KalaiSmorodinsky())
    assert outcome.status.shape == (2, 3)
    assert outcome.allocation.shape == (2, 3, 20)
    np.testing.assert_array_equal(outcome.utilities[0], outcome.utilities[1])


def kinds_of_games(library, games):
    """One game of each kind, so many times."""
    payoffs = library.asarray(np.ones((games, 4, 2)))
    yield PayoffGame(payoffs, disagreement=[-1.0, 0.0])
    yield FiniteGame(payoffs, disagreement=[-1.0, 0.0])
    limits = np.ones((games, 1, 3)), np.ones((games, 1))
    yield PolytopeGame(library.asarray(np.ones((games, 2, 3))), *map(library.asarray, limits))


def shapes_of(outcomes):
    if isinstance(outcomes, tuple):
        return [shape for part in outcomes for shape in shapes_of(part)]
    return [] if outcomes is None else [tuple(outcomes.shape)]


@every_solution
def test_no_games_have_no_outcomes(solution, eager):
    none, one = (list(kinds_of_games(eager, games)) for games in (0, 1))
    for empty, game in zip(none, one, strict=True):
        outcomes = solve_payoffs(empty, solution)
        expected = shapes_of(solve_payoffs(game, solution))
        assert shapes_of(outcomes) == [(0, *shape[1:]) for shape in expected]
        assert tuple(certify_payoffs(empty, solution, outcomes).accepted.shape) == (0,)


def test_no_games_have_no_outcomes_in_jax():
    for empty in kinds_of_games(open_library("jax"), 0):
        assert solve_payoffs(empty, Nash()).status.shape == (0,)


@pytest.mark.parametrize("solution", SOLUTIONS[:4], ids=str)
def test_single_precision_is_enough_for_five_digits(solution, eager):
    payoffs, weights = tables()
    game = PayoffGame(eager.asarray(payoffs[0], "float32"), eager.asarray(weights[0], "float32"))
    outcome = solve_payoffs(game, solution)
    assert as_numpy(certify_payoffs(game, solution, outcome).accepted)
    outcome = as_numpy(outcome)
    assert outcome.utilities.dtype == np.float32
    assert outcome.gap < 2e-5
    expected = solve_payoffs(PayoffGame(payoffs[0], weights[0]), solution)
    np.testing.assert_allclose(outcome.utilities, expected.utilities, atol=5e-3)


def test_inputs_are_not_written_to():
    payoffs, weights = tables()
    payoffs.flags.writeable = weights.flags.writeable = False
    solve_payoffs(PayoffGame(payoffs, weights), KalaiSmorodinsky())


@pytest.mark.parametrize(
    "solution",
    [
        Nash(),
        pytest.param(AlphaFair(3.0), marks=pytest.mark.slow),
        pytest.param(KalaiSmorodinsky(leximin=True), marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_compiled_by_jax(solution):
    jax = pytest.importorskip("jax")
    open_library("jax")
    payoffs, weights = tables()

    def solve(payoffs, weights):
        return solve_payoffs(PayoffGame(payoffs, weights), solution)

    compiled = as_numpy(jax.jit(solve)(payoffs, weights))
    plain = solve_payoffs(PayoffGame(payoffs, weights), solution)
    np.testing.assert_array_equal(compiled.status, plain.status)
    np.testing.assert_allclose(compiled.utilities, plain.utilities, rtol=1e-6, atol=1e-9)
