"""What has to be the same: gradients as in one process, and all numbers on all ranks."""

from contextlib import contextmanager

import pytest
import torch
import torch.distributed as dist


def full(tensor):
    return tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor


def gradients(model):
    """Return gradients by name, zero and all."""
    return {
        name: None if parameter.grad is None else full(parameter.grad).clone()
        for name, parameter in model.named_parameters()
    }


def assert_gradients(model, expected):
    found = gradients(model)
    assert {name for name in found if found[name] is None} == {
        name for name in expected if expected[name] is None
    }
    torch.testing.assert_close(found, expected)


def assert_same_everywhere(*tensors):
    for tensor in [full(tensor.detach()).contiguous() for tensor in tensors]:
        copies = [torch.empty_like(tensor) for _ in range(dist.get_world_size())]
        dist.all_gather(copies, tensor)
        assert all(torch.equal(copy, tensor) for copy in copies)


def assert_one_step(step):
    """All ranks have the same step to the last bit."""
    assert_same_everywhere(step.coefficients, step.gram, *step.outcome[:3], step.outcome.status)


@contextmanager
def refused(message, model, kind=ValueError):
    """Expect an error on this rank, and nothing written."""
    with pytest.raises(kind, match=message):
        yield
    assert all(parameter.grad is None for parameter in model.parameters())
