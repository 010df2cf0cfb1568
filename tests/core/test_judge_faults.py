"""Every fault planted in a right answer is found by the judge."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from tests import strategies
from tests.judge import check_agreement, check_disagreement

RESOLUTION = math.sqrt(2 * np.finfo(float).eps)
EPSILON = float(np.finfo(float).eps)


def right_answer(case):
    """An agreement in closed form, for orthogonal or identical gradients, with all its claims."""
    weights, lengths = case.weights.astype(float), case.lengths.astype(float)
    inside = case.bargaining
    total, safe = weights[inside].sum(), np.where(lengths > 0, lengths, 1.0)
    orthogonal = not np.any(case.gram - np.diag(np.diagonal(case.gram)))
    relative = np.sqrt(weights) if orthogonal else weights / math.sqrt(total)
    coefficients = np.where(inside, relative / safe, 0.0)
    utilities = case.radius * case.gram @ coefficients / math.sqrt(total)
    multipliers = coefficients * math.sqrt(total) / case.radius
    certificate = SimpleNamespace(
        multipliers=multipliers, gap=0.0, residual=0.0, floor=EPSILON, resolution=RESOLUTION
    )
    return SimpleNamespace(
        coefficients=coefficients,
        utilities=utilities,
        shares=np.where(inside, weights, 0.0) / total,
        gap=0.0,
        residual=0.0,
        certificate=certificate,
    )


def with_demands():
    """u = (x, sqrt(1 - x^2)), d = (0.6, 0): 2x^2 - 0.6x - 1 = 0; and its answer."""
    x = (0.6 + math.sqrt(0.36 + 8)) / 4
    utilities = np.array([x, math.sqrt(1 - x * x)])
    asked = np.array([0.6, 0.0])
    case = strategies.GramCase(np.eye(2), np.ones(2), "demands", 0.2, disagreement=asked)
    answer = right_answer(strategies.GramCase(np.eye(2), np.ones(2), "plain", 0.5))
    answer.coefficients = answer.utilities = utilities
    answer.certificate.multipliers = 1 / (utilities - asked)
    return case, answer


ORTHOGONAL = strategies.GramCase(
    np.diag([1.0, 4.0, 1e60, 0.0, 9.0]),
    np.array([1.0, 4.0, 1e-8, 1.0, 0.0]),
    "orthogonal, with a zero gradient and a silent player",
    math.nan,
    radius=2.0,
)
IDENTICAL = strategies.GramCase(np.ones((3, 3)), np.array([1.0, 2.0, 5.0]), "identical", 1.0)


@pytest.mark.parametrize("case", [ORTHOGONAL, IDENTICAL])
def test_right_answers_pass(case):
    check_agreement(case, right_answer(case))


def test_right_answers_with_demands_pass():
    check_agreement(*with_demands())


def spoil(field, factor=None, *, player=None, value=None, proof=False):
    def fault(answer):
        holder = answer.certificate if proof else answer
        old = np.array(getattr(holder, field), dtype=float)
        new = old * factor if value is None else np.full_like(old, value)
        setattr(
            holder,
            field,
            new if player is None else np.where(np.arange(len(old)) == player, new, old),
        )

    return fault


FAULTS = {
    "coefficient slightly off": spoil("coefficients", 1 + 1e-9, player=1),
    "coefficient of the lightest player off": spoil("coefficients", 1.001, player=2),
    "coefficient negative": spoil("coefficients", -1, player=1),
    "coefficients of another length": spoil("coefficients", 1.001),
    "coefficient of a silent player": spoil("coefficients", player=4, value=1e-30),
    "coefficient of a zero gradient": spoil("coefficients", player=3, value=1.0),
    "coefficient not a number": spoil("coefficients", player=0, value=math.nan),
    "utility off": spoil("utilities", 1 + 1e-9, player=0),
    "utilities for another radius": spoil("utilities", 0.5),
    "utility of a silent player": spoil("utilities", player=4, value=1e-9),
    "shares off": spoil("shares", 1 + 1e-9),
    "share of the lightest player off": spoil("shares", 1.001, player=2),
    "share of a silent player": spoil("shares", player=4, value=1e-300),
    "gap off": lambda answer: (
        spoil("gap", value=1e-6)(answer),
        spoil("gap", value=1e-6, proof=True)(answer),
    ),
    "gap not the certificate's": spoil("gap", value=1e-30),
    "residual not the certificate's": spoil("residual", value=1e-30),
    "residual off": lambda answer: (
        spoil("residual", value=1e-11)(answer),
        spoil("residual", value=1e-11, proof=True)(answer),
    ),
    "floor dishonest": spoil("floor", 100, proof=True),
    "multiplier off": spoil("multipliers", 1 + 1e-9, player=1, proof=True),
    "multiplier zero": spoil("multipliers", 0.0, player=1, proof=True),
}


@pytest.mark.parametrize("name", FAULTS)
def test_faults_in_an_agreement_are_found(name):
    answer = right_answer(ORTHOGONAL)
    FAULTS[name](answer)
    with pytest.raises(AssertionError):
        check_agreement(ORTHOGONAL, answer)


@pytest.mark.parametrize(
    "fault",
    [
        spoil("coefficients", 1 + 1e-9),
        spoil("coefficients", 1 - 1e-9),
        spoil("utilities", 1 + 1e-9, player=0),
        spoil("multipliers", 1 + 1e-9, player=0, proof=True),
        spoil("multipliers", 1 + 1e-9, proof=True),
    ],
)
def test_faults_in_an_agreement_with_demands_are_found(fault):
    case, answer = with_demands()
    fault(answer)
    with pytest.raises(AssertionError):
        check_agreement(case, answer)


def test_a_floor_excuses_no_agreement_that_is_known_to_a_factor_only():
    answer = right_answer(IDENTICAL)
    answer.coefficients = answer.coefficients * 1.5
    with pytest.raises(AssertionError, match="residual is"):
        check_agreement(IDENTICAL, answer, tolerance=10.0)


PAIR = np.array([[1.0, -2.0], [-2.0, 4.0]])


@pytest.mark.parametrize(
    ("beta", "options", "message"),
    [
        ([0.5, 0.5], {}, "proves nothing"),
        ([2 / 3 + 1e-7, 1 / 3 - 1e-7], {}, "proves nothing"),
        ([4 / 3, 2 / 3], {}, "sums to"),
        ([5 / 3, -2 / 3], {}, "negative"),
        ([math.nan, 1.0], {}, "finite"),
        ([2 / 3, 1 / 3], {"weights": [1.0, 0.0]}, "without a say"),
        ([2 / 3, 1 / 3], {"active": [True, False]}, "without a say"),
        ([2 / 3, 1 / 3], {"disagreement": [-0.1, -0.1]}, "proves nothing"),
        ([2 / 3, 1 / 3], {"resolution": 1e-3}, "dishonest"),
    ],
)
def test_faults_in_a_disagreement_are_found(beta, options, message):
    arguments = {"resolution": RESOLUTION, **options}
    with pytest.raises(AssertionError, match=message):
        check_disagreement(PAIR, beta, **arguments)


def test_a_zero_gradient_proves_nothing_unless_it_asks_for_something():
    gram = np.diag([1.0, 0.0])
    with pytest.raises(AssertionError, match="without a say"):
        check_disagreement(gram, [0.0, 1.0], RESOLUTION)
    check_disagreement(gram, [0.0, 1.0], RESOLUTION, np.array([0.0, 1.0]))


def test_too_high_demands_are_a_disagreement():
    check_disagreement(np.eye(2), [0.5, 0.5], RESOLUTION, np.array([0.8, 0.8]))
    with pytest.raises(AssertionError, match="proves nothing"):
        check_disagreement(np.eye(2), [0.5, 0.5], RESOLUTION, np.array([0.7, 0.7]))
