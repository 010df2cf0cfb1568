"""The conic reference solver against the core's solvers, within its own precision."""

import numpy as np
import pytest

import bargain
from tests import strategies

bargain_cvxpy = pytest.importorskip("bargain_cvxpy")
from bargain_cvxpy.conic import compiled  # noqa: E402

CONIC = bargain_cvxpy.Conic()
PLAYERS = [1, 2, 5, 11]
PRECISION = 1e-4
"""Of coefficients and utilities, relative; the residual that counts as an agreement is smaller."""


def game_of(case):
    return bargain.GradientGame(
        case.gram, case.weights, case.disagreement, case.radius, case.active
    )


def random_gram(players, seed=0):
    gradients = np.random.default_rng(seed).normal(size=(players, 40))
    return gradients @ gradients.T


def assert_same(game, found, expected):
    assert found.status == expected.status
    assert found.certificate.accepted
    assert bargain.certify(game, bargain.Nash(), found, tol=CONIC.tol).accepted
    present = slice(None) if game.active is None else game.active
    ideal = np.sqrt(np.diagonal(game.gram)) * game.radius
    difference = (found.utilities - expected.utilities)[present]
    assert np.all(np.abs(difference) <= PRECISION * ideal[present])


@pytest.mark.parametrize("players", PLAYERS)
@pytest.mark.parametrize("solver", ["CLARABEL", "SCS", "ECOS"])
def test_closed_form_of_orthogonal_gradients(players, solver):
    if solver not in pytest.importorskip("cvxpy").installed_solvers():
        pytest.skip(f"{solver} is not installed")
    norms = np.logspace(-3, 3, players)
    weights = np.arange(1.0, players + 1)
    outcome = bargain.nash(
        np.diag(norms**2), weights, solver=bargain_cvxpy.Conic(solver), max_steps=1
    )
    assert outcome.status == bargain.Status.AGREEMENT
    np.testing.assert_allclose(outcome.coefficients, np.sqrt(weights) / norms, rtol=PRECISION)
    np.testing.assert_allclose(outcome.shares, weights / weights.sum(), rtol=PRECISION)


@pytest.mark.parametrize("players", [2, 5, 11])
@pytest.mark.parametrize("make", [strategies.full_rank, strategies.duplicated])
def test_agrees_with_newton(make, players):
    for harden in (
        lambda case: case,
        lambda case: strategies.weighted(case, 1, 2.0),
        lambda case: strategies.rescaled(case, 1, 20.0),
        lambda case: strategies.with_silent_players(case, 1),
        lambda case: strategies.with_absent_players(case, 1),
        lambda case: strategies.with_zero_gradients(case, 1),
    ):
        game = game_of(harden(make(players, 3)))
        assert_same(game, bargain.solve(game, solver=CONIC), bargain.solve(game))


@pytest.mark.parametrize("players", [2, 5, 11])
@pytest.mark.parametrize("make", [strategies.stationary, strategies.opposite_pair])
@pytest.mark.parametrize("decades", [0.0, 4.0])
def test_disagreements_are_proved(make, players, decades):
    game = game_of(strategies.weighted(make(players, 5), 2, decades))
    outcome = bargain.solve(game, solver=CONIC)
    assert outcome.status == bargain.Status.DISAGREEMENT
    assert bargain.certify(game, bargain.Nash(), outcome).accepted
    beta = outcome.certificate.stationary
    assert np.sqrt(max(beta @ game.gram @ beta, 0)) < 1e-6


@pytest.mark.parametrize("depth", [0.5, 0.0, -0.5, -2.0])
@pytest.mark.parametrize("players", PLAYERS)
def test_disagreement_points(players, depth):
    gram = random_gram(players)
    gains = bargain.nash(gram, radius=3.0).utilities
    game = bargain.GradientGame(gram, None, depth * gains, 3.0)
    assert_same(game, bargain.solve(game, solver=CONIC), bargain.solve(game))


@pytest.mark.parametrize("second", [-1.0, 1.0])
def test_agreements_strictly_inside_the_radius(second):
    # Whatever one gains the other loses, so what both tolerate together is the whole pie.
    gram = np.array([[1.0, -1.0], [-1.0, 1.0]])
    game = bargain.GradientGame(gram, None, np.array([-2.0, second]), 10.0)
    outcome = bargain.solve(game, solver=CONIC)
    assert outcome.status == bargain.Status.AGREEMENT
    np.testing.assert_allclose(outcome.utilities, [(-2 - second) / 2, (2 + second) / 2], atol=1e-4)


