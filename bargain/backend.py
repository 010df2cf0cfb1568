"""Backends: what the core needs from a framework beyond the Array API standard.

The core is written once against the standard. A backend adds one framework's control flow, its
linear algebra where that is faster or safer than the standard's, and its differentiation. It is
found by the name of the library that an array comes from, through the entry-point group
``bargain.backends``; a library without an entry gets :class:`EagerBackend`. So a stranger can add a
framework from outside::

    [project.entry-points."bargain.backends"]
    mylib = "my_package:backend"
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any, Protocol

from array_api_compat import array_namespace

from bargain.shapes import Array, Bool, Float

GROUP = "bargain.backends"


class Backend(Protocol):
    """What an adapter implements; subclass :class:`EagerBackend` and override what differs."""

    def concrete(self, array: Array, /) -> bool:
        """Tell whether the values of an array can be looked at, as they cannot while tracing.

        Parameters
        ----------
        array : Array
            An array of the library.

        Returns
        -------
        bool
            Whether they can.
        """
        ...

    def while_loop(
        self, cond: Callable[[Any], Any], body: Callable[[Any], Any], state: Any, max_steps: int
    ) -> Any:
        """Apply ``body`` to ``state`` while ``cond(state)`` holds, ``max_steps`` times at most.

        Parameters
        ----------
        cond : callable
            From a state to a boolean array without axes.
        body : callable
            From a state to the next one.
        state : tuple of arrays
            The first state, a tree of named tuples.
        max_steps : int
            How many times at most.

        Returns
        -------
        tuple of arrays
            The last state.
        """
        ...

    def solve_spd(
        self, matrix: Float[Array, "*batch K K"], rhs: Float[Array, "*batch K"], /
    ) -> Float[Array, "*batch K"]:
        """Solve a symmetric positive definite system, or a batch of them.

        Parameters
        ----------
        matrix : Array
            Shape ``(*batch, K, K)``. One that is not positive definite may give NaN, but must not
            raise where others in the batch are.
        rhs : Array
            Shape ``(*batch, K)``.

        Returns
        -------
        Array
            Shape ``(*batch, K)``.
        """
        ...

    def positive_definite(self, matrix: Float[Array, "*batch K K"], /) -> Bool[Array, "*batch"]:
        """Tell whether a symmetric matrix is positive definite.

        Parameters
        ----------
        matrix : Array
            Shape ``(*batch, K, K)``.

        Returns
        -------
        Array
            Shape ``(*batch)``, boolean.
        """
        ...

    def attach_derivative(self, search: Callable[..., Any], /) -> Callable[..., Any]:
        """Give a search its implicit derivative, see ``bargain.loop`` and ``bargain.derivative``.

        The derivative of the answer with respect to the cosines and the weights of the canonical
        game; what leads there and back is plain arithmetic of arrays.

        Parameters
        ----------
        search : callable
            From a canonical game, a start and a mask of games to an answer and counts of steps.

        Returns
        -------
        callable
            The same, which the framework can differentiate.
        """
        ...

    def shortcut(self, game: Any, solution: Any, solver: Any, /, **options: Any) -> Any:
        """Return the outcome of a game that this backend has a faster way through, else None.

        Its numbers must be the core's up to rounding, and Newton's steps as well.

        Parameters
        ----------
        game : GradientGame
            The game, its shapes and types checked, its values not.
        solution : Nash
            Which agreement is meant.
        solver : Solver
            How to find it.
        **options
            ``start``, ``max_steps`` and ``precision`` of :func:`bargain.solve`.

        Returns
        -------
        Outcome or None
            None leaves the game to the core.
        """
        ...

    def shortcut_rescale(self, coefficients: Any, game: Any, length: Any, /, **options: Any) -> Any:
        """Return rescaled coefficients if this backend has a faster way to them, else None.

        Parameters
        ----------
        coefficients, game, length : various
            As :func:`bargain.rescale` takes them, checked but for their values.
        **options
            ``maximum`` and ``precision`` of :func:`bargain.rescale`.

        Returns
        -------
        Array or None
            None leaves it to the core.
        """
        ...


class EagerBackend:
    """Plain Python control flow over the standard's linear algebra, without a derivative."""

    def concrete(self, array: Array, /) -> bool:
        return True

    def while_loop(
        self, cond: Callable[[Any], Any], body: Callable[[Any], Any], state: Any, max_steps: int
    ) -> Any:
        for _ in range(max_steps):
            if not bool(cond(state)):
                break
            state = body(state)
        return state

    def solve_spd(
        self, matrix: Float[Array, "*batch K K"], rhs: Float[Array, "*batch K"], /
    ) -> Float[Array, "*batch K"]:
        return array_namespace(matrix).linalg.solve(matrix, rhs[..., None])[..., 0]

    def positive_definite(self, matrix: Float[Array, "*batch K K"], /) -> Bool[Array, "*batch"]:
        xp = array_namespace(matrix)
        return xp.min(xp.linalg.eigvalsh(matrix), axis=-1) > 0

    def attach_derivative(self, search: Callable[..., Any], /) -> Callable[..., Any]:
        return search

    def shortcut(self, game: Any, solution: Any, solver: Any, /, **options: Any) -> Any:
        return None

    def shortcut_rescale(self, coefficients: Any, game: Any, length: Any, /, **options: Any) -> Any:
        return None


def backend_for(array: Array, /) -> Backend:
    """Return the backend of the library that an array comes from.

    Parameters
    ----------
    array : Array
        Any array.

    Returns
    -------
    Backend
        The one that the library's entry point names, or an :class:`EagerBackend`.

    Raises
    ------
    RuntimeError
        Several entry points name one.
    """
    library = array_namespace(array).__name__.removeprefix("array_api_compat.").split(".")[0]
    _load(library)
    return _loaded[library]


_loaded: dict[str, Backend] = {}


def _load(library: str) -> None:
    """Look a library's backend up, once."""
    if library in _loaded:
        return
    # Reading the installed packages takes longer than all of ``import bargain``, so it waits
    # until someone solves a game.
    entry_points = import_module("importlib.metadata").entry_points
    found = entry_points(group=GROUP, name=library)
    if len(found) > 1:
        names = ", ".join(sorted(entry.value for entry in found))
        raise RuntimeError(
            f"expected one backend for {library}, found {names}; uninstall all but one of them"
        )
    _loaded[library] = next(iter(found)).load() if found else EagerBackend()


# Torch's compiler then runs the look-up, which it could not trace.
_load._dynamo_marked_constant = True  # pyright: ignore[reportFunctionMemberAccess]
