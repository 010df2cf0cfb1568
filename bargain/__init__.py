"""Many objectives, one decision, decided by a bargaining solution that comes with its proof."""

from bargain.ccp import CCP
from bargain.certificate import certify
from bargain.fixed_point import FixedPoint
from bargain.games import GradientGame
from bargain.gradients import combine, gram
from bargain.interior_point import InteriorPoint
from bargain.lengths import rescale
from bargain.newton import Newton
from bargain.outcome import Certificate, Outcome, Status
from bargain.solutions import Nash
from bargain.solve import nash, solve

__version__ = "0.1.0"

__all__ = [
    "CCP",
    "Certificate",
    "FixedPoint",
    "GradientGame",
    "InteriorPoint",
    "Nash",
    "Newton",
    "Outcome",
    "Status",
    "certify",
    "combine",
    "gram",
    "nash",
    "rescale",
    "solve",
]
