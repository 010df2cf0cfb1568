"""The proximal fixed point, accelerated."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import Answer, Evidence, settled, weigh
from bargain.line_search import exact_step
from bargain.opening import lipschitz_bound, opening, proximal_step, scaled, stretch
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Solution
from bargain.solver import check_tolerance


class FixedPointState(NamedTuple):
    """Two points and their products with the cosines, what the newer one proves, and so on."""

    point: Float[Array, "*batch K"]
    product: Float[Array, "*batch K"]
    older: Float[Array, "*batch K"]
    older_product: Float[Array, "*batch K"]
    evidence: Evidence
    previous: Float[Array, "*batch"]


@dataclass(frozen=True)
class FixedPoint:
    r"""Proximal-gradient steps, accelerated by parallel tangents and exact searches.

    The map :math:`b \leftarrow (v + \sqrt{v^2 + 4 w / L}) / 2`, :math:`v = b - C b / L`, keeps
    :math:`b` positive, never increases the Nash objective, and has the Nash solution as its only
    fixed point. Exact searches accelerate it: along the step itself, along the line from the point
    before the last through the new one (on a quadratic that is the method of conjugate gradients),
    and along the ray through each point. It needs only products with the cosines, so
    it suits very many
    players; where gradients nearly cancel it takes many steps, and :class:`bargain.Newton` few.

    Parameters
    ----------
    tol : float
        Stop where the residual is at most this, or at the rounding floor; at least zero.

    References
    ----------
    Shah, Buehler and Kempthorne, "Some algorithms for minimizing a function of several
    variables", J. SIAM 12 (1964) 74-92 (parallel tangents).

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[2.0, 1.0], [1.0, 1.0]])
    >>> int(bargain.nash(gram, solver=bargain.FixedPoint()).status)
    0
    """

    tol: float = 1e-11
    patience: ClassVar[int] = 5000
    takes_disagreement: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_tolerance(self.tol)

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> FixedPointState:
        """Begin at ``start``, or at a good point of the solver's own."""
        xp = array_namespace(game.weights)
        point = opening(game) if start is None else start
        product = apply_cosines(game, point)
        never = xp.full_like(game.resolution, xp.inf)
        evidence = weigh(game, point, product)
        return FixedPointState(point, product, point, product, evidence, never)

    def step(
        self, game: CanonicalGame, solution: Solution, state: FixedPointState
    ) -> FixedPointState:
        """Take one proximal step, prolong it, and follow the parallel tangent."""
        point = proximal_step(game, state.point, state.product, lipschitz_bound(game))
        product = apply_cosines(game, point)
        point, product = _search(game, point, product, state.point, state.product)
        point, product = _search(game, point, product, state.older, state.older_product)
        return FixedPointState(
            point=point,
            product=product,
            older=state.point,
            older_product=state.product,
            evidence=weigh(game, point, product),
            previous=state.evidence.residual,
        )

    def done(
        self, game: CanonicalGame, solution: Solution, state: FixedPointState
    ) -> Bool[Array, "*batch"]:
        """Whether the point proves something, or rounding allows no better proof."""
        return settled(state.evidence, state.previous, self.tol)

    def answer(self, game: CanonicalGame, solution: Solution, state: FixedPointState) -> Answer:
        """Read the point off the state."""
        return Answer(state.point, state.point)


def _search(
    game: CanonicalGame,
    point: Float[Array, "*batch K"],
    product: Float[Array, "*batch K"],
    origin: Float[Array, "*batch K"],
    origin_product: Float[Array, "*batch K"],
) -> tuple[Float[Array, "*batch K"], Float[Array, "*batch K"]]:
    """Search along the line from an origin through the point, then along the ray it leads to."""
    xp = array_namespace(point)
    direction, image = point - origin, product - origin_product
    slope = xp.sum(direction * (product - game.weights / point), axis=-1)
    # A line may descend in either sense.
    sense = xp.where(slope > 0, -xp.ones_like(slope), 1.0)[..., None]
    direction, image = sense * direction, sense * image
    length = exact_step(
        xp.sum(direction * product, axis=-1),
        xp.sum(direction * image, axis=-1),
        game.weights,
        direction / point,
    )
    point = point + length[..., None] * direction
    product = apply_cosines(game, point)
    factor = stretch(game, point, product)
    return scaled(game, point, factor), scaled(game, product, factor)
