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
from scipy.linalg import get_lapack_funcs

import bargain.line_search as search
from bargain.canonical import resolution_of, symmetry_tolerance
from bargain.evidence import ROUNDING, WORST_FLOOR
from bargain.newton import Newton
from bargain.opening import ROUNDS
from bargain.outcome import Certificate, Outcome, Status
from bargain.solutions import Nash
from bargain.validation import SLACK

Vector = np.ndarray[Any, np.dtype[np.float64]]
Matrix = np.ndarray[Any, np.dtype[np.float64]]

dposv, dpotrf = get_lapack_funcs(("posv", "potrf"), dtype=np.float64)

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
    gram, weights = game.gram, game.weights
    if (
        gram.ndim != 2
        or gram.dtype != np.float64
        or type(solution) is not Nash
        or type(solver) is not Newton
        or game.disagreement is not None
        or game.active is not None
        or type(game.radius) is not float
        or not 0 < game.radius < inf
        or (weights is not None and weights.dtype != np.float64)
    ):
        return None
    players = gram.shape[0]
    diagonal = gram.diagonal()
    if not (diagonal.min() > 0 and diagonal.max() < inf):
        return None
    norms = np.sqrt(diagonal)
    cosines = _cosines(gram, norms, precision)
    if cosines is None:
        return None
    if weights is None:
        weights, mean = np.ones(players), 1.0
    else:
        largest = weights.max()
        if not (weights.min() > 0 and largest < inf):
            return None
        weights = weights / largest
        mean = np.add.reduce(weights) / players
        weights, mean = weights / mean, float(mean * largest)
    magnitudes = np.abs(cosines)
    resolution = resolution_of(precision, players)
    point = _begin(cosines, magnitudes, weights, norms, start, resolution)
    if point is None:
        return None
    ended = _iterate(cosines, magnitudes, weights, point, solver.tol, max_steps, resolution)
    if ended is None:
        return None
    return _conclude(cosines, magnitudes, weights, mean, norms, game.radius, resolution, *ended)


def _cosines(gram: Matrix, norms: Vector, precision: float) -> Matrix | None:
    """Return the cosines of a valid Gram matrix, and None for any other."""
    tol = symmetry_tolerance(precision)
    with np.errstate(over="ignore", invalid="ignore"):
        cosines = gram / norms[:, None]
        cosines /= norms
    mirrored = cosines.T
    # Comparisons with NaN are false, so that NaN and infinity end here too.
    if not np.maximum.reduce(np.abs(cosines), axis=None) <= 1 + tol:
        return None
    if not np.maximum.reduce(np.abs(cosines - mirrored), axis=None) <= tol:
        return None
    cosines = (cosines + mirrored) / 2
    players = len(norms)
    cosines.flat[:: players + 1] = 1 + SLACK * players * precision
    if dpotrf(cosines.T)[1] != 0:
        return None
    cosines.flat[:: players + 1] = 1.0
    return cosines


def _begin(
    cosines: Matrix,
    magnitudes: Matrix,
    weights: Vector,
    norms: Vector,
    start: Any,
    resolution: float,
) -> Vector | None:
    total = float(np.add.reduce(weights))
    if start is not None:
        if getattr(start, "shape", None) != norms.shape or not (
            start.min() > 0 and start.max() < inf
        ):
            return None
        point = start * norms
        return point * _stretch(point, cosines @ point, total, resolution)
    bound = np.maximum.reduce(np.add.reduce(magnitudes, axis=1))
    inverse = weights / bound
    point = np.sqrt(weights)
    product = cosines @ point
    for _ in range(ROUNDS):
        factor = _stretch(point, product, total, resolution)
        moved = point * factor - product * (factor / bound)
        root = np.sqrt(moved * moved + 4 * inverse)
        positive = moved > 0
        point = np.where(
            positive, (moved + root) / 2, 2 * inverse / np.where(positive, 1.0, root - moved)
        )
        product = cosines @ point
    return point * _stretch(point, product, total, resolution)


