"""The ways to run a solve in JAX, each from a stack of games in NumPy to outcomes in NumPy."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import bargain
from bargain import Outcome
from tests.libraries import as_numpy

jax.config.update("jax_enable_x64", True)

_jitted = jax.jit(bargain.nash)
_vmapped = jax.jit(jax.vmap(bargain.nash))


def eagerly(grams: np.ndarray, weights: np.ndarray) -> Outcome:
    """Solve one game after the other, outside any transformation."""
    return _one_by_one(bargain.nash, grams, weights)


def jitted(grams: np.ndarray, weights: np.ndarray) -> Outcome:
    """Solve one game after the other in a function that is compiled."""
    return _one_by_one(_jitted, grams, weights)


def vmapped(grams: np.ndarray, weights: np.ndarray) -> Outcome:
    """Solve all games by a function of one game that JAX vectorises and compiles."""
    return as_numpy(_vmapped(jnp.asarray(grams), jnp.asarray(weights)))


def as_a_batch(grams: np.ndarray, weights: np.ndarray) -> Outcome:
    """Solve all games as one batch."""
    return as_numpy(bargain.nash(jnp.asarray(grams), jnp.asarray(weights)))


WAYS: list[Callable[[np.ndarray, np.ndarray], Outcome]] = [eagerly, jitted, vmapped, as_a_batch]


def _one_by_one(solve: Callable, grams: np.ndarray, weights: np.ndarray) -> Outcome:
    pairs = zip(grams, weights, strict=True)
    outcomes = [solve(jnp.asarray(gram), jnp.asarray(weight)) for gram, weight in pairs]
    return as_numpy(jax.tree.map(lambda *parts: jnp.stack(parts), *outcomes))
