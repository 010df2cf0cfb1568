"""The bargained step: what lands in .grad, under everything that trainings do."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import bargain
from bargain.lengths import Length
from bargain_torch.backward import backward
from tests.backends.torch.test_gram_methods import METHODS, rows_of

LENGTHS = ("natural", "radius", "unit", "mean", "sum", "min-norm")


class Model(nn.Module):
    """A trunk and a head for each task."""

    def __init__(self, tasks=3, dropout=0.0):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(dropout), nn.Tanh(), nn.Linear(8, 6)
        )
        self.heads = nn.ModuleList([nn.Linear(6, 2) for _ in range(tasks)])

    def losses(self, inputs, forward=None):
        features = (forward or self.trunk)(inputs)
        return [(head(features) - k).square().mean() for k, head in enumerate(self.heads)]

    @property
    def shared(self):
        return list(self.trunk.parameters())


@pytest.fixture
def model(device):
    torch.manual_seed(0)
    return Model().double().to(device)


@pytest.fixture
def inputs(model, device):
    return torch.randn(5, 4).double().to(device)


def expected_direction(losses, shared, length: Length = "mean", **options):
    rows = rows_of(losses, shared)
    game = bargain.GradientGame((rows @ rows.T).cpu().numpy(), **options)
    outcome = bargain.solve(game)
    coefficients = torch.as_tensor(bargain.rescale(outcome.coefficients, game, length))
    return coefficients.to(rows.device) @ rows, outcome


def written(parameters):
    return torch.cat(
        [
            (torch.zeros_like(p) if p.grad is None else p.grad.to_dense()).flatten()
            for p in parameters
        ]
    )


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("method", METHODS)
def test_direction_and_heads(model, inputs, method, length):
    losses = model.losses(inputs)
    direction, outcome = expected_direction(losses, model.shared, length)
    plain = torch.autograd.grad(
        torch.stack(losses).sum(), list(model.heads.parameters()), retain_graph=True
    )
    step = backward(losses, model.shared, method=method, length=length)
    torch.testing.assert_close(written(model.shared), direction)
    for parameter, gradient in zip(model.heads.parameters(), plain, strict=True):
        torch.testing.assert_close(parameter.grad, gradient)
    np.testing.assert_allclose(step.outcome.shares, outcome.shares)
    assert step.status is bargain.Status.AGREEMENT
    assert not step.skipped
    assert step.names == (0, 1, 2)


def test_weighted_heads(model, inputs):
    losses = model.losses(inputs)
    parameters = list(model.heads.parameters())
    gradients = [
        torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        for loss in losses
    ]
    step = backward(losses, model.shared, heads="weighted")
    for k, parameter in enumerate(parameters):
        gradient = gradients[k // 2][k]
        torch.testing.assert_close(parameter.grad, gradient * float(step.coefficients[k // 2]))


@pytest.mark.parametrize("heads", ["plain", "weighted"])
def test_leaves_of_the_trunk_that_are_not_shared(model, inputs, heads):
    """As where people bargain over the last shared layer only, to save time."""
    losses = model.losses(inputs)
    shared, rest = model.shared[-2:], model.shared[:-2]
    direction, _ = expected_direction(losses, shared)
    rows = rows_of(losses, rest)
    step = backward(losses, shared, heads=heads)
    torch.testing.assert_close(written(shared), direction)
    factors = step.coefficients if heads == "weighted" else torch.ones(3).double()
    torch.testing.assert_close(written(rest), factors.to(rows) @ rows)


def test_names_weights_and_absent_tasks(model, inputs):
    first, second, third = model.losses(inputs)
    losses = {"a": first, "b": second, "c": third}
    direction, _ = expected_direction([first, third], model.shared, weights=[2.0, 1.0])
    step = backward(
        {**losses, "b": None},
        model.shared,
        weights={"a": 2.0, "b": 5.0, "c": 1.0},
        active={"a": True, "b": False, "c": True},
    )
    torch.testing.assert_close(written(model.shared), direction)
    assert model.heads[1].weight.grad is None
    shares = step.by_task(step.outcome.shares)
    assert list(shares) == ["a", "b", "c"]
    assert shares["b"] == 0 == step.coefficients[1]
    assert shares["a"] == pytest.approx(2 / 3)
    assert step.gram[1].abs().max() == 0


def test_gradients_accumulate(model, inputs):
    total = 0
    for scale in (1.0, 2.0):
        losses = model.losses(scale * inputs)
        total = total + expected_direction(losses, model.shared)[0]
        backward(losses, model.shared)
    torch.testing.assert_close(written(model.shared), total)


def test_tasks_that_enter_at_different_places(inputs, device):
    torch.manual_seed(0)
    first, second = nn.Linear(4, 3).double().to(device), nn.Linear(3, 3).double().to(device)
    heads = [nn.Linear(3, 1).double().to(device) for _ in range(3)]
    y = first(inputs).tanh()
    z = second(y).tanh()
    losses = [heads[0](y).square().mean(), heads[1](z).square().mean(), (heads[2](z) + y).mean()]
    shared = [*first.parameters(), *second.parameters()]
    direction, _ = expected_direction(losses, shared)
    plain = rows_of(losses, [p for head in heads for p in head.parameters()]).sum(0)
    backward(losses, shared)
    torch.testing.assert_close(written(shared), direction)
    torch.testing.assert_close(written([p for head in heads for p in head.parameters()]), plain)


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("heads", ["plain", "weighted"])
def test_checkpoints_with_dropout_and_batch_statistics(inputs, reentrant, heads, device):
    torch.manual_seed(0)
    model = Model(dropout=0.3).double().to(device)
    results = []
    for checkpointed in (False, True):
        model.zero_grad()
        torch.manual_seed(1)
        if checkpointed:
            hidden = model.trunk[0](inputs)
            rest = partial(checkpoint, model.trunk[1:], use_reentrant=reentrant)
            losses = model.losses(hidden, rest)
        else:
            losses = model.losses(inputs)
        backward(losses, model.shared, heads=heads)
        results.append(written(model.parameters()))
    torch.testing.assert_close(results[1], results[0])


@pytest.mark.parametrize("length", LENGTHS)
def test_the_loss_scale_cancels_exactly(inputs, length, device):
    torch.manual_seed(0)
    model = Model().to(device)
    inputs = inputs.float()
    plain = backward(model.losses(inputs), model.shared, length=length)
    expected = written(model.parameters())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad()
    scaler = torch.amp.GradScaler(device, init_scale=2.0**12)
    step = backward(model.losses(inputs), model.shared, length=length, scaler=scaler)
    scaler.unscale_(optimizer)
    assert torch.equal(written(model.parameters()), expected)
    assert torch.equal(step.coefficients, plain.coefficients)
    assert torch.equal(step.gram, plain.gram)
    scaler.step(optimizer)
    scaler.update()


def test_losses_scaled_by_hand(inputs, device):
    """Lengths that follow the gradients' own follow their scale, too."""
    torch.manual_seed(0)
    model = Model().to(device)
    inputs = inputs.float()
    backward(model.losses(inputs), model.shared)
    expected = written(model.parameters())
    model.zero_grad()
    backward([1024 * loss for loss in model.losses(inputs)], model.shared)
    assert torch.equal(written(model.parameters()) / 1024, expected)


