"""Single games: values that no game can have, players who take no part, starts and limits."""

import math

import numpy as np
import pytest
from hypothesis import given

import bargain
from bargain import CCP, CommonLevel, FixedPoint, InteriorPoint, MinNorm, Newton, WeightedSum
from tests import strategies
from tests.judge import judge_outcome
from tests.libraries import as_numpy, game_of, status_of

GRAM = np.array([[4.0, 1.0, -1.0], [1.0, 2.0, 0.5], [-1.0, 0.5, 1.0]])
ZEROS = np.zeros(3)
SOLVERS = [Newton(), FixedPoint(), CCP(), InteriorPoint()]
every_solver = pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: type(s).__name__)


def _with(i, j, value):
    gram = GRAM.copy()
    gram[i, j] = value
    return gram


@pytest.mark.parametrize(
    ("gram", "companions", "sentence"),
    [
        (_with(0, 1, np.nan), {}, "gram: expected finite numbers, found 1 .*NaN or infinite; drop"),
        (_with(1, 1, np.inf), {}, "gram: expected finite numbers, found 1"),
        (_with(2, 2, -np.inf), {}, "gram: expected finite numbers, found 1"),
        (_with(2, 2, -1.0), {}, "gram: expected squared norms on the diagonal, found -1"),
        (_with(0, 1, 1.001), {}, r"gram: expected a symmetric matrix, .* 0.001 apart; pass \(gram"),
        (
            np.array([[1, 2], [2.0, 1]]),
            {},
            "gram: .*semidefinite .* larger than the product .*; compute",
        ),
        (np.array([[0, 1], [1.0, 1]]), {}, "gram: expected a positive semidefinite matrix"),
        (np.eye(3) * 1.7 - 0.7, {}, "gram: expected a positive semidefinite matrix, .* -0.4"),
        (GRAM, {"weights": np.array([1, -0.5, 1])}, "weights: .* at least zero, found -0.5; zero"),
        (GRAM, {"weights": ZEROS}, "weights: expected at least one above zero, found only zeros"),
        (GRAM, {"weights": np.array([1, np.nan, 1])}, "weights: expected finite numbers, found 1"),
        (GRAM, {"weights": np.array([1, np.inf, 1])}, "weights: expected finite numbers, found 1"),
        (GRAM, {"disagreement": ZEROS * np.nan}, "disagreement: expected finite numbers, found 3"),
        (GRAM, {"radius": 0.0}, "radius: expected a positive, finite number, found 0.0"),
        (GRAM, {"radius": -1.0}, "radius: expected a positive, finite number, found -1.0"),
        (GRAM, {"radius": math.nan}, "radius: expected a positive, finite number, found nan"),
        (GRAM, {"radius": math.inf}, "radius: expected a positive, finite number, found inf"),
    ],
)
def test_numbers_that_no_game_can_have_are_named(xp, gram, companions, sentence):
    with pytest.raises(ValueError, match=sentence):
        bargain.solve(xp.game(gram, **companions))


@pytest.mark.parametrize("max_steps", [-1, -100])
def test_steps_cannot_be_negative(max_steps):
    with pytest.raises(ValueError, match=f"max_steps: expected at least 0, found {max_steps}"):
        bargain.nash(GRAM, max_steps=max_steps)


@pytest.mark.parametrize("precision", [0.0, 1.0, -1.0, math.nan])
def test_precision_is_a_fraction(precision):
    with pytest.raises(ValueError, match="precision: expected a number between 0 and 1, found"):
        bargain.nash(GRAM, precision=precision)


@pytest.mark.parametrize("shape", [(2,), (4,), (1, 3), (3, 1), ()])
def test_a_start_has_a_coefficient_for_each_player(xp, shape):
    with pytest.raises(ValueError, match=r"start: expected shape \(3,\), .* coefficients of an"):
        bargain.solve(xp.game(GRAM), start=xp.asarray(np.ones(shape)))


@pytest.mark.parametrize(
    "kind", [Newton, FixedPoint, CCP, InteriorPoint, MinNorm, CommonLevel, WeightedSum]
)
@pytest.mark.parametrize("tol", [-1.0, math.nan])
def test_a_tolerance_can_be_reached(kind, tol):
    assert kind(tol=0.0).tol == 0
    with pytest.raises(ValueError, match=f"tol: expected a number of at least zero, found {tol}"):
        kind(tol=tol)


