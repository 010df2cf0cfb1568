"""The implicit derivative against finite differences of the solver."""

import numpy as np
import pytest

import bargain
from bargain.canonical import canonicalise
from bargain.derivative import pull_back, push_forward

PLAYERS = 4


def solved(cosines, weights):
    """Solve a game of unit gradients whose weights are canonical (of mean one) already."""
    return bargain.nash(cosines, weights).coefficients


@pytest.fixture
def game():
    rng = np.random.default_rng(5)
    gradients = rng.normal(size=(PLAYERS, 9))
    gradients /= np.linalg.norm(gradients, axis=1, keepdims=True)
    weights = rng.uniform(0.5, 2.0, size=PLAYERS)
    weights /= weights.mean()
    return bargain.GradientGame(gradients @ gradients.T, weights)


@pytest.fixture
def tangents():
    rng = np.random.default_rng(6)
    cosines = rng.normal(size=(PLAYERS, PLAYERS))
    cosines = cosines + cosines.T
    np.fill_diagonal(cosines, 0.0)  # unit gradients stay unit gradients
    weights = rng.normal(size=PLAYERS)
    return cosines, weights - weights.mean()


def test_push_forward_is_the_finite_difference(game, tangents):
    canonical, _ = canonicalise(game, precision=2.3e-16)
    point = solved(canonical.cosines, canonical.weights)
    step = 1e-5
    ends = [
        solved(
            canonical.cosines + sign * step * tangents[0],
            canonical.weights + sign * step * tangents[1],
        )
        for sign in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(push_forward(canonical, point, *tangents), slope, rtol=1e-7)


def test_pull_back_is_the_adjoint_of_push_forward(game, tangents):
    canonical, _ = canonicalise(game, precision=2.3e-16)
    point = solved(canonical.cosines, canonical.weights)
    cotangent = np.random.default_rng(7).normal(size=PLAYERS)
    cosines_bar, weights_bar = pull_back(canonical, point, cotangent)
    there = cotangent @ push_forward(canonical, point, *tangents)
    back = np.sum(cosines_bar * tangents[0]) + weights_bar @ tangents[1]
    assert there == pytest.approx(back, rel=1e-12)


def test_batches_are_stacks_of_games(game, tangents):
    canonical, _ = canonicalise(game, precision=2.3e-16)
    point = solved(canonical.cosines, canonical.weights)
    single = pull_back(canonical, point, tangents[1])
    pair = bargain.GradientGame(np.stack([game.gram] * 2), np.stack([game.weights] * 2))
    stacked, _ = canonicalise(pair, precision=2.3e-16)
    batched = pull_back(stacked, np.stack([point] * 2), np.stack([tangents[1]] * 2))
    for one, two in zip(single, batched, strict=True):
        np.testing.assert_allclose(two, np.stack([one] * 2), rtol=1e-12)


def test_a_player_of_tiny_weight_keeps_a_finite_derivative():
    game = bargain.GradientGame(np.asarray([[1.0, 0.3], [0.3, 1.0]]), [1.0, 1e-12])
    canonical, _ = canonicalise(game, precision=2.3e-16)
    point = solved(canonical.cosines, canonical.weights)
    cosines_bar, weights_bar = pull_back(canonical, point, np.asarray([0.0, 1.0]))
    assert np.isfinite(cosines_bar).all()
    # His coefficient is about his weight over his cosine with the other, so the slope is finite.
    step = 1e-3 * canonical.weights[1] * np.asarray([0.0, 1.0])
    ahead, behind = (solved(canonical.cosines, canonical.weights + s * step) for s in (1, -1))
    slope = (ahead - behind)[1] / (2 * step[1])
    assert weights_bar[1] == pytest.approx(slope, rel=1e-6)
