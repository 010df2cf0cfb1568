"""The optimiser Adam for one layer (Kingma and Ba, 2015)."""

import numpy as np

from bargain_cli.demo.network import Layer

__all__ = ["Adam"]

MEMORY, SQUARE_MEMORY = 0.9, 0.999
TINY = 1e-8


class Adam:
    """Adam, which moves a layer against a direction.

    Parameters
    ----------
    layer : Layer
        The layer to move, in place.
    """

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.means = {name: np.zeros_like(array) for name, array in layer.items()}
        self.squares = {name: np.zeros_like(array) for name, array in layer.items()}
        self.steps = 0

    def step(self, direction: Layer, rate: float) -> None:
        """Move the layer one step.

        Parameters
        ----------
        direction : Layer
            What to subtract: a gradient, or a combination of gradients.
        rate : float
            The length of a step of each parameter, about.
        """
        self.steps += 1
        rate *= np.sqrt(1 - SQUARE_MEMORY**self.steps) / (1 - MEMORY**self.steps)
        for name in self.layer:
            mean, square = self.means[name], self.squares[name]
            mean += (1 - MEMORY) * (direction[name] - mean)
            square += (1 - SQUARE_MEMORY) * (direction[name] ** 2 - square)
            move = rate * mean / (np.sqrt(square) + TINY)
            self.layer[name] -= move.astype(mean.dtype)