@pytest.mark.parametrize("solver", ["newton", Newton, 1, object()])
def test_a_solver_is_a_solver(solver):
    with pytest.raises(TypeError, match="solver: expected"):
        bargain.nash(GRAM, solver=solver)


@pytest.mark.parametrize("max_steps", [1.5, "10"])
def test_the_number_of_steps_is_a_whole_number(max_steps):
    with pytest.raises(TypeError, match="max_steps: expected"):
        bargain.nash(GRAM, max_steps=max_steps)


@pytest.mark.parametrize("start", [[1.0, 1.0, 1.0], "warm"])
def test_a_start_is_an_array(xp, start):
    with pytest.raises(TypeError, match=r"start: expected an array like gram, found .*; pass the"):
        bargain.solve(xp.game(GRAM), start=start)


@every_solver
def test_inputs_are_read_only(solver, no_shortcut):
    arrays = {
        "gram": GRAM.copy(),
        "weights": np.array([1.0, 2.0, 3.0]),
        "active": np.array([True, True, True]),
        "start": np.array([0.3, 0.2, 0.4]),
    }
    for array in arrays.values():
        array.flags.writeable = False
    outcome = bargain.nash(**arrays, solver=solver)
    assert status_of(outcome) == "AGREEMENT"


def test_the_shortcut_does_not_write_either():
    gram, weights, start = GRAM.copy(), np.array([1.0, 2.0, 3.0]), np.array([0.3, 0.2, 0.4])
    before = gram.copy(), weights.copy(), start.copy()
    outcome = bargain.nash(gram, weights, start=start)
    for old, new in zip(before, (gram, weights, start), strict=True):
        np.testing.assert_array_equal(old, new)
    assert not any(np.shares_memory(part, gram) for part in outcome[:3])


@every_solver
def test_a_warm_start_saves_steps_and_changes_nothing_else(solver, no_shortcut):
    case = strategies.weighted(strategies.strongly_conflicting(12, 3, 3e-2), 1, 3.0)
    cold = bargain.solve(game_of(case), solver=solver)
    warm = bargain.solve(game_of(case), solver=solver, start=cold.coefficients * 1.001)
    assert status_of(warm) == status_of(cold) == "AGREEMENT"
    assert int(warm.steps) < int(cold.steps)
    np.testing.assert_allclose(warm.coefficients, cold.coefficients, rtol=1e-7)
    judge_outcome(case, warm)


@every_solver
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_a_start_that_will_not_do_is_a_cold_one(eager, solver, bad):
    game, start = eager.game(GRAM), eager.asarray(np.array([1.0, bad, 2.0]))
    cold, other = (as_numpy(bargain.solve(game, solver=solver, start=s)) for s in (None, start))
    assert status_of(other) == "AGREEMENT"
    np.testing.assert_allclose(other.coefficients, cold.coefficients, rtol=1e-9)
    if not isinstance(solver, InteriorPoint):
        assert int(other.steps) == int(cold.steps)


@given(strategies.plain_cases(["full_rank", "duplicated"], most=12))
def test_zeros_as_a_start_are_a_cold_start(case):
    game = game_of(case)
    cold, zeros = (bargain.solve(game, start=s) for s in (None, np.zeros(case.players)))
    np.testing.assert_allclose(zeros.coefficients, cold.coefficients, rtol=1e-9)
    assert abs(int(zeros.steps) - int(cold.steps)) <= 1


@every_solver
def test_without_steps_there_is_no_proof_but_an_honest_answer(solver):
    case = strategies.strongly_conflicting(12, 3, 1e-2)
    outcome = bargain.solve(game_of(case), solver=solver, max_steps=0)
    assert status_of(outcome) == "MAX_STEPS"
    assert int(outcome.steps) == 0
    assert np.isfinite(outcome.coefficients).all()
    assert not outcome.certificate.accepted
    assert float(outcome.residual) > 1e-6


@every_solver
def test_one_step_is_one_step(solver, no_shortcut):
    case = strategies.strongly_conflicting(12, 3, 1e-2)
    assert int(bargain.solve(game_of(case), solver=solver, max_steps=1).steps) == 1


