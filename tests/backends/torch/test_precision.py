"""Games in mixed precision, and where the program allows rougher products for speed."""

import warnings

import pytest
import torch
from torch import nn

import bargain
from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from bargain_torch.full_precision import full_precision
from bargain_torch.gram import gram
from bargain_torch.rows import inner_products
from tests.backends.torch.test_gram_methods import METHODS, plain_gram


class Words(nn.Module):
    """A transformer with attention in one fused kernel, and a head for each task."""

    def __init__(self, tasks=3):
        super().__init__()
        self.table = nn.Embedding(50, 32)
        self.block = nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True)
        self.heads = nn.ModuleList([nn.Linear(32, 1) for _ in range(tasks)])

    def losses(self, words):
        features = self.block(self.table(words)).mean(1)
        return [(head(features) - k).square().mean() for k, head in enumerate(self.heads)]

    @property
    def shared(self):
        return [*self.table.parameters(), *self.block.parameters()]


class Perceptron(nn.Module):
    def __init__(self, tasks=3):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh())
        self.heads = nn.ModuleList([nn.Linear(32, 1) for _ in range(tasks)])

    def losses(self, inputs):
        features = self.trunk(inputs)
        return [(head(features) - k).square().mean() for k, head in enumerate(self.heads)]

    @property
    def shared(self):
        return list(self.trunk.parameters())


@pytest.fixture
def settings():
    """Whatever a test allows for products ends with it."""
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def directions(model, losses, **options):
    model.zero_grad()
    step = backward(losses, model.shared, **options)
    return step, torch.cat([parameter.grad.flatten() for parameter in model.shared])


def test_full_precision_is_undone(settings):
    torch.set_float32_matmul_precision("high")
    with full_precision():
        if hasattr(torch.backends.cuda.matmul, "fp32_precision"):
            assert torch.backends.cuda.matmul.fp32_precision == "ieee"
    assert torch.get_float32_matmul_precision() == "high"
    assert torch.backends.cuda.matmul.allow_tf32
    with pytest.raises(ArithmeticError), full_precision():
        raise ArithmeticError
    assert torch.get_float32_matmul_precision() == "high"


class Listening(torch.overrides.TorchFunctionMode):
    """Notes what was allowed at every product of matrices."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        if "matmul" in getattr(function, "__name__", ""):
            exact = getattr(torch.backends.cuda.matmul, "fp32_precision", None)
            self.heard.append(exact or torch.get_float32_matmul_precision())
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("build", [Words, Perceptron])
@pytest.mark.parametrize("method", METHODS)
def test_every_inner_product_is_taken_in_full_precision(device, settings, method, build):
    model = build().to(device)
    words = build is Words
    inputs = (torch.randint(50, (4, 16)) if words else torch.randn(8, 16)).to(device)
    losses = model.losses(inputs)
    torch.set_float32_matmul_precision("high")
    with Listening() as listening:
        gram(losses, model.shared, method=method)
    assert listening.heard
    assert {*listening.heard} <= {"ieee", "highest"}


@pytest.mark.parametrize("allowed", ["high", "medium"])
def test_inner_products_keep_their_digits(device, settings, allowed):
    """With factors of ten bits the angle between these two would be noise."""
    first = torch.randn(5000, dtype=torch.float64)
    rows = torch.stack([first, first + 1e-4 * torch.randn(5000, dtype=torch.float64)])
    single = rows.float().to(device)
    exact = single.double() @ single.double().T
    torch.set_float32_matmul_precision(allowed)
    found = inner_products(single)
    torch.testing.assert_close(found, exact, rtol=2e-6, atol=0)


@pytest.mark.parametrize("allowed", ["high", "medium"])
def test_ghosts_keep_their_digits(device, settings, allowed):
    """One layer, whose gradients are formed by hand from the same factors."""
    layer = nn.Linear(256, 128, bias=False).to(device)
    inputs = torch.randn(32, 256).to(device)
    output = layer(inputs)
    heads = torch.randn(3, 128).to(device)
    losses = [(output * head).sum() for head in heads]
    errors = [head.double().expand(32, 128) for head in heads]
    rows = torch.stack([(error.T @ inputs.double()).flatten() for error in errors])
    torch.set_float32_matmul_precision(allowed)
    found = gram(losses, [layer.weight], method="ghost").double()
    exact = rows @ rows.T
    torch.testing.assert_close(found, exact, rtol=0, atol=2e-6 * float(exact.max()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [None, torch.bfloat16, torch.float16])
def test_fused_attention_by_every_method(device, method, kind):
    model = Words().to(device)
    words = torch.randint(50, (4, 16)).to(device)
    with torch.autocast(device, dtype=kind or torch.bfloat16, enabled=kind is not None):
        losses = model.losses(words)
    expected = plain_gram(losses, model.shared).float()
    tolerance = 1e-4 if kind is None else 3e-2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = gram(losses, model.shared, method=method)
    torch.testing.assert_close(
        found, expected, rtol=tolerance, atol=tolerance * float(expected.max())
    )


@pytest.mark.parametrize("method", METHODS)
def test_half_precision_with_a_scaler(device, method):
    """Without the scaler these gradients vanish in half precision; with it they are all there."""
    model = Perceptron().to(device)
    inputs = torch.randn(8, 16).to(device)

    def losses():
        with torch.autocast(device, dtype=torch.float16):
            return [1e-7 * loss.float() for loss in model.losses(inputs)]

    exact, expected = directions(model, [1e-7 * loss for loss in model.losses(inputs)])
    lost = gram(losses(), model.shared)
    scaler = torch.amp.GradScaler(device, init_scale=2.0**20)
    step, found = directions(model, losses(), method=method, scaler=scaler)
    assert step.status is bargain.Status.AGREEMENT
    torch.testing.assert_close(
        step.gram, exact.gram, rtol=3e-2, atol=1e-2 * float(exact.gram.max())
    )
    assert not torch.allclose(lost, exact.gram.float(), rtol=3e-2, atol=0)
    found = found / scaler.get_scale()
    torch.testing.assert_close(found, expected, rtol=5e-2, atol=2e-2 * float(expected.abs().max()))


@pytest.mark.parametrize("method", METHODS)
def test_bfloat16_parameters(device, method):
    model = Perceptron().to(device, torch.bfloat16)
    losses = [loss.float() for loss in model.losses(torch.randn(8, 16).to(device, torch.bfloat16))]
    expected = plain_gram(losses, model.shared).float()
    found = gram(losses, model.shared, method=method)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=3e-2, atol=1e-2 * float(expected.max()))
    step, direction = directions(model, losses, method=method)
    assert step.status is bargain.Status.AGREEMENT
    assert direction.dtype == torch.bfloat16


def test_half_precision_training_gets_better(device):
    model = Perceptron().to(device)
    inputs = torch.randn(64, 16).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scaler, balancer = torch.amp.GradScaler(device), Balancer(model.shared, every=3)
    totals = []
    for _ in range(12):
        optimizer.zero_grad()
        with torch.autocast(device, dtype=torch.float16):
            losses = model.losses(inputs)
        balancer.backward(losses, scaler=scaler)
        scaler.step(optimizer)
        scaler.update()
        totals.append(float(torch.stack(losses).detach().sum()))
    assert totals[-1] < 0.5 * totals[0]
    assert balancer.counts["agreements"] == 4