def test_an_overflow_is_the_scalers_business(inputs, device):
    torch.manual_seed(0)
    model = Model().to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler(device, init_scale=2.0**127, backoff_factor=0.5)
    before = written_values(model)
    step = backward(model.losses(1e3 * inputs.float()), model.shared, scaler=scaler)
    assert step.skipped
    assert step.status is bargain.Status.NONFINITE
    scaler.step(optimizer)
    scaler.update()
    assert torch.equal(written_values(model), before)
    assert scaler.get_scale() == 2.0**126


def written_values(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()]).clone()


def test_autocast(inputs, device):
    torch.manual_seed(0)
    model = Model().to(device)
    with torch.autocast(device, dtype=torch.bfloat16):
        losses = model.losses(inputs.float())
    backward(losses, model.shared)
    with torch.autocast(device, dtype=torch.bfloat16):
        losses = model.losses(inputs.float())
    direction, _ = expected_direction(losses, model.shared)
    torch.testing.assert_close(written(model.shared), direction.float(), rtol=5e-2, atol=1e-2)
    assert written(model.parameters()).dtype == torch.float32


def test_lbfgs_closures(model, inputs):
    model.eval()
    optimizer = torch.optim.LBFGS(model.shared, lr=0.1, max_iter=3)
    calls = []

    def closure():
        optimizer.zero_grad()
        losses = model.losses(inputs)
        backward(losses, model.shared)
        total = torch.stack(losses).sum().detach()
        calls.append(float(total))
        return total

    for _ in range(3):
        optimizer.step(closure)
    assert len(calls) > 3
    assert calls[-1] < calls[0]


def test_the_graph_is_freed_unless_it_is_kept(model, inputs):
    losses = model.losses(inputs)
    backward(losses, model.shared, retain_graph=True)
    first = written(model.parameters())
    backward(losses, model.shared)
    torch.testing.assert_close(written(model.parameters()), 2 * first)
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        torch.stack(losses).sum().backward()


def test_a_task_without_gradient_takes_no_part(model, inputs):
    losses = model.losses(inputs)
    direction, _ = expected_direction(losses[:2], model.shared)
    step = backward([*losses[:2], 0 * losses[2]], model.shared)
    torch.testing.assert_close(written(model.shared), direction)
    assert step.coefficients[2] == 0


def test_no_agreement_writes_no_direction(model, inputs):
    loss = model.losses(inputs)[0]
    step = backward([loss, -loss], model.shared)
    assert step.status is bargain.Status.DISAGREEMENT
    assert written(model.shared).abs().max() == 0


