"""The model that is trained, whole or in shards, and the part of the batch that a rank takes."""

import torch
import torch.distributed as dist
from torch import nn
from torch.utils.checkpoint import checkpoint


class Model(nn.Module):
    """A trunk, a head a task, and sizes that do not divide by the number of ranks."""

    def __init__(self, width=7, reentrant=None):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 5))
        self.heads = nn.ModuleDict({name: nn.Linear(5, 3) for name in "abc"})
        self.reentrant = reentrant

    def forward(self, inputs, names="abc"):
        if self.reentrant is not None:
            hidden = self.trunk[0](inputs)
            features = checkpoint(self.trunk[1:], hidden, use_reentrant=self.reentrant)
        else:
            features = self.trunk(inputs)
        return {
            name: (self.heads[name](features) - k).square().mean()
            for k, name in enumerate("abc")
            if name in names
        }

    @property
    def shared(self):
        return list(self.trunk.parameters())


def new_model(**options):
    torch.manual_seed(0)
    return Model(**options).double()


def new_sharded(mesh, wrap="parts", **options):
    from torch.distributed.fsdp import fully_shard

    model = new_model(**options)
    if wrap in ("parts", "trunk"):
        for layer in (model.trunk[0], model.trunk[2]):
            fully_shard(layer, mesh=mesh)
    if wrap == "parts":
        for head in model.heads.values():
            fully_shard(head, mesh=mesh)
    if wrap != "trunk":
        fully_shard(model, mesh=mesh)
    return model


def new_mesh(*shape, **options):
    from torch.distributed.device_mesh import init_device_mesh

    return init_device_mesh("cpu", shape, **options)


def batch(seed=0, samples=12):
    return torch.randn(samples, 4, generator=torch.Generator().manual_seed(seed)).double()


def part(inputs):
    """Return the part of the batch that this rank takes."""
    return inputs.chunk(dist.get_world_size())[dist.get_rank()]


def broken(model, where):
    """Return losses of which the second is not finite on the last rank."""
    losses = model(part(batch()))
    if rank() == dist.get_world_size() - 1:
        found = losses["b"]
        losses["b"] = found * torch.nan if where == "loss" else found + (0 * found).sqrt()
    return losses


def rank():
    return dist.get_rank()
