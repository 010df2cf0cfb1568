"""Proportional fairness of an update: what Nash's solution alone satisfies."""

import numpy as np

from bargain.testing.axiom import Axiom
from bargain.testing.cone import cosines_of, margin_of
from bargain.testing.directions import LEAST_MARGIN
from bargain.testing.trial import Trial


def _fairness(trial: Trial) -> None:
    game = trial.game
    trial.require(margin_of(game) > LEAST_MARGIN)
    gains = trial.ask(game)
    trial.blame(
        np.where(gains > trial.tolerance, -np.inf, np.inf),
        lambda i: f"player {i + 1} gains nothing, so any gain of his is infinite in proportion",
    )
    # The best update for these relative gains is along sum u_i / gain_i, by Cauchy and Schwarz.
    relative = 1 / gains
    best = float(np.sqrt(relative @ cosines_of(game) @ relative)) / len(gains)
    trial.blame(
        best - 1,
        lambda _: (
            f"another update of the same length changes the gains by {best - 1:+.3g} on the mean"
        ),
    )


fairness = Axiom(
    "proportional fairness (gradients)",
    "No other update d' of the same length raises the mean of relative gains: "
    "sum <g_i, d' - d> / <g_i, d> <= 0.",
    "Kelly, Maulloo and Tan (1998)",
    _fairness,
)
