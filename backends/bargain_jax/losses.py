"""The linear map from changes of the parameters to changes of the losses, with its transpose.

It is the Jacobian of the losses, of which no row is formed before somebody asks for it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Tree = Any


class Linearised(NamedTuple):
    """Losses at a point, and how they change around it.

    Attributes
    ----------
    returned
        What ``losses_fn`` returned, as it returned it.
    players
        K, the number of losses.
    dtype
        The type of the vector of losses; float32 or wider.
    push
        From a change of the parameters to the change of the losses, shape ``(K,)``.
    pull
        From K factors to the combination of the losses' gradients, a pytree like the parameters.
    """

    returned: Tree
    players: int
    dtype: Any
    push: Callable[[Tree], jax.Array]
    pull: Callable[[jax.Array], Tree]


def linearise(losses_fn: Callable[..., Any], params: Tree, *args: Any, has_aux: bool) -> Linearised:
    """Evaluate the losses once, and keep what their derivatives need."""
    require_floating(params)

    def vector(params: Tree) -> tuple[jax.Array, Tree]:
        returned = losses_fn(params, *args)
        if has_aux and not (isinstance(returned, tuple) and len(returned) == 2):
            raise ValueError(
                f"losses_fn: expected a pair (losses, aux) because of has_aux=True, found "
                f"{type(returned).__name__}; return the pair, or leave has_aux out"
            )
        return as_vector(returned[0] if has_aux else returned), returned

    losses, push, returned = jax.linearize(vector, params, has_aux=True)
    transpose = jax.linear_transpose(push, params)
    return Linearised(
        returned, losses.shape[0], losses.dtype, push, lambda factors: transpose(factors)[0]
    )


def as_vector(losses: Tree) -> jax.Array:
    """Return losses as a vector of float32 or wider, or raise."""
    leaves = jax.tree.leaves(losses)
    shapes = [jnp.shape(leaf) for leaf in leaves]
    stacked = len(leaves) == 1 and leaves[0] is losses
    if (stacked and (len(shapes[0]) != 1 or not shapes[0][0])) or (
        not stacked and (not leaves or any(shapes))
    ):
        found = f"an array of shape {shapes[0]}" if stacked else f"leaves of shapes {shapes}"
        raise ValueError(
            f"losses_fn: expected losses as a vector of shape (K,) or a pytree of scalars, one for "
            f"each task, found {found}; reduce over examples, not over tasks"
        )
    vector = losses if stacked else jnp.stack([jnp.asarray(leaf) for leaf in leaves])
    if not jnp.issubdtype(vector.dtype, jnp.floating):
        raise TypeError(
            f"losses_fn: expected losses of a floating-point type, found {vector.dtype}; return "
            f"what the parameters are trained on"
        )
    return vector.astype(jnp.promote_types(vector.dtype, jnp.float32))


def require_floating(params: Tree) -> None:
    """Raise unless every parameter is an array of a floating-point type."""
    found = jax.tree_util.tree_flatten_with_path(params)[0]
    for path, leaf in found:
        kind = getattr(leaf, "dtype", type(leaf))
        if kind is not float and not (
            hasattr(leaf, "dtype") and jnp.issubdtype(kind, jnp.floating)
        ):
            name = getattr(kind, "__name__", kind)
            raise TypeError(
                f"params: expected floating-point arrays, found {name} at "
                f"params{jax.tree_util.keystr(path)}; pass only what is trained, as "
                f"equinox.partition or flax.nnx.split give it, and close over the rest"
            )
    if not found:
        raise ValueError("params: expected at least one array, found none; pass what is trained")
