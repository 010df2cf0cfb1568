"""A small problem to compare methods on: three losses in three units, one shared layer."""

import torch
from torch import nn

SIZE, BATCH = 96, 32
UNITS = {"small": 1.0, "middle": 10.0, "large": 1000.0}
generator = torch.Generator().manual_seed(0)
INPUTS = torch.randn(SIZE, 4, generator=generator)
TARGETS = torch.tanh(INPUTS @ torch.randn(4, 3, generator=generator))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.1))
        self.heads = nn.ModuleDict({name: nn.Linear(8, 1) for name in UNITS})


class Data:
    """Batches of row numbers, shuffled by torch's global generator."""

    def __iter__(self):
        return iter(torch.randperm(SIZE).split(BATCH))


def losses(model, rows):
    features = model.trunk(INPUTS[rows])
    return {
        name: unit * (model.heads[name](features)[:, 0] - TARGETS[rows, k]).square().mean()
        for k, (name, unit) in enumerate(UNITS.items())
    }


def shared(model):
    return model.trunk.parameters()


def evaluate(model):
    with torch.no_grad():
        return {name: loss.item() for name, loss in losses(model, torch.arange(SIZE)).items()}


PROBLEM = {
    "make_model": Model,
    "losses": losses,
    "data": Data,
    "shared": shared,
    "evaluate": evaluate,
}
