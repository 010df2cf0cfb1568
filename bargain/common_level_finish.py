"""The end of the way to a common level: exact, where it is known who has a price."""

from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import Answer, proved
from bargain.factor import in_gradients, legal, multiply, norm
from bargain.loop import select
from bargain.min_norm import solve_on
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Egalitarian
from bargain.surplus_criteria import judge_surplus

TRIALS = 4
"""Supports that are tried; the first is nearly always the right one."""
REFINEMENTS = 3
"""Corrections of the solution on a support, which make up for a system that may be singular."""


class _Finish(NamedTuple):
    """The best answer so far, its residual, who shall have a price next, and whether to stop."""

    answer: Answer
    residual: Float[Array, "*batch"]
    support: Bool[Array, "*batch K"]
    over: Bool[Array, "*batch"]


def finish(
    game: CanonicalGame,
    factor: Float[Array, "*batch K K"],
    update: Float[Array, "*batch K"],
    point: Float[Array, "*batch K"],
    surplus: Float[Array, "*batch K"],
) -> Answer:
    """Return the best answer that a primal-dual iterate leads to.

    Parameters
    ----------
    game
        The canonical game with a disagreement point, with the claims as weights.
    factor, update
        The unit gradients and the update, in coordinates of their span.
    point, surplus
        Shape ``(*batch, K)``, positive: prices, and what players have over the common level.
    """
    xp = array_namespace(point)
    prices = xp.where(game.inside, point, 0.0)
    # Where the radius binds, the prices give the update; but better not where they nearly cancel.
    force = multiply(xp.matrix_transpose(factor), prices)
    length, whole = norm(force)[..., None], xp.sum(prices, axis=-1)[..., None]
    along = prices / xp.where(length > 0, length, 1.0)
    own = xp.where(game.inside, in_gradients(factor, legal(update)), 0.0)
    evidence, gap = judge_surplus(game, Egalitarian(), along, prices)
    ours, our_gap = judge_surplus(game, Egalitarian(), own, prices)
    # Where prices nearly cancel, what they give is huge and cancels too: only the floor shows that.
    better = ours.residual + ours.floor < evidence.residual + evidence.floor
    answer = Answer(xp.where(better[..., None], own, along), prices)
    residual = xp.where(better, proved(ours, our_gap), proved(evidence, gap))
    support = game.inside & (prices > surplus * whole)
    # Prices that show that there is nothing to agree on are the proof already.
    begin = _Finish(answer, residual, support, evidence.stationary)
    last = backend_for(point).while_loop(
        lambda state: xp.any(~state.over), lambda state: _refine(game, state), begin, TRIALS
    )
    return last.answer


def _refine(game: CanonicalGame, state: _Finish) -> _Finish:
    r"""Solve for the level of a support on the sphere, and correct it where it proves wrong.

    The coefficients :math:`a` of those with a price satisfy :math:`C a = \delta + t q`, so they
    are :math:`a = a_0 + t a_1`, and the length one is a quadratic equation for the level.
    """
    xp = array_namespace(state.residual)
    support = state.support
    claims = xp.where(support, game.weights, 0.0)
    rise = _solve_exactly(game, support, claims)
    square = xp.sum(claims * rise, axis=-1)
    level, found = xp.zeros_like(square), square > 0
    trial = xp.zeros_like(claims)
    for _ in range(REFINEMENTS):
        # From the level found so far, so that in the end the two parts do not cancel.
        asked = xp.where(support, game.disagreement + level[..., None] * claims, 0.0)
        base = _solve_exactly(game, support, asked)
        half, rest = xp.sum(claims * base, axis=-1), xp.sum(asked * base, axis=-1) - 1
        inner = half * half - square * rest
        found = found & (inner >= 0)
        root = xp.sqrt(xp.where(found, inner, 0.0))
        # Of two equal forms of the larger root, the one that does not cancel.
        more = xp.where(
            half > 0,
            -rest / xp.where(half > 0, half + root, 1.0),
            (root - half) / xp.where(found, square, 1.0),
        )
        level, trial = level + more, base + more[..., None] * rise
    slack = apply_cosines(game, trial) - game.disagreement - level[..., None] * game.weights
    positive = xp.where(trial > 0, trial, 0.0)
    answer = Answer(positive, positive)
    residual = proved(*judge_surplus(game, Egalitarian(), *answer))
    better = ~state.over & found & (residual < state.residual)
    corrected = game.inside & xp.where(support, trial > 0, slack < 0)
    return _Finish(
        answer=select(better, answer, state.answer),
        residual=xp.where(better, residual, state.residual),
        support=corrected,
        over=state.over | ~found | xp.all(corrected == support, axis=-1),
    )


def _solve_exactly(game: CanonicalGame, support: Array, rhs: Array) -> Array:
    """Solve among the players of a support, in steps that refine each other."""
    xp = array_namespace(rhs)
    found = xp.zeros_like(rhs)
    for _ in range(REFINEMENTS):
        lack = xp.where(support, rhs - apply_cosines(game, found), 0.0)
        found = found + solve_on(game, support, lack)
    return found
