"""The multi-task field's methods before the laboratory: what theory says of them, and trials.

A method is a function from a game to an update, shape ``(P,)``, which is subtracted from the
parameters. Reasons are on the page of the documentation about methods.
"""

from collections.abc import Iterable

from bargain.testing.axiom import Axiom
from bargain.testing.gradient_games import gradient_tables
from bargain.testing.gradient_methods import GRADIENT_METHODS, independent
from bargain.testing.laboratory import EXAMPLES, check_axioms
from bargain.testing.loss_games import loss_games
from bargain.testing.loss_methods import LOSS_METHODS
from bargain.testing.method import METHOD_AXIOMS, Method
from bargain.testing.report import Verdict

PATIENCE = 20
"""How much longer to look for a counter-example that theory promises."""

METHODS = (*GRADIENT_METHODS, *LOSS_METHODS)
"""The methods: those that see gradients, of them bargaining solutions first, then the others."""


def put_on_trial(
    method: Method, axiom: Axiom, *, examples: int = EXAMPLES, seed: int = 0
) -> Verdict:
    """Look for a game in which a method violates an axiom, where theory speaks of it.

    Parameters
    ----------
    method : Method
        The method.
    axiom : Axiom
        Which.
    examples : int
        How many games; where theory denies the axiom up to twenty times as many.
    seed : int
        The same seed tries the same games.

    Returns
    -------
    Verdict
        For independent gradients only, where the axiom fails for dependent ones alone.

    Examples
    --------
    >>> from bargain.testing.fairness import fairness
    >>> from bargain.testing.methods import METHODS, put_on_trial
    >>> [put_on_trial(method, fairness, examples=20).holds for method in METHODS[2:4]]
    [False, True]
    """
    draw = loss_games if method.sees_losses else gradient_tables
    games = draw((2, 2)), draw((3, 3)), draw((2, 4))
    domain = independent if axiom in method.dependent else method.domain
    patience = PATIENCE if axiom in method.denied else 1
    report = check_axioms(
        method.update, [axiom], games, domain=domain, examples=patience * examples, seed=seed
    )
    return report.verdicts[0]


def table_of_methods(methods: Iterable[Method] = METHODS) -> str:
    """Return theory as a table in Markdown, a row for each method."""
    names = (axiom.name.removesuffix(" (gradients)") for axiom in METHOD_AXIOMS)
    lines = ["| method | " + " | ".join(names) + " |", "|---|" + "---|" * len(METHOD_AXIOMS)]
    for method in methods:
        marks = " | ".join(method.mark(axiom) for axiom in METHOD_AXIOMS)
        lines.append(f"| {method.name} | {marks} |")
    return "\n".join(lines)
