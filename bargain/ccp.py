"""The papers' concave-convex procedure."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from array_api_compat import array_namespace, device

from bargain.backend import backend_for
from bargain.canonical import CanonicalGame, apply_cosines
from bargain.evidence import ROUNDING, Answer, Evidence, settled, weigh
from bargain.factor import multiply
from bargain.newton import newton_step
from bargain.opening import opening
from bargain.shapes import Array, Bool, Float, Int
from bargain.solutions import Solution
from bargain.solver import check_tolerance

DECREASE = 0.1
"""Part of the complementarity that a step aims to leave, if the last one went well."""
CENTRING = 0.9
"""The same after a step that had to be short."""
HALVINGS = 30
"""Step lengths tried on the way back into the feasible set, each half the one before."""


class CCPState(NamedTuple):
    """The iterate of the current sub-problem.

    Attributes
    ----------
    point, product
        Shape ``(*batch, K)``: the point and the cosines times it.
    prices
        Shape ``(*batch, K)``, positive: multipliers of the constraints.
    cost
        Shape ``(*batch, K)``: the objective, linearised where the round began.
    length
        Shape ``(*batch)``: the part of the last step that could be taken.
    feasible
        Shape ``(*batch)``: whether the first round has begun.
    rounds
        Shape ``(*batch)``: how many rounds have begun.
    evidence, previous
        What the point proves, and the residual of the one before it.
    """

    point: Float[Array, "*batch K"]
    product: Float[Array, "*batch K"]
    prices: Float[Array, "*batch K"]
    cost: Float[Array, "*batch K"]
    length: Float[Array, "*batch"]
    feasible: Bool[Array, "*batch"]
    rounds: Int[Array, "*batch"]
    evidence: Evidence
    previous: Float[Array, "*batch"]


@dataclass(frozen=True)
class CCP:
    r"""The concave-convex procedure of Nash-MTL and AuxiNash, with a stop test that can be trusted.

    With :math:`\varphi_i(b) = \log b_i + \log (C b)_i - \log w_i`, each round minimises
    :math:`\sum_i (C b)_i` plus :math:`\sum_i \varphi_i`, the latter linearised at the round's
    first point, subject to :math:`\varphi_i \ge 0`. The Nash solution is the point where all the
    constraints are tight. One step is one primal-dual interior-point step on the round's convex
    sub-problem; before the first round, Newton steps on the Nash objective lead to where the
    logarithms exist. Kept for comparison: :class:`bargain.Newton` is faster and cannot fail.

    What differs from the published code: it works on cosines, so that the scales of the gradients
    do not matter; it solves the sub-problems itself and to full precision; it stops on the
    dimensionless residual of the solution and returns the iterate that met it (the published code
    tests ``M a - 1/a`` in the gradients' units and returns the iterate before). The whole problem
    is not convex, so a run may stop elsewhere; its status then says MAX_STEPS.

    Parameters
    ----------
    tol : float
        Stop where the residual is at most this, or at the rounding floor; at least zero.
    rounds : int
        Give up after so many rounds, at least one (20 in the published code).

    References
    ----------
    Navon et al., arXiv 2202.01017, section 3.2; Shamsian et al., arXiv 2301.13501, section 4.1.

    Examples
    --------
    >>> import numpy, bargain
    >>> gram = numpy.asarray([[2.0, 1.0], [1.0, 1.0]])
    >>> int(bargain.nash(gram, solver=bargain.CCP()).status)
    0
    """

    tol: float = 1e-11
    rounds: int = 20
    patience: ClassVar[int] = 1000
    takes_disagreement: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_tolerance(self.tol)
        if self.rounds < 1:
            raise ValueError(f"rounds: expected at least 1, found {self.rounds}")

    def init(
        self, game: CanonicalGame, solution: Solution, start: Float[Array, "*batch K"] | None
    ) -> CCPState:
        """Begin at ``start``, or at a good point of the solver's own, outside of any round."""
        xp = array_namespace(game.weights)
        point = opening(game) if start is None else start
        product = apply_cosines(game, point)
        place = device(point)
        return CCPState(
            point=point,
            product=product,
            prices=xp.ones_like(point),
            cost=xp.zeros_like(point),
            length=xp.ones_like(game.resolution),
            feasible=xp.zeros(game.resolution.shape, dtype=xp.bool, device=place),
            rounds=xp.zeros(game.resolution.shape, dtype=xp.int32, device=place),
            evidence=weigh(game, point, product),
            previous=xp.full_like(game.resolution, xp.inf),
        )

    def step(self, game: CanonicalGame, solution: Solution, state: CCPState) -> CCPState:
        """Take one step on the sub-problem, or begin the next round, or approach the first."""
        xp = array_namespace(state.point)
        inner = _interior_step(game, state)
        approach = newton_step(game, state.point, state.product)
        point = xp.where(state.feasible[..., None], inner.point, approach)
        product = apply_cosines(game, point)
        evidence = weigh(game, point, product)

        slack = _slack(game, point, product)
        complementarity = xp.max(xp.abs(inner.prices * slack), axis=-1)
        precise = xp.where(0.1 * evidence.floor > self.tol, 0.1 * evidence.floor, self.tol)
        # Where rounding leaves no legal step either, the sub-problem is as solved as it can be.
        solved = state.feasible & ((complementarity <= precise) | (inner.length == 0))
        begin = (solved | ~state.feasible) & xp.all(product > 0, axis=-1)
        begin = begin & ~evidence.stationary & (evidence.residual > self.tol)
        opened = _begin_round(game, point, product)
        new = begin[..., None]
        point = xp.where(new, opened.point, point)
        product = xp.where(new, opened.product, product)
        return CCPState(
            point=point,
            product=product,
            prices=xp.where(new, opened.prices, inner.prices),
            cost=xp.where(new, opened.cost, inner.cost),
            length=xp.where(begin, opened.length, inner.length),
            feasible=state.feasible | begin,
            rounds=state.rounds + xp.astype(begin, state.rounds.dtype),
            evidence=weigh(game, point, product),
            previous=evidence.residual,
        )

    def done(
        self, game: CanonicalGame, solution: Solution, state: CCPState
    ) -> Bool[Array, "*batch"]:
        """Whether the point proves something, or the rounds are used up."""
        return settled(state.evidence, state.previous, self.tol) | (state.rounds > self.rounds)

    def answer(self, game: CanonicalGame, solution: Solution, state: CCPState) -> Answer:
        """Read the point off the state."""
        return Answer(state.point, state.point)


class _Iterate(NamedTuple):
    point: Float[Array, "*batch K"]
    product: Float[Array, "*batch K"]
    prices: Float[Array, "*batch K"]
    cost: Float[Array, "*batch K"]
    length: Float[Array, "*batch"]


def _slack(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> Float[Array, "*batch K"]:
    """Return the constraints, at least zero where feasible; NaN-free where they do not exist."""
    xp = array_namespace(point)
    ratio = point * product / game.weights
    # log1p keeps the digits of a constraint that is nearly tight.
    return xp.log1p(xp.where(ratio > 0, ratio - 1, -0.5))


def _begin_round(
    game: CanonicalGame, point: Float[Array, "*batch K"], product: Float[Array, "*batch K"]
) -> _Iterate:
    """Linearise at a point, and stretch it into the inside of the feasible set."""
    xp = array_namespace(point)
    legal = xp.where(product > 0, product, 1.0)
    ones = xp.ones_like(point)
    cost = apply_cosines(game, ones) + 1 / point + apply_cosines(game, 1 / legal)
    smallest = xp.min(point * legal / game.weights, axis=-1)
    stretch = xp.sqrt(2.0 / smallest)[..., None]
    point, product = point * stretch, legal * stretch
    return _Iterate(point, product, ones, cost, xp.ones_like(smallest))


def _interior_step(game: CanonicalGame, state: CCPState) -> _Iterate:
    r"""One primal-dual step on: minimise ``cost @ b`` subject to :math:`\varphi(b) \ge 0`."""
    xp = array_namespace(state.point)
    point, prices = state.point, state.prices
    product = xp.where(state.product > 0, state.product, 1.0)
    slack = _slack(game, point, product)
    slack = xp.where(slack > 0, slack, 1.0)  # before the first round nothing of this is used
    players = point.shape[-1]
    identity = xp.eye(players, dtype=point.dtype, device=device(point))
    decrease = xp.where(state.length < 0.5, CENTRING * xp.ones_like(state.length), DECREASE)[
        ..., None
    ]
    target = decrease * xp.sum(prices * slack, axis=-1)[..., None] / players

    # Everything in units of the point, so that the spread of its entries does not matter.
    relative = point[..., :, None] * game.cosines * point[..., None, :]
    gains = point * product
    jacobian = identity + relative / gains[..., :, None]
    bending = prices[..., None, :] * identity + xp.matrix_transpose(relative) @ (
        (prices / gains**2)[..., :, None] * relative
    )
    transposed = xp.matrix_transpose(jacobian)
    hessian = bending + transposed @ ((prices / slack)[..., :, None] * jacobian)
    force = multiply(transposed, target / slack) - point * state.cost
    scale = 1 / xp.sqrt(xp.linalg.diagonal(hessian))
    ridge = ROUNDING * players * xp.finfo(point.dtype).eps
    matrix = xp.where(identity > 0, 1 + ridge, scale[..., :, None] * hessian * scale[..., None, :])
    move = scale * backend_for(point).solve_spd(matrix, scale * force)
    repricing = (target - prices * slack - prices * multiply(jacobian, move)) / slack

    # The longest of the halved steps that keeps everything positive.
    lengths = 0.5 ** xp.arange(HALVINGS, dtype=point.dtype, device=device(point))
    trial = lengths[:, None] * move[..., None, :]
    image = apply_cosines(game, point * move)
    trial_gains = (1 + trial) * (
        gains[..., None, :] + lengths[:, None] * (point * image)[..., None, :]
    )
    legal = (
        (1 + trial > 0)
        & (trial_gains > game.weights[..., None, :] * (1 + 0.01 * slack[..., None, :]))
        & (product[..., None, :] + lengths[:, None] * image[..., None, :] > 0)
        & (
            prices[..., None, :] + lengths[:, None] * repricing[..., None, :]
            > 0.01 * prices[..., None, :]
        )
    )
    length = xp.max(xp.where(xp.all(legal, axis=-1), lengths, 0.0), axis=-1)[..., None]
    moved = point * (1 + length * move)
    return _Iterate(
        moved, product + length * image, prices + length * repricing, state.cost, length[..., 0]
    )
