"""An outcome as a table to read, or as JSON for another program."""

import json
import math

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import bargain

__all__ = ["as_json", "print_outcome"]


def as_json(game: bargain.GradientGame, outcome: bargain.Outcome, names: list[str]) -> str:
    """Write all fields of an outcome as JSON.

    Parameters
    ----------
    game : bargain.GradientGame
        The game, gram of shape (K, K).
    outcome : bargain.Outcome
        Its outcome.
    names : list of str
        The K names of the players.

    Returns
    -------
    str
        A JSON object with the fields of the outcome, the certificate in it, beside the names and
        the weights. The status is its name. A number that JSON cannot hold (NaN) is null.
    """
    fields = {"names": names, "weights": _weights(game), **outcome._asdict()}
    fields["status"] = bargain.Status(int(outcome.status)).name
    fields["certificate"] = {
        name: _plain(value) for name, value in outcome.certificate._asdict().items()
    }
    content = {name: _plain(value) for name, value in fields.items()}
    return json.dumps(content, indent=2, allow_nan=False)


def print_outcome(
    game: bargain.GradientGame, outcome: bargain.Outcome, names: list[str], seconds: float
) -> None:
    """Print an outcome as a table, a row a player, with its proof below.

    Parameters
    ----------
    game : bargain.GradientGame
        The game, gram of shape (K, K).
    outcome : bargain.Outcome
        Its outcome.
    names : list of str
        The K names of the players.
    seconds : float
        How long the solver took.
    """
    console = Console(highlight=False)
    status = bargain.Status(int(outcome.status))
    if status is bargain.Status.DISAGREEMENT:
        console.print(_disagreement_table(game, outcome, names))
        console.print(Text(_disagreement_proof(game, outcome)))
    else:
        console.print(_agreement_table(game, outcome, names))
        console.print(Text(_lengths(game, outcome)))
    console.print(Text(_status_line(outcome, status, seconds)))


def _agreement_table(
    game: bargain.GradientGame, outcome: bargain.Outcome, names: list[str]
) -> Table:
    table = _table("player", "weight", "coefficient", "utility", "share", "cosine")
    norms, cosines = _norms_and_cosines(game)
    scaled = np.asarray(outcome.coefficients) * norms
    length = _length(scaled, cosines)
    rows = zip(
        names,
        _weights(game),
        np.asarray(outcome.coefficients),
        np.asarray(outcome.utilities),
        np.asarray(outcome.shares),
        norms,
        cosines @ scaled,
        strict=True,
    )
    for name, weight, coefficient, utility, share, norm, along in rows:
        cosine = f"{along / length:.4f}" if norm > 0 and length > 0 else "–"
        numbers = (f"{weight:g}", f"{coefficient:.6g}", f"{utility:.6g}")
        table.add_row(Text(name), *numbers, f"{100 * share:.2f} %", cosine)
    return table


def _lengths(game: bargain.GradientGame, outcome: bargain.Outcome) -> str:
    """Say which lengths the numbers are for; direction and length are two different things."""
    norms, cosines = _norms_and_cosines(game)
    length = _length(np.asarray(outcome.coefficients) * norms, cosines)
    if game.disagreement is not None:
        return f"The update that these coefficients make is agreed on, its length {length:.6g} too."
    return (
        f"These coefficients make an update of length {length:.6g}; the utilities are those of one "
        f"of length {float(game.radius):.6g}. Only its direction is decided."
    )


def _disagreement_table(
    game: bargain.GradientGame, outcome: bargain.Outcome, names: list[str]
) -> Table:
    table = _table("player", "weight", "|gradient|", "beta")
    multipliers = np.asarray(outcome.certificate.stationary)
    norms, _ = _norms_and_cosines(game)
    for name, weight, norm, beta in zip(names, _weights(game), norms, multipliers, strict=True):
        table.add_row(Text(name), f"{weight:g}", f"{norm:.6g}", f"{beta:.6g}")
    return table


def _disagreement_proof(game: bargain.GradientGame, outcome: bargain.Outcome) -> str:
    """Say what the certificate of a disagreement proves."""
    beta = np.asarray(outcome.certificate.stationary)
    norms, cosines = _norms_and_cosines(game)
    scaled = beta * norms
    length = _length(scaled, cosines)
    if not scaled.any():
        return "No agreement: the gradients are zero, so there is nothing to agree on."
    if game.disagreement is None or not np.any(game.disagreement):
        return (
            "No agreement: no direction helps every player. The proof is the mixture beta of the "
            f"gradients: it has length |sum of beta g| = {length:.3g}, where sum of beta |g| = "
            f"{scaled.sum():.3g}, so the gradients cancel to within the precision of the numbers. "
            "The decision is not to move."
        )
    promised = float(beta @ np.asarray(game.disagreement))
    return (
        "No agreement: no update within the radius gives every player more than it has without "
        "one. The proof is the mixture beta of the gradients: together the players can gain at "
        f"most radius |sum of beta g| = {float(game.radius) * length:.6g} by it, but they have "
        f"sum of beta d = {promised:.6g} already. The decision is not to move."
    )


def _status_line(outcome: bargain.Outcome, status: bargain.Status, seconds: float) -> str:
    numbers = {
        "gap": f"{float(outcome.gap):.1e}",
        "residual": f"{float(outcome.residual):.1e}",
        "floor": f"{float(outcome.certificate.floor):.1e}",
        "steps": f"{int(outcome.steps)}",
        "time": f"{1e3 * seconds:.1f} ms, which includes the loading of libraries",
    }
    return f"{status.name}: " + ", ".join(f"{name} {number}" for name, number in numbers.items())


def _table(player: str, *numbers: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column(player)
    for number in numbers:
        table.add_column(number, justify="right")
    return table


def _weights(game: bargain.GradientGame) -> np.ndarray:
    players = np.asarray(game.gram).shape[0]
    return np.ones(players) if game.weights is None else np.asarray(game.weights)


def _norms_and_cosines(game: bargain.GradientGame) -> tuple[np.ndarray, np.ndarray]:
    """Take the Gram matrix apart, so that no product of its entries overflows."""
    gram = np.asarray(game.gram)
    norms = np.sqrt(np.diagonal(gram))
    divisors = np.where(norms > 0, norms, 1.0)
    return norms, gram / divisors[:, None] / divisors


def _length(scaled: np.ndarray, cosines: np.ndarray) -> float:
    """Measure a combination of gradients, given its coefficients times their norms."""
    return math.sqrt(max(float(scaled @ cosines @ scaled), 0.0))


def _plain(value: object) -> object:
    """Turn arrays and their scalars into what JSON holds, at every depth."""
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, str):
        return value
    number = np.asarray(value).tolist()
    if isinstance(number, list):
        return [_plain(entry) for entry in number]
    return number if not isinstance(number, float) or math.isfinite(number) else None
