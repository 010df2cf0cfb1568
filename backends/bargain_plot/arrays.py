"""Arrays of any library as those of NumPy."""

from typing import Any

import numpy as np


def as_numpy(value: Any) -> Any:
    """Return an array of any library as one of NumPy; numbers and None as they are."""
    if value is None or isinstance(value, int | float):
        return value
    if hasattr(value, "detach"):  # PyTorch: off the graph and the accelerator
        value = value.detach().cpu()
    return np.asarray(value)


def vector_of(value: Any, players: int, default: float) -> np.ndarray:
    """Return a number for each player, given or not."""
    return np.broadcast_to(np.asarray(default if value is None else value, float), (players,))