@pytest.mark.parametrize("where", ["loss", "gradient"])
@pytest.mark.parametrize("method", METHODS)
class TestNonfinite:
    def losses(self, model, inputs, where):
        losses = model.losses(inputs)
        if where == "loss":
            losses[1] = losses[1] * torch.nan
        else:
            losses[1] = losses[1] + (0 * losses[1]).sqrt()
            assert torch.isfinite(losses[1])
        return losses

    def test_raise(self, model, inputs, where, method):
        with pytest.raises(ValueError, match=f"found NaN or infinity in the {where} of 1"):
            backward(self.losses(model, inputs, where), model.shared, method=method)
        assert all(parameter.grad is None for parameter in model.parameters())

    def test_skip(self, model, inputs, where, method):
        losses = self.losses(model, inputs, where)
        step = backward(losses, model.shared, method=method, nonfinite="skip")
        assert step.skipped
        assert step.status is bargain.Status.NONFINITE
        assert all(parameter.grad is None for parameter in model.parameters())

    def test_drop(self, model, inputs, where, method):
        losses = self.losses(model, inputs, where)
        direction, _ = expected_direction([losses[0], losses[2]], model.shared)
        step = backward(losses, model.shared, method=method, nonfinite="drop")
        torch.testing.assert_close(written(model.shared), direction)
        assert model.heads[1].weight.grad is None
        assert torch.isfinite(model.heads[2].weight.grad).all()
        assert step.coefficients[1] == 0
        assert not step.skipped


def test_infinities_stay_with_their_task(inputs, device):
    """One task's trunk holds an infinite derivative that the others' zeros pass through."""
    torch.manual_seed(0)
    trunk = nn.Linear(4, 3).double().to(device)
    z = trunk(inputs)
    bad = (z * 0).sqrt()
    losses = [z.square().mean(), (bad * z).sum(), z.sum(), (bad + z).mean()]
    direction, _ = expected_direction([losses[0], losses[2]], list(trunk.parameters()))
    step = backward(losses, trunk.parameters(), nonfinite="drop")
    torch.testing.assert_close(written(trunk.parameters()), direction)
    assert step.coefficients[1] == 0 == step.coefficients[3]


def test_hooks_on_parameters(model, inputs):
    model.shared[0].register_hook(lambda gradient: gradient.tril())
    seen = []
    model.shared[1].register_post_accumulate_grad_hook(seen.append)
    losses = model.losses(inputs)
    direction, _ = expected_direction(losses, model.shared)
    backward(losses, model.shared)
    torch.testing.assert_close(written(model.shared), direction)
    assert len(seen) == 1


@pytest.mark.parametrize("heads", ["plain", "weighted"])
def test_gradients_share_no_memory(heads, device):
    """Autograd returns one tensor as the gradient of both summands."""
    trunk = nn.Linear(2, 3).to(device)
    first, second = (nn.Parameter(torch.ones(3, device=device)) for _ in range(2))
    z = trunk(torch.ones(2, device=device))
    losses = [(z + (first + second)).square().sum(), z.square().sum()]
    backward(losses, trunk.parameters(), heads=heads)
    expected = written([second])
    assert first.grad is not None
    first.grad.add_(1.0)
    assert torch.equal(written([second]), expected)


def test_sparse_gradients(device):
    torch.manual_seed(0)
    table, layer = nn.Embedding(5, 3, sparse=True).to(device), nn.Linear(3, 3).to(device)
    own = nn.Embedding(5, 3, sparse=True).to(device)
    words = torch.tensor([0, 3, 3], device=device)
    z = layer(table(words))
    losses = [z.square().mean(), (z * own(words)).sum()]
    shared = [*table.parameters(), *layer.parameters()]
    rows = []
    for loss in losses:
        found = torch.autograd.grad(loss, shared, retain_graph=True)
        rows.append(torch.cat([gradient.to_dense().flatten() for gradient in found]))
    step = backward(losses, shared)
    expected = step.coefficients.float().to(device) @ torch.stack(rows)
    torch.testing.assert_close(written(shared), expected)
    assert own.weight.grad is not None
    assert own.weight.grad.is_sparse


class Cube(torch.autograd.Function):
    """A function that looks at values in its backward pass, which a batched pass cannot."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * gradient if float(gradient.abs().max()) > 0 else gradient


def test_functions_in_python(model, inputs):
    losses = model.losses(inputs, lambda x: Cube.apply(model.trunk(x)))
    direction, _ = expected_direction(losses, model.shared)
    backward(losses, model.shared)
    torch.testing.assert_close(written(model.shared), direction)


@pytest.mark.parametrize("method", ["sequential", "batched", "ghost"])
@pytest.mark.parametrize("seed", range(8))
def test_parallel_gradients_in_single_precision_keep_the_length(method, seed, device):
    """Their cosines exceed one by a rounding of float32, which is no mistake of the game."""
    torch.manual_seed(seed)
    layer = nn.Linear(7, 5).to(device)
    loss = layer(torch.randn(9, 7).to(device)).square().mean()
    mean = torch.autograd.grad(5 / 3 * loss, layer.weight, retain_graph=True)[0]
    backward([loss, 3.3 * loss, 0.7 * loss], [layer.weight], method=method)
    torch.testing.assert_close(layer.weight.grad, mean, rtol=1e-4, atol=1e-6)
