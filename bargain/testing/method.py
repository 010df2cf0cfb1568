"""A multi-task method, and what it is asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bargain.shapes import Array
from bargain.testing import axioms
from bargain.testing.axiom import Axiom
from bargain.testing.fairness import fairness

METHOD_AXIOMS: tuple[Axiom, ...] = (
    axioms.gradient_equivariance,
    axioms.isometry,
    axioms.gradient_common_scale,
    axioms.gradient_covariance,
    axioms.non_conflict,
    axioms.efficiency,
    fairness,
)
"""What methods are asked; none of them knows a radius, so homogeneity in it would be idle."""


@dataclass(frozen=True)
class Method:
    """A row of the table: a method, and what theory denies it.

    Parameters
    ----------
    name : str
        What it is called.
    update : callable
        From gradients, shape ``(K, P)``, or a :class:`bargain.testing.LossGame`, to the update,
        shape ``(P,)``.
    denied : tuple of Axiom
        What it violates in some game of independent gradients.
    dependent : tuple of Axiom
        What it violates only in games whose gradients are linearly dependent.
    domain : callable, optional
        The games whose numbers it can tell from rounding; default: all.
    sees_losses : bool
        Whether it takes games with losses and not plain gradients.
    """

    name: str
    update: Callable[[Any], Array]
    denied: tuple[Axiom, ...] = ()
    dependent: tuple[Axiom, ...] = ()
    domain: Callable[[Any], bool] | None = None
    sees_losses: bool = False

    def mark(self, axiom: Axiom) -> str:
        """Return what theory says: ``"✓"``, ``"✗"``, or ``"(✓)"`` for independent gradients."""
        return "✗" if axiom in self.denied else "(✓)" if axiom in self.dependent else "✓"
