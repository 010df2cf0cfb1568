"""The published update of weights: gradient descent with clips."""

from dataclasses import dataclass
from typing import NamedTuple

from array_api_compat import array_namespace

from bargain.preferences.norms import norm
from bargain.preferences.simplex import check_numbers
from bargain.shapes import Array, Float


class ClippedState(NamedTuple):
    """What :class:`ClippedSGD` remembers.

    Parameters
    ----------
    weights : Array
        Shape ``(*batch, K)``, of mean one.
    velocity : Array
        Shape ``(*batch, K)``.
    """

    weights: Float[Array, "*batch K"]
    velocity: Float[Array, "*batch K"]


@dataclass(frozen=True)
class ClippedSGD:
    """Stochastic gradient descent with momentum, clipped and brought back to the simplex.

    The gradient is clipped to a norm, the weights move, are clipped from below, and are then
    scaled to mean one: the order of the published code, by which a weight may end up a little under
    the floor.

    Parameters
    ----------
    rate, momentum, clip, floor : float
        The learning rate, the part of the velocity that is kept, the largest norm of a gradient,
        and the smallest weight before scaling. The defaults are the published numbers.

    Raises
    ------
    ValueError
        A number is out of range.

    References
    ----------
    Shamsian et al., "Auxiliary Learning as an Asymmetric Bargaining Game", ICML 2023, arXiv
    2301.13501, appendix, and the code that came with it.

    Examples
    --------
    >>> import numpy
    >>> from bargain.preferences import ClippedSGD
    >>> update = ClippedSGD()
    >>> state = update.update(numpy.asarray([-30.0, 40.0]), update.init(numpy.ones(2)))
    >>> state.weights.round(4)
    array([1.0035, 0.9965])
    """

    rate: float = 5e-3
    momentum: float = 0.9
    clip: float = 1.0
    floor: float = 1e-4

    def __post_init__(self) -> None:
        check_numbers(self.floor, rate=self.rate, clip=self.clip)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: expected from 0 to less than 1, found {self.momentum}")

    def init(self, weights: Float[Array, "*batch K"], /) -> ClippedState:
        """Return the state to start from.

        Parameters
        ----------
        weights : Array
            Shape ``(*batch, K)``, positive; scaled to mean one.

        Returns
        -------
        ClippedState
            A named tuple of arrays.
        """
        xp = array_namespace(weights)
        return ClippedState(_scaled(weights), xp.zeros_like(weights))

    def update(self, gradient: Float[Array, "*batch K"], state: ClippedState, /) -> ClippedState:
        """Return the state after a gradient.

        Parameters
        ----------
        gradient : Array
            Shape ``(*batch, K)``, of :func:`hypergradient`. One that is not finite changes nothing.
        state : ClippedState
            The state before.

        Returns
        -------
        ClippedState
            The state after.
        """
        xp = array_namespace(gradient)
        usable = xp.all(xp.isfinite(gradient), axis=-1)[..., None]
        gradient = xp.where(usable, gradient, 0.0)
        size = norm(gradient)
        gradient = gradient * self.clip / xp.where(size > self.clip, size, self.clip)
        velocity = self.momentum * state.velocity + gradient
        weights = state.weights - self.rate * velocity
        weights = _scaled(xp.where(weights > self.floor, weights, self.floor))
        return ClippedState(
            xp.where(usable, weights, state.weights), xp.where(usable, velocity, state.velocity)
        )


def _scaled(weights: Array) -> Array:
    xp = array_namespace(weights)
    return weights * weights.shape[-1] / xp.sum(weights, axis=-1)[..., None]
