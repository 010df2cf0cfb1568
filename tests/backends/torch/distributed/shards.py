"""Modules whose parameters are shards: fully sharded, copied as well, tensor-parallel."""

import warnings

import torch
import torch.distributed as dist
from torch import nn

from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from tests.backends.torch.distributed.agreement import (
    assert_gradients,
    assert_one_step,
    full,
    gradients,
    refused,
)
from tests.backends.torch.distributed.model import (
    batch,
    broken,
    new_mesh,
    new_model,
    new_sharded,
    part,
    rank,
)
from tests.backends.torch.distributed.registry import on


@on(2)
def shards_are_bargained_over():
    for wrap in ("parts", "root"):
        for heads in ("plain", "weighted"):
            alone, model = new_model(), new_sharded(new_mesh(2), wrap)
            for seed in range(3):
                expected = backward(alone(batch(seed)), alone.shared, heads=heads)
                losses = model(part(batch(seed)))
                step = backward(losses, model.shared, heads=heads, replicas=model)
                torch.testing.assert_close(step.gram, expected.gram)
                assert_one_step(step)
                assert model.trunk[0].weight.grad.placements == model.trunk[0].weight.placements
                assert_gradients(model, gradients(alone))


@on(2)
def shards_under_checkpoints():
    for wrap in ("parts", "root"):
        alone, model = new_model(), new_sharded(new_mesh(2), wrap, reentrant=False)
        single = Balancer(alone.shared, every=2)
        balancer = Balancer(model.shared, every=2, replicas=model)
        for seed in range(3):
            single.backward(alone(batch(seed)))
            balancer.backward(model(part(batch(seed))))
        assert_gradients(model, gradients(alone))


@on(2)
def training_shards():
    for wrap in ("parts", "trunk"):
        for heads in ("plain", "weighted"):
            alone, model = new_model(), new_sharded(new_mesh(2), wrap)
            single = Balancer(alone.shared, every=3, heads=heads)
            balancer = Balancer(model.shared, every=3, heads=heads, replicas=model)
            optimizers = [torch.optim.Adam(m.parameters(), lr=0.05) for m in (alone, model)]
            for seed in range(5):
                for optimizer in optimizers:
                    optimizer.zero_grad()
                single.backward(alone(batch(seed)))
                assert_one_step(balancer.backward(model(part(batch(seed)))))
                for optimizer in optimizers:
                    optimizer.step()
            assert balancer.counts == single.counts
            found = {name: full(values) for name, values in model.state_dict().items()}
            torch.testing.assert_close(found, alone.state_dict(), rtol=1e-6, atol=1e-8)


@on(2)
def plain_parameters_beside_shards():
    """The heads, one layer that is bargained over, and a leaf that no module has."""
    from torch.distributed.fsdp import fully_shard

    alone, model = new_model(), new_model()
    fully_shard(model.trunk[0], mesh=new_mesh(2))
    scales = [nn.Parameter(torch.ones((), dtype=torch.float64)) for _ in range(2)]
    for every in (1, 2):
        losses, whole = model(part(batch())), alone(batch())
        losses["b"], whole["b"] = losses["b"] * scales[0], whole["b"] * scales[1]
        Balancer(model.shared, replicas=model, every=every).backward(losses)
        backward(whole, alone.shared)
        assert_gradients(model, gradients(alone))
        torch.testing.assert_close(scales[0].grad, scales[1].grad)


@on(2)
def shards_that_are_copied_as_well():
    for shape in ((1, 2), (2, 1)):
        alone, model = new_model(), new_sharded(new_mesh(*shape, mesh_dim_names=("copy", "shard")))
        expected = backward(alone(batch()), alone.shared)
        step = backward(model(part(batch())), model.shared, replicas=model)
        torch.testing.assert_close(step.gram, expected.gram)
        assert_gradients(model, gradients(alone))


@on(2)
def tensor_parallel_layers():
    """Split by columns, split by rows, replicated, and plain; all ranks have the same batch."""
    from torch.distributed.tensor import parallel

    alone, model = new_model(width=6), new_model(width=6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plan = {"0": parallel.ColwiseParallel(), "2": parallel.RowwiseParallel()}
        parallel.parallelize_module(model.trunk, new_mesh(2), plan)
    for heads in ("plain", "weighted"):
        expected = backward(alone(batch()), alone.shared, heads=heads)
        step = backward(model(batch()), model.shared, replicas=model, heads=heads)
        torch.testing.assert_close(step.gram, expected.gram)
        assert_one_step(step)
        assert_gradients(model, gradients(alone))
    assert {str(leaf.placements) for leaf in model.shared} == {
        "(Shard(dim=0),)",
        "(Shard(dim=1),)",
        "(Replicate(),)",
    }


@on(2)
def what_shards_cannot_do():
    model = new_sharded(new_mesh(2))
    shared = model.shared
    losses = model(part(batch()))
    for replicas in (None, dist.group.WORLD):
        with refused("replicas: expected the module .* pass replicas=model", model):
            backward(losses, shared, replicas=replicas)
    with refused("method: expected one of auto, sequential with these", model):
        backward(losses, shared, replicas=model, method="batched")
    with refused("active: expected the same .* True as number 1 on rank 0 and False on", model):
        backward(losses, shared, replicas=model, active=[True, rank() == 0, True])
    with refused("expected each to depend on one of the shared .* gradient of number 1", model):
        losses = model(part(batch()))
        losses["b"] = torch.ones((), requires_grad=True).double()
        backward(losses, shared, replicas=model)


@on(2)
def one_policy_for_all_shards():
    for where in ("loss", "gradient"):
        model, alone = new_sharded(new_mesh(2)), new_model()
        with refused(f"found NaN or infinity in the {where} of b", model):
            backward(broken(model, where), model.shared, replicas=model)
        step = backward(broken(model, where), model.shared, replicas=model, nonfinite="skip")
        assert step.skipped
        assert all(parameter.grad is None for parameter in model.parameters())
        step = backward(broken(model, where), model.shared, replicas=model, nonfinite="drop")
        assert step.coefficients[1] == 0
        backward({**alone(batch()), "b": None}, alone.shared, active=[True, False, True])
        assert_gradients(model, gradients(alone))
