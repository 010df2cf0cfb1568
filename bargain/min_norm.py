"""The shortest convex combination of gradients."""

from typing import NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import Backend
from bargain.canonical import CanonicalGame, Frame, apply_cosines
from bargain.evidence import ROUNDING
from bargain.shapes import Array, Bool, Float

STEPS = 100
"""Steps allowed; 10 to 20 are usual."""
KEPT = 0.01
"""Part of every entry that a step leaves at least."""


class _State(NamedTuple):
    point: Float[Array, "*batch K"]
    slack: Float[Array, "*batch K"]
    length: Float[Array, "*batch"]


def min_norm(
    game: CanonicalGame, frame: Frame, backend: Backend, /
) -> tuple[Float[Array, "*batch K"], Float[Array, "*batch"]]:
    r"""Return convex weights of the shortest convex combination of gradients, and its length.

    In multi-task learning the combination is known as MGDA's direction. With unit gradients and
    :math:`q = \min_j \|g_j\| / \|g_i\|` it follows from the linear complementarity problem
    :math:`C b - q = y`, :math:`b, y \ge 0`, :math:`b^T y = 0`, solved by primal-dual steps.

    Parameters
    ----------
    game, frame
        The canonical game and what leads back.
    backend
        The backend of the game's arrays.

    Returns
    -------
    weights
        Shape ``(*batch, K)``, at least zero; they sum to one unless there is no gradient.
    length
        Shape ``(*batch)``, in u.
    """
    xp = array_namespace(game.weights)
    shortest = xp.min(xp.where(game.inside, frame.units, xp.inf), axis=-1)
    anyone = xp.any(game.inside, axis=-1)
    shortest = xp.where(anyone, shortest, 1.0)
    wish = xp.where(game.inside, shortest[..., None] / frame.units, 1.0)
    tol = 64 * xp.finfo(wish.dtype).eps

    def running(state: _State) -> Bool[Array, "*batch"]:
        gap = xp.sum(state.point * state.slack, axis=-1)
        worth = xp.sum(state.point * wish, axis=-1)
        off = xp.max(xp.abs(apply_cosines(game, state.point) - wish - state.slack), axis=-1)
        rounding = tol * (1 + xp.max(state.point, axis=-1))
        return ((gap > tol * worth) | (off > rounding)) & (worth * game.resolution**2 < 1)

    def step(state: _State) -> _State:
        point, slack = state.point, state.slack
        players = point.shape[-1]
        identity = xp.eye(players, dtype=point.dtype, device=device(point))
        gap = xp.sum(point * slack, axis=-1)[..., None] / players
        target = (
            gap * xp.where(state.length < 0.5, 0.9 * xp.ones_like(state.length), 0.05)[..., None]
        )
        diagonal = xp.linalg.diagonal(game.cosines) + slack / point
        scale = 1 / xp.sqrt(diagonal)
        ridge = ROUNDING * players * xp.finfo(point.dtype).eps
        coupling = scale[..., :, None] * game.cosines * scale[..., None, :]
        matrix = xp.where(identity > 0, 1 + ridge, coupling)
        force = wish - apply_cosines(game, point) + target / point
        move = scale * backend.solve_spd(matrix, scale * force)
        change = target / point - slack - slack * move / point
        drop = xp.max(xp.concat([-move / point, -change / slack], axis=-1), axis=-1)
        length = xp.where(drop > 1 - KEPT, (1 - KEPT) / xp.where(drop > 0, drop, 1.0), 1.0)
        live = running(state)
        length = xp.where(live, length, 0.0)
        return _State(
            point + length[..., None] * move,
            slack + length[..., None] * change,
            xp.where(live, length, state.length),
        )

    ones = xp.ones_like(game.weights)
    first = _State(ones, ones, xp.ones_like(game.resolution))
    state = backend.while_loop(lambda state: xp.any(running(state)), step, first, STEPS)
    point = xp.where(game.inside, state.point, 0.0)
    weights = point * wish
    total = xp.sum(weights, axis=-1)
    total = xp.where(total > 0, total, 1.0)
    power = xp.sum(point * apply_cosines(game, point), axis=-1)
    length = xp.sqrt(xp.where(power > 0, power, 0.0)) / total * shortest
    return weights / total[..., None], xp.where(anyone, length, 0.0)
