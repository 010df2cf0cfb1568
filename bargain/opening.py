"""Where solvers start, and the moves that every one of them may use."""

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, apply_cosines, total_weight
from bargain.shapes import Array, Float

ROUNDS = 3
"""Proximal steps before a second-order method takes over; they cost one product each."""


def stretch(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> Float[Array, "*batch"]:
    r"""Return the best multiple of a point: exact search along the ray through it.

    At the minimum of the Nash objective along a ray :math:`b^T C b = \sum w`. Where the gradients
    cancel, rounding may leave nothing or less of :math:`b^T C b`; it counts as what the resolution
    can tell.
    """
    xp = array_namespace(point)
    taken = xp.where(game.inside, point, 0.0)
    size = xp.sum(taken, axis=-1)
    power = xp.sum(taken * product, axis=-1)
    least = (0.1 * game.resolution * size) ** 2
    power = xp.where(power > least, power, least)
    return xp.where(size > 0, xp.sqrt(total_weight(game) / xp.where(size > 0, power, 1.0)), 1.0)


def scaled(
    game: CanonicalGame, point: Float[Array, "*batch K"], factor: Float[Array, "*batch"]
) -> Float[Array, "*batch K"]:
    """Multiply the entries of the players inside, and leave the others at their one."""
    xp = array_namespace(point)
    return xp.where(game.inside, point * factor[..., None], point)


def lipschitz_bound(game: CanonicalGame) -> Float[Array, "*batch"]:
    """Bound the largest eigenvalue of the cosines by their largest absolute row sum."""
    xp = array_namespace(game.cosines)
    return xp.max(xp.sum(xp.abs(game.cosines), axis=-1), axis=-1)


def proximal_step(
    game: CanonicalGame,
    point: Float[Array, "*batch K"],
    product: Float[Array, "*batch K"],
    bound: Float[Array, "*batch"],
) -> Float[Array, "*batch K"]:
    r"""One proximal-gradient step on :math:`\tfrac12 b^T C b - \sum_i w_i \log b_i`.

    :math:`b \leftarrow (v + \sqrt{v^2 + 4 w / L}) / 2` with :math:`v = b - C b / L`. It keeps the
    point positive, never increases the objective, and puts players of tiny weight where they
    belong in one go, which no Newton direction does.
    """
    xp = array_namespace(point)
    half = (point - product / bound[..., None]) / 2
    inverse = game.weights / bound[..., None]
    root = xp.sqrt(half * half + inverse)
    # The sum cancels where the half is negative; the quotient does not.
    size = xp.abs(half) + root
    return xp.where(half > 0, size, inverse / size)


def opening(game: CanonicalGame) -> Float[Array, "*batch K"]:
    """Return a good cold start: a few proximal steps, each stretched along its ray."""
    xp = array_namespace(game.weights)
    bound = lipschitz_bound(game)
    point = xp.sqrt(game.weights)
    product = apply_cosines(game, point)
    for _ in range(ROUNDS):
        factor = stretch(game, point, product)
        point, product = scaled(game, point, factor), scaled(game, product, factor)
        point = proximal_step(game, point, product, bound)
        product = apply_cosines(game, point)
    return scaled(game, point, stretch(game, point, product))
