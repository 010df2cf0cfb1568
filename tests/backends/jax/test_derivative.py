"""The derivative of a solve against finite differences, in every mode and transformation."""

import numpy as np
import pytest

import bargain

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

jax.config.update("jax_enable_x64", True)

slow = pytest.mark.slow
PLAYERS = 4
FIXED_LENGTHS = ["natural", "radius", "unit"]
RNG = np.random.default_rng(5)
GRADIENTS = RNG.normal(size=(3, PLAYERS, 9)) * np.exp(RNG.normal(size=(3, PLAYERS, 1)))
GRAMS = jnp.asarray(GRADIENTS @ GRADIENTS.mT)
WEIGHTS = jnp.asarray(RNG.uniform(0.5, 2.0, size=(3, PLAYERS)))


def coefficients(gram, weights):
    """Solve for a matrix that stays symmetric while finite differences shake it."""
    return bargain.nash((gram + gram.mT) / 2, weights).coefficients


def score(gram, weights):
    """A number that depends on everything an agreement says."""
    outcome = bargain.nash((gram + gram.mT) / 2, weights)
    return jnp.sum(jnp.sin(outcome.coefficients)) + jnp.sum(jnp.cos(outcome.utilities))


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_gram_and_weights_against_finite_differences(mode):
    check_grads(jax.jit(coefficients), (GRAMS[0], WEIGHTS[0]), 1, [mode], rtol=1e-6, atol=1e-7)
    check_grads(jax.jit(score), (GRAMS[0], WEIGHTS[0]), 1, [mode], rtol=1e-6, atol=1e-7)


@slow
def test_second_derivatives():
    check_grads(jax.jit(score), (GRAMS[0], WEIGHTS[0]), 2, rtol=1e-5, atol=1e-6)


def test_every_way_to_differentiate_gives_the_same():
    expected = [jax.grad(score)(*pair) for pair in zip(GRAMS, WEIGHTS, strict=True)]
    gradient = jax.grad(score)
    together = jax.jit(jax.grad(lambda grams: score(grams, WEIGHTS)))(GRAMS)
    for found in (
        jax.vmap(gradient)(GRAMS, WEIGHTS),
        jax.jit(jax.vmap(gradient))(GRAMS, WEIGHTS),
        jnp.stack([jax.jit(gradient)(*pair) for pair in zip(GRAMS, WEIGHTS, strict=True)]),
        jnp.stack([jax.jacfwd(score)(*pair) for pair in zip(GRAMS, WEIGHTS, strict=True)]),
        together,
    ):
        np.testing.assert_allclose(found, jnp.stack(expected), rtol=1e-11)


@slow
@pytest.mark.parametrize("solver", [bargain.FixedPoint(), bargain.CCP(), bargain.InteriorPoint()])
def test_the_derivative_does_not_depend_on_the_solver(solver):
    def by(solver):
        return jax.jit(
            jax.jacrev(lambda gram: bargain.nash(gram, WEIGHTS[0], solver=solver).coefficients)
        )(GRAMS[0])

    expected = by(bargain.Newton())
    np.testing.assert_allclose(by(solver), expected, rtol=1e-6, atol=1e-8 * abs(expected).max())


def test_through_gradients_of_any_scale():
    def length(scales):
        gradients = GRADIENTS[0] * scales[:, None]
        update = bargain.combine(bargain.nash(bargain.gram(gradients)).coefficients, gradients)
        return jnp.sum(update**3)

    # The solution is covariant: no scale of a gradient changes the update.
    slope = jax.grad(length)(jnp.asarray([1e-3, 1.0, 1e3, 1e6]))
    np.testing.assert_allclose(slope * jnp.asarray([1e-3, 1.0, 1e3, 1e6]), 0, atol=1e-10)


def test_in_float32():
    expected = jax.grad(score, argnums=(0, 1))(GRAMS[0], WEIGHTS[0])
    half = GRAMS[0].astype(jnp.float32), WEIGHTS[0].astype(jnp.float32)
    found = jax.grad(score, argnums=(0, 1))(*half)
    for one, two in zip(found, expected, strict=True):
        assert one.dtype == jnp.float32
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-4)


def test_absent_and_silent_players_have_no_slope():
    gram = GRAMS[0].at[1].set(jnp.nan).at[:, 1].set(jnp.nan)
    active = jnp.asarray([True, False, True, True])
    weights = WEIGHTS[0].at[2].set(0.0)

    def first(gram, weights):
        return bargain.nash(gram, weights, active=active).coefficients[0]

    by_gram, by_weights = jax.grad(first, argnums=(0, 1))(gram, weights)
    assert jnp.isfinite(by_gram).all()
    assert jnp.isfinite(by_weights).all()
    assert not by_gram[1].any()
    assert not by_gram[:, 1].any()
    assert by_gram[0, 0] != 0
    assert by_weights[1] == 0


def test_a_player_without_a_gradient_leaves_the_others_their_slopes():
    gram = jnp.zeros((PLAYERS + 1, PLAYERS + 1)).at[:PLAYERS, :PLAYERS].set(GRAMS[0])
    found = jax.grad(lambda gram: bargain.nash(gram).coefficients[:PLAYERS].sum())(gram)
    alone = jax.grad(lambda gram: bargain.nash(gram).coefficients.sum())(GRAMS[0])
    np.testing.assert_allclose(found[:PLAYERS, :PLAYERS], alone, rtol=1e-10)
    assert jnp.isfinite(found).all()


def test_where_nothing_is_agreed_nothing_changes():
    stationary = jnp.asarray([[1.0, -1.0, 0.2], [-1.0, 1.0, -0.2], [0.2, -0.2, 1.0]])
    found = jax.grad(lambda gram: bargain.nash(gram).coefficients.sum())(stationary)
    np.testing.assert_array_equal(found, 0)


@pytest.mark.parametrize(
    "length", ["mean", "min-norm", *(pytest.param(name, marks=slow) for name in FIXED_LENGTHS)]
)
def test_rescaled_updates_have_derivatives_too(length):
    def scaled(gram):
        game = bargain.GradientGame((gram + gram.mT) / 2)
        return bargain.rescale(bargain.solve(game).coefficients, game, length)

    check_grads(jax.jit(scaled), (GRAMS[0],), 1, rtol=1e-5, atol=1e-6)


def test_games_with_a_disagreement_point_say_that_they_have_none():
    def gain(gram, point):
        return bargain.nash(gram, disagreement=point).utilities.sum()

    point = jnp.full(PLAYERS, -0.1)
    assert jnp.isfinite(gain(GRAMS[0], point))  # solved all right
    for function in (gain, jax.jit(gain)):
        with pytest.raises(NotImplementedError, match="without a disagreement point"):
            jax.grad(function)(GRAMS[0], point)


@pytest.mark.parametrize("solution", [bargain.KalaiSmorodinsky(), bargain.Egalitarian()], ids=str)
def test_max_min_solutions_say_that_they_have_none(solution):
    def smallest(gram):
        return bargain.solve(bargain.GradientGame(gram), solution).utilities.min()

    assert jnp.isfinite(smallest(GRAMS[0]))
    with pytest.raises(NotImplementedError, match=f"found {type(solution).__name__}, which has no"):
        jax.grad(smallest)(GRAMS[0])
