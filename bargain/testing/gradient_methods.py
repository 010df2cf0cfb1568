"""Methods that see gradients, as functions to an update, and what theory denies them.

Dice and memory are held fixed: a verdict is about one step.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from bargain import baselines
from bargain.games import GradientGame
from bargain.shapes import Array
from bargain.testing import axioms, rules
from bargain.testing.cone import cosines_of, gram_of
from bargain.testing.fairness import fairness
from bargain.testing.method import Method

INDEPENDENT = 1e-4
"""Least eigenvalue of the cosines from which on gradients count as independent."""
RESOLVED = 1e-8
"""The same for eigenvalues of the Gram matrix, relative to the largest."""
DICE = 0.3
"""What GradDrop throws here in each coordinate: positive entries stay if their purity is more."""
TARGET = 0.5
"""What GradVac remembers here: all pairs of gradients had a cosine of one half."""


_field: Any = baselines


def _weighing(weighting: Callable[[Array], Any]) -> Callable[[Array], Array]:
    """Return the update that a weighting of gradients makes."""
    return lambda gradients: np.asarray(weighting(gradients @ gradients.T)) @ gradients


def _pcgrad(gram: Array) -> Array:
    return _field.pcgrad(gram, order=list(range(len(gram))))


def _gradvac(gram: Array) -> Array:
    state = _field.GradVacState(np.full_like(gram, TARGET))
    return _field.gradvac_update(gram, state, order=list(range(len(gram))))[0]


def _graddrop(gradients: Array) -> Array:
    return _field.graddrop(gradients, np.full(gradients.shape[1], DICE))


def _nash(gram: Array) -> Array:
    return rules.nash(GradientGame(gram))


def independent(game: Any) -> bool:
    """Whether the gradients of a game are linearly independent, by a margin."""
    return float(np.linalg.eigvalsh(cosines_of(game))[0]) > INDEPENDENT


def resolved(game: Any) -> bool:
    """Whether rounding hides no singular value of the gradients: the Gram matrix squares them."""
    values = np.linalg.eigvalsh(gram_of(game))
    return bool(values[0] > RESOLVED * values[-1])


_ORDER, _UNITS = axioms.gradient_equivariance, axioms.gradient_covariance
_HARM, _WASTE, _TURN = axioms.non_conflict, axioms.efficiency, axioms.isometry

GRADIENT_METHODS = (
    Method("linear scalarisation", _weighing(_field.linear), (_UNITS, _HARM, fairness)),
    Method("MGDA", _weighing(_field.mgda), (_UNITS, fairness)),
    Method("MGDA, normalised", _weighing(partial(_field.mgda, normalised=True)), (fairness,)),
    Method("Nash-MTL", _weighing(_nash)),
    Method("FairGrad, α = 2", _weighing(_field.fairgrad), (_UNITS, fairness)),
    Method("UPGrad", _weighing(_field.upgrad), (_UNITS, fairness)),
    Method("DualProj", _weighing(_field.dualproj), (_UNITS, fairness)),
    Method("CAGrad, c = 0.4", _weighing(_field.cagrad), (_UNITS, _HARM, fairness)),
    Method("ConFIG", _weighing(_field.config), (_WASTE, fairness), (_UNITS, _HARM)),
    Method("IMTL-G", _weighing(_field.imtl_g), (_UNITS, _HARM, _WASTE, fairness)),
    Method(
        "Aligned-MTL",
        _weighing(_field.aligned_mtl),
        (_UNITS, _HARM, _WASTE, fairness),
        domain=resolved,
    ),
    Method("PCGrad", _weighing(_pcgrad), (_ORDER, _UNITS, _HARM, fairness)),
    Method("GradVac", _weighing(_gradvac), (_ORDER, _UNITS, _HARM, fairness)),
    Method("GCS", _weighing(_field.gcs), (_ORDER, _UNITS, _HARM, fairness)),
    Method("GradDrop", _graddrop, (_TURN, _UNITS, _HARM, _WASTE, fairness)),
)
"""The methods, those that are bargaining solutions first."""
