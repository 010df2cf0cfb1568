"""Bad numbers: an error for one concrete game, a status elsewhere, and no harm to neighbours."""

import numpy as np
import pytest

import bargain
from bargain import GradientGame, Status

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402

jax.config.update("jax_enable_x64", True)

RNG = np.random.default_rng(0)
GRADIENTS = RNG.normal(size=(5, 3, 8))
GOOD = jnp.asarray(GRADIENTS @ GRADIENTS.mT)
BAD = {
    "nan": GOOD[0].at[0, 1].set(jnp.nan),
    "infinite": GOOD[0].at[1, 1].set(jnp.inf),
    "asymmetric": GOOD[0].at[0, 1].add(5.0),
    "indefinite": jnp.asarray([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]]),
}
every_fault = pytest.mark.parametrize("fault", BAD)


@every_fault
def test_one_concrete_game_raises(fault):
    with pytest.raises(ValueError, match="gram: expected"):
        bargain.nash(BAD[fault])


def test_other_faults_of_one_concrete_game():
    with pytest.raises(ValueError, match="at least one above zero"):
        bargain.nash(GOOD[0], jnp.zeros(3))
    with pytest.raises(ValueError, match="at least zero"):
        bargain.nash(GOOD[0], jnp.asarray([1.0, -1.0, 1.0]))
    with pytest.raises(ValueError, match="radius: expected a positive"):
        bargain.nash(GOOD[0], radius=-1.0)
    with pytest.raises(ValueError, match=r"start: expected shape \(3,\)"):
        bargain.nash(GOOD[0], start=jnp.ones(2))
    with pytest.raises(ValueError, match=r"expected shape \(3,\)"):
        bargain.nash(GOOD[0], jnp.ones(4))
    with pytest.raises(TypeError, match="floating-point"):
        bargain.nash(jnp.eye(3, dtype=jnp.int32))
    with pytest.raises(TypeError, match=r"expected an array of jax\.numpy"):
        bargain.nash(GOOD[0], np.ones(3))


@every_fault
def test_traced_games_get_a_status(fault):
    outcome = jax.jit(bargain.nash)(BAD[fault])
    assert int(outcome.status) == Status.NONFINITE
    assert jnp.isnan(outcome.coefficients).all()


@every_fault
@pytest.mark.parametrize("way", [jax.vmap(bargain.nash), bargain.nash], ids=["vmap", "batch"])
def test_neighbours_are_left_alone(fault, way):
    mixed, good = jax.jit(way)(GOOD.at[2].set(BAD[fault])), jax.jit(way)(GOOD)
    np.testing.assert_array_equal(mixed.status, [0, 0, int(Status.NONFINITE), 0, 0])
    others = np.asarray([0, 1, 3, 4])
    for found, expected in zip(jax.tree.leaves(mixed), jax.tree.leaves(good), strict=True):
        np.testing.assert_array_equal(found[others], expected[others])


@every_fault
def test_neighbours_keep_their_derivatives(fault):
    slopes = jax.jit(jax.vmap(jax.grad(lambda gram: bargain.nash(gram).coefficients.sum())))
    mixed, good = slopes(GOOD.at[2].set(BAD[fault])), slopes(GOOD)
    others = np.asarray([0, 1, 3, 4])
    np.testing.assert_array_equal(mixed[others], good[others])
    assert jnp.isfinite(good).all()


def test_a_game_is_a_pytree():
    games = GradientGame(GOOD, jnp.ones((5, 3)), radius=jnp.ones(5))
    outcome = jax.vmap(bargain.solve)(games)
    np.testing.assert_allclose(outcome.shares, 1 / 3, rtol=1e-10)
