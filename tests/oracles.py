"""The same questions put to others' solvers: NNLS for the hull, a conic solver for the value."""

import math
import warnings
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from tests.strategies.gram_classes import GramCase


def factor_of_cosines(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return unit gradients as columns, and the lengths that were divided out."""
    gram = np.asarray(gram, dtype=float)
    lengths = np.sqrt(np.diagonal(gram))
    values, vectors = np.linalg.eigh(gram / lengths[:, None] / lengths)
    known = values > len(gram) * np.finfo(float).eps
    return np.sqrt(values[known])[:, None] * vectors[:, known].T, lengths


def min_norm_point(gram: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the point of the hull of the unit gradients that is nearest to the origin.

    Parameters
    ----------
    gram
        Shape (K, K), positive diagonal.

    Returns
    -------
    beta
        Shape (K,), on the simplex: weights of the *unit* gradients.
    norm
        The distance, between 0 and 1; below about 1e-8 it means zero.
    """
    factor, _ = factor_of_cosines(gram)
    # min ||F b||^2 + (sum(b) - 1)^2 over b >= 0: homogeneity makes b proportional to the answer.
    stacked = np.concatenate([factor, np.ones((1, factor.shape[1]))])
    target = np.zeros(len(stacked))
    target[-1] = 1.0
    solution, _ = nnls(stacked, target)
    beta = solution / solution.sum()
    return beta, float(np.linalg.norm(factor @ beta))


def measured_case(gram: np.ndarray, weights: np.ndarray | None = None, *, name: str) -> GramCase:
    """Make a case of a matrix that comes from elsewhere; NNLS measures its margin."""
    weights = np.ones(len(gram)) if weights is None else np.asarray(weights)
    inside = np.flatnonzero((weights > 0) & (np.diagonal(gram) > 0))
    norm = min_norm_point(gram[np.ix_(inside, inside)])[1]
    resolution = math.sqrt(len(gram) * np.finfo(gram.dtype).eps)
    margin = norm if norm > 10 * resolution else 0.0 if norm < resolution / 10 else math.nan
    return GramCase(gram, weights, name, margin)


class Reference(NamedTuple):
    """What the conic solver says; coefficients are natural without a disagreement point.

    With one they are the multipliers w_i / (u_i - d_i).
    """

    value: float
    utilities: np.ndarray
    coefficients: np.ndarray


def nash_value_by_cvxpy(
    gram: np.ndarray,
    weights: np.ndarray,
    disagreement: np.ndarray | None = None,
    radius: float = 1.0,
) -> Reference:
    """Maximise sum_i w_i log(u_i - d_i) over updates of length ``radius`` or less.

    Every player must have a positive weight and a gradient. The value is good to about 1e-7
    sum(w), the points to about 1e-4: the precision of conic solvers.
    """
    import cvxpy

    factor, lengths = factor_of_cosines(gram)
    ideal, total = radius * lengths, float(np.sum(weights))
    asked = np.zeros(len(ideal)) if disagreement is None else np.asarray(disagreement) / ideal
    update = cvxpy.Variable(len(factor))
    gains = cvxpy.log(factor.T @ update - asked)
    problem = cvxpy.Problem(
        cvxpy.Maximize(cvxpy.sum(cvxpy.multiply(weights / total, gains))),
        [cvxpy.norm(update) <= 1],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        problem.solve(solver="CLARABEL")
    if update.value is None:
        raise ValueError(f"expected a solution from the conic solver, found {problem.status}")
    utilities = factor.T @ (update.value / max(1.0, float(np.linalg.norm(update.value))))
    surplus = utilities - asked
    coefficients = weights / (surplus * ideal)
    if disagreement is None:
        coefficients *= radius / math.sqrt(total)
    value = float(weights @ (np.log(surplus) + np.log(ideal)))
    return Reference(value, utilities * ideal, coefficients)


def attainable_slack_by_cvxpy(
    gram: np.ndarray, disagreement: np.ndarray | None = None, radius: float = 1.0
) -> float:
    """Return the largest t such that some update gives every player d_i + t r ||g_i|| or more."""
    import cvxpy

    factor, lengths = factor_of_cosines(gram)
    ideal = radius * lengths
    asked = np.zeros(len(ideal)) if disagreement is None else np.asarray(disagreement) / ideal
    update, slack = cvxpy.Variable(len(factor)), cvxpy.Variable()
    constraints = [factor.T @ update - asked >= slack, cvxpy.norm(update) <= 1]
    cvxpy.Problem(cvxpy.Maximize(slack), constraints).solve(solver="CLARABEL")
    return np.asarray(slack.value).item()