def _stretch(point: Vector, product: Vector, total: float, resolution: float) -> float:
    least = (0.1 * resolution * float(np.add.reduce(point))) ** 2
    return sqrt(total / max(float(point.dot(product)), least))


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
        product = cosines @ point
        gains = point * product
        residual = float(np.maximum.reduce(np.abs(gains / weights - 1)))
        power = float(np.add.reduce(gains))
        if power <= (resolution * float(np.add.reduce(point))) ** 2 or residual <= tol:
            return point, steps
        if residual > previous / 2:
            floor = ROUNDING * EPSILON * float((point * (magnitudes @ point) / weights).max())
            if residual <= floor / 2:
                return (point, steps) if floor < WORST_FLOOR else None
        if steps == max_steps or not residual < inf:
            return None
        previous, steps = residual, steps + 1

        force = weights / point
        scale = 1 / np.sqrt(1 + force / point)
        matrix = cosines * scale
        matrix *= scale[:, None]
        matrix.flat[:: players + 1] = ridge
        # Symmetric, so its transpose is the same and already in LAPACK's order: no copy.
        _, relative, info = dposv(matrix.T, scale * (force - product), 0, 1, 1)
        if info != 0:
            return None
        relative *= scale / point
        direction = point * relative
        length = _exact_step(
            float(direction.dot(product)),
            float(direction.dot(cosines @ direction)),
            weights,
            relative,
        )
        point = point * (1 + length * relative)


def _exact_step(linear: float, quadratic: float, weights: Vector, relative: Vector) -> float:
    """Search as ``bargain.line_search.exact_step`` does."""
    quadratic = max(quadratic, 0.0)
    steepest = -float(np.minimum.reduce(relative))
    upper = 1 / steepest if steepest > SMALLEST else inf
    lower = 0.0
    slope_at_start = linear - float(weights.dot(relative))
    if slope_at_start >= 0:
        return 0.0
    step = 1.0 if upper > 1 / 0.99 else 0.99 * upper
    for _ in range(search.ROUNDS):
        ratio = relative / (1 + step * relative)
        weighted = weights * ratio
        slope = linear + step * quadratic - float(np.add.reduce(weighted))
        if abs(slope) <= -search.SLACK * slope_at_start:
            return step
        curvature = quadratic + float(weighted.dot(ratio))
        if slope > 0:
            upper = step
        else:
            lower = step
        least = EPSILON * abs(slope)
        newton = step - slope / (curvature if curvature > least else least + SMALLEST)
        if not lower < newton < upper:
            newton = (lower + upper) / 2 if upper < inf else search.GROWTH * step
        step = min(newton, search.GROWTH * (1 + step))
    return step


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
    total = float(np.add.reduce(weights))
    product = cosines @ point
    factor = _stretch(point, product, total, resolution)
    point, product = point * factor, product * factor
    gains = point * product
    sum_of_gains, size = float(np.add.reduce(gains)), float(np.add.reduce(point))
    length = sqrt(max(sum_of_gains, 0.0)) / size
    counted, width = np.int32(steps), np.float64(resolution)
    if length <= resolution:
        combination = point / norms
        nothing, excess = np.float64(0.0), np.float64(length)
        zeros = [np.zeros(len(norms)) for _ in range(4)]
        certificate = Certificate(
            zeros.pop(),
            combination / np.add.reduce(combination),
            nothing,
            excess,
            nothing,
            width,
            ACCEPTED,
        )
        return Outcome(*zeros, DISAGREEMENT, nothing, excess, counted, certificate)
    deviation = gains / weights - 1
    residual = np.maximum.reduce(np.abs(deviation))
    floor = ROUNDING * EPSILON * np.maximum.reduce(point * (magnitudes @ point) / weights)
    gap = mean * weights.dot(deviation - np.log1p(deviation)) if residual < 1 else np.float64(inf)
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
        gains / sum_of_gains,
        AGREEMENT,
        gap,
        residual,
        counted,
        certificate,
    )
