"""Every way to the Gram matrix gives the numbers of plain gradients."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import bargain_torch.ghost
from bargain_torch.autograd_graph import read_graph
from bargain_torch.ghost import ghost_parts
from bargain_torch.gram import gram

METHODS = ("auto", "sequential", "batched", "ghost")


def rows_of(losses, parameters):
    rows = []
    for loss in losses:
        found = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        rows.append(
            torch.cat(
                [
                    torch.zeros_like(p).flatten() if g is None else g.flatten()
                    for p, g in zip(parameters, found, strict=True)
                ]
            )
        )
    return torch.stack(rows)


def plain_gram(losses, parameters):
    rows = rows_of(losses, parameters).double()
    return rows @ rows.T


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 12, (3, 2), dilation=(1, 2), padding="same")
        self.groups = nn.Conv2d(12, 6, 3, groups=2, bias=False)
        self.other_norm = nn.GroupNorm(2, 6)
        self.up = nn.ConvTranspose2d(6, 3, 2)

    def forward(self, x):
        x = self.second(self.norm(self.first(x)).relu()).tanh()
        return self.up(self.other_norm(self.groups(x))).flatten(1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(7, 6, padding_idx=2)
        self.block = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.0, batch_first=True)

    def forward(self, x):
        return self.block(self.table(x)).mean(1)


class Tied(nn.Module):
    """One matrix used three times, one bias twice, and one table as a layer as well."""

    def __init__(self):
        super().__init__()
        self.matrix = nn.Linear(5, 5)
        self.table = nn.Embedding(5, 5)

    def forward(self, x):
        z = self.matrix(self.matrix(self.table(x)).tanh())
        z = functional.linear(z, self.matrix.weight).tanh()
        return functional.linear(z, self.table.weight).flatten(1)


class Autoencoder(nn.Module):
    """A matrix used one way round and the other, without and with a transposition in between."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 6))
        self.wide = nn.Parameter(torch.randn(6, 3))
        self.shift = nn.Parameter(torch.randn(3))

    def forward(self, x):
        return torch.addmm(self.shift, (x @ self.weight.t()).tanh() @ self.weight, self.wide)


def picture():
    return torch.randn(3, 2, 7, 6)


def words():
    return torch.tensor([[1, 2, 3, 3], [0, 6, 2, 2], [5, 5, 5, 1]])


MODELS = {
    "linear": (lambda: nn.Sequential(nn.Linear(6, 7), nn.ReLU(), nn.Linear(7, 5, bias=False)),
               lambda: torch.randn(4, 6)),
    "sequences": (lambda: nn.Sequential(nn.Linear(3, 9), nn.LayerNorm(9),
                                        nn.Linear(9, 2, bias=False), nn.Flatten()),
                  lambda: torch.randn(4, 2, 3)),
    "pictures": (Convolutions, picture),
    "signals": (lambda: nn.Sequential(nn.Conv1d(2, 5, 4, stride=2, padding=1), nn.Tanh(),
                                      nn.Conv1d(5, 6, 3, dilation=2), nn.Flatten()),
                lambda: torch.randn(2, 2, 13)),
    "volumes": (lambda: nn.Sequential(nn.Conv3d(1, 2, 2), nn.Flatten()),
                lambda: torch.randn(2, 1, 3, 3, 3)),
    "words": (Attention, words),
    "tied": (Tied, lambda: torch.tensor([[1, 2], [4, 4], [0, 1]])),
    "autoencoder": (Autoencoder, lambda: torch.randn(3, 6)),
    "recurrent": (lambda: nn.GRU(3, 4, batch_first=True), lambda: torch.randn(2, 5, 3)),
}  # fmt: skip


def losses_of(model, inputs, tasks=4):
    output = model(inputs)
    features = (output[0] if isinstance(output, tuple) else output).flatten(1)
    return [
        functional.linear(features, torch.randn(2, features.shape[1]).to(features)).square().mean()
        for _ in range(tasks)
    ]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.fixture(params=["as it pays", "always"])
