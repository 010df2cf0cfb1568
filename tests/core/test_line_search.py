"""The exact search finds the minimum that scipy finds, on every line and in every batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from bargain.line_search import SLACK, exact_step
from tests.libraries import as_numpy
from tests.strategies.gram_matrices import powers_of_ten

SEEDS = st.integers(0, 2**32 - 1)


def objective(line, step):
    linear, quadratic, weights, relative = line
    return linear * step + quadratic * step**2 / 2 - weights @ np.log1p(step * relative)


def slope(line, step):
    linear, quadratic, weights, relative = line
    return linear + quadratic * step - np.sum(weights * relative / (1 + step * relative))


def newton_line(seed, players, spread=0.0, reach=1.0):
    """A line along Newton's direction: its slope is minus its curvature."""
    rng = np.random.default_rng(seed)
    relative = reach * rng.normal(size=players)
    weights = 10.0 ** rng.uniform(-spread, 0, size=players)
    quadratic = 10.0 ** rng.uniform(-3, 3)
    linear = weights @ relative - quadratic - weights @ relative**2
    return linear, quadratic, weights, relative


def any_line(seed, players, spread=0.0, reach=1.0):
    """Any line that descends, however short the way to its minimum."""
    _, *others = newton_line(seed, players, spread, reach)
    slope = 10.0 ** np.random.default_rng(seed + 1).uniform(-3, 1)
    return (others[1] @ others[2] - slope, *others)


def bent_line(seed, players, spread=0.0, reach=1.0):
    """A line as first-order methods meet it: Newton's step from its start would be 0.1 to 10."""
    _, *others = newton_line(seed, players, spread, reach)
    curvature = others[0] + others[1] @ others[2] ** 2
    slope = curvature * 10.0 ** np.random.default_rng(seed + 1).uniform(-1, 1)
    return (others[1] @ others[2] - slope, *others)


def step_of(line):
    return float(exact_step(*(np.asarray(part) for part in line)))


def best_by_scipy(line):
    steepest = np.max(-line[3])
    limit = 1 / steepest if steepest > 0 else np.inf
    high = 1.0
    while high < limit and slope(line, high) < 0:
        high *= 2
    high = min(high, limit * (1 - 1e-12))
    found = minimize_scalar(
        lambda step: objective(line, step),
        bounds=(0, high),
        method="bounded",
        options={"xatol": 1e-12 * high, "maxiter": 2000},
    )
    return found.x


LINES = st.tuples(SEEDS, st.integers(1, 30), st.floats(0, 8), powers_of_ten(-3, 1))


def compare_with_scipy(line, part):
    step, best = step_of(line), best_by_scipy(line)
    gained, possible = (objective(line, 0.0) - objective(line, s) for s in (step, best))
    assert gained >= part * possible - 1e-12
    assert gained <= possible + 1e-9 * (1 + abs(possible))


@given(LINES)
def test_along_newtons_direction_the_minimum_is_where_scipy_finds_it(line):
    compare_with_scipy(newton_line(*line), 0.9)


@given(st.tuples(SEEDS, st.integers(1, 30), st.floats(0, 8), powers_of_ten(-3, 0)))
def test_along_other_directions_the_minimum_is_where_scipy_finds_it(line):
    compare_with_scipy(bent_line(*line), 0.5)


@given(LINES)
def test_no_step_is_worse_than_none_and_none_crosses_the_barrier(line):
    line = any_line(*line)
    step = step_of(line)
    assert np.all(1 + step * line[3] > 0)
    assert objective(line, step) <= objective(line, 0.0)


@given(LINES)
def test_a_direction_that_does_not_descend_is_not_taken(line):
    linear, *others = any_line(*line)
    assert step_of((others[1] @ others[2] + abs(linear), *others)) == 0


def test_a_full_newton_step_passes_at_once():
    # phi'(1) = 0: the quadratic part alone, minimum at one.
    assert step_of((-1.0, 1.0, np.ones(2), np.zeros(2))) == 1.0


def test_a_line_without_an_end_is_followed_far_but_not_to_infinity():
    line = (-1.0, 0.0, np.ones(2), np.full(2, 0.1))
    step = step_of(line)
    assert 1e3 < step < np.inf


def test_a_negative_quadratic_is_rounding(xp):
    weights, relative = xp.asarray(np.ones(2)), xp.asarray(np.array([0.5, -0.25]))
    values = [xp.asarray(np.asarray(v)) for v in (-0.5, -1e-18, 0.0)]
    one, other = (exact_step(values[0], quadratic, weights, relative) for quadratic in values[1:])
    assert float(one) == float(other)


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1e8, 1e150])
def test_only_the_shape_of_the_objective_matters(scale):
    linear, quadratic, weights, relative = newton_line(3, 5)
    scaled = (scale * linear, scale * quadratic, scale * weights, relative)
    assert step_of(scaled) == pytest.approx(
        step_of((linear, quadratic, weights, relative)), rel=1e-9
    )


def test_a_batch_of_lines_is_searched_line_by_line(xp):
    lines = [newton_line(seed, 4, 4.0) for seed in range(12)]
    parts = [xp.asarray(np.stack([line[k] for line in lines])) for k in range(4)]
    together = as_numpy(exact_step(*parts))
    np.testing.assert_allclose(together, [step_of(line) for line in lines], rtol=1e-12)


def test_one_player_on_a_parabola(xp):
    # phi = t^2 / 2 - log(1 + t): t = (sqrt(5) - 1) / 2.
    step = exact_step(*(xp.asarray(np.asarray(v)) for v in (0.0, 1.0, [1.0], [1.0])))
    assert abs(slope((0.0, 1.0, np.ones(1), np.ones(1)), float(step))) <= SLACK
