"""Where a method is not defined: what comes back is documented, and never a silent NaN."""

import numpy as np
import pytest
from hypothesis import given, settings

from bargain import baselines
from tests import strategies
from tests.baselines.methods import WEIGHTINGS, apart, cosine_gram, drawn, norm

every_weighting = pytest.mark.parametrize("name", WEIGHTINGS)
OPPOSITE = np.array([[4.0, -2.0], [-2.0, 1.0]])  # g and -g/2


@every_weighting
def test_any_matrix_gives_finite_numbers(name):
    cases = strategies.zero_gradient_cases(
        strategies.badly_scaled_cases(strategies.plain_cases(most=10), decades=30)
    )

    @settings(max_examples=40)
    @given(cases)
    def holds(case):
        assert np.isfinite(WEIGHTINGS[name](case.gram)).all()

    holds()


@every_weighting
@pytest.mark.parametrize("players", [1, 2, 5])
def test_nobody_has_a_gradient(name, players):
    found = WEIGHTINGS[name](np.zeros((players, players)))
    assert np.isfinite(found).all()


@pytest.mark.parametrize("name", ["mgda", "mgda normalised", "upgrad", "dualproj", "config"])
def test_opposite_gradients_give_no_update(name):
    found = WEIGHTINGS[name](OPPOSITE)
    # Lengths are known to the root of the precision of their squares, and MGDA stops near there.
    assert norm(found, OPPOSITE) < 1e-5


def test_what_comes_back_at_a_stationary_point():
    for gram in (OPPOSITE, cosine_gram([0, 120, 240], [1, 2, 3])):
        np.testing.assert_array_equal(baselines.fairgrad(gram), np.zeros(len(gram)))
    np.testing.assert_array_equal(baselines.config(OPPOSITE), np.zeros(2))
    # Equal projections of three in the plane do not exist; the least squares are all zero.
    even = cosine_gram([0, 120, 240], [1, 1, 1])
    np.testing.assert_allclose(baselines.config(even), 0, atol=1e-12)
    np.testing.assert_array_equal(baselines.imtl_g(even), np.zeros(3))
    weights = baselines.mgda(OPPOSITE)
    np.testing.assert_allclose(weights, [1 / 3, 2 / 3], rtol=1e-5)


def test_cagrad_goes_on_where_the_mean_does():
    # One coordinate, gradients 2 and -1: the ball around 1/2 reaches down to 3/10.
    np.testing.assert_allclose(baselines.cagrad(OPPOSITE, distance=0.4), [0.5, 0.7])
    # Without a mean there is no ball.
    even = cosine_gram([0, 120, 240], [1, 1, 1])
    assert norm(baselines.cagrad(even), even) < 1e-7
    # Two opposite ones and one beside: whatever is done for him, the least gain is zero.
    np.testing.assert_array_equal(baselines.cagrad(cosine_gram([0, 180, 90], [1, 1, 1])), 0)


def test_imtl_g_whose_coefficients_cancel():
    """C^-1 1 = (1, 1, -1) up to a factor, and lengths such that the coefficients sum to zero."""
    unit = np.array([1.0, 1.0, -1.0])
    cosines = np.array([[1.0, 0.0, 0.7], [0.0, 1.0, 0.7], [0.7, 0.7, 1.0]])
    wished = np.linalg.solve(cosines, np.ones(3))
    assert (np.sign(wished) == unit).all()
    lengths = np.array([1.0, 1.0, -wished[2] / (wished[0] + wished[1])])
    gram = cosines * lengths[:, None] * lengths
    np.testing.assert_array_equal(baselines.imtl_g(gram), np.zeros(3))
    # A hair beside it the coefficients are as large as you like, and sum to one.
    lengths[2] *= 1 + 1e-6
    found = baselines.imtl_g(cosines * lengths[:, None] * lengths)
    assert np.abs(found).max() > 1e4
    assert found.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "name", ["pcgrad", "gradvac", "imtl_g", "config", "upgrad", "dualproj", "fairgrad", "cagrad"]
)
def test_a_player_without_a_gradient_changes_no_direction(name):
    gram = drawn(12, 4, 5)
    more = np.zeros((5, 5))
    others = [0, 1, 3, 4]
    more[np.ix_(others, others)] = gram
    if name == "cagrad":
        pytest.skip("the mean and the least gain count him: see the next test")
    found, expected = WEIGHTINGS[name](more)[others], WEIGHTINGS[name](gram)
    found, expected = found / norm(found, gram), expected / norm(expected, gram)
    assert apart(found, expected, gram) < 1e-9


