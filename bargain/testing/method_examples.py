"""Methods before the counter-examples that are known: checked again by the axiom, not sought."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from bargain.testing import axioms
from bargain.testing.axiom import Axiom
from bargain.testing.counter_examples import EXAMPLES, Example
from bargain.testing.fairness import fairness
from bargain.testing.laboratory import TOLERANCE
from bargain.testing.loss_games import LossGame, gradients_of
from bargain.testing.method import Method
from bargain.testing.methods import METHODS, put_on_trial
from bargain.testing.report import Verdict
from bargain.testing.trial import Trial, Violation


def violation_of(method: Method, example: Example) -> Violation | None:
    """Check one method in one game again.

    Parameters
    ----------
    method : Method
        The method.
    example : Example
        The game.

    Returns
    -------
    Violation or None
        What speaks against the method; None where nothing does.
    """
    choices = iter(example.choices)
    game: Any = np.asarray(example.gradients, dtype=float)
    if method.sees_losses:
        losses = np.asarray(example.losses or np.ones(len(game)), dtype=float)
        game = LossGame(game, losses, losses)
    trial = Trial(method.update, game, lambda _: next(choices), TOLERANCE)
    try:
        example.axiom.check(trial)
    except Violation as violation:
        return violation
    return None


def verdict_on(method: Method, axiom: Axiom, *, examples: int = 20, seed: int = 0) -> Verdict:
    """Refute a method by the known counter-example, or look for one where none is known.

    Parameters
    ----------
    method : Method
        The method.
    axiom : Axiom
        Which.
    examples : int
        How many games to try where none is known.
    seed : int
        The same seed tries the same games.

    Returns
    -------
    Verdict
        What became of the axiom.

    Examples
    --------
    >>> from bargain.testing import axioms
    >>> from bargain.testing.methods import METHODS
    >>> verdict = verdict_on(METHODS[0], axioms.non_conflict)
    >>> print(verdict.violation)
    player 1 is harmed: his gradient has a cosine of -0.948683 with the update
    """
    for example in EXAMPLES:
        if example.axiom is axiom and method.name in example.methods:
            violation = violation_of(method, example)
            if violation is not None:
                return Verdict(axiom, False, 0, violation)
    return put_on_trial(method, axiom, examples=examples, seed=seed)


def examples_in_markdown(examples: Iterable[Example] = EXAMPLES) -> str:
    """Return every game, and under it what becomes of each method, in Markdown."""
    by_name = {method.name: method for method in METHODS}
    parts: list[str] = []
    for example in examples:
        game = ", ".join(_listed(row) for row in example.gradients)
        game += f", losses {_listed(example.losses)}" if example.losses else ""
        title = example.axiom.name.removesuffix(" (gradients)").capitalize()
        columns = ["update", "cosines"]
        columns += ["update then", "cosines then"] if example.change else []
        # Elsewhere the cosines are the finding.
        told = example.axiom in (axioms.efficiency, fairness)
        columns += ["finding"] if told else []
        lines = ["| method | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
        for name in example.methods:
            violation = violation_of(by_name[name], example)
            assert violation is not None, f"{name} keeps {example.axiom.name} in {game}"
            cells = [name]
            for exhibit in violation.exhibits:
                update, rows = np.asarray(exhibit.answer), gradients_of(exhibit.game)
                sizes = np.linalg.norm(rows, axis=1) * np.linalg.norm(update)
                cells += [_listed(update), _listed(rows @ update / sizes)]
            cells += [violation.finding] if told else []
            lines.append("| " + " | ".join(cells) + " |")
        change = f"; {example.change}." if example.change else "."
        parts.append("\n".join([f"**{title}**: gradients {game}{change}", "", *lines]))
    return "\n\n".join(parts)


def _listed(numbers: Any) -> str:
    """Return numbers to three decimals, without a sign where they are zero."""
    return "(" + ", ".join(f"{round(float(number), 3) + 0.0:.4g}" for number in numbers) + ")"
