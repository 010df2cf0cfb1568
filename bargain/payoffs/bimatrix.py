"""From two payoff matrices to a game over lotteries, with a threat as its disagreement point."""

from typing import Any, NoReturn

from array_api_compat import array_namespace

from bargain.interior_point import InteriorPoint
from bargain.outcome import Status
from bargain.payoffs.checks import companion
from bargain.payoffs.equilibria import Equilibrium, equilibria
from bargain.payoffs.games import PayoffGame
from bargain.payoffs.matrices import check_matrices, check_matrix
from bargain.payoffs.solve import solve_payoffs
from bargain.shapes import Array
from bargain.solutions import Egalitarian

THREATS = ("security", "equilibrium")


def bimatrix(first: Any, second: Any, threat: Any = "security") -> PayoffGame:
    r"""Make a bargaining game of two payoff matrices.

    Two players who can sign a contract can play any pair of strategies, and any lottery over such
    pairs. Without a contract they play against each other: that is the threat, and what each gets
    from it is his disagreement point.

    Parameters
    ----------
    first : Array
        Shape ``(*batch, m, n)``, floating point, in u: the payoffs of the first player, who chooses
        the row.
    second : Array
        Shape ``(*batch, m, n)``: those of the second player, who chooses the column, in a unit of
        his own.
    threat : {"security", "equilibrium"} or Array
        What happens without an agreement:

        - ``"security"``: each player gets what he can guarantee himself whatever the other does,
          the value of his matrix in mixed strategies;
        - ``"equilibrium"``: they play the Nash equilibrium of the game without contracts. If there
          are several, with different payoffs, someone has to choose: that is an error, which lists
          them;
        - an array (or a list of two numbers) of shape ``(*batch, 2)``: these payoffs. Nash let
          players choose and commit to their threats before they bargain; give what his optimal
          threats, or any others, would bring.

    Returns
    -------
    PayoffGame
        With the pairs of strategies for outcomes, shape ``(*batch, m * n, 2)``, row by row: outcome
        ``i * n + j`` is row ``i`` with column ``j``.

    Raises
    ------
    TypeError
        A matrix is no array of floating-point numbers, or the matrices come from two libraries.
    ValueError
        The shapes differ, a payoff of a single game is not finite, the threat has no such name, or
        there are several equilibria, or a batch of games or a large one is asked for equilibria.

    See Also
    --------
    equilibria : The equilibria of a small game.

    References
    ----------
    Nash, "Two-Person Cooperative Games", Econometrica 21 (1953) 128-140 (threats); Owen, Game
    Theory, Academic Press, chapter on two-person general-sum games (security levels).

    Examples
    --------
    The prisoner's dilemma, in years lost; each guarantees himself no worse than five:

    >>> import numpy
    >>> from bargain.payoffs import solve_payoffs
    >>> from bargain.payoffs.bimatrix import bimatrix
    >>> from bargain.solutions import Nash
    >>> years = numpy.asarray([[-1.0, -10.0], [0.0, -5.0]])
    >>> game = bimatrix(years, years.T)
    >>> game.disagreement.round(6)
    array([-5., -5.])
    >>> solve_payoffs(game, Nash()).utilities.round(6)
    array([-1., -1.])
    """
    second = check_matrices(first, second)
    xp = array_namespace(first)
    batch, pairs = tuple(first.shape[:-2]), first.shape[-2] * first.shape[-1]
    payoffs = xp.stack([xp.reshape(table, (*batch, pairs)) for table in (first, second)], axis=-1)
    if not isinstance(threat, str):
        threat = companion("threat", threat, (*batch, 2), "first", first)
        if threat is None:
            _refuse(threat)
        return PayoffGame(payoffs, disagreement=threat)
    if threat not in THREATS:
        _refuse(threat)
    if threat == "equilibrium":
        return PayoffGame(payoffs, disagreement=_agreed(first, second))
    values = [security(first), security(xp.matrix_transpose(second))]
    return PayoffGame(payoffs, disagreement=xp.stack(values, axis=-1))


def security(payoffs: Array) -> Array:
    """Return what the player who chooses the row can guarantee himself: the value of a matrix.

    Parameters
    ----------
    payoffs : Array
        Shape ``(*batch, m, n)``, floating point, in u.

    Returns
    -------
    Array
        Shape ``(*batch)``, in u; NaN where a payoff of a batch is not finite. Up to rounding, and
        then rather too much than too little: the other player's mixture proves that there is no
        more.

    Raises
    ------
    TypeError, ValueError
        The payoffs are no matrix of floating-point numbers, or those of a single one not finite.

    Notes
    -----
    The rows are lotteries that the columns bargain about: to raise the worst column is the
    egalitarian solution, and its prices are the other player's mixture.

    Examples
    --------
    >>> import numpy
    >>> from bargain.payoffs.bimatrix import security
    >>> float(security(numpy.asarray([[3.0, -1.0], [-2.0, 1.0]])).round(6))
    0.142857
    """
    check_matrix("payoffs", payoffs)
    xp = array_namespace(payoffs)
    least, most = xp.min(payoffs, axis=(-2, -1)), xp.max(payoffs, axis=(-2, -1))
    spread = xp.where(most > least, most - least, 1.0)
    # Counted from the least payoff, in spreads, and from one spread below, so that all gain.
    table = (payoffs - least[..., None, None]) / spread[..., None, None]
    below = -xp.ones_like(table[..., 0, :])
    game = PayoffGame(table, disagreement=below)
    outcome = solve_payoffs(game, Egalitarian(), InteriorPoint(tol=0.0))
    prices = outcome.certificate.multipliers
    mixture = prices / xp.sum(prices, axis=-1)[..., None]
    value = xp.max((table @ mixture[..., None])[..., 0], axis=-1)
    value = xp.where(outcome.status == int(Status.AGREEMENT), value, xp.nan)
    return least + value * spread


def _agreed(first: Array, second: Array) -> Array:
    """Return the payoffs of all equilibria, if they are the same."""
    if first.ndim != 2:
        raise ValueError(
            f"threat: expected one game where the threat is an equilibrium, found shape "
            f"{tuple(first.shape)}; make the games one by one, or give the payoffs"
        )
    xp = array_namespace(first)
    found = equilibria(first, second)
    if any(bool(xp.any(one.payoffs != found[0].payoffs)) for one in found):
        listed = "; ".join(_told(one) for one in found)
        raise ValueError(
            f"threat: expected one equilibrium, found {len(found)}: {listed}; choose one of "
            f"equilibria(first, second) and give its payoffs as the threat"
        )
    return found[0].payoffs


def _told(one: Equilibrium) -> str:
    """Say an equilibrium in plain numbers."""
    payoffs, rows, columns = (
        ", ".join(f"{float(part[i]):.4g}" for i in range(part.shape[0]))
        for part in (one.payoffs, one.first, one.second)
    )
    return f"payoffs ({payoffs}) from rows ({rows}) and columns ({columns})"


def _refuse(threat: Any) -> NoReturn:
    raise ValueError(
        f"threat: expected 'security', 'equilibrium' or two payoffs, found {threat!r}; give one of "
        f"these"
    )
