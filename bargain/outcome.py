"""What comes back from a solver: numbers, a status and a proof."""

from enum import IntEnum
from typing import NamedTuple

from bargain.shapes import Array, Bool, Float, Int


class Status(IntEnum):
    """How a game ended; ``Outcome.status`` holds these as integers, one for each game."""

    AGREEMENT = 0
    """The players agree, and the certificate bounds what the answer leaves on the table."""
    DISAGREEMENT = 1
    """No agreement gives every player more than his disagreement point; the certificate shows why.
    In training: the point is Pareto stationary."""
    MAX_STEPS = 2
    """No proof within the steps allowed or within the digits of the data: do not rely on it."""
    NONFINITE = 3
    """The game holds a NaN, an infinity or another number that no game can have."""


class Certificate(NamedTuple):
    """The proof that comes with an outcome; all of it dimensionless unless said otherwise.

    Parameters
    ----------
    multipliers : Array
        Shape ``(*batch, K)``, in 1/u. The prices that support an agreement, scaled so that
        ``sum(multipliers * (utilities - disagreement)) == sum(weights)``. They bound the Nash
        product of *every* feasible point, which is where ``gap`` comes from. Zero where the
        players disagree.
    stationary : Array
        Shape ``(*batch, K)``. For a disagreement the convex combination of gradients that
        (nearly) vanishes, so that no direction helps all; zero for an agreement.
    gap : Array
        Upper bound on what the logarithm of the weighted Nash product could still gain. For an
        agreement it is the Kullback-Leibler divergence of the shares from the weights (plus, where
        the radius does not bind, the complementary slack). Zero for a disagreement.
    residual : Array
        For an agreement ``max |multiplier_i (u_i - d_i) / w_i - 1|``, slack included. For a
        disagreement how far the stationary combination is from vanishing, relative to the
        gradients' norms.
    floor : Array
        The part of the residual that the rounding of the data makes unavoidable.
    resolution : Array
        The largest relative length of a combination of gradients that counts as zero.
    accepted : Array
        Whether these numbers prove what the status says.
    """

    multipliers: Float[Array, "*batch K"]
    stationary: Float[Array, "*batch K"]
    gap: Float[Array, "*batch"]
    residual: Float[Array, "*batch"]
    floor: Float[Array, "*batch"]
    resolution: Float[Array, "*batch"]
    accepted: Bool[Array, "*batch"]


class Outcome(NamedTuple):
    """A bargaining outcome, one for each game of a batch.

    Parameters
    ----------
    coefficients : Array
        Shape ``(*batch, K)``, in 1/u where gradients are in u: the update is
        ``sum(coefficients_i * gradient_i)``. Without a disagreement point only the direction is
        decided and the length is the natural one, ``sum(weights) ** 0.5``; see
        :func:`bargain.rescale` for others. With a disagreement point the length is part of the
        agreement and the coefficients give it.
    utilities : Array
        Shape ``(*batch, K)``: what each player gains from the update of length ``radius`` (or
        shorter, if the agreement is).
    shares : Array
        Shape ``(*batch, K)``, sums to one: the part of the gains that belongs to each player, at
        the solution his bargaining weight over the sum of weights.
    status : Array
        Integers, see :class:`Status`.
    gap : Array
        As in the certificate.
    residual : Array
        As in the certificate.
    steps : Array
        How many steps the solver took.
    certificate : Certificate
        The proof, see :class:`Certificate` and :func:`bargain.certify`.
    """

    coefficients: Float[Array, "*batch K"]
    utilities: Float[Array, "*batch K"]
    shares: Float[Array, "*batch K"]
    status: Int[Array, "*batch"]
    gap: Float[Array, "*batch"]
    residual: Float[Array, "*batch"]
    steps: Int[Array, "*batch"]
    certificate: Certificate
