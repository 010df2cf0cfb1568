"""The shortest convex combination of gradients, and with it the max-min solutions."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import Backend, backend_for
from bargain.canonical import CanonicalGame, Frame, apply_cosines
from bargain.criteria import weigh_smallest
from bargain.evidence import ROUNDING, Answer, proved
from bargain.loop import Search
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Egalitarian, KalaiSmorodinsky, Solution
from bargain.solver import check_tolerance

KEPT = 0.01
"""Part of every entry that a step leaves at least."""
TRIALS = 4
"""Supports that are tried at the end; the first is nearly always the right one."""
REFINEMENTS = 3
"""Corrections of the solution on a support, which make up for a system that may be singular."""


class MinNormState(NamedTuple):
    """Primal-dual iterates, and the part of the last step that could be taken.

    Attributes
    ----------
    point, slack
        Shape ``(*batch, K)``, positive: the coefficients, and what the players have over their
        claims.
    length
        Shape ``(*batch)``.
    """

    point: Float[Array, "*batch K"]
    slack: Float[Array, "*batch K"]
    length: Float[Array, "*batch"]


@dataclass(frozen=True)
class MinNorm:
    r"""Primal-dual steps to the shortest convex combination of gradients, finished exactly.

    The update with the largest :math:`\min_i u_i / c_i` is along the shortest convex combination
    of the :math:`g_i / c_i`. With unit gradients and claims :math:`q = c / \|g\|` it follows from
    the linear complementarity problem :math:`C b - q = y`, :math:`b, y \ge 0`, :math:`b^T y = 0`.
    Primal-dual steps find out who has a price; the linear system of those players then gives the
    prices to the last digit.

    Parameters
    ----------
    tol : float
        The residual up to which the result counts as an agreement, unless rounding does not
        permit that much; at least zero.

    Notes
    -----
    A start is of no use to primal-dual steps and is not read. Lexicographic refinement has nothing
    to do: of the updates within a ball only one attains the largest smallest part.

    References
    ----------
    Wolfe, "Finding the nearest point in a polytope", Mathematical Programming 11 (1976) 128-149;
    Désidéri, "Multiple-gradient descent algorithm", Comptes Rendus Mathématique 350 (2012) 313-318.

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 4.0]])
    >>> bargain.egalitarian(gram, solver=bargain.MinNorm()).utilities.round(4)
    array([0.8944, 0.8944])
    """

    tol: float = 1e-12
    patience: ClassVar[int] = 100
    takes_disagreement: ClassVar[bool] = False
    solutions: ClassVar[tuple[type[Solution], ...]] = (Egalitarian, KalaiSmorodinsky)

    def __post_init__(self) -> None:
        check_tolerance(self.tol)

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> MinNormState:
        """Begin in the middle."""
        xp = array_namespace(game.weights)
        ones = xp.ones_like(game.weights)
        return MinNormState(ones, ones, xp.ones_like(game.resolution))

    def step(self, game: CanonicalGame, solution: Solution, state: MinNormState) -> MinNormState:
        """Take one primal-dual step."""
        xp = array_namespace(state.point)
        point, slack = state.point, state.slack
        players = point.shape[-1]
        gap = xp.sum(point * slack, axis=-1)[..., None] / players
        aim = xp.where(state.length < 0.5, 0.9 * xp.ones_like(state.length), 0.05)
        target = gap * aim[..., None]
        force = game.weights - apply_cosines(game, point) + target / point
        move = solve_with(game, slack / point, force)
        change = target / point - slack - slack * move / point
        drop = xp.max(xp.concat([-move / point, -change / slack], axis=-1), axis=-1)
        length = xp.where(drop > 1 - KEPT, (1 - KEPT) / xp.where(drop > 0, drop, 1.0), 1.0)
        wide = length[..., None]
        return MinNormState(point + wide * move, slack + wide * change, length)

    def done(
        self, game: CanonicalGame, solution: Solution, state: MinNormState
    ) -> Bool[Array, "*batch"]:
        """Whether the gap has closed, or the prices have grown until the gradients cancel."""
        xp = array_namespace(state.point)
        tol = 64 * xp.finfo(state.point.dtype).eps
        gap = xp.sum(state.point * state.slack, axis=-1)
        worth = xp.sum(state.point * game.weights, axis=-1)
        off = apply_cosines(game, state.point) - game.weights - state.slack
        rounding = tol * (1 + xp.sum(state.point, axis=-1))
        closed = (gap <= tol * worth) & (xp.max(xp.abs(off), axis=-1) <= rounding)
        # Beyond that the steps only shrink what is nothing already, whatever else is off.
        idle = gap <= tol * tol * worth
        return closed | idle | ~(worth < xp.inf) | (worth * game.resolution**2 >= 1)

    def answer(self, game: CanonicalGame, solution: Solution, state: MinNormState) -> Answer:
        """Solve for the prices of those who have one, and take that where it is better."""
        xp = array_namespace(state.point)
        evidence, gap = weigh_smallest(game, state.point, apply_cosines(game, state.point))
        support = game.inside & (state.point > state.slack)
        # Prices that show that gradients cancel are the proof already.
        residual = proved(evidence, gap)
        first = _Finish(state.point, residual, support, evidence.stationary)
        last = backend_for(state.point).while_loop(
            lambda finish: xp.any(~finish.over), lambda finish: _refine(game, finish), first, TRIALS
        )
        return Answer(last.point, last.point)


class _Finish(NamedTuple):
    """The best prices so far, their residual, who shall have one next, and whether to stop."""

    point: Float[Array, "*batch K"]
    residual: Float[Array, "*batch"]
    support: Bool[Array, "*batch K"]
    over: Bool[Array, "*batch"]


def _refine(game: CanonicalGame, finish: _Finish) -> _Finish:
    """Solve for the prices of a support, and correct the support where they show it to be wrong."""
    xp = array_namespace(finish.point)
    support = finish.support
    trial = xp.where(support, finish.point, 0.0)
    for _ in range(REFINEMENTS):
        lack = xp.where(support, game.weights - apply_cosines(game, trial), 0.0)
        trial = trial + solve_on(game, support, lack)
    slack = apply_cosines(game, trial) - game.weights
    legal = xp.where(trial > 0, trial, 0.0)
    residual = proved(*weigh_smallest(game, legal, apply_cosines(game, legal)))
    better = ~finish.over & (residual < finish.residual)
    corrected = game.inside & xp.where(support, trial > 0, slack < 0)
    return _Finish(
        point=xp.where(better[..., None], legal, finish.point),
        residual=xp.where(better, residual, finish.residual),
        support=corrected,
        over=finish.over | xp.all(corrected == support, axis=-1),
    )


def min_norm(
    game: CanonicalGame, frame: Frame, backend: Backend, /
) -> tuple[Float[Array, "*batch K"], Float[Array, "*batch"]]:
    r"""Return convex weights of the shortest convex combination of gradients, and its length.

    In multi-task learning the combination is known as MGDA's direction.

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
    claims = xp.where(game.inside, shortest[..., None] / frame.units, 1.0)
    answer, _ = Search(MinNorm(), Egalitarian(), MinNorm.patience)(
        game._replace(weights=claims), None, frame.valid
    )
    point = xp.where(game.inside, answer.coefficients, 0.0)
    weights = point * claims
    total = xp.sum(weights, axis=-1)
    total = xp.where(total > 0, total, 1.0)
    power = xp.sum(point * apply_cosines(game, point), axis=-1)
    length = xp.sqrt(xp.where(power > 0, power, 0.0)) / total * shortest
    return weights / total[..., None], xp.where(anyone, length, 0.0)


