"""The fast way through single NumPy games is the core's way."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain.backend import EagerBackend
from bargain_numpy import NumpyBackend, single_game
from bargain_numpy.single_length import rescale_single
from bargain_numpy.single_silent import solve_silent
from tests import strategies
from tests.libraries import game_of

GRAMS = sorted((Path(__file__).parents[1] / "data" / "grams").glob("*.npz"))
EPSILON = float(np.finfo(float).eps)
GRAM = strategies.full_rank(4, 0).gram
PLAIN = strategies.plain_cases(strategies.SOLVABLE, most=40)


def quick(game, *, way=single_game.solve_single, solver=None, **options):
    usual = {"start": None, "max_steps": 200, "precision": EPSILON}
    return way(game, bargain.Nash(), solver or bargain.Newton(), **(usual | options))


def slow(game, **options):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NumpyBackend, "shortcut", EagerBackend.shortcut)
        return bargain.solve(game, **options)


def assert_the_same(game, *, way=single_game.solve_single, **options):
    found, expected = quick(game, way=way, **options), slow(game, **options)
    if found is None:
        return
    assert int(found.status) == int(expected.status)
    floor = float(expected.certificate.floor)
    # Where the residual cannot fall under the floor, rounding decides when it has stalled; and
    # where gradients cancel, how much is left of them.
    allowed = 0 if floor < 1e-13 else 1 if floor < 1e-11 else 4
    if int(found.status) == bargain.Status.DISAGREEMENT:
        allowed = max(1, int(expected.steps) // 5)
    assert abs(int(found.steps) - int(expected.steps)) <= allowed
    if int(found.status) == bargain.Status.DISAGREEMENT:
        for outcome in (found, expected):
            assert float(outcome.residual) <= float(outcome.certificate.resolution)
        return
    rtol = max(1e-12, 4 * floor)
    for name in ("coefficients", "utilities", "shares"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=rtol)
    ours, theirs = found.certificate, expected.certificate
    np.testing.assert_allclose(ours.multipliers, theirs.multipliers, rtol=rtol)
    np.testing.assert_allclose(ours.floor, theirs.floor, rtol=1e-3)
    assert ours.resolution == theirs.resolution
    np.testing.assert_array_equal(ours.stationary, theirs.stationary)
    assert abs(float(ours.residual) - float(theirs.residual)) <= max(1e-12, floor)
    assert bool(ours.accepted)
    assert bool(theirs.accepted)


@given(PLAIN)
def test_plain_games(case):
    assert_the_same(game_of(case))


@given(strategies.extreme_cases(PLAIN))
def test_games_with_entries_from_1e_250_to_1e250(case):
    assert_the_same(game_of(case))


@given(strategies.weighted_cases(PLAIN))
def test_weighted_games(case):
    assert_the_same(game_of(case))


@given(strategies.plain_cases(strategies.STATIONARY, most=40))
def test_disagreements(case):
    assert_the_same(game_of(case))


@given(strategies.gram_cases(most=20))
def test_anything(case):
    assert_the_same(game_of(case))


@given(strategies.weighted_cases(PLAIN, decades=4), st.floats(0, 0.5), st.integers(0, 2**32 - 1))
def test_warm_starts(case, off, seed):
    noise = 1 + off * np.random.default_rng(seed).uniform(-1, 1, size=case.players)
    game = game_of(case)
    assert_the_same(game, start=bargain.solve(game).coefficients * noise)


@given(PLAIN, st.integers(0, 6))
def test_limited_steps(case, max_steps):
    assert_the_same(game_of(case), max_steps=max_steps)


@given(PLAIN, st.sampled_from([1e-3, 1e-7, 1e-10]))
def test_coarse_precision(case, precision):
    assert_the_same(game_of(case), precision=precision)


@given(strategies.plain_cases(["full_rank"], most=12), st.floats(1e-3, 1e3))
def test_radii(case, radius):
    assert_the_same(game_of(case)._replace(radius=radius))


@pytest.mark.parametrize("path", GRAMS, ids=lambda path: path.stem)
def test_real_trainings(path):
    grams = np.load(path)["grams"]
    for n, gram in enumerate(grams[::5]):
        assert_the_same(bargain.GradientGame(gram))
        weights = 10.0 ** np.random.default_rng(n).uniform(-3, 0, size=len(gram))
        assert_the_same(bargain.GradientGame(gram, weights))


LENGTHS = st.sampled_from(["natural", "radius", "unit", "mean", "sum"])
MAXIMA = st.sampled_from([None, 1e-3, 1.0, 1e3])
CASES = st.one_of(PLAIN, strategies.extreme_cases(PLAIN), strategies.weighted_cases(PLAIN))


@given(CASES, LENGTHS, MAXIMA, st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_lengths_of_updates(case, length, maximum, radius, seed):
    game = game_of(case)._replace(radius=radius)
    norms = np.sqrt(game.gram.diagonal())
    point = np.random.default_rng(seed).normal(size=len(norms))
    options = {"maximum": maximum, "precision": EPSILON}
    found = rescale_single(point / norms, game, length, **options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NumpyBackend, "shortcut_rescale", EagerBackend.shortcut_rescale)
        expected = bargain.rescale(point / norms, game, length, **options)
    if found is None:
        return
    # A length that nearly vanishes is a root of rounding errors in both.
    cosines = game.gram / norms / norms[:, None]
    lengths = (point @ cosines @ point) / (point @ point), np.mean(cosines)
    rtol = 1e-12 if min(lengths) <= 0 else max(1e-12, 1e-14 * len(norms) / min(lengths))
    np.testing.assert_allclose(found, expected, rtol=rtol)


@pytest.mark.parametrize(
    ("coefficients", "change"),
    [
        ([1.0, np.nan], {}),
        ([1.0, np.inf], {}),
        ([0.0, 0.0], {}),
        ([1.0, 2.0], {"weights": np.array([1.0, 0.0])}),
        ([1.0, 2.0], {"active": np.array([True, False])}),
        ([1.0, 2.0], {"gram": np.array([[1.0, np.nan], [np.nan, 1.0]])}),
        ([1.0, 2.0], {"gram": np.array([[1.0, 2.0], [2.0, 1.0]])}),
    ],
)
def test_what_the_core_has_to_rescale(coefficients, change):
    game = bargain.GradientGame(np.array([[1.0, 0.5], [0.5, 1.0]]))._replace(**change)
    options = {"maximum": None, "precision": EPSILON}
    assert rescale_single(np.asarray(coefficients), game, "mean", **options) is None


def silence(game, seed):
    """Take away the say of some of the players, though not of all."""
    rng = np.random.default_rng(seed)
    weights = np.ones(len(game.gram)) if game.weights is None else game.weights.copy()
    heard = rng.permutation(np.flatnonzero(weights))
    weights[heard[: rng.integers(1, max(len(heard), 2))]] = 0.0
    return game._replace(weights=weights)


@given(strategies.weighted_cases(PLAIN), st.integers(0, 2**32 - 1))
def test_silent_players(case, seed):
    game = game_of(case)
    if case.players > 1:
        assert_the_same(silence(game, seed), way=solve_silent)


@given(strategies.gram_cases(most=20), st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
def test_silent_players_in_any_game(case, seed, radius):
    game = game_of(case)
    if (case.players if game.weights is None else np.count_nonzero(game.weights)) > 1:
        assert_the_same(silence(game, seed)._replace(radius=radius), way=solve_silent)


def test_silent_players_are_taken():
    """From the last step's coefficients as well, which are zero for those without a say."""
    for seed in range(20):
        game = silence(game_of(strategies.full_rank(6, seed)), seed)
        outcome = quick(game, way=solve_silent)
        assert int(outcome.status) == bargain.Status.AGREEMENT
        assert (outcome.coefficients[game.weights == 0] == 0).all()
        warm = quick(game, way=solve_silent, start=outcome.coefficients)
        assert int(warm.steps) == 0
        np.testing.assert_allclose(warm.coefficients, outcome.coefficients, rtol=1e-12)
    opposite = np.asarray([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    stationary = bargain.GradientGame(opposite, np.asarray([1.0, 2.0, 0.0]))
    assert int(quick(stationary, way=solve_silent).status) == bargain.Status.DISAGREEMENT
    assert_the_same(stationary, way=solve_silent)


def test_silent_players_are_judged_too():
    """A row that cannot be is an error, whether or not its player has a say."""
    weights = np.asarray([1.0, 1.0, 0.0])
    indefinite = 1.9 * np.eye(3) - 0.9
    assert quick(bargain.GradientGame(indefinite, weights), way=solve_silent) is None
    with pytest.raises(ValueError, match="gram: expected"):
        bargain.nash(indefinite, weights)


def test_games_with_silent_players_that_are_not_plain():
    for change in (
        {"weights": np.asarray([0.0, 0.0, 0.0, 0.0])},
        {"weights": np.asarray([0.0, 1.0, -1.0, 1.0])},
        {"weights": np.asarray([0.0, 1.0, np.inf, 1.0])},
        {"weights": np.asarray([0.0, 1.0, 1.0, 1.0], np.float32)},
        {"weights": None},
        {"active": np.asarray([True, False, True, True])},
        {"disagreement": np.zeros(4)},
    ):
        game = bargain.GradientGame(GRAM, np.asarray([0.0, 1.0, 1.0, 1.0]))._replace(**change)
        assert quick(game, way=solve_silent) is None
    for start in (np.ones(3), np.asarray([1.0, -1.0, 1.0, 1.0]), 3):
        game = bargain.GradientGame(GRAM, np.asarray([0.0, 1.0, 1.0, 1.0]))
        assert quick(game, way=solve_silent, start=start) is None


@pytest.mark.slow
@pytest.mark.parametrize("weigh", [False, True])
def test_thoroughly(weigh):
    cases = strategies.extreme_cases(strategies.plain_cases())
    cases = strategies.weighted_cases(cases) if weigh else cases

    @settings.get_profile("thorough")
    @given(cases.map(game_of))
    def hunt(game):
        assert_the_same(game)

    hunt()


def test_ordinary_games_are_taken():
    for seed in range(20):
        case = strategies.weighted(strategies.full_rank(11, seed), seed, 4)
        assert quick(game_of(case)) is not None
    assert quick(game_of(strategies.stationary(5, 1))) is not None


DECLINED = {
    "a batch": bargain.GradientGame(np.stack([GRAM, GRAM])),
    "single precision": bargain.GradientGame(GRAM.astype(np.float32)),
    "weights in single precision": bargain.GradientGame(GRAM, np.ones(4, np.float32)),
    "a batch of weights": bargain.GradientGame(GRAM[None], np.ones((1, 4))),
    "a disagreement point": bargain.GradientGame(GRAM, disagreement=np.zeros(4)),
    "absent players": bargain.GradientGame(GRAM, active=np.ones(4) > 0),
    "a zero gradient": bargain.GradientGame(np.diag([1.0, 0.0, 1.0])),
    "a radius of another kind": bargain.GradientGame(GRAM, radius=np.asarray(2.0)),
    "an integer radius": bargain.GradientGame(GRAM, radius=2),
}


@pytest.mark.parametrize("name", DECLINED)
def test_what_is_not_plain_is_decided_by_the_core(name):
    game = DECLINED[name]
    assert quick(game) is None
    outcome = bargain.solve(game)
    expected = slow(game)
    np.testing.assert_array_equal(outcome.status, np.zeros(outcome.status.shape))
    np.testing.assert_array_equal(outcome.coefficients, expected.coefficients)


INVALID = {
    "NaN": np.where(np.eye(4)[0] * np.eye(4)[:, [1]] > 0, np.nan, GRAM),
    "infinity": np.where(np.eye(4) > 0, np.inf, GRAM),
    "one infinity": np.where(np.eye(4)[0] * np.eye(4)[:, [1]] > 0, np.inf, GRAM),
    "minus infinity": np.where(np.eye(4)[0] * np.eye(4)[:, [1]] > 0, -np.inf, GRAM),
    "asymmetric above": GRAM + np.eye(4, k=1) * 1e-3,
    "asymmetric below": GRAM + np.eye(4, k=-1) * 1e-3,
    "indefinite": np.eye(4) * 1.9 - 0.9,
    "barely indefinite": 1.5 * np.eye(3) - 0.5 - 1e-9 * (1 - np.eye(3)),
    "negative": -GRAM,
}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_games_are_explained_by_the_core(name):
    assert quick(bargain.GradientGame(INVALID[name])) is None
    with pytest.raises(ValueError, match="gram: expected"):
        bargain.nash(INVALID[name])


@pytest.mark.parametrize("weights", [[1, -1, 1, 1], [0, 0, 0, 0], [1, np.nan, 1, 1], [np.inf] * 4])
def test_invalid_weights_are_explained_by_the_core(weights):
    with pytest.raises(ValueError, match="weights: expected"):
        bargain.nash(GRAM, np.array(weights, dtype=float))


@pytest.mark.parametrize("solver", [bargain.FixedPoint(), bargain.CCP(), bargain.InteriorPoint()])
def test_other_solvers_are_left_alone(solver):
    assert quick(bargain.GradientGame(GRAM), solver=solver) is None


def test_a_game_without_a_proof_is_left_to_the_core():
    case = strategies.strongly_conflicting(12, 0, 1e-3)
    assert quick(game_of(case), max_steps=1) is None
    outcome = bargain.solve(game_of(case), max_steps=1)
    assert int(outcome.status) == bargain.Status.MAX_STEPS


def test_a_change_of_the_search_would_be_noticed(monkeypatch):
    case = strategies.weighted(strategies.strongly_conflicting(12, 0, 1e-2), 1, 4.0)
    assert_the_same(game_of(case))
    monkeypatch.setattr(single_game, "_exact_step", lambda *_: 0.5)
    with pytest.raises(AssertionError):
        assert_the_same(game_of(case))
