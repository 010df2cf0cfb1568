"""Convex games against closed forms, and against the core on gradient games."""

import numpy as np
import pytest

import bargain
from bargain import Status

bargain_cvxpy = pytest.importorskip("bargain_cvxpy")
cvxpy = pytest.importorskip("cvxpy")
ConvexGame = bargain_cvxpy.ConvexGame


def dollar(**options):
    """Split a dollar."""
    dollars = cvxpy.Variable(2, nonneg=True)
    return ConvexGame([dollars[0], dollars[1]], [cvxpy.sum(dollars) <= 1], **options)


def ellipse(**options):
    """u is in x²/4 + y² <= 1."""
    point = cvxpy.Variable(2)
    return ConvexGame(
        [point[0], point[1]], [cvxpy.norm(cvxpy.hstack([point[0] / 2, point[1]])) <= 1], **options
    )


def assert_outcome(outcome, utilities, atol=1e-5):
    assert outcome.status is Status.AGREEMENT
    assert 0 <= outcome.gap < 1e-5
    assert outcome.shares.sum() == pytest.approx(1)
    np.testing.assert_allclose(outcome.utilities, utilities, atol=atol)


def test_split_the_dollar():
    game = dollar(disagreement=[0.2, 0.0])
    assert_outcome(game.nash(), [0.6, 0.4])
    assert_outcome(game.egalitarian(), [0.6, 0.4])
    assert_outcome(game.kalai_smorodinsky(), [0.6, 0.4])
    assert_outcome(game.alpha_fair(3.0), [0.6, 0.4])
    np.testing.assert_allclose(game.variables()[0].value, [0.6, 0.4], atol=1e-5)


def test_bargaining_weights_are_shares():
    outcome = dollar(weights=[1.0, 3.0]).nash()
    assert_outcome(outcome, [0.25, 0.75])
    np.testing.assert_allclose(outcome.shares, [0.25, 0.75])
    np.testing.assert_allclose(outcome.multipliers, [4.0, 4.0], rtol=1e-4)
    assert_outcome(dollar(weights=[1.0, 3.0]).egalitarian(), [0.25, 0.75])
    assert_outcome(dollar(weights=[2.0, 0.0]).nash(), [1.0, 0.0])


def test_risk_aversion_costs():
    """Maximise log x + log(1 - x) / 2, when the second's utility is a square root."""
    dollars = cvxpy.Variable(2, nonneg=True)
    game = ConvexGame([dollars[0], cvxpy.sqrt(dollars[1])], [cvxpy.sum(dollars) <= 1])
    assert_outcome(game.nash(), [2 / 3, 3**-0.5])


def test_solutions_on_an_ellipse():
    game = ellipse()
    ratio = 4 ** (1 / 3)
    second = (ratio**2 / 4 + 1) ** -0.5
    assert_outcome(game.nash(), [2**0.5, 0.5**0.5])
    assert_outcome(game.kalai_smorodinsky(), [2**0.5, 0.5**0.5])
    assert_outcome(game.egalitarian(), [0.8**0.5, 0.8**0.5])
    assert_outcome(game.utilitarian(), [4 / 5**0.5, 1 / 5**0.5])
    assert_outcome(game.alpha_fair(2.0), [ratio * second, second], atol=1e-4)
    assert_outcome(game.alpha_fair(1.0), game.nash().utilities, atol=1e-12)


