"""From a canonical game to a proof: which searches to run, and on what."""

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, Frame
from bargain.leximin import refine, refines
from bargain.loop import Search, select
from bargain.newton import Newton
from bargain.proof import Proof, prove, proves_agreement
from bargain.shapes import Array, Bool, Float, Int
from bargain.solutions import AlphaFair, Nash, Solution, Utilitarian
from bargain.solver import Solver
from bargain.surplus_criteria import judge_surplus
from bargain.terms import terms_of

NEARBY = Newton(tol=0.1)
"""How well the equal-weights game is solved that other searches begin with."""


def play(
    game: CanonicalGame,
    frame: Frame,
    solution: Solution,
    solver: Solver,
    *,
    start: Float[Array, "*batch K"] | None,
    valid: Bool[Array, "*batch"],
    max_steps: int,
) -> tuple[Proof, Int[Array, "*batch"]]:
    """Search for the solution of the valid games and prove what is found; also count the steps.

    Parameters
    ----------
    game, frame
        The canonical game and what leads back.
    solution, solver
        Which agreement is meant, and how to find it.
    start
        Shape ``(*batch, K)``: a canonical point to start from.
    valid
        Shape ``(*batch)``: which games to solve.
    max_steps
        The most steps of any search.
    """
    xp, backend = array_namespace(valid), backend_for(valid)
    before = xp.zeros(valid.shape, dtype=xp.int32, device=device(valid))
    fair = isinstance(solution, AlphaFair)
    cold_family = fair and start is None and game.disagreement is None
    if cold_family:
        # The Nash solution lies in the middle of the family, and shows whether gradients cancel.
        first, before = Search(NEARBY, Nash(), max_steps)(_with_equal_weights(game), None, valid)
        start = first.multipliers
    search = Search(solver, solution, max_steps)
    answer, steps = backend.attach_derivative(search)(terms_of(game, frame, solution), start, valid)
    steps = before + steps
    stages = None
    if refines(game, solution):
        terms = terms_of(game, frame, solution)
        agreed = valid & ~judge_surplus(terms, solution, *answer)[0].stationary
        answer, stages, more = refine(terms, answer, agreed, max_steps)
        steps = steps + more
    proof = prove(game, frame, answer, solution, stages)

    # Whether the gradients cancel does not depend on the weights, but tiny weights can hide it
    # behind their rounding floor. Games without a proof are asked again with equal weights; unless
    # they have been already, or who gains does not matter.
    if cold_family or isinstance(solution, Utilitarian):
        return proof, steps
    open_ = valid & ~proof.evidence.stationary & ~proves_agreement(proof, solver.tol)
    again = search
    if isinstance(solution, Nash):
        open_ = open_ & xp.any(game.weights != 1, axis=-1)
    elif game.disagreement is None:
        again = Search(Newton(), Nash(), max_steps)
    elif fair:
        again = Search(solver, Nash(), max_steps)
    if not backend.concrete(open_) or bool(xp.any(open_)):
        answer, more = again(_with_equal_weights(game), None, open_)
        second = prove(game, frame, answer)  # as if it were Nash's: a disagreement is one of all
        found = open_ & second.evidence.stationary
        proof, steps = select(found, second, proof), steps + more
    return proof, steps


def _with_equal_weights(game: CanonicalGame) -> CanonicalGame:
    return game._replace(weights=array_namespace(game.weights).ones_like(game.weights))
