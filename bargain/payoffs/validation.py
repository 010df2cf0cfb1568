"""Sentences for numbers that no game over payoffs can have.

Values are only looked at where they are concrete and where there is one game; in a batch a bad
game gets the status NONFINITE and its neighbours are left alone.
"""

from typing import Any, NoReturn

from array_api_compat import array_namespace

from bargain.validation import require_finite


def explain_invalid(game: Any) -> NoReturn:
    """Raise the error that says what is wrong with the numbers of one concrete, invalid game."""
    for name, value in game._asdict().items():
        if value is not None:
            require_finite(name, value, "replace them or leave those outcomes out")
    weights = game.weights
    if weights is not None:
        xp = array_namespace(weights)
        if bool(xp.any(weights < 0)):
            raise ValueError(
                f"weights: expected bargaining weights of at least zero, found "
                f"{float(xp.min(weights)):.3g}; zero means that a player has no say"
            )
        if not bool(xp.any(weights > 0)):
            raise ValueError(
                "weights: expected at least one above zero, found only zeros; give someone a say"
            )
    raise ValueError(
        "ideal: expected more than the disagreement point for every player with a say, found a "
        "player who could hope for nothing; raise his ideal or leave ideal out"
    )
