"""Methods, theory and the laboratory agree, and the page says what they say."""

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from bargain import GradientGame, baselines
from bargain.testing import METHOD_AXIOMS, METHODS, axioms, rules
from bargain.testing.cone import margin_of
from bargain.testing.counter_examples import EXAMPLES
from bargain.testing.fairness import fairness
from bargain.testing.gradient_methods import independent, resolved
from bargain.testing.method_examples import examples_in_markdown, verdict_on, violation_of
from bargain.testing.methods import put_on_trial, table_of_methods

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"
BY_NAME = {method.name: method for method in METHODS}
REFUTATIONS = [(name, example) for example in EXAMPLES for name in example.methods]
FAN = np.asarray([[10.0, 10.0, 0.0], [10.0, -10.0, 0.0], [5.0, 0.0, 1.0]])


def directions_agree(one, other):
    np.testing.assert_allclose(
        one / np.linalg.norm(one), other / np.linalg.norm(other), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "example"), REFUTATIONS, ids=lambda value: getattr(value, "axiom", value)
)
def test_counter_examples_refute(name, example):
    assert violation_of(BY_NAME[name], example) is not None


def test_every_no_has_its_counter_example_and_no_yes_has_one():
    shown = {(name, example.axiom.name) for name, example in REFUTATIONS}
    denied = {
        (method.name, axiom.name)
        for method in METHODS
        for axiom in METHOD_AXIOMS
        if method.mark(axiom) != "✓"
    }
    assert shown == denied


@pytest.mark.parametrize(("name", "example"), REFUTATIONS)
def test_only_where_it_is_said_do_counter_examples_need_dependent_gradients(name, example):
    gradients = np.asarray(example.gradients, dtype=float)
    assert independent(gradients) == (example.axiom not in BY_NAME[name].dependent)
    assert margin_of(gradients) > 0.05  # far from gradients that cancel


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_what_theory_grants_holds_in_a_few_games(method):
    for axiom in METHOD_AXIOMS:
        if axiom not in method.denied:
            assert put_on_trial(method, axiom, examples=9).holds, axiom.name


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_search_finds_what_theory_says(method):
    for axiom in METHOD_AXIOMS:
        verdict = put_on_trial(method, axiom, examples=100)
        assert verdict.holds == (axiom not in method.denied), (axiom.name, str(verdict))


def test_a_wrong_yes_is_found():
    overrated = replace(BY_NAME["linear scalarisation"], denied=())
    assert put_on_trial(overrated, axioms.non_conflict, examples=40).holds is False


@pytest.mark.parametrize(
    ("name", "meant"),
    [("ConFIG", independent), ("Aligned-MTL", resolved)],
    ids=["ConFIG", "Aligned"],
)
def test_only_games_that_theory_speaks_of_are_tried(name, meant):
    """Elsewhere ConFIG harms somebody, and rounding decides what Aligned-MTL does."""
    seen = []

    def watched(gradients):
        seen.append(gradients)
        return BY_NAME[name].update(gradients)

    axiom = axioms.non_conflict if name == "ConFIG" else axioms.isometry
    put_on_trial(replace(BY_NAME[name], update=watched), axiom, examples=30)
    assert len(seen) > 5
    assert all(map(meant, seen))


def test_a_known_counter_example_is_not_sought():
    assert verdict_on(BY_NAME["PCGrad"], axioms.non_conflict).games == 0
    assert verdict_on(BY_NAME["PCGrad"], axioms.efficiency, examples=5).games >= 5


def test_an_example_against_nobody_is_none():
    for example in EXAMPLES:
        if example.axiom is not fairness:
            assert violation_of(BY_NAME["Nash-MTL"], example) is None
    assert violation_of(BY_NAME["Nash-MTL"], EXAMPLES[-1]) is None


@pytest.mark.parametrize("gain", [1e-6, 0.0, -0.3])
def test_fairness_asks_that_everybody_gains(gain):
    """The update is perpendicular to the second gradient, or nearly, or against it."""
    example = EXAMPLES[-1]._replace(gradients=((1.0, 0.0), (0.0, 1.0)))
    still = replace(BY_NAME["Nash-MTL"], update=lambda _: np.asarray([1.0, gain]))
    found = violation_of(still, example)
    assert found is not None
    assert found.excess == float("inf")


