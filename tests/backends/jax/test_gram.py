"""Gram matrices of losses, by every method, against gradients that JAX gives one by one."""

from typing import Any

import numpy as np
import pytest

import bargain

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bargain_jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

TASKS = 5
METHODS: list[Any] = ["rows", "products", "columns", "auto"]
every_method = pytest.mark.parametrize("method", METHODS)


@pytest.fixture(scope="module")
def network():
    """A small shared trunk with a loss for each of several targets."""
    rng = np.random.default_rng(0)
    params = {
        "trunk": {"weight": rng.normal(size=(3, 4)), "bias": rng.normal(size=4)},
        "heads": [rng.normal(size=(4, TASKS))],
    }
    inputs, targets = rng.normal(size=(16, 3)), rng.normal(size=(16, TASKS))
    return jax.tree.map(jnp.asarray, (params, inputs, targets))


def losses(params, inputs, targets):
    hidden = jnp.tanh(inputs @ params["trunk"]["weight"] + params["trunk"]["bias"])
    return jnp.mean((hidden @ params["heads"][0] - targets) ** 2, axis=0)


def one_by_one(losses_fn, params, *args):
    count = jax.eval_shape(losses_fn, params, *args).shape[0]
    gradients = [
        jax.grad(lambda params, k=k: losses_fn(params, *args)[k])(params) for k in range(count)
    ]
    return bargain.gram(gradients)


@every_method
@pytest.mark.parametrize("chunk", [None, 1, 2, TASKS])
def test_every_method_gives_the_products_of_the_gradients(network, method, chunk):
    params, *args = network
    found = bargain_jax.gram(losses, params, *args, method=method, chunk=chunk)
    np.testing.assert_allclose(found, one_by_one(losses, params, *args), rtol=1e-12)
    np.testing.assert_array_equal(found, found.T)


@every_method
def test_under_jit_and_vmap(network, method):
    params, *args = network
    expected = one_by_one(losses, params, *args)

    def product(params, *args):
        return bargain_jax.gram(losses, params, *args, method=method)

    np.testing.assert_allclose(jax.jit(product)(params, *args), expected, rtol=1e-12)
    pair = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), params)
    both = jax.vmap(product, in_axes=(0, None, None))(pair, *args)
    np.testing.assert_allclose(both[0], expected, rtol=1e-12)


def test_a_tree_of_scalars_is_a_vector_in_the_order_of_its_leaves(network):
    params, *args = network

    def named(params, *args):
        values = losses(params, *args)
        return {"b": values[1], "a": (values[0], values[2])}

    expected = one_by_one(losses, params, *args)[jnp.asarray([0, 2, 1])][:, jnp.asarray([0, 2, 1])]
    np.testing.assert_allclose(bargain_jax.gram(named, params, *args), expected, rtol=1e-12)


def test_parameters_that_a_task_does_not_use_count_as_zero():
    params = {"mine": jnp.asarray([3.0]), "yours": jnp.asarray([4.0]), "nobody's": jnp.ones(2)}
    found = bargain_jax.gram(lambda p: [p["mine"][0] ** 2, p["yours"][0]], params)
    np.testing.assert_array_equal(found, [[36.0, 0.0], [0.0, 1.0]])


def test_few_parameters_are_moved_one_by_one():
    """With fewer parameters than losses nothing is transposed."""
    mixing = jnp.asarray(np.random.default_rng(1).normal(size=(40, 3)))
    product = jax.make_jaxpr(lambda params: bargain_jax.gram(lambda p: mixing @ p, params))(
        jnp.ones(3)
    )
    assert "scan" in str(product)
    found = bargain_jax.gram(lambda p: mixing @ p, jnp.ones(3))
    np.testing.assert_allclose(found, mixing @ mixing.T, rtol=1e-12)


def test_products_never_hold_all_gradients():
    tasks, size = 32, 10_000
    mixing = jnp.ones((tasks, 4))

    def many(params):
        return mixing @ jnp.tanh(params).reshape(4, -1).sum(axis=1) ** 2

    def peak(method: Any):
        step = jax.jit(lambda params: bargain_jax.gram(many, params, method=method, chunk=4))
        memory = step.lower(jnp.ones(size)).compile().memory_analysis()
        return memory.temp_size_in_bytes

    assert peak("rows") > 8 * tasks * size
    assert peak("products") < 8 * tasks * size / 2


def test_half_precision_is_summed_in_float32():
    params = jnp.full((4096,), 1.0, jnp.bfloat16)
    found = bargain_jax.gram(lambda p: jnp.stack([p.sum(), (2 * p).sum()]), params)
    assert found.dtype == jnp.float32
    np.testing.assert_array_equal(found, [[4096.0, 8192.0], [8192.0, 16384.0]])


def test_losses_are_evaluated_once(network):
    params, *args = network
    calls = []

    def counted(params, *args):
        jax.debug.callback(lambda: calls.append(1))
        return losses(params, *args)

    for method in METHODS:
        calls.clear()
        jax.block_until_ready(bargain_jax.gram(counted, params, *args, method=method))
        jax.effects_barrier()
        assert len(calls) == 1, method


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda p: p.sum(), r"found an array of shape \(\)"),
        (lambda p: jnp.outer(p, p), r"found an array of shape \(2, 2\)"),
        (lambda p: p[:0], r"found an array of shape \(0,\)"),
        (lambda p: [p, p], r"leaves of shapes \[\(2,\), \(2,\)\]"),
        (lambda p: {}, r"leaves of shapes \[\]"),
    ],
)
def test_losses_that_are_no_vector(function, message):
    with pytest.raises(ValueError, match=f"losses_fn: expected losses as a vector.*{message}"):
        bargain_jax.gram(function, jnp.ones(2))


def test_other_bad_input():
    unknown: Any = "ghost"
    with pytest.raises(TypeError, match=r"losses_fn: .* floating-point type, found int"):
        bargain_jax.gram(lambda p: jnp.arange(3), jnp.ones(2))
    with pytest.raises(TypeError, match=r"found int64 at params\['count'\]"):
        bargain_jax.gram(lambda p: p["w"], {"w": jnp.ones(2), "count": jnp.arange(3)})
    with pytest.raises(TypeError, match=r"found \w+ at params\[0\].*equinox.partition"):
        bargain_jax.gram(lambda p: p[1], [jnp.tanh, jnp.ones(2)])
    with pytest.raises(ValueError, match="params: expected at least one array"):
        bargain_jax.gram(lambda p: jnp.ones(2), {})
    with pytest.raises(ValueError, match="method: expected one of auto, rows"):
        bargain_jax.gram(lambda p: p, jnp.ones(2), method=unknown)
    with pytest.raises(ValueError, match="chunk: expected at least 1"):
        bargain_jax.gram(lambda p: p, jnp.ones(2), chunk=0)
