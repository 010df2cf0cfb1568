"""What an agreement is worth, recomputed without rounding from the game and the claimed numbers."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from tests.exact import exact_dot, exact_products, exact_root, rounded


@dataclass(frozen=True)
class Bargain:
    """An update with the multipliers that support it, in a game reduced to those who take part.

    Without a disagreement point the coefficients are their own multipliers, and stand for the
    update of length ``radius`` whatever length they have.
    """

    gram: np.ndarray
    weights: np.ndarray
    coefficients: np.ndarray
    multipliers: np.ndarray
    disagreement: np.ndarray | None = None
    radius: float = 1.0
    epsilon: float = float(np.finfo(float).eps)

    @cached_property
    def products(self) -> list[Fraction]:
        return exact_products(self.gram, self.coefficients)

    @cached_property
    def length(self) -> Fraction:
        """The norm of the combination of gradients by the coefficients."""
        return exact_root(exact_dot(self.coefficients, self.products))

    @cached_property
    def gains(self) -> list[Fraction]:
        """Multiplier times surplus, which equals the weight at the solution."""
        if self.disagreement is None:
            return [
                Fraction(float(a)) * p
                for a, p in zip(self.coefficients, self.products, strict=True)
            ]
        return [
            Fraction(float(m)) * (p - Fraction(float(d)))
            for m, p, d in zip(self.multipliers, self.products, self.disagreement, strict=True)
        ]

    @cached_property
    def deviations(self) -> np.ndarray:
        """Relative deviation of each gain from the weight."""
        return np.array(
            [
                rounded(s / Fraction(float(w)) - 1)
                for s, w in zip(self.gains, self.weights, strict=True)
            ]
        )

    @cached_property
    def slack(self) -> tuple[float, float]:
        """How much more the multipliers' best update is worth to them, over W; its uncertainty.

        The norm of a combination that (nearly) vanishes is known only to the root of eps.
        """
        if self.disagreement is None:
            return 0.0, 0.0
        products = exact_products(self.gram, self.multipliers)
        norm = exact_root(exact_dot(self.multipliers, products))
        radius, total = Fraction(float(self.radius)), float(self.weights.sum())
        worth = radius * norm - exact_dot(self.multipliers, self.products)
        size = float(self.multipliers @ self.lengths)
        blur = norm_uncertainty(len(self.gram), self.epsilon, size, rounded(norm))
        return rounded(worth) / total, float(self.radius) * blur / total

    @property
    def lengths(self) -> np.ndarray:
        return np.sqrt(np.diagonal(self.gram))

    @cached_property
    def magnitudes(self) -> np.ndarray:
        """The sums of absolute values behind the entries of M a."""
        sizes = self.lengths  # cosines, because a partial product may overflow
        cosines = np.abs(self.gram / sizes[:, None] / sizes)
        return sizes * (cosines @ (sizes * np.abs(self.coefficients)))

    @cached_property
    def floors(self) -> np.ndarray:
        """What one rounding of every product leaves uncertain in each deviation."""
        if self.disagreement is None:
            return self.epsilon * self.coefficients * self.magnitudes / self.weights
        wobble = self.magnitudes + np.abs(self.disagreement)
        return self.epsilon * self.multipliers * wobble / self.weights

    @property
    def residual(self) -> float:
        return max(float(np.abs(self.deviations).max()), self.slack[0] - self.slack[1])

    @property
    def gap(self) -> float:
        """Upper bound, by weak duality, on what the weighted log-product could still gain."""
        if self.deviations.min() <= -1:
            return math.inf
        divergence = float(self.weights @ (self.deviations - np.log1p(self.deviations)))
        return divergence + max(self.slack[0], 0.0) * float(self.weights.sum())


def norm_uncertainty(players: int, epsilon: float, size: float, norm: float) -> float:
    """Bound the error that rounding M puts into the norm of a combination of gradients.

    Errors of K eps size^2 in the square matter most where the norm vanishes; ``size`` is the sum of
    the lengths of what was combined.
    """
    most = 2 * math.sqrt(players * epsilon) * size
    return most if norm <= most else most * (most / norm)


def nash_bargain(gram, weights, coefficients, epsilon: float = 0.0) -> Bargain:
    """Reduce a game without a disagreement point to the players with a weight and a gradient."""
    gram, weights = np.asarray(gram, float), np.asarray(weights, float)
    inside = (weights > 0) & (np.diagonal(gram) > 0)
    gram, coefficients = gram[np.ix_(inside, inside)], np.asarray(coefficients, float)[inside]
    return Bargain(gram, weights[inside], coefficients, coefficients, epsilon=epsilon)
