"""Numbers that are brought to the type of the Gram matrix, which may hold less than theirs."""

from functools import cache
from math import inf
from typing import Any

from array_api_compat import array_namespace, device, is_array_api_obj

from bargain.shapes import Array, Float


def narrowed(values: Any, like: Float[Array, "..."], /) -> Float[Array, "..."]:
    """Return numbers as an array of another's type, infinite where it cannot hold them.

    Some libraries warn where they convert what is too large, and under a filter that turns warnings
    into errors the user would never read the sentence that says which number it was.

    Parameters
    ----------
    values
        An array, or a plain number.
    like
        The array whose type and device the result has.
    """
    xp = array_namespace(like)
    _, most = _limits(xp, like.dtype)
    if not is_array_api_obj(values):
        values = inf if values > most else float(values)
        return xp.asarray(values, dtype=like.dtype, device=device(like))
    floating = xp.isdtype(values.dtype, "real floating")
    if floating and xp.finfo(values.dtype).bits > xp.finfo(like.dtype).bits:
        values = xp.where(values > most, inf, xp.where(values < -most, -inf, values))
    return xp.astype(values, like.dtype, copy=False)


def from_list(name: str, values: Any, gram: Array) -> Array:
    """Return an array beside the Gram matrix, of numbers, or for ``active`` of booleans."""
    xp = array_namespace(gram)
    flat = [*values]
    while flat and all(isinstance(entry, (list, tuple)) for entry in flat):
        flat = [inner for entry in flat for inner in entry]
    wanted = bool if name == "active" else (int, float)
    # Scalars of an array library are as good as Python's.
    strangers = {
        type(entry).__name__
        for entry in flat
        if not (isinstance(entry, wanted) or hasattr(entry, "dtype"))
    }
    if strangers:
        raise TypeError(
            f"{name}: expected {'True or False' if name == 'active' else 'a number'} for each "
            f"player, found {', '.join(sorted(strangers))}; give a list of K, in their order"
        )
    if name == "active":
        return xp.asarray(values, dtype=xp.bool, device=device(gram))
    _require_held(name, flat, gram)
    return xp.asarray(values, dtype=gram.dtype, device=device(gram))


def _require_held(name: str, numbers: list[Any], gram: Array) -> None:
    """Raise if a type cannot hold numbers: converted they would be infinite, or have no say."""
    least, most = _limits(array_namespace(gram), gram.dtype)
    for number in numbers:
        if not isinstance(number, (int, float)):
            continue
        size = abs(number)
        if most < size < inf or (name == "weights" and 0 < size < least):
            raise ValueError(
                f"{name}: expected numbers between {least:.3g} and {most:.3g}, which {gram.dtype} "
                f"can hold as gram has it, found {number:.3g}; scale them, or take another type"
            )


@cache
def _limits(namespace: Any, dtype: Any) -> tuple[float, float]:
    """Return the smallest and the largest normal number of a type."""
    limits = namespace.finfo(dtype)
    return float(limits.smallest_normal), float(limits.max)
