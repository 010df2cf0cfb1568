"""The games that solvers are timed on."""

from pathlib import Path

import numpy as np

GRAMS = Path(__file__).parent.parent / "tests" / "data" / "grams"


SPREAD = 1.5
"""Standard deviation of the logarithm of the gradients' scales."""


def random_grams(players: int, count: int, seed: int = 0) -> list[np.ndarray]:
    """Gram matrices of normal gradients in 2,000 dimensions with log-normal scales."""
    rng = np.random.default_rng(seed)
    grams = []
    for _ in range(count):
        scales = np.exp(SPREAD * rng.normal(size=(players, 1)))
        gradients = rng.normal(size=(players, 2000)) * scales
        grams.append(gradients @ gradients.T)
    return grams


def real_grams(name: str, count: int) -> list[np.ndarray]:
    """Gram matrices of a real training, evenly spaced along it."""
    with np.load(GRAMS / f"{name}.npz") as file:
        grams = file["grams"]
    return [grams[k] for k in np.linspace(0, len(grams) - 1, count).astype(int)]


def residual(gram: np.ndarray, coefficients: np.ndarray) -> float:
    """Return ``max |a_i (M a)_i - 1|`` with ``a`` at its best length; infinite if it is no answer.

    The length is given to every solver for free: it is trivial to find, and some scale the matrix.
    """
    if not (np.isfinite(coefficients).all() and (coefficients > 0).all()):
        return float("inf")
    norms = np.sqrt(np.diagonal(gram))
    cosines = gram / norms / norms[:, None]
    point = coefficients * norms
    power = point @ cosines @ point
    if not 0 < power < float("inf"):
        return float("inf")
    point = point * np.sqrt(len(point) / power)
    return float(np.max(np.abs(point * (cosines @ point) - 1)))
