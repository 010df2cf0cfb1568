"""Norms of gradients whose squares would leave the range of floating-point numbers."""

from array_api_compat import array_namespace

from bargain.shapes import Array, Float


def norm(
    vector: Float[Array, "*batch K"], weights: Float[Array, "*batch K"] | float = 1.0, /
) -> Float[Array, "*batch 1"]:
    """Return the root of the weighted sum of squares, relative to the largest entry.

    Parameters
    ----------
    vector : Array
        Shape ``(*batch, K)``, finite.
    weights : Array or float
        Shape ``(*batch, K)``, at least zero.

    Returns
    -------
    Array
        Shape ``(*batch, 1)``.
    """
    xp = array_namespace(vector)
    largest = xp.max(xp.abs(vector), axis=-1)[..., None]
    relative = vector / xp.where(largest > 0, largest, 1.0)
    return largest * xp.sqrt(xp.sum(weights * relative**2, axis=-1)[..., None])
