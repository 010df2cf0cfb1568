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
        ``sum(multipliers * (utilities - disagreement)) == sum(weights)``. They bound what *every*
        feasible point is worth, which is where ``gap`` comes from. For max-min solutions (with
        claims ``c``, weights or ideal payoffs) ``multipliers * c`` are the dual weights, zero for
        players who have more than their part anyway. Zero where the players disagree.
    stationary : Array
        Shape ``(*batch, K)``. For a disagreement the convex combination of gradients that
        (nearly) vanishes, so that no direction helps all; zero for an agreement.
    gap : Array
        Upper bound on what could still be gained; zero for a disagreement.

        - Nash: of the logarithm of the weighted Nash product. It is the Kullback-Leibler divergence
          of the shares from the weights (plus, where the radius does not bind, the complementary
          slack).
        - α-fair: of the welfare, relative to what the agreement is worth at its prices. It is the
          α-divergence of the shares from what the players are owed (plus the slack, as above).
        - Max-min: of the smallest part, relative to the bound that the dual weights prove.
        - Utilitarian: of the weighted sum, relative to the largest: one minus a cosine.
    residual : Array
        How far an agreement is from satisfying its equations: for Nash ``max |multiplier_i (u_i -
        d_i) / w_i - 1|``, slack included; for α-fair solutions the largest difference of a share
        from what is owed, slack included, or if larger the gap of the power mean of gains; for
        max-min solutions the gap, or if larger the part of the whole that is spent on a player
        beyond the smallest part; for the utilitarian one the distance of two directions. With a
        disagreement point also by which part the update is longer than the radius, if that is more.
        For a disagreement how far the stationary combination is from vanishing, relative to the
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
        Shape ``(*batch, K)``, sums to one: the part of the gains that belongs to each player,
        ``multipliers * (utilities - disagreement)`` over its sum; without a disagreement point his
        part of the update's squared length. At the Nash solution it is his bargaining weight over
        the sum of weights. At max-min solutions it is zero for players who have more than their
        part anyway; at the utilitarian one, which reads no disagreement point, it is negative for
        players who are harmed.
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
