r"""Leximin: raise the smallest part as far as it goes, then the smallest of the others, and so on.

Where prices cancel, the update has room. Players with a price have no more than their part in any
best update, and that holds it on a flat through their gradients. There the others play the same
kind of game once more, with what is left of their gradients and of the radius; and so on, until
everyone is settled or the radius binds. Then the update is unique.
"""

from typing import Any, NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame
from bargain.common_level import CommonLevel
from bargain.evidence import Answer
from bargain.factor import factor_of, in_gradients, multiply, norm
from bargain.leximin_proof import BINDING, Stages, cancels
from bargain.loop import Search, select
from bargain.shapes import Array, Bool, Float, Int
from bargain.solutions import Egalitarian, Solution

RANK = 0.45
"""Directions count as none below this power of the machine epsilon, about 1e-7."""


class Progress(NamedTuple):
    """Where a refinement stands.

    Attributes
    ----------
    update
        Shape ``(*batch, K)``: in coordinates of the gradients' span.
    stages
        What has been settled so far, and how it is proved.
    stage, steps
        Shape ``(*batch)``: how many stages, and how many steps.
    running
        Shape ``(*batch)``: whether the update has room left.
    """

    update: Float[Array, "*batch K"]
    stages: Stages
    stage: Int[Array, "*batch"]
    steps: Int[Array, "*batch"]
    running: Bool[Array, "*batch"]


class Flat(NamedTuple):
    """The updates that leave the players settled with what they have.

    Attributes
    ----------
    settled
        Shape ``(*batch, K)``: who they are.
    left, inverse, basis
        Shapes ``(*batch, K, K)``, ``(*batch, K)`` and ``(*batch, K, K)``: their gradients' singular
        vectors on either side, and the inverse singular values; zero for directions of none.
    center
        Shape ``(*batch, K)``: the shortest of these updates.
    radius
        Shape ``(*batch)``: how far others may be from it.
    """

    settled: Bool[Array, "*batch K"]
    left: Float[Array, "*batch K K"]
    inverse: Float[Array, "*batch K"]
    basis: Float[Array, "*batch K K"]
    center: Float[Array, "*batch K"]
    radius: Float[Array, "*batch"]


def refine(
    game: CanonicalGame, first: Answer, running: Bool[Array, "*batch"], max_steps: int
) -> tuple[Answer, Stages, Int[Array, "*batch"]]:
    """Go through the stages, from a max-min answer on.

    Parameters
    ----------
    game
        The canonical game with a disagreement point, with the claims as weights.
    first
        The answer without refinement.
    running
        Shape ``(*batch)``: which games to refine.
    max_steps
        The most steps of any search.

    Returns
    -------
    Answer
        The refined update, with the prices of the first stage.
    Stages
        The proof.
    Array
        Shape ``(*batch)``: the steps of all searches.
    """
    xp = array_namespace(game.weights)
    players, factor = game.weights.shape[-1], factor_of(game)
    none = xp.zeros(running.shape, dtype=xp.int32, device=device(running))
    settled = xp.zeros(game.weights.shape, dtype=xp.int32, device=device(running)) + players
    begun = Progress(
        update=multiply(xp.matrix_transpose(factor), first.coefficients),
        stages=Stages(settled, xp.zeros_like(game.cosines)),
        stage=none,
        steps=none,
        running=running,
    )
    begun = _settled(game, factor, begun, begun.update, first.multipliers)
    search = Search(CommonLevel(), Egalitarian(), max_steps)

    def any_running(progress: Any) -> Any:
        return xp.any(progress.running)

    def advance(progress: Any) -> Any:
        flat = _flat(game, factor, progress)
        left = game.inside & ~flat.settled
        rows = _rows(factor, flat, left)
        gains = multiply(factor, flat.center) - game.disagreement
        rest = game._replace(
            cosines=rows @ xp.matrix_transpose(rows),
            weights=xp.where(left, game.weights, 1.0),
            disagreement=xp.where(left, -gains, -1.0),
            inside=left,
        )
        answer, steps = search(rest, None, progress.running)
        aside = multiply(xp.matrix_transpose(rows), answer.coefficients)
        update = flat.center + flat.radius[..., None] * aside
        prices = _whole_prices(factor, flat, progress.stages, answer.multipliers)
        new = progress._replace(steps=progress.steps + steps)
        new = _settled(game, factor, new, update, prices)
        return select(progress.running, new, progress) if running.ndim else new

    end = backend_for(none).while_loop(any_running, advance, begun, players - 1)
    refined = xp.where(game.inside, in_gradients(factor, end.update), 0.0)
    moved = (end.stage > 1)[..., None]
    coefficients = xp.where(moved, refined, first.coefficients)
    return Answer(coefficients, first.multipliers), end.stages, end.steps