def ghost(request, monkeypatch):
    """Small models seldom pay; so take every ghost there is, too."""
    if request.param == "always":
        monkeypatch.setattr(bargain_torch.ghost, "ghost_pays", lambda uses, players: True)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_agrees_with_plain_gradients(name, method, ghost, device):
    if name == "recurrent" and method == "batched":
        pytest.skip("torch has no batching rule for fused recurrent layers and warns")
    build, draw = MODELS[name]
    model, inputs = build().double().to(device), draw().to(device)
    losses = losses_of(model, inputs.double() if inputs.is_floating_point() else inputs)
    parameters = list(model.parameters())
    expected = plain_gram(losses, parameters)
    found = gram(losses, parameters, method=method)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12 * float(expected.max()))
    assert torch.equal(found, found.T)
    assert all(parameter.grad is None for parameter in parameters)


@pytest.mark.parametrize(
    ("name", "formed"),
    [
        ("linear", 0),
        ("sequences", 2),  # the norm
        ("pictures", 7),  # two norms, grouped and transposed convolutions
        ("signals", 0),
        ("tied", 1),  # the table that is a layer as well
        ("autoencoder", 1),
    ],
)
def test_which_parameters_are_ghosts(name, formed, monkeypatch):
    monkeypatch.setattr(bargain_torch.ghost, "ghost_pays", lambda uses, players: True)
    build, draw = MODELS[name]
    model = build()
    losses = losses_of(model, draw())
    parameters = list(model.parameters())
    parts = ghost_parts(read_graph(losses, parameters), parameters, len(losses))
    assert len(parts) == len(parameters)
    assert sum(not part.uses for part in parts) == formed


def test_the_cheaper_way_is_chosen_by_shapes():
    layer = nn.Linear(64, 64)
    uses = []
    for batch in (4, 512):
        losses = losses_of(layer, torch.randn(batch, 64))
        parameters = [layer.weight]
        parts = ghost_parts(read_graph(losses, parameters), parameters, len(losses))
        uses.append(bool(parts[0].uses))
    assert uses == [True, False]


@pytest.mark.parametrize("method", METHODS)
def test_single_precision(method, ghost, device):
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10)).to(device)
    losses = losses_of(model, torch.randn(8, 20).to(device))
    parameters = list(model.parameters())
    found = gram(losses, parameters, method=method)
    assert found.dtype == torch.float32
    expected = plain_gram(losses, parameters).float()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6 * float(expected.max()))


@pytest.mark.parametrize("method", METHODS)
def test_autocast(method, ghost, device):
    model = nn.Sequential(nn.Linear(20, 30), nn.ReLU(), nn.Linear(30, 10)).to(device)
    with torch.autocast(device, dtype=torch.bfloat16):
        losses = losses_of(model, torch.randn(8, 20).to(device))
    parameters = list(model.parameters())
    expected = plain_gram(losses, parameters).float()
    found = gram(losses, parameters, method=method)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=3e-2, atol=1e-2 * float(expected.max()))


@pytest.mark.parametrize("method", METHODS)
def test_unused_and_frozen_parameters(method, ghost, device):
    first, second, third = (nn.Linear(3, 3).double().to(device) for _ in range(3))
    third.bias.requires_grad_(False)
    unused = nn.Linear(3, 3).double().to(device)
    z = first(torch.randn(2, 3).double().to(device))
    losses = [z.square().mean(), second(z).square().mean(), third(z).sum()]
    parameters = [p for m in (first, second, third, unused) for p in m.parameters()]
    expected = plain_gram(losses, [p for p in parameters if p.requires_grad])
    found = gram(losses, (p for p in parameters), method=method)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("method", METHODS)
