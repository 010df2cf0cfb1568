"""A fast way through single games.

For a game of a few players nearly all of the time is the overhead of calls, and the core, which
serves every library and any batch, makes many of them. This takes the core's Newton steps on one
game with as few calls as possible. Whatever is not plain (an invalid game, players without a say,
no proof at the end) is left to the core, so there is one place that judges and explains. The tests
hold the two to the same steps and the same numbers.
"""

from math import inf, sqrt
from typing import Any

import numpy as np
from scipy.linalg import get_blas_funcs, get_lapack_funcs
from scipy.linalg.blas import idamax  # pyright: ignore[reportAttributeAccessIssue]

import bargain.line_search as search
from bargain.evidence import ROUNDING, WORST_FLOOR
from bargain.newton import Newton
from bargain.opening import ROUNDS
from bargain.outcome import Certificate, Outcome, Status
from bargain.solutions import Nash
from bargain_numpy.plain_game import Matrix, PlainGame, Vector, dasum, plain_game

# BLAS's dot products and largest entries take a fraction of the time of NumPy's reductions.
ddot, dsymv = get_blas_funcs(("dot", "symv"), dtype=np.float64)
(dposv,) = get_lapack_funcs(("posv",), dtype=np.float64)

CLOSE = search.SLACK / (1 + search.SLACK)
EPSILON = float(np.finfo(np.float64).eps)
SMALLEST = 16 * float(np.finfo(np.float64).smallest_normal)
# NumPy's scalars, which nobody can write to.
ACCEPTED = np.bool_(True)
AGREEMENT = np.int32(Status.AGREEMENT)
DISAGREEMENT = np.int32(Status.DISAGREEMENT)


def solve_single(
    game: Any, solution: Any, solver: Any, *, start: Any, max_steps: int, precision: float
) -> Outcome | None:
    """Solve one plain float64 game by Newton's method, or return None to leave it to the core."""
    if type(solution) is not Nash or type(solver) is not Newton:
        return None
    plain = plain_game(game, precision)
    if plain is None:
        return None
    return settle(plain, solver, start, max_steps)


def settle(plain: PlainGame, solver: Newton, start: Any, max_steps: int) -> Outcome | None:
    """Solve a plain game by Newton's method, or return None where there is no proof."""
    point = _begin(
        plain.cosines, plain.magnitudes, plain.weights, plain.norms, start, plain.resolution
    )
    if point is None:
        return None
    ended = _iterate(
        plain.cosines,
        plain.magnitudes,
        plain.weights,
        point,
        solver.tol,
        max_steps,
        plain.resolution,
    )
    return None if ended is None else _conclude(*plain, *ended)


def _begin(
    cosines: Matrix,
    magnitudes: Matrix,
    weights: Vector,
    norms: Vector,
    start: Any,
    resolution: float,
) -> Vector | None:
    total = dasum(weights)
    if start is not None:
        if getattr(start, "shape", None) != norms.shape or not (
            start.min() > 0 and start.max() < inf
        ):
            return None
        point = start * norms
        return point * _stretch(point, dsymv(1.0, cosines, point), total, resolution)
    sums = dsymv(1.0, magnitudes, np.ones(len(weights)))
    bound = float(sums[idamax(sums)])
    inverse = weights / bound
    point = np.sqrt(weights)
    product = dsymv(1.0, cosines, point)
    for _ in range(ROUNDS):
        factor = _stretch(point, product, total, resolution)
        half = point * (factor / 2)
        product *= factor / (2 * bound)
        half -= product
        root = half * half
        root += inverse
        root = np.sqrt(root)
        # The sum cancels where the half is negative; the quotient does not.
        size = np.abs(half)
        size += root
        point = np.maximum(half + root, inverse / size)
        product = dsymv(1.0, cosines, point)
    return point * _stretch(point, product, total, resolution)


def _stretch(point: Vector, product: Vector, total: float, resolution: float) -> float:
    least = (0.1 * resolution * dasum(point)) ** 2
    return sqrt(total / max(ddot(point, product), least))


