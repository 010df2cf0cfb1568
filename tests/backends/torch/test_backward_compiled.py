"""Compiled models: a mode that works, and a message where a graph can be passed only once."""

import pytest
import torch
import torch._functorch.config
from torch import nn

from bargain_torch.backward import backward
from tests.backends.torch.test_backward import Model, expected_direction, written

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def model(device):
    torch.manual_seed(0)
    return Model().double().eval().to(device)


@pytest.fixture
def donation(request):
    torch._dynamo.reset()
    with torch._functorch.config.patch(donated_buffer=request.param):
        yield


@pytest.mark.parametrize("donation", [True], indirect=True)
def test_a_trunk_compiled_for_bargaining(model, donation, device):
    """Where its first backward pass keeps the graph, torch compiles one that may be repeated."""
    inputs = torch.randn(5, 4).double().to(device)
    direction, _ = expected_direction(model.losses(inputs), model.shared)
    compiled = torch.compile(model.trunk, backend="aot_eager")
    for _ in range(2):
        model.zero_grad()
        backward(model.losses(inputs, compiled), model.shared)
        torch.testing.assert_close(written(model.shared), direction)


@pytest.mark.parametrize("donation", [False], indirect=True)
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_a_compiled_trunk(model, donation, backend, device):
    inputs = torch.randn(5, 4).double().to(device)
    direction, _ = expected_direction(model.losses(inputs), model.shared)
    compiled = torch.compile(model.trunk, backend=backend)
    backward(model.losses(inputs, compiled), model.shared)
    torch.testing.assert_close(written(model.shared), direction)


@pytest.mark.parametrize("donation", [True], indirect=True)
def test_donated_buffers_are_explained(donation):
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid())
    compiled = torch.compile(trunk, backend="aot_eager")
    compiled(torch.randn(5, 4)).sum().backward()  # the backward pass is compiled to be run once
    trunk.zero_grad()
    z = compiled(torch.randn(5, 4))
    with pytest.raises(RuntimeError, match=r"torch\._functorch\.config\.donated_buffer = False"):
        backward([z.sum(), z.square().sum()], trunk.parameters())
    assert all(parameter.grad is None for parameter in trunk.parameters())
