"""The weighted sum, which needs no solver."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import Answer, combined
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Solution, Utilitarian
from bargain.solver import check_tolerance


class WeightedSumState(NamedTuple):
    """The answer, from the beginning."""

    point: Float[Array, "*batch K"]


@dataclass(frozen=True)
class WeightedSum:
    r"""The utilitarian solution: the update is along :math:`\sum_i w_i g_i`.

    Parameters
    ----------
    tol : float
        The residual up to which rounding is taken for granted; at least zero.

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[1.0, 0.0], [0.0, 4.0]])
    >>> int(bargain.utilitarian(gram, solver=bargain.WeightedSum()).steps)
    0
    """

    tol: float = 1e-12
    patience: ClassVar[int] = 0
    takes_disagreement: ClassVar[bool] = True
    solutions: ClassVar[tuple[type[Solution], ...]] = (Utilitarian,)

    def __post_init__(self) -> None:
        check_tolerance(self.tol)

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> WeightedSumState:
        """Take the weights; nothing is better to start from."""
        return WeightedSumState(game.weights)

    def step(
        self, game: CanonicalGame, solution: Solution, state: WeightedSumState
    ) -> WeightedSumState:
        """Stay there."""
        return state

    def done(
        self, game: CanonicalGame, solution: Solution, state: WeightedSumState
    ) -> Bool[Array, "*batch"]:
        """Whether the answer is found, which it is."""
        xp = array_namespace(game.resolution)
        return xp.ones_like(game.resolution) > 0

    def answer(self, game: CanonicalGame, solution: Solution, state: WeightedSumState) -> Answer:
        """Return the weights; with a disagreement point also put the update on the sphere."""
        if game.disagreement is None:
            return Answer(state.point, state.point)
        xp = array_namespace(state.point)
        power, _ = combined(game, state.point, apply_cosines(game, state.point))
        length = xp.sqrt(xp.where(power > 0, power, 1.0))
        return Answer(state.point / length[..., None], state.point)
