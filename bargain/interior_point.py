"""The primal-dual method for Nash and α-fair solutions of games with a disagreement point."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, total_weight
from bargain.evidence import Answer, Evidence, settled, weigh_surplus
from bargain.factor import (
    agreed_update,
    factor_of,
    in_gradients,
    multiply,
    with_disagreement,
)
from bargain.fair_surplus import fair_surplus
from bargain.interior_step import Iterate, newton_move
from bargain.order_path import is_near, next_order
from bargain.shapes import Array, Bool, Float
from bargain.solutions import AlphaFair, Nash, Solution
from bargain.solver import check_tolerance

KEPT = 0.01
"""Part of every surplus and multiplier that a step leaves at least."""
NEGLIGIBLE = 0.1
"""In α-fair games, gains that are worth less than this part of their mean limit no step."""


class InteriorPointState(NamedTuple):
    """Primal and dual iterates.

    Attributes
    ----------
    factor
        Shape ``(*batch, K, K)``, with ``factor @ factor^T`` the cosines: its rows are the unit
        gradients, in coordinates of their span.
    update
        Shape ``(*batch, K)``: the update in those coordinates.
    surplus
        Shape ``(*batch, K)``, positive: what each player gets over his disagreement point.
    point
        Shape ``(*batch, K)``, positive: the multipliers.
    pressure
        Shape ``(*batch)``, positive: the multiplier of the radius.
    order
        Shape ``(*batch)``: the order of fairness that the next step is for; one for Nash.
    evidence, previous
        What the iterate proves, and the residual of the one before it.
    """

    factor: Float[Array, "*batch K K"]
    update: Float[Array, "*batch K"]
    surplus: Float[Array, "*batch K"]
    point: Float[Array, "*batch K"]
    pressure: Float[Array, "*batch"]
    order: Float[Array, "*batch"]
    evidence: Evidence
    previous: Float[Array, "*batch"]


@dataclass(frozen=True)
class InteriorPoint:
    r"""Primal-dual Newton steps for the Nash and the α-fair solutions with a disagreement point.

    With unit gradients as the rows of :math:`F` and :math:`\delta` the disagreement point in units
    of the ideal payoffs, the Nash solution satisfies

    .. math:: s = F x - \delta, \quad b_i s_i = w_i, \quad F^T b = \mu x, \quad
              \|x\| \le 1, \; \mu \ge 0, \; \mu (1 - \|x\|) = 0

    with :math:`s, b > 0`. Newton's method on these equations keeps :math:`s` and :math:`b` positive
    and moves the pressure :math:`\mu` as trust-region methods do. Surpluses and multipliers are
    variables of their own, so no feasible start is needed, and an agreement strictly inside the
    radius (possible where players tolerate losses) is found like any other. The dual alone cannot
    represent those: there its multipliers satisfy :math:`F^T b = 0`.

    For the α-fair solution of order a the equation of the prices is :math:`b_i = v_i s_i^{-a}`. The
    order starts at one and doubles, or halves, whenever the solution of the present one is near;
    how such steps differ is told in ``bargain/interior_step.py``.

    Parameters
    ----------
    tol : float
        Stop where the residual (slack of the radius included) is at most this, or at the rounding
        floor; at least zero.

    References
    ----------
    Moré and Sorensen, "Computing a trust region step", SIAM J. Sci. Stat. Comput. 4 (1983), eq.
    3.6 (the update of the pressure).

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 1.0]])
    >>> bargain.nash(gram, disagreement=[0.6, 0.0]).utilities.round(6)
    array([0.872842, 0.488004])
    """

    tol: float = 1e-12
    patience: ClassVar[int] = 200
    takes_disagreement: ClassVar[bool] = True
    solutions: ClassVar[tuple[type[Solution], ...]] = (Nash, AlphaFair)

    def __post_init__(self) -> None:
        check_tolerance(self.tol)

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> InteriorPointState:
        """Begin at the center of the ball; ``start`` gives the multipliers."""
        game, disagreement = with_disagreement(game)
        xp = array_namespace(game.weights)
        fair, worth = isinstance(solution, AlphaFair), worth_of(game, solution)
        parts = xp.ones_like(game.weights) if fair else game.weights
        factor = factor_of(game)
        surplus = xp.where(disagreement < -1, -disagreement, 1.0)
        point, pressure = parts / surplus, worth
        update = xp.zeros_like(point)
        if start is not None:
            begun = xp.where(game.inside, start, 0.0)
            update = multiply(xp.matrix_transpose(factor), begun)
            length = xp.sqrt(xp.sum(update * update, axis=-1))[..., None]
            length = xp.where(length > 0, length, 1.0)
            # On the sphere the multipliers are the coefficients times the pressure.
            update, begun = update / length, begun / length
            margin = 1 - xp.sum(begun * disagreement, axis=-1)
            pressure = xp.where(
                margin > 0.1, pressure / xp.where(margin > 0.1, margin, 1.0), pressure
            )
            point = xp.where(game.inside, pressure[..., None] * begun, point)
            surplus = parts / point
            if fair:
                gains = multiply(factor, update) - disagreement
                surplus = xp.where(gains > 0, gains, surplus)
        order = xp.ones_like(pressure)
        if isinstance(solution, AlphaFair) and start is not None:
            wanted = xp.full_like(order, solution.alpha)
            near = is_near(game, wanted, factor, update, surplus, point)
            order = xp.where(near, wanted, order)
        return InteriorPointState(
            factor=factor,
            update=update,
            surplus=surplus,
            point=point,
            pressure=pressure,
            order=order,
            evidence=weigh_iterate(game, solution, factor, update, point),
            previous=xp.full_like(game.resolution, xp.inf),
        )

    def step(
        self, game: CanonicalGame, solution: Solution, state: InteriorPointState
    ) -> InteriorPointState:
        """Take one primal-dual Newton step."""
        game, _ = with_disagreement(game)
        xp = array_namespace(state.point)
        fair, worth = isinstance(solution, AlphaFair), worth_of(game, solution)
        iterate = Iterate(state.update, state.surplus, state.point, state.pressure)
        order = None
        if fair:
            iterate, order = _rescaled(game, iterate, worth), state.order[..., None]
        update, surplus, point, pressure = iterate
        move = newton_move(game, state.factor, iterate, worth, order)
        shrinks, falls = -move.surplus / surplus, -move.point / point
        if isinstance(solution, AlphaFair):
            # High orders make prices fall by decades that hardly count, and low ones surpluses.
            counts = point * surplus > NEGLIGIBLE * worth[..., None] / point.shape[-1]
            shrinks = xp.where(counts | (solution.alpha > 1), shrinks, 0.0)
            falls = xp.where(counts | (solution.alpha < 1), falls, 0.0)
        drop = xp.max(xp.concat([shrinks, falls], axis=-1), axis=-1)
        length = xp.where(drop > 1 - KEPT, (1 - KEPT) / xp.where(drop > 0, drop, 1.0), 1.0)
        wide = length[..., None]
        new = state._replace(
            update=update + wide * move.update,
            surplus=_kept(surplus, wide * move.surplus),
            point=_kept(point, wide * move.point),
            pressure=pressure + length * move.pressure,
            previous=state.evidence.residual,
        )
        place = new.factor, new.update, new.surplus, new.point
        if isinstance(solution, AlphaFair):
            new = new._replace(order=next_order(game, solution.alpha, state.order, *place))
        return new._replace(
            evidence=weigh_iterate(game, solution, new.factor, new.update, new.point)
        )

    def done(
        self, game: CanonicalGame, solution: Solution, state: InteriorPointState
    ) -> Bool[Array, "*batch"]:
        """Whether the iterate proves something, or rounding allows no better proof."""
        return settled(state.evidence, state.previous, self.tol)

    def answer(self, game: CanonicalGame, solution: Solution, state: InteriorPointState) -> Answer:
        """Read the agreement and the multipliers off the state."""
        xp = array_namespace(state.point)
        multipliers = xp.where(game.inside, state.point, 0.0)
        update, length, binds = agreed_update(state.factor, state.update, multipliers)
        along = multipliers / xp.where(binds, length, 1.0)[..., None]
        # Where the radius does not bind, the update has to be expressed in the gradients.
        within = in_gradients(state.factor, update)
        coefficients = xp.where(binds[..., None], along, within)
        return Answer(xp.where(game.inside, coefficients, 0.0), multipliers)


def _kept(values: Array, change: Array) -> Array:
    """Add a change, but leave a part of what is positive, and something that can be divided by."""
    xp = array_namespace(values)
    least = KEPT * values
    tiny = float(xp.finfo(values.dtype).smallest_normal) ** 0.5
    least = xp.where(least > tiny, least, tiny)
    return xp.where(values + change > least, values + change, least)


def worth_of(game: CanonicalGame, solution: Solution) -> Float[Array, "*batch"]:
    """Return what the multipliers are worth at a solution: for α-fair ones, one for each player."""
    if not isinstance(solution, AlphaFair):
        return total_weight(game)
    return total_weight(
        game._replace(weights=array_namespace(game.weights).ones_like(game.weights))
    )


def _rescaled(game: CanonicalGame, iterate: Iterate, worth: Float[Array, "*batch"]) -> Iterate:
    """Scale multipliers and pressure so that they are worth what they should be."""
    xp = array_namespace(worth)
    total = xp.sum(xp.where(game.inside, iterate.point * iterate.surplus, 0.0), axis=-1)
    factor = worth / xp.where(total > 0, total, worth)
    point = xp.where(game.inside, iterate.point * factor[..., None], iterate.point)
    return iterate._replace(point=point, pressure=iterate.pressure * factor)


def weigh_iterate(
    game: CanonicalGame,
    solution: Solution,
    factor: Float[Array, "*batch K K"],
    update: Float[Array, "*batch K"],
    point: Float[Array, "*batch K"],
) -> Evidence:
    """Weigh what the iterate proves once its update is taken back to the ball."""
    xp = array_namespace(point)
    legal, length, _ = agreed_update(factor, update, xp.where(game.inside, point, 0.0))
    utilities, magnitude = multiply(factor, legal), multiply(xp.abs(factor), xp.abs(legal))
    if isinstance(solution, AlphaFair):
        order = xp.full_like(length, solution.alpha)
        return fair_surplus(game, order, utilities, magnitude, point, length)[0]
    return weigh_surplus(game, utilities, magnitude, point, length)
