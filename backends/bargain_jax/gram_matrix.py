"""Gram matrices of the gradients of several losses."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
from jax import lax
from jax.flatten_util import ravel_pytree
from jax.sharding import NamedSharding, PartitionSpec

from bargain_jax.derivative import in_full_precision
from bargain_jax.losses import Linearised, Tree, linearise

Method = Literal["auto", "rows", "products", "columns"]

MOST_NUMBERS = 2**26
"""``"auto"`` keeps K gradients at once up to so many numbers (256 MiB in float32)."""
CHUNK = 8
"""Gradients that ``"products"`` holds at once, and parameters that ``"columns"`` moves at once."""


def gram(
    losses_fn: Callable[..., Any],
    params: Tree,
    *args: Any,
    method: Method = "auto",
    chunk: int | None = None,
) -> jax.Array:
    r"""Compute the Gram matrix of the gradients of K losses with respect to shared parameters.

    With :math:`J` the Jacobian, :math:`M = J J^T`. The losses are evaluated once. Products are in
    the full precision of their type, also where a device would by default round them.

    Parameters
    ----------
    losses_fn : callable
        From ``(params, *args)`` to the losses: a vector of shape ``(K,)``, or a pytree of K
        scalars, whose order is that of ``jax.tree.leaves`` (dicts: by sorted keys).
    params : pytree of Array
        The shared parameters, a pytree of floating-point arrays with P numbers altogether.
    *args
        Passed on to ``losses_fn``.
    method : str
        - ``"rows"``: K backward passes at once; holds ``K * P`` numbers;
        - ``"products"``: ``chunk`` backward passes at once, each followed by a forward pass that
          gives a row of M; holds ``chunk * P`` numbers and takes about twice the time;
        - ``"columns"``: P forward passes, ``chunk`` at once; holds ``K * chunk`` numbers, for
          fewer parameters than losses;
        - ``"auto"``: columns where P is less than half of K, else rows where they are not more
          than ``bargain_jax.gram_matrix.MOST_NUMBERS`` numbers, else products.
    chunk : int, optional
        How many passes are vectorised at once. Default: all rows; 8 products or columns.

    Returns
    -------
    Array
        Shape ``(K, K)``, in u² for gradients in u; float64 if all parameters and losses are, else
        float32, whose rounding it has.

    Raises
    ------
    TypeError
        A parameter or a loss is not of a floating-point type.
    ValueError
        ``losses_fn`` returns neither a vector nor scalars, there are no parameters, or the method
        has no such name.

    Examples
    --------
    >>> import jax.numpy as jnp, bargain_jax
    >>> def losses(params, inputs):
    ...     return jnp.stack([jnp.sum(params * inputs), jnp.sum(params**2) / 2])
    >>> bargain_jax.gram(losses, jnp.asarray([1.0, 2.0]), jnp.asarray([3.0, 0.0])).tolist()
    [[9.0, 3.0], [3.0, 5.0]]
    """
    return gram_of(linearise(losses_fn, params, *args, has_aux=False), params, method, chunk)


def gram_of(losses: Linearised, params: Tree, method: Method, chunk: int | None) -> jax.Array:
    """Compute the Gram matrix of losses that have been linearised."""
    if method not in get_args(Method):
        raise ValueError(f"method: expected one of {', '.join(get_args(Method))}, found {method!r}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk: expected at least 1, found {chunk}")
    size = sum(jnp.size(leaf) for leaf in jax.tree.leaves(params))
    players = losses.players
    if method == "auto":
        many = players * size > MOST_NUMBERS
        method = "columns" if 2 * size < players else "products" if many else "rows"
    with in_full_precision():
        if method == "rows":
            product = gram_of_rows(_each(losses.pull, _basis(losses), chunk or players))
        elif method == "products":
            product = _each(lambda e: losses.push(losses.pull(e)), _basis(losses), chunk or CHUNK)
        else:
            product = _sum_over_columns(losses, params, min(chunk or CHUNK, size))
    types = [jnp.result_type(leaf) for leaf in jax.tree.leaves(params)]
    kind = working_type([losses.dtype, *types])
    # Exactly symmetric, whatever order the device sums in.
    return ((product + product.T) / 2).astype(kind)


def gram_of_rows(rows: Tree) -> jax.Array:
    """Compute the Gram matrix of gradients that are there, each leaf with a leading axis of K."""

    def product(leaf: jax.Array) -> jax.Array:
        axes = tuple(range(1, leaf.ndim))
        wide = jnp.promote_types(leaf.dtype, jnp.float32)
        return jnp.tensordot(
            leaf,
            leaf,
            (axes, axes),
            precision="highest",
            preferred_element_type=wide,
            **_replicated(leaf),
        )

    leaves = jax.tree.leaves(rows)
    first, *others = map(product, leaves)
    return sum(others, first).astype(working_type([leaf.dtype for leaf in leaves]))


def working_type(types: Sequence[Any]) -> Any:
    """Return the type that has the rounding of the products: float64 only if all factors are."""
    return jnp.float64 if all(kind == jnp.float64 for kind in types) else jnp.float32


def _replicated(leaf: jax.Array) -> dict[str, Any]:
    """Ask for a product on every device, where the mesh wants shardings to be spelled out."""
    mesh = jax.typeof(leaf).sharding.mesh if hasattr(jax, "typeof") else None
    if mesh is None or mesh.empty or not mesh.are_all_axes_explicit:
        return {}
    return {"out_sharding": NamedSharding(mesh, PartitionSpec())}


def _basis(losses: Linearised) -> jax.Array:
    return jnp.eye(losses.players, dtype=losses.dtype)


def _each(function: Callable[[jax.Array], Tree], rows: jax.Array, chunk: int) -> Tree:
    """Apply a function to every row, so many at once."""
    if chunk >= rows.shape[0]:
        return jax.vmap(function)(rows)
    return lax.map(function, rows, batch_size=chunk)


def _sum_over_columns(losses: Linearised, params: Tree, chunk: int) -> jax.Array:
    """Add up the outer products of the columns of the Jacobian."""
    flat, unravel = ravel_pytree(params)
    size = flat.size
    places = jnp.arange(chunk)

    def column(place: jax.Array) -> jax.Array:
        return losses.push(unravel((jnp.arange(size) == place).astype(flat.dtype)))

    def add(total: jax.Array, start: jax.Array) -> tuple[jax.Array, None]:
        # Past the last parameter the direction is zero, and so is what it adds.
        columns = jax.vmap(column)(start + places)
        return total + columns.T @ columns, None

    zeros = jnp.zeros((losses.players, losses.players), losses.dtype)
    return lax.scan(add, zeros, jnp.arange(0, size, chunk))[0]
