"""What is compiled, and how often."""

import re

import numpy as np
import pytest

import bargain
from bargain import GradientGame, Status

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

import bargain_jax  # noqa: E402

jax.config.update("jax_enable_x64", True)

COMPILED = []
jax.monitoring.register_event_duration_secs_listener(
    lambda event, seconds, **_: COMPILED.append(event) if "backend_compile" in event else None
)


def gram(players, seed=0):
    gradients = np.random.default_rng(seed).normal(size=(players, 3 * players))
    return jnp.asarray(gradients @ gradients.T)


@pytest.fixture
def compiled():
    """Count the compilations since the test began."""
    before = len(COMPILED)
    return lambda: len(COMPILED) - before


def test_eager_solves_compile_once_for_a_shape(compiled):
    first = bargain.nash(gram(7))
    assert compiled() > 0
    grams, weights = [gram(7, seed) for seed in range(1, 5)], jnp.ones(7) + 1
    bargain.nash(grams[0], weights)
    already = compiled()
    for other in grams:
        bargain.nash(other)
        bargain.solve(GradientGame(other), bargain.Nash(), bargain.Newton())
        bargain.nash(other, weights, radius=1.0)
    assert compiled() == already
    assert int(first.status) == Status.AGREEMENT


def test_eager_derivatives_compile_once_for_a_shape(compiled):
    slope = jax.grad(lambda gram: bargain.nash(gram).coefficients.sum())
    grams = [gram(7, seed) for seed in range(4)]
    slope(grams[0])
    already = compiled()
    for other in grams[1:]:
        slope(other)
    assert compiled() == already


def test_a_radius_or_a_start_is_no_reason_to_compile_again(compiled):
    game, start, other = gram(7), jnp.ones(7), jnp.ones(7) + 1
    bargain.nash(game, start=start, radius=1.5)
    already = compiled()
    bargain.nash(game, start=other, radius=2.5)
    assert compiled() == already


def test_a_compiled_solve_is_traced_once():
    traced = []

    @jax.jit
    def solve(game):
        traced.append(game)
        return bargain.solve(game)

    for seed in range(3):
        solve(GradientGame(gram(3, seed), jnp.ones(3)))
    assert len(traced) == 1


def test_loops_stay_loops():
    """The search is a while loop in what is compiled, and its derivative has none of its own."""

    def loops(function):
        return len(re.findall(r"\bwhile\[", str(jax.make_jaxpr(function)(gram(3)))))

    def total(gram):
        return bargain.nash(gram).coefficients.sum()

    assert loops(total) >= 1
    assert loops(jax.grad(total)) == loops(total)


def test_products_are_in_full_precision():
    """Devices that round the factors of float32 products by default are told not to."""

    def total(gram):
        return bargain.nash(gram).coefficients.sum()

    def product(gram):
        return bargain_jax.gram(jnp.tanh, gram[0], method="rows")

    for function in (total, jax.grad(total), product):
        text = str(jax.make_jaxpr(function)(gram(3)))
        products = re.findall(r"dot_general\[(.*?)\]\s", text, re.DOTALL)
        assert products
        assert all("HIGHEST" in settings for settings in products)


def test_a_batch_stops_when_its_slowest_game_does():
    easy, hard = (
        jnp.eye(3),
        gram(3, 4) * jnp.asarray([[1.0, 1e4, 1e8]]) * jnp.asarray([[1.0], [1e4], [1e8]]),
    )
    weights = jnp.asarray([[1.0, 1.0, 1.0], [1e-4, 1.0, 1e4]])
    alone = [bargain.nash(*pair).steps for pair in ((easy, weights[0]), (hard, weights[1]))]
    together = jax.jit(jax.vmap(bargain.nash))(jnp.stack([easy, hard]), weights).steps
    assert alone[0] < alone[1]
    np.testing.assert_allclose(together, alone, atol=1)


def test_max_steps_bounds_the_loop():
    outcome = bargain.nash(gram(7), max_steps=1)
    assert int(outcome.steps) == 1
    assert int(outcome.status) == Status.MAX_STEPS


def test_leaks_no_tracers():
    with jax.checking_leaks():
        jax.jit(jax.grad(lambda gram: bargain.nash(gram).coefficients.sum()))(gram(2))


def test_loops_over_concrete_arrays_are_not_compiled(compiled):
    game = GradientGame(gram(3))
    coefficients = bargain.solve(game).coefficients
    bargain.rescale(coefficients, game, "min-norm")
    already = compiled()
    shorter = bargain.rescale(coefficients, game, "min-norm")
    assert compiled() == already
    jitted = jax.jit(bargain.rescale, static_argnums=2)(coefficients, game, "min-norm")
    np.testing.assert_allclose(jitted, shorter, rtol=1e-10)
