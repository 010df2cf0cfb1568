"""The one loop that every solver runs in."""

from typing import Any, cast

from array_api_compat import array_namespace, device

from bargain.backend import Backend
from bargain.canonical import CanonicalGame
from bargain.evidence import Answer
from bargain.shapes import Array, Bool, Int
from bargain.solutions import Solution
from bargain.solver import Solver


def iterate(
    backend: Backend,
    solver: Solver,
    solution: Solution,
    max_steps: int,
    game: CanonicalGame,
    origin: Array | None,
    valid: Bool[Array, "*batch"],
) -> tuple[Answer, Int[Array, "*batch"]]:
    """Run a solver on canonical games, each until it is done."""
    xp = array_namespace(game.cosines)
    first = solver.init(game, solution, origin)
    steps = xp.zeros(valid.shape, dtype=xp.int32, device=device(valid))
    running = valid & ~solver.done(game, solution, first)

    def any_running(carry: Any) -> Any:
        return xp.any(carry[2])

    def advance(carry: Any) -> Any:
        state, steps, running = carry
        # A single game has ended where it is done; in a batch the others go on.
        new = solver.step(game, solution, state)
        state = select(running, new, state) if running.ndim else new
        steps = steps + xp.astype(running, steps.dtype)
        return state, steps, running & ~solver.done(game, solution, state)

    state, steps, _ = backend.while_loop(any_running, advance, (first, steps, running), max_steps)
    return solver.answer(game, solution, state), steps


def select(where: Bool[Array, "*batch"], new: Any, old: Any) -> Any:
    """Take the new values where the mask holds and the old ones elsewhere, leaf by leaf."""
    if hasattr(new, "_fields"):
        rebuild = cast("Any", type(new))
        pairs: Any = zip(new, old, strict=True)
        return rebuild(*(select(where, *pair) for pair in pairs))
    mask = where[(..., *(None,) * (new.ndim - where.ndim))]
    return array_namespace(new).where(mask, new, old)
