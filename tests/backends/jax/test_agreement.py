"""JAX gives the answers of NumPy in float64, in every way of running."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bargain
from tests import strategies

jax = pytest.importorskip("jax")

from tests.backends.jax.ways_to_run import WAYS, eagerly, vmapped  # noqa: E402 - imports jax

GRAMS = Path(__file__).parents[2] / "data" / "grams"
FILES = sorted(path.stem for path in GRAMS.glob("*.npz"))
# Two players next to Pareto stationarity, and gradients whose norms spread over three decades.
FEW = ["diabetes_cohorts_fullbatch_K2_ls", "qm9_11tasks_rawunits"]
MANY = [name for name in FILES if name not in FEW]
PLAYERS = 5  # one number for all generated games, so that they are compiled once

every_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def trainings(name, count=12, dtype: Any = np.float64):
    """Games along a real training, with weights that spread over two decades."""
    with np.load(GRAMS / f"{name}.npz") as file:
        grams = file["grams"]
    grams = grams[np.linspace(0, len(grams) - 1, count).astype(int)]
    weights = np.exp(np.random.default_rng(0).normal(size=grams.shape[:2]))
    return grams.astype(dtype), weights.astype(dtype)


def assert_same(found, expected, *, rtol=1e-10, steps=1):
    np.testing.assert_array_equal(found.status, expected.status)
    for name in ("coefficients", "utilities", "shares"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=rtol, err_msg=name
        )
    assert np.abs(found.steps - expected.steps).max() <= steps
    assert found.certificate.accepted.all()


@every_way
@pytest.mark.parametrize("name", FEW)
def test_trainings_in_float64(way, name):
    games = trainings(name)
    assert_same(way(*games), bargain.nash(*games))


@every_way
def test_trainings_in_float32(way):
    assert_same_in_float32(way, FEW[1])


@pytest.mark.slow
@pytest.mark.parametrize("name", MANY)
def test_every_training(name):
    games = trainings(name)
    assert_same(vmapped(*games), bargain.nash(*games))
    assert_same_in_float32(vmapped, name)


def assert_same_in_float32(way, name):
    grams, weights = trainings(name, dtype=np.float32)
    found = way(grams, weights)
    assert found.coefficients.dtype == found.residual.dtype == np.float32
    expected = bargain.nash(grams.astype(float), weights.astype(float), precision=2.0**-23)
    # Next to Pareto stationarity not even an exact solver could do better than the rounding floor.
    rtol = 1e-4 + float(found.certificate.floor.max())
    expected = expected._replace(steps=bargain.nash(grams, weights).steps)
    # In float32 every stop falls within rounding.
    assert_same(found, expected, rtol=rtol, steps=2)


def cases():
    """Games of every class with lengths and weights that spread, for one number of players."""
    seeds = st.integers(0, 2**32 - 1)
    classes = [getattr(strategies, name) for name in strategies.ALL]
    knobs = {
        strategies.strongly_conflicting: {"margin": st.floats(1e-4, 1e-1)},
        strategies.nearly_opposite_pair: {"margin": st.floats(1e-4, 1e-1)},
    }
    plain = st.one_of(
        [st.builds(make, st.just(PLAYERS), seeds, **knobs.get(make, {})) for make in classes]
    )
    weighted = strategies.weighted_cases(plain, decades=4)
    silent, zero = strategies.silent_player_cases(weighted), strategies.zero_gradient_cases(plain)
    return st.one_of(
        [strategies.badly_scaled_cases(kind) for kind in (plain, weighted, silent, zero)]
    )


@given(cases())
def test_generated_games(case):
    expected = bargain.nash(case.gram, case.weights)
    if case.solvable is None:
        return  # rounding may decide
    found = eagerly(case.gram[None], case.weights[None])
    assert int(found.status[0]) == int(expected.status)
    assert abs(int(found.steps[0]) - int(expected.steps)) <= 1 or not case.solvable
    growth = 1 / min(case.margin, 1.0) ** 2 if case.margin > 0 else 1.0
    rtol = 1e-12 * growth
    np.testing.assert_allclose(found.coefficients[0], expected.coefficients, rtol=rtol)
    np.testing.assert_allclose(found.utilities[0], expected.utilities, rtol=rtol)


@pytest.mark.slow
def test_every_solver_agrees_in_a_compiled_call():
    grams, weights = trainings(FEW[0], 3)
    for solver in (bargain.Newton(), bargain.FixedPoint(), bargain.CCP(), bargain.InteriorPoint()):
        found = jax.jit(bargain.nash, static_argnames="solver")(
            jax.numpy.asarray(grams), jax.numpy.asarray(weights), solver=solver
        )
        expected = bargain.nash(grams, weights, solver=solver)
        np.testing.assert_array_equal(found.status, expected.status)
        np.testing.assert_allclose(found.coefficients, expected.coefficients, rtol=1e-9)


def test_companions_of_the_gram_matrix():
    rng = np.random.default_rng(3)
    gradients = rng.normal(size=(4, 4, 9))
    game = bargain.GradientGame(
        gradients @ gradients.mT,
        disagreement=np.full((4, 4), -0.2),
        radius=np.asarray([0.5, 1.0, 2.0, 4.0]),
        active=np.asarray([[True, True, True, False]] * 4),
    )
    expected = bargain.solve(game, start=np.ones((4, 4)))
    there = jax.tree.map(jax.numpy.asarray, game)
    found = jax.jit(bargain.solve)(there, start=jax.numpy.ones((4, 4)))
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.coefficients, expected.coefficients, rtol=1e-8, atol=1e-12)


def test_without_x64_games_are_in_float32():
    grams, weights = trainings(FEW[1], 4, np.float32)
    with jax.enable_x64(False):
        found = vmapped(grams, weights)
        alone = bargain.nash(jax.numpy.asarray(grams[0]), [1.0] * grams.shape[-1], radius=2)
    assert found.coefficients.dtype == alone.coefficients.dtype == np.float32
    assert alone.steps.dtype == alone.status.dtype == np.int32
    expected = bargain.nash(grams.astype(float), weights.astype(float))
    np.testing.assert_allclose(found.coefficients, expected.coefficients, rtol=1e-4)
