"""The canonical form removes every scale, and cuts off who has no say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bargain
from bargain.canonical import (
    apply_cosines,
    canonicalise,
    precision_of,
    resolution_of,
    symmetry_tolerance,
    total_weight,
)
from tests import strategies
from tests.libraries import as_numpy, game_of

EPSILON = float(np.finfo(float).eps)
COSINES = np.array([[1.0, 0.25, -0.5], [0.25, 1.0, 0.125], [-0.5, 0.125, 1.0]])
NORMS = np.array([1e-140, 2.0, 1e140])
GRAM = COSINES * NORMS * NORMS[:, None]


def canonical_of(xp, gram, *companions, **named):
    return as_numpy(canonicalise(xp.game(gram, *companions, **named), precision=EPSILON))


def test_gradients_become_units_and_weights_have_mean_one(xp):
    game, frame = canonical_of(xp, GRAM, np.array([1e-200, 2e-200, 6e-200]))
    np.testing.assert_allclose(game.cosines, COSINES, rtol=4 * EPSILON)
    np.testing.assert_allclose(game.weights, [1 / 3, 2 / 3, 2], rtol=4 * EPSILON)
    np.testing.assert_allclose(frame.units, NORMS, rtol=2 * EPSILON)
    assert frame.mean_weight == pytest.approx(3e-200, rel=4 * EPSILON)
    assert game.resolution == resolution_of(EPSILON, 3)
    assert frame.valid
    assert game.inside.all()


@given(strategies.extreme_cases(strategies.weighted_cases(strategies.plain_cases(most=12))))
def test_every_game_has_cosines_between_minus_one_and_one(case):
    game, frame = canonicalise(game_of(case), precision=EPSILON)
    assert frame.valid
    np.testing.assert_array_equal(game.cosines, game.cosines.T)
    np.testing.assert_array_equal(np.diagonal(game.cosines), 1)
    assert np.abs(game.cosines).max() <= 1 + symmetry_tolerance(EPSILON)
    np.testing.assert_allclose(game.weights.mean(), 1, rtol=1e-14)
    ratios = game.weights / case.weights
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-14)


@given(strategies.plain_cases(most=8), st.integers(0, 2**32 - 1), st.floats(0, 200))
def test_the_form_does_not_depend_on_the_scale_of_any_gradient(case, seed, decades):
    before = canonicalise(game_of(case), precision=EPSILON)[0]
    after = canonicalise(game_of(strategies.rescaled(case, seed, decades)), precision=EPSILON)[0]
    np.testing.assert_allclose(after.cosines, before.cosines, rtol=8 * EPSILON, atol=1e-300)


def test_powers_of_two_change_not_a_bit(xp):
    before = canonical_of(xp, COSINES)[0]
    after = canonical_of(xp, COSINES * np.outer([2.0**400, 1, 2.0**-300], [2.0**400, 1, 2.0**-300]))
    np.testing.assert_array_equal(after[0].cosines, before.cosines)


@pytest.mark.parametrize(
    "silence",
    [
        {"weights": np.array([1.0, 0.0, 3.0])},
        {"weights": np.array([1.0, 2.0, 3.0]), "active": np.array([True, False, True])},
    ],
)
def test_players_without_a_say_play_alone(xp, silence):
    game, _ = canonical_of(xp, COSINES, **silence)
    np.testing.assert_array_equal(game.inside, [True, False, True])
    np.testing.assert_array_equal(game.cosines, [[1, 0, -0.5], [0, 1, 0], [-0.5, 0, 1]])
    np.testing.assert_allclose(game.weights, [0.5, 1, 1.5])
    assert total_weight(game) == pytest.approx(2)


def test_a_silent_player_keeps_his_cosines_in_the_frame(xp):
    _, frame = canonical_of(xp, COSINES, np.array([1.0, 0.0, 3.0]))
    np.testing.assert_array_equal(frame.cosines, COSINES)
    assert not frame.stuck.any()


def test_an_absent_player_may_hold_anything(xp):
    gram = np.where(np.eye(3)[1] + np.eye(3)[1][:, None] > 0, np.nan, COSINES)
    gram[1, 1] = np.inf
    game, frame = canonical_of(xp, gram, active=np.array([True, False, True]))
    assert frame.valid
    np.testing.assert_array_equal(game.cosines, [[1, 0, -0.5], [0, 1, 0], [-0.5, 0, 1]])
    np.testing.assert_array_equal(frame.norms, [1, 0, 1])
    np.testing.assert_array_equal(frame.cosines[1], 0)


def test_a_player_without_a_gradient_takes_no_part(xp):
    gram = COSINES * np.outer([1, 0, 1], [1, 0, 1])
    game, frame = canonical_of(xp, gram)
    np.testing.assert_array_equal(game.inside, [True, False, True])
    np.testing.assert_array_equal(frame.units, 1)
    np.testing.assert_array_equal(frame.stuck, [False, True, False])
    assert not frame.content
    assert game.cosines[1, 1] == 1


def test_disagreements_are_in_units_of_the_ideal_payoff(xp):
    asked = np.array([0.5e-140, -3.0, 0.0])
    game, frame = canonical_of(xp, GRAM, disagreement=asked, radius=2.0)
    np.testing.assert_allclose(game.disagreement, [0.25, -0.75, 0])
    assert frame.radius == 2


def test_who_asks_for_something_without_a_gradient_stays_inside(xp):
    gram = COSINES * np.outer([1, 0, 1], [1, 0, 1])
    hopeless, frame = canonical_of(xp, gram, disagreement=np.array([0.0, 4.0, 0.0]), radius=2.0)
    assert hopeless.inside.all()
    assert frame.units[1] == 2
    assert hopeless.disagreement[1] == 1
    assert hopeless.cosines[1, 1] == 0
    content, _ = canonical_of(xp, gram, disagreement=np.array([0.0, -4.0, 0.0]))
    np.testing.assert_array_equal(content.inside, [True, False, True])


def test_who_has_more_than_he_asks_for_is_content(xp):
    nothing = np.zeros((2, 2))
    frames = [
        canonical_of(xp, nothing, disagreement=np.array(asked))[1]
        for asked in ([-1.0, -2.0], [-1.0, 0.0], [-1.0, 1.0])
    ]
    assert [bool(frame.content) for frame in frames] == [True, False, False]
    assert [frame.stuck.tolist() for frame in frames] == [
        [False, False],
        [False, True],
        [False, True],
    ]


def _with(i, j, value):
    gram = COSINES.copy()
    gram[i, j] = value
    return gram


BAD = {
    "NaN beside the diagonal": {"gram": _with(0, 1, np.nan)},
    "NaN on the diagonal": {"gram": _with(1, 1, np.nan)},
    "infinite": {"gram": _with(2, 2, np.inf)},
    "infinite beside": {"gram": _with(0, 2, -np.inf)},
    "negative norm": {"gram": _with(0, 0, -1.0)},
    "asymmetric": {"gram": _with(0, 1, 0.26)},
    "beyond Cauchy and Schwarz": {"gram": np.array([[1, 2, 0], [2, 1, 0], [0, 0, 1.0]])},
    "zero norm, nonzero product": {"gram": _with(0, 0, 0.0)},
    "negative weight": {"gram": COSINES, "weights": np.array([1, -1e-9, 1])},
    "only zero weights": {"gram": COSINES, "weights": np.zeros(3)},
    "weight NaN": {"gram": COSINES, "weights": np.array([1, np.nan, 1])},
    "weight infinite": {"gram": COSINES, "weights": np.array([1, np.inf, 1])},
    "radius zero": {"gram": COSINES, "radius": np.asarray(0.0)},
    "radius infinite": {"gram": COSINES, "radius": np.inf},
    "radius NaN": {"gram": COSINES, "radius": np.nan},
    "disagreement NaN": {"gram": COSINES, "disagreement": np.array([0, np.nan, 0])},
}


@pytest.mark.parametrize("name", BAD)
def test_invalid_games_get_a_harmless_stand_in(xp, name):
    game, frame = canonical_of(xp, **BAD[name])
    assert not frame.valid
    for array in (*game, *frame):
        assert array is None or np.isfinite(array).all()
    np.testing.assert_array_equal(np.diagonal(game.cosines), 1)
    assert (game.weights > 0).all()


def test_a_batch_is_canonical_game_by_game(xp):
    grams = np.stack([COSINES, BAD["asymmetric"]["gram"], GRAM])
    game, frame = canonical_of(xp, grams, np.array([1.0, 2.0, 3.0]))
    np.testing.assert_array_equal(frame.valid, [True, False, True])
    for k in (0, 2):
        alone, _ = canonical_of(xp, grams[k], np.array([1.0, 2.0, 3.0]))
        np.testing.assert_array_equal(game.cosines[k], alone.cosines)
        np.testing.assert_array_equal(game.weights[k], alone.weights)
    np.testing.assert_allclose(
        apply_cosines(game, np.ones((3, 3))), game.cosines.sum(axis=-1), rtol=1e-15
    )


def test_rounding_asymmetry_is_averaged_away(xp):
    game, frame = canonical_of(xp, COSINES + np.triu(np.full((3, 3), 1e-9), 1))
    assert frame.valid
    np.testing.assert_array_equal(game.cosines, game.cosines.T)


def test_precision_is_that_of_the_type_unless_given(xp):
    assert precision_of(xp.asarray(COSINES), None) == EPSILON
    single = xp.asarray(COSINES, "float32")
    assert precision_of(single, None) == float(np.finfo(np.float32).eps)
    assert precision_of(single, 1e-3) == 1e-3


@pytest.mark.parametrize("precision", [0.0, 1.0, -1e-7, 2.0, np.nan])
def test_precision_lies_between_zero_and_one(precision):
    with pytest.raises(ValueError, match=r"precision: expected a number between 0 and 1, found"):
        precision_of(COSINES, precision)


@pytest.mark.parametrize(
    ("players", "kind", "precision"),
    [(2, "float64", 0.5), (12, "float16", None), (1030, "float32", None)],
)
def test_orthogonal_gradients_agree_however_coarse_the_numbers(players, kind, precision):
    """Their mean has the length K ** -0.5, which must not count as zero."""
    game = bargain.GradientGame(np.eye(players, dtype=kind))
    outcome = bargain.solve(game, precision=precision)
    assert int(outcome.status) == bargain.Status.AGREEMENT
    np.testing.assert_allclose(outcome.coefficients, 1, rtol=1e-3)


def test_gradients_that_cancel_are_recognised_by_coarse_numbers():
    players = 1030
    simplex = (players * np.eye(players) - 1) / (players - 1)
    outcome = bargain.nash(simplex.astype(np.float32))
    assert int(outcome.status) == bargain.Status.DISAGREEMENT


@pytest.mark.parametrize("players", [1, 2, 10, 1000, 10**6])
def test_what_counts_as_zero_is_what_rounding_leaves(players):
    assert resolution_of(EPSILON, players) == (8 * players * EPSILON) ** 0.5
