"""The laboratory: any solution on trial, axiom by axiom."""

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis.strategies import SearchStrategy

from bargain.testing.axiom import Axiom
from bargain.testing.axioms import GRADIENT_AXIOMS, PAYOFF_AXIOMS
from bargain.testing.gradient_games import gradient_games
from bargain.testing.payoff_classes import small_integers
from bargain.testing.payoff_games import payoff_games
from bargain.testing.report import Report, Verdict
from bargain.testing.search import search
from bargain.testing.spelling import name_of
from bargain.testing.trial import Trial

TOLERANCE = 1e-4
"""Violations up to this do not count: relative to what is at stake for the player.

A solver that proves nine digits of a strictly concave objective has half as many of its maximiser.
"""
EXAMPLES = 100
Games = SearchStrategy[Any] | tuple[SearchStrategy[Any], ...]


def check_axioms(
    function: Callable[[Any], Any],
    axioms: Iterable[Axiom] | None = None,
    games: Games | None = None,
    *,
    domain: Callable[[Any], bool] | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    progress: Callable[[Verdict], None] | None = None,
) -> Report:
    """Look for games in which a solution violates axioms.

    Parameters
    ----------
    function : callable
        Any callable from a game to an outcome of this library or to an array. For a
        :class:`bargain.payoffs.PayoffGame` the array holds K payoffs, for a
        :class:`bargain.GradientGame` K coefficients, for plain gradients of shape ``(K, P)`` or
        a :class:`bargain.testing.LossGame` an update of shape ``(P,)``. It should answer the same
        for the same game.
    axioms : iterable of Axiom, optional
        Which; default: all of games over payoffs.
    games : SearchStrategy or tuple of them, optional
        Where to look, one after the other. Default: for two players with small integers, for three,
        and then in :func:`payoff_games`; in :func:`gradient_games` for the axioms of gradients. To
        look at one game alone pass ``hypothesis.strategies.just(game)``.
    domain : callable, optional
        From a game to whether the function is meant for it. Others are left alone, also those that
        an axiom derives from a game. Default: it is meant for all.
    examples : int
        How many games to try for each axiom.
    seed : int
        The same seed tries the same games.
    tolerance : float
        Violations up to this do not count; relative to what is at stake for the player, or a
        difference of cosines.
    progress : callable, optional
        Called with each verdict as it comes.

    Returns
    -------
    Report
        A verdict for each axiom: that it holds so far, and in how many games, or that it is
        falsified, with a counter-example that no simplification of Hypothesis's survived. A
        function that raises, or answers with what is no answer, fails, and the game is shown.

    Raises
    ------
    TypeError
        The function cannot be called, or an axiom is none.

    Examples
    --------
    The best payoff for the worst-off, without a thought of who wants what:

    >>> import bargain
    >>> from bargain.testing import axioms, check_axioms, rules
    >>> wanted = [axioms.strong_monotonicity, axioms.covariance]
    >>> report = check_axioms(rules.egalitarian, wanted, examples=50)
    >>> [verdict.holds for verdict in report.verdicts]
    [True, False]
    """
    if not callable(function):
        raise TypeError(
            f"function: expected a callable from a game to payoffs, found "
            f"{type(function).__name__}; pass the function itself"
        )
    verdicts: list[Verdict] = []
    for axiom in PAYOFF_AXIOMS if axioms is None else axioms:
        if not isinstance(axiom, Axiom):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise TypeError(
                f"axioms: expected axioms, found {axiom!r}; take them from bargain.testing.axioms"
            )
        verdict = _verdict(function, axiom, games, domain, examples, seed, tolerance)
        verdicts.append(verdict)
        if progress is not None:
            progress(verdict)
    return Report(name_of(function), function, tuple(verdicts))


def assert_axiom(
    function: Callable[[Any], Any],
    axiom: Axiom,
    games: Games | None = None,
    *,
    domain: Callable[[Any], bool] | None = None,
    examples: int = EXAMPLES,
    seed: int = 0,
    tolerance: float = TOLERANCE,
) -> None:
    """Fail with a minimal counter-example where a solution violates an axiom; for test suites.

    Parameters
    ----------
    function : callable
        As in :func:`check_axioms`, also for the others.
    axiom : Axiom
        Which.
    games : SearchStrategy, optional
        Where to look.
    domain : callable, optional
        Which games the function is meant for.
    examples : int
        How many games to try.
    seed : int
        The same seed tries the same games.
    tolerance : float
        Violations up to this do not count.

    Raises
    ------
    AssertionError
        The axiom is falsified, the function fails, or no game would do.

    Examples
    --------
    >>> from bargain.testing import assert_axiom, axioms, rules
    >>> assert_axiom(rules.nash, axioms.covariance, examples=10)
    """
    report = check_axioms(
        function,
        [axiom],
        games,
        domain=domain,
        examples=examples,
        seed=seed,
        tolerance=tolerance,
    )
    if not report.holds:
        raise AssertionError(str(report))


def _verdict(
    function: Callable[[Any], Any],
    axiom: Axiom,
    games: Games | None,
    domain: Callable[[Any], bool] | None,
    examples: int,
    number: int,
    tolerance: float,
) -> Verdict:
    """Look where counter-examples are easy to read, and then everywhere."""
    tried = 0
    games = legible_first(axiom) if games is None else games
    fields = games if isinstance(games, tuple) else (games,)

    def trial(game: Any, choose: Callable[[SearchStrategy[Any]], Any]) -> None:
        axiom.check(Trial(function, game, choose, tolerance, domain))

    for field in fields:
        count, violation = search(trial, field, -(-examples // len(fields)), number)
        tried += count
        if violation is not None:
            return Verdict(axiom, False, tried, violation)
    return Verdict(axiom, True if tried else None, tried, None)


def legible_first(axiom: Axiom) -> tuple[SearchStrategy[Any], ...]:
    """Return where to look for counter-examples: first where they are easy to read.

    Parameters
    ----------
    axiom : Axiom
        What is to be refuted.

    Returns
    -------
    tuple of SearchStrategy
        Of games, one kind after the other.
    """
    fewest = max(axiom.fewest, 2)
    players = (fewest, max(fewest, 4))
    if axiom in GRADIENT_AXIOMS:
        return gradient_games((fewest, fewest)), gradient_games(players)
    legible = (small_integers((count, count)) for count in (fewest, fewest + 1))
    return *legible, payoff_games(players)