def solve_on(game: CanonicalGame, support: Array, rhs: Array) -> Array:
    """Solve among the players of a support, leaving out the others."""
    xp = array_namespace(rhs)
    among = support[..., :, None] & support[..., None, :]
    identity = xp.eye(rhs.shape[-1], dtype=rhs.dtype, device=device(rhs))
    cosines = xp.where(among | (identity > 0), game.cosines, 0.0)
    return solve_with(game._replace(cosines=cosines), xp.zeros_like(rhs), rhs)


def solve_with(
    game: CanonicalGame,
    diagonal: Float[Array, "*batch K"],
    rhs: Float[Array, "*batch K"],
) -> Float[Array, "*batch K"]:
    """Solve a system of the cosines with more on their diagonal, by way of a unit diagonal."""
    xp = array_namespace(rhs)
    players = rhs.shape[-1]
    identity = xp.eye(players, dtype=rhs.dtype, device=device(rhs))
    diagonal = xp.linalg.diagonal(game.cosines) + diagonal
    scale = 1 / xp.sqrt(xp.where(diagonal > 0, diagonal, 1.0))
    ridge = ROUNDING * players * xp.finfo(rhs.dtype).eps
    coupling = scale[..., :, None] * game.cosines * scale[..., None, :]
    matrix = xp.where(identity > 0, 1 + ridge, coupling)
    return scale * backend_for(rhs).solve_spd(matrix, scale * rhs)