def refines(game: CanonicalGame, solution: Solution) -> bool:
    """Whether a solution asks for a refinement that may have something to do."""
    return game.disagreement is not None and getattr(solution, "leximin", False)


def proposed_stages(game: CanonicalGame, running: Bool[Array, "*batch"]) -> Stages:
    """Search for the stages of a game; whoever uses them trusts only what they prove.

    Parameters
    ----------
    game
        The canonical game with a disagreement point, with the claims as weights.
    running
        Shape ``(*batch)``: which games to look at.
    """
    first, _ = Search(CommonLevel(), Egalitarian(), CommonLevel.patience)(game, None, running)
    return refine(game, first, running, CommonLevel.patience)[1]


def _settled(
    game: CanonicalGame, factor: Array, progress: Progress, update: Array, prices: Array
) -> Progress:
    """Settle those whose part cannot grow, and keep the proof."""
    xp = array_namespace(update)
    players, stages = update.shape[-1], progress.stages
    left = game.inside & (stages.settled == players)
    worth = xp.where(left, prices * game.weights, 0.0)
    total = xp.sum(worth, axis=-1)[..., None]
    prices = xp.where(game.inside, prices, 0.0) / xp.where(total > 0, total, 1.0)
    # Some way above what the proof asks for, so that rounding does not matter.
    binds = left & (worth >= 2 * BINDING * xp.max(worth, axis=-1)[..., None])
    room = cancels(xp.sum(prices, axis=-1), norm(multiply(xp.matrix_transpose(factor), prices)))
    # Where the radius binds the update is unique, and nobody's part can grow.
    here = progress.running[..., None] & xp.where(room[..., None], binds, left)
    stage = progress.stage[..., None]
    places = xp.arange(players, dtype=stage.dtype, device=device(stage))
    row = (progress.running[..., None] & (places == stage))[..., None]
    return Progress(
        update=update,
        stages=Stages(
            settled=xp.where(here, stage, stages.settled),
            multipliers=xp.where(row, prices[..., None, :], stages.multipliers),
        ),
        stage=progress.stage + 1,
        steps=progress.steps,
        running=progress.running & room & xp.any(left & ~binds, axis=-1),
    )


def _flat(game: CanonicalGame, factor: Array, progress: Progress) -> Flat:
    xp = array_namespace(factor)
    settled = game.inside & (progress.stages.settled < factor.shape[-1])
    vectors = xp.linalg.svd(xp.where(settled[..., None], factor, 0.0), full_matrices=False)
    left, values, basis = vectors
    known = values > float(xp.finfo(values.dtype).eps) ** RANK
    basis = xp.where(known[..., None], basis, 0.0)
    center = multiply(xp.matrix_transpose(basis), multiply(basis, progress.update))
    room = 1 - xp.sum(center * center, axis=-1)
    return Flat(
        settled=settled,
        left=left,
        inverse=xp.where(known, 1 / xp.where(known, values, 1.0), 0.0),
        basis=basis,
        center=center,
        radius=xp.sqrt(xp.where(room > 0, room, 0.0)),
    )


def _rows(factor: Array, flat: Flat, left: Array) -> Array:
    """Return what is left of the gradients along the flat, for an update of length one there."""
    xp = array_namespace(factor)
    within = factor - factor @ xp.matrix_transpose(flat.basis) @ flat.basis
    rows = flat.radius[..., None, None] * within
    known = left & (norm(rows) > float(xp.finfo(factor.dtype).eps) ** RANK)
    return xp.where(known[..., None], rows, 0.0)


def _whole_prices(factor: Array, flat: Flat, stages: Stages, prices: Array) -> Array:
    """Return prices for the players settled before, beside those of the others.

    They turn the combination of gradients into a multiple of the update, and are made positive by
    prices of former stages, which cancel.
    """
    xp = array_namespace(prices)
    force = multiply(xp.matrix_transpose(factor), prices)
    across = multiply(xp.matrix_transpose(flat.basis), multiply(flat.basis, force))
    along = norm(force - across) / xp.where(flat.radius > 0, flat.radius, 1.0)
    wanted = multiply(flat.basis, along[..., None] * flat.center - across)
    others = multiply(flat.left, flat.inverse * wanted)
    whole = xp.where(flat.settled, others, prices)
    for stage in reversed(range(prices.shape[-1])):
        former = stages.multipliers[..., stage, :]
        here = (stages.settled == stage) & (former > 0) & (whole < 0)
        part = xp.where(here, -whole / xp.where(former > 0, former, 1.0), 0.0)
        whole = whole + xp.max(part, axis=-1)[..., None] * former
    return xp.where(whole > 0, whole, 0.0)
