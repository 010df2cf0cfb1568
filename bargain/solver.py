"""What a solver is: one file, four pure functions."""

from typing import Any, ClassVar, Protocol

from bargain.canonical import CanonicalGame
from bargain.evidence import Answer
from bargain.solutions import Solution


class Solver(Protocol):
    """What a solver implements: pure functions over a state that is a named tuple of arrays.

    A solver is a frozen dataclass of Python numbers. It reads canonical games (unit gradients,
    positive weights), loops over nothing and branches on no value; the driver owns the loop.
    """

    patience: ClassVar[int]
    """Steps after which the driver gives up, unless the caller says otherwise."""

    takes_disagreement: ClassVar[bool]
    """Whether it solves games with a disagreement point, too."""

    @property
    def tol(self) -> float:
        """Residual, dimensionless, at which the solver stops."""
        ...

    def init(self, game: CanonicalGame, solution: Solution, start: Any, /) -> Any:
        """Return the first state."""
        ...

    def step(self, game: CanonicalGame, solution: Solution, state: Any, /) -> Any:
        """Return the next state."""
        ...

    def done(self, game: CanonicalGame, solution: Solution, state: Any, /) -> Any:
        """Return for each game whether its state is final."""
        ...

    def answer(self, game: CanonicalGame, solution: Solution, state: Any, /) -> Answer:
        """Read the answer off a state."""
        ...


def check_tolerance(tol: float) -> None:
    """Raise unless a solver can reach its tolerance."""
    if not tol >= 0:
        raise ValueError(
            f"tol: expected a number of at least zero, found {tol}; zero stops where rounding does"
        )
