"""The shared representation: a check for exact methods, another matrix by its own name."""

import pytest
import torch
from torch import nn

import bargain_torch


@pytest.fixture
def model(device):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 5), nn.Tanh()).to(device)


@pytest.fixture
def inputs(model, device):
    return torch.randn(7, 4).to(device)


def losses_of(features, heads=3):
    torch.manual_seed(1)
    return [(features @ torch.randn(5).to(features)).square().mean() for _ in range(heads)]


@pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
def test_naming_the_features_changes_no_exact_number(model, inputs, method):
    features = model(inputs)
    losses = losses_of(features)
    named = bargain_torch.gram(losses, model.parameters(), method=method, features=features)
    plain = bargain_torch.gram(losses, model.parameters(), method=method)
    assert torch.equal(named, plain)


def test_the_matrix_of_features_is_that_of_gradients_at_the_features(model, inputs):
    features = model(inputs)
    losses = losses_of(features)
    rows = torch.stack(
        [torch.autograd.grad(loss, features, retain_graph=True)[0].flatten() for loss in losses]
    )
    found = bargain_torch.gram(losses, model.parameters(), method="features", features=features)
    torch.testing.assert_close(found, rows @ rows.T)
    exact = bargain_torch.gram(losses, model.parameters())
    assert not torch.allclose(found, exact, rtol=0.1)


def test_several_features_and_tasks_that_use_some_of_them(model, inputs):
    first = model[:2](inputs)
    second = model[2:](first)
    losses = [first.square().mean(), second.sum()]
    parts = [first, second]
    found = bargain_torch.gram(losses, model.parameters(), method="features", features=parts)
    direct = torch.autograd.grad(losses[0], first, retain_graph=True)[0]
    chained = torch.autograd.grad(losses[1], parts, retain_graph=True)
    torch.testing.assert_close(found[0, 1], (direct * chained[0]).sum())
    torch.testing.assert_close(found[1, 1], sum(part.square().sum() for part in chained))


def test_a_way_around_the_features_is_found(model, inputs):
    hidden = model[:2](inputs)
    features = model[2:](hidden)
    losses = {"through": features.sum(), "around": features.sum() + hidden.square().sum()}
    for method in ("auto", "features"):
        with pytest.raises(ValueError, match="found that around reaches parameters around them"):
            bargain_torch.gram(losses, model.parameters(), method=method, features=features)
    below = list(model[2:].parameters())
    assert bargain_torch.gram(losses, below, features=features).shape == (2, 2)


@pytest.mark.parametrize(
    ("features", "kind", "words"),
    [
        (None, ValueError, "found None; pass features="),
        (1.0, TypeError, "several of them, found float"),
        (["z"], TypeError, "expected tensors, found str"),
        (torch.ones(3), ValueError, r"shape \(3,\) that does not; take it before any detach"),
    ],
)
def test_what_are_no_features(model, inputs, features, kind, words):
    losses = losses_of(model(inputs))
    with pytest.raises(kind, match=words):
        bargain_torch.gram(losses, model.parameters(), method="features", features=features)
