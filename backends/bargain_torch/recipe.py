"""How to solve, as text: what an operator can take, and a compiled program can keep on disk.

Solvers and solutions are frozen dataclasses of Python numbers, so the place that each is imported
from and its fields say everything.
"""

import json
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple


class Recipe(NamedTuple):
    """The arguments of :func:`bargain.solve` that are no arrays."""

    solver: Any
    solution: Any
    max_steps: int
    precision: float


def write_recipe(solver: Any, solution: Any, max_steps: int, precision: float) -> str:
    """Write down how to solve."""
    return json.dumps([_describe(solver), _describe(solution), max_steps, precision])


@lru_cache(maxsize=256)
def read_recipe(text: str) -> Recipe:
    """Read what :func:`write_recipe` wrote."""
    solver, solution, max_steps, precision = json.loads(text)
    return Recipe(_make(*solver), _make(*solution), max_steps, precision)


def _describe(part: Any) -> tuple[str, str, dict[str, Any]]:
    kind = type(part)
    if not is_dataclass(kind) or "<" in kind.__qualname__:
        raise TypeError(
            f"expected a solver and a solution that are frozen dataclasses at the top of a module, "
            f"found {kind.__module__}.{kind.__qualname__}; torch has to rebuild them from their "
            f"names and fields"
        )
    values = {field.name: getattr(part, field.name) for field in fields(kind) if field.init}
    return kind.__module__, kind.__qualname__, values


def _make(module: str, name: str, values: dict[str, Any]) -> Any:
    return getattr(import_module(module), name)(**values)
