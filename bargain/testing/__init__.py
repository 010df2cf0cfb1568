"""A laboratory for bargaining solutions: the axioms, games to try them on, and verdicts.

It needs Hypothesis, which comes with the extra ``testing``, and NumPy and SciPy. Nothing else in
:mod:`bargain` imports it.
"""

from bargain.testing import axioms, rules
from bargain.testing.axiom import Axiom
from bargain.testing.axioms import GRADIENT_AXIOMS, PAYOFF_AXIOMS
from bargain.testing.gradient_games import gradient_games, gradient_tables
from bargain.testing.laboratory import assert_axiom, check_axioms
from bargain.testing.loss_games import LossGame, loss_games
from bargain.testing.method import METHOD_AXIOMS, Method
from bargain.testing.methods import METHODS
from bargain.testing.payoff_classes import (
    any_numbers,
    badly_scaled,
    collinear,
    duplicated,
    few_outcomes,
    near_frontier,
    small_integers,
)
from bargain.testing.payoff_games import (
    has_comparable_units,
    has_one_maximiser,
    payoff_games,
    with_weights,
)
from bargain.testing.report import Report, Verdict
from bargain.testing.trial import Exhibit, Failure, Trial, Violation

__all__ = [
    "GRADIENT_AXIOMS",
    "METHODS",
    "METHOD_AXIOMS",
    "PAYOFF_AXIOMS",
    "Axiom",
    "Exhibit",
    "Failure",
    "LossGame",
    "Method",
    "Report",
    "Trial",
    "Verdict",
    "Violation",
    "any_numbers",
    "assert_axiom",
    "axioms",
    "badly_scaled",
    "check_axioms",
    "collinear",
    "duplicated",
    "few_outcomes",
    "gradient_games",
    "gradient_tables",
    "has_comparable_units",
    "has_one_maximiser",
    "loss_games",
    "near_frontier",
    "payoff_games",
    "rules",
    "small_integers",
    "with_weights",
]
