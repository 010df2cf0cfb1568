"""Weightings of losses, as functions from games with losses to an update.

What a weighting remembers it has learned from the losses before, starting as its authors start.
Dice are held fixed: a verdict is about one step.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from bargain import baselines
from bargain.shapes import Array
from bargain.testing import axioms
from bargain.testing.fairness import fairness
from bargain.testing.loss_games import LossGame
from bargain.testing.method import Method

THROW = float(np.log(2))
"""What RLW throws here for the first task, for the others zero: he weighs twice as much."""

_field: Any = baselines


def _adding(weighting: Callable[[LossGame], Array]) -> Callable[[LossGame], Array]:
    """Return the update that a weighting of losses makes."""
    return lambda game: weighting(game) @ game.gradients


def _ls(game: LossGame) -> Array:
    return _field.ls(game.losses)


def _si(game: LossGame) -> Array:
    return _field.si(game.losses)


def _rlw(game: LossGame) -> Array:
    return _field.rlw(np.asarray([THROW, *np.zeros(len(game.losses) - 1)]))


def _dwa(game: LossGame) -> Array:
    state = _field.dwa_init(game.before)
    for losses in (game.before, game.losses):
        state = _field.dwa_update(state, losses)
    return _field.dwa(state)


def _uw(game: LossGame) -> Array:
    return _field.uw(_field.uw_update(_field.uw_init(game.before), game.before))


def _famo(game: LossGame) -> Array:
    state = _field.famo_update(_field.famo_init(game.before), game.before, game.losses)
    return _field.famo(state, game.losses)


_ORDER, _ALL_UNITS = axioms.gradient_equivariance, axioms.gradient_common_scale
_UNITS, _HARM = axioms.gradient_covariance, axioms.non_conflict

LOSS_METHODS = (
    Method("LS", _adding(_ls), (_UNITS, _HARM, fairness), sees_losses=True),
    Method("SI", _adding(_si), (_HARM, fairness), sees_losses=True),
    Method("RLW", _adding(_rlw), (_ORDER, _UNITS, _HARM, fairness), sees_losses=True),
    Method("DWA", _adding(_dwa), (_UNITS, _HARM, fairness), sees_losses=True),
    Method("UW", _adding(_uw), (_ALL_UNITS, _UNITS, _HARM, fairness), sees_losses=True),
    Method("FAMO", _adding(_famo), (_HARM, fairness), sees_losses=True),
)
"""The weightings of losses: those without a memory first."""
