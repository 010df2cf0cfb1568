"""Outcomes are drawn in the game that they are of, and in no other."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import bargain
import bargain.plot
from bargain.payoffs import FiniteGame, PayoffGame, PolytopeGame
from bargain_plot.belonging import check_belongs
from bargain_plot.scene import read_scene
from tests.plot.reading import legend_of, place_of

SOLUTIONS = [
    bargain.Nash(),
    bargain.AlphaFair(2.0),
    bargain.KalaiSmorodinsky(),
    bargain.Egalitarian(),
    bargain.Utilitarian(),
]
PICTURES = [bargain.plot.agreements, bargain.plot.gradients, bargain.plot.shares]
GRAM = np.array([[2.0, -0.5], [-0.5, 1.0]])
PAYOFFS = np.array([[0.0, 5.0], [6.0, 3.6], [10.0, 0.0], [4.0, 4.0]])
ONE = np.ones((1, 2))
GAMES = {
    "gradients": bargain.GradientGame(GRAM),
    "radius": bargain.GradientGame(GRAM, [1.0, 3.0], radius=7.0),
    "disagreement": bargain.GradientGame(2 * GRAM, disagreement=[-0.3, 0.2], radius=2.0),
    "zero": bargain.GradientGame(3 * GRAM, disagreement=[0.0, 0.0], radius=2.0),
    "lotteries": PayoffGame(PAYOFFS, disagreement=[0.5, 0.7]),
    "outcomes": FiniteGame(PAYOFFS + 1, disagreement=[0.5, 0.7]),
    "polytope": PolytopeGame(np.array([[2.0, 0.3], [0.1, 1.0]]), ONE, np.ones(1)),
    "offset": PolytopeGame(np.eye(2), ONE, np.ones(1), [3.0, -1.0], disagreement=[3.1, -1.0]),
}


def all_of(game):
    return {str(k): bargain.solve(game, solution) for k, solution in enumerate(SOLUTIONS)}


@pytest.mark.parametrize("name", GAMES)
def test_outcomes_of_the_game_are_drawn(name):
    scene = read_scene(GAMES[name], all_of(GAMES[name]), None)
    assert len(scene.results) == len(SOLUTIONS)


@pytest.mark.parametrize(("name", "other"), [(a, b) for a in GAMES for b in GAMES if a != b])
def test_outcomes_of_another_game_are_refused(name, other):
    outcome = bargain.solve(GAMES[other])
    with pytest.raises(ValueError, match="expected an outcome of this game, found 'theirs'"):
        bargain.plot.shares(GAMES[name], {"mine": bargain.Nash(), "theirs": outcome})


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_refuses(picture):
    outcome = bargain.nash(np.array([[2.0, -0.5], [-0.5, 1.001]]))
    with pytest.raises(ValueError, match="do not follow from its coefficients here"):
        picture(GAMES["gradients"], {"Nash": outcome})


def test_any_length_of_an_update_without_a_disagreement_point():
    game = GAMES["radius"]
    outcome = bargain.solve(game)
    shorter = outcome._replace(coefficients=bargain.rescale(outcome.coefficients, game, "unit"))
    read_scene(game, {"shorter": shorter}, None)
    with pytest.raises(ValueError, match="expected an outcome of this game"):
        read_scene(game, {"elsewhere": outcome._replace(utilities=2 * outcome.utilities)}, None)


@pytest.mark.parametrize("asarray", [torch.tensor, jnp.asarray], ids=["torch", "jax"])
def test_single_precision_and_other_libraries(asarray):
    # Almost opposite gradients: what is left of them is at the end of float32's digits.
    rows = np.array([[1.0, 0.0], [-2.0, 3e-2]], np.float32)
    game = bargain.GradientGame(asarray(rows @ rows.T))
    outcome = bargain.solve(game)
    assert int(outcome.status) == bargain.Status.AGREEMENT
    read_scene(game, {"theirs": outcome}, None)
    table = PayoffGame(asarray(PAYOFFS.astype(np.float32)))
    read_scene(table, {"theirs": bargain.solve(table)}, None)


def test_long_sums_that_cancel():
    random = np.random.default_rng(0)
    for _ in range(50):
        rows = random.normal(size=(4, 6)) * np.exp(3 * random.normal(size=(4, 1)))
        rows[1] = -3 * rows[0] + 1e-6 * random.normal(size=6)
        game = bargain.GradientGame(bargain.gram(rows))
        for label, outcome in all_of(game).items():
            check_belongs(game, outcome, label, np.ones(4, bool))


def test_absent_players_are_not_asked():
    gram = np.full((3, 3), np.nan)
    gram[np.ix_([0, 2], [0, 2])] = GRAM
    game = bargain.GradientGame(gram, active=[True, False, True])
    bargain.plot.shares(game, {"mine": bargain.solve(game)})


def test_disagreements_and_outcomes_that_do_not_say_what_is_agreed_pass():
    hopeless = bargain.GradientGame(np.array([[1.0, -1.0], [-1.0, 1.0]]))
    axes = bargain.plot.agreements(hopeless, {"Nash": bargain.solve(hopeless)})
    assert "Nash (no agreement)" in legend_of(axes)
    found = bargain.payoffs.bisect_payoffs(lambda wanted: wanted.sum() <= 1.0, np.zeros(2))
    dollar = PayoffGame(np.eye(2))
    axes = bargain.plot.agreements(dollar, {"asked": found})
    np.testing.assert_allclose(place_of(axes, "asked"), [0.5, 0.5], atol=1e-6)
