"""What comes back from a convex game."""

from typing import Any, NamedTuple

import numpy as np

from bargain.outcome import Status
from bargain.shapes import Float

NumpyArray = np.ndarray[Any, Any]


class ConvexOutcome(NamedTuple):
    r"""The outcome of a convex game, with its proof: prices that support it.

    Prices :math:`y \ge 0` bound every feasible :math:`v`. At an agreement :math:`u` no point of the
    agreement set is worth much more at these prices than :math:`u` is; at a disagreement no
    point is worth more than :math:`d`, so none gives every player more than :math:`d_i`.

    Parameters
    ----------
    utilities : ndarray
        Shape ``(K,)``: what each player gets; at a disagreement the disagreement point.
    shares : ndarray
        Shape ``(K,)``, sums to one: each player's part of the gains at the supporting prices,
        ``multipliers * (utilities - disagreement)``; at the Nash solution his bargaining weight
        over the sum of weights. Zero at a disagreement.
    status : Status
        AGREEMENT, DISAGREEMENT, or MAX_STEPS where the solver's answer is not good enough to
        prove either.
    gap : float
        Dimensionless: :math:`\max_v y^T (v - d) - \sum_i w_i` over the points of the agreement set
        where nobody with a say loses, to the precision of the solver. For the Nash solution it
        bounds what the logarithm of the weighted Nash product could still gain. Zero for a
        disagreement.
    multipliers : ndarray
        Shape ``(K,)``, at least zero: the prices, scaled so that the outcome's gains (where the
        smallest gain is maximised: equal gains at that level) are worth the sum of weights. Zero
        at a disagreement.
    stationary : ndarray
        Shape ``(K,)``: at a disagreement the prices, on the simplex; zero at an agreement.
    """

    utilities: Float[NumpyArray, " K"]
    shares: Float[NumpyArray, " K"]
    status: Status
    gap: float
    multipliers: Float[NumpyArray, " K"]
    stationary: Float[NumpyArray, " K"]
