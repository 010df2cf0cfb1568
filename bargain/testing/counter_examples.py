"""Games in small whole numbers in which the multi-task field's methods violate axioms.

One game often speaks against several methods.
"""

from typing import NamedTuple

from bargain.testing import axioms
from bargain.testing.axiom import Axiom
from bargain.testing.fairness import fairness


class Example(NamedTuple):
    """A game in which methods violate an axiom.

    Parameters
    ----------
    axiom : Axiom
        Which.
    gradients : tuple of tuple of float
        Shape ``(K, P)``, a row for each player.
    methods : tuple of str
        The names of the methods.
    change : str
        What is changed in the game, in words, if anything.
    choices : tuple
        The same for the axiom's check, as its ``choose`` is to return it, one after the other.
    losses : tuple of float
        The losses, now and before, for methods that see them; all one where it is empty.
    """

    axiom: Axiom
    gradients: tuple[tuple[float, ...], ...]
    methods: tuple[str, ...]
    change: str = ""
    choices: tuple[object, ...] = ()
    losses: tuple[float, ...] = ()


EXAMPLES = (
    Example(
        axioms.gradient_equivariance,
        ((1, 0, -1), (0, 0, 1), (0, 1, 1)),
        ("PCGrad", "GradVac", "GCS", "RLW"),
        "then listed the other way round",
        ([2, 1, 0],),
    ),
    Example(
        axioms.isometry,
        ((-1, 0), (1, 1)),
        ("GradDrop",),
        "then the first coordinate x becomes two, 0.6 x and -0.8 x",
        (0,),
    ),
    Example(
        axioms.gradient_common_scale,
        ((0, 1), (1, 1)),
        ("UW",),
        "then gradients and losses are a thousand times as large",
        (1000.0,),
        losses=(1, 4),
    ),
    Example(
        axioms.gradient_covariance,
        ((0, 1), (1, 1)),
        (
            "linear scalarisation",
            "MGDA",
            "FairGrad, α = 2",
            "UPGrad",
            "DualProj",
            "CAGrad, c = 0.4",
            "Aligned-MTL",
            "PCGrad",
            "GradVac",
            "GCS",
            "GradDrop",
            "LS",
            "RLW",
            "DWA",
            "UW",
        ),
        "then the first gradient is twice as long",
        (2.0, 1.0),
    ),
    Example(
        axioms.gradient_covariance,
        ((1, 1, 0), (1, -1, 0), (5, 0, 1)),
        ("IMTL-G",),
        "then the first two gradients are ten times as long",
        (10.0, 10.0, 1.0),
    ),
    Example(
        axioms.gradient_covariance,
        ((1, 0), (1, 0), (0, 1), (-4, 1)),
        ("ConFIG",),
        "then the last gradient is a thousand times as long",
        (1.0, 1.0, 1.0, 1000.0),
    ),
    Example(
        axioms.non_conflict,
        ((1, 0), (-4, 1)),
        (
            "linear scalarisation",
            "CAGrad, c = 0.4",
            "Aligned-MTL",
            "GradVac",
            "GCS",
            "GradDrop",
            "LS",
            "SI",
            "RLW",
            "DWA",
            "UW",
            "FAMO",
        ),
    ),
    Example(axioms.non_conflict, ((-1, 0, 1), (0, 0, -1), (1, 1, 1)), ("PCGrad",)),
    Example(axioms.non_conflict, ((10, 10, 0), (10, -10, 0), (5, 0, 1)), ("IMTL-G",)),
    Example(axioms.non_conflict, ((1, 0), (1, 0), (0, 1), (-4, 1)), ("ConFIG",)),
    Example(
        axioms.efficiency,
        ((1, 1, 0), (1, -1, 0), (5, 0, 1)),
        ("ConFIG", "IMTL-G", "Aligned-MTL"),
    ),
    Example(axioms.efficiency, ((-1, 1, 0), (1, 0, 1)), ("GradDrop",)),
    Example(
        fairness,
        ((1, 0, 0), (0, 1, 0), (-1, 0, 1)),
        (
            "linear scalarisation",
            "MGDA",
            "MGDA, normalised",
            "FairGrad, α = 2",
            "UPGrad",
            "DualProj",
            "CAGrad, c = 0.4",
            "ConFIG",
            "IMTL-G",
            "Aligned-MTL",
            "PCGrad",
            "GradVac",
            "GCS",
            "GradDrop",
            "LS",
            "SI",
            "RLW",
            "DWA",
            "UW",
            "FAMO",
        ),
    ),
)
"""For every "no" of the table one game."""
