"""What the core needs from JAX beyond the standard."""

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

import jax
from jax import lax
from jax.core import Tracer

from bargain.backend import EagerBackend
from bargain.outcome import Outcome, Status
from bargain.solve import solve
from bargain_jax.derivative import in_full_precision, search_with_derivative

_compiling = ContextVar("_compiling", default=False)


class JaxBackend(EagerBackend):
    """Loops and solves that XLA compiles, with the implicit derivative."""

    def concrete(self, array: Any, /) -> bool:
        return not isinstance(array, Tracer)

    def while_loop(
        self, cond: Callable[[Any], Any], body: Callable[[Any], Any], state: Any, max_steps: int
    ) -> Any:
        if self.concrete(cond(state)):
            # Outside any transformation XLA would compile the loop anew at every call.
            return super().while_loop(cond, body, state, max_steps)
        cond, cond_inputs = _without_derivative(cond, state)
        body, body_inputs = _without_derivative(body, state)
        _, state = lax.while_loop(
            lambda carry: (carry[0] < max_steps) & cond(carry[1], *cond_inputs),
            lambda carry: (carry[0] + 1, body(carry[1], *body_inputs)),
            (0, lax.stop_gradient(state)),
        )
        return state

    def solve_spd(self, matrix: Any, rhs: Any, /) -> Any:
        factor = lax.linalg.cholesky(matrix, symmetrize_input=False)
        solve_triangular = partial(lax.linalg.triangular_solve, factor, left_side=True, lower=True)
        half = solve_triangular(rhs[..., None])
        return solve_triangular(half, transpose_a=True)[..., 0]

    def positive_definite(self, matrix: Any, /) -> Any:
        factor = lax.linalg.cholesky(lax.stop_gradient(matrix), symmetrize_input=False)
        return ~jax.numpy.isnan(factor[..., -1, -1])

    def attach_derivative(self, search: Callable[..., Any], /) -> Callable[..., Any]:
        return partial(search_with_derivative, search)

    def shortcut(self, game: Any, solution: Any, solver: Any, /, **options: Any) -> Any:
        if _compiling.get():
            return None
        outcome = _compiled(game, solution, solver, **options)
        single = game.gram.ndim == 2 and self.concrete(outcome.status)
        # The core looks at the values, and says what is wrong with them.
        return None if single and int(outcome.status) == Status.NONFINITE else outcome


@partial(jax.jit, static_argnames=("solution", "solver", "max_steps", "precision"))
def _compiled(
    game: Any, solution: Any, solver: Any, *, start: Any, max_steps: int, precision: float
) -> Outcome:
    """Solve in one piece, compiled once for every shape and type."""
    token = _compiling.set(True)
    try:
        with in_full_precision():
            return solve(
                game, solution, solver, start=start, max_steps=max_steps, precision=precision
            )
    finally:
        _compiling.reset(token)


def _without_derivative(function: Callable[[Any], Any], state: Any) -> tuple[Any, Any]:
    """Turn what a function closes over into arguments that carry no derivative.

    Loops end at solutions, whose derivatives are implicit; XLA's have none in reverse mode anyway.
    """
    function, inputs = jax.closure_convert(function, state)
    return function, lax.stop_gradient(inputs)
