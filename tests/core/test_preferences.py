"""Learned weights: the gradient that they follow, and the ways in which they follow it."""

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import bargain
from bargain.preferences import (
    ClippedSGD,
    ConjugateGradients,
    MirrorDescent,
    Neumann,
    OneStep,
    audible,
    hypergradient,
    spread,
)
from tests.libraries import as_numpy

PLAYERS, SIZE = 3, 4
WEIGHTS = np.asarray([0.4, 1.7, 0.9])
UPDATES = [MirrorDescent(), MirrorDescent(momentum=0.0, memory=0.9, floor=0.1), ClippedSGD()]


class Inner:
    """Convex losses that are no quadratics, trained to the end."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.maps = rng.normal(size=(PLAYERS + 1, 6, SIZE))
        self.targets = rng.normal(size=(PLAYERS + 1, 6))
        start = rng.normal(size=SIZE)
        self.gram = bargain.gram(np.stack([self.gradient(k, start) for k in range(PLAYERS)]))

    def loss(self, k, point):
        return np.sum(np.sqrt(1 + (self.maps[k] @ point - self.targets[k]) ** 2))

    def gradient(self, k, point):
        error = self.maps[k] @ point - self.targets[k]
        return self.maps[k].T @ (error / np.sqrt(1 + error**2))

    def hessian(self, k, point):
        error = self.maps[k] @ point - self.targets[k]
        return (self.maps[k].T * (1 + error**2) ** -1.5) @ self.maps[k]

    def mixed(self, function, coefficients, point):
        return sum(c * function(k, point) for k, c in enumerate(coefficients))

    def trained(self, coefficients):
        point = np.zeros(SIZE)
        for _ in range(60):
            descent = self.mixed(self.gradient, coefficients, point)
            newton = np.linalg.solve(self.mixed(self.hessian, coefficients, point), descent)
            point = point - newton / max(1.0, np.linalg.norm(newton))
        assert np.linalg.norm(descent) < 1e-12 * sum(coefficients)
        return point

    def stepped(self, coefficients, point, steps, rate):
        """Plain gradient descent, a few steps of it."""
        for _ in range(steps):
            point = point - rate * self.mixed(self.gradient, coefficients, point)
        return point

    def products(self, inverse, coefficients, point):
        """What the hypergradient needs, with the Hessian of the weighted losses."""
        hessian = self.mixed(self.hessian, coefficients, point)
        (wanted,) = inverse.apply(lambda vector: [hessian @ vector[0]], [self.judge(point)])
        return np.stack([self.gradient(k, point) @ wanted for k in range(PLAYERS)])

    def judge(self, point):
        return self.gradient(PLAYERS, point)

    def coefficients(self, weights, length):
        game = bargain.GradientGame(self.gram, weights)
        return bargain.rescale(bargain.solve(game).coefficients, game, length)


def slopes(function, at, step=1e-5):
    """Central differences along each coordinate."""
    ways = step * np.eye(len(at))
    return np.stack([(function(at + way) - function(at - way)) / (2 * step) for way in ways])


# Less than two over the largest curvature, 7, so that the series converges.
RATE = 0.05


@pytest.mark.parametrize("length", ["natural", "mean"])
@pytest.mark.parametrize(
    ("inverse", "factor"),
    [
        # Conjugate gradients are through after as many steps as there are parameters.
        (ConjugateGradients(steps=SIZE, damping=0.0), 1.0),
        (Neumann(terms=4000, step=RATE), RATE),
    ],
)
def test_hypergradient_is_the_slope_after_training_to_the_end(inverse, factor, length):
    inner = Inner()

    def judged(weights):
        return inner.loss(PLAYERS, inner.trained(inner.coefficients(weights, length)))

    coefficients = inner.coefficients(WEIGHTS, length)
    products = inner.products(inverse, coefficients, inner.trained(coefficients))
    found = hypergradient(
        inner.gram, WEIGHTS, coefficients, products, fixed_length=length != "natural"
    )
    expected = slopes(judged, WEIGHTS)
    assert np.abs(expected).max() > 1e-2
    np.testing.assert_allclose(factor * found, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("length", ["natural", "mean"])
@pytest.mark.parametrize(
    ("inverse", "steps"),
    [(OneStep(), 1), (Neumann(terms=0, step=RATE), 1), (Neumann(terms=3, step=RATE), 4)],
)
def test_truncated_inverses_are_the_slope_after_as_many_steps(inverse, steps, length):
    """From where training with the old weights ended, n + 1 steps with others are n terms."""
    inner = Inner()
    coefficients = inner.coefficients(WEIGHTS, length)
    point = inner.trained(coefficients)

    def judged(weights):
        return inner.loss(
            PLAYERS, inner.stepped(inner.coefficients(weights, length), point, steps, RATE)
        )

    found = hypergradient(
        inner.gram,
        WEIGHTS,
        coefficients,
        inner.products(inverse, coefficients, point),
        fixed_length=length != "natural",
    )
    expected = slopes(judged, WEIGHTS)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(RATE * found, expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("length", ["natural", "mean", "unit"])
def test_hypergradient_is_the_slope_of_one_step(length, xp):
    """Here the length counts, unlike at the end of training, which no length can change."""
    inner, products = Inner(), np.asarray([0.3, -1.1, 0.8])
    expected = slopes(lambda weights: -products @ inner.coefficients(weights, length), WEIGHTS)
    found = hypergradient(
        xp.asarray(inner.gram),
        xp.asarray(WEIGHTS),
        xp.asarray(inner.coefficients(WEIGHTS, length)),
        xp.asarray(products),
        fixed_length=length != "natural",
    )
    np.testing.assert_allclose(as_numpy(found), expected, rtol=1e-6, atol=1e-9)


def test_on_the_simplex_both_lengths_point_the_same_way():
    inner, products = Inner(), np.asarray([0.3, -1.1, 0.8])
    fixed, free = (
        hypergradient(
            inner.gram,
            WEIGHTS,
            inner.coefficients(WEIGHTS, length),
            products,
            fixed_length=length == "mean",
        )
        for length in ("mean", "natural")
    )
    stretch = inner.coefficients(WEIGHTS, "mean")[0] / inner.coefficients(WEIGHTS, "natural")[0]
    np.testing.assert_allclose(fixed - fixed.mean(), stretch * (free - free.mean()), rtol=1e-10)
    assert fixed @ WEIGHTS == pytest.approx(0, abs=1e-12)


def test_players_who_are_absent_change_nothing():
    inner, products = Inner(), np.asarray([0.3, -1.1, 0.8])
    active = np.asarray([True, False, True])
    outcome = bargain.nash(inner.gram, WEIGHTS, active=active)
    found = hypergradient(inner.gram, WEIGHTS, outcome.coefficients, products)
    pair = np.ix_(active, active)
    alone = hypergradient(
        inner.gram[pair], WEIGHTS[active], outcome.coefficients[active], products[active]
    )
    np.testing.assert_allclose(found, [alone[0], 0, alone[1]], rtol=1e-12)


def test_batches_are_stacks_and_games_without_agreement_have_no_gradient():
    inner, products = Inner(), np.asarray([0.3, -1.1, 0.8])
    coefficients = inner.coefficients(WEIGHTS, "mean")
    single = hypergradient(inner.gram, WEIGHTS, coefficients, products)
    both = hypergradient(
        np.stack([inner.gram] * 2),
        np.stack([WEIGHTS] * 2),
        np.stack([coefficients, np.zeros(PLAYERS)]),
        np.stack([products] * 2),
    )
    np.testing.assert_allclose(both[0], single, rtol=1e-12)
    assert np.isnan(both[1]).all()


def test_tiny_weights_keep_their_digits():
    inner, products = Inner(), np.asarray([0.3, -1.1, 0.8])
    weights = np.asarray([1.0, 2.0, 1e-6])
    scale = np.asarray([1.0, 1.0, 1e-6])
    expected = slopes(
        lambda way: -products @ inner.coefficients(weights + scale * way, "mean"),
        np.zeros(PLAYERS),
        step=1e-4,
    )
    found = hypergradient(inner.gram, weights, inner.coefficients(weights, "mean"), products)
    np.testing.assert_allclose(found * scale, expected, rtol=1e-4, atol=1e-10)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"weights": np.ones(2)}, "weights: expected shape"),
        ({"coefficients": np.ones((1, 3))}, "coefficients: expected shape"),
        ({"products": np.ones(4)}, "products: expected shape"),
        ({"gram": np.eye(3)[:2]}, "gram of shape"),
    ],
)
def test_shapes_that_do_not_fit(wrong, says):
    # Unwrapped: in the library's words, not in those of the tests' own check of shapes.
    right = {"gram": np.eye(3)} | {
        name: np.ones(3) for name in ("weights", "coefficients", "products")
    }
    with pytest.raises(ValueError, match=says):
        inspect.unwrap(hypergradient)(*(right | wrong).values())


def test_integers_are_no_gram_matrix():
    ones = np.ones(2)
    with pytest.raises(TypeError, match="gram: expected a real floating-point type"):
        inspect.unwrap(hypergradient)(np.eye(2, dtype=int), ones, ones, ones)


gradients = arrays(np.float64, (6, PLAYERS), elements=st.floats(-1e3, 1e3, allow_subnormal=False))


@given(gradients, st.sampled_from([0.0, 1e-6, 0.3]))
def test_mirror_descent_stays_on_the_simplex_and_over_its_floor(rows, floor):
    update = MirrorDescent(floor=floor)
    state = update.init(WEIGHTS)
    for row in rows:
        state = update.update(row, state)
        assert state.weights.sum() == pytest.approx(PLAYERS, rel=1e-12)
        assert (state.weights >= floor).all()


def test_mirror_descent_moves_towards_what_helps():
    update, gradient = MirrorDescent(rate=0.1, momentum=0.0), np.asarray([-1.0, 0.0, 1.0])
    start = update.init(WEIGHTS)
    state = update.update(gradient, start)
    size = np.sqrt(start.weights @ gradient**2 / PLAYERS)
    raised = start.weights * np.exp(-0.1 * gradient / size)
    np.testing.assert_allclose(state.weights, 3 * raised / raised.sum(), rtol=1e-12)
    assert state.weights[0] > start.weights[0]
    assert state.weights[2] < start.weights[2]


def test_the_published_update_is_sgd_with_momentum_and_clips():
    update = ClippedSGD(rate=0.3, momentum=0.9, clip=1.0, floor=0.2)
    state = update.init(np.ones(3))
    weights, velocity = np.ones(3), np.zeros(3)
    for gradient in np.asarray([[3.0, 0.0, 4.0], [0.3, -0.4, 0.1], [0.0, 5.0, 9.0]]):
        velocity = 0.9 * velocity + gradient / max(1.0, np.linalg.norm(gradient))
        weights = np.maximum(weights - 0.3 * velocity, 0.2)
        weights = 3 * weights / weights.sum()
        state = update.update(gradient, state)
        np.testing.assert_allclose(state.weights, weights, rtol=1e-12)


def test_mirror_descent_finds_the_best_weights_of_a_convex_problem():
    """Not only vertices: here the best weights lie inside."""
    best = np.asarray([1.5, 1.2, 0.3])
    update = MirrorDescent()
    state = update.init(np.ones(3))
    for _ in range(600):
        state = update.update(state.weights - best, state)
    np.testing.assert_allclose(state.weights, best, atol=1e-3)


def test_momentum_starts_without_a_bias():
    slow, plain = MirrorDescent(momentum=0.9), MirrorDescent(momentum=0.0)
    first = np.asarray([2.0, -1.0, 0.5])
    found = [update.update(first, update.init(WEIGHTS)).weights for update in (slow, plain)]
    np.testing.assert_allclose(*found, rtol=1e-12)


def test_mirror_descent_does_not_mind_units():
    rows = np.random.default_rng(1).normal(size=(5, PLAYERS))
    found = []
    for unit in (1.0, 1e9, 1e-9):
        update = MirrorDescent()
        state = update.init(WEIGHTS)
        for row in rows:
            state = update.update(unit * row, state)
        found.append(state.weights)
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=1e-9)


@pytest.mark.parametrize(("dtype", "unit"), [("float32", 25), ("float64", 170)])
@pytest.mark.parametrize("update", UPDATES[:2])
def test_mirror_descent_does_not_mind_units_whose_squares_are_no_numbers(update, dtype, unit):
    rows = np.random.default_rng(1).normal(size=(10, PLAYERS)).astype(dtype)
    found = []
    for power in (0, -unit, unit):
        state = update.init(WEIGHTS.astype(dtype))
        for row in rows:
            state = update.update(row * np.asarray(10.0**power, dtype), state)
        assert np.abs(state.weights - WEIGHTS).max() > 0.1
        found.append(state.weights)
    np.testing.assert_allclose(found[1:], [found[0]] * 2, rtol=100 * np.finfo(dtype).eps)


def test_the_published_update_clips_what_has_no_square():
    update = ClippedSGD()
    first = update.init(np.ones(3))
    huge, clipped = np.asarray([3e200, 0.0, 4e200]), np.asarray([0.6, 0.0, 0.8])
    found, expected = (update.update(gradient, first).weights for gradient in (huge, clipped))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("update", UPDATES)
def test_updates_are_the_same_in_every_library(update, xp):
    rows = np.random.default_rng(2).normal(size=(4, 2, PLAYERS))
    first = np.stack([WEIGHTS, np.ones(PLAYERS)])
    ours, theirs = update.init(first), update.init(xp.asarray(first))
    for row in rows:
        ours, theirs = update.update(row, ours), update.update(xp.asarray(row), theirs)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(as_numpy(other), mine, rtol=1e-12)


@pytest.mark.parametrize("update", UPDATES)
def test_updates_leave_a_problem_without_a_gradient_alone(update):
    state = update.init(np.stack([WEIGHTS, WEIGHTS]))
    state = update.update(np.asarray([[1.0, -1.0, 0.2]] * 2), state)
    after = update.update(np.asarray([[np.nan] * 3, [1.0, 2.0, 3.0]]), state)
    for new, old in zip(after, state, strict=True):
        np.testing.assert_array_equal(new[0], old[0])
    assert (after.weights[1] != state.weights[1]).all()


@given(
    arrays(np.float64, PLAYERS, elements=st.floats(1e-9, 1e6)),
    st.floats(0.0, 0.99),
)
def test_spread_keeps_the_floor_and_the_proportions_above_it(weights, floor):
    found = spread(weights, floor)
    assert found.mean() == pytest.approx(1, rel=1e-12)
    assert (found >= floor).all()
    above = found > floor
    ratios = found[above] / weights[above]
    np.testing.assert_allclose(ratios, ratios[:1].repeat(len(ratios)), rtol=1e-9)
    # Nobody is lifted who would stay over the floor by himself.
    assert (weights[~above] * ratios.max(initial=0.0) <= floor * (1 + 1e-9)).all()


def test_one_who_is_lifted_may_pull_another_one_down():
    np.testing.assert_allclose(spread(np.asarray([10.0, 1.4, 0.01]), 0.35), [2.3, 0.35, 0.35])


def test_the_largest_weight_is_always_heard():
    np.testing.assert_array_equal(audible(np.asarray([[1.0, 0.5], [0.2, 2.0]]), 0.9)[1], [0, 2])
    np.testing.assert_array_equal(audible(np.asarray([0.9, 1.1]), 0.9), [0, 1.1])
    np.testing.assert_array_equal(audible(WEIGHTS, 0.0), WEIGHTS)


def test_a_small_weight_has_a_veto_and_a_silent_one_has_not():
    opposite = np.asarray([[1.0, -1.0], [-1.0, 1.0]])
    tiny = np.asarray([2.0, 1e-6])
    assert int(bargain.nash(opposite, tiny).status) == bargain.Status.DISAGREEMENT
    assert int(bargain.nash(opposite, audible(tiny, 0.01)).status) == bargain.Status.AGREEMENT


HESSIAN = np.asarray([[2.0, 0.3, 0.0], [0.3, 1.0, -0.2], [0.0, -0.2, 0.5]])
RHS = np.asarray([1.0, -2.0, 0.5])


def multiplied(hessian):
    """The Hessian of a vector that comes in two pieces."""

    def product(vector):
        found = hessian @ np.concatenate(vector)
        return [found[:1], found[1:]]

    return product


def applied(inverse, hessian=HESSIAN):
    return np.concatenate(inverse.apply(multiplied(hessian), [RHS[:1], RHS[1:]]))


def test_neumann_sums_the_series():
    rest = np.eye(3) - 0.4 * HESSIAN
    expected = sum(np.linalg.matrix_power(rest, j) for j in range(4)) @ RHS
    np.testing.assert_allclose(applied(Neumann(terms=3, step=0.4)), expected, rtol=1e-12)
    whole = 0.4 * applied(Neumann(terms=300, step=0.4))
    np.testing.assert_allclose(whole, np.linalg.solve(HESSIAN, RHS), rtol=1e-9)


def test_no_term_at_all_is_one_step():
    np.testing.assert_array_equal(applied(Neumann(terms=0)), RHS)
    np.testing.assert_array_equal(applied(OneStep()), RHS)


def test_conjugate_gradients_solve():
    found = applied(ConjugateGradients(steps=3, damping=0.0))
    np.testing.assert_allclose(found, np.linalg.solve(HESSIAN, RHS), rtol=1e-9)
    longer = applied(ConjugateGradients(steps=9, damping=0.0))
    np.testing.assert_allclose(longer, found, rtol=1e-9)


def test_damping_is_in_units_of_the_curvature():
    curvature = RHS @ HESSIAN @ RHS / (RHS @ RHS)
    damped = HESSIAN + 0.5 * curvature * np.eye(3)
    found = applied(ConjugateGradients(steps=3, damping=0.5))
    np.testing.assert_allclose(found, np.linalg.solve(damped, RHS), rtol=1e-9)


def test_conjugate_gradients_stop_where_the_curvature_is_not_positive():
    np.testing.assert_array_equal(applied(ConjugateGradients(), -HESSIAN), RHS)
    np.testing.assert_array_equal(applied(ConjugateGradients(), 0 * HESSIAN), RHS)
    saddle = np.diag([1.0, 1.0, -8.0])
    found = applied(ConjugateGradients(steps=5, damping=0.0), saddle)
    # One step along the gradient, whose curvature is positive; the next one's is not.
    np.testing.assert_allclose(found, RHS * (RHS @ RHS) / (RHS @ saddle @ RHS), rtol=1e-12)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MirrorDescent(rate=0.0),
        lambda: MirrorDescent(momentum=1.0),
        lambda: MirrorDescent(memory=1.1),
        lambda: MirrorDescent(clip=-1.0),
        lambda: MirrorDescent(floor=1.0),
        lambda: ClippedSGD(rate=float("nan")),
        lambda: ClippedSGD(momentum=-0.1),
        lambda: ClippedSGD(floor=-1e-4),
        lambda: Neumann(terms=-1),
        lambda: Neumann(step=0.0),
        lambda: ConjugateGradients(steps=0),
        lambda: ConjugateGradients(damping=-1.0),
    ],
)
def test_numbers_out_of_range(make):
    with pytest.raises(ValueError, match=": expected"):
        make()
