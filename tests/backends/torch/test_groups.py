"""A game for each group: each one's answer is that of its parameters alone."""

import pytest
import torch
from torch import nn

import bargain_torch


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.norm = nn.LayerNorm(6)
        self.second = nn.Linear(6, 5)
        self.heads = nn.ModuleList([nn.Linear(5, 1) for _ in range(3)])

    def losses(self, inputs):
        features = torch.tanh(self.second(self.norm(torch.tanh(self.first(inputs)))))
        return [
            scale * (head(features) - 1).square().mean()
            for head, scale in zip(self.heads, (1.0, 10.0, 1e3), strict=True)
        ]


@pytest.fixture
def model(device):
    torch.manual_seed(0)
    return Model().double().to(device)


@pytest.fixture
def inputs(device):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(7, 4, dtype=torch.float64, generator=generator).to(device)


@pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
def test_every_group_plays_its_own_game(model, inputs, method):
    groups = {"first": model.first.parameters(), "second": model.second.parameters()}
    weights = {0: 1.0, 1: 2.0, 2: 1.0}
    step = bargain_torch.backward_by_group(
        model.losses(inputs), groups, weights=weights, method=method
    )
    assert step.groups == ("first", "second")
    assert step.gram.shape == (2, 3, 3)
    written = {name: parameter.grad for name, parameter in model.named_parameters()}
    for number, name in enumerate(step.groups):
        shares = torch.tensor([0.25, 0.5, 0.25], dtype=torch.float64)
        torch.testing.assert_close(step.outcome.shares[number], shares)
        layer = getattr(model, name)
        model.zero_grad()
        alone = bargain_torch.backward(model.losses(inputs), layer.parameters(), weights=weights)
        torch.testing.assert_close(step.coefficients[number], alone.coefficients)
        for key, parameter in layer.named_parameters(prefix=name):
            torch.testing.assert_close(written[key], parameter.grad, rtol=1e-5, atol=1e-8)


def test_what_is_in_no_group_gets_the_plain_gradient(model, inputs):
    rest = [*model.norm.parameters(), *model.heads.parameters()]
    plain = torch.autograd.grad(sum(model.losses(inputs)), rest)
    groups = {"first": model.first.parameters(), "second": model.second.parameters()}
    bargain_torch.backward_by_group(model.losses(inputs), groups)
    for parameter, gradient in zip(rest, plain, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_one_group_is_one_game(model, inputs):
    shared = [*model.first.parameters(), *model.norm.parameters(), *model.second.parameters()]
    step = bargain_torch.backward_by_group(model.losses(inputs), {"all": shared})
    found = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    whole = bargain_torch.backward(model.losses(inputs), shared)
    torch.testing.assert_close(step.coefficients[0], whole.coefficients)
    for parameter, gradient in zip(model.parameters(), found, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)


def test_a_group_that_some_tasks_do_not_use(model, inputs):
    hidden = torch.tanh(model.first(inputs))
    losses = {"early": hidden.square().mean(), "late": model.second(hidden).square().mean()}
    groups = {"first": model.first.parameters(), "second": model.second.parameters()}
    step = bargain_torch.backward_by_group(losses, groups)
    assert step.names == ("early", "late")
    shares = torch.tensor([[0.5, 0.5], [0.0, 1.0]], dtype=torch.float64)
    torch.testing.assert_close(step.outcome.shares, shares)


def cases(model, inputs):
    losses, shared = model.losses(inputs), [*model.first.parameters()]
    broken = [losses[0], losses[1] * torch.inf]
    return {
        "list": (losses, shared, TypeError, "a dict of parameters by the names of groups"),
        "empty": (losses, {}, TypeError, "found none; for one game"),
        "twice": (losses, {"a": shared, "b": shared[:1]}, ValueError, "some of them twice"),
        "infinite": (broken, {"a": shared}, ValueError, "expected finite gradients.* of 1;"),
    }


@pytest.mark.parametrize("name", ["list", "empty", "twice", "infinite"])
def test_bad_input_is_found_before_anything_is_written(model, inputs, name):
    losses, groups, kind, words = cases(model, inputs)[name]
    with pytest.raises(kind, match=words):
        bargain_torch.backward_by_group(losses, groups)
    assert all(parameter.grad is None for parameter in model.parameters())
