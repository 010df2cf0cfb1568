"""Direction and length are two things; these are the lengths that have a name."""

from typing import Any, Literal, get_args

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.canonical import apply_cosines, canonicalise, precision_of
from bargain.games import GradientGame, require_arrays, require_coefficients
from bargain.min_norm import min_norm
from bargain.shapes import Array, Float

Length = Literal["natural", "radius", "unit", "mean", "sum", "min-norm"]


def rescale(
    coefficients: Float[Array, "*batch K"],
    game: GradientGame,
    length: Length = "natural",
    *,
    maximum: float | None = None,
    precision: float | None = None,
) -> Float[Array, "*batch K"]:
    r"""Give an update another length and leave its direction alone.

    Parameters
    ----------
    coefficients : Array
        Shape ``(*batch, K)``: the coefficients of an outcome. Zeros (a disagreement) stay zeros.
    game : GradientGame
        The game that they answer.
    length : {"natural", "radius", "unit", "mean", "sum", "min-norm"}
        The length :math:`\|\sum_i \alpha_i g_i\|` wanted:

        - ``"natural"``: the root of the sum of weights, where the shares are the weights;
        - ``"radius"``: the game's radius;
        - ``"unit"``: one;
        - ``"mean"``: that of the mean gradient of the players inside (their plain average, which
          is what a learning rate tuned for equal weights expects);
        - ``"sum"``: that of their sum, K times as long;
        - ``"min-norm"``: that of the shortest convex combination of gradients (MGDA's), which
          vanishes towards Pareto stationary points.
    maximum : float, optional
        Shorten what is longer than this (1.0 in the published Nash-MTL).
    precision : float, optional
        As in :func:`bargain.solve`: the relative precision of the entries of the Gram matrix.

    Returns
    -------
    Array
        Shape ``(*batch, K)``; NaN where the game is none.

    Raises
    ------
    ValueError
        The length has no such name, ``maximum`` is not positive, ``precision`` is out of range, or
        shapes do not fit.
    TypeError
        The game holds no arrays, or the coefficients are none.

    Examples
    --------
    >>> import numpy, bargain
    >>> game = bargain.GradientGame(numpy.asarray([[9.0, 0.0], [0.0, 1.0]]))
    >>> outcome = bargain.solve(game)
    >>> bargain.rescale(outcome.coefficients, game, "unit").round(4)
    array([0.2357, 0.7071])
    """
    require_arrays(game)
    if length not in get_args(Length):
        raise ValueError(f"length: expected one of {', '.join(get_args(Length))}, found {length!r}")
    if maximum is not None and not maximum > 0:
        raise ValueError(f"maximum: expected a positive number, found {maximum}")
    expected = tuple(game.gram.shape[:-1])
    require_coefficients("coefficients", coefficients, expected)
    precision = precision_of(game.gram, precision)
    backend = backend_for(game.gram)
    quick = backend.shortcut_rescale(
        coefficients, game, length, maximum=maximum, precision=precision
    )
    if quick is not None:
        return quick
    xp = array_namespace(game.gram)
    canonical, frame = canonicalise(game, precision=precision)
    point = xp.where(canonical.inside, coefficients * frame.units, 0.0)
    largest = xp.max(xp.abs(point), axis=-1)[..., None]
    point = point / xp.where(largest > 0, largest, 1.0)
    present = _norm(canonical, point)
    wanted: Any
    if length == "natural":
        count = xp.sum(xp.astype(canonical.inside, point.dtype), axis=-1)
        wanted = xp.sqrt(frame.mean_weight * count)
    elif length == "radius":
        wanted = frame.radius
    elif length == "unit":
        wanted = xp.ones_like(frame.radius)
    elif length in ("mean", "sum"):
        units = xp.where(canonical.inside, frame.units, 0.0)
        biggest = xp.max(units, axis=-1)
        biggest = xp.where(biggest > 0, biggest, 1.0)
        count = xp.sum(xp.astype(canonical.inside, point.dtype), axis=-1)
        wanted = _norm(canonical, units / biggest[..., None]) * biggest
        if length == "mean":
            wanted = wanted / xp.where(count > 0, count, 1.0)
    else:
        wanted = min_norm(canonical, frame, backend)[1]
    if maximum is not None:
        wanted = xp.where(wanted > maximum, maximum * xp.ones_like(wanted), wanted)
    factor = wanted / xp.where(present > 0, present, 1.0)
    rescaled = xp.where(canonical.inside, point / frame.units * factor[..., None], 0.0)
    return xp.where(frame.valid[..., None], rescaled, xp.nan)


def _norm(canonical: Any, point: Array) -> Array:
    """Return the norm of a combination of unit gradients."""
    xp = array_namespace(point)
    power = xp.sum(point * apply_cosines(canonical, point), axis=-1)
    return xp.sqrt(xp.where(power > 0, power, 0.0))
