"""Proofs: what an answer is worth, computed from the game and the answer alone."""

from typing import Any, NamedTuple, cast

from array_api_compat import array_namespace

from bargain.backend import backend_for
from bargain.canonical import (
    CanonicalGame,
    Frame,
    apply_cosines,
    canonicalise,
    precision_of,
    total_weight,
)
from bargain.evidence import Answer, Evidence, weigh, weigh_surplus, within
from bargain.games import GradientGame, require_arrays
from bargain.opening import scaled, stretch
from bargain.outcome import Certificate, Outcome, Status
from bargain.shapes import Array, Bool, Float
from bargain.solutions import Solution
from bargain.validation import indefinite


def certify(
    game: GradientGame,
    solution: Solution,
    outcome: Outcome,
    *,
    tol: float | None = None,
    precision: float | None = None,
) -> Certificate:
    r"""Check an outcome from the game and the outcome alone, with no solver code.

    For an agreement: with :math:`s_i = \alpha_i (u_i - d_i)`, scaled to :math:`\sum s = \sum w`,
    weak duality bounds the (weighted, logarithmic) Nash product of every feasible point by that of
    the outcome plus

    .. math:: \text{gap} = \sum_i w_i \log \frac{w_i}{s_i},

    the Kullback-Leibler divergence of the shares from the weights. For a disagreement, by Gordan's
    alternative: a convex combination of gradients that vanishes (with a disagreement point: whose
    norm times the radius is at most its mean of :math:`d`), which no common improvement survives.

    Parameters
    ----------
    game : GradientGame
        The game.
    solution : Nash
        The solution meant.
    outcome : Outcome
        What to check. Its status says which of the two claims.
    tol : float, optional
        The largest residual to accept above the rounding floor; default: the square root of the
        machine epsilon.
    precision : float, optional
        Relative precision of the entries of the Gram matrix, as in :func:`bargain.solve`.

    Returns
    -------
    Certificate
        With ``accepted`` true where the numbers prove what ``outcome.status`` says.

    Raises
    ------
    TypeError
        The outcome is no Outcome, or the game holds no arrays.

    Examples
    --------
    >>> import numpy, bargain
    >>> game = bargain.GradientGame(numpy.asarray([[1.0, -0.5], [-0.5, 1.0]]))
    >>> outcome = bargain.solve(game)
    >>> bool(bargain.certify(game, bargain.Nash(), outcome).accepted)
    True
    >>> wrong = outcome._replace(coefficients=outcome.coefficients * numpy.asarray([1.0, 2.0]))
    >>> bool(bargain.certify(game, bargain.Nash(), wrong).accepted)
    False
    """
    require_arrays(game)
    if not isinstance(cast("Any", outcome), Outcome):
        raise TypeError(
            f"outcome: expected the Outcome to check, found {type(outcome).__name__}; pass what "
            f"solve returned"
        )
    xp = array_namespace(game.gram)
    precision = precision_of(game.gram, precision)
    canonical, frame = canonicalise(game, precision=precision)
    sound = frame.valid & ~indefinite(frame, backend_for(game.gram), precision)
    agreed = outcome.status == int(Status.AGREEMENT)
    refused = outcome.status == int(Status.DISAGREEMENT)
    coefficients, prices = outcome.coefficients, outcome.certificate.multipliers
    if game.disagreement is None:
        prices = coefficients  # they support themselves, so no claim has to be trusted
    else:
        coefficients = coefficients / frame.radius[..., None]
    prices = xp.where(refused[..., None], outcome.certificate.stationary, prices)
    coefficients = xp.where(refused[..., None], prices, coefficients)
    # A combination is convex, and prices are not negative; without any of them nothing is claimed.
    claimed = xp.where(canonical.inside, prices, 0.0)
    legal = xp.all(claimed >= 0, axis=-1)
    legal = legal & xp.any((claimed > 0) | ~xp.any(canonical.inside, axis=-1)[..., None], axis=-1)
    answer = Answer(
        xp.where(canonical.inside, coefficients * frame.units, 0.0), claimed * frame.units
    )
    proof = prove(canonical, frame, answer)
    bar = float(xp.finfo(game.gram.dtype).eps) ** 0.5 if tol is None else tol
    proven = xp.where(agreed, proves_agreement(proof, bar), proof.evidence.stationary)
    accepted = sound & legal & proven & (agreed | refused)
    return certificate_of(canonical, proof, agreed, refused, accepted)


class Proof(NamedTuple):
    """Everything that follows from an answer, before it is known which claim it proves.

    Attributes
    ----------
    evidence
        Residual and floor of the agreement, length of the combination of gradients.
    gap
        Shape ``(*batch)``: the duality gap.
    coefficients, utilities
        Shape ``(*batch, K)``: see :class:`bargain.Outcome`.
    shares
        Shape ``(*batch, K)``.
    multipliers
        Shape ``(*batch, K)``: see :class:`bargain.Certificate`.
    combination
        Shape ``(*batch, K)``: the multipliers as convex weights.
    """

    evidence: Evidence
    gap: Float[Array, "*batch"]
    coefficients: Float[Array, "*batch K"]
    utilities: Float[Array, "*batch K"]
    shares: Float[Array, "*batch K"]
    multipliers: Float[Array, "*batch K"]
    combination: Float[Array, "*batch K"]


