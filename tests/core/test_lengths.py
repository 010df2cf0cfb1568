"""Every named length is what plain NumPy says it is, and the direction never changes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import nnls

import bargain
from bargain import rescale
from tests import strategies
from tests.libraries import as_numpy, game_of

LENGTHS = ["natural", "radius", "unit", "mean", "sum", "min-norm"]
AGREED = strategies.weighted_cases(
    strategies.plain_cases(["full_rank", "rank_deficient", "duplicated"], most=12), decades=3
)
SCALED = strategies.badly_scaled_cases(AGREED, decades=6)
FACTOR = np.array([[1.0, 0.2, 0.0], [0.3, 2.0, -0.5], [-0.2, 0.5, 1.5]])
GRAM = FACTOR @ FACTOR.T
WEIGHTS = np.array([1.0, 2.0, 5.0])


def norm(coefficients, gram):
    return math.sqrt(max(coefficients @ gram @ coefficients, 0.0))


def shortest(gram):
    """The norm of the shortest convex combination, by NNLS on the gradients themselves."""
    largest = np.sqrt(np.diagonal(gram)).max()
    values, vectors = np.linalg.eigh(gram / largest**2)
    factor = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    stacked = np.concatenate([factor, np.ones((1, len(gram)))])
    target = np.zeros(len(stacked))
    target[-1] = 1.0
    solution, _ = nnls(stacked, target)
    return float(np.linalg.norm(factor @ solution) / solution.sum()) * largest


def expected_length(name, gram, weights, radius):
    return {
        "natural": lambda: math.sqrt(weights.sum()),
        "radius": lambda: radius,
        "unit": lambda: 1.0,
        "mean": lambda: norm(np.full(len(gram), 1 / len(gram)), gram),
        "sum": lambda: norm(np.ones(len(gram)), gram),
        "min-norm": lambda: shortest(gram),
    }[name]()


@pytest.mark.parametrize("name", LENGTHS)
def test_each_length_is_what_it_says(xp, name):
    game = xp.game(GRAM, WEIGHTS, radius=3.0)
    outcome = bargain.solve(game)
    longer = as_numpy(rescale(outcome.coefficients, game, name))
    expected = expected_length(name, GRAM, WEIGHTS, 3.0)
    assert norm(longer, GRAM) == pytest.approx(expected, rel=1e-8)
    ratios = longer / as_numpy(outcome.coefficients)
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-12)
    assert ratios[0] > 0


@pytest.mark.parametrize("name", LENGTHS)
def test_each_length_on_any_agreement(name):
    @settings(max_examples=25)
    @given(SCALED)
    def holds(case):
        game = game_of(case)
        outcome = bargain.solve(game)
        longer = rescale(outcome.coefficients, game, name)
        lengths = case.lengths
        expected = expected_length(name, case.gram, case.weights, 1.0)
        # The conic NNLS keeps half of the digits of the largest gradient.
        noise = 1e-7 * lengths.max() if name == "min-norm" else 0.0
        assert abs(norm(longer, case.gram) - expected) <= 1e-6 * expected + noise

    holds()


def test_natural_coefficients_are_natural_already():
    outcome = bargain.nash(GRAM, WEIGHTS)
    game = bargain.GradientGame(GRAM, WEIGHTS)
    np.testing.assert_allclose(
        rescale(outcome.coefficients, game), outcome.coefficients, rtol=1e-12
    )


@given(strategies.plain_cases(["full_rank", "nearly_opposite_pair"], most=12))
def test_the_min_norm_point_satisfies_its_optimality_condition(case):
    from bargain.backend import backend_for
    from bargain.canonical import canonicalise
    from bargain.min_norm import min_norm

    canonical, frame = canonicalise(game_of(case), precision=float(np.finfo(float).eps))
    beta, length = min_norm(canonical, frame, backend_for(case.gram))
    assert (beta >= 0).all()
    assert beta.sum() == pytest.approx(1, rel=1e-12)
    assert np.all(case.gram @ beta >= length**2 * (1 - 1e-6) - 1e-12)


@pytest.mark.parametrize("norms", [[1.0, 1e-12, 1e12], [1e-120] * 3, [1e120, 1e-120, 1.0]])
@pytest.mark.parametrize("name", LENGTHS)
def test_lengths_of_very_different_gradients(name, norms):
    """Orthogonal gradients, for which everything has a closed form."""
    norms = np.array(norms)
    game = bargain.GradientGame(np.diag(norms**2), WEIGHTS)
    longer = rescale(bargain.solve(game).coefficients, game, name)
    assert np.isfinite(longer).all()
    smallest = norms.min()
    expected = {
        "natural": math.sqrt(8),
        "radius": 1.0,
        "unit": 1.0,
        "mean": norms.max() * math.sqrt(np.sum((norms / norms.max()) ** 2)) / 3,
        "sum": norms.max() * math.sqrt(np.sum((norms / norms.max()) ** 2)),
        "min-norm": smallest / math.sqrt(np.sum((smallest / norms) ** 2)),
    }[name]
    found = math.sqrt(np.sum((longer / expected * norms) ** 2))
    assert found == pytest.approx(1.0, rel=1e-8)


def test_the_mean_is_over_those_inside():
    gram = np.zeros((4, 4))
    gram[:3, :3] = GRAM
    game = bargain.GradientGame(gram, np.array([1.0, 0.0, 2.0, 1.0]))
    longer = rescale(bargain.solve(game).coefficients, game, "mean")
    pair = GRAM[np.ix_([0, 2], [0, 2])]
    assert norm(longer, gram) == pytest.approx(norm(np.full(2, 0.5), pair))


def test_a_disagreement_has_no_length(eager):
    gram = np.array([[1.0, -2.0], [-2.0, 4.0]])
    for name in LENGTHS:
        game = eager.game(gram)
        longer = as_numpy(rescale(bargain.solve(game).coefficients, game, name))
        np.testing.assert_array_equal(longer, 0)


def test_the_min_norm_vanishes_where_gradients_cancel():
    near = strategies.strongly_conflicting(5, 1, 1e-3)
    game = game_of(near)
    longer = rescale(bargain.solve(game).coefficients, game, "min-norm")
    assert norm(longer, near.gram) == pytest.approx(1e-3, rel=1e-4)


@pytest.mark.parametrize("maximum", [1e-3, 1.0, 1e3])
def test_a_maximum_shortens_and_never_lengthens(eager, maximum):
    game = eager.game(GRAM, WEIGHTS)
    coefficients = bargain.solve(game).coefficients
    longer = as_numpy(rescale(coefficients, game, "natural", maximum=maximum))
    assert norm(longer, GRAM) == pytest.approx(min(math.sqrt(8), maximum))


def test_batches_are_rescaled_game_by_game(eager):
    grams, radii = np.stack([GRAM, 4 * GRAM]), np.array([1.0, 5.0])
    game = eager.game(grams, radius=radii)
    coefficients = bargain.solve(game).coefficients
    for name in LENGTHS:
        longer = as_numpy(rescale(coefficients, game, name))
        for k in range(2):
            expected = expected_length(name, grams[k], np.ones(3), radii[k])
            assert norm(longer[k], grams[k]) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("name", ["long", "", None, "Natural"])
def test_a_length_has_a_name(name):
    with pytest.raises(ValueError, match="length: expected one of natural, radius, unit"):
        rescale(np.ones(3), bargain.GradientGame(GRAM), name)


@pytest.mark.parametrize("maximum", [0.0, -1.0, math.nan])
def test_a_maximum_is_positive(maximum):
    with pytest.raises(ValueError, match="maximum: expected a positive number, found"):
        rescale(np.ones(3), bargain.GradientGame(GRAM), maximum=maximum)


@pytest.mark.parametrize("shape", [(2,), (1, 3), ()])
def test_coefficients_fit_the_game(shape):
    with pytest.raises(ValueError, match=r"coefficients: expected shape \(3,\), .*found"):
        rescale(np.ones(shape), bargain.GradientGame(GRAM))


def test_a_game_holds_arrays():
    with pytest.raises(TypeError, match="gram: expected an array"):
        rescale(np.ones(1), bargain.GradientGame([[1.0]]))


def test_a_matrix_of_coarse_numbers_keeps_its_cosines():
    """Rounded to float32, cosines of parallel gradients may exceed one."""
    gradients = np.outer([1.0, 3.3, 0.7], np.linspace(0.1, 1.7, 37)).astype(np.float32)
    gram = (gradients @ gradients.T).astype(np.float64)
    gram[0, 1] *= 1 + 1e-7
    coefficients = np.asarray([1.0, 2.0, 3.0])
    found = rescale(coefficients, bargain.GradientGame(gram), "mean", precision=1.2e-7)
    assert norm(found, gram) == pytest.approx(norm(np.full(3, 1 / 3), gram), rel=1e-6)


def test_what_is_no_game_has_no_length():
    gram = np.stack([GRAM, np.full((3, 3), np.nan)])
    found = rescale(np.ones((2, 3)), bargain.GradientGame(gram), "unit")
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("coefficients", [[0.5, 0.5, 0.5], (1.0, 1.0, 1.0), 1.0, None])
def test_coefficients_are_an_array(xp, coefficients):
    with pytest.raises(TypeError, match="coefficients: expected an array like gram, found"):
        bargain.rescale(coefficients, xp.game(np.eye(3)))
