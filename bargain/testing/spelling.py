"""Games in plain numbers, and as code that makes them again."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bargain.games import GradientGame
from bargain.payoffs.games import PayoffGame
from bargain.shapes import Array
from bargain.testing.loss_games import LossGame
from bargain.testing.trial import Violation

NAMES = {"payoffs": "outcomes", "gram": "Gram matrix"}


def in_plain_numbers(violation: Violation) -> str:
    """Return the games of a violation, each number written out, and what was found.

    Parameters
    ----------
    violation : Violation
        What was found.

    Returns
    -------
    str
        Some lines.
    """
    lines: list[str] = []
    for label, game, answer in violation.exhibits:
        lines.append(label)
        for name, value in _fields(game):
            lines.append(f"  {NAMES.get(name, name):<13} {_numbers(np.asarray(value))}")
        lines.append(f"  {'answer':<13} {'none' if answer is None else _numbers(answer)}")
    return "\n".join([*lines, violation.finding])


def as_code(violation: Violation, function: Callable[[Any], Any]) -> str:
    """Return a program that asks the function about the same games again.

    Parameters
    ----------
    violation : Violation
        What was found.
    function : callable
        The function; where it cannot be imported by its name the program says ``function``.

    Returns
    -------
    str
        The program.
    """
    name, origin = _origin(function)
    games = [exhibit.game for exhibit in violation.exhibits]
    lines = ["import numpy as np"]
    if any(isinstance(game, GradientGame) for game in games):
        lines.append("from bargain import GradientGame")
    if any(isinstance(game, LossGame) for game in games):
        lines.append("from bargain.testing import LossGame")
    if any(isinstance(game, PayoffGame) for game in games):
        lines.append("from bargain.payoffs import PayoffGame")
    lines += [origin] if origin else []
    for label, game, answer in violation.exhibits:
        found = "no answer" if answer is None else _numbers(answer)
        lines.append(f"\n# {label}: {found}\nprint({name}({_call(game)}))")
    return "\n".join(lines)


def name_of(function: Callable[[Any], Any]) -> str:
    """Return what to call a function in a report."""
    return getattr(function, "__qualname__", None) or repr(function)


def _origin(function: Callable[[Any], Any]) -> tuple[str, str]:
    name, module = getattr(function, "__qualname__", ""), getattr(function, "__module__", "")
    if not name.isidentifier() or module in ("", "__main__"):
        return name if name.isidentifier() else "function", ""
    return name, f"from {module} import {name}"


def _fields(game: Any) -> list[tuple[str, Any]]:
    if isinstance(game, np.ndarray):
        return [("gradients", game)]
    fields = game._asdict()
    if fields.get("radius") == 1.0:
        del fields["radius"]
    return [(name, value) for name, value in fields.items() if value is not None]


def _call(game: Any) -> str:
    """Return the expression that makes the game."""
    fields = [(name, _array(value)) for name, value in _fields(game)]
    if isinstance(game, np.ndarray):
        return fields[0][1]
    first, *others = fields
    parts = [first[1], *(f"{name}={value}" for name, value in others)]
    return f"{type(game).__name__}({', '.join(parts)})"


def _array(value: Any) -> str:
    value = np.asarray(value, dtype=float)
    return repr(float(value)) if value.ndim == 0 else f"np.array({value.tolist()})"


def _numbers(value: Array) -> str:
    if value.ndim == 0:
        return f"{float(value):.6g}"
    if value.ndim == 1:
        return "(" + ", ".join(f"{number:.6g}" for number in value + 0.0) + ")"
    return ", ".join(_numbers(row) for row in value)
