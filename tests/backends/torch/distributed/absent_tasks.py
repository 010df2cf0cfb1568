"""Tasks that some ranks do not have."""

import torch.distributed as dist

from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from tests.backends.torch.distributed.agreement import (
    assert_gradients,
    assert_one_step,
    gradients,
    refused,
)
from tests.backends.torch.distributed.model import batch, new_model, part, rank
from tests.backends.torch.distributed.registry import on


@on(3)
def tasks_are_averaged_over_the_ranks_that_have_them():
    """The first rank has a and b, the second b, the last none: c takes no part."""
    names = ("ab", "b", "")[rank()]
    for every in (1, 2):
        model, alone = new_model(), new_model()
        balancer = Balancer(model.shared, every=every, replicas=model)
        rows = alone(batch().chunk(3)[0])["a"], alone(batch().chunk(3)[0])["b"]
        other = alone(batch().chunk(3)[1])["b"]
        expected = [rows[0], (rows[1] + other) / 2]
        single = Balancer(alone.shared, every=every)
        for _ in range(2):
            losses = model(part(batch()), names)
            whole = {name: losses.get(name) for name in "abc"}
            active = {name: name in names for name in "abc"}
            step = balancer.backward(whole, active=active)
            single.backward(expected, retain_graph=True)
            assert step.coefficients[2] == 0
            assert_one_step(step)
        assert_gradients(model, gradients(alone))


@on(2)
def heads_that_a_rank_cannot_know_of():
    model = new_model()
    names = "abc" if rank() else "ab"
    losses = {name: model(batch(), names).get(name) for name in "abc"}
    active = {name: name in names for name in "abc"}
    with refused("parameters: expected the same .* pass the module as replicas", model):
        backward(losses, model.shared, active=active, replicas=dist.group.WORLD)


@on(2)
def nobody_has_a_task():
    model = new_model()
    with refused("active: expected a task that is present", model):
        backward(dict.fromkeys("abc"), model.shared, active=[False] * 3, replicas=model)
