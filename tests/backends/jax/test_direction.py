"""Directions of training steps, by both ways in: from losses, and from gradients with optax."""

import numpy as np
import pytest

import bargain
from bargain import Status

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bargain_jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

RNG = np.random.default_rng(0)
MIXING = jnp.asarray(RNG.normal(size=(3, 8)))
PARAMS = {"a": jnp.asarray(RNG.normal(size=(2, 3))), "b": jnp.asarray(RNG.normal(size=2))}
WEIGHTS = [1.0, 2.0, 0.5]


def losses(params):
    flat = jnp.concatenate([params["a"].ravel(), params["b"]])
    return jnp.sum((MIXING * flat - 1.0) ** 2, axis=1)


def opposed(params):
    return jnp.stack([params["b"].sum(), -params["b"].sum()])


def expected_direction(length, weights=WEIGHTS, maximum=None):
    jacobian = jax.jacrev(losses)(PARAMS)
    gradients = [jax.tree.map(lambda leaf, k=k: leaf[k], jacobian) for k in range(3)]
    game = bargain.GradientGame(bargain.gram(gradients), weights)
    coefficients = bargain.rescale(bargain.solve(game).coefficients, game, length, maximum=maximum)
    return bargain.combine(coefficients, gradients)


def assert_close(found, expected, rtol=1e-10):
    assert jax.tree.structure(found) == jax.tree.structure(expected)
    for one, two in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, two, rtol=rtol)
        assert one.dtype == two.dtype


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
@pytest.mark.parametrize("length", ["mean", "natural", "min-norm"])
def test_direction_of_losses(length, compiled):
    step = bargain_jax.value_and_direction(losses, weights=WEIGHTS, length=length)
    values, direction, outcome = (jax.jit(step) if compiled else step)(PARAMS)
    np.testing.assert_allclose(values, losses(PARAMS), rtol=1e-15)
    assert_close(direction, expected_direction(length))
    np.testing.assert_allclose(outcome.shares, np.asarray(WEIGHTS) / 3.5, rtol=1e-10)


@pytest.mark.parametrize("method", ["rows", "products", "columns"])
@pytest.mark.parametrize("kinds", [("float32", "float64"), ("float32", "float32")])
def test_mixed_types_have_the_rounding_of_the_coarsest(method, kinds):
    """Three gradients that depend on one another: in float32 they do so up to its rounding only."""
    params = {name: PARAMS[name].astype(kind) for name, kind in zip("ab", kinds, strict=True)}

    def dependent(params):
        found = losses(params)
        return jnp.stack([found[0], found[1], 0.3 * found[0] + 0.7 * found[1]])

    step = jax.jit(bargain_jax.value_and_direction(dependent, method=method))
    _, direction, outcome = step(params)
    assert int(outcome.status) == Status.AGREEMENT
    assert outcome.coefficients.dtype == jnp.float32
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(direction))
    rows = jax.jacrev(dependent)(params)
    updates, _ = bargain_jax.aggregate().update(rows, None)
    assert all(jnp.isfinite(leaf).all() for leaf in jax.tree.leaves(updates))


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "jit"])
def test_a_gradient_whose_square_vanishes_is_none(compiled):
    def faint(params):
        return jnp.stack([params[:2].sum(), params[1:].sum(), 1e-24 * params.sum()])

    step = bargain_jax.value_and_direction(faint, length="natural")
    _, direction, outcome = (jax.jit(step) if compiled else step)(jnp.ones(3, jnp.float32))
    assert int(outcome.status) == Status.AGREEMENT
    np.testing.assert_allclose(direction, 3**-0.5 * np.array([1, 2, 1]), rtol=1e-5)


@pytest.mark.parametrize("method", ["rows", "products", "columns"])
def test_direction_does_not_depend_on_the_method(method):
    step = bargain_jax.value_and_direction(losses, method=method, maximum=0.1)
    assert_close(step(PARAMS)[1], expected_direction("mean", None, 0.1))


def test_the_direction_is_subtracted():
    _, direction, _ = bargain_jax.value_and_direction(losses)(PARAMS)
    moved = jax.tree.map(lambda value, change: value - 1e-3 * change, PARAMS, direction)
    assert (losses(moved) < losses(PARAMS)).all()