def test_a_player_without_a_gradient_stops_mgda_and_stays_out_of_unit_gradients():
    gram = np.diag([4.0, 0.0, 1.0])
    np.testing.assert_allclose(baselines.mgda(gram), [0.0, 1.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(baselines.mgda(gram, normalised=True), [0.25, 0.0, 0.5])
    nobody = np.diag([4.0, 0.0, 0.0])
    np.testing.assert_allclose(baselines.mgda(nobody), [0.0, 0.5, 0.5], atol=1e-12)
    # CAGrad's least gain is his, zero whatever the update.
    found = baselines.cagrad(gram)
    assert np.isfinite(found).all()
    assert norm(found - 1 / 3, gram) <= 0.4 * norm(np.full(3, 1 / 3), gram) * (1 + 1e-9)


@pytest.mark.parametrize(
    "name", ["mgda", "config", "aligned_mtl", "upgrad", "dualproj", "fairgrad", "cagrad", "imtl_g"]
)
def test_twins_share(name):
    """Players one and two have the same gradient: a singular matrix, and the same coefficients."""
    gram = drawn(13, 3, 6)[np.ix_([0, 1, 1, 2], [0, 1, 1, 2])]
    found = WEIGHTINGS[name](gram)
    assert np.isfinite(found).all()
    assert found[1] == pytest.approx(found[2], rel=1e-5)


def test_single_precision():
    gram = drawn(14, 5, 8)
    for name, weighting in WEIGHTINGS.items():
        found = weighting(gram.astype(np.float32))
        assert found.dtype == np.float32, name
        assert apart(found.astype(float), weighting(gram), gram) < 2e-3, name


def dependent(kind, seed):
    """Gradients of which one is a combination of the others."""
    gradients = np.random.default_rng(seed).normal(size=(4, 500)).astype(np.float32)
    if kind == "sum":
        gradients[3] = gradients[0] + gradients[1]
    else:
        gradients -= gradients.mean(axis=0)
    return gradients


@every_weighting
@pytest.mark.parametrize("kind", ["sum", "stationary"])
def test_a_matrix_computed_in_single_precision(name, kind):
    """Rounding makes it indefinite; the update is what the same gradients give in double."""
    precision = float(np.finfo(np.float32).eps)
    indefinite = 0
    for seed in range(8):
        gradients = dependent(kind, seed)
        gram = (gradients @ gradients.T).astype(np.float64)
        gram = (gram + gram.T) / 2
        indefinite += np.linalg.eigvalsh(gram)[0] < -1e-6
        found = WEIGHTINGS[name](gram, precision=precision) @ gradients
        assert np.isfinite(found).all()
        exact = gradients.astype(np.float64) @ gradients.T.astype(np.float64)
        expected = WEIGHTINGS[name](exact, precision=precision) @ gradients
        size = max(np.linalg.norm(expected), 0.1)  # of gradients of length about twenty
        assert np.linalg.norm(found - expected) < 2e-3 * size
    assert indefinite > 0


@pytest.mark.parametrize("name", ["imtl_g", "config", "aligned_mtl"])
def test_an_eigenvalue_below_the_precision_is_rounding(name):
    beside = 0.5 - 3e-5
    twins = np.array([[1.0, 1.0, 0.5], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]])
    nearly = np.array([[1.0, 1.0 - 1e-8, 0.5], [1.0 - 1e-8, 1.0, beside], [0.5, beside, 1.0]])
    expected = WEIGHTINGS[name](twins)
    np.testing.assert_allclose(WEIGHTINGS[name](nearly, precision=1.2e-7), expected, rtol=1e-4)
    assert np.abs(WEIGHTINGS[name](nearly) - expected).max() > 0.1


def test_gradients_without_one_in_single_precision_keep_their_zeros():
    gram = np.zeros((4, 4))
    gradients = dependent("sum", 0)[[0, 1, 3]]
    gram[np.ix_([0, 1, 3], [0, 1, 3])] = gradients @ gradients.T
    batch = np.stack([gram, np.eye(4), -np.eye(4)])
    for name, weighting in WEIGHTINGS.items():
        found = weighting(batch, precision=1.2e-7)
        assert np.isfinite(found[:2]).all(), name
        assert np.isnan(found[2]).all(), name


@pytest.mark.parametrize("alpha", [1e-3, 0.05, 100.0, 1e4])
def test_extreme_orders_of_fairgrad_give_finite_numbers(alpha):
    for gram in (drawn(15, 6, 7, spread=4.0), np.diag([1e30, 1e-30]), OPPOSITE):
        found = baselines.fairgrad(gram, alpha=alpha)
        assert np.isfinite(found).all()
        assert found.min() >= 0
