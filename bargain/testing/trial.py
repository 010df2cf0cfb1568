"""A trial: one game, put before one function, by one axiom."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import reject
from hypothesis.strategies import SearchStrategy

from bargain.shapes import Array
from bargain.testing.reading import Fault, read_answer


class Exhibit(NamedTuple):
    """A game that a function was asked about, and its answer.

    Parameters
    ----------
    label : str
        What the game is in this trial, such as ``"the smaller game"``.
    game : object
        The game.
    answer : Array or None
        Shape ``(K,)``: payoffs, or coefficients or an update; None where the function failed.
    """

    label: str
    game: Any
    answer: Array | None


class Violation(AssertionError):  # noqa: N818 - it is one, and no error of ours
    """What was found against a function.

    Parameters
    ----------
    finding : str
        One sentence with the numbers that contradict the axiom.
    excess : float
        By how much, without units; infinite where the function failed to answer.
    exhibits : tuple of Exhibit
        The games, with the function's answers.
    """

    def __init__(self, finding: str, excess: float, exhibits: tuple[Exhibit, ...]) -> None:
        super().__init__(finding)
        self.finding = finding
        self.excess = excess
        self.exhibits = exhibits


class Failure(Violation):
    """The function raised, or answered with something that is no answer.

    Parameters
    ----------
    finding : str
        What it did.
    excess : float
        Infinite.
    exhibits : tuple of Exhibit
        The games, the last of them without an answer.
    """


class Trial:
    """What the check of an axiom works with: a game, choices, and the function's answers.

    Parameters
    ----------
    function : callable
        From a game to an answer.
    game : object
        The game of this trial.
    choose : callable
        From a Hypothesis strategy to a value.
    tolerance : float
        Violations up to this, without units, do not count.
    domain : callable, optional
        Whether the function is meant for a game; others are left alone.
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        game: Any,
        choose: Callable[[SearchStrategy[Any]], Any],
        tolerance: float,
        domain: Callable[[Any], bool] | None = None,
    ) -> None:
        self.function = function
        self.game = game
        self.tolerance = tolerance
        self._choose = choose
        self._domain = domain
        self._exhibits: list[Exhibit] = []

    def choose(self, strategy: SearchStrategy[Any]) -> Any:
        """Return a value that Hypothesis picks, and shrinks where something is found."""
        return self._choose(strategy)

    def require(self, condition: bool) -> None:
        """Leave games alone that the axiom says nothing about."""
        if not condition:
            reject()

    def ask(self, game: Any, label: str = "the game") -> Array:
        """Return the function's answer: payoffs, or what each player gains from the update.

        Payoffs have the shape ``(K,)``. For gradients the answer is the cosine between each
        player's gradient and the update, shape ``(K,)``: his gain from an update of length one, in
        units of the most that he could gain.
        """
        self.require(self._domain is None or bool(self._domain(game)))
        try:
            answer, result = read_answer(self.function, game)
        except Fault as fault:
            exhibits = (*self._exhibits, Exhibit(label, game, None))
            raise Failure(str(fault), float("inf"), exhibits) from fault.__cause__
        self._exhibits.append(Exhibit(label, game, answer))
        return result

    def blame(self, excess: Any, finding: Callable[[int], str]) -> None:
        """Raise the violation of the player (or outcome) with the largest excess, if it counts.

        Parameters
        ----------
        excess : Array
            One number or several, without units, positive where the axiom is violated.
        finding : callable
            From the index of the largest to a sentence.
        """
        excess = np.atleast_1d(np.asarray(excess, dtype=float))
        worst = int(np.argmax(excess))
        if excess[worst] > self.tolerance:
            raise Violation(finding(worst), float(excess[worst]), tuple(self._exhibits))

    def blame_difference(self, found: Array, expected: Array, units: Array, why: str) -> None:
        """Blame the function where an answer is not what another one makes it.

        Parameters
        ----------
        found, expected : Array
            Shape ``(K,)``, in u.
        units : Array
            Shape ``(K,)``, in u.
        why : str
            What makes it so.
        """
        self.blame(
            np.abs(found - expected) / units,
            lambda i: f"player {i + 1} gets {found[i]:.6g}, but {why} makes it {expected[i]:.6g}",
        )

    def blame_loss(self, before: Array, after: Array, units: Array, when: str) -> None:
        """Blame the function where a player loses by what should not harm him.

        Parameters
        ----------
        before, after : Array
            Shape ``(K,)``, in u.
        units : Array
            Shape ``(K,)``, in u.
        when : str
            What should not harm anybody.
        """
        self.blame(
            (before - after) / units,
            lambda i: f"player {i + 1} falls from {before[i]:.6g} to {after[i]:.6g} {when}",
        )