def test_losses_come_back_as_they_were_returned():
    def named(params, scale):
        values = scale * losses(params)
        return {"x": values[0], "y": values[1], "z": values[2]}, {"state": scale}

    step = bargain_jax.value_and_direction(
        named, weights=dict(zip("xyz", WEIGHTS, strict=True)), length="natural", has_aux=True
    )
    (values, aux), direction, _ = jax.jit(step)(PARAMS, jnp.asarray(5.0))
    np.testing.assert_allclose(values["y"], 5 * losses(PARAMS)[1], rtol=1e-15)
    assert float(aux["state"]) == 5.0
    assert_close(direction, expected_direction("natural"))  # whatever the scale of the losses


def test_in_half_precision_the_direction_has_the_type_of_the_parameters():
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), PARAMS)
    _, direction, outcome = jax.jit(bargain_jax.value_and_direction(losses))(half)
    assert {leaf.dtype for leaf in jax.tree.leaves(direction)} == {jnp.dtype(jnp.bfloat16)}
    assert int(outcome.status) == Status.AGREEMENT


def test_opposed_tasks_do_not_move():
    _, direction, outcome = jax.jit(bargain_jax.value_and_direction(opposed))(PARAMS)
    assert int(outcome.status) == Status.DISAGREEMENT
    assert not any(leaf.any() for leaf in jax.tree.leaves(direction))


def test_a_lost_loss_raises_eagerly_and_shows_in_the_status_when_compiled():
    step = bargain_jax.value_and_direction(
        lambda params: losses(params) * jnp.asarray([1, jnp.nan, 1])
    )
    outcome = jax.jit(step)(PARAMS)[2]
    assert int(outcome.status) == Status.NONFINITE
    with pytest.raises(ValueError, match="gram: expected finite numbers"):
        step(PARAMS)


def test_bad_input():
    def call(**options):
        return bargain_jax.value_and_direction(losses, **options)(PARAMS)

    with pytest.raises(ValueError, match=r"weights: expected shape \(3,\)"):
        call(weights=[1.0, 2.0])
    with pytest.raises(ValueError, match="weights: expected a number for each loss"):
        call(weights={"x": 1.0})
    with pytest.raises(ValueError, match="length: expected one of"):
        call(length="long")
    with pytest.raises(ValueError, match="expected a pair"):
        call(has_aux=True)


def test_optax_aggregates_gradients_of_tasks():
    optax = pytest.importorskip("optax")
    optimiser = optax.chain(bargain_jax.aggregate(WEIGHTS), optax.sgd(0.5))
    state = optimiser.init(PARAMS)
    for update in (optimiser.update, jax.jit(optimiser.update)):
        updates, _ = update(jax.jacrev(losses)(PARAMS), state, PARAMS)
        wanted = jax.tree.map(lambda leaf: -0.5 * leaf, expected_direction("mean"))
        assert_close(updates, wanted)


def test_optax_keeps_the_types_of_the_gradients():
    pytest.importorskip("optax")
    gradients = {"w": jnp.ones((2, 3), jnp.bfloat16), "b": jnp.ones((2, 1), jnp.float32)}
    updates, _ = bargain_jax.aggregate().update(gradients, ())
    assert updates["w"].dtype == jnp.bfloat16
    assert updates["w"].shape == (3,)
    np.testing.assert_allclose(updates["b"], [1.0], rtol=1e-5)


def test_optax_bad_input():
    pytest.importorskip("optax")
    update = bargain_jax.aggregate().update
    with pytest.raises(ValueError, match=r"updates: expected leaves of shape \(K, \.\.\.\)"):
        update({"w": jnp.ones((2, 3)), "b": jnp.ones(3)}, ())
    with pytest.raises(ValueError, match="updates: expected leaves"):
        update(jnp.asarray(1.0), ())
    with pytest.raises(TypeError, match="floating-point"):
        update(jnp.ones((2, 3), jnp.int32), ())
    with pytest.raises(ValueError, match=r"weights: expected shape \(2,\)"):
        bargain_jax.aggregate([1.0, 1.0, 1.0]).update(jnp.ones((2, 3)), ())


def test_optax_missing(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "optax", None)
    with pytest.raises(ImportError, match="pip install optax"):
        bargain_jax.aggregate()
