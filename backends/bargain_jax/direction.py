"""A training step's direction: what ``jax.value_and_grad`` is for one loss, for several."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer

import bargain
from bargain.faint import without_faint
from bargain.lengths import Length
from bargain.outcome import Outcome, Status
from bargain.solutions import Nash, Solution
from bargain.solver import Solver
from bargain_jax.gram_matrix import Method, gram_of
from bargain_jax.losses import Tree, linearise


def value_and_direction(
    losses_fn: Callable[..., Any],
    *,
    solution: Solution = Nash(),
    solver: Solver | None = None,
    weights: Any = None,
    length: Length = "mean",
    maximum: float | None = None,
    method: Method = "auto",
    chunk: int | None = None,
    has_aux: bool = False,
) -> Callable[..., tuple[Any, Tree, Outcome]]:
    """Make a function that evaluates losses and the direction on which their tasks agree.

    It stands where ``jax.value_and_grad`` stands for a single loss: the direction is a combination
    of loss gradients, to be *subtracted* from the parameters, as optax does with what it is given.
    It is zero where the tasks disagree (at a Pareto stationary point), and NaN where a gradient is
    NaN and the function is compiled; the outcome's status says so.

    Parameters
    ----------
    losses_fn : callable
        From ``(params, *args)`` to the losses, as in :func:`bargain_jax.gram`.
    solution, solver : Solution and Solver, optional
        As in :func:`bargain.solve`.
    weights : pytree or sequence of float, optional
        Bargaining weights: K numbers, or a pytree of them like the losses. Default: all one.
    length, maximum : str and float, optional
        The direction's length, as in :func:`bargain.rescale`. The default keeps the meaning of a
        learning rate that was tuned for the mean of the losses.
    method, chunk : str and int, optional
        How the Gram matrix is computed, as in :func:`bargain_jax.gram`.
    has_aux : bool
        Whether ``losses_fn`` returns a pair, the losses and something else to hand through.

    Returns
    -------
    Callable
        From ``(params, *args)`` to a tuple: what ``losses_fn`` returned, the direction (a pytree
        like ``params``), and the :class:`bargain.Outcome`. It works under ``jax.jit``.

    Raises
    ------
    TypeError, ValueError
        When called, as :func:`bargain_jax.gram` and :class:`bargain.GradientGame` do.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, bargain_jax
    >>> def losses(params):
    ...     return {"near": jnp.sum(params**2) / 2, "far": jnp.sum((params - 8.0) ** 2)}
    >>> step = jax.jit(bargain_jax.value_and_direction(losses, weights={"near": 1.0, "far": 3.0}))
    >>> values, direction, outcome = step(jnp.asarray([1.0, -1.0]))
    >>> outcome.shares.round(4).tolist()  # in the order of the sorted names: far, near
    [0.75, 0.25]
    """

    def evaluate(params: Tree, *args: Any) -> tuple[Any, Tree, Outcome]:
        losses = linearise(losses_fn, params, *args, has_aux=has_aux)
        product = gram_of(losses, params, method, chunk)
        names = losses.returned[0] if has_aux else losses.returned
        coefficients, outcome = agree(
            product, weights_of(weights, names, product.dtype), solution, solver, length, maximum
        )
        return losses.returned, losses.pull(coefficients.astype(losses.dtype)), outcome

    return evaluate


def agree(
    gram: jax.Array,
    weights: jax.Array | None,
    solution: Solution,
    solver: Solver | None,
    length: Length,
    maximum: float | None,
) -> tuple[jax.Array, Outcome]:
    """Solve a game, and return coefficients of the length asked for as well."""
    gram = without_faint(gram, float(jnp.finfo(gram.dtype).eps))
    coefficients, outcome = _agree(gram, weights, solution, solver, length, maximum)
    concrete = not isinstance(outcome.status, Tracer)
    if concrete and int(outcome.status) == Status.NONFINITE:
        # Outside jax.jit the core says what is wrong with the numbers.
        bargain.solve(bargain.GradientGame(gram, weights), solution, solver)
    return coefficients, outcome


@partial(jax.jit, static_argnums=(2, 3, 4, 5))
def _agree(
    gram: jax.Array,
    weights: jax.Array | None,
    solution: Solution,
    solver: Solver | None,
    length: Length,
    maximum: float | None,
) -> tuple[jax.Array, Outcome]:
    # Compiled as one, so that arrays on several devices meet where XLA wants them.
    game = bargain.GradientGame(gram, weights)
    outcome = bargain.solve(game, solution, solver)
    return bargain.rescale(outcome.coefficients, game, length, maximum=maximum), outcome


def weights_of(weights: Any, losses: Tree, dtype: Any) -> jax.Array | None:
    """Return weights as a vector in the order of the losses."""
    if weights is None or hasattr(weights, "dtype"):
        return weights if weights is None else jnp.asarray(weights, dtype)
    if not isinstance(weights, (list, tuple)):
        found, expected = jax.tree.structure(weights), jax.tree.structure(losses)
        if found != expected:
            raise ValueError(
                f"weights: expected a number for each loss, {expected}, found {found}; name every "
                f"task, or give a vector"
            )
    return jnp.stack([jnp.asarray(weight, dtype) for weight in jax.tree.leaves(weights)])
