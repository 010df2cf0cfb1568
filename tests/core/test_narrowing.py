"""Numbers that the Gram matrix's type cannot hold: kept where a ratio will do, else named."""

import numpy as np
import pytest

import bargain
from bargain import FixedPoint, Nash, Newton, certify
from tests.libraries import as_numpy, open_library, status_of

SINGLE = np.eye(2, dtype=np.float32)
TINY = {"float32": 1e-30, "float64": 1e-200}


@pytest.fixture(params=["numpy", "array_api_strict"])
def eager(request):
    return open_library(request.param)


@pytest.mark.parametrize("kind", TINY)
@pytest.mark.parametrize("product", [0.0, 0.5])
@pytest.mark.parametrize("solver", [None, Newton(), FixedPoint()])
def test_weights_may_be_any_number_of_decades_apart(xp, kind, product, solver):
    """The smallest is nothing beside the largest, but its player keeps a say."""
    least = TINY[kind]
    gram = np.array([[1.0, product], [product, 1.0]], dtype=kind)
    game = xp.game(gram, np.array([least, 1 / least], dtype=kind))
    outcome = bargain.solve(game, solver=solver)
    assert status_of(outcome) == "AGREEMENT"
    coefficients, shares = as_numpy(outcome.coefficients), as_numpy(outcome.shares)
    assert coefficients[0] > 0
    assert coefficients[1] == pytest.approx(least**-0.5, rel=1e-6)
    assert 0 <= shares[0] < 1e-30
    assert bool(certify(game, Nash(), outcome).accepted)


def test_weights_may_be_so_in_a_batch(eager):
    weights = np.array([[1e-200, 1e200], [1.0, 1.0], [1e200, 1e-200]])
    outcome = bargain.solve(eager.game(np.stack([np.eye(2)] * 3), weights))
    assert as_numpy(outcome.status).tolist() == [bargain.Status.AGREEMENT] * 3
    assert (as_numpy(outcome.coefficients) > 0).all()


def test_the_weight_of_an_absent_player_drowns_nobody(eager):
    active = np.array([True, True, False])
    game = eager.game(np.eye(3), np.array([1e-200, 3e-200, 1e200]), active=active)
    outcome = bargain.solve(game)
    np.testing.assert_allclose(as_numpy(outcome.shares), [0.25, 0.75, 0], rtol=1e-12)
    np.testing.assert_allclose(as_numpy(outcome.coefficients), [1e-100, 3**0.5 * 1e-100, 0])


def test_ratios_of_weights_survive_a_narrower_type(eager):
    outcome = bargain.solve(eager.game(SINGLE, np.array([1e-60, 1.0])))
    assert status_of(outcome) == "AGREEMENT"
    assert (as_numpy(outcome.coefficients) > 0).all()
    outcome = bargain.solve(eager.game(SINGLE, np.array([1e-41, 3e-41]) * 1e8))
    np.testing.assert_allclose(as_numpy(outcome.shares), [0.25, 0.75], rtol=1e-6)


@pytest.mark.parametrize(
    ("companions", "sentence"),
    [
        ({"weights": np.array([1e60, 1.0])}, r"weights: .* finite in .*float32 .* found 1e\+60"),
        (
            {"weights": np.array([1e-60, 1e-60])},
            "weights: .*above zero in .*float32.*1e-60 at most",
        ),
        ({"disagreement": np.array([0.0, -1e60])}, r"disagreement: .*float32.* found 1e\+60"),
        ({"radius": 1e60}, r"radius: .* positive, finite .* found 1e\+60, in .*float32 inf"),
        ({"radius": np.asarray(1e60)}, r"radius: .* found 1e\+60, in .*float32 inf"),
        ({"radius": 1e-60}, r"radius: .* found 1e-60, in .*float32 0"),
        ({"weights": [1e60, 1.0]}, r"weights: expected numbers between .*, found 1e\+60; scale"),
        ({"weights": [1e-60, 1.0]}, r"weights: expected numbers between .*, found 1e-60; scale"),
        ({"disagreement": [1e60, 1.0]}, r"disagreement: expected numbers between .* found 1e\+60"),
    ],
)
def test_the_right_argument_is_named(eager, companions, sentence):
    with pytest.raises(ValueError, match=sentence):
        bargain.solve(eager.game(SINGLE, **companions))


@pytest.mark.parametrize("ideal", [1e60, np.nan, np.inf, -1.0])
def test_the_ideal_payoff_that_will_not_do_is_shown(eager, ideal):
    game = eager.game(SINGLE, ideal=np.array([ideal, 1.0]))
    shown = "inf" if ideal == 1e60 else f"{ideal:.3g}"
    with pytest.raises(ValueError, match=f"ideal: expected positive, finite .* found {shown};"):
        bargain.solve(game, bargain.KalaiSmorodinsky())


def test_small_wishes_in_a_list_are_no_error():
    game = bargain.GradientGame(SINGLE, disagreement=[1e-60, 0.0])
    assert status_of(bargain.solve(game)) == "AGREEMENT"


@pytest.mark.parametrize("disagreement", [-0.1, 0.1])
@pytest.mark.parametrize("decades", [8, 12, 15, 18])
def test_prices_that_vanish_prove_no_disagreement(eager, disagreement, decades):
    """Everyone gains more than a tenth; with such weights single precision may not prove it."""
    cosines = np.array([[1, 0.3, -0.5], [0.3, 1, -0.7], [-0.5, -0.7, 1]], dtype=np.float32)
    weights = np.array([10.0**-decades, 10.0**decades, 1], dtype=np.float32)
    asked = np.full(3, disagreement, dtype=np.float32)
    # Somewhere on the way, numbers that nobody uses leave the range of the type.
    with np.errstate(all="ignore"):
        outcome = bargain.solve(eager.game(cosines, weights, disagreement=asked))
    assert status_of(outcome) in ("AGREEMENT", "MAX_STEPS")


def test_numbers_are_counted_where_the_library_has_no_long_integers():
    jax = pytest.importorskip("jax")
    with jax.enable_x64(False):
        gram = jax.numpy.asarray([[np.nan, 0.0], [0.0, 1.0]], dtype="float32")
        with pytest.raises(ValueError, match="gram: expected finite numbers, found 1"):
            bargain.nash(gram)
