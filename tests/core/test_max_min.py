"""Egalitarian and Kalai-Smorodinsky solutions: by hand, against others, proofs, ways to run."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bargain
from bargain import Egalitarian, KalaiSmorodinsky
from bargain.backend import EagerBackend
from bargain_numpy import NumpyBackend, single_min_norm
from tests import strategies
from tests.judge import check_disagreement
from tests.libraries import as_numpy, game_of, open_library, status_of
from tests.oracles import min_norm_point

GRAMS = sorted((Path(__file__).parents[1] / "data" / "grams").glob("*.npz"))
SOLUTIONS = [Egalitarian(), KalaiSmorodinsky()]
every_solution = pytest.mark.parametrize("solution", SOLUTIONS, ids=lambda s: type(s).__name__)
SOLVABLE = strategies.plain_cases(strategies.SOLVABLE, most=60)
GRAM = strategies.full_rank(5, 0).gram


def claims_of(case, solution) -> np.ndarray:
    """What the players' gains are divided by, for a radius of one."""
    return case.lengths if isinstance(solution, KalaiSmorodinsky) else np.asarray(case.weights)


def slow(game, solution, **options):
    """Solve in the core, without NumPy's fast way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NumpyBackend, "shortcut", EagerBackend.shortcut)
        return bargain.solve(game, solution, **options)


def assert_best(gram, claims, outcome, tolerance=1e-10):
    """Dual weights prove from the game alone that no smallest part is larger, and who has one."""
    utilities, prices = np.asarray(outcome.utilities), np.asarray(outcome.certificate.multipliers)
    assert (prices >= 0).all()
    dual = prices * claims / (prices @ claims)
    bound = math.sqrt((dual / claims) @ gram @ (dual / claims))
    parts = utilities / claims
    assert parts.min() >= bound * (1 - tolerance)
    assert (dual * np.abs(parts / bound - 1)).max() <= tolerance
    update = outcome.coefficients / math.sqrt(outcome.coefficients @ gram @ outcome.coefficients)
    atol = tolerance * utilities.max()
    np.testing.assert_allclose(gram @ update, utilities, rtol=1e-9, atol=atol)


def by_enumeration(gram: np.ndarray, claims: np.ndarray) -> tuple[np.ndarray, float]:
    """Try every set of players that may have a price: the best is the solution."""
    best = math.inf, None
    for count in range(1, len(gram) + 1):
        for chosen in map(list, itertools.combinations(range(len(gram)), count)):
            part = gram[np.ix_(chosen, chosen)]
            prices = np.linalg.lstsq(part, claims[chosen], rcond=None)[0]
            if (prices < 0).any() or prices @ claims[chosen] <= 0:
                continue
            length = math.sqrt(max(prices @ part @ prices, 0)) / (prices @ claims[chosen])
            if length < best[0]:
                utilities = gram[:, chosen] @ prices / math.sqrt(prices @ part @ prices)
                best = length, utilities
    return best[1], best[0]


# By hand and against others -----------------------------------------------------------------------


def test_orthogonal_gradients(xp):
    lengths, weights = np.array([3.0, 4.0]), np.array([1.0, 2.0])
    game = xp.game(np.diag(lengths**2), weights)
    equal = as_numpy(bargain.solve(game, Egalitarian()))
    # u = t w, and (t w_i / l_i)^2 sum to one.
    level = 1 / np.linalg.norm(weights / lengths)
    np.testing.assert_allclose(equal.utilities, level * weights, rtol=1e-12)
    shares = (level * weights / lengths) ** 2
    np.testing.assert_allclose(equal.shares, shares, rtol=1e-12)
    fair = as_numpy(bargain.solve(game, KalaiSmorodinsky()))
    np.testing.assert_allclose(fair.utilities, lengths / math.sqrt(2), rtol=1e-12)
    np.testing.assert_allclose(fair.shares, 0.5, rtol=1e-12)
    for outcome in (equal, fair):
        natural = outcome.coefficients * lengths
        assert natural @ natural == pytest.approx(3.0)
        prices = outcome.certificate.multipliers
        assert prices @ outcome.utilities == pytest.approx(3.0)


def test_a_player_who_is_content_has_no_price(eager):
    """The second gradient leans towards the first and is longer: whatever helps one helps two."""
    gradients = np.array([[1.0, 0.0], [2.0, 1.0]])
    outcome = as_numpy(bargain.solve(eager.game(gradients @ gradients.T), Egalitarian()))
    np.testing.assert_allclose(outcome.utilities, [1.0, 2.0], rtol=1e-14)
    np.testing.assert_allclose(outcome.shares, [1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(outcome.coefficients, [math.sqrt(2), 0.0], atol=1e-15)


@pytest.mark.parametrize("disagreement", [None, np.zeros(2)])
@pytest.mark.parametrize("cosine", [0.3, 0.0, -0.3])
@pytest.mark.parametrize("decades", [6, 15, 20, 100])
def test_what_a_long_gradient_gets_beyond_its_claim_may_wobble(
    eager, disagreement, cosine, decades
):
    """The first player's claim is below the rounding of what he gets, which is far above it."""
    lengths = np.array([10.0**decades, 1.0])
    gram = np.array([[1.0, cosine], [cosine, 1.0]]) * lengths * lengths[:, None]
    game = eager.game(gram, disagreement=disagreement)
    outcome = bargain.solve(game, Egalitarian())
    assert status_of(outcome) == "AGREEMENT"
    assert float(outcome.certificate.floor) <= (1e-8 if decades == 6 else 1e-14)
    assert bool(bargain.certify(game, Egalitarian(), outcome).accepted)
    utilities = as_numpy(outcome.utilities)
    # Where gradients agree the shorter one is followed, else it is where it does the other no harm.
    assert utilities[1] == pytest.approx(1 if cosine > 0 else math.sqrt(1 - cosine**2), rel=1e-6)
    assert utilities[0] >= utilities[1] * (1 - 1e-6)


