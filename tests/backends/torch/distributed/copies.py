"""Copies of the model: ranks bargain over the whole batch."""

import torch
import torch.distributed as dist
from torch import nn

import bargain_torch.averaged
import bargain_torch.bargaining
import bargain_torch.ranks
from bargain_torch.backward import backward
from tests.backends.torch.distributed.agreement import (
    assert_gradients,
    assert_one_step,
    assert_same_everywhere,
    gradients,
    refused,
)
from tests.backends.torch.distributed.model import batch, new_model, part, rank
from tests.backends.torch.distributed.registry import on


@on(2)
def the_whole_batch_is_bargained_over():
    inputs = batch()
    for method in ("auto", "sequential", "batched"):
        for heads in ("plain", "weighted"):
            alone, model = new_model(), new_model()
            expected = backward(alone(inputs), alone.shared, heads=heads)
            options = {"method": method, "heads": heads, "replicas": dist.group.WORLD}
            step = backward(model(part(inputs)), model.shared, **options)
            assert_gradients(model, gradients(alone))
            torch.testing.assert_close(step.gram, expected.gram)
            torch.testing.assert_close(step.coefficients, expected.coefficients)
            assert step.names == ("a", "b", "c")
            assert_one_step(step)
            assert_same_everywhere(*(p.grad for p in model.parameters()))


@on(2)
def the_average_of_local_games_is_another_game():
    """So the check above tells them apart."""
    inputs, model = batch(), new_model()
    local = backward(model(part(inputs)), model.shared).gram
    dist.all_reduce(local)
    whole = backward(model(inputs), model.shared).gram
    assert (local / dist.get_world_size() / whole - 1).abs().max() > 0.1


@on(2)
def the_first_rank_decides():
    """Where the processors of the ranks round differently."""
    model, alone = new_model(), new_model()
    before = bargain_torch.averaged.inner_products, bargain_torch.bargaining.play
    rounding = 1 + rank() * 1e-12

    def products(rows):
        return before[0](rows) * rounding

    def play(*arguments, **options):
        outcome, coefficients = before[1](*arguments, **options)
        return outcome._replace(shares=outcome.shares * rounding), coefficients * rounding

    bargain_torch.averaged.inner_products, bargain_torch.bargaining.play = products, play
    try:
        step = backward(model(part(batch())), model.shared, replicas=model)
    finally:
        bargain_torch.averaged.inner_products, bargain_torch.bargaining.play = before
    assert_one_step(step)
    assert_same_everywhere(*(p.grad for p in model.parameters()))
    backward(alone(batch()), alone.shared)
    assert_gradients(model, gradients(alone))


@on(3)
def three_ranks():
    inputs, alone, model = batch(), new_model(), new_model()
    backward(alone(inputs), alone.shared)
    assert_one_step(backward(model(part(inputs)), model.shared, replicas=model))
    assert_gradients(model, gradients(alone))


@on(3)
def a_group_of_some_ranks():
    group = dist.new_group([0, 2])
    inputs, alone, model = batch(), new_model(), new_model()
    if rank() == 1:
        with refused("a process group that this rank is in", model, TypeError):
            backward(model(inputs), model.shared, replicas=group)
    else:
        own = inputs.chunk(2)[rank() // 2]
        backward(model(own), model.shared, replicas=group)
        backward(alone(inputs), alone.shared)
        assert_gradients(model, gradients(alone))


@on(2)
def several_buckets_and_types():
    inputs, alone, model = batch(), new_model(), new_model()
    for one in (alone, model):
        one.trunk[2].float()
        one.trunk[1].register_forward_hook(lambda module, args, output: output.float())
        one.trunk[2].register_forward_hook(lambda module, args, output: output.double())
    backward(alone(inputs), alone.shared)
    usual, bargain_torch.ranks.BUCKET = bargain_torch.ranks.BUCKET, 300
    try:
        backward(model(part(inputs)), model.shared, replicas=model)
    finally:
        bargain_torch.ranks.BUCKET = usual
    assert_gradients(model, gradients(alone))


@on(2)
def sparse_gradients():
    models = []
    for sparse in (False, True):
        torch.manual_seed(0)
        model = nn.ModuleList([nn.Embedding(5, 3, sparse=sparse) for _ in range(2)]).double()
        words = torch.tensor([0, 3, 3, 1])
        if sparse:
            words = part(words)
        z, own = model[0](words), model[1](words)
        losses = [z.square().mean(), (z * own).mean()]
        options = {"replicas": model, "method": "sequential"} if sparse else {}
        backward(losses, model[0].parameters(), **options)
        models.append(model)
    assert_gradients(models[1], gradients(models[0]))
