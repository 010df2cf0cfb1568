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
from functools import cache
from importlib import import_module
from typing import Any, Protocol

from array_api_compat import array_namespace

from bargain.shapes import Array, Bool, Float

GROUP = "bargain.backends"


class Backend(Protocol):
    """What an adapter implements; subclass :class:`EagerBackend` and override what differs."""

    def concrete(self, array: Array, /) -> bool:
        """Whether the values of this array can be looked at, as they cannot while tracing."""
        ...

    def while_loop(
        self, cond: Callable[[Any], Any], body: Callable[[Any], Any], state: Any, max_steps: int
    ) -> Any:
        """Apply ``body`` to ``state`` while ``cond(state)`` holds, ``max_steps`` times at most."""
        ...

    def solve_spd(
        self, matrix: Float[Array, "*batch K K"], rhs: Float[Array, "*batch K"], /
    ) -> Float[Array, "*batch K"]:
        """Solve a symmetric positive definite system, or a batch of them."""
        ...

    def positive_definite(self, matrix: Float[Array, "*batch K K"], /) -> Bool[Array, "*batch"]:
        """Whether a symmetric matrix is positive definite."""
        ...

    def attach_derivative(self, search: Callable[..., Any], /) -> Callable[..., Any]:
        """Give a search its implicit derivative, see ``bargain.loop`` and ``bargain.derivative``.

        The derivative of the answer with respect to the cosines and the weights of the canonical
        game; what leads there and back is plain arithmetic of arrays.
        """
        ...

    def shortcut(self, game: Any, solution: Any, solver: Any, /, **options: Any) -> Any:
        """Return the outcome of a game that this backend has a faster way through, else None.

        The way must be the core's (same steps, same numbers up to rounding). Options are ``start``,
        ``max_steps`` and ``precision`` of :func:`bargain.solve`.
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


def backend_for(array: Array, /) -> Backend:
    """Return the backend of the library that an array comes from."""
    return _backend_named(array_namespace(array).__name__)


@cache
def _backend_named(namespace: str) -> Backend:
    library = namespace.removeprefix("array_api_compat.").split(".")[0]
    # Reading the installed packages takes longer than all of ``import bargain``, so it waits
    # until someone solves a game.
    entry_points = import_module("importlib.metadata").entry_points
    found = entry_points(group=GROUP, name=library)
    if len(found) > 1:
        names = ", ".join(sorted(entry.value for entry in found))
        raise RuntimeError(
            f"expected one backend for {library}, found {names}; uninstall all but one of them"
        )
    return next(iter(found)).load() if found else EagerBackend()
