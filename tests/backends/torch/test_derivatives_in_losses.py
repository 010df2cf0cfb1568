"""Losses that hold derivatives of the network, as in physics: their graphs are backward passes."""

import pytest
import torch
from torch import nn

import bargain_torch
from bargain_torch.comparison import compare


class Wave(nn.Module):
    """A network for u(x, t), with a trunk and a head."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 6), nn.Tanh())
        self.head = nn.Linear(6, 1)

    def forward(self, points):
        return self.head(self.trunk(points))[:, 0]


def slope(values, points):
    return torch.autograd.grad(values.sum(), points, create_graph=True)[0]


def losses(model, points):
    """Residual of u_tt = 9 u_xx + sin u, value and velocity; three sizes."""
    points = points.detach().requires_grad_()
    value = model(points)
    by_x, by_t = slope(value, points).unbind(-1)
    rest = slope(by_t, points)[:, 1] - 9 * slope(by_x, points)[:, 0] - value.sin()
    return {
        "residual": 1e4 * rest.square().mean(),
        "value": (value - points[:, 0]).square().mean(),
        "velocity": by_t.square().mean(),
    }


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Wave().double()


@pytest.fixture
def points():
    return torch.rand(20, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def gradients_of(model, points, leaves):
    """By autograd alone, one loss at a time, each from a forward pass of its own."""
    rows = []
    for name in ("residual", "value", "velocity"):
        found = torch.autograd.grad(losses(model, points)[name], leaves, allow_unused=True)
        filled = [
            torch.zeros_like(leaf) if row is None else row
            for row, leaf in zip(found, leaves, strict=True)
        ]
        rows.append(torch.cat([row.flatten() for row in filled]))
    return torch.stack(rows)


@pytest.mark.parametrize("method", ["auto", "sequential", "batched", "ghost"])
@pytest.mark.parametrize("part", ["whole", "trunk"])
def test_gram_is_that_of_explicit_gradients(model, points, method, part):
    leaves = list((model if part == "whole" else model.trunk).parameters())
    rows = gradients_of(model, points, leaves)
    found = bargain_torch.gram(losses(model, points), leaves, method=method)
    torch.testing.assert_close(found, rows @ rows.T, rtol=1e-10, atol=0)


def test_backward_writes_their_combination(model, points):
    trunk, head = list(model.trunk.parameters()), list(model.head.parameters())
    rows = gradients_of(model, points, trunk)
    plain = gradients_of(model, points, head).sum(0)
    step = bargain_torch.backward(losses(model, points), trunk)
    torch.testing.assert_close(step.gram, rows @ rows.T, rtol=1e-10, atol=0)
    written = torch.cat([leaf.grad.flatten() for leaf in trunk])
    torch.testing.assert_close(written, step.coefficients @ rows, rtol=1e-8, atol=1e-12)
    written = torch.cat([leaf.grad.flatten() for leaf in head])
    torch.testing.assert_close(written, plain, rtol=1e-10, atol=1e-12)


def test_steps_between_games_write_the_same_combination(model, points):
    leaves = list(model.parameters())
    balancer = bargain_torch.Balancer(leaves, every=3)
    first = balancer.backward(losses(model, points))
    for leaf in leaves:
        leaf.grad = None
    second = balancer.backward(losses(model, points))
    assert balancer.counts["games"] == 1
    torch.testing.assert_close(second.coefficients, first.coefficients)
    rows = gradients_of(model, points, leaves)
    written = torch.cat([leaf.grad.flatten() for leaf in leaves])
    torch.testing.assert_close(written, first.coefficients @ rows, rtol=1e-8, atol=1e-12)


def test_every_kind_of_method_can_be_compared(tmp_path):
    """FAMO looks at the losses a second time, after the step."""
    place = torch.rand(20, 2, generator=torch.Generator().manual_seed(1))
    comparison = compare(
        Wave,
        losses,
        lambda: [place, place],
        shared=lambda model: model.trunk.parameters(),
        evaluate=lambda model: {k: loss.item() for k, loss in losses(model, place).items()},
        methods=["ls", "famo", "cagrad", "nash"],
        seeds=1,
        epochs=1,
        folder=tmp_path,
    )
    assert [run.note for run in comparison.runs] == [""] * 4