def _iterate(
    cosines: Matrix,
    magnitudes: Matrix,
    weights: Vector,
    point: Vector,
    tol: float,
    max_steps: int,
    resolution: float,
) -> tuple[Vector, int] | None:
    """Take Newton steps until the point proves something; None where it does not."""
    players = len(weights)
    ridge = 1 + ROUNDING * players * EPSILON
    previous, steps = inf, 0
    while True:
        product = dsymv(1.0, cosines, point)
        deviation = point * product
        deviation /= weights
        deviation -= 1
        residual = abs(float(deviation[idamax(deviation)]))
        if ddot(point, product) <= (resolution * dasum(point)) ** 2 or residual <= tol:
            return point, steps
        if residual > previous / 2:
            floor = _floor(magnitudes, weights, point)
            if residual <= floor / 2:
                return (point, steps) if floor < WORST_FLOOR else None
        if steps == max_steps or not residual < inf:
            return None
        previous, steps = residual, steps + 1

        # Cholesky's method does not mind a badly scaled diagonal, so the core's scaling can go.
        force = weights / point
        matrix = cosines.copy("F")
        diagonal = force / point
        diagonal += 1
        diagonal *= ridge
        matrix.T.flat[:: players + 1] = diagonal
        force -= product
        _, direction, info = dposv(matrix, force, 0, 1, 1)
        if info != 0:
            return None
        relative = direction / point
        # Along Newton's direction the slope after a full step is the sum of w r^3 / (1 + r) at
        # most, so where no r exceeds SLACK / (1 + SLACK) the search would accept it at once. (Far
        # from the solution the ridge may bend the direction, and the bound with it.)
        if residual < CLOSE and abs(float(relative[idamax(relative)])) <= CLOSE:
            point = point + direction
            continue
        length = _exact_step(
            ddot(direction, product),
            ddot(direction, dsymv(1.0, cosines, direction)),
            weights,
            relative,
        )
        point = point + length * direction


def _floor(magnitudes: Matrix, weights: Vector, point: Vector) -> float:
    wobble = point * dsymv(1.0, magnitudes, point)
    wobble /= weights
    return ROUNDING * EPSILON * float(wobble.max())


def _exact_step(linear: float, quadratic: float, weights: Vector, relative: Vector) -> float:
    """Search as ``bargain.line_search.exact_step`` does."""
    quadratic = max(quadratic, 0.0)
    steepest = -float(relative.min())
    upper = 1 / steepest if steepest > SMALLEST else inf
    lower = 0.0
    slope_at_start = linear - ddot(weights, relative)
    if slope_at_start >= 0:
        return 0.0
    step = 1.0 if upper > 1 / 0.99 else 0.99 * upper
    bend = quadratic + ddot(weights * relative, relative)
    if bend > SMALLEST:
        step = min(step, -slope_at_start / bend)
    for _ in range(search.ROUNDS):
        ratio = relative / (1 + step * relative)
        slope = linear + step * quadratic - ddot(weights, ratio)
        if abs(slope) <= -search.SLACK * slope_at_start:
            return step
        curvature = quadratic + ddot(weights * ratio, ratio)
        if slope > 0:
            upper = step
        else:
            lower = step
        least = EPSILON * abs(slope)
        newton = step - slope / (curvature if curvature > least else least + SMALLEST)
        if slope > -slope_at_start or not lower < newton < upper:
            if upper < inf:
                newton = (lower + upper) / 2 if lower > 0 else upper / search.GROWTH
            else:
                newton = search.GROWTH * step
        step = min(newton, search.GROWTH * (1 + step))
    return step if upper == inf else lower


def _conclude(
    cosines: Matrix,
    magnitudes: Matrix,
    weights: Vector,
    mean: float,
    norms: Vector,
    radius: float,
    resolution: float,
    point: Vector,
    steps: int,
) -> Outcome | None:
    """Prove the answer afresh, as the core does."""
    total = dasum(weights)
    product = dsymv(1.0, cosines, point)
    factor = _stretch(point, product, total, resolution)
    point, product = point * factor, product * factor
    gains = point * product
    power = ddot(point, product)
    length = sqrt(max(power, 0.0)) / dasum(point)
    counted, width = np.int32(steps), np.float64(resolution)
    if length <= resolution:
        combination = point / norms
        nothing, excess = np.float64(0.0), np.float64(length)
        zeros = np.zeros((4, len(norms)))
        certificate = Certificate(
            zeros[3],
            combination / combination.sum(),
            nothing,
            excess,
            nothing,
            width,
            ACCEPTED,
        )
        return Outcome(
            zeros[0], zeros[1], zeros[2], DISAGREEMENT, nothing, excess, counted, certificate
        )
    deviation = gains / weights - 1
    residual = np.abs(deviation[idamax(deviation)])
    floor = np.float64(_floor(magnitudes, weights, point))
    gap = np.float64(mean * ddot(weights, deviation - np.log1p(deviation)))
    root = sqrt(total)
    coefficients = point / norms
    certificate = Certificate(
        coefficients * (root * mean / radius),
        np.zeros(len(norms)),
        gap,
        residual,
        floor,
        width,
        ACCEPTED,
    )
    return Outcome(
        coefficients * sqrt(mean),
        product * norms * (radius / root),
        gains / power,
        AGREEMENT,
        gap,
        residual,
        counted,
        certificate,
    )