def prove(game: CanonicalGame, frame: Frame, answer: Answer, /) -> Proof:
    """Derive what an answer proves; zero players outside, positive multipliers inside."""
    xp = array_namespace(game.weights)
    coefficients = xp.where(game.inside, answer.coefficients, 0.0)
    prices = xp.where(game.inside, answer.multipliers, 1.0)
    weights = total_weight(game)
    if game.disagreement is None:
        product = apply_cosines(game, prices)
        factor = stretch(game, prices, product)
        prices, product = scaled(game, prices, factor), scaled(game, product, factor)
        evidence = weigh(game, prices, product)
        gains = prices * product
        # The gains are those of the natural length, the utilities those of an update of length one.
        natural = xp.sqrt(weights)[..., None]
        coefficients = xp.where(game.inside, prices, 0.0) / natural
        slack = xp.zeros_like(weights)  # such an update is as long as it may be
        length = natural * xp.sqrt(frame.mean_weight)[..., None]
        supports = prices * natural
    else:
        product = apply_cosines(game, xp.where(game.inside, prices, 0.0))
        power = xp.sum(prices * product, axis=-1)
        length = xp.sqrt(xp.where(power > 0, power, 0.0))
        surplus = length - xp.sum(xp.where(game.inside, prices * game.disagreement, 0.0), axis=-1)
        factor = xp.where(surplus > 0, weights / xp.where(surplus > 0, surplus, 1.0), 1.0)
        prices = scaled(game, prices, factor)
        utilities = apply_cosines(game, coefficients)
        magnitude = (xp.abs(game.cosines) @ xp.abs(coefficients)[..., None])[..., 0]
        evidence = weigh_surplus(game, utilities, magnitude, prices, length * factor)
        gains = prices * (utilities - game.disagreement)
        slack = length * factor - xp.sum(xp.where(game.inside, prices * utilities, 0.0), axis=-1)
        length = frame.radius[..., None]
        supports = prices
    inside_gains = xp.where(game.inside, gains, 0.0)
    total = xp.sum(inside_gains, axis=-1)[..., None]
    combination = xp.where(game.inside, prices, 0.0) / frame.units
    # Where no gradient is left to bargain over, any combination vanishes.
    anyone = xp.any(game.inside, axis=-1)[..., None]
    combination = xp.where(anyone, combination, xp.astype(frame.stuck, combination.dtype))
    sizes = xp.sum(combination, axis=-1)[..., None]
    relative = frame.units * frame.radius[..., None] / frame.mean_weight[..., None]
    # Utilities of everyone present, those without a say included.
    reached = (frame.cosines @ coefficients[..., None])[..., 0]
    return Proof(
        evidence=evidence._replace(stationary=evidence.stationary & ~frame.content),
        gap=(divergence(game, gains) + xp.where(slack > 0, slack, 0.0)) * frame.mean_weight,
        coefficients=coefficients * length / frame.units,
        utilities=reached * frame.norms * frame.radius[..., None],
        shares=inside_gains / xp.where(total > 0, total, 1.0),
        multipliers=xp.where(game.inside, supports, 0.0) / relative,
        combination=combination / xp.where(sizes > 0, sizes, 1.0),
    )


def divergence(game: CanonicalGame, gains: Float[Array, "*batch K"]) -> Float[Array, "*batch"]:
    r"""Return :math:`\sum_i w_i \log(w_i / s_i) + s_i - w_i`; infinite where a gain is negative.

    The generalised Kullback-Leibler divergence, in a form that does not cancel near zero.
    """
    xp = array_namespace(gains)
    excess = gains / game.weights - 1
    legal = excess > -1
    terms = game.weights * (excess - xp.log1p(xp.where(legal, excess, 0.0)))
    return xp.sum(xp.where(game.inside, xp.where(legal, terms, xp.inf), 0.0), axis=-1)


def proves_agreement(proof: Proof, tol: float, /) -> Bool[Array, "*batch"]:
    """Whether every player gains and the residual is within tolerance or rounding."""
    xp = array_namespace(proof.gap)
    return within(proof.evidence.residual, proof.evidence.floor, tol) & (proof.gap < xp.inf)


def certificate_of(
    game: CanonicalGame,
    proof: Proof,
    agreed: Bool[Array, "*batch"],
    refused: Bool[Array, "*batch"],
    accepted: Bool[Array, "*batch"],
) -> Certificate:
    """Put down what a proof says of the claim made."""
    xp = array_namespace(proof.gap)
    evidence = proof.evidence
    return Certificate(
        multipliers=xp.where(refused[..., None], 0.0, proof.multipliers),
        stationary=xp.where(refused[..., None], proof.combination, 0.0),
        gap=xp.where(refused, 0.0, proof.gap),
        residual=xp.where(refused, evidence.length, evidence.residual),
        floor=xp.where(refused, 0.0, evidence.floor),
        resolution=game.resolution,
        accepted=accepted,
    )