def test_demands_out_of_reach():
    gram = random_gram(4)
    asked = 0.9 * np.sqrt(np.diagonal(gram))
    outcome = bargain.nash(gram, disagreement=asked, solver=CONIC)
    assert outcome.status == bargain.Status.DISAGREEMENT
    beta = outcome.certificate.stationary
    assert np.sqrt(beta @ gram @ beta) < beta @ asked


def test_batches_are_their_games():
    grams = np.stack([random_gram(3, seed) for seed in range(4)]).reshape(2, 2, 3, 3)
    grams[1, 1] = np.array([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    grams[0, 1, 0, 0] = np.nan
    outcome = bargain.nash(grams, solver=CONIC)
    assert outcome.status.tolist() == [
        [bargain.Status.AGREEMENT, bargain.Status.NONFINITE],
        [bargain.Status.AGREEMENT, bargain.Status.DISAGREEMENT],
    ]
    alone = bargain.nash(grams[1, 0], solver=CONIC)
    np.testing.assert_array_equal(outcome.coefficients[1, 0], alone.coefficients)
    assert outcome.steps[1, 0] == 1


def test_single_precision():
    gram = random_gram(4).astype(np.float32)
    outcome = bargain.nash(gram, solver=CONIC)
    assert outcome.coefficients.dtype == np.float32
    assert outcome.status == bargain.Status.AGREEMENT
    expected = bargain.nash(gram).coefficients
    np.testing.assert_allclose(outcome.coefficients, expected, rtol=PRECISION)


def test_compiled_once_and_without_memory():
    compiled.cache_clear()
    games = [random_gram(3, seed) for seed in range(5)]
    first = [bargain.nash(gram, solver=CONIC) for gram in games]
    assert compiled.cache_info().misses == 2
    second = [bargain.nash(gram, solver=CONIC) for gram in reversed(games)]
    assert compiled.cache_info().misses == 2
    for one, other in zip(first, reversed(second), strict=True):
        np.testing.assert_array_equal(one.coefficients, other.coefficients)
    for nash in (True, False):
        problem = compiled(3, "CLARABEL", 0, nash=nash).problem
        assert problem.is_dpp()


def test_a_failed_solver_is_an_error():
    gram = random_gram(3)
    assert bargain.nash(gram, solver=CONIC).status == bargain.Status.AGREEMENT
    hurried = bargain_cvxpy.Conic(options={"max_iter": 2})
    with pytest.raises(bargain_cvxpy.SolverError, match=r"CLARABEL.*'user_limit'"):
        bargain.nash(gram, solver=hurried)


def test_the_certificate_judges_and_not_the_solver():
    sloppy = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 1e-2)
    outcome = bargain.nash(random_gram(5), solver=bargain_cvxpy.Conic(options=sloppy))
    assert outcome.status == bargain.Status.MAX_STEPS
    assert outcome.residual > CONIC.tol
    lenient = bargain_cvxpy.Conic(options=sloppy, tol=float(outcome.residual))
    assert bargain.nash(random_gram(5), solver=lenient).status == bargain.Status.AGREEMENT
    unasked = bargain.nash(random_gram(5), solver=CONIC, max_steps=0)
    assert unasked.status == bargain.Status.MAX_STEPS


def test_configurations_hash_and_compare():
    assert bargain_cvxpy.Conic(options={"verbose": False}) != CONIC
    assert len({CONIC, bargain_cvxpy.Conic(), bargain_cvxpy.Conic("SCS")}) == 2


def test_solvers_that_are_not_there():
    with pytest.raises(ValueError, match="found 'OSQP'; installed are CLARABEL"):
        bargain_cvxpy.Conic("OSQP")
    with pytest.raises(ValueError, match="found 'none such'"):
        bargain_cvxpy.Conic("none such")


def test_a_solver_that_is_not_installed(monkeypatch):
    cvxpy = pytest.importorskip("cvxpy")
    monkeypatch.setattr(cvxpy, "installed_solvers", lambda: ["CLARABEL"])
    for make in (bargain_cvxpy.Conic, bargain_cvxpy.CCP):
        with pytest.raises(ImportError, match="pip install ecos, or choose one of CLARABEL"):
            make("ECOS")


def test_arrays_of_other_libraries():
    strict = pytest.importorskip("array_api_strict")
    with pytest.raises(TypeError, match="Conic: expected a game of NumPy arrays"):
        bargain.nash(strict.asarray([[1.0]]), solver=CONIC)
