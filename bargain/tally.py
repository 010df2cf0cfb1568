"""Whether the numbers that an outcome tells are those that its coefficients and prices give."""

from array_api_compat import array_namespace

from bargain.canonical import CanonicalGame, Frame
from bargain.evidence import ROUNDING, Answer, combined
from bargain.outcome import Outcome
from bargain.proof import Proof
from bargain.shapes import Array, Bool, Float


def tallies(
    game: CanonicalGame, frame: Frame, answer: Answer, proof: Proof, outcome: Outcome
) -> Bool[Array, "*batch"]:
    r"""Whether utilities and shares are those of an agreement's coefficients, up to rounding.

    With unit gradients the update :math:`\sum_j a_j e_j` gives player i :math:`\hat u_i = \sum_j
    C_{ij} a_j`, known to :math:`\epsilon \sum_j |C_{ij} a_j|`; by his price that blurs his share.
    All shares, and without a disagreement point the update's length, are as uncertain as the sum.

    Parameters
    ----------
    game, frame
        The canonical game and what leads back.
    answer
        The outcome's coefficients and prices, in canonical terms.
    proof
        What follows from them.
    outcome
        What is told.
    """
    xp = array_namespace(proof.gap)
    coefficients = xp.where(game.inside, answer.coefficients, 0.0)
    asked = xp.zeros_like(coefficients)
    if game.disagreement is None:
        product = (game.cosines @ coefficients[..., None])[..., 0]
        length = xp.sqrt(_positive(combined(game, coefficients, product)[0]))
        coefficients = coefficients / length[..., None]
    else:
        asked = xp.where(game.inside, game.disagreement, 0.0)
    epsilon = (ROUNDING + coefficients.shape[-1]) * xp.finfo(coefficients.dtype).eps
    least = xp.finfo(coefficients.dtype).smallest_normal
    ideal = frame.norms * frame.radius[..., None]
    blur = epsilon * (xp.abs(frame.cosines) @ xp.abs(coefficients)[..., None])[..., 0]

    prices = proof.multipliers * frame.units * frame.radius[..., None]
    prices = prices / _positive(xp.sum(prices, axis=-1))[..., None]
    reached = (game.cosines @ coefficients[..., None])[..., 0]
    total = _positive(xp.abs(xp.sum(prices * (reached - asked), axis=-1)))[..., None]
    wobble = prices * (blur + epsilon * xp.abs(asked)) / total
    common = epsilon + xp.sum(wobble, axis=-1)[..., None]
    shares = common * xp.abs(proof.shares) + wobble + least
    stretch = common if game.disagreement is None else epsilon
    utilities = stretch * xp.abs(proof.utilities) + blur * ideal + least
    agrees = _near(outcome.utilities, proof.utilities, utilities)
    agrees = agrees & _near(outcome.shares, proof.shares, shares)
    # Who has no say has no part in the update.
    return xp.all(agrees & (game.inside | (outcome.coefficients == 0)), axis=-1)


def tells_nothing(outcome: Outcome) -> Bool[Array, "*batch"]:
    """Whether an outcome is that of a disagreement: nobody moves, and nobody has anything."""
    xp = array_namespace(outcome.coefficients)
    nothing = (outcome.coefficients == 0) & (outcome.utilities == 0) & (outcome.shares == 0)
    return xp.all(nothing, axis=-1)


def _near(
    told: Float[Array, "*batch K"],
    true: Float[Array, "*batch K"],
    allowed: Float[Array, "*batch K"],
) -> Bool[Array, "*batch K"]:
    """Whether numbers are near others, or equal where those have left the range of their type."""
    xp = array_namespace(true)
    return (told == true) | (xp.abs(told - true) <= allowed)


def _positive(values: Array) -> Array:
    xp = array_namespace(values)
    return xp.where(values > 0, values, 1.0)
