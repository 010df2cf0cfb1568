"""What a function may answer, and how it is read."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bargain.games import GradientGame
from bargain.payoffs.games import PayoffGame
from bargain.shapes import Array
from bargain.testing.loss_games import gradients_of


class Fault(Exception):  # noqa: N818 - of somebody else's function
    """An answer that is none: the function raised, or its shape or its numbers are wrong."""


def read_answer(function: Callable[[Any], Any], game: Any) -> tuple[Array, Array]:
    """Ask a function about a game.

    Parameters
    ----------
    function : callable
        From a game to an outcome or to an array of K numbers (for a plain array of gradients, and
        where they come with losses: P).
    game : PayoffGame, GradientGame, LossGame or Array
        The game; an array, shape ``(K, P)``, holds one gradient a row.

    Returns
    -------
    tuple of Array
        The answer as given, in plain numbers, and what it means: payoffs, shape ``(K,)``, or for
        gradients the cosines between them and the update.

    Raises
    ------
    Fault
        The function raised, or the answer has another shape, or is not of finite numbers.
    """
    try:
        answer = function(game)
    except Exception as error:
        raise Fault(f"the function raised {type(error).__name__}: {error}") from error
    if isinstance(game, PayoffGame):
        numbers = _numbers(getattr(answer, "utilities", answer), game.payoffs.shape[-1], "player")
        return numbers, numbers
    if isinstance(game, GradientGame):
        gram = np.asarray(game.gram, dtype=float)
        coefficients = _numbers(getattr(answer, "coefficients", answer), len(gram), "player")
        return coefficients, _gains(gram @ coefficients, coefficients @ gram @ coefficients, gram)
    rows = gradients_of(game)
    update = _numbers(answer, rows.shape[-1], "coordinate")
    return update, _gains(rows @ update, update @ update, rows @ rows.T)


def _numbers(answer: Any, count: int, what: str) -> Array:
    try:
        numbers = np.asarray(answer, dtype=float)
    except (TypeError, ValueError):
        raise Fault(
            f"the function answered {answer!r:.60}, where {count} numbers were expected, one for "
            f"each {what}"
        ) from None
    if numbers.shape != (count,):
        raise Fault(
            f"the function answered an array of shape {numbers.shape}, where ({count},) was "
            f"expected, a number for each {what}"
        )
    if not np.isfinite(numbers).all():
        raise Fault(f"the function answered {numbers.tolist()}, which are not finite numbers")
    return numbers


def _gains(products: Array, square: float, gram: Array) -> Array:
    """Return cosines; zero for an update that does not move, as for a gradient that is zero."""
    sizes = np.sqrt(np.diagonal(gram) * max(square, 0.0))
    # What cancels to rounding is no update: its direction would be noise.
    return np.where(sizes > 0, products / np.where(sizes > 0, sizes, 1.0), 0.0)
