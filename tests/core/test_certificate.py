"""Certificates convince without trust: every outcome is accepted, every planted fault is not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bargain
from bargain import Nash, Status, certify
from bargain.canonical import canonicalise
from bargain.fair_shares import divergence
from tests import strategies
from tests.libraries import as_numpy, game_of, open_library, status_of
from tests.oracles import nash_value_by_cvxpy

SEEDS = st.integers(0, 2**32 - 1)
ANYTHING = st.one_of(
    strategies.gram_cases(most=20),
    strategies.float32_cases(),
    strategies.absent_player_cases(),
    strategies.attainable_disagreement_cases(),
    strategies.unattainable_disagreement_cases(),
)
AGREED = strategies.weighted_cases(
    strategies.plain_cases(["full_rank", "rank_deficient", "duplicated"], most=12), decades=4
)


def accepted(case, outcome, **options):
    return bool(certify(game_of(case), Nash(), outcome, **options).accepted)


@given(ANYTHING)
def test_every_outcome_with_a_proof_is_accepted(case):
    outcome = bargain.solve(game_of(case))
    proved = status_of(outcome) in ("AGREEMENT", "DISAGREEMENT")
    assert accepted(case, outcome, tol=1e-10 if case.gram.dtype == np.float64 else None) == proved


@given(ANYTHING)
def test_the_numbers_are_those_of_the_outcome(case):
    outcome = bargain.solve(game_of(case))
    fresh = certify(game_of(case), Nash(), outcome)
    if status_of(outcome) == "AGREEMENT":
        noise = 4 * max(float(fresh.floor), float(outcome.certificate.floor))
        assert abs(float(fresh.residual) - float(outcome.residual)) <= noise
        np.testing.assert_allclose(
            fresh.multipliers, outcome.certificate.multipliers, rtol=max(noise, 1e-6)
        )
    if status_of(outcome) == "DISAGREEMENT":
        rtol = 1e-4 if case.gram.dtype == np.float32 else 1e-9
        np.testing.assert_allclose(fresh.stationary, outcome.certificate.stationary, rtol=rtol)
        assert float(fresh.residual) <= float(fresh.resolution)


@given(AGREED, SEEDS)
def test_a_perturbed_coefficient_is_found_out(case, seed):
    outcome = bargain.solve(game_of(case))
    player = np.random.default_rng(seed).integers(case.players)
    factor = np.where(np.arange(case.players) == player, 1.001, 1.0)
    if case.players == 1:
        return
    assert not accepted(case, outcome._replace(coefficients=outcome.coefficients * factor))


@given(AGREED, SEEDS)
def test_what_an_outcome_says_of_itself_is_not_believed(case, seed):
    """Gap, residual and even the certificate may be forged to no effect."""
    if case.players == 1:
        return
    honest, rng = bargain.solve(game_of(case)), np.random.default_rng(seed)
    noise = 1 + rng.uniform(0.1, 0.5, size=case.players) * (np.arange(case.players) % 2)
    forged = honest._replace(
        coefficients=honest.coefficients * noise,
        certificate=honest.certificate._replace(
            accepted=np.asarray(True), residual=np.asarray(0.0)
        ),
    )
    assert float(forged.residual) <= 1e-10
    assert not accepted(case, forged)
    vandalised = honest._replace(
        gap=np.asarray(np.nan),
        residual=np.asarray(np.nan),
        certificate=honest.certificate._replace(multipliers=0 * honest.coefficients),
    )
    assert accepted(case, vandalised)


EVERY = [
    Nash(),
    bargain.AlphaFair(0.5),
    bargain.AlphaFair(3.0),
    bargain.KalaiSmorodinsky(),
    bargain.Egalitarian(leximin=True),
    bargain.Utilitarian(),
]
TAMPERED = {
    "utilities of another unit": lambda o: o._replace(utilities=o.utilities * 1e6),
    "a little more utility": lambda o: o._replace(utilities=o.utilities * (1 + 1e-9)),
    "utilities unknown": lambda o: o._replace(utilities=o.utilities * np.nan),
    "negative shares": lambda o: o._replace(shares=o.shares * 0 - 7),
    "a little more of a share": lambda o: o._replace(shares=o.shares + np.eye(4)[0] * 1e-9),
    "infinite shares": lambda o: o._replace(shares=o.shares + np.inf),
}
SILENT = np.array([1.0, 3.0, 0.0, 2.0])


@pytest.mark.parametrize("disagreement", [None, np.array([0.1, -0.2, 0.0, 0.1])])
@pytest.mark.parametrize("solution", EVERY, ids=str)
def test_what_is_told_has_to_follow_from_the_coefficients(solution, disagreement):
    grams = np.stack([strategies.full_rank(4, seed).gram for seed in range(3)])
    for gram, weights in ((grams[0], None), (grams, None), (grams, SILENT)):
        game = bargain.GradientGame(gram, weights, disagreement, radius=2.0)
        outcome = bargain.solve(game, solution)
        assert (outcome.status == Status.AGREEMENT).all()
        assert certify(game, solution, outcome).accepted.all()
        for name, tampered in TAMPERED.items():
            assert not certify(game, solution, tampered(outcome)).accepted.any(), name
        if weights is not None:
            louder = outcome._replace(coefficients=outcome.coefficients + (SILENT == 0))
            assert not certify(game, solution, louder).accepted.any()


def test_one_outcome_of_a_batch_is_tampered_with(xp):
    game = xp.game(np.stack([np.eye(2), np.eye(2)]))
    outcome = bargain.solve(game)
    turned = outcome._replace(utilities=outcome.utilities * xp.asarray([[1.0], [2.0]]))
    assert as_numpy(certify(game, Nash(), turned).accepted).tolist() == [True, False]


def test_a_disagreement_gives_nobody_anything():
    game = bargain.GradientGame(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    outcome = bargain.solve(game)
    assert certify(game, Nash(), outcome).accepted
    for name in ("coefficients", "utilities", "shares"):
        richer = outcome._replace(**{name: np.array([0.0, 1e-3])})
        assert not certify(game, Nash(), richer).accepted, name


def test_utilities_beyond_the_range_of_their_type_are_what_they_are():
    game = bargain.GradientGame(np.eye(2, dtype=np.float32) * 1e30, radius=1e30)
    with np.errstate(over="ignore", invalid="ignore"):
        outcome = bargain.solve(game)
        assert np.isinf(outcome.utilities).all()
        assert certify(game, Nash(), outcome).accepted


def test_what_is_told_is_checked_while_tracing():
    jax = pytest.importorskip("jax")
    open_library("jax")
    game = bargain.GradientGame(jax.numpy.asarray(strategies.full_rank(3, 0).gram))
    outcome = bargain.solve(game)

    @jax.jit
    def checked(factor):
        told = outcome._replace(utilities=outcome.utilities * factor)
        return certify(game, Nash(), told).accepted

    assert [bool(checked(factor)) for factor in (1.0, 2.0)] == [True, False]


@pytest.mark.parametrize("gram", [np.eye(3), np.stack([np.eye(2)] * 3)])
def test_the_outcome_of_a_game_of_another_shape(gram):
    with pytest.raises(ValueError, match=r"outcome: expected coefficients of shape \(2,\), found"):
        certify(bargain.GradientGame(np.eye(2)), Nash(), bargain.nash(gram))


CONTENT = np.array([-1.0, -2.0])


@pytest.mark.parametrize("ideal", [None, np.array([1.0, 2.0])])
@pytest.mark.parametrize("solution", EVERY, ids=str)
def test_where_everyone_has_more_than_he_asks_for_nobody_moves(eager, solution, ideal):
    """Without gradients nothing changes, and with less than nothing asked all are content."""
    game = eager.game(np.zeros((2, 2)), disagreement=CONTENT, ideal=ideal)
    batch = eager.game(np.stack([np.zeros((2, 2)), np.eye(2)]), disagreement=CONTENT, ideal=ideal)
    outcome, both = bargain.solve(game, solution), as_numpy(bargain.solve(batch, solution))
    assert not as_numpy(outcome.coefficients).any()
    assert bool(certify(game, solution, outcome).accepted)
    if isinstance(solution, bargain.Utilitarian):  # it does not ask what they ask for
        assert status_of(outcome) == "DISAGREEMENT"
        return
    assert status_of(outcome) == "AGREEMENT"
    assert float(outcome.residual) == float(outcome.gap) == 0
    assert both.status.tolist() == [Status.AGREEMENT] * 2
    refused = outcome._replace(status=eager.asarray(int(Status.DISAGREEMENT)))
    assert not bool(certify(game, solution, refused).accepted)


@settings(max_examples=25)
@given(strategies.plain_cases(strategies.STATIONARY, most=12), SEEDS)
def test_a_forged_stationary_vector_is_found_out(case, seed):
    outcome = bargain.solve(game_of(case))
    random = np.random.default_rng(seed).dirichlet(np.ones(case.players))
    factor_norm = np.sqrt(max(random @ case.gram @ random, 0.0))
    if factor_norm < 1e-3:
        return
    forged = outcome.certificate._replace(stationary=random)
    assert not accepted(case, outcome._replace(certificate=forged))
    zeros = outcome.certificate._replace(stationary=0 * random)
    assert not accepted(case, outcome._replace(certificate=zeros))


def test_negative_multipliers_prove_nothing():
    """g and its double: 2 g_1 - g_2 vanishes, and is no convex combination."""
    gram = np.array([[1.0, 2.0], [2.0, 4.0]])
    outcome = bargain.nash(gram)
    forged = outcome._replace(
        status=np.asarray(int(Status.DISAGREEMENT)),
        certificate=outcome.certificate._replace(stationary=np.array([2.0, -1.0])),
    )
    assert not bool(certify(bargain.GradientGame(gram), Nash(), forged).accepted)
    negative = outcome._replace(coefficients=-outcome.coefficients)
    assert not bool(certify(bargain.GradientGame(gram), Nash(), negative).accepted)


@given(ANYTHING)
def test_swapped_statuses_are_found_out(case):
    outcome = bargain.solve(game_of(case))
    for status in set(Status) - {Status(int(outcome.status))}:
        swapped = outcome._replace(status=np.asarray(int(status), np.int32))
        assert not accepted(case, swapped), status.name


@given(strategies.plain_cases(["full_rank"], most=8), SEEDS)
def test_the_answer_of_another_game_is_found_out(case, seed):
    other = strategies.full_rank(case.players, seed)
    if case.players <= 2 or np.allclose(other.gram, case.gram, atol=1e-2):
        return  # two players of equal weight divide in the same way whatever their angle
    assert not accepted(case, bargain.solve(game_of(other)))


@given(strategies.attainable_disagreement_cases(strategies.plain_cases(["full_rank"], most=8)))
def test_an_update_that_is_too_long_is_found_out(case):
    outcome = bargain.solve(game_of(case))
    if status_of(outcome) != "AGREEMENT":
        return
    for factor in (1.01, 0.99):
        longer = outcome._replace(coefficients=outcome.coefficients * factor)
        assert not accepted(case, longer)


def reached(case, coefficients):
    """Utilities of the update of length one with these coefficients, and its log-product."""
    update = coefficients / np.sqrt(coefficients @ case.gram @ coefficients)
    return float(case.weights @ np.log(case.gram @ update))


@settings(max_examples=20)
@given(strategies.plain_cases(["full_rank", "rank_deficient"], most=8), SEEDS, st.floats(0, 0.3))
def test_the_gap_bounds_what_the_conic_solver_still_finds(case, seed, off):
    """Weak duality at any point, not only at the solution."""
    solution = bargain.solve(game_of(case))
    noise = 1 + off * np.random.default_rng(seed).uniform(-1, 1, size=case.players)
    point = solution.coefficients * noise
    if (case.gram @ point <= 0).any():
        return
    gap = float(certify(game_of(case), Nash(), solution._replace(coefficients=point)).gap)
    best = nash_value_by_cvxpy(case.gram, case.weights).value
    assert reached(case, point) + gap >= best - 1e-6 * case.players
    assert reached(case, point) <= best + 1e-6 * case.players


@given(AGREED, SEEDS)
def test_the_gap_is_the_divergence_of_shares_from_weights(case, seed):
    noise = 1 + 0.2 * np.random.default_rng(seed).uniform(-1, 1, size=case.players)
    outcome = bargain.solve(game_of(case))
    point = outcome.coefficients * noise
    gains = point * (case.gram @ point)
    if (gains <= 0).any():
        return
    shares = gains / gains.sum() * case.weights.sum()
    expected = case.weights @ np.log(case.weights / shares)
    found = float(certify(game_of(case), Nash(), outcome._replace(coefficients=point)).gap)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-14)


def test_the_divergence_keeps_its_digits_near_zero():
    game, _ = canonicalise(bargain.GradientGame(np.eye(2)), precision=1e-16)
    assert divergence(game, np.array([1 + 1e-9, 1 - 1e-9])) == pytest.approx(1e-18, rel=1e-6)
    assert divergence(game, np.array([1.0, 0.0])) == np.inf
    assert divergence(game, np.array([2.0, -1.0])) == np.inf


def test_certificates_in_batches_and_libraries(xp):
    cases = [strategies.full_rank(3, 0), strategies.stationary(3, 1), strategies.full_rank(3, 2)]
    game = xp.game(np.stack([case.gram for case in cases]))
    outcome = bargain.solve(game)
    assert as_numpy(certify(game, Nash(), outcome).accepted).tolist() == [True, True, True]
    turned = outcome._replace(coefficients=xp.namespace.flip(outcome.coefficients, axis=-1))
    assert as_numpy(certify(game, Nash(), turned).accepted).tolist() == [False, True, False]


def test_an_invalid_game_accepts_nothing():
    outcome = bargain.nash(np.eye(2))
    for gram in (np.eye(2) * np.nan, np.array([[1.0, 3.0], [3.0, 1.0]])):
        assert not bool(certify(bargain.GradientGame(gram), Nash(), outcome).accepted)


def test_an_indefinite_matrix_is_no_game():
    gram = np.eye(3) * 1.7 - 0.7
    forged = bargain.nash(np.eye(3))._replace(status=np.asarray(int(Status.DISAGREEMENT)))
    forged = forged._replace(certificate=forged.certificate._replace(stationary=np.full(3, 1 / 3)))
    assert not bool(certify(bargain.GradientGame(gram), Nash(), forged).accepted)


def test_there_must_be_something_to_check():
    with pytest.raises(TypeError, match="outcome"):
        certify(bargain.GradientGame(np.eye(2)), bargain.Nash(), None)
