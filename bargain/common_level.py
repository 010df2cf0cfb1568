"""The primal-dual method for max-min solutions of games with a disagreement point."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame
from bargain.common_level_finish import finish
from bargain.evidence import ROUNDING, Answer, Evidence, settled
from bargain.factor import factor_of, legal, multiply, norm, with_disagreement
from bargain.loop import select
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Egalitarian, KalaiSmorodinsky, Solution
from bargain.solver import check_tolerance
from bargain.surplus_criteria import weigh_level

KEPT = 0.01
"""Part of every positive number that a step leaves at least."""


class CommonLevelState(NamedTuple):
    """Primal and dual iterates.

    Attributes
    ----------
    factor
        Shape ``(*batch, K, K)``: the unit gradients, in coordinates of their span.
    update
        Shape ``(*batch, K)``: the update in those coordinates.
    level
        Shape ``(*batch)``: the part of his claim that everyone gets.
    surplus
        Shape ``(*batch, K)``, positive: what each player gets over that.
    room
        Shape ``(*batch)``, positive: half of what the update's squared length is below one.
    point
        Shape ``(*batch, K)``, positive: the prices.
    pressure
        Shape ``(*batch)``, positive: the multiplier of the radius.
    length
        Shape ``(*batch)``: the part of the last step that could be taken.
    evidence, previous
        What the iterate proves, and the residual of the one before it.
    """

    factor: Float[Array, "*batch K K"]
    update: Float[Array, "*batch K"]
    level: Float[Array, "*batch"]
    surplus: Float[Array, "*batch K"]
    room: Float[Array, "*batch"]
    point: Float[Array, "*batch K"]
    pressure: Float[Array, "*batch"]
    length: Float[Array, "*batch"]
    evidence: Evidence
    previous: Float[Array, "*batch"]


@dataclass(frozen=True)
class CommonLevel:
    r"""Raise the level that everyone reaches over the disagreement point, in units of his claim.

    With unit gradients as the rows of :math:`F`, :math:`\delta` the disagreement point in units of
    the ideal payoffs and claims :math:`q` (from weights or ideal gains), the update with the
    largest :math:`\min_i (u_i - d_i) / c_i` satisfies

    .. math:: F x - \delta - t q = s, \quad \tfrac12 (1 - \|x\|^2) = \sigma, \quad F^T b = \mu x,
              \quad q^T b = 1, \quad b_i s_i = 0, \quad \mu \sigma = 0

    with :math:`s, b, \sigma, \mu \ge 0`. Newton's method on these equations, with a small positive
    number that shrinks in the place of the last two zeros, finds out who has a price and whether
    the radius binds. If it does, a quadratic equation gives the level to the last digit.

    Parameters
    ----------
    tol : float
        Stop where the residual is at most this, or at the rounding floor; at least zero.

    Notes
    -----
    A start is of no use to primal-dual steps and is not read. Where the radius binds the update is
    unique. Strictly inside it there may be a choice for players who get more than their part; with
    ``leximin`` they play for it, see ``bargain/leximin.py``.

    References
    ----------
    Nocedal and Wright, Numerical Optimization, 2nd edition (2006), section 19.3.

    Examples
    --------
    >>> import numpy, bargain
    >>> game = bargain.GradientGame(numpy.eye(2), disagreement=[0.6, 0.4])
    >>> (bargain.solve(game, bargain.Egalitarian()).utilities - [0.6, 0.4]).round(6)
    array([0.2, 0.2])
    """

    tol: float = 1e-12
    patience: ClassVar[int] = 100
    takes_disagreement: ClassVar[bool] = True
    solutions: ClassVar[tuple[type[Solution], ...]] = (Egalitarian, KalaiSmorodinsky)

    def __post_init__(self) -> None:
        check_tolerance(self.tol)

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> CommonLevelState:
        """Begin at the center of the ball, with prices in balance with the surpluses."""
        game, disagreement = with_disagreement(game)
        xp = array_namespace(game.weights)
        surplus = xp.where(disagreement < -1, -disagreement, 1.0)
        inverse = xp.sum(claims_of(game) / surplus, axis=-1)
        balance = 1 / xp.where(inverse > 0, inverse, 1.0)
        nothing, factor = xp.zeros_like(game.weights), factor_of(game)
        point = balance[..., None] / surplus
        return CommonLevelState(
            factor=factor,
            update=nothing,
            level=xp.zeros_like(balance),
            surplus=surplus,
            room=xp.full_like(balance, 0.5),
            point=point,
            pressure=2 * balance,
            length=xp.ones_like(balance),
            evidence=_weigh(game, factor, nothing, point),
            previous=xp.full_like(balance, xp.inf),
        )

    def step(
        self, game: CanonicalGame, solution: Solution, state: CommonLevelState
    ) -> CommonLevelState:
        """Take one primal-dual Newton step."""
        game, disagreement = with_disagreement(game)
        xp = array_namespace(state.point)
        update, surplus, point = state.update, state.surplus, state.point
        room, pressure = state.room[..., None], state.pressure[..., None]
        players = point.shape[-1]
        gap = xp.sum(point * surplus, axis=-1) + state.pressure * state.room
        aim = xp.where(state.length < 0.5, 0.9 * xp.ones_like(gap), 0.05)
        target = (aim * gap / (players + 1))[..., None]

        # The unknowns of the system are the update and, last, the level.
        rows = xp.concat([state.factor, -claims_of(game)[..., None]], axis=-1)
        columns = xp.matrix_transpose(rows)
        unknowns = xp.concat([update, state.level[..., None]], axis=-1)
        radial = xp.concat([update, xp.zeros_like(room)], axis=-1)
        last = xp.concat([xp.zeros_like(update), xp.ones_like(room)], axis=-1)
        lack = surplus + disagreement - multiply(rows, unknowns)
        excess = (1 - xp.sum(update * update, axis=-1)[..., None]) / 2 - room

        identity = xp.eye(players + 1, dtype=point.dtype, device=device(point))
        matrix = (columns * (point / surplus)[..., None, :]) @ rows
        matrix = matrix + identity * (pressure * (1 - last))[..., None, :]
        stiffness = (pressure / room)[..., None]
        matrix = matrix + stiffness * radial[..., :, None] * radial[..., None, :]
        rhs = multiply(columns, (target + point * lack) / surplus)
        rhs = rhs - radial * (target - pressure * excess) / room + last
        move = _solve(matrix, rhs)

        widening = multiply(rows, move) - lack
        repricing = (target - point * (surplus + widening)) / surplus
        shrinking = excess - xp.sum(radial * move, axis=-1)[..., None]
        pressing = (target - pressure * (room + shrinking)) / room
        drop = xp.concat(
            [-widening / surplus, -repricing / point, -shrinking / room, -pressing / pressure],
            axis=-1,
        )
        drop = xp.max(drop, axis=-1)
        length = xp.where(drop > 1 - KEPT, (1 - KEPT) / xp.where(drop > 0, drop, 1.0), 1.0)
        wide = length[..., None]
        update, point = update + wide * move[..., :players], point + wide * repricing
        new = CommonLevelState(
            factor=state.factor,
            update=update,
            level=state.level + length * move[..., players],
            surplus=surplus + wide * widening,
            room=(room + wide * shrinking)[..., 0],
            point=point,
            pressure=(pressure + wide * pressing)[..., 0],
            length=length,
            evidence=_weigh(game, state.factor, update, point),
            previous=state.evidence.residual,
        )
        # Inside the radius nothing but the pressure holds a free part of the update in place, and
        # once rounding is larger the steps go astray: then the iterate before is the last one.
        before = state.evidence
        astray = ~(new.evidence.residual < before.residual)
        kept = (before.residual <= before.floor / 2) & astray
        return select(kept, state._replace(previous=before.residual), new)

    def done(
        self, game: CanonicalGame, solution: Solution, state: CommonLevelState
    ) -> Bool[Array, "*batch"]:
        """Whether the iterate proves something, or further steps would only stir the rounding."""
        game, disagreement = with_disagreement(game)
        xp = array_namespace(state.point)
        gap = xp.sum(state.point * state.surplus, axis=-1) + state.pressure * state.room
        size = xp.where(game.inside, state.point * (1 + xp.abs(disagreement)), 0.0)
        closed = gap <= ROUNDING * xp.finfo(gap.dtype).eps * xp.sum(size, axis=-1)
        return closed | settled(state.evidence, state.previous, self.tol)

    def answer(self, game: CanonicalGame, solution: Solution, state: CommonLevelState) -> Answer:
        """Read the best answer off the state: as it is, or with the level solved for exactly."""
        game, _ = with_disagreement(game)
        return finish(game, state.factor, state.update, state.point, state.surplus)


def claims_of(game: CanonicalGame) -> Float[Array, "*batch K"]:
    """Return what the players claim; those outside claim nothing."""
    xp = array_namespace(game.weights)
    return xp.where(game.inside, game.weights, 0.0)


def _weigh(game: CanonicalGame, factor: Array, update: Array, point: Array) -> Evidence:
    """Weigh what the iterate proves once its update is taken back to the ball."""
    xp = array_namespace(point)
    prices = xp.where(game.inside, point, 0.0)
    update = legal(update)
    evidence, _ = weigh_level(
        game,
        utilities=multiply(factor, update),
        magnitude=multiply(xp.abs(factor), xp.abs(update)),
        prices=prices,
        length=norm(multiply(xp.matrix_transpose(factor), prices)),
    )
    return evidence


def _solve(matrix: Array, rhs: Array) -> Array:
    """Solve a positive definite system by way of a unit diagonal."""
    xp = array_namespace(rhs)
    size = rhs.shape[-1]
    identity = xp.eye(size, dtype=rhs.dtype, device=device(rhs))
    diagonal = xp.linalg.diagonal(matrix)
    scale = 1 / xp.sqrt(xp.where(diagonal > 0, diagonal, 1.0))
    ridge = ROUNDING * size * xp.finfo(rhs.dtype).eps
    coupling = scale[..., :, None] * matrix * scale[..., None, :]
    return scale * backend_for(rhs).solve_spd(
        xp.where(identity > 0, 1 + ridge, coupling), scale * rhs
    )
