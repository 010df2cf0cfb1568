"""Axioms of gradient games: about the direction of an update, whatever its length.

What a player gains is the cosine between his gradient and the update. Where a combination of
gradients vanishes there is no agreement, and directions are rounding: the axioms leave such games
alone.
"""

from typing import Any, cast

import numpy as np
from hypothesis import strategies as st

from bargain.games import GradientGame
from bargain.shapes import Array
from bargain.testing.axiom import Axiom
from bargain.testing.cone import cosines_of, gram_of, margin_of, nearest_mixture, rows_of
from bargain.testing.invariance import SCALES
from bargain.testing.loss_games import LossGame, gradients_of
from bargain.testing.trial import Trial

LEAST_MARGIN = 1e-3
"""Games whose unit gradients have a convex combination shorter than this count as stationary."""
TURN = np.asarray([[0.6, -0.8], [0.8, 0.6]])


def _settled(trial: Trial) -> Any:
    trial.require(margin_of(trial.game) > LEAST_MARGIN)
    return trial.game


def _with_gradients(game: Any, change: Array, order: list[int] | None = None) -> Any:
    """Return the game with each gradient (and its losses) multiplied, in another order."""
    order = list(range(len(change))) if order is None else order
    if isinstance(game, LossGame):
        rows = (change[:, None] * game.gradients)[order]
        return LossGame(rows, (change * game.losses)[order], (change * game.before)[order])
    if not isinstance(game, GradientGame):
        return (change[:, None] * game)[order]
    gram = change[:, None] * np.asarray(game.gram) * change
    moved = {
        name: np.asarray(value)[order]
        for name, value in game._asdict().items()
        if name not in ("gram", "radius") and value is not None
    }
    fields = game._asdict() | moved | {"gram": gram[np.ix_(order, order)]}
    return GradientGame(**fields)


def _compare(trial: Trial, other: Any, label: str, order: list[int], why: str) -> None:
    before, after = trial.ask(trial.game), trial.ask(other, label)
    expected = before[order]
    trial.blame(
        np.abs(after - expected),
        lambda i: (
            f"player {i + 1} has a cosine of {after[i]:.6g} with the update, but {why} makes "
            f"it {expected[i]:.6g}"
        ),
    )


def _equivariance(trial: Trial) -> None:
    game = _settled(trial)
    order = list(trial.choose(st.permutations(range(len(gram_of(game))))))
    other = _with_gradients(game, np.ones(len(order)), order)
    _compare(trial, other, "the game with other numbers for players", order, "his old number")


def _scaled(trial: Trial, common: bool) -> None:
    game = _settled(trial)
    count = len(gram_of(game))
    picked = [trial.choose(SCALES) for _ in range(1 if common else count)]
    other = _with_gradients(game, np.asarray(picked) * np.ones(count))
    label = "the game with other lengths of gradients"
    _compare(trial, other, label, list(range(count)), "the game before")


def _radius(trial: Trial) -> None:
    game = _settled(trial)
    trial.require(isinstance(game, GradientGame))
    factor = trial.choose(SCALES)
    other = game._replace(radius=factor * game.radius)
    order = list(range(len(game.gram)))
    _compare(trial, other, "the game with another radius", order, "the game before")


def _isometry(trial: Trial) -> None:
    game = _settled(trial)
    abstract = isinstance(game, GradientGame)
    gradients = rows_of(gram_of(game)) if abstract else gradients_of(game)
    count, size = gradients.shape
    first = trial.choose(st.integers(0, size - 1))
    # One more dimension, and a turn of it with one of the others by a Pythagorean angle.
    turned = np.hstack([gradients, np.zeros((count, 1))])
    turned[:, [first, size]] = turned[:, [first, size]] @ TURN
    other: Any = turned
    if isinstance(game, LossGame):
        other = LossGame(turned, game.losses, game.before)
    elif not isinstance(game, np.ndarray):
        other = game._replace(gram=turned @ turned.T)
    label = "the game with all gradients turned"
    _compare(trial, other, label, list(range(count)), "the game before")


def _non_conflict(trial: Trial) -> None:
    gains = trial.ask(_settled(trial))
    trial.blame(
        -gains,
        lambda i: (
            f"player {i + 1} is harmed: his gradient has a cosine of {gains[i]:.6g} with the update"
        ),
    )


def _efficiency(trial: Trial) -> None:
    game = _settled(trial)
    gains = trial.ask(game)
    rows = rows_of(cosines_of(game))
    inside = cast(Array, np.linalg.pinv(rows, rcond=1e-6) @ gains)
    mixture, distance = nearest_mixture(rows, inside)
    short = max(0.0, 1.0 - float(np.linalg.norm(inside)))
    better = mixture @ rows
    length = float(np.linalg.norm(better))
    trial.blame(
        max(distance, short),
        lambda _: (
            f"the update is no mixture of gradients with chances of at least zero; "
            f"{_mixed(mixture)} of the unit gradients has length {length:.6g}, no more than the "
            f"update's 1, and serves nobody less"
        ),
    )


def _mixed(mixture: Array) -> str:
    return "(" + ", ".join(f"{part:.3g}" for part in mixture) + ")"


equivariance = Axiom(
    "permutation equivariance (gradients)",
    "The order in which gradients are listed does not matter.",
    "Roth (1979)",
    _equivariance,
    fewest=2,
)
covariance = Axiom(
    "covariance (gradients)",
    "Lengths of gradients do not matter: g_i to a_i g_i with a_i > 0 leaves the direction.",
    "Nash (1950); Navon et al. (2022)",
    lambda trial: _scaled(trial, common=False),
)
common_scale = Axiom(
    "common scale (gradients)",
    "A common unit does not matter: g_i to a g_i with a > 0 leaves the direction.",
    "Roth (1979)",
    lambda trial: _scaled(trial, common=True),
)
non_conflict = Axiom(
    "non-conflict",
    "Nobody is harmed: <g_i, update> >= 0, unless the gradients cancel.",
    "Nash (1950), as individual rationality; Quinton and Rey (2024)",
    _non_conflict,
)
efficiency = Axiom(
    "Pareto (gradients)",
    "No other update of the same length helps everybody more: the update is a mixture of gradients "
    "with coefficients of at least zero.",
    "Désidéri (2012)",
    _efficiency,
)
radius_homogeneity = Axiom(
    "radius homogeneity",
    "How long an update may be does not matter for its direction.",
    "Navon et al. (2022)",
    _radius,
)
isometry = Axiom(
    "isometry invariance",
    "Only lengths and angles of gradients matter, not their coordinates.",
    "Quinton and Rey (2024)",
    _isometry,
)
