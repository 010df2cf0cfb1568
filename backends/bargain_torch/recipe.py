"""How to solve, as text: what an operator can take, and a compiled program can keep on disk.

Solvers and solutions are frozen dataclasses of Python numbers, so the place that each is imported
from and its fields say everything.
"""

import json
from dataclasses import fields, is_dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import torch


class Recipe(NamedTuple):
    """Everything about a solve that is no array.

    Attributes
    ----------
    solver, solution, max_steps, precision
        The arguments of :func:`bargain.solve`.
    companions
        Names of the arrays that the operator gets stacked into one.
    strict
        Whether a single invalid game is an error; else it is a status.
    """

    solver: Any
    solution: Any
    max_steps: int
    precision: float
    companions: tuple[str, ...]
    strict: bool


def write_recipe(*recipe: Any) -> str:
    """Write down the fields of a :class:`Recipe`."""
    # A tracer gets along without a cache, and a warning that it sees through one helps nobody.
    write = _write if torch.compiler.is_dynamo_compiling() else _remembered
    return write(*recipe)


@lru_cache(maxsize=256)
def read_recipe(text: str) -> Recipe:
    """Read what :func:`write_recipe` wrote."""
    solver, solution, max_steps, precision, companions, strict = json.loads(text)
    return Recipe(_make(*solver), _make(*solution), max_steps, precision, tuple(companions), strict)


def _write(solver: Any, solution: Any, *rest: Any) -> str:
    return _as_text(_describe(solver), _describe(solution), *rest)


_remembered = lru_cache(maxsize=256)(_write)


def _describe(part: Any) -> tuple[str, str, tuple[tuple[str, Any], ...]]:
    kind = type(part)
    if not is_dataclass(kind) or "<" in kind.__qualname__:
        raise TypeError(
            f"expected a solver and a solution that are frozen dataclasses at the top of a module, "
            f"found {kind.__module__}.{kind.__qualname__}; torch has to rebuild them from their "
            f"names and fields"
        )
    # Field by field, in sight of the tracer: it may hand on a dataclass with its defaults instead.
    values = tuple((field.name, getattr(part, field.name)) for field in fields(part) if field.init)
    return kind.__module__, kind.__qualname__, values


def _as_text(*recipe: Any) -> str:
    return json.dumps(recipe)


# What ``torch.compiler.assume_constant_result`` sets, which would load the whole compiler: run this
# while tracing, and keep the text.
_as_text._dynamo_marked_constant = True  # type: ignore[attr-defined]


def _make(module: str, name: str, values: list[tuple[str, Any]]) -> Any:
    return getattr(import_module(module), name)(**dict(values))
