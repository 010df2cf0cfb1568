"""The papers' procedure: what was published, and errors where that goes on silently."""

import warnings

import numpy as np
import pytest

import bargain

bargain_cvxpy = pytest.importorskip("bargain_cvxpy")
cvxpy = pytest.importorskip("cvxpy")
CCP = bargain_cvxpy.CCP()


def gradients_of(players, seed, spread=0.5):
    draw = np.random.default_rng(seed)
    return draw.normal(size=(players, 60)) * np.exp(spread * draw.normal(size=(players, 1)))


def game_of(players, seed):
    return bargain.GradientGame(bargain.gram(gradients_of(players, seed)))


@pytest.mark.parametrize("players", [1, 2, 3, 5])
def test_finds_the_nash_solution(players):
    game = game_of(players, 1)
    outcome = CCP.solve(game)
    assert outcome.status == bargain.Status.AGREEMENT
    assert 1 <= outcome.steps <= 20
    expected = bargain.solve(game).coefficients
    np.testing.assert_allclose(outcome.coefficients, expected, rtol=2 * CCP.tol)


def test_weights_and_players_without_a_say():
    gram = np.diag([1.0, 4.0, 1.0])
    outcome = CCP.solve(bargain.GradientGame(gram, [2.0, 6.0, 0.0]))
    np.testing.assert_allclose(outcome.shares, [0.25, 0.75, 0.0], atol=1e-3)
    np.testing.assert_allclose(outcome.coefficients, [2**0.5, 6**0.5 / 2, 0.0], rtol=1e-3)


@pytest.mark.parametrize(
    ("players", "seed", "spread"), [(2, 0, 0.5), (3, 1, 0.5), (8, 0, 0.5), (2, 1, 2.0)]
)
def test_is_what_was_published(players, seed, spread):
    """Against TorchJD, which carries the authors' code, also where it ends without a solution."""
    torch = pytest.importorskip("torch")
    aggregation = pytest.importorskip("torchjd.aggregation")
    if "ECOS" not in cvxpy.installed_solvers():
        pytest.skip("the published code needs ECOS")
    gradients = gradients_of(players, seed, spread)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = aggregation.NashMTL(n_tasks=players, max_norm=0.0).weighting(
            torch.tensor(gradients)
        )
    theirs = theirs.numpy()
    ours = bargain_cvxpy.CCP("ECOS", options={"max_iters": 100}).solve(
        bargain.GradientGame(bargain.gram(gradients))
    )
    solved = ours.status == bargain.Status.AGREEMENT
    assert solved == (spread < 1)
    np.testing.assert_allclose(
        ours.coefficients / ours.coefficients.sum(), theirs / theirs.sum(), rtol=1e-3
    )


def test_a_start_at_the_solution_returns_itself():
    """The iterate before the last one is the start itself, to the last digit but the length's."""
    game = game_of(3, 2)
    solution = bargain.solve(game).coefficients
    outcome = CCP.solve(game, start=solution)
    assert outcome.steps == 1
    np.testing.assert_allclose(outcome.coefficients, solution, rtol=1e-12)


def test_rounds_are_limited():
    outcome = bargain_cvxpy.CCP(rounds=1).solve(game_of(5, 3))
    assert outcome.steps == 1
    with pytest.raises(ValueError, match="rounds: expected at least 1"):
        bargain_cvxpy.CCP(rounds=0)


def test_a_failed_solver_is_an_error():
    hurried = bargain_cvxpy.CCP(options={"max_iter": 2})
    with pytest.raises(bargain_cvxpy.SolverError, match=r"CLARABEL.*'user_limit'"):
        hurried.solve(game_of(3, 0))


def test_an_unbounded_round_is_an_error():
    """The published code returns equal weights here, and says nothing."""
    gram = np.array([[1.0, -1.1], [-1.1, 4.0]])  # at equal weights the first player loses
    with pytest.raises(bargain_cvxpy.SolverError, match="unbounded"):
        CCP.solve(bargain.GradientGame(gram))


def test_a_start_without_gains_is_an_error():
    with pytest.raises(bargain_cvxpy.SolverError, match="start elsewhere"):
        CCP.solve(bargain.GradientGame(np.array([[1.0, -1.0], [-1.0, 4.0]])))


def test_bad_input():
    gram = np.eye(2)
    with pytest.raises(ValueError, match="one game without a disagreement point"):
        CCP.solve(bargain.GradientGame(np.stack([gram, gram])))
    with pytest.raises(ValueError, match="one game without a disagreement point"):
        CCP.solve(bargain.GradientGame(gram, disagreement=np.zeros(2)))
    with pytest.raises(TypeError, match="expected a GradientGame"):
        CCP.solve(gram)
    for start in ([1.0], [1.0, 0.0], [1.0, np.nan]):
        with pytest.raises(ValueError, match="start: expected 2 positive"):
            CCP.solve(bargain.GradientGame(gram), start=np.array(start))
    with pytest.raises(ValueError, match="NaN"):
        CCP.solve(bargain.GradientGame(np.full((2, 2), np.nan)))