@pytest.mark.parametrize(
    ("solution", "method"),
    [
        (bargain.Nash(), lambda game: game.nash()),
        (bargain.AlphaFair(2.0), lambda game: game.alpha_fair(2.0)),
        (bargain.KalaiSmorodinsky(), lambda game: game.kalai_smorodinsky()),
        (bargain.Egalitarian(), lambda game: game.egalitarian()),
        (bargain.Utilitarian(), lambda game: game.utilitarian()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_methods_are_short_for_solutions(solution, method):
    game = ellipse(weights=[1.0, 2.0], disagreement=[0.1, 0.0])
    found, expected = game.solve(solution), method(game)
    assert found.status is Status.AGREEMENT
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize(
    "solution",
    [
        bargain.Nash(),
        bargain.AlphaFair(0.5),
        bargain.AlphaFair(3.0),
        bargain.KalaiSmorodinsky(),
        bargain.Egalitarian(),
        bargain.Utilitarian(),
    ],
    ids=repr,
)
def test_every_solution_of_the_core_is_the_core_s(solution):
    """The same lotteries, once as a list of outcomes and once as a convex set."""
    outcomes = np.array([[0.0, 3.0], [3.0, 1.0], [4.0, 0.0]])
    weights, disagreement = np.array([1.0, 1.6]), np.array([0.2, 0.1])
    expected = bargain.solve(
        bargain.PayoffGame(outcomes, disagreement=disagreement, weights=weights), solution
    )
    chances = cvxpy.Variable(3, nonneg=True)
    game = ConvexGame(list(outcomes.T @ chances), [cvxpy.sum(chances) == 1], disagreement, weights)
    assert_outcome(game.solve(solution), expected.utilities, atol=1e-4)


@pytest.mark.parametrize("kind", [bargain.Egalitarian, bargain.KalaiSmorodinsky])
def test_lexicographic_solutions_are_refused(kind):
    game = dollar()
    with pytest.raises(NotImplementedError, match=r"leximin: expected False.*ask for"):
        game.solve(kind(leximin=True))
    assert game.variables()[0].value is None


BILL = {"book": (2, 4), "whip": (2, 2), "ball": (2, 1), "bat": (2, 2), "box": (4, 1)}
JACK = {"pen": (10, 1), "toy": (4, 1), "knife": (6, 2), "hat": (2, 2)}
"""What Nash's boys own, and what each thing is worth to Bill and to Jack."""


def barter(money):
    handed = cvxpy.Variable(len(BILL) + len(JACK), nonneg=True)
    bill, jack = np.array([*BILL.values(), *JACK.values()], dtype=float).T
    sign = np.array([-1.0] * len(BILL) + [1.0] * len(JACK))  # from Bill's point of view
    pay = cvxpy.Variable() if money else 0.0
    return handed, ConvexGame(
        [(sign * bill) @ handed - pay, (-sign * jack) @ handed + pay], [handed <= 1]
    )


def test_bill_and_jack():
    """Nash, "The Bargaining Problem", 1950: Bill keeps his box and Jack his hat."""
    handed, game = barter(money=False)
    assert_outcome(game.solve(bargain.Nash()), [12.0, 5.0], atol=1e-4)
    np.testing.assert_allclose(handed.value, [1, 1, 1, 1, 0, 1, 1, 1, 0], atol=1e-4)


def test_bill_and_jack_with_money():
    """With money they split the largest surplus in halves."""
    _, game = barter(money=True)
    assert_outcome(game.nash(), [9.0, 9.0], atol=1e-4)


@pytest.mark.parametrize("players", [2, 4])
@pytest.mark.parametrize("asked", [0.0, 0.5])
def test_gradient_games_agree_with_the_core(players, asked):
    gradients = np.random.default_rng(players).normal(size=(players, 6))
    weights = np.arange(1.0, players + 1)
    gram, radius = bargain.gram(gradients), 2.0
    disagreement = asked * bargain.nash(gram, radius=radius).utilities
    expected = bargain.nash(gram, weights, disagreement=disagreement, radius=radius)
    update = cvxpy.Variable(6)
    game = ConvexGame(
        list(gradients @ update), [cvxpy.norm(update) <= radius], disagreement, weights
    )
    outcome = game.nash()
    assert_outcome(outcome, expected.utilities, atol=1e-4)
    np.testing.assert_allclose(outcome.shares, expected.shares, atol=1e-9)
    np.testing.assert_allclose(outcome.multipliers, expected.certificate.multipliers, rtol=1e-4)
    np.testing.assert_allclose(
        update.value, bargain.combine(expected.coefficients, gradients), atol=1e-4
    )


def test_the_gap_bounds_what_is_left():
    """The agreement is searched for carelessly, and not its proof."""
    game = ellipse()
    rough = bargain_cvxpy.Conic(
        options=dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 3e-2), tol=1e-12
    )
    outcome = game.nash(solver=rough)
    left = -np.log(outcome.utilities).sum()  # at the optimum the product is one
    assert outcome.status is Status.MAX_STEPS
    assert 1e-4 < left <= outcome.gap + 1e-9


def test_points_outside_the_constraints_prove_nothing():
    game = ellipse()
    rough = bargain_cvxpy.Conic("SCS", options={"eps_abs": 1e-2, "eps_rel": 1e-2})
    outcome = game.nash(solver=rough)
    assert outcome.gap == pytest.approx(0, abs=1e-9)
    assert game.constraints[0].violation() > 1e-3
    assert outcome.status is Status.MAX_STEPS


@pytest.mark.parametrize("excess", [0.0, 0.1, 10.0])
@pytest.mark.parametrize("method", ["nash", "egalitarian", "kalai_smorodinsky"])
def test_disagreement_has_a_certificate(method, excess):
    dollars = cvxpy.Variable(2)  # no bounds: somebody may pay
    game = ConvexGame(
        [dollars[0], dollars[1]],
        [dollars[0] + np.pi * dollars[1] <= 1],
        disagreement=[1 - 0.2 * np.pi + excess, 0.2],
    )
    dollars.value = [1.0, 1.0]
    outcome = getattr(game, method)()
    assert outcome.status is Status.DISAGREEMENT
    np.testing.assert_allclose(outcome.stationary, np.array([1, np.pi]) / (1 + np.pi), atol=1e-6)
    np.testing.assert_array_equal(outcome.utilities, game.disagreement)
    assert dollars.value is None


def test_utilitarians_ask_nobody():
    outcome = dollar(disagreement=[0.0, 0.9], weights=[2.0, 1.0]).utilitarian()
    np.testing.assert_allclose(outcome.utilities, [1.0, 0.0], atol=1e-6)
    assert outcome.status is Status.AGREEMENT


@pytest.mark.parametrize(
    ("method", "limits"),
    [
        ("nash", 0),
        ("nash", 1),
        ("kalai_smorodinsky", 1),
        ("utilitarian", 1),
        ("egalitarian", 0),
    ],
)
def test_gains_without_limit(method, limits):
    point = cvxpy.Variable(2)
    game = ConvexGame([point[0], point[1]], [point[0] <= 1][:limits])
    with pytest.raises(ValueError, match="grow without limit"):
        getattr(game, method)()
    assert point.value is None


def test_the_smaller_gain_may_have_a_limit_alone():
    point = cvxpy.Variable(2)
    outcome = ConvexGame([point[0], point[1]], [point[0] <= 1]).egalitarian()
    assert outcome.status is Status.AGREEMENT
    assert outcome.utilities[0] == pytest.approx(1)
    assert outcome.utilities[1] > 1 - 1e-9


@pytest.mark.parametrize("method", ["nash", "utilitarian"])
def test_contradictions(method):
    point = cvxpy.Variable(2)
    game = ConvexGame([point[0], point[1]], [point <= 1, point[0] >= 2])
    with pytest.raises(ValueError, match="constraints: expected at least one point"):
        getattr(game, method)()


def test_a_failed_solver_is_an_error_and_no_old_answer():
    game = dollar()
    assert game.nash().status is Status.AGREEMENT
    hurried = bargain_cvxpy.Conic(options={"max_iter": 1})
    with pytest.raises(bargain_cvxpy.SolverError, match=r"CLARABEL.*'user_limit'"):
        game.nash(solver=hurried)
    assert game.variables()[0].value is None


def make(utility=None, constraint=None, **options):
    x = cvxpy.Variable()
    utilities = [x if utility is None else utility(x)]
    return ConvexGame(utilities, [x <= 1 if constraint is None else constraint(x)], **options)


@pytest.mark.parametrize(
    ("error", "message", "arguments"),
    [
        (ValueError, "utilities.0.: expected a concave .* call convex", {"utility": cvxpy.square}),
        (ValueError, "expected a scalar", {"utility": lambda x: cvxpy.hstack([x, x])}),
        (TypeError, "expected a CVXPY expression, found int", {"utility": lambda x: 1}),
        (TypeError, "expected a CVXPY constraint, found bool", {"constraint": lambda x: True}),
        (ValueError, "expected a convex constraint", {"constraint": lambda x: cvxpy.log(x) <= 1}),
        (
            ValueError,
            "integers only",
            {"constraint": lambda x: x <= cvxpy.Variable(boolean=True)},
        ),
        (
            ValueError,
            "price: expected a parameter with a value",
            {"constraint": lambda x: x <= cvxpy.Parameter(name="price")},
        ),
        (ValueError, "weights: expected 1 finite", {"weights": [1.0, 2.0]}),
        (ValueError, "weights: expected numbers of at least zero", {"weights": [0.0]}),
        (ValueError, "weights: expected numbers of at least zero", {"weights": [-1.0]}),
        (ValueError, "disagreement: expected 1 finite", {"disagreement": [np.nan]}),
        (ValueError, "disagreement: expected 1 finite", {"disagreement": 0.0}),
    ],
)
def test_bad_input(error, message, arguments):
    with pytest.raises(error, match=message):
        make(**arguments)


def test_other_bad_input():
    with pytest.raises(ValueError, match="expected at least one"):
        ConvexGame([])
    for none in ("nash", bargain.Nash, None):
        with pytest.raises(TypeError, match=r"expected bargain\.Nash.* or Utilitarian, found"):
            make().solve(none)
    for alpha in (0.0, -1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="alpha: expected a positive"):
            make().alpha_fair(alpha)


def test_single_things_and_names_are_no_lists_and_no_solvers():
    x = cvxpy.Variable(nonneg=True)
    with pytest.raises(
        TypeError, match=r"constraints: expected a list, found Inequality.*=\[\.\.\."
    ):
        ConvexGame([x], x <= 1)
    for single in (x, 1.0, "x"):
        with pytest.raises(
            TypeError, match=rf"utilities: expected a list, found {type(single).__name__};"
        ):
            ConvexGame(single)
    sentence = r"solver: expected a Conic, found 'SCS'; write bargain_cvxpy\.Conic\('SCS'\)"
    with pytest.raises(TypeError, match=sentence):
        make().nash(solver="SCS")
    with pytest.raises(TypeError, match=r"found .*Conic'>; write bargain_cvxpy\.Conic\(\)"):
        make().solve(bargain.Egalitarian(), solver=bargain_cvxpy.Conic)


@pytest.mark.parametrize("game", [dollar(), ConvexGame])
def test_the_core_says_how_convex_games_are_solved(game):
    with pytest.raises(TypeError, match=r"found (ConvexGame|type); .* game\.solve\(bargain\.Nash"):
        bargain.solve(game)
