"""Copies of the model while it trains: hooks, graphs, checkpoints, scales, and what is sent."""

from contextlib import contextmanager

import pytest
import torch
import torch.distributed as dist

from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from tests.backends.torch.distributed.agreement import assert_gradients, assert_one_step, gradients
from tests.backends.torch.distributed.model import (
    batch,
    new_mesh,
    new_model,
    new_sharded,
    part,
    rank,
)
from tests.backends.torch.distributed.registry import on


@on(2)
def gradients_accumulate_and_hooks_see_averages():
    alone, model = new_model(), new_model()
    seen = []
    model.trunk[0].weight.register_post_accumulate_grad_hook(
        lambda leaf: seen.append(leaf.grad + 0)
    )
    for seed in (1, 2):
        backward(alone(batch(seed)), alone.shared)
        backward(model(part(batch(seed))), model.shared, replicas=model)
        torch.testing.assert_close(seen[-1], alone.trunk[0].weight.grad)
    assert len(seen) == 2
    assert_gradients(model, gradients(alone))


@on(2)
def the_graph_is_freed_unless_it_is_kept():
    model, sharded = new_model(), new_sharded(new_mesh(2))
    alone = new_model()
    for _ in range(2):
        backward(alone(batch()), alone.shared)
    for one in (model, sharded):
        losses = one(part(batch()))
        backward(losses, one.shared, replicas=one, retain_graph=True)
        backward(losses, one.shared, replicas=one)
        assert_gradients(one, gradients(alone))
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            sum(losses.values()).backward()


@on(2)
def leaves_of_the_trunk_that_are_not_shared():
    inputs = batch()
    for heads in ("plain", "weighted"):
        for every in (1, 2):
            alone, model = new_model(), new_model()
            single = Balancer(alone.shared[2:], heads=heads, every=every)
            balancer = Balancer(model.shared[2:], heads=heads, every=every, replicas=model)
            for _ in range(2):
                single.backward(alone(inputs))
                balancer.backward(model(part(inputs)))
            assert balancer.counts["games"] == 2 // every
            assert_gradients(model, gradients(alone))


@on(2)
def checkpoints():
    inputs = batch()
    for every, reentrant in ((1, True), (2, True), (1, False), (2, False)):
        alone, model = new_model(), new_model(reentrant=reentrant)
        single = Balancer(alone.shared, every=every)
        balancer = Balancer(model.shared, every=every, replicas=model)
        for _ in range(2):
            single.backward(alone(inputs))
            step = balancer.backward(model(part(inputs)))
            assert_one_step(step)
        assert_gradients(model, gradients(alone))


@on(2)
def the_loss_scale_cancels():
    inputs = batch().float()
    plain, model = new_model().float(), new_model().float()
    expected = backward(plain(part(inputs)), plain.shared, replicas=plain)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12)
    step = backward(model(part(inputs)), model.shared, replicas=model, scaler=scaler)
    scaler.unscale_(optimizer)
    assert torch.equal(step.coefficients, expected.coefficients)
    assert all(
        torch.equal(found, gradients(plain)[name]) for name, found in gradients(model).items()
    )


@on(2)
def an_overflow_on_one_rank_skips_the_step_on_all():
    model = new_model().float()
    before = [parameter.detach().clone() for parameter in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    losses = model(batch().float() * (1e3 if rank() else 1e-3))
    step = backward(losses, model.shared, replicas=model, scaler=scaler)
    assert step.skipped
    scaler.step(optimizer)
    scaler.update()
    assert scaler.get_scale() == 2.0**126
    assert all(map(torch.equal, before, model.parameters()))


@contextmanager
def recorded():
    """Record how many numbers gradients and products have that all ranks add up."""
    sent, usual = [], dist.all_reduce

    def all_reduce(tensor, *arguments, **options):
        if tensor.is_floating_point():
            sent.append(tensor.numel())
        return usual(tensor, *arguments, **options)

    dist.all_reduce = all_reduce
    try:
        yield sent
    finally:
        dist.all_reduce = usual


@on(2)
def what_is_sent():
    copies, sharded = new_model(), new_sharded(new_mesh(2))
    trunk = sum(parameter.numel() for parameter in copies.shared)
    heads = sum(parameter.numel() for parameter in copies.heads.parameters())
    for model, first, second in ((copies, 3 * trunk + heads, trunk + heads), (sharded, 3 * 3, 0)):
        balancer = Balancer(model.shared, every=2, replicas=model)
        for expected in (first, second):
            losses = model(part(batch()))
            with recorded() as sent:
                balancer.backward(losses)
            assert sum(sent) == expected
            assert len(sent) <= 2
