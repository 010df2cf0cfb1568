"""Mirror descent on the simplex of weights."""

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.preferences.norms import norm
from bargain.preferences.simplex import check_numbers, spread
from bargain.shapes import Array, Float


class MirrorState(NamedTuple):
    """What :class:`MirrorDescent` remembers.

    Parameters
    ----------
    weights : Array
        Shape ``(*batch, K)``, of mean one.
    average : Array
        Shape ``(*batch, K)``: the running average of gradients.
    trust : Array
        Shape ``(*batch, 1)``: how much of that average is no longer its start at zero.
    size : Array
        Shape ``(*batch, 1)``: the root of the sum of squared sizes of gradients.
    """

    weights: Float[Array, "*batch K"]
    average: Float[Array, "*batch K"]
    trust: Float[Array, "*batch 1"]
    size: Float[Array, "*batch 1"]


@dataclass(frozen=True)
class MirrorDescent:
    r"""Exponentiated gradients: weights are multiplied, so they stay positive and sum to K.

    .. math:: w_i \leftarrow w_i \exp(-\eta_t\, m_i) / Z,

    with :math:`m` the running average of gradients and :math:`\eta_t` the rate over the root of the
    sum of their squared sizes so far. So steps do not depend on the units of losses, and shrink as
    evidence adds up. A size is the one that belongs to this geometry, :math:`(\sum_i w_i h_i^2 /
    \sum_i w_i)^{1/2}`.

    Parameters
    ----------
    rate : float
        How far the logarithm of a weight moves at the first update, about.
    momentum : float
        How much of the running average of gradients is kept, from 0 to less than 1.
    memory : float
        How much of the sum of squared sizes is kept. 1 (AdaGrad) lets the weights settle; with less
        they go on following, where what helps changes during training.
    clip : float
        The most that the logarithm of a weight moves in one update.
    floor : float
        The smallest weight, in units of the mean weight.

    Raises
    ------
    ValueError
        A number is out of range.

    References
    ----------
    Kivinen and Warmuth, "Exponentiated Gradient versus Gradient Descent for Linear Predictors",
    Information and Computation 132, 1997; Beck and Teboulle, "Mirror Descent and Nonlinear
    Projected Subgradient Methods for Convex Optimization", Operations Research Letters 31, 2003;
    the rate: Duchi et al., "Adaptive Subgradient Methods", JMLR 12, 2011.

    Examples
    --------
    >>> import numpy
    >>> from bargain.preferences import MirrorDescent
    >>> update = MirrorDescent(rate=0.5)
    >>> state = update.init(numpy.ones(3))
    >>> for _ in range(10):
    ...     state = update.update(numpy.asarray([-1.0, 0.0, 1.0]), state)
    >>> state.weights.round(2)
    array([2.84, 0.15, 0.01])
    """

    rate: float = 0.3
    momentum: float = 0.9
    memory: float = 1.0
    clip: float = 1.0
    floor: float = 1e-6

    def __post_init__(self) -> None:
        check_numbers(self.floor, rate=self.rate, memory=self.memory, clip=self.clip)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: expected from 0 to less than 1, found {self.momentum}")
        if self.memory > 1:
            raise ValueError(f"memory: expected at most 1, found {self.memory}")

    def init(self, weights: Float[Array, "*batch K"], /) -> MirrorState:
        """Return the state to start from.

        Parameters
        ----------
        weights : Array
            Shape ``(*batch, K)``, positive; scaled to mean one.

        Returns
        -------
        MirrorState
            A named tuple of arrays.
        """
        xp = array_namespace(weights)
        nothing = xp.zeros_like(weights)
        return MirrorState(spread(weights, self.floor), nothing, nothing[..., :1], nothing[..., :1])

    def update(self, gradient: Float[Array, "*batch K"], state: MirrorState, /) -> MirrorState:
        """Return the state after a gradient.

        Parameters
        ----------
        gradient : Array
            Shape ``(*batch, K)``, of :func:`hypergradient`. One that is not finite changes nothing.
        state : MirrorState
            The state before.

        Returns
        -------
        MirrorState
            The state after.
        """
        xp = array_namespace(gradient)
        usable = xp.all(xp.isfinite(gradient), axis=-1)[..., None]
        gradient = xp.where(usable, gradient, 0.0)
        weights, average, trust, size = state
        average = self.momentum * average + (1 - self.momentum) * gradient
        trust = self.momentum * trust + (1 - self.momentum)
        now = norm(gradient, weights / weights.shape[-1])
        size = norm(xp.concat([self.memory**0.5 * size, now], axis=-1))
        step = self.rate * (average / xp.where(size > 0, size, 1.0)) / trust
        step = xp.clip(step, -self.clip, self.clip)
        after = MirrorState(spread(weights * xp.exp(-step), self.floor), average, trust, size)
        return MirrorState(
            *(xp.where(usable, new, old) for new, old in zip(after, state, strict=True))
        )
