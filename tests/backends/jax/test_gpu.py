"""JAX on a GPU gives the answers and slopes that it gives on the CPU."""

import numpy as np
import pytest

import bargain

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")

import bargain_jax  # noqa: E402 - may not be there
from tests.backends.jax.test_agreement import trainings  # noqa: E402 - imports jax

jax.config.update("jax_enable_x64", True)


def weighted(gram, weights):
    """A number that depends on everything that has a derivative."""
    outcome = bargain.nash(gram, weights)
    factors = jnp.arange(1.0, gram.shape[-1] + 1, dtype=gram.dtype)
    return sum(
        (factors * part).sum() for part in (outcome.coefficients, outcome.utilities, outcome.shares)
    )


def losses_of(parameters, inputs):
    hidden = jnp.tanh(inputs @ parameters["first"])
    output = hidden @ parameters["second"]
    return {str(k): jnp.mean((output[:, k] - k) ** 2) for k in range(3)}


DECIDED = ("coefficients", "utilities", "shares")
PROGRAMS = {
    "nash": lambda grams, weights: bargain.nash(grams[0], weights[0])._asdict(),
    "batch": lambda grams, weights: bargain.nash(grams, weights)._asdict(),
    "jit": lambda grams, weights: jax.jit(bargain.nash)(grams[0], weights[0])._asdict(),
    "vmap": lambda grams, weights: jax.jit(jax.vmap(bargain.nash))(grams, weights)._asdict(),
    "grad": lambda grams, weights: jax.jit(jax.grad(weighted, argnums=(0, 1)))(
        grams[0], weights[0]
    ),
    "vmap of grad": jax.jit(jax.vmap(jax.grad(weighted, argnums=(0, 1)))),
}


@pytest.fixture(params=["cpu", pytest.param("gpu", marks=pytest.mark.cuda)])
def there(request):
    """A device, and the CPU's where there is no other."""
    try:
        return jax.devices(request.param)[0]
    except RuntimeError:
        pytest.skip(f"JAX finds no {request.param}")


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", PROGRAMS)
def test_solves_are_those_of_the_cpu(there, name, kind):
    games = trainings("qm9_11tasks", 4, kind)
    found = PROGRAMS[name](*(jax.device_put(part, there) for part in games))
    assert {leaf.devices().pop() for leaf in jax.tree.leaves(found)} == {there}
    expected = PROGRAMS[name](*(jax.device_put(part, jax.devices("cpu")[0]) for part in games))
    if "grad" not in name:
        assert np.asarray(found["certificate"].accepted).all()
        np.testing.assert_array_equal(found["status"], expected["status"])
        assert np.abs(np.asarray(found["steps"]) - expected["steps"]).max() <= 2
        found, expected = ([part[name] for name in DECIDED] for part in (found, expected))
    rtol = 1e-9 if kind is np.float64 else 1e-3
    for ours, theirs in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        scale = float(abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale)


def test_a_training_step_in_single_precision(there):
    """Products on a GPU may round their factors to ten bits; the game must still have its proof."""
    rng = np.random.default_rng(0)
    numbers = {"first": rng.normal(size=(64, 128)) / 8, "second": rng.normal(size=(128, 3)) / 8}
    inputs = rng.normal(size=(32, 64))

    def step(device, kind):
        parameters = {k: jax.device_put(v.astype(kind), device) for k, v in numbers.items()}
        batch = jax.device_put(inputs.astype(kind), device)
        return jax.jit(bargain_jax.value_and_direction(losses_of))(parameters, batch)

    *found, outcome = step(there, np.float32)
    *exact, _ = step(jax.devices("cpu")[0], np.float64)
    assert int(outcome.status) == bargain.Status.AGREEMENT
    assert bool(outcome.certificate.accepted)
    np.testing.assert_allclose(outcome.shares, 1 / 3, rtol=1e-4)
    for ours, theirs in zip(*map(jax.tree.leaves, (found, exact)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-2, atol=2e-2 * float(abs(theirs).max()))
