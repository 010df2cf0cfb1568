"""Modules under DistributedDataParallel."""

import torch
from torch.nn.parallel import DistributedDataParallel

from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from tests.backends.torch.distributed.agreement import (
    assert_one_step,
    assert_same_everywhere,
    refused,
)
from tests.backends.torch.distributed.model import batch, new_model, part
from tests.backends.torch.distributed.registry import on


@on(2)
def training_under_ddp():
    for every in (1, 3):
        for option in ("find_unused_parameters", "gradient_as_bucket_view"):
            alone, model = new_model(), new_model()
            ddp = DistributedDataParallel(model, **{option: every == 1})
            single = Balancer(alone.shared, every=every, decay=0.5)
            balancer = Balancer(model.shared, every=every, decay=0.5, replicas=ddp)
            optimizers = [torch.optim.Adam(m.parameters(), lr=0.05) for m in (alone, model)]
            for seed in range(5):
                for optimizer in optimizers:
                    optimizer.zero_grad()
                single.backward(alone(batch(seed)))
                with ddp.no_sync():
                    losses = ddp(part(batch(seed)))
                assert_one_step(balancer.backward(losses))
                for optimizer in optimizers:
                    optimizer.step()
                assert_same_everywhere(*model.parameters())
            assert balancer.counts == single.counts
            found, expected = model.state_dict(), alone.state_dict()
            torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-8)


@on(2)
def ddp_that_would_average_itself():
    model = new_model()
    ddp = DistributedDataParallel(model)
    with refused(r"expected a forward pass under model.no_sync\(\)", model):
        backward(ddp(part(batch())), model.shared, replicas=ddp)
    ddp = DistributedDataParallel(model, static_graph=True)
    with refused("without static_graph=True", model), ddp.no_sync():
        backward(ddp(part(batch())), model.shared, replicas=ddp)
