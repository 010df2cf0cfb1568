"""The PyTorch backend: differentiable solves, and gradients from autograd to one update."""

try:
    import torch as _torch  # noqa: F401 - asked for here, where one sentence can say what is missing
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f'bargain_torch needs {error.name}: run pip install "bargain-solvers[torch]"',
        name=error.name,
    ) from None

from bargain_torch.backend import TorchBackend
from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer, scalars_of
from bargain_torch.comparison import Comparison, compare
from bargain_torch.gram import gram
from bargain_torch.groups import GroupStep, backward_by_group
from bargain_torch.lesson import Lesson
from bargain_torch.place import solve_on
from bargain_torch.preference_learner import PreferenceLearner
from bargain_torch.step import Step

backend = TorchBackend()

__all__ = [
    "Balancer",
    "Comparison",
    "GroupStep",
    "Lesson",
    "PreferenceLearner",
    "Step",
    "TorchBackend",
    "backend",
    "backward",
    "backward_by_group",
    "compare",
    "gram",
    "scalars_of",
    "solve_on",
]
