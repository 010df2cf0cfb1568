"""Games: what can be agreed, what happens without agreement, and who has how much say."""

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device, is_array_api_obj

from bargain.narrowing import from_list
from bargain.shapes import Array, Bool, Float


class _GradientGame(NamedTuple):
    gram: Float[Array, "*batch K K"]
    weights: Float[Array, "*#batch K"] | None = None
    disagreement: Float[Array, "*#batch K"] | None = None
    radius: Any = 1.0
    active: Bool[Array, "*#batch K"] | None = None
    ideal: Float[Array, "*#batch K"] | None = None


class GradientGame(_GradientGame):
    r"""K players bargain over one update of bounded length.

    Player i holds a gradient :math:`g_i`. An agreement is an update :math:`\Delta` with
    :math:`\|\Delta\| \le` ``radius`` and gives him the utility :math:`u_i = \langle g_i,
    \Delta\rangle`, his gain to first order. Only the Gram matrix matters: :math:`\Delta = \sum_i
    \alpha_i g_i` and :math:`u = M\alpha`.

    The sign, once and for all: :math:`g_i` is the direction that *helps* player i. Where the
    gradients are those of losses, subtract the update from the parameters.

    Parameters
    ----------
    gram : Array
        Shape ``(*batch, K, K)``, floating point, in u² for gradients in u:
        ``gram[i, j] = <g_i, g_j>``, symmetric and positive semidefinite. See :func:`bargain.gram`.
    weights : Array or sequence of float, optional
        Shape ``(*batch, K)`` or one that broadcasts to it (or a list of K numbers), at least zero,
        not all zero: bargaining weights, used as given. A player of weight zero has no say.
        Default: all one.
    disagreement : Array or sequence of float, optional
        Like ``weights``, in units of utility: what each player has without an agreement. Default:
        zero, which is "do not move", and then only the direction is decided.
    radius : float or Array
        The longest update allowed, a positive number or an array of shape ``(*batch)``.
    active : Array or sequence of bool, optional
        Like ``weights``, boolean: players marked ``False`` are absent. Their rows of ``gram`` are
        not read (they may hold NaN). Default: everyone is there.
    ideal : Array or sequence of float, optional
        Like ``weights``: each player's best payoff, for the Kalai-Smorodinsky solution. Default:
        ``radius * ||g_i||``; with a disagreement point his best payoff among the updates that give
        nobody less than that.

    Raises
    ------
    TypeError
        An argument is no array, or not of a floating-point (``active``: boolean) type, or comes
        from another library than ``gram``.
    ValueError
        A shape or a device does not fit.

    Notes
    -----
    A game is a named tuple of arrays, hence a pytree in JAX and PyTorch; those rebuild it with
    leaves that are no arrays, and such skeletons pass unchecked until someone solves them.

    Examples
    --------
    >>> import numpy, bargain
    >>> game = bargain.GradientGame(numpy.asarray([[1.0, 0.0], [0.0, 4.0]]))
    >>> bargain.solve(game).coefficients
    array([1. , 0.5])
    """

    __slots__ = ()

    def __new__(
        cls,
        gram: Any,
        weights: Any = None,
        disagreement: Any = None,
        radius: Any = 1.0,
        active: Any = None,
        ideal: Any = None,
    ) -> "GradientGame":
        game = super().__new__(cls, gram, weights, disagreement, radius, active, ideal)
        if not is_array_api_obj(gram):
            return game
        _check_gram(gram)
        plain = weights is None and disagreement is None and active is None and ideal is None
        if not plain or type(radius) is not float:
            game = super().__new__(cls, gram, *_checked_companions(game))
        return game

    def _replace(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, /, **changes: Any
    ) -> "GradientGame":
        """Return a changed copy, checked like a new game."""
        return type(self)(**(self._asdict() | changes))


def payoffs_for(game: Any) -> Any:
    """Return the package that plays payoff games if the game is one of them, else None.

    It is imported when its first game is, and not before: most programs play gradient games only.
    """
    if isinstance(game, GradientGame):
        return None
    package = "bargain.payoffs"
    made_there = any(kind.__module__.startswith(package) for kind in type(game).__mro__)
    return import_module(package) if made_there else None


def require_arrays(game: GradientGame) -> None:
    """Raise unless the game holds a Gram matrix (and not a list, say, or a pytree's leaf)."""
    if not is_array_api_obj(game.gram):
        raise TypeError(
            f"gram: expected an array of NumPy, PyTorch, JAX or another Array API library, found "
            f"{type(game.gram).__name__}; convert it first, for example with numpy.asarray"
        )


