"""What every weighting reads of a Gram matrix: checked, and without a common scale."""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device, is_array_api_obj

from bargain.backend import Backend, backend_for
from bargain.canonical import CanonicalGame, Frame, canonicalise, precision_of
from bargain.games import GradientGame, require_arrays
from bargain.shapes import Array, Bool, Float
from bargain.validation import explain_invalid, indefinite


class Reading(NamedTuple):
    """A Gram matrix as the methods read it.

    Lengths are relative to the longest gradient: no method's coefficients depend on a common scale
    but FairGrad's, and products of lengths stay within the range of floating-point numbers.

    Attributes
    ----------
    cosines
        Shape ``(*batch, K, K)``: inner products of unit gradients; zero for a player without one.
    lengths
        Shape ``(*batch, K)``: the gradients' lengths, the longest is one.
    divisors
        Shape ``(*batch, K)``, positive: the lengths, and one for a player without a gradient.
    moving
        Shape ``(*batch, K)``: who has a gradient.
    weights
        Shape ``(*batch, K)``: the weights asked for, or ones.
    longest
        Shape ``(*batch)``, in u: the length of the longest gradient; one if there is none.
    valid
        Shape ``(*batch)``: whether the numbers can be a Gram matrix at all.
    precision
        Relative precision of the matrix's entries.
    game, frame, backend
        The canonical game, what leads back, and the arrays' backend.
    """

    cosines: Float[Array, "*batch K K"]
    lengths: Float[Array, "*batch K"]
    divisors: Float[Array, "*batch K"]
    moving: Bool[Array, "*batch K"]
    weights: Float[Array, "*batch K"]
    longest: Float[Array, "*batch"]
    valid: Bool[Array, "*batch"]
    precision: float
    game: CanonicalGame
    frame: Frame
    backend: Backend


def read_gram(gram: Array, weights: Any = None, /, *, precision: float | None = None) -> Reading:
    """Check a Gram matrix and take it apart.

    Parameters
    ----------
    gram
        Shape ``(*batch, K, K)``.
    weights
        Shape ``(*batch, K)`` or one that broadcasts to it, or a list; default: ones.
    precision
        Relative precision of the entries; default: the machine epsilon of their type.

    Returns
    -------
    Reading
        What the methods read; a harmless stand-in where it is not valid.

    Raises
    ------
    TypeError
        Something is no array, or not of a floating-point type.
    ValueError
        A shape does not fit; or, for one concrete matrix, the numbers are no Gram matrix.
    """
    game = GradientGame(gram, weights)
    require_arrays(game)
    xp = array_namespace(gram)
    backend = backend_for(gram)
    precision = precision_of(gram, precision)
    canonical, frame = canonicalise(game, precision=precision)
    valid = frame.valid & ~indefinite(frame, backend, precision)
    if gram.ndim == 2 and backend.concrete(valid) and not bool(valid):
        explain_invalid(game, frame, precision)
    if precision > xp.finfo(gram.dtype).eps:
        canonical, frame = _made_definite(canonical, frame)
    moving = (frame.norms > 0) & valid[..., None]
    longest = xp.max(xp.where(moving, frame.norms, 0.0), axis=-1)
    longest = xp.where(longest > 0, longest, 1.0)
    lengths = xp.where(moving, frame.norms / longest[..., None], 0.0)
    asked = xp.ones_like(lengths)
    if game.weights is not None:
        asked = xp.where(valid[..., None], xp.astype(game.weights, gram.dtype) * asked, 1.0)
    divisors = xp.where(moving, lengths, 1.0)
    return Reading(
        frame.cosines,
        lengths,
        divisors,
        moving,
        asked,
        longest,
        valid,
        precision,
        canonical,
        frame,
        backend,
    )


def _made_definite(game: CanonicalGame, frame: Frame) -> tuple[CanonicalGame, Frame]:
    """Shrink cosines as far as rounding in a lower precision has left an eigenvalue below zero.

    The methods work in the type of the matrix, where such an eigenvalue would be no rounding.
    """
    xp = array_namespace(frame.cosines)
    players = frame.cosines.shape[-1]
    identity = xp.eye(players, dtype=frame.cosines.dtype, device=device(frame.cosines))
    smallest = xp.min(xp.linalg.eigvalsh(frame.cosines), axis=-1)
    shrunk = (1 + xp.where(smallest < 0, -smallest, 0.0))[..., None, None]
    found, inside = (
        xp.where(identity > 0, cosines, cosines / shrunk)
        for cosines in (frame.cosines, game.cosines)
    )
    return game._replace(cosines=inside), frame._replace(cosines=found)


def write(reading: Reading, coefficients: Float[Array, "*batch K"], /) -> Float[Array, "*batch K"]:
    """Return coefficients, and NaN for the matrices of a batch that are no Gram matrices."""
    xp = array_namespace(coefficients)
    return xp.where(reading.valid[..., None], coefficients, xp.nan)


def apply(matrix: Float[Array, "*batch K K"], vector: Float[Array, "*#batch K"], /) -> Array:
    """Multiply a matrix, or each of a batch, with a vector."""
    return (matrix @ vector[..., None])[..., 0]


def read_order(order: Any, gram: Array, /) -> Array:
    """Check the orders in which players visit one another.

    Parameters
    ----------
    order
        Shape ``(*batch, K, K)`` or one that broadcasts to it: integers, every row a permutation.
    gram
        Shape ``(*batch, K, K)``.

    Returns
    -------
    Array
        Shape ``(*batch, K, K, K)``, boolean: ``[..., t, i, j]`` says whether player i visits
        player j at his turn t. Nobody visits himself.

    Raises
    ------
    TypeError
        It holds no integers, or comes from another library than ``gram``.
    ValueError
        The shape does not fit, or a row is no permutation.
    """
    xp = array_namespace(gram)
    if isinstance(order, (list, tuple)):
        order = xp.asarray(order, device=device(gram))
    if not is_array_api_obj(order) or array_namespace(order) is not xp:
        raise TypeError(
            f"order: expected an array of the library that gram comes from, found "
            f"{type(order).__name__}; convert it first"
        )
    if not xp.isdtype(order.dtype, "integral"):
        raise TypeError(f"order: expected integers, found {order.dtype}; number players from 0")
    shape, target = tuple(order.shape), tuple(gram.shape)
    players = target[-1]
    fits = len(shape) <= len(target) and all(
        ours in (1, theirs) for ours, theirs in zip(shape[::-1], target[::-1], strict=False)
    )
    if not fits or shape[-1:] != (players,):
        raise ValueError(
            f"order: expected shape {target} or one that broadcasts to it, found {shape}; give "
            f"each player a permutation of all {players} players, his own place is skipped"
        )
    numbers = xp.arange(players, dtype=order.dtype, device=device(gram))
    sorted_order = xp.sort(order, axis=-1)
    if backend_for(order).concrete(order) and not bool(xp.all(sorted_order == numbers)):
        raise ValueError(
            f"order: expected every row to hold each of 0 to {players - 1} once, found others; "
            f"draw permutations, for example with numpy.random.Generator.permuted"
        )
    order = xp.broadcast_to(order, target)
    visits = order[..., :, :, None] == numbers
    others = numbers[:, None] != numbers
    # From [player, turn, whom] to [turn, player, whom].
    return xp.moveaxis(visits, -2, -3) & others
