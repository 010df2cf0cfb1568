"""Networks that read features: one trunk with eleven heads, and eleven networks apart."""

import torch
from torch import Tensor, nn

from qm9_features import BINS, ELEMENTS, PAIRS
from qm9_molecules import TARGETS

INPUTS, WIDTH = PAIRS * len(BINS) + len(ELEMENTS), 192


class Shared(nn.Module):
    """One trunk, 365-192-192, and a linear head for each property."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(INPUTS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU()
        )
        self.heads = nn.Linear(WIDTH, len(TARGETS))

    def forward(self, inputs: Tensor) -> Tensor:
        return self.heads(self.trunk(inputs))


class Separate(nn.Module):
    """The same network once for each property, all in one batch of matrices."""

    def __init__(self) -> None:
        super().__init__()
        shapes = ((INPUTS, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
        layers = [[nn.Linear(*shape) for _ in TARGETS] for shape in shapes]
        self.matrices = nn.ParameterList(
            torch.stack([layer.weight.detach().T for layer in same]) for same in layers
        )
        self.shifts = nn.ParameterList(
            torch.stack([layer.bias.detach()[None] for layer in same]) for same in layers
        )

    def forward(self, inputs: Tensor) -> Tensor:
        values = inputs.expand(len(TARGETS), *inputs.shape)
        for depth, (matrix, shift) in enumerate(zip(self.matrices, self.shifts, strict=True)):
            values = torch.baddbmm(shift, values if depth == 0 else values.relu(), matrix)
        return values.squeeze(-1).T
