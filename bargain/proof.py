"""Proofs: what an answer is worth, computed from the game and the answer alone."""

from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, Frame, apply_cosines, total_weight
from bargain.criteria import judge
from bargain.evidence import Answer, Evidence, within
from bargain.leximin_proof import Stages, judge_stages
from bargain.opening import scaled, stretch
from bargain.outcome import Certificate
from bargain.shapes import Array, Bool, Float
from bargain.solutions import KalaiSmorodinsky, Nash, Solution, Utilitarian
from bargain.surplus_criteria import judge_surplus, supported
from bargain.terms import terms_of

NASH = Nash()


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


def prove(
    game: CanonicalGame,
    frame: Frame,
    answer: Answer,
    solution: Solution = NASH,
    stages: Stages | None = None,
    /,
) -> Proof:
    """Derive what an answer proves; zero for the players outside."""
    xp = array_namespace(game.weights)
    coefficients = xp.where(game.inside, answer.coefficients, 0.0)
    # Only ratios of prices count, but their squares must not vanish. (Others stay as they are, to
    # the last digit.)
    largest = xp.max(xp.where(game.inside, answer.multipliers, 0.0), axis=-1)[..., None]
    least = float(xp.finfo(coefficients.dtype).smallest_normal) ** 0.25
    usual = (largest > least) & (largest < 1 / least)
    scale = xp.where(usual | ~((largest > 0) & (largest < xp.inf)), 1.0, largest)
    prices = xp.where(game.inside, answer.multipliers / scale, 1.0)
    weights = total_weight(game)
    terms = terms_of(game, frame, solution)
    if game.disagreement is None:
        product = apply_cosines(game, prices)
        factor = stretch(game, prices, product)
        prices, product = scaled(game, prices, factor), scaled(game, product, factor)
        evidence, gap = judge(terms, solution, prices, product)
        # Signs and numbers are nobody's word: a solver might have answered anything.
        sound = xp.all(~game.inside | ((prices >= 0) & (prices < xp.inf)), axis=-1)
        evidence = evidence._replace(
            residual=xp.where(sound, evidence.residual, xp.inf),
            stationary=sound & evidence.stationary,
        )
        gap = xp.where(sound, gap, xp.inf)
        if isinstance(solution, Nash):
            gap = gap * frame.mean_weight
        gains = prices * product
        # The gains are those of the natural length, the utilities those of an update of length one.
        natural = xp.sqrt(weights)[..., None]
        coefficients = xp.where(game.inside, prices, 0.0) / natural
        length = natural * xp.sqrt(frame.mean_weight)[..., None]
        supports = prices * natural
    else:
        if isinstance(solution, Utilitarian):
            prices = terms.weights  # whatever was answered, these are what a sum weighs
        prices = supported(game, prices)
        evidence, gap = judge_surplus(terms, solution, coefficients, prices)
        gains = prices * (apply_cosines(game, coefficients) - game.disagreement)
        if stages is not None:
            evidence, gap = _with_stages(terms, coefficients, stages, evidence, gap)
        if frame.ideal_residual is not None and isinstance(solution, KalaiSmorodinsky):
            # The parts of the claims are known no better than the claims.
            evidence = evidence._replace(
                residual=evidence.residual + frame.ideal_residual,
                floor=evidence.floor + frame.ideal_floor,
            )
            gap = gap + frame.ideal_residual
        if isinstance(solution, Nash):
            gap = gap * frame.mean_weight
        length = frame.radius[..., None]
        supports = prices
    # Everyone has more than he asks for, whatever the update: to leave it at none is an agreement.
    evidence = evidence._replace(
        residual=xp.where(frame.content, 0.0, evidence.residual),
        floor=xp.where(frame.content, 0.0, evidence.floor),
    )
    gap = xp.where(frame.content, 0.0, gap)
    inside_gains = xp.where(game.inside, gains, 0.0)
    total = xp.sum(inside_gains, axis=-1)[..., None]
    combination = xp.where(game.inside, prices, 0.0) / frame.units
    # Where no gradient is left to bargain over, any combination vanishes.
    anyone = xp.any(game.inside, axis=-1)[..., None]
    combination = xp.where(anyone, combination, xp.astype(frame.stuck, combination.dtype))
    sizes = xp.sum(combination, axis=-1)[..., None]
    # Prices that have vanished, or grown without bound, show nothing.
    combines = (sizes > 0) & (sizes < xp.inf)
    stationary = evidence.stationary & combines[..., 0] & ~frame.content
    relative = frame.units * frame.radius[..., None] / frame.mean_weight[..., None]
    # Utilities of everyone present, those without a say included.
    reached = (frame.cosines @ coefficients[..., None])[..., 0]
    return Proof(
        evidence=evidence._replace(stationary=stationary),
        gap=gap,
        coefficients=coefficients * length / frame.units,
        utilities=reached * frame.norms * frame.radius[..., None],
        shares=inside_gains / xp.where(total > 0, total, 1.0),
        multipliers=xp.where(game.inside, supports, 0.0) / relative,
        combination=combination / xp.where(combines, sizes, 1.0),
    )


def _with_stages(
    game: CanonicalGame, coefficients: Array, stages: Stages, evidence: Evidence, gap: Array
) -> tuple[Evidence, Array]:
    """Count what the stages of a refinement do not prove, where that is more."""
    xp = array_namespace(gap)
    open_, floor = judge_stages(game, coefficients, stages)
    evidence = evidence._replace(
        residual=xp.where(open_ > evidence.residual, open_, evidence.residual),
        floor=xp.where(floor > evidence.floor, floor, evidence.floor),
    )
    return evidence, xp.where(open_ > gap, open_, gap)


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
