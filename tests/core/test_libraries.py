"""One core, four libraries: the same status, the same numbers, the same steps but for rounding."""

import numpy as np
import pytest

import bargain
from bargain import CCP, FixedPoint, InteriorPoint, Newton
from tests import strategies
from tests.libraries import LIBRARIES, as_numpy, game_of, open_library

SOLVERS = [Newton(), FixedPoint(), CCP(), InteriorPoint()]
every_solver = pytest.mark.parametrize("solver", SOLVERS, ids=lambda s: type(s).__name__)
OTHERS = [name for name in LIBRARIES if name != "numpy"]
# All of one size: JAX compiles anew for every shape.
CASES = {
    "full rank": strategies.full_rank(5, 0),
    "badly scaled": strategies.rescaled(strategies.full_rank(5, 1), 1, 24),
    "extreme": strategies.rescaled(strategies.full_rank(5, 1), 1, 200),
    "weighted": strategies.weighted(strategies.full_rank(5, 3), 3, 8),
    "rank deficient": strategies.rank_deficient(5, 4),
    "conflicting": strategies.strongly_conflicting(5, 5, 3e-2),
    "duplicated": strategies.duplicated(5, 6),
    "stationary": strategies.stationary(5, 7),
    "opposite": strategies.opposite_pair(5, 8),
    "silent": strategies.with_silent_players(strategies.full_rank(5, 9), 9),
    "zero gradients": strategies.with_zero_gradients(strategies.full_rank(5, 10), 10),
    "absent": strategies.with_absent_players(strategies.full_rank(5, 11), 11),
    "demands": strategies.with_attainable_disagreement(strategies.full_rank(5, 12), 1, 0.1, 2.0),
    "too much": strategies.with_unattainable_disagreement(strategies.full_rank(5, 13), 1, 0.1, 2.0),
}


def compare(found, expected, case, rtol=1e-10):
    assert int(found.status) == int(expected.status)
    # Rounding errors grow with the closeness of the game to a disagreement.
    rtol = rtol / min(1.0, case.margin) ** 2 if case.margin > 0 else rtol
    for name in ("coefficients", "utilities", "shares"):
        scale = np.abs(getattr(expected, name)).max()
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=rtol, atol=1e-14 * scale
        )
    if int(expected.status) == bargain.Status.DISAGREEMENT:
        assert float(found.residual) <= float(found.certificate.resolution)
    else:
        multipliers = found.certificate.multipliers, expected.certificate.multipliers
        np.testing.assert_allclose(*multipliers, rtol=1e-6)


@pytest.mark.parametrize("library", OTHERS)
@pytest.mark.parametrize("name", CASES)
def test_the_default_solver_says_the_same_everywhere(library, name, no_shortcut):
    case = CASES[name]
    found = as_numpy(bargain.solve(game_of(case, open_library(library))))
    expected = bargain.solve(game_of(case))
    compare(found, expected, case)
    assert abs(int(found.steps) - int(expected.steps)) <= 1


@every_solver
@pytest.mark.parametrize("library", OTHERS)
@pytest.mark.parametrize("name", ["badly scaled", "rank deficient", "conflicting", "opposite"])
def test_every_solver_says_the_same_everywhere(library, name, solver, no_shortcut):
    case = CASES[name]
    found = as_numpy(bargain.solve(game_of(case, open_library(library)), solver=solver))
    expected = bargain.solve(game_of(case), solver=solver)
    compare(found, expected, case)
    # First-order steps are many where gradients nearly cancel, and rounding decides which.
    slack = 1 if isinstance(solver, Newton | InteriorPoint) else 3 + int(expected.steps) // 2
    assert abs(int(found.steps) - int(expected.steps)) <= slack


@pytest.mark.parametrize("name", ["full rank", "badly scaled", "stationary", "demands"])
def test_single_precision_stays_single(xp, name):
    case = strategies.in_float32(CASES[name])
    outcome = bargain.solve(game_of(case, xp))
    floats = [*outcome[:3], outcome.gap, outcome.residual, *outcome.certificate[:6]]
    assert {str(array.dtype).split(".")[-1] for array in floats} == {"float32"}
    expected = bargain.solve(game_of(CASES[name]))
    found = as_numpy(outcome)
    assert int(found.status) == int(expected.status)
    np.testing.assert_allclose(found.shares, expected.shares, atol=1e-4)


def test_results_live_where_the_game_does(xp):
    for name in ("full rank", "demands", "stationary"):
        game = game_of(CASES[name], xp)
        outcome = bargain.solve(game)
        for array in (*outcome[:7], *outcome.certificate):
            assert type(array).__module__.split(".")[0] == type(game.gram).__module__.split(".")[0]
            assert array.device == game.gram.device


def test_statuses_and_steps_are_integers_and_acceptance_is_boolean(xp):
    outcome = bargain.solve(game_of(CASES["full rank"], xp))
    namespace = xp.namespace
    for array in (outcome.status, outcome.steps):
        assert namespace.isdtype(namespace.asarray(array).dtype, "integral")
    assert namespace.isdtype(namespace.asarray(outcome.certificate.accepted).dtype, "bool")


def test_starts_in_every_library(xp):
    game = game_of(CASES["conflicting"], xp)
    cold = bargain.solve(game)
    warm = bargain.solve(game, start=cold.coefficients)
    assert int(warm.steps) < int(cold.steps)
    compare(as_numpy(warm), as_numpy(cold), CASES["conflicting"])


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_strictest_library_is_strict(library):
    """The second device and the flags are what makes these tests worth their time."""
    xp = open_library(library)
    if library != "array_api_strict":
        assert xp.asarray(1.0).device == xp.asarray(2.0).device
        return
    array = xp.asarray(np.ones(2))
    with pytest.raises(RuntimeError, match="boolean"):
        array[array > 0]
    with pytest.raises(ValueError, match="device"):
        array + xp.module.ones(2)
