r"""Equilibria of small two-player games, exactly.

Floating-point payoffs are rational numbers, so the systems of equations are solved in fractions:
whether two replies are equally good is then no matter of tolerances.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bargain.payoffs.matrices import check_matrices
from bargain.shapes import Array, Float

LARGEST = 1000
"""Systems of equations that one player's strategies may take."""

Row = list[Fraction]


class Equilibrium(NamedTuple):
    """A Nash equilibrium.

    Parameters
    ----------
    first : Array
        Shape ``(m,)``, sums to one: the chances with which the first player takes each row.
    second : Array
        Shape ``(n,)``, sums to one: the chances with which the second takes each column.
    payoffs : Array
        Shape ``(2,)``: what the two can expect.
    """

    first: Float[Array, " m"]
    second: Float[Array, " n"]
    payoffs: Float[Array, " 2"]


class _Reply(NamedTuple):
    """A mixed strategy, the pure ones it leaves out, and those of the other that answer it best."""

    chances: Row
    unused: frozenset[int]
    best: frozenset[int]


def equilibria(first: Any, second: Any) -> list[Equilibrium]:
    """Find the extreme Nash equilibria of a small game of two players.

    Every support of a strategy is tried, with as many replies of the other player to be indifferent
    between; a pair of strategies is an equilibrium if each pure strategy is a best reply or unused.
    These are all equilibria, save that where there are infinitely many those are listed of which
    the others are mixtures.

    Parameters
    ----------
    first : Array
        Shape ``(m, n)``, floating point: the payoffs of the first player, who chooses the row.
    second : Array
        Shape ``(m, n)``: those of the second, who chooses the column.

    Returns
    -------
    list of Equilibrium
        At least one; those come first in which the first player uses early rows.

    Raises
    ------
    TypeError
        A matrix is no array of floating-point numbers, or the matrices come from two libraries.
    ValueError
        The shapes differ, there is a batch of games, a payoff is not finite, or the game is so
        large that the search would not end soon.

    References
    ----------
    Mangasarian, "Equilibrium points of bimatrix games", Journal of the Society for Industrial and
    Applied Mathematics 12 (1964) 778-780; Avis, Rosenberg, Savani and von Stengel, "Enumeration of
    Nash equilibria for two-player games", Economic Theory 42 (2010) 9-37.

    Examples
    --------
    The battle of the sexes:

    >>> import numpy
    >>> from bargain.payoffs.equilibria import equilibria
    >>> his, hers = numpy.asarray([[2.0, 0.0], [0.0, 1.0]]), numpy.asarray([[1.0, 0.0], [0.0, 2.0]])
    >>> [one.payoffs.round(3).tolist() for one in equilibria(his, hers)]
    [[2.0, 1.0], [0.667, 0.667], [1.0, 2.0]]
    """
    second = check_matrices(first, second)
    if first.ndim != 2:
        raise ValueError(
            f"equilibria: expected one game, found shape {tuple(first.shape)}; take the games one "
            f"by one"
        )
    rows, columns = first.shape
    systems = comb(rows + columns, rows)
    if systems > LARGEST:
        raise ValueError(
            f"equilibria: expected a small game, found one of {rows} by {columns} with {systems} "
            f"systems of equations to solve, more than {LARGEST}; leave out dominated strategies, "
            f"or find an equilibrium elsewhere and give its payoffs"
        )
    ours, theirs = _fractions(first), _fractions(second)
    transposed = [list(column) for column in zip(*theirs, strict=True)]
    # The second player's mixtures are answered by rows, the first player's by columns.
    seconds, firsts = _replies(ours), _replies(transposed)
    pairs = [
        (one, other)
        for one in firsts
        for other in seconds
        if one.unused | other.best == frozenset(range(rows))
        and other.unused | one.best == frozenset(range(columns))
    ]
    pairs.sort(key=lambda pair: (pair[0].chances, pair[1].chances), reverse=True)
    return [_equilibrium(first, ours, theirs, *pair) for pair in pairs]


def _fractions(table: Array) -> list[Row]:
    rows, columns = table.shape
    return [[Fraction(float(table[i, j])) for j in range(columns)] for i in range(rows)]


def _replies(table: list[Row]) -> list[_Reply]:
    """Return the mixtures of columns that leave as many rows as they use equally good, and best."""
    rows, columns = range(len(table)), range(len(table[0]))
    found: dict[tuple[Fraction, ...], _Reply] = {}
    for size in range(1, min(len(rows), len(columns)) + 1):
        for support in combinations(columns, size):
            for equal in combinations(rows, size):
                chances = _indifferent(table, support, equal, len(columns))
                if chances is None or min(chances) < 0 or tuple(chances) in found:
                    continue
                worth = [_inner(row, chances) for row in table]
                best = frozenset(i for i in rows if worth[i] == max(worth))
                if best.issuperset(equal):
                    unused = frozenset(j for j in columns if chances[j] == 0)
                    found[tuple(chances)] = _Reply(chances, unused, best)
    return list(found.values())


def _indifferent(
    table: list[Row], support: Sequence[int], equal: Sequence[int], columns: int
) -> Row | None:
    """Return the one mixture on a support for which some rows are worth the same, if it is one."""
    # Unknown are the chances on the support and what the rows are worth.
    system = [[table[i][j] for j in support] + [Fraction(-1), Fraction(0)] for i in equal]
    system.append([Fraction(1)] * len(support) + [Fraction(0), Fraction(1)])
    solved = _solved(system)
    if solved is None:
        return None
    chances = [Fraction(0)] * columns
    for j, chance in zip(support, solved, strict=False):
        chances[j] = chance
    return chances


def _solved(system: list[Row]) -> Row | None:
    """Solve a square system, whose right sides stand at the end of the rows; None if singular."""
    size = len(system)
    for k in range(size):
        pivot = next((i for i in range(k, size) if system[i][k] != 0), None)
        if pivot is None:
            return None
        system[k], system[pivot] = system[pivot], system[k]
        system[k] = [value / system[k][k] for value in system[k]]
        for i in range(size):
            factor = system[i][k]
            if i != k and factor != 0:
                pairs = zip(system[i], system[k], strict=True)
                system[i] = [value - factor * other for value, other in pairs]
    return [row[-1] for row in system]


def _inner(left: Sequence[Fraction], right: Sequence[Fraction]) -> Fraction:
    return sum((a * b for a, b in zip(left, right, strict=True)), Fraction(0))


def _equilibrium(
    beside: Array, ours: list[Row], theirs: list[Row], one: _Reply, other: _Reply
) -> Equilibrium:
    xp = array_namespace(beside)

    def array(numbers: Row) -> Array:
        return xp.asarray([float(x) for x in numbers], dtype=beside.dtype, device=device(beside))

    payoffs = [
        _inner(one.chances, [_inner(row, other.chances) for row in table])
        for table in (ours, theirs)
    ]
    return Equilibrium(array(one.chances), array(other.chances), array(payoffs))
