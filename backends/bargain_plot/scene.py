"""What a picture shows: one game and what is agreed in it, as NumPy arrays."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

import bargain
from bargain.payoffs import FiniteGame, PayoffGame, PolytopeGame
from bargain_plot.arrays import as_numpy, vector_of
from bargain_plot.belonging import check_belongs
from bargain_plot.entries import is_outcome, read_solutions
from bargain_plot.marks import Mark, choose_marks, kind_of

ENDINGS = {
    bargain.Status.AGREEMENT: "",
    bargain.Status.DISAGREEMENT: " (no agreement)",
    bargain.Status.MAX_STEPS: " (no proof)",
    bargain.Status.NONFINITE: " (no game)",
}


class Result(NamedTuple):
    """What a solution gives, and how it is drawn.

    Attributes
    ----------
    label
        Its name in the legend, with a word on how the game ended if not in an agreement.
    mark
        Its mark.
    kind
        The class of the solution, or None if it is not known.
    agreed
        Whether there is an agreement.
    utilities, shares
        Shape ``(K,)``, of the players who are there.
    coefficients
        Shape ``(K,)``, or None in games over payoffs.
    """

    label: str
    mark: Mark
    kind: type | None
    agreed: bool
    utilities: np.ndarray
    shares: np.ndarray
    coefficients: np.ndarray | None


class Scene(NamedTuple):
    """A game of the players who are there, and the results to be drawn.

    Attributes
    ----------
    game
        The game.
    names
        The K names.
    weights, disagreement
        Shape ``(K,)``, whatever the game leaves out.
    results
        One for each solution.
    """

    game: Any
    names: list[str]
    weights: np.ndarray
    disagreement: np.ndarray
    results: list[Result]


def read_scene(game: Any, solutions: Any, names: Iterable[str] | None) -> Scene:
    """Bring a game and its solutions into one form.

    Parameters
    ----------
    game : GradientGame, PayoffGame, FiniteGame or PolytopeGame
        One game, with arrays of any library.
    solutions : solution, sequence of solutions, or mapping, optional
        What to draw; in a mapping labels lead to solutions or to outcomes. Default: Nash,
        Kalai-Smorodinsky, egalitarian and utilitarian, as far as the library has them for the game.
    names : sequence of str, optional
        The players' names.

    Returns
    -------
    Scene
        All of it.

    Raises
    ------
    TypeError
        Something is no game, no solution, or no sequence of names.
    ValueError
        It is a batch of games, an outcome is not of this game, or the number of names is not that
        of players.
    """
    players = _players_of(game)
    game = type(game)(*(as_numpy(field) for field in game))
    names = _read_names(names, players)
    entries = read_solutions(solutions)
    outcomes = _outcomes(game, entries, forgiving=solutions is None)
    kinds = [kind_of(entries[label], label) for label in outcomes]
    here = _who_is_there(game, players)
    marks = choose_marks(kinds)
    results = [
        _result(label, mark, kind, outcome, here)
        for (label, outcome), mark, kind in zip(outcomes.items(), marks, kinds, strict=True)
    ]
    game = _without_absent(game, here)
    for label, entry in entries.items():
        if is_outcome(entry):
            check_belongs(game, entry, label, here)
    return Scene(
        game=game,
        names=[name for name, present in zip(names, here, strict=True) if present],
        weights=vector_of(game.weights, here.sum(), 1.0),
        disagreement=vector_of(game.disagreement, here.sum(), 0.0),
        results=results,
    )


def _players_of(game: Any) -> int:
    """Count the players of one game."""
    if isinstance(game, bargain.GradientGame):
        table, axis = as_numpy(game.gram), -1
    elif isinstance(game, PayoffGame | FiniteGame):
        table, axis = as_numpy(game.payoffs), -1
    elif isinstance(game, PolytopeGame):
        table, axis = as_numpy(game.utilities), -2
    else:
        raise TypeError(
            f"game: expected a GradientGame, PayoffGame, FiniteGame or PolytopeGame, found "
            f"{type(game).__name__}; {_remedy(game)}"
        )
    if table.ndim != 2:
        raise ValueError(
            f"game: expected one game, found a batch of shape {table.shape[:-2]}; take one of them"
        )
    return table.shape[axis]


def _remedy(game: Any) -> str:
    """Say what to draw in place of something that is no game with a picture."""
    if type(game).__module__.startswith("bargain_cvxpy"):  # which is not installed everywhere
        return (
            "its set is known to the conic solver only: draw bargain.PayoffGame(payoffs) of "
            "agreements that game.solve finds under several weights"
        )
    return "make one such as bargain.GradientGame(gram)"


def _read_names(names: Iterable[str] | None, players: int) -> list[str]:
    if names is None:
        return [f"player {player}" for player in range(1, players + 1)]
    if isinstance(names, str):
        raise TypeError(f"names: expected a list of {players} names, found one text {names!r}")
    names = [str(name) for name in names]
    if len(names) != players:
        raise ValueError(f"names: expected {players}, one for each player, found {len(names)}")
    return names


def _outcomes(game: Any, entries: dict[str, Any], *, forgiving: bool) -> dict[str, Any]:
    """Solve what is not solved yet; of the usual solutions leave out those that cannot be."""
    outcomes: dict[str, Any] = {}
    for label, entry in entries.items():
        try:
            outcomes[label] = entry if is_outcome(entry) else bargain.solve(game, entry)
        except NotImplementedError:
            if not forgiving:
                raise
    return outcomes


def _result(label: str, mark: Mark, kind: type | None, outcome: Any, here: np.ndarray) -> Result:
    """Check an outcome and take from it what belongs to the players who are there."""
    status = bargain.Status(int(as_numpy(outcome.status)))
    fields: dict[str, np.ndarray | None] = {}
    for field in ("utilities", "shares", "coefficients"):
        value = as_numpy(getattr(outcome, field, None))
        if value is not None and value.shape != here.shape:
            raise ValueError(
                f"solutions: expected the outcome {label!r} of this game with {here.size} players, "
                f"found {field} of shape {value.shape}"
            )
        fields[field] = None if value is None else value[here]
    agreed = status is not bargain.Status.DISAGREEMENT
    return Result(label + ENDINGS[status], mark, kind, agreed, **fields)  # pyright: ignore


def _who_is_there(game: Any, players: int) -> np.ndarray:
    active = getattr(game, "active", None)
    if active is None:
        return np.ones(players, bool)
    return np.broadcast_to(np.asarray(active, bool), (players,))


def _without_absent(game: Any, here: np.ndarray) -> Any:
    if here.all():
        return game
    kept = {
        name: np.broadcast_to(getattr(game, name), here.shape)[here]
        for name in ("weights", "disagreement", "ideal")
        if getattr(game, name) is not None
    }
    return game._replace(gram=game.gram[np.ix_(here, here)], active=None, **kept)