def require_coefficients(name: str, values: Any, shape: tuple[int, ...]) -> None:
    """Raise unless something is an array with a coefficient for each player."""
    require_unmasked(name, values)
    if not is_array_api_obj(values):
        raise TypeError(
            f"{name}: expected an array like gram, found {type(values).__name__}; pass the "
            f"coefficients of an outcome"
        )
    if tuple(values.shape) != shape:
        raise ValueError(
            f"{name}: expected shape {shape}, a coefficient for each player, found "
            f"{tuple(values.shape)}; pass the coefficients of an outcome of the same game"
        )


def _check_gram(gram: Array) -> None:
    check_floating("gram", gram)
    shape = tuple(gram.shape)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ValueError(
            f"gram: expected shape (*batch, K, K), found {shape}; from a (K, P) matrix of "
            f"gradients make it with bargain.gram(gradients)"
        )
    if shape[-1] == 0:
        raise ValueError(
            f"gram: expected at least one player, found shape {shape}; pass a (K, K) matrix "
            f"with K >= 1"
        )


def _checked_companions(game: GradientGame) -> tuple[Any, ...]:
    """Everything but the Gram matrix, as arrays beside it where it was given as plain numbers."""
    gram = game.gram
    xp = array_namespace(gram)
    players = tuple(gram.shape)[:-1]
    checked = game._asdict()
    for name in ("weights", "disagreement", "active", "ideal"):
        value = checked[name]
        if value is None or (name != "active" and _is_row_of(value, gram)):
            continue
        if isinstance(value, (list, tuple)):
            value = from_list(name, value, gram)
        _check_companion(name, value, gram)
        if name != "active":
            check_floating(name, value)
        elif not xp.isdtype(value.dtype, "bool"):
            raise TypeError(
                f"active: expected booleans, found {value.dtype}; compare it first, as in "
                f"active > 0"
            )
        _check_broadcast(name, tuple(value.shape), players)
        checked[name] = value
    if is_array_api_obj(game.radius):
        _check_companion("radius", game.radius, gram)
        _check_broadcast("radius", tuple(game.radius.shape), players[:-1])
    elif not isinstance(game.radius, (int, float)):
        raise TypeError(
            f"radius: expected a number or an array, found {type(game.radius).__name__}"
        )
    return tuple(checked[name] for name in game._fields[1:])


def _is_row_of(value: Any, gram: Array) -> bool:
    """Whether something is an array as the rows of the Gram matrix are: nothing else to check."""
    return (
        type(value) is type(gram)
        and value.dtype == gram.dtype
        and value.shape == gram.shape[:-1]
        and device(value) == device(gram)
    )


def require_unmasked(name: str, value: Any) -> None:
    """Raise if an array is one of NumPy's masked ones, which pass for plain ones."""
    if type(value).__name__ == "MaskedArray":
        raise TypeError(
            f"{name}: expected a plain array, found a masked one; fill it, or give active"
        )


def check_floating(name: str, value: Array) -> None:
    """Raise unless an array holds real floating-point numbers."""
    require_unmasked(name, value)
    if not _is_real_floating(array_namespace(value), value.dtype):
        raise TypeError(
            f"{name}: expected a real floating-point type, found {value.dtype}; convert it, for "
            f"example to float64"
        )


@cache
def _is_real_floating(namespace: Any, dtype: Any) -> bool:
    return bool(namespace.isdtype(dtype, "real floating"))


def _check_companion(name: str, value: Array, gram: Array) -> None:
    require_unmasked(name, value)
    if not is_array_api_obj(value):
        raise TypeError(
            f"{name}: expected a list of numbers, one for each player, or an array of the library "
            f"that gram comes from, found {type(value).__name__}; convert it first"
        )
    theirs, ours = array_namespace(value), array_namespace(gram)
    if theirs is not ours:
        raise TypeError(
            f"{name}: expected an array of {ours.__name__} as gram is, found one of "
            f"{theirs.__name__}; convert one of them"
        )
    # While JAX traces, an array has no device yet.
    places = device(value), device(gram)
    if None not in places and places[0] != places[1]:
        raise ValueError(
            f"{name}: expected it on {device(gram)} where gram is, found it on {device(value)}; "
            f"move one of them"
        )


def _check_broadcast(name: str, shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    fits = len(shape) <= len(target) and all(
        ours in (1, theirs) for ours, theirs in zip(shape[::-1], target[::-1], strict=False)
    )
    if not fits or (name != "radius" and shape[-1:] != target[-1:]):
        raise ValueError(
            f"{name}: expected shape {target} or one that broadcasts to it, found {shape}; give "
            f"one number for each player (for radius: one for each game)"
        )