def test_fairness_is_the_first_order_condition_of_nash():
    """By the definition, with other updates of the same length drawn at random."""
    rng = np.random.default_rng(0)
    gradients = np.asarray(EXAMPLES[-1].gradients, dtype=float)
    for name, holds in (("Nash-MTL", True), ("FairGrad, α = 2", False)):
        update = BY_NAME[name].update(gradients)
        others = rng.normal(size=(20_000, 3))
        others *= np.linalg.norm(update) / np.linalg.norm(others, axis=1, keepdims=True)
        changes = np.sum((others - update) @ gradients.T / (gradients @ update), axis=1)
        assert (changes.max() <= 1e-9) == holds


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("linear scalarisation", rules.utilitarian),
        ("MGDA", rules.egalitarian),
        ("MGDA, normalised", rules.kalai_smorodinsky),
        ("Nash-MTL", rules.nash),
        ("FairGrad, α = 2", rules.alpha_fair_2),
    ],
)
def test_which_methods_are_bargaining_solutions(name, rule):
    gradients = np.random.default_rng(3).normal(size=(4, 9)) * [[1.0], [3.0], [0.5], [2.0]]
    gradients += 0.5
    solution = rule(GradientGame(gradients @ gradients.T)) @ gradients
    directions_agree(BY_NAME[name].update(gradients), solution)


def test_config_and_imtl_g_are_kalai_smorodinsky_where_their_coefficients_are_positive():
    gradients = np.asarray([[1.0, 0.0, 0.2], [0.0, 3.0, 0.1], [0.1, 0.0, 2.0]])
    assert (baselines.config(gradients @ gradients.T) > 0).all()
    wanted = BY_NAME["MGDA, normalised"].update(gradients)
    directions_agree(BY_NAME["ConFIG"].update(gradients), wanted)
    directions_agree(BY_NAME["IMTL-G"].update(gradients), wanted)


def test_imtl_g_raises_every_loss_of_the_fan():
    assert (FAN @ BY_NAME["IMTL-G"].update(FAN) < 0).all()
    assert (FAN @ BY_NAME["Nash-MTL"].update(FAN) > 0).all()


def test_over_all_orders_pcgrad_does_not_care_who_is_first():
    """Its mean over the dice; a single throw does."""
    gradients = np.asarray(EXAMPLES[0].gradients, dtype=float)
    gram = gradients @ gradients.T
    orders = [list(order) for order in permutations(range(3))]

    def mean(gram):
        return np.mean([baselines.pcgrad(gram, order=order) for order in orders], axis=0)

    turned = gram[::-1, ::-1].copy()
    np.testing.assert_allclose(mean(turned)[::-1], mean(gram))


def test_the_page_shows_the_table_and_the_counter_examples():
    page = PAGE.read_text(encoding="utf-8")
    assert table_of_methods() in page
    assert examples_in_markdown() in page


def test_the_page_states_every_axiom():
    page = PAGE.read_text(encoding="utf-8")
    for axiom in METHOD_AXIOMS:
        name = axiom.name.removesuffix(" (gradients)")
        assert f"| {name} | {axiom.statement} |" in page


def test_the_command_line_prints_the_table():
    testing = pytest.importorskip("typer.testing")
    from bargain_cli.app import app

    result = testing.CliRunner().invoke(app, ["verify", "--methods", "--examples", "1"])
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    assert ["UPGrad", "✓", "✓", "✓", "✗", "✓", "✓", "✗"] in lines
    assert ["ConFIG", "✓", "✓", "✓", "(✓)", "(✓)", "✗", "✗"] in lines
    assert ["FAMO", "✓", "✓", "✓", "✓", "✗", "✓", "✗"] in lines
    assert "Every verdict is what theory says." in result.output


def test_the_command_line_tells_a_contradiction(monkeypatch):
    testing = pytest.importorskip("typer.testing")
    from bargain_cli import verify_methods
    from bargain_cli.app import app

    wrong = replace(BY_NAME["GradDrop"], denied=BY_NAME["GradDrop"].denied[1:])
    monkeypatch.setattr(verify_methods, "METHODS", (wrong,))
    result = testing.CliRunner().invoke(app, ["verify", "--methods", "--examples", "1"])
    assert result.exit_code == 1
    assert "GradDrop: theory says ✓ to isometry invariance, but: falsified" in result.output
