"""How often a step waits for a GPU."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest
import torch
from torch import nn

import bargain
import bargain_torch
from bargain_torch.autograd_graph import read_graph
from bargain_torch.per_task import enter
from bargain_torch.trunk import TrunkGradients
from tests.backends.torch.test_backward import Model as Perceptron
from tests.backends.torch.test_precision import Words

on_cuda = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]


class Pictures(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 8, 3), nn.Flatten()
        )
        self.heads = nn.ModuleList([nn.Linear(8 * 16, 1) for _ in range(3)])

    def losses(self, inputs):
        features = self.trunk(inputs)
        return [(head(features) - k).square().mean() for k, head in enumerate(self.heads)]

    @property
    def shared(self):
        return list(self.trunk.parameters())


TRAININGS = {
    "perceptron": (Perceptron, lambda: torch.randn(5, 4)),
    "pictures": (Pictures, lambda: torch.randn(2, 3, 8, 8)),
    "words": (Words, lambda: torch.randint(50, (4, 16))),
}
WAIT = "called a synchronizing CUDA operation"


@contextmanager
def waits() -> Iterator[list[str]]:
    """Note where the host waits for the device."""
    found: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield found
        finally:
            torch.cuda.set_sync_debug_mode("default")
            found += [
                f"{warning.filename}:{warning.lineno}"
                for warning in caught
                if WAIT in str(warning.message)
            ]


@pytest.mark.parametrize("name", TRAININGS)
class TestWaits:
    pytestmark = on_cuda

    @pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
    def test_a_step_waits_for_losses_and_for_the_gram_matrix(self, name, method):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        bargain_torch.backward(model.losses(inputs), model.shared, method=method)
        losses = model.losses(inputs)
        with waits() as found:
            bargain_torch.backward(losses, model.shared, method=method)
        assert len(found) == 2, found

    def test_between_games_only_for_the_losses(self, name):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        balancer = bargain_torch.Balancer(model.shared, every=3)
        for _ in range(2):
            balancer.backward(model.losses(inputs))
        losses = model.losses(inputs)
        with waits() as found:
            assert not balancer.backward(losses).fresh
        assert len(found) == 1, found

    def test_a_gram_matrix_waits_for_nothing(self, name):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        bargain_torch.gram(model.losses(inputs), model.shared)
        losses = model.losses(inputs)
        with waits() as found:
            bargain_torch.gram(losses, model.shared)
        assert not found

    def test_games_for_groups_wait_once(self, name):
        build, draw = TRAININGS[name]
        model, inputs = build().cuda(), draw().cuda()
        groups = {"first": model.shared[:2], "rest": model.shared[2:]}
        bargain_torch.backward_by_group(model.losses(inputs), groups)
        losses = model.losses(inputs)
        with waits() as found:
            bargain_torch.backward_by_group(losses, groups)
        assert len(found) == 1, found


@pytest.fixture
def looks(monkeypatch):
    """Tensors without values, as far from the host as any GPU: every look at one is noted.

    A look is answered by truth, or by a Gram matrix of gradients of length one that are orthogonal.
    Whatever else asks for values, or mixes these tensors with others, is an error of torch.
    """
    found: list[str] = []
    listed, copied = torch.Tensor.tolist, torch.Tensor.cpu

    def tolist(tensor):
        if not tensor.is_meta:
            return listed(tensor)
        found.append("tolist")
        return torch.ones(tensor.shape, dtype=tensor.dtype, device="cpu").tolist()

    def cpu(tensor):
        if not tensor.is_meta:
            return copied(tensor)
        found.append("cpu")
        eye = torch.eye(tensor.shape[-1], dtype=tensor.dtype, device="cpu")
        return eye.expand(tensor.shape).clone()

    monkeypatch.setattr(torch.Tensor, "tolist", tolist)
    monkeypatch.setattr(torch.Tensor, "cpu", cpu)
    # There is no autocast for such tensors.
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())
    return found


@pytest.mark.parametrize("name", TRAININGS)
class TestLooks:
    """The same as above, without a GPU."""

    @pytest.fixture
    def model(self, name):
        return TRAININGS[name][0]().to("meta")

    @pytest.fixture
    def inputs(self, name):
        return TRAININGS[name][1]().to("meta")

    @pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
    def test_a_step_looks_at_losses_and_at_the_gram_matrix(self, looks, model, inputs, method):
        step = bargain_torch.backward(model.losses(inputs), model.shared, method=method)
        assert looks == ["tolist", "cpu"]
        assert step.status is bargain.Status.AGREEMENT
        gradients = [parameter.grad for parameter in model.parameters()]
        assert {part.device.type for part in gradients if part is not None} == {"meta"}
        assert sum(part is not None for part in gradients) == len(gradients)

    def test_a_task_that_is_dropped_costs_no_look(self, looks, model, inputs):
        losses = model.losses(inputs)
        graph = read_graph(losses, model.shared)
        cotangents, _ = enter(losses, graph, with_heads=False, keep=True)
        for method in ("sequential", "batched", "ghost"):
            trunk = TrunkGradients(graph, model.shared, cotangents, method, keep=True)
            written = dict(trunk.directions([0.1, 0.0, 0.3]))
            assert {part.device.type for part in written.values()} == {"meta"}
        assert not looks

    def test_between_games_only_at_the_losses(self, looks, model, inputs):
        balancer = bargain_torch.Balancer(model.shared, every=3, decay=0.5)
        fresh = [balancer.backward(model.losses(inputs)).fresh for _ in range(2)]
        assert fresh == [True, False]
        assert looks == ["tolist", "cpu", "tolist"]

    @pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
    def test_a_gram_matrix_needs_no_look(self, looks, model, inputs, method):
        found = bargain_torch.gram(model.losses(inputs), model.shared, method=method)
        assert found.is_meta
        assert not looks

    def test_games_for_groups_are_looked_at_once(self, looks, model, inputs):
        groups = {"first": model.shared[:2], "rest": model.shared[2:]}
        bargain_torch.backward_by_group(model.losses(inputs), groups)
        assert looks == ["cpu"]


def test_tasks_that_enter_at_different_places_are_looked_at_once_more(looks):
    """Whether zeros of one task have met infinities of another is asked once, not for each."""
    first, second = nn.Linear(4, 3).to("meta"), nn.Linear(3, 3).to("meta")
    y = first(torch.randn(5, 4, device="meta")).tanh()
    losses = [y.square().mean(), second(y).square().mean()]
    bargain_torch.backward(losses, [*first.parameters(), *second.parameters()])
    assert looks == ["tolist", "tolist", "cpu"]


def test_derivatives_of_a_solve_need_no_look(looks):
    gram = torch.empty(3, 3, dtype=torch.float64, device="meta", requires_grad=True)
    weights = torch.empty(3, dtype=torch.float64, device="meta", requires_grad=True)
    outcome = bargain.nash(gram, weights)
    (outcome.coefficients.sum() + outcome.utilities.sum() + outcome.shares.sum()).backward()
    assert gram.grad.is_meta
    assert weights.grad.is_meta
    assert not looks
