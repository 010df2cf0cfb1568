"""Two matrices, a threat, a contract: the textbook's games, and linear programs by HiGHS."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from bargain import Egalitarian, KalaiSmorodinsky, Nash, Status
from bargain.payoffs import solve_payoffs
from bargain.payoffs.bimatrix import bimatrix, security
from bargain.payoffs.equilibria import equilibria
from tests.libraries import LIBRARIES, as_numpy, open_library

DILEMMA = np.array([[3.0, 0.0], [5.0, 1.0]]), np.array([[3.0, 5.0], [0.0, 1.0]])
SEXES = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])
PENNIES = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[-1.0, 1.0], [1.0, -1.0]])
CHICKEN = np.array([[6.0, 2.0], [7.0, 0.0]]), np.array([[6.0, 7.0], [2.0, 0.0]])

# JAX compiles for ten seconds.
BATCHED = [pytest.param(n, marks=pytest.mark.slow if n == "jax" else ()) for n in LIBRARIES]


def value_of(matrix):
    """Return the value of a matrix game by a linear program."""
    rows, columns = matrix.shape
    result = linprog(
        np.append(np.zeros(rows), -1.0),
        A_ub=np.column_stack([-matrix.T, np.ones(columns)]),
        b_ub=np.zeros(columns),
        A_eq=np.append(np.ones(rows), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0, None)] * rows + [(None, None)],
    )
    assert result.status == 0
    return -result.fun


def draw(seed, rows, columns, whole, scale=1.0):
    rng = np.random.default_rng(seed)
    if whole:
        return rng.integers(-2, 3, (rows, columns)) * scale
    return rng.normal(size=(rows, columns)) * scale


sizes = st.integers(1, 7), st.integers(1, 7)


@settings(max_examples=40)
@given(st.integers(0, 10**6), *sizes, st.booleans(), st.sampled_from([1e-6, 1.0, 1e9]))
def test_security_is_the_value_of_a_linear_program(seed, rows, columns, whole, scale):
    matrix = draw(seed, rows, columns, whole)
    expected = value_of(matrix)
    assert float(security(matrix * scale)) == pytest.approx(expected * scale, abs=1e-9 * scale)


@pytest.mark.parametrize(
    ("game", "expected"),
    [
        (DILEMMA, [1.0, 1.0]),  # confess, whatever the other does
        (SEXES, [2 / 3, 2 / 3]),
        (PENNIES, [0.0, 0.0]),
        (CHICKEN, [2.0, 2.0]),  # give way: a saddle point
    ],
    ids=["dilemma", "sexes", "pennies", "chicken"],
)
def test_security_levels_of_the_textbook(game, expected, eager):
    threat = bimatrix(*map(eager.asarray, game)).disagreement
    np.testing.assert_allclose(as_numpy(threat), expected, atol=1e-13)


def test_the_columns_are_the_second_players():
    # The first can guarantee himself 1, by his first row; the second 5, by his third column.
    first = np.array([[1.0, 2.0, 3.0], [0.0, 9.0, 0.0]])
    second = np.array([[0.0, 1.0, 5.0], [9.0, 0.0, 6.0]])
    game = bimatrix(first, second)
    np.testing.assert_allclose(game.disagreement, [1.0, 5.0], atol=1e-13)
    np.testing.assert_array_equal(game.payoffs[4], [first[1, 1], second[1, 1]])
    np.testing.assert_array_equal(game.payoffs[2], [first[0, 2], second[0, 2]])


@pytest.mark.parametrize(
    ("game", "expected"),
    [
        (DILEMMA, [[1, 1]]),
        (SEXES, [[2, 1], [2 / 3, 2 / 3], [1, 2]]),
        (PENNIES, [[0, 0]]),
        (CHICKEN, [[2, 7], [14 / 3, 14 / 3], [7, 2]]),
    ],
    ids=["dilemma", "sexes", "pennies", "chicken"],
)
def test_equilibria_of_the_textbook(game, expected, eager):
    found = as_numpy(tuple(equilibria(*map(eager.asarray, game))))
    np.testing.assert_allclose([one.payoffs for one in found], expected, rtol=1e-14)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_at_an_equilibrium_nobody_gains_by_another_strategy(seed, rows, columns, whole):
    first, second = draw(seed, rows, columns, whole), draw(seed + 1, rows, columns, whole)
    found = equilibria(first, second)
    assert found
    for one in found:
        for chances in (one.first, one.second):
            assert (chances >= 0).all()
            assert chances.sum() == pytest.approx(1, abs=1e-14)
        ours, theirs = one.first @ first @ one.second, one.first @ second @ one.second
        np.testing.assert_allclose(one.payoffs, [ours, theirs], atol=1e-13)
        assert (first @ one.second).max() <= ours + 1e-12
        assert (one.first @ second).max() <= theirs + 1e-12
        # Nobody does worse than he can guarantee himself.
        assert ours >= float(security(first)) - 1e-12
        assert theirs >= float(security(second.T)) - 1e-12
    if not whole:
        # Wilson: a game without coincidences has an odd number of equilibria.
        assert len(found) % 2 == 1


def test_every_pure_equilibrium_is_found():
    rng = np.random.default_rng(5)
    for _ in range(30):
        first, second = rng.integers(0, 3, (2, 3, 4)).astype(float)
        pure = {
            (i, j)
            for i in range(3)
            for j in range(4)
            if first[i, j] == first[:, j].max() and second[i, j] == second[i].max()
        }
        found = {
            (int(one.first.argmax()), int(one.second.argmax()))
            for one in equilibria(first, second)
            if one.first.max() == one.second.max() == 1
        }
        assert found == pure


def test_where_there_are_infinitely_many_the_extreme_ones_are_listed():
    # The first player does not mind, so the second's first column is answered by any mixture.
    first, second = np.ones((2, 2)), np.array([[1.0, 0.0], [1.0, 2.0]])
    found = [one.first.tolist() + one.second.tolist() for one in equilibria(first, second)]
    assert found == [[1, 0, 1, 0], [0.5, 0.5, 1, 0], [0.5, 0.5, 0, 1], [0, 1, 0, 1]]
    # Rows that are as good as one another, but not best, single out no mixture of columns.
    first, second = np.array([[5.0, 5.0], [1.0, 0.0], [0.0, 1.0]]), np.eye(3, 1) * [1.0, 1.0]
    found = [one.second.tolist() for one in equilibria(first, second)]
    assert found == [[1, 0], [0, 1]]


def test_three_coordinate_in_seven_ways():
    # Every subset of the three meeting points is the support of an equilibrium.
    assert len(equilibria(np.eye(3), np.eye(3))) == 7


def test_contracts_of_the_textbook():
    dilemma = solve_payoffs(bimatrix(*DILEMMA, "equilibrium"), Nash())
    np.testing.assert_allclose(dilemma.utilities, [3.0, 3.0], atol=1e-9)
    # A coin decides where they go, whoever made the threat.
    for solution in (Nash(), KalaiSmorodinsky(), Egalitarian()):
        sexes = solve_payoffs(bimatrix(*SEXES), solution)
        np.testing.assert_allclose(sexes.utilities, [1.5, 1.5], atol=1e-9)
    np.testing.assert_allclose(sexes.allocation, [0.5, 0, 0, 0.5], atol=1e-9)
    assert solve_payoffs(bimatrix(*PENNIES), Nash()).status == Status.DISAGREEMENT


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(2, 5))
def test_nothing_can_be_agreed_where_one_wins_what_the_other_loses(seed, rows, columns):
    matrix = draw(seed, rows, columns, False)
    game = bimatrix(matrix, 3.0 - matrix)
    assert solve_payoffs(game, Nash()).status == Status.DISAGREEMENT


def test_a_stronger_threat_gets_more():
    threats = [bimatrix(*SEXES, threat) for threat in ([0.0, 0.0], [1.0, 0.0])]
    neutral, strong = (solve_payoffs(game, Nash()).utilities for game in threats)
    assert strong[0] > neutral[0] + 0.1
    np.testing.assert_array_equal(threats[1].disagreement, [1.0, 0.0])


@pytest.mark.parametrize("library", BATCHED)
def test_batches_are_games_side_by_side(library):
    xp = open_library(library)
    firsts = np.stack([draw(seed, 3, 4, False) for seed in range(4)])
    seconds = np.stack([draw(seed, 3, 4, True) for seed in range(4)])
    game = as_numpy(bimatrix(xp.asarray(firsts), xp.asarray(seconds)))
    for k in range(4):
        alone = bimatrix(firsts[k], seconds[k])
        np.testing.assert_array_equal(game.payoffs[k], alone.payoffs)
        np.testing.assert_allclose(game.disagreement[k], alone.disagreement, atol=1e-12)


def test_no_games_have_no_threats(eager):
    nothing = eager.asarray(np.zeros((0, 2, 3)))
    game = bimatrix(nothing, nothing)
    assert tuple(game.payoffs.shape) == (0, 6, 2)
    assert tuple(game.disagreement.shape) == (0, 2)


def test_a_bad_game_leaves_its_neighbours_alone():
    firsts = np.stack([DILEMMA[0], SEXES[0]])
    firsts[0, 0, 0] = np.nan
    game = bimatrix(firsts, np.stack([DILEMMA[1], SEXES[1]]))
    outcome = solve_payoffs(game, Nash())
    assert outcome.status.tolist() == [Status.NONFINITE, Status.AGREEMENT]
    np.testing.assert_allclose(outcome.utilities[1], [1.5, 1.5], atol=1e-9)


def test_several_equilibria_are_for_the_caller_to_choose():
    with pytest.raises(ValueError, match=r"found 3: payoffs \(2, 1\) from rows \(1, 0\)") as caught:
        bimatrix(*SEXES, "equilibrium")
    assert "payoffs (0.6667, 0.6667) from rows (0.6667, 0.3333)" in str(caught.value)
    chosen = bimatrix(*SEXES, equilibria(*SEXES)[1].payoffs)
    np.testing.assert_allclose(chosen.disagreement, [2 / 3, 2 / 3])


def test_several_equilibria_with_the_same_payoffs_are_one_threat():
    first, second = np.array([[1.0, 1.0], [0.0, 0.0]]), np.array([[2.0, 2.0], [0.0, 0.0]])
    assert len(equilibria(first, second)) == 2
    game = bimatrix(first, second, "equilibrium")
    np.testing.assert_array_equal(game.disagreement, [1.0, 2.0])


@pytest.mark.parametrize(
    ("first", "second", "threat", "error", "message"),
    [
        ([[1.0]], np.ones((1, 1)), "security", TypeError, "first: expected an array"),
        (np.ones((2, 2)), "no", "security", TypeError, "second: expected an array"),
        (np.ones((2, 2)), None, "security", ValueError, "found None"),
        (np.ones((2, 2)), np.ones((2, 3)), "security", ValueError, "second: expected"),
        (np.ones((2, 2)), np.ones((1, 2)), "security", ValueError, "shape of first"),
        (np.ones((2, 2), int), np.ones((2, 2)), "security", TypeError, "floating-point"),
        (np.ones(2), np.ones(2), "security", ValueError, "two axes"),
        (np.ones((0, 2)), np.ones((0, 2)), "security", ValueError, "at least one row"),
        (np.full((2, 2), np.nan), np.ones((2, 2)), "security", ValueError, "first: expected fini"),
        (np.ones((2, 2)), np.full((2, 2), np.inf), "security", ValueError, "second: expected f"),
        (*SEXES, "rational", ValueError, "'security', 'equilibrium' or"),
        (*SEXES, None, ValueError, "found None"),
        (*SEXES, [1.0, 2.0, 3.0], ValueError, "threat: expected shape"),
        (np.ones((2, 3, 3)), np.ones((2, 3, 3)), "equilibrium", ValueError, "one by one"),
        (np.ones((9, 9)), np.ones((9, 9)), "equilibrium", ValueError, "expected a small game"),
    ],
)
def test_bad_games_are_named(first, second, threat, error, message):
    with pytest.raises(error, match=message):
        bimatrix(first, second, threat)
    if threat == "security":
        with pytest.raises(error, match=message):
            equilibria(first, second)


def test_bad_matrices_are_named_before_a_search():
    with pytest.raises(ValueError, match=r"second: expected shape \(3, 3\).* found \(2, 2\)"):
        equilibria(np.eye(3), np.ones((2, 2)))
    with pytest.raises(ValueError, match="expected one game"):
        equilibria(np.ones((2, 3, 3)), np.ones((2, 3, 3)))
    with pytest.raises(TypeError, match="payoffs: expected a real floating"):
        security(np.eye(2, dtype=int))
    with pytest.raises(TypeError, match="payoffs: expected an array"):
        security([[1.0]])
    with pytest.raises(ValueError, match="payoffs: expected at least two axes"):
        security(np.ones(2))


def test_the_second_matrix_may_be_a_list():
    lists = SEXES[1].tolist()
    np.testing.assert_array_equal(bimatrix(SEXES[0], lists).payoffs, bimatrix(*SEXES).payoffs)
    assert len(equilibria(SEXES[0], lists)) == 3
