"""The one loop that every solver runs in."""

from dataclasses import dataclass
from typing import Any, cast

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame
from bargain.evidence import Answer
from bargain.shapes import Array, Bool, Int
from bargain.solutions import Solution
from bargain.solver import Solver


@dataclass(frozen=True)
class Search:
    """A solver in its loop: from canonical games to their answers.

    A frozen dataclass, so that compilers may keep what they made of it.
    """

    solver: Solver
    solution: Solution
    max_steps: int

    def __call__(
        self, game: CanonicalGame, start: Array | None, running: Bool[Array, "*batch"]
    ) -> tuple[Answer, Int[Array, "*batch"]]:
        """Run each of the games asked for until it is done; also count its steps."""
        xp = array_namespace(game.cosines)
        solver, solution = self.solver, self.solution
        first = solver.init(game, solution, start)
        steps = xp.zeros(running.shape, dtype=xp.int32, device=device(running))

        def any_running(carry: Any) -> Any:
            return xp.any(carry[2])

        def advance(carry: Any) -> Any:
            state, steps, running = carry
            # A single game has ended where it is done; in a batch the others go on.
            new = solver.step(game, solution, state)
            state = select(running, new, state) if running.ndim else new
            steps = steps + xp.astype(running, steps.dtype)
            return state, steps, running & ~solver.done(game, solution, state)

        carry = (first, steps, running & ~solver.done(game, solution, first))
        while_loop = backend_for(game.cosines).while_loop
        state, steps, _ = while_loop(any_running, advance, carry, self.max_steps)
        return solver.answer(game, solution, state), steps


def select(where: Bool[Array, "*batch"], new: Any, old: Any) -> Any:
    """Take the new values where the mask holds and the old ones elsewhere, leaf by leaf."""
    if hasattr(new, "_fields"):
        rebuild = cast("Any", type(new))
        pairs: Any = zip(new, old, strict=True)
        return rebuild(*(select(where, *pair) for pair in pairs))
    mask = where[(..., *(None,) * (new.ndim - where.ndim))]
    return array_namespace(new).where(mask, new, old)
