"""Newton's method with an exact line search."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import ROUNDING, Answer, Evidence, settled, weigh
from bargain.fair_step import FairState, fair_state, fair_step
from bargain.line_search import exact_step
from bargain.opening import opening
from bargain.shapes import Array, Bool, Float
from bargain.solutions import AlphaFair, Nash, Solution
from bargain.solver import check_tolerance


class NewtonState(NamedTuple):
    """A point, the cosines times it, what it proves, and the residual of the point before it."""

    point: Float[Array, "*batch K"]
    product: Float[Array, "*batch K"]
    evidence: Evidence
    previous: Float[Array, "*batch"]


@dataclass(frozen=True)
class Newton:
    r"""Newton's method on the dual of the Nash and the α-fair problem, with an exact line search.

    Without a disagreement point the Nash solution is the minimiser over :math:`b > 0` of the
    strictly convex, self-concordant :math:`f(b) = \tfrac12 b^T C b - \sum_i w_i \log b_i`, hence
    :math:`C b = w / b`. Newton steps with an exact search along their direction take 3 to 8 steps
    for 3 to 200 players, whatever the scales of the gradients.

    The α-fair solution of order a minimises :math:`\tfrac12 b^T C b - \sum_i c_i b_i^{1 - 1/a} /
    (1 - 1/a)`; how its steps differ is told in ``bargain/fair_step.py``.

    Parameters
    ----------
    tol : float
        Stop where the residual ``max |b_i (C b)_i / w_i - 1|`` (see :class:`bargain.Certificate`
        for α-fair solutions) is at most this, or at the floor that rounding puts under it;
        at least zero.

    Examples
    --------
    >>> import numpy, bargain
    >>> game = bargain.GradientGame(numpy.asarray([[2.0, 1.0], [1.0, 1.0]]))
    >>> int(bargain.solve(game, solver=bargain.Newton()).status)
    0
    """

    tol: float = 1e-12
    patience: ClassVar[int] = 200
    takes_disagreement: ClassVar[bool] = False
    solutions: ClassVar[tuple[type[Solution], ...]] = (Nash, AlphaFair)

    def __post_init__(self) -> None:
        check_tolerance(self.tol)

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> NewtonState | FairState:
        """Begin at ``start``, or at a good point of the solver's own."""
        xp = array_namespace(game.weights)
        point = opening(game) if start is None else start
        never = xp.full_like(game.resolution, xp.inf)
        if isinstance(solution, AlphaFair):
            return fair_state(game, solution.alpha, xp.log(point), never)
        product = apply_cosines(game, point)
        return NewtonState(point, product, weigh(game, point, product), never)

    def step(
        self, game: CanonicalGame, solution: Solution, state: NewtonState | FairState
    ) -> NewtonState | FairState:
        """Take one Newton step, as long as the exact search finds best."""
        if isinstance(state, FairState):
            assert isinstance(solution, AlphaFair)
            return fair_step(game, solution.alpha, state)
        point = newton_step(game, state.point, state.product)
        product = apply_cosines(game, point)
        return NewtonState(point, product, weigh(game, point, product), state.evidence.residual)

    def done(
        self, game: CanonicalGame, solution: Solution, state: NewtonState | FairState
    ) -> Bool[Array, "*batch"]:
        """Whether the point proves something, or rounding allows no better proof."""
        over = settled(state.evidence, state.previous, self.tol)
        if isinstance(state, FairState):
            # Where rounding hides every descent, the prices stay as they are, or come and go.
            under = state.evidence.residual <= 0.9 * state.evidence.floor
            stays = state.evidence.residual == state.previous
            return over | stays | (under & (state.evidence.residual > state.previous))
        return over

    def answer(
        self, game: CanonicalGame, solution: Solution, state: NewtonState | FairState
    ) -> Answer:
        """Read the point off the state."""
        return Answer(state.point, state.point)


def newton_step(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> Float[Array, "*batch K"]:
    """Move along Newton's direction as far as the exact search finds best."""
    xp = array_namespace(point)
    relative = newton_direction(game, point, product)
    direction = point * relative
    length = exact_step(
        xp.sum(direction * product, axis=-1),
        xp.sum(direction * apply_cosines(game, direction), axis=-1),
        game.weights,
        relative,
    )
    return point * (1 + length[..., None] * relative)


def newton_direction(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> Float[Array, "*batch K"]:
    r"""Newton's direction, divided by the point.

    The system :math:`(C + \operatorname{diag}(w / b^2)) p = w / b - C b` is scaled to a unit
    diagonal, which takes the spread of the weights out of it, and gets a ridge of the size of its
    rounding errors, so that it stays positive definite where the gradients depend on each other.
    """
    xp = array_namespace(point)
    players = point.shape[-1]
    barrier = game.weights / point / point  # the square of a tiny price may vanish
    scale = 1 / xp.sqrt(xp.linalg.diagonal(game.cosines) + barrier)
    ridge = ROUNDING * players * xp.finfo(point.dtype).eps
    identity = xp.eye(players, dtype=point.dtype, device=device(point))
    coupling = scale[..., :, None] * game.cosines * scale[..., None, :]
    matrix = xp.where(identity > 0, 1 + ridge, coupling)
    rhs = scale * (game.weights / point - product)
    return backend_for(point).solve_spd(matrix, rhs) * scale / point
