"""The PyTorch backend: solves that torch can differentiate, map and compile."""

from bargain_torch.backend import TorchBackend
from bargain_torch.place import solve_on

backend = TorchBackend()

__all__ = ["TorchBackend", "backend", "solve_on"]
