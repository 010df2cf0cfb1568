"""What every picture reads: games of any library, absent players, outcomes and names."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

import bargain
import bargain.plot
from bargain.payoffs import PayoffGame
from tests.plot.reading import legend_of, place_of

GRAM = np.array([[2.0, -0.5, 0.3], [-0.5, 1.0, 0.1], [0.3, 0.1, 3.0]])
PICTURES = [bargain.plot.agreements, bargain.plot.gradients, bargain.plot.shares]


@pytest.mark.parametrize("asarray", [torch.tensor, jnp.asarray], ids=["torch", "jax"])
@pytest.mark.parametrize("picture", PICTURES)
def test_arrays_of_any_library(asarray, picture):
    game = bargain.GradientGame(asarray(GRAM), asarray(np.array([1.0, 2.0, 3.0])))
    same = bargain.GradientGame(np.asarray(game.gram), np.asarray(game.weights))
    theirs, ours = picture(game), picture(same)
    assert legend_of(theirs) == legend_of(ours)
    for one, other in zip(theirs.lines, ours.lines, strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())


def test_tensors_with_a_graph():
    gram = torch.tensor(GRAM, requires_grad=True)
    bargain.plot.shares(bargain.GradientGame(gram), bargain.Nash())


def test_absent_players_are_not_drawn():
    gram = np.full((3, 3), np.nan)
    gram[np.ix_([0, 2], [0, 2])] = GRAM[:2, :2]
    game = bargain.GradientGame(
        gram, np.array([1.0, 5.0, 2.0]), active=np.array([True, False, True])
    )
    alone = bargain.GradientGame(GRAM[:2, :2], np.array([1.0, 2.0]))
    axes = bargain.plot.agreements(game, names=["Ann", "Bob", "Cy"])
    expected = bargain.plot.agreements(alone, names=["Ann", "Cy"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("utility of Ann", "utility of Cy")
    for label in ("Nash", "utilitarian", "ideal point"):
        np.testing.assert_allclose(place_of(axes, label), place_of(expected, label))
    bars = bargain.plot.shares(game, bargain.Nash(), names=["Ann", "Bob", "Cy"])
    assert [label.get_text() for label in bars.get_yticklabels()] == ["Ann", "Cy"]
    assert [bar.get_width() for bar in bars.patches] == pytest.approx([1 / 3, 2 / 3])


def test_outcomes_are_drawn_and_not_solved_again(monkeypatch):
    game = PayoffGame(np.array([[1.0, 0.0], [0.75, 1.0], [0.0, 1.0]]), ideal=[1.0, 1.0])
    nash = bargain.solve(game)
    other = nash._replace(allocation=np.array([0.0, 1 / 3, 2 / 3]), utilities=np.array([0.25, 1.0]))
    monkeypatch.setattr(bargain, "solve", lambda *_: pytest.fail("solved again"))
    axes = bargain.plot.agreements(game, {"Nash": nash, "mine": other})
    np.testing.assert_allclose(place_of(axes, "Nash"), nash.utilities)
    np.testing.assert_allclose(place_of(axes, "mine"), [0.25, 1.0])
    # By the name of a solution it looks like it, with its curves; a stranger has a mark of his own.
    assert "equal Nash products" in legend_of(axes)
    marks = {line.get_label(): line.get_marker() for line in axes.lines if line.get_zorder() == 6}
    assert marks["Nash"] == "o"
    assert marks["mine"] not in "osD^h"


def test_of_the_usual_solutions_those_are_drawn_that_there_are(monkeypatch):
    solve = bargain.solve

    def without_egalitarian(game, solution):
        if isinstance(solution, bargain.Egalitarian):
            raise NotImplementedError("not for such games")
        return solve(game, solution)

    monkeypatch.setattr(bargain, "solve", without_egalitarian)
    legend = legend_of(bargain.plot.agreements(TWO))
    assert "egalitarian" not in legend
    assert {"Nash", "Kalai–Smorodinsky", "utilitarian"} <= set(legend)
    with pytest.raises(NotImplementedError, match="not for such games"):
        bargain.plot.agreements(TWO, [bargain.Nash(), bargain.Egalitarian()])


def test_labels_of_ones_own():
    game = PayoffGame(np.array([[1.0, 0.0], [0.75, 1.0], [0.0, 1.0]]))
    axes = bargain.plot.agreements(game, {"equal parts": bargain.KalaiSmorodinsky(leximin=True)})
    np.testing.assert_allclose(place_of(axes, "equal parts"), [0.8, 0.8], atol=1e-6)
    lexical = bargain.plot.agreements(game, bargain.Egalitarian(leximin=True))
    assert "egalitarian, leximin" in legend_of(lexical)


def test_a_run_without_proof_is_named_so():
    game = bargain.GradientGame(GRAM[:2, :2] * [[1.0, 9.0], [9.0, 81.0]], np.array([1.0, 5.0]))
    outcome = bargain.solve(game, bargain.AlphaFair(3.0), max_steps=0)
    assert bargain.Status(int(outcome.status)) is bargain.Status.MAX_STEPS
    axes = bargain.plot.agreements(game, {"Nash": outcome})
    assert "Nash (no proof)" in legend_of(axes)


TWO = bargain.GradientGame(GRAM[:2, :2])
FOUR = bargain.GradientGame(np.eye(4))
BATCH = bargain.GradientGame(np.stack([np.eye(2), np.eye(2)]))


@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((GRAM,), {}, TypeError, "expected a GradientGame.*, found ndarray"),
        ((BATCH,), {}, ValueError, r"expected one game, found a batch of shape \(2,\)"),
        ((TWO, bargain.Nash), {}, TypeError, "found the class Nash"),
        ((TWO, [bargain.Nash]), {}, TypeError, "found the class Nash"),
        ((TWO, "nash"), {}, TypeError, "expected solutions such as"),
        ((TWO, 7), {}, TypeError, "expected solutions such as"),
        ((TWO, {"mine": 7}), {}, TypeError, "expected solutions such as"),
        ((TWO, bargain.solve(TWO)), {}, TypeError, "expected a name for an outcome"),
        ((TWO, [bargain.solve(TWO)]), {}, TypeError, "expected a name for an outcome"),
        (
            (TWO, {"Nash": bargain.solve(FOUR)}),
            {},
            ValueError,
            "outcome 'Nash' of this game with 2 players",
        ),
        ((TWO,), {"names": "Ann"}, TypeError, "expected a list of 2 names"),
        ((TWO,), {"names": ["Ann"]}, ValueError, "names: expected 2, .* found 1"),
        ((TWO,), {"axes": Figure()}, TypeError, "expected matplotlib axes, found Figure"),
        (
            (TWO,),
            {"axes": Figure().add_subplot(projection="3d")},
            TypeError,
            "expected a plane, found axes with three dimensions",
        ),
    ],
)
def test_errors_say_what_was_expected(picture, arguments, options, error, words):
    with pytest.raises(error, match=words):
        picture(*arguments, **options)


@pytest.mark.parametrize("players", [1, 4])
def test_agreements_of_two_or_three(players):
    with pytest.raises(ValueError, match=f"expected two or three players, found {players}"):
        bargain.plot.agreements(bargain.GradientGame(np.eye(players)))


def test_space_needs_axes_for_it():
    game = bargain.GradientGame(np.eye(3))
    with pytest.raises(TypeError, match="expected axes with three dimensions"):
        bargain.plot.agreements(game, axes=Figure().add_subplot())


def test_games_that_are_none_are_refused_as_by_solve():
    with pytest.raises(ValueError, match="weights"):
        bargain.plot.shares(bargain.GradientGame(GRAM, np.array([1.0, -1.0, 1.0])))
