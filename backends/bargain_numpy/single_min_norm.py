"""A fast way through single games for the largest smallest part.

If it were known who has a price, the prices would be the solution of a linear system. So guess
that everyone has, solve, take the price from those whose price is negative, give one to those who
would get less than the others, and so on: a primal-dual active-set method, which is at its end
after a few systems. Where it is not, or where anything is not plain, the core takes over.
"""

from math import inf, sqrt
from typing import Any

import numpy as np
from scipy.linalg import get_lapack_funcs
from scipy.linalg.blas import idamax  # pyright: ignore[reportAttributeAccessIssue]

from bargain.evidence import ROUNDING, WORST_FLOOR
from bargain.min_norm import MinNorm
from bargain.outcome import Certificate, Outcome
from bargain.solutions import Egalitarian, KalaiSmorodinsky
from bargain_numpy.plain_game import Matrix, PlainGame, Vector, dasum, plain_game
from bargain_numpy.single_game import ACCEPTED, AGREEMENT, EPSILON, ddot, dsymv

dposv, dpotrs = get_lapack_funcs(("posv", "potrs"), dtype=np.float64)

ROUNDS = 30
"""Guesses made; five are usual."""
LEAST_PIVOT = 1e-5
"""Below this pivot of unit gradients prices may be one choice of many, which is the core's."""


def solve_min_norm(
    game: Any, solution: Any, solver: MinNorm, *, start: Any, max_steps: int, precision: float
) -> Outcome | None:
    """Solve one plain float64 game, or return None to leave it to the core."""
    if type(solution) is not KalaiSmorodinsky and type(solution) is not Egalitarian:
        return None
    plain = plain_game(game, precision)
    if plain is None:
        return None
    claims = _claims(plain, game.ideal, solution)
    if claims is None:
        return None
    found = _prices(plain, claims, min(ROUNDS, max_steps))
    return None if found is None else _conclude(plain, claims, *found, solver.tol)


def _claims(plain: PlainGame, ideal: Any, solution: Any) -> Vector | None:
    """Return what the players claim, in units of their norms, the largest claim being one."""
    if type(solution) is Egalitarian:
        claims = plain.weights / plain.norms
    elif ideal is None:
        return np.ones(len(plain.norms))
    elif ideal.shape == plain.norms.shape and ideal.min() > 0 and ideal.max() < inf:
        claims = ideal / plain.norms
    else:
        return None
    largest = claims.max()
    return claims / largest if largest < inf else None


def _prices(plain: PlainGame, claims: Vector, most: int) -> tuple[Vector, Vector, int] | None:
    """Return prices, the cosines times them, and how many systems it took."""
    cosines, players = plain.cosines, len(claims)
    ridge = 1 + ROUNDING * players * EPSILON
    everyone = np.arange(players)
    chosen = everyone
    for steps in range(1, most + 1):
        among: Matrix = cosines if len(chosen) == players else cosines[chosen[:, None], chosen].T
        wish = claims[chosen]
        matrix = among.copy("F")
        matrix.T.flat[:: len(chosen) + 1] = ridge
        factor, prices, info = dposv(matrix, wish, 0, 1, 0)
        if info != 0:
            return None
        point = np.zeros(players)
        point[chosen] = prices
        product = dsymv(1.0, cosines, point)
        # A positive price is kept, and who would get too little without one gets one.
        wanted = claims - product
        wanted[chosen] = prices
        keeps = np.flatnonzero(wanted > 0)
        if len(keeps) == len(chosen) and (keeps == chosen).all():
            if not factor.diagonal().min() > LEAST_PIVOT:
                return None
            point[chosen] += dpotrs(factor, (claims - product)[chosen])[0]
            return point, dsymv(1.0, cosines, point), steps
        if len(keeps) == 0:
            return None
        chosen = keeps
    return None


def _conclude(
    plain: PlainGame, claims: Vector, point: Vector, product: Vector, steps: int, tol: float
) -> Outcome | None:
    """Prove the answer, as the core does."""
    worth, power, size = ddot(point, claims), ddot(point, product), dasum(point)
    if not (worth > 0 and power > (plain.resolution * size) ** 2):
        return None
    level = power / worth
    excess = product / (claims * level)
    excess -= 1
    gap = max(0.0, -float(excess.min()))
    shares = point * claims
    shares /= worth
    waste = shares * excess
    residual = max(gap, abs(float(waste[idamax(waste)])))
    wobble = dsymv(ROUNDING * EPSILON / level, plain.magnitudes, point)
    wobble /= claims
    floor = ddot(shares, wobble) + max(0.0, float((wobble - excess).max()) - gap)
    if not (floor < WORST_FLOOR and residual <= max(2 * tol, floor)):
        return None
    players = len(claims)
    length = sqrt(power)
    coefficients = point / plain.norms
    coefficients *= sqrt(players * plain.mean) / length
    gains = point * product
    gap, residual = np.float64(gap), np.float64(residual)
    certificate = Certificate(
        coefficients * (sqrt(players * plain.mean) / plain.radius),
        np.zeros(players),
        gap,
        residual,
        np.float64(floor),
        np.float64(plain.resolution),
        ACCEPTED,
    )
    return Outcome(
        coefficients,
        product * plain.norms * (plain.radius / length),
        gains / power,
        AGREEMENT,
        gap,
        residual,
        np.int32(steps),
        certificate,
    )
