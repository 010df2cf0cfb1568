"""Weightings of losses: what their rows in the table of methods say, without the laboratory."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bargain import baselines
from bargain.testing import LossGame, axioms, check_axioms, gradient_games, loss_games
from bargain.testing.loss_methods import LOSS_METHODS
from bargain.testing.methods import put_on_trial
from bargain.testing.spelling import as_code, in_plain_numbers

UPDATES = {method.name: method.update for method in LOSS_METHODS}
SEEN = st.lists(st.floats(0.1, 100), min_size=3, max_size=3).map(np.asarray)
UNITS = st.lists(st.sampled_from([1e-6, 0.5, 1.0, 60.0, 1e6]), min_size=3, max_size=3)
GRADIENTS = np.asarray([[1.0, 0.0, 2.0], [0.0, 3.0, 1.0], [-1.0, 1.0, 1.0]])


def weights(name, losses, before):
    """Where gradients are those of an orthonormal basis, the update is made of the weights."""
    return UPDATES[name](LossGame(np.eye(len(losses)), losses, before))


def turn(name, units, losses, before):
    """Return the cosine between the updates in old and in new units."""
    units = np.asarray(units)
    old = UPDATES[name](LossGame(GRADIENTS, losses, before))
    new = UPDATES[name](LossGame(units[:, None] * GRADIENTS, units * losses, units * before))
    return old @ new / np.linalg.norm(old) / np.linalg.norm(new)


@pytest.mark.parametrize("name", ["SI", "FAMO"])
@settings(max_examples=50)
@given(units=UNITS, losses=SEEN, before=SEEN)
def test_scale_free(name, units, losses, before):
    assert turn(name, units, losses, before) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["LS", "RLW", "DWA", "UW"])
def test_not_scale_free(name):
    assert turn(name, [10.0, 1.0, 1.0], np.ones(3), np.ones(3)) < 0.9


@pytest.mark.parametrize("name", ["LS", "SI", "RLW", "DWA", "FAMO"])
@settings(max_examples=50)
@given(unit=UNITS, losses=SEEN, before=SEEN)
def test_a_common_unit_does_not_matter(name, unit, losses, before):
    assert turn(name, unit[:1] * 3, losses, before) == pytest.approx(1, abs=1e-9)


def test_to_uncertainty_weighting_it_does():
    losses = np.asarray([1.0, 4.0, 1.0])
    assert turn("UW", [1000.0] * 3, losses, losses) < 0.96


@pytest.mark.parametrize("name", UPDATES)
@settings(max_examples=50)
@given(losses=SEEN, before=SEEN)
def test_none_is_free_of_conflict(name, losses, before):
    """Whatever the losses are, there are gradients of which the first is harmed."""
    first, second, _ = weights(name, losses, before)
    gradients = np.asarray([[1.0, 0.0], [-2 * first / second, 1.0], [0.0, 1.0]])
    harmed = UPDATES[name](LossGame(gradients, losses, before)) @ gradients[0]
    assert harmed == pytest.approx(-first)


@pytest.mark.parametrize("name", UPDATES)
@settings(max_examples=50)
@given(losses=SEEN, before=SEEN)
def test_weights_are_positive(name, losses, before):
    assert (weights(name, losses, before) > 0).all()


def test_what_each_remembers():
    """DWA and FAMO have seen both losses, UW those before, SI those now."""
    now, before, low = np.asarray([2.0, 1.0]), np.asarray([4.0, 1.0]), np.asarray([1.5, 1.0])
    seen = {name: weights(name, now, before) for name in UPDATES}
    of_before = {name for name in UPDATES if (weights(name, now, low) != seen[name]).any()}
    of_now = {name for name in UPDATES if (weights(name, low, before) != seen[name]).any()}
    assert of_before == {"DWA", "UW", "FAMO"}
    assert of_now == {"SI", "DWA", "FAMO"}
    assert weights("FAMO", now, now)[0] > seen["FAMO"][0] + 1e-3  # who fell counts less
    np.testing.assert_allclose(
        seen["DWA"], baselines.dwa(baselines.DWAState(now, before, np.asarray(2)))
    )
    np.testing.assert_allclose(seen["UW"], np.exp(-0.0005 * (before - 1)) / 2)
    np.testing.assert_allclose(seen["RLW"], [2 / 3, 1 / 3])


def test_uncertainty_weighting_comes_to_rest_at_scale_invariance():
    losses = np.asarray([0.5, 4.0, 20.0])
    rest = baselines.UWState(np.log(losses))
    np.testing.assert_allclose(baselines.uw(rest), baselines.si(losses) / 2)
    np.testing.assert_allclose(
        baselines.uw_update(rest, losses, rate=1.0).log_variances, rest.log_variances, atol=1e-12
    )


def test_a_wrong_yes_and_a_wrong_no_are_found():
    ls = LOSS_METHODS[0]
    assert put_on_trial(replace(ls, denied=()), axioms.gradient_covariance).holds is False
    si = replace(LOSS_METHODS[1], denied=(axioms.gradient_covariance,))
    assert put_on_trial(si, axioms.gradient_covariance, examples=3).holds is True


def test_losses_take_part_in_every_change():
    """Units multiply them, turns leave them alone, and they move along with their players."""

    def asked(axiom):
        seen = []

        def watched(game):
            seen.append(game)
            return baselines.ls(game.losses) @ game.gradients

        check_axioms(watched, [axiom], loss_games((3, 3)), examples=40)
        pairs = [
            (one, other)
            for one, other in zip(seen[::2], seen[1::2], strict=False)
            if len(one.gradients) == len(other.gradients)
        ]
        assert len(pairs) > 5
        return pairs

    for one, other in asked(axioms.gradient_common_scale):
        factor = other.losses[0] / one.losses[0]
        np.testing.assert_allclose(other.losses, factor * one.losses)
        np.testing.assert_allclose(other.before, factor * one.before)
        np.testing.assert_allclose(other.gradients, factor * one.gradients)
    for one, other in asked(axioms.isometry):
        assert one.losses.tolist() == other.losses.tolist()
        np.testing.assert_allclose(
            other.gradients @ other.gradients.T, one.gradients @ one.gradients.T, atol=1e-9
        )
    for one, other in asked(axioms.gradient_equivariance):
        rows = [list(zip(*game, strict=True)) for game in (one, other)]
        tables = [sorted((*row, now, before) for row, now, before in each) for each in rows]
        np.testing.assert_allclose(*tables)


def test_a_radius_is_nothing_to_them():
    report = check_axioms(UPDATES["LS"], [axioms.radius_homogeneity], loss_games(), examples=5)
    assert report.verdicts[0].holds is None
    again = check_axioms(
        lambda game: np.ones(len(game.gram)), [axioms.radius_homogeneity], gradient_games()
    )
    assert again.holds


def test_counter_examples_are_told_with_their_losses():
    def si(game):
        return baselines.si(game.losses) @ game.gradients

    report = check_axioms(si, [axioms.non_conflict], loss_games((2, 2)))
    violation = report.verdicts[0].violation
    lines = in_plain_numbers(violation).splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["gradients", "losses", "before", "answer"]
    program = as_code(violation, si)
    found = []
    exec(program, {"function": si, "print": found.append})
    np.testing.assert_allclose(found[0], violation.exhibits[0].answer)


def test_an_answer_of_the_wrong_length_is_a_failure():
    report = check_axioms(
        lambda game: game.losses, [axioms.non_conflict], loss_games((5, 5)), examples=3
    )
    assert "a number for each coordinate" in str(report)