@every_solution
@given(case=strategies.badly_scaled_cases(strategies.plain_cases(most=4), decades=2))
def test_every_support_tried(solution, case):
    claims = claims_of(case, solution)
    outcome = bargain.solve(game_of(case), solution)
    utilities, bound = by_enumeration(case.gram, claims)
    if case.margin < 1e-2:
        assert case.margin > 0 or status_of(outcome) == "DISAGREEMENT"
        return
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose((outcome.utilities / claims).min(), bound, rtol=1e-10)
    np.testing.assert_allclose(outcome.utilities, utilities, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("players", [2, 11, 60, 200, 300])
@every_solution
def test_non_negative_least_squares_says_the_same(solution, players):
    """NNLS finds the nearest point of the hull of unit gradients; here of g_i / c_i."""
    for seed in range(3):
        case = strategies.weighted(strategies.full_rank(players, seed), seed, 1)
        claims = claims_of(case, solution)
        scaled = case.gram / claims[:, None] / claims
        lengths = np.sqrt(np.diagonal(scaled))
        # The oracle divides lengths out, so ask it for claims by weighing the row of ones.
        values, vectors = np.linalg.eigh(scaled)
        factor = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        dual, length = nearest(factor)
        for outcome in (bargain.solve(game_of(case), solution), slow(game_of(case), solution)):
            parts = outcome.utilities / claims
            assert parts.min() == pytest.approx(length, rel=1e-10)
            expected = scaled @ dual / length
            np.testing.assert_allclose(parts, expected, rtol=1e-10 * players, atol=1e-10)
            assert_best(case.gram, claims, outcome)
        assert lengths.min() > 0


def nearest(factor: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the nearest point to the origin of the hull of columns, by NNLS and a last solve."""
    from scipy.optimize import nnls

    stacked = np.concatenate([factor, np.ones((1, factor.shape[1]))])
    solution, _ = nnls(stacked, np.eye(len(stacked))[-1], maxiter=100 * factor.shape[1])
    chosen = np.flatnonzero(solution > 0)
    part = factor[:, chosen].T @ factor[:, chosen]
    prices = np.linalg.solve(part, np.ones(len(chosen)))
    dual = np.zeros(factor.shape[1])
    dual[chosen] = prices / prices.sum()
    return dual, 1 / math.sqrt(prices.sum())


@every_solution
@pytest.mark.parametrize("path", GRAMS, ids=lambda path: path.stem)
def test_real_trainings(path, solution):
    grams = np.load(path)["grams"][::8].astype(float)
    game = bargain.GradientGame(grams)
    outcome = bargain.solve(game, solution)
    solved = bargain.nash(grams).status == bargain.Status.AGREEMENT
    np.testing.assert_array_equal(outcome.status, np.where(solved, 0, 1))
    assert bargain.certify(game, solution, outcome).accepted.all()
    for k in np.flatnonzero(solved):
        claims = (
            np.sqrt(np.diagonal(grams[k])) if solution != Egalitarian() else np.ones(len(grams[k]))
        )
        floor = max(1e-11, float(outcome.certificate.floor[k]))
        alone = bargain.solve(bargain.GradientGame(grams[k]), solution)
        for found in (alone, row(outcome, k)):
            assert_best(grams[k], claims, found, floor)
        if solution == KalaiSmorodinsky():
            _, length = min_norm_point(grams[k])
            np.testing.assert_allclose((alone.utilities / claims).min(), length, rtol=1e-6)


def row(outcome, k):
    proof = bargain.Certificate(*(part[k] for part in outcome.certificate))
    return bargain.Outcome(*(part[k] for part in outcome[:7]), proof)


# Classes of games ---------------------------------------------------------------------------------


@every_solution
@given(
    case=strategies.badly_scaled_cases(strategies.weighted_cases(SOLVABLE, decades=3), decades=4)
)
def test_nobody_with_less_can_have_more(solution, case):
    if case.margin < 1e-4:
        return
    outcome = bargain.solve(game_of(case), solution)
    assert status_of(outcome) == "AGREEMENT"
    assert bool(bargain.certify(game_of(case), solution, outcome).accepted)
    floor = max(1e-11, 4 * float(outcome.certificate.floor))
    assert_best(case.gram, claims_of(case, solution), outcome, floor)
    core = slow(game_of(case), solution)
    assert_best(case.gram, claims_of(case, solution), core, floor)


@every_solution
@given(case=strategies.badly_scaled_cases(strategies.plain_cases(strategies.STATIONARY, most=30)))
def test_gradients_that_cancel(solution, case):
    outcome = bargain.solve(game_of(case), solution)
    assert status_of(outcome) == "DISAGREEMENT"
    proof = outcome.certificate
    check_disagreement(case.gram, proof.stationary, float(proof.resolution))
    assert bool(bargain.certify(game_of(case), solution, outcome).accepted)


@every_solution
@given(case=strategies.plain_cases(strategies.SOLVABLE, most=40), seed=st.integers(0, 2**32 - 1))
def test_gradients_are_scaled_as_the_solution_says(solution, case, seed):
    """Kalai-Smorodinsky does not see lengths; egalitarian weights are what they are divided by."""
    if case.margin < 1e-3:
        return
    factors = 10.0 ** np.random.default_rng(seed).uniform(-1, 1, size=case.players)
    one = bargain.solve(game_of(case), solution)
    gram = np.outer(factors, factors) * case.gram
    weights = factors if solution == Egalitarian() else None
    other = bargain.solve(bargain.GradientGame(gram, weights), solution)
    np.testing.assert_allclose(other.utilities / factors, one.utilities, rtol=1e-6, atol=1e-9)


@every_solution
def test_players_without_a_say(solution):
    case = strategies.full_rank(6, 1)
    keep = np.array([0, 2, 3, 5])
    expected = bargain.solve(bargain.GradientGame(case.gram[np.ix_(keep, keep)]), solution)
    weights = np.array([1.0, 0, 1, 1, 0, 1])
    masked = np.where(np.outer(weights, weights) > 0, case.gram, np.nan)
    for game in (
        bargain.GradientGame(case.gram, weights),
        bargain.GradientGame(np.outer(weights, weights) * case.gram),
        bargain.GradientGame(masked, active=weights > 0),
    ):
        outcome = bargain.solve(game, solution)
        np.testing.assert_allclose(outcome.coefficients[keep], expected.coefficients, rtol=1e-10)
        np.testing.assert_allclose(outcome.utilities[keep], expected.utilities, rtol=1e-10)
        assert not outcome.coefficients[[1, 4]].any()


def test_duplicates_do_not_count_twice():
    owners = [0, 1, 1, 2, 2, 2, 3, 4]
    one = bargain.kalai_smorodinsky(GRAM)
    many = bargain.kalai_smorodinsky(GRAM[np.ix_(owners, owners)])
    np.testing.assert_allclose(many.utilities, one.utilities[owners], rtol=1e-12)


@pytest.mark.parametrize("kind", [Egalitarian, KalaiSmorodinsky])
def test_leximin_has_nothing_to_refine(kind):
    """Only one update of length r attains the largest smallest part, so both are the same."""
    for seed in range(5):
        game = game_of(strategies.rank_deficient(7, seed))
        plain, refined = (bargain.solve(game, kind(leximin)) for leximin in (False, True))
        np.testing.assert_array_equal(plain.utilities, refined.utilities)
        assert bool(bargain.certify(game, kind(True), plain).accepted)


# Ideal points -------------------------------------------------------------------------------------


def test_an_ideal_point_of_ones_own(xp):
    ideal = np.array([1.0, 2.0, 0.5, 4.0, 1.0])
    found = as_numpy(bargain.solve(xp.game(GRAM, ideal=ideal), KalaiSmorodinsky()))
    expected = bargain.egalitarian(GRAM, ideal)
    np.testing.assert_allclose(found.utilities, expected.utilities, rtol=1e-12)
    assert_best(GRAM, ideal, found)


@pytest.mark.parametrize("wrong", [0.0, -1.0, np.nan, np.inf])
def test_nobody_hopes_for_nothing(wrong):
    ideal = np.array([1.0, wrong, 1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="ideal: expected positive, finite payoffs, found"):
        bargain.kalai_smorodinsky(GRAM, ideal=ideal)
    both = bargain.kalai_smorodinsky(np.stack([GRAM, GRAM]), ideal=np.stack([np.ones(5), ideal]))
    assert both.status.tolist() == [0, 3]
    # Who takes no part hopes for nothing, and nobody asks what Nash's players hope for.
    weights = np.array([1.0, 0.0, 1.0, 1.0, 1.0])
    assert status_of(bargain.kalai_smorodinsky(GRAM, weights, ideal=ideal)) == "AGREEMENT"
    game = bargain.GradientGame(GRAM, ideal=ideal)
    assert status_of(bargain.solve(game)) == "AGREEMENT"


# Ways to run --------------------------------------------------------------------------------------

LOT = [
    strategies.rescaled(strategies.full_rank(5, 1), 1, 2).gram,
    strategies.stationary(5, 7).gram,
    strategies.duplicated(5, 6).gram,
    np.full((5, 5), np.nan),
    strategies.strongly_conflicting(5, 5, 3e-2).gram,
]


@every_solution
def test_a_batch_is_its_games(eager, solution):
    outcome = as_numpy(bargain.solve(eager.game(np.stack(LOT)), solution))
    assert outcome.status.tolist() == [0, 1, 0, 3, 0]
    for k in (0, 1, 2, 4):
        alone = bargain.solve(bargain.GradientGame(LOT[k]), solution)
        np.testing.assert_allclose(outcome.utilities[k], alone.utilities, rtol=1e-10, atol=1e-12)
    assert np.isnan(outcome.coefficients[3]).all()


def test_under_jit():
    open_library("jax")
    import jax

    stacked = jax.numpy.asarray(np.stack(LOT))
    found = jax.jit(jax.vmap(bargain.egalitarian))(stacked)
    expected = bargain.egalitarian(np.stack(LOT))
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.utilities, expected.utilities, rtol=1e-9, atol=1e-12)
    with pytest.raises(NotImplementedError, match="found Egalitarian, which has no derivative"):
        jax.grad(lambda gram: bargain.egalitarian(gram).utilities.sum())(stacked[0])


@every_solution
def test_the_fast_way_is_the_cores(solution):
    taken = 0
    for seed in range(40):
        case = strategies.rescaled(strategies.full_rank(1 + seed, seed), seed, 3)
        case = strategies.weighted(case, seed, 2)
        options = {"start": None, "max_steps": 100, "precision": 2.3e-16}
        quick = single_min_norm.solve_min_norm(
            game_of(case), solution, bargain.MinNorm(), **options
        )
        expected = slow(game_of(case), solution)
        if quick is None:
            continue
        taken += 1
        floor = max(1e-12, float(expected.certificate.floor))
        for name in ("coefficients", "utilities", "shares"):
            values = getattr(expected, name)
            np.testing.assert_allclose(
                getattr(quick, name), values, rtol=1e-9, atol=4 * floor * np.abs(values).max()
            )
        np.testing.assert_allclose(
            quick.certificate.multipliers, expected.certificate.multipliers, rtol=1e-8, atol=1e-9
        )
        assert float(quick.residual) <= max(2e-12, float(quick.certificate.floor))
        # Rounding decides who is below his claim and who above, and with that which floor counts.
        fresh = bargain.certify(game_of(case), solution, quick)
        np.testing.assert_allclose(quick.certificate.floor, fresh.floor, rtol=0.2)
    assert taken >= 38


@every_solution
def test_what_is_not_plain_is_left_to_the_core(solution):
    options = {"start": None, "max_steps": 100, "precision": 2.3e-16}
    for game in (
        bargain.GradientGame(np.stack([GRAM, GRAM])),
        bargain.GradientGame(GRAM.astype(np.float32)),
        bargain.GradientGame(GRAM, np.array([1.0, 0, 1, 1, 1])),
        bargain.GradientGame(GRAM, active=np.ones(5) > 0),
        game_of(strategies.stationary(5, 1)),
        bargain.GradientGame(np.ones((3, 3))),
        bargain.GradientGame(-GRAM),
    ):
        assert single_min_norm.solve_min_norm(game, solution, bargain.MinNorm(), **options) is None


def test_the_fast_way_refuses_what_it_does_not_know():
    options = {"start": None, "max_steps": 100, "precision": 2.3e-16}
    game, newton = bargain.GradientGame(GRAM), bargain.Newton()
    for solution in (bargain.AlphaFair(2.0), bargain.Utilitarian(), Egalitarian()):
        assert NumpyBackend().shortcut(game, solution, newton, **options) is None
    assert NumpyBackend().shortcut(game, bargain.Nash(), bargain.MinNorm(), **options) is None


# Proofs -------------------------------------------------------------------------------------------


@every_solution
@given(seed=st.integers(0, 2**32 - 1))
def test_the_gap_bounds_what_is_lost(solution, seed):
    case = strategies.rescaled(strategies.full_rank(5, 3), 3, 1)
    claims = claims_of(case, solution)
    best = bargain.solve(game_of(case), solution)
    guess = np.random.default_rng(seed).uniform(0.1, 1.0, size=5)
    proof = bargain.certify(game_of(case), solution, best._replace(coefficients=guess))
    parts = case.gram @ guess / math.sqrt(guess @ case.gram @ guess) / claims
    largest = (best.utilities / claims).min()
    # The bound that the guess proves, and how far its own update is below.
    bound = math.sqrt(guess @ case.gram @ guess) / (guess @ claims)
    assert float(proof.gap) == pytest.approx(1 - parts.min() / bound, rel=1e-9)
    assert largest <= bound
    assert 0 <= (largest - parts.min()) / bound <= float(proof.gap)
    assert not bool(proof.accepted)


@every_solution
def test_planted_faults_are_found(solution):
    game = bargain.GradientGame(strategies.rescaled(strategies.full_rank(5, 0), 0, 1).gram)
    outcome = bargain.solve(game, solution)
    other = next(kind for kind in SOLUTIONS if kind != solution)
    spent = int(np.argmax(outcome.coefficients))
    claims = [
        bargain.solve(game, other),
        bargain.solve(game),
        outcome._replace(coefficients=-outcome.coefficients),
        outcome._replace(coefficients=np.zeros(5)),
        outcome._replace(coefficients=outcome.coefficients + 1e-6 * np.eye(5)[spent]),
        outcome._replace(coefficients=outcome.coefficients * (np.arange(5) != spent)),
    ]
    for claim in claims:
        assert not bool(bargain.certify(game, solution, claim, tol=1e-8).accepted)
    assert bool(bargain.certify(game, solution, outcome, tol=1e-12).accepted)


def test_without_the_last_solve_digits_are_missing(monkeypatch):
    """The second gets exactly his claim without a price: primal-dual steps see half of that."""
    game = bargain.GradientGame(np.array([[1.0, 1.0], [1.0, 2.0]]))
    np.testing.assert_allclose(slow(game, Egalitarian()).utilities, 1.0, rtol=1e-15)
    monkeypatch.setattr("bargain.min_norm.TRIALS", 0)
    rough = slow(game, Egalitarian()).utilities
    assert np.abs(rough - 1).max() > 1e-10


def test_too_few_steps_are_no_proof():
    outcome = slow(bargain.GradientGame(GRAM), Egalitarian(), max_steps=0)
    assert status_of(outcome) in ("MAX_STEPS", "AGREEMENT")
    assert bool(outcome.certificate.accepted) == (status_of(outcome) == "AGREEMENT")


@pytest.mark.parametrize(
    "solver", [bargain.Newton(), bargain.FixedPoint(), bargain.InteriorPoint()]
)
def test_solvers_of_other_solutions_refuse(solver):
    with pytest.raises(TypeError, match="solver: expected one for the solution Egalitarian, found"):
        bargain.egalitarian(GRAM, solver=solver)
    with pytest.raises(TypeError, match="expected one for the solution Nash, found MinNorm"):
        bargain.nash(GRAM, solver=bargain.MinNorm())


@every_solution
def test_single_precision(eager, solution):
    case = strategies.in_float32(strategies.rescaled(strategies.full_rank(5, 1), 1, 2))
    outcome = bargain.solve(game_of(case, eager), solution)
    assert "float32" in str(outcome.utilities.dtype)
    exact = bargain.solve(bargain.GradientGame(case.gram.astype(float)), solution)
    np.testing.assert_allclose(as_numpy(outcome).utilities, exact.utilities, rtol=1e-4)


def test_wrong_supports_are_corrected():
    """From everyone having a price, and from one, the last solves find who really has one."""
    from bargain.canonical import canonicalise
    from bargain.min_norm import MinNorm, MinNormState

    case = strategies.full_rank(8, 2)
    game, _ = canonicalise(game_of(case), precision=2.3e-16)
    expected = bargain.kalai_smorodinsky(case.gram).shares
    assert not expected.all()
    for begun in (np.ones(8), np.where(expected > 0, 1.0, 0.1), 1.0 * (np.arange(8) == 0)):
        state = MinNormState(begun, np.full(8, 0.5), np.asarray(1.0))
        prices = MinNorm().answer(game, KalaiSmorodinsky(), state).coefficients
        shares = prices * (game.cosines @ prices) / (prices @ game.cosines @ prices)
        np.testing.assert_allclose(shares, expected, atol=1e-14)


def test_the_fast_way_gives_up_what_it_cannot_prove(monkeypatch):
    options = {"start": None, "max_steps": 100, "precision": 2.3e-16}
    game, found = bargain.GradientGame(GRAM), single_min_norm._prices

    def off(plain, claims, most):
        point, _, steps = found(plain, claims, most)
        point = point * (1 + 1e-9 * np.arange(5))
        return point, plain.cosines @ point, steps

    solve = single_min_norm.solve_min_norm
    assert solve(game, Egalitarian(), bargain.MinNorm(), **options) is not None
    monkeypatch.setattr(single_min_norm, "_prices", off)
    assert solve(game, Egalitarian(), bargain.MinNorm(), **options) is None
