"""Each answer satisfies what defines it, checked with other means than those that found it."""

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.optimize import nnls

from bargain import baselines
from tests import strategies
from tests.baselines.methods import REAL, apart, drawn, norm, real

MATRICES = {
    **{name: real(name, 3) for name in REAL if name != "mt50_bc"},
    "mt50_bc": real("mt50_bc", 1),
    "drawn": np.stack([drawn(seed, 7, spread=2.0) for seed in range(5)]),
    "conflict": np.stack([drawn(seed, 7, 8) for seed in range(5)]),
}
every_training = pytest.mark.parametrize("grams", MATRICES.values(), ids=MATRICES)


def factor_of(gram):
    """Unit gradients as columns, and the lengths divided out."""
    lengths = np.sqrt(np.diagonal(gram))
    values, vectors = np.linalg.eigh(gram / lengths[:, None] / lengths)
    return np.sqrt(np.maximum(values, 0))[:, None] * vectors.T, lengths


@every_training
def test_mgda_nobody_gains_less_than_the_squared_length(grams):
    for gram in grams:
        found = baselines.mgda(gram)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1)
        assert (gram @ found).min() >= norm(found, gram) ** 2 - 1e-13 * np.diagonal(gram).max()


@every_training
def test_normalised_mgda_nobody_gains_less_in_units(grams):
    for gram in grams:
        found = baselines.mgda(gram, normalised=True)
        lengths = np.sqrt(np.diagonal(gram))
        assert found @ lengths == pytest.approx(1)
        assert (gram @ found / lengths).min() >= norm(found, gram) ** 2 - 1e-12


def assert_cagrad(gram, distance):
    """No update so near to the mean does more for whoever gains least: the dual says how much."""
    found = baselines.cagrad(gram, distance=distance)
    moved = found - 1 / len(gram)
    assert moved.min() >= -1e-12
    radius = distance * np.sqrt(gram.mean())
    assert norm(moved, gram) == pytest.approx(radius, rel=1e-9)
    weights = moved / moved.sum()
    bound = weights @ gram.mean(axis=1) + radius * norm(weights, gram)
    assert bound - (gram @ found).min() <= 1e-12 * np.abs(gram).max()


@every_training
def test_cagrad_by_duality(grams):
    for gram in grams:
        for distance in (0.2, 0.8, 1.5):
            assert_cagrad(gram, distance)


@pytest.mark.parametrize("distance", [0.4, 1.0, 1.5, 100.0])
def test_cagrad_by_duality_where_the_norm_bends(distance):
    """At random some updates are nearly zero, where plain Newton steps go round in circles."""
    rng = np.random.default_rng(0)
    for case in range(300):
        players = rng.integers(2, 7)
        gradients = rng.normal(size=(players, rng.integers(players, players + 3)))
        if case % 3 == 0:
            gradients *= 10 ** rng.uniform(-2, 2, size=(players, 1))
        assert_cagrad(gradients @ gradients.T, distance)


@every_training
def test_upgrad_and_dualproj_by_nnls(grams):
    for gram in grams:
        factor, lengths = factor_of(gram)
        players = len(gram)

        def projected(wish, factor=factor, lengths=lengths):
            scaled = lengths * wish
            top = np.abs(scaled).max()
            added, _ = nnls(factor, -factor @ (scaled / top))
            return (scaled / top + added) * top / lengths

        expected = sum(projected(row) for row in np.eye(players)) / players
        assert apart(baselines.upgrad(gram), expected, gram) < 1e-10
        expected = projected(np.full(players, 1 / players))
        assert apart(baselines.dualproj(gram), expected, gram) < 1e-10


@every_training
@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 30.0])
def test_fairgrad_solves_its_equation(grams, alpha):
    for gram in grams:
        found = baselines.fairgrad(gram, alpha=alpha)
        assert found.min() > 0
        rounding = (np.abs(gram) @ found * found ** (1 / alpha)).max()
        residual = np.abs(gram @ found * found ** (1 / alpha) - 1).max()
        assert residual <= 1e-10 + 1e-14 * rounding


@every_training
def test_imtl_g_and_config_have_equal_projections(grams):
    for gram in grams:
        lengths = np.sqrt(np.diagonal(gram))
        for found in (baselines.imtl_g(gram), baselines.config(gram)):
            projections = gram @ found / lengths
            np.testing.assert_allclose(projections, projections.mean(), rtol=1e-6)
        assert baselines.imtl_g(gram).sum() == pytest.approx(1)
        # ConFIG's length is the sum of the projections on its own direction.
        found = baselines.config(gram)
        length = norm(found, gram)
        assert (gram @ found / length).sum() == pytest.approx(length, rel=1e-6)
        weights = np.linspace(1, 3, len(gram))
        projections = gram @ baselines.config(gram, weights) / lengths / weights
        np.testing.assert_allclose(projections, projections.mean(), rtol=1e-6)


@every_training
def test_aligned_mtl_is_a_sum_of_orthogonal_vectors_of_equal_length(grams):
    for gram in grams:
        players = len(gram)
        rows = np.stack(
            [
                players * baselines.aligned_mtl(gram, row) - 1e-3 * players * tiny
                for row, tiny in (
                    (np.eye(players)[i] + 1e-3, baselines.aligned_mtl(gram)) for i in range(players)
                )
            ]
        )
        aligned = rows @ gram @ rows.T
        smallest = np.linalg.eigvalsh(gram)[0]
        np.testing.assert_allclose(aligned / smallest, np.eye(players), atol=1e-6)


@settings(max_examples=40)
@given(strategies.badly_scaled_cases(strategies.plain_cases(most=12), decades=6))
def test_upgrad_on_any_matrix(case):
    gram = case.gram
    found = baselines.upgrad(gram)
    factor, lengths = factor_of(gram)
    assert found.min() >= 0
    # Nobody is harmed, but for rounding in the longest gradient that takes part.
    noise = 1e-7 * np.abs(found * lengths).max()
    assert (factor.T @ (factor @ (found * lengths))).min() >= -noise


@settings(max_examples=40)
@given(strategies.badly_scaled_cases(strategies.plain_cases(most=12), decades=3))
def test_cagrad_on_any_matrix(case):
    gram = case.gram
    found = baselines.cagrad(gram, distance=0.5)
    assert np.isfinite(found).all()
    if not found.any():
        assert case.margin < 1e-5 or np.isnan(case.margin)
        return
    radius = 0.5 * np.sqrt(max(gram.mean(), 0))
    assert norm(found - 1 / len(gram), gram) <= radius * (1 + 1e-6) + 1e-7 * case.lengths.max()
