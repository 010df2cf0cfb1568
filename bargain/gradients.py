"""From gradients to Gram matrices, and from coefficients to an update."""

from collections.abc import Iterator, Sequence
from typing import Any

from array_api_compat import array_namespace, device, is_array_api_obj

from bargain.games import check_floating
from bargain.shapes import Array, Float
from bargain.trees import leaves_of, map_leaves, require_trees

BLOCK = 2**20
"""Numbers that are gathered at a time; all the memory that ``gram`` takes beside its result."""


def gram(gradients: Any, /, *, dtype: Any = None) -> Float[Array, "*batch K K"]:
    """Compute the Gram matrix of K gradients, ``gram[i, j] = <g_i, g_j>``.

    Reads every number once, block by block; gradients given as pytrees are never concatenated.

    Parameters
    ----------
    gradients : Array or sequence of pytrees
        An array of shape ``(*batch, K, P)``, or a sequence of K gradients: arrays of equal shape,
        or nested dicts, lists and tuples of them with equal structure. In u.
    dtype : dtype, optional
        The type to accumulate in and to return. Default: that of the gradients, at least float32.

    Returns
    -------
    Array
        Shape ``(*batch, K, K)``, in u².

    Raises
    ------
    TypeError
        Something is no array, or not of a floating-point type.
    ValueError
        There is no gradient, or shapes or structures differ.

    Examples
    --------
    >>> import numpy, bargain
    >>> bargain.gram(numpy.asarray([[1.0, 2.0], [0.0, 1.0]]))
    array([[5., 2.],
           [2., 1.]])
    >>> first = {"weight": numpy.ones((2, 2)), "bias": numpy.zeros(2)}
    >>> second = {"weight": numpy.eye(2), "bias": numpy.ones(2)}
    >>> bargain.gram([first, second])
    array([[4., 2.],
           [2., 4.]])
    """
    if is_array_api_obj(gradients):
        if gradients.ndim < 2 or gradients.shape[-2] == 0:
            raise ValueError(
                f"gradients: expected shape (*batch, K, P) with K >= 1, found "
                f"{tuple(gradients.shape)}; for gradients as parameters are shaped pass a list"
            )
        players, size = gradients.shape[-2:]
        width = max(1, BLOCK // players)
        blocks = (gradients[..., k : min(k + width, size)] for k in range(0, size, width))
        return _sum_of_products(gradients, blocks, dtype)
    trees = require_trees(gradients)
    leaves = leaves_of(trees, "gradient")
    if not leaves:
        raise ValueError("gradients: expected arrays, found none; pass each player's gradient")
    return _sum_of_products(leaves[0][0], _gathered(leaves), dtype)


def combine(coefficients: Float[Array, "*batch K"], gradients: Any, /) -> Any:
    """Combine gradients into one update, ``sum(coefficients_i * gradient_i)``.

    Parameters
    ----------
    coefficients : Array
        Shape ``(K,)``, or ``(*batch, K)`` for an array of gradients; in 1/u.
    gradients : Array or sequence of pytrees
        As in :func:`bargain.gram`.

    Returns
    -------
    Array or pytree
        Shape ``(*batch, P)``, or a pytree like one of the gradients; types are theirs. Sums of
        half-precision numbers are accumulated in float32.

    Raises
    ------
    TypeError
        Something is no array, or not of a floating-point type.
    ValueError
        The numbers of coefficients and gradients differ, or shapes or structures do.

    Examples
    --------
    >>> import numpy, bargain
    >>> bargain.combine(numpy.asarray([0.5, 2.0]), numpy.asarray([[2.0, 0.0], [0.0, 1.0]]))
    array([1., 2.])
    >>> bargain.combine(numpy.asarray([1.0, 2.0]), [{"w": numpy.ones(2)}, {"w": numpy.eye(2)[0]}])
    {'w': array([3., 1.])}
    """
    if not is_array_api_obj(coefficients) or coefficients.ndim < 1:
        raise TypeError(
            f"coefficients: expected an array of shape (*batch, K), found "
            f"{type(coefficients).__name__}; pass the coefficients of an outcome"
        )
    count = coefficients.shape[-1]
    if is_array_api_obj(gradients):
        if gradients.ndim < 2 or gradients.shape[-2] != count:
            raise ValueError(
                f"gradients: expected shape (*batch, {count}, P) for {count} coefficients, found "
                f"{tuple(gradients.shape)}; give one gradient for each coefficient"
            )
        xp = array_namespace(gradients)
        working = _working_type(gradients, None)
        row = xp.astype(coefficients, working)[..., None, :]
        return xp.astype(
            (row @ xp.astype(gradients, working, copy=False))[..., 0, :], gradients.dtype
        )
    trees = require_trees(gradients)
    if len(trees) != count or coefficients.ndim != 1:
        raise ValueError(
            f"gradients: expected one for each of the coefficients of shape "
            f"{tuple(coefficients.shape)}, found {len(trees)}; batches need an array of gradients"
        )
    return map_leaves(lambda leaves: _weighted_sum(coefficients, leaves), trees, "gradient")


def _weighted_sum(coefficients: Array, leaves: Sequence[Array]) -> Array:
    first = leaves[0]
    xp = array_namespace(first)
    working = _working_type(first, None)
    factors = xp.astype(coefficients, working)
    total = factors[0] * xp.astype(first, working, copy=False)
    for k in range(1, len(leaves)):
        total = total + factors[k] * xp.astype(leaves[k], working, copy=False)
    return xp.astype(total, first.dtype, copy=False)


def _sum_of_products(example: Array, blocks: Iterator[Array], dtype: Any) -> Array:
    xp = array_namespace(example)
    working = _working_type(example, dtype)
    total = None
    for block in blocks:
        rows = xp.astype(block, working, copy=False)
        product = rows @ xp.matrix_transpose(rows)
        total = product if total is None else total + product
    if total is None:  # gradients without entries
        players = example.shape[-2] if example.ndim > 1 else 1
        total = xp.zeros(
            (*example.shape[:-2], players, players), dtype=working, device=device(example)
        )
    # Exactly symmetric, whatever order the library sums in.
    return (total + xp.matrix_transpose(total)) / 2


def _gathered(leaves: list[tuple[Array, ...]]) -> Iterator[Array]:
    """Yield the gradients' numbers as matrices of K rows and few columns."""
    for players in leaves:
        xp = array_namespace(players[0])
        rows = [xp.reshape(leaf, (-1,)) for leaf in players]
        width = max(1, BLOCK // len(rows))
        size = rows[0].shape[0]
        for k in range(0, max(1, size), width):
            yield xp.stack([row[k : min(k + width, size)] for row in rows])


def _working_type(example: Array, dtype: Any) -> Any:
    """Return the type to accumulate in: as asked, else the array's own but at least float32."""
    xp = array_namespace(example)
    check_floating("gradients", example)
    if dtype is not None:
        return dtype
    return xp.float32 if xp.finfo(example.dtype).bits < 32 else example.dtype