@every_solver
@pytest.mark.parametrize("norm", [1e-250, 1.0, 1e250])
def test_a_single_player_gets_everything(eager, solver, norm):
    game = eager.game(np.array([[norm]]), np.array([4.0]), radius=3.0)
    outcome = as_numpy(bargain.solve(game, solver=solver))
    assert status_of(outcome) == "AGREEMENT"
    np.testing.assert_allclose(outcome.coefficients, 2 / math.sqrt(norm), rtol=1e-11)
    np.testing.assert_allclose(outcome.utilities, 3 * math.sqrt(norm), rtol=1e-11)
    np.testing.assert_array_equal(outcome.shares, 1)


@every_solver
def test_a_zero_gradient_takes_no_part(eager, solver):
    gram = np.zeros((4, 4))
    gram[np.ix_([0, 2, 3], [0, 2, 3])] = GRAM
    outcome = as_numpy(bargain.solve(eager.game(gram), solver=solver))
    alone = as_numpy(bargain.solve(eager.game(GRAM), solver=solver))
    for name in ("coefficients", "utilities", "shares"):
        value = getattr(outcome, name)
        assert value[1] == 0
        np.testing.assert_allclose(value[[0, 2, 3]], getattr(alone, name), rtol=1e-11)


@every_solver
def test_with_zero_gradients_only_nobody_can_gain(eager, solver):
    outcome = as_numpy(bargain.solve(eager.game(np.zeros((3, 3))), solver=solver))
    assert status_of(outcome) == "DISAGREEMENT"
    assert not outcome.coefficients.any()
    assert outcome.certificate.stationary.sum() == pytest.approx(1)
    assert outcome.certificate.accepted
    assert float(outcome.residual) == 0


@every_solver
def test_absent_players_may_hold_nan(eager, solver):
    gram = np.full((4, 4), np.nan)
    gram[np.ix_([0, 2, 3], [0, 2, 3])] = GRAM
    active = np.array([True, False, True, True])
    outcome = as_numpy(bargain.solve(eager.game(gram, active=active), solver=solver))
    alone = as_numpy(bargain.solve(eager.game(GRAM), solver=solver))
    assert status_of(outcome) == "AGREEMENT"
    for name in ("coefficients", "utilities", "shares"):
        value = getattr(outcome, name)
        assert value[1] == 0
        np.testing.assert_allclose(value[[0, 2, 3]], getattr(alone, name), rtol=1e-11)


@every_solver
def test_a_silent_player_is_told_what_he_gets(eager, solver):
    weights = np.array([1.0, 0.0, 2.0])
    outcome = as_numpy(bargain.solve(eager.game(GRAM, weights), solver=solver))
    assert outcome.coefficients[1] == outcome.shares[1] == 0
    update = outcome.coefficients / math.sqrt(outcome.coefficients @ GRAM @ outcome.coefficients)
    np.testing.assert_allclose(outcome.utilities, GRAM @ update, rtol=1e-11)
    np.testing.assert_allclose(outcome.shares, weights / 3, rtol=1e-10)


def test_a_silent_player_may_lose():
    gram = np.array([[1.0, -0.9], [-0.9, 1.0]])
    assert bargain.nash(gram, [1.0, 0.0]).utilities[1] == pytest.approx(-0.9)


@pytest.mark.parametrize("silence", [{"weights": [1.0, 0.0, 1.0]}, {"active": [True, False, True]}])
def test_everyone_silent_or_without_a_gradient_is_a_disagreement(silence):
    outcome = bargain.nash(np.diag([0.0, 1.0, 0.0]), **silence)
    assert status_of(outcome) == "DISAGREEMENT"
    assert outcome.certificate.stationary[1] == 0


def test_a_coarse_matrix_may_be_declared_coarse():
    gram = np.array([[1.0, -1 + 1e-6], [-1 + 1e-6, 1.0]])
    assert status_of(bargain.nash(gram)) == "AGREEMENT"
    assert status_of(bargain.nash(gram, precision=1.2e-7)) == "DISAGREEMENT"
    noisy = 1.5 * np.eye(3) - 0.5 - 1e-9 * (1 - np.eye(3))
    with pytest.raises(ValueError, match="pass precision= if"):
        bargain.nash(noisy)
    assert status_of(bargain.nash(noisy, precision=1.2e-7)) == "DISAGREEMENT"