def test_heads_that_reach_back(method, ghost, device):
    """Skip connections, a shared layer used in a head, one loss twice, and one within another."""
    first, second, head = (nn.Linear(3, 3).double().to(device) for _ in range(3))
    y = first(torch.randn(2, 3).double().to(device)).tanh()
    z = second(y).tanh()
    one = (head(z) + y).square().mean()
    losses = [one, z.sum(), first(z).square().mean(), one, one * z.sum(), y.prod()]
    parameters = [*first.parameters(), *second.parameters(), *head.parameters()]
    expected = plain_gram(losses, parameters)
    torch.testing.assert_close(gram(losses, parameters, method=method), expected)


@pytest.mark.parametrize("method", METHODS)
def test_more_tasks_than_go_in_one_pass(method, device):
    layer = nn.Linear(4, 3).double().to(device)
    losses = losses_of(layer, torch.randn(5, 4).double().to(device), tasks=37)
    parameters = list(layer.parameters())
    expected = plain_gram(losses, parameters)
    torch.testing.assert_close(gram(losses, parameters, method=method), expected)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("method", ["auto", "ghost", "sequential"])
def test_checkpoints(method, reentrant, ghost, device):
    inner = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5), nn.Tanh(), nn.Linear(4, 4))
    inner, outer = inner.double().to(device), nn.Linear(3, 4).double().to(device)
    parameters = [*outer.parameters(), *inner.parameters()]
    x = torch.randn(6, 3).double().to(device)
    factors = torch.randn(3, 4).double().to(device)

    def losses(forward):
        torch.manual_seed(1)
        z = forward(outer(x))
        return [(z @ factor).square().mean() for factor in factors]

    expected = plain_gram(losses(inner), parameters)
    parameters[0].grad = torch.ones_like(parameters[0])
    checkpointed = losses(lambda z: checkpoint(inner, z, use_reentrant=reentrant))
    torch.testing.assert_close(gram(checkpointed, parameters, method=method), expected)
    assert torch.equal(parameters[0].grad, torch.ones_like(parameters[0]))
    assert all(parameter.grad is None for parameter in parameters[1:])


def test_checkpoints_are_not_computed_for_each_look():
    calls = []

    class Counting(nn.Linear):
        def forward(self, x):
            calls.append(1)
            return super().forward(x)

    layers = nn.ModuleList([Counting(3, 3) for _ in range(4)])

    def run(z):
        for layer in layers:
            z = layer(z).tanh()
        return z

    z = checkpoint(run, torch.randn(2, 3), use_reentrant=False)
    losses = [z.sum(), z.square().sum()]
    calls.clear()
    gram(losses, layers.parameters())
    assert len(calls) <= len(layers) * len(losses)


def test_hooks_on_parameters_are_heeded(ghost, device):
    layer = nn.Linear(3, 3).double().to(device)
    layer.weight.register_hook(lambda gradient: gradient.tril())
    losses = losses_of(layer, torch.randn(2, 3).double().to(device))
    parameters = list(layer.parameters())
    torch.testing.assert_close(gram(losses, parameters), plain_gram(losses, parameters))


def test_the_graph_is_kept():
    layer = nn.Linear(3, 3)
    losses = losses_of(layer, torch.randn(2, 3))
    first = gram(losses, layer.parameters())
    assert torch.equal(first, gram(losses, layer.parameters()))
    torch.stack(losses).sum().backward()
    assert layer.weight.grad is not None


def test_one_task(device):
    layer = nn.Linear(3, 2).double().to(device)
    loss = layer(torch.ones(1, 3).double().to(device)).sum()
    expected = torch.tensor([[8.0]], dtype=torch.float64, device=device)
    torch.testing.assert_close(gram([loss], layer.parameters()), expected)


@pytest.mark.parametrize("method", METHODS)
def test_autocast_around_it_changes_no_number(method, device):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(30, 20), nn.ReLU()).to(device)
    head = nn.Linear(20, 3).to(device)
    losses = head(model(torch.randn(8, 30).to(device))).square().mean(0).unbind()
    exact = gram(losses, model.parameters(), method=method)
    with torch.autocast(device, dtype=torch.bfloat16):
        found = gram(losses, model.parameters(), method=method)
    torch.testing.assert_close(found, exact)
