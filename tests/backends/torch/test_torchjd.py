"""Bargaining inside TorchJD: the same updates by its engines as by ours, and by its conventions."""

import subprocess
import sys

import numpy as np
import pytest
import torch

import bargain
from bargain_torch.backward import backward
from tests.backends.torch.test_backward import LENGTHS, Model, written

aggregation = pytest.importorskip("torchjd.aggregation")
autojac = pytest.importorskip("torchjd.autojac")
autogram = pytest.importorskip("torchjd.autogram")
from bargain_torch.torchjd import Bargaining, BargainingWeighting  # noqa: E402 - needs TorchJD

OPTIONS = [{}, {"weights": [1.0, 2.0, 5.0]}, {"length": "natural", "maximum": 0.01}]


@pytest.fixture
def model(device):
    torch.manual_seed(0)
    return Model().double().eval().to(device)


@pytest.fixture
def inputs(model, device):
    return torch.randn(5, 4).double().to(device)


def jacobian(rows, columns=30, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=generator, dtype=dtype)


def ours(model, inputs, heads, weights=None, length="mean", maximum=None):
    """Return what our own backward writes, shortened by hand where a maximum is asked for."""
    model.zero_grad()
    step = backward(model.losses(inputs), model.shared, weights=weights, length=length, heads=heads)
    direction, rest = written(model.shared), written(model.heads.parameters())
    factor = 1.0 if maximum is None else min(1.0, maximum / float(direction.norm()))
    assert maximum is None or factor < 1
    model.zero_grad()
    return (
        (factor * step.coefficients).to(inputs.device),
        factor * direction,
        rest * (factor if heads == "weighted" else 1.0),
    )


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("from_gramian", [False, True])
def test_mtl_backward_and_jac_to_grad(model, inputs, options, from_gramian):
    weights, direction, heads = ours(model, inputs, "plain", **options)
    features = model.trunk(inputs)
    autojac.mtl_backward(model.losses(features, lambda x: x), features=features)
    found = autojac.jac_to_grad(
        model.shared, Bargaining(**options), optimize_gramian_computation=from_gramian
    )
    torch.testing.assert_close(found, weights)
    torch.testing.assert_close(written(model.shared), direction)
    torch.testing.assert_close(written(model.heads.parameters()), heads)


def test_backward_and_jac_to_grad(model, inputs):
    parameters = list(model.parameters())
    expected = backward(model.losses(inputs), parameters)
    direction = written(parameters)
    model.zero_grad()
    autojac.backward(model.losses(inputs))
    weights = autojac.jac_to_grad(parameters, Bargaining())
    torch.testing.assert_close(weights.cpu(), expected.coefficients)
    torch.testing.assert_close(written(parameters), direction)


@pytest.mark.parametrize("options", OPTIONS)
def test_engine(model, inputs, options):
    weights, direction, heads = ours(model, inputs, "weighted", **options)
    engine = autogram.Engine(model.trunk, batch_dim=None)
    losses = torch.stack(model.losses(inputs))
    found = BargainingWeighting(**options)(engine.compute_gramian(losses))
    losses.backward(found)
    torch.testing.assert_close(found, weights)
    torch.testing.assert_close(written(model.shared), direction)
    torch.testing.assert_close(written(model.heads.parameters()), heads)


def test_engine_with_an_objective_for_each_example(inputs):
    """In single precision, where the Gramian of the engine is symmetric up to rounding only."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    model.to(inputs.device)
    engine = autogram.Engine(model, batch_dim=0)
    losses = (model(inputs.float()).squeeze(1) - 1).square()
    step = backward(losses.unbind(), model.parameters(), retain_graph=True)
    direction = written(model.parameters())
    model.zero_grad()
    losses.backward(BargainingWeighting()(engine.compute_gramian(losses)))
    assert step.status is bargain.Status.AGREEMENT
    torch.testing.assert_close(written(model.parameters()), direction, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("length", LENGTHS)
def test_lengths(length):
    matrix = jacobian(4)
    game = bargain.GradientGame((matrix @ matrix.T).numpy())
    expected = bargain.rescale(bargain.solve(game).coefficients, game, length)
    weighting = BargainingWeighting(length=length)
    np.testing.assert_allclose(weighting(matrix @ matrix.T), expected)
    torch.testing.assert_close(
        Bargaining(length=length)(matrix), torch.as_tensor(expected) @ matrix
    )


@pytest.mark.filterwarnings("ignore:You are solving a parameterized problem that is not DPP")
@pytest.mark.parametrize("seed", range(5))
def test_the_direction_of_nash_mtl(seed):
    """TorchJD's own stops early; on well-scaled gradients it comes close."""
    pytest.importorskip("ecos")
    matrix = jacobian(3, seed=seed)
    theirs = aggregation.NashMTL(n_tasks=3, max_norm=1.0)(matrix)
    found = Bargaining(length="natural", maximum=1.0)(matrix)
    torch.testing.assert_close(found, theirs, rtol=0, atol=1e-7)


def test_permutations():
    matrix, order = jacobian(5), [3, 1, 4, 0, 2]
    weights = torch.arange(1.0, 6.0)
    gramian = matrix @ matrix.T
    straight = BargainingWeighting(weights)(gramian)
    turned = BargainingWeighting(weights[order])(gramian[order][:, order])
    torch.testing.assert_close(turned, straight[order])
    torch.testing.assert_close(
        Bargaining(weights[order])(matrix[order]), Bargaining(weights)(matrix)
    )


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_units_do_not_matter(dtype):
    matrix, units = jacobian(4, dtype=dtype), torch.tensor([1e-6, 1.0, 3.0, 1e7], dtype=dtype)
    straight = Bargaining([1, 2, 3, 4], length="unit")(matrix)
    scaled = Bargaining([1, 2, 3, 4], length="unit")(units[:, None] * matrix)
    torch.testing.assert_close(scaled, straight, rtol=1e-4, atol=1e-5)


def test_shares_are_the_weights(device):
    matrix = jacobian(3).to(device)
    weights = BargainingWeighting(np.array([1.0, 1.0, 4.0]))(matrix @ matrix.T)
    shares = weights * (matrix @ matrix.T @ weights)
    expected = torch.tensor([1.0, 1.0, 4.0]).to(shares) / 6
    torch.testing.assert_close(shares / shares.sum(), expected)


def test_parallel_gradients_in_single_precision():
    """Their cosine may be more than one by rounding; the length is right all the same."""
    for seed in range(20):
        row = jacobian(1, seed=seed, dtype=torch.float32)
        matrix = torch.cat([row, 3.3 * row, 0.7 * row])
        update = Bargaining(length="mean")(matrix)
        torch.testing.assert_close(update, 5.0 / 3 * row[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_no_agreement_gives_no_update(dtype):
    row = jacobian(1, dtype=dtype)
    matrix = torch.cat([row, -2 * row])
    assert torch.equal(BargainingWeighting()(matrix @ matrix.T), torch.zeros(2, dtype=dtype))
    assert torch.equal(Bargaining()(matrix), torch.zeros(30, dtype=dtype))
    assert torch.equal(Bargaining()(0 * matrix), torch.zeros(30, dtype=dtype))


def test_an_objective_without_a_gradient_takes_no_part():
    matrix = jacobian(3)
    alone = Bargaining(length="unit")(matrix[:2])
    matrix[2] = 0
    torch.testing.assert_close(Bargaining(length="unit")(matrix), alone)
    assert BargainingWeighting()(matrix @ matrix.T)[2] == 0


def test_no_state():
    aggregator, matrix = Bargaining(), jacobian(3)
    first = aggregator(matrix)
    aggregator(jacobian(7, seed=1))
    assert torch.equal(aggregator(matrix), first)
    assert not aggregator.state_dict()


def test_derivatives(device):
    """Weights may be learnt."""
    weights = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64, device=device))
    weighting, matrix = BargainingWeighting(weights), jacobian(3).to(device).requires_grad_()
    assert [*weighting.parameters()] == [weights]

    def combined(matrix, weights):
        return torch.func.functional_call(weighting, {"weights": weights}, (matrix @ matrix.T,))

    assert torch.autograd.gradcheck(combined, (matrix, weights.detach().requires_grad_()))


def test_in_the_place_of_theirs():
    """The contracts that their engines look for."""
    assert isinstance(BargainingWeighting(), aggregation.Weighting)
    assert isinstance(Bargaining(), aggregation.GramianWeightedAggregator)
    assert isinstance(Bargaining().gramian_weighting, BargainingWeighting)
    with pytest.raises(ValueError, match="dimension 2"):
        Bargaining()(torch.ones(3))


def test_text():
    aggregator = Bargaining(torch.tensor([1.0, 2.5]), length="unit")
    options = "(weights=tensor([1.0000, 2.5000]), solution=Nash(), length='unit', maximum=None)"
    assert repr(aggregator) == f"Bargaining{options}"
    assert repr(aggregator.gramian_weighting) == f"BargainingWeighting{options}"
    assert str(aggregator) == "Bargaining([1, 2.5])"
    assert str(Bargaining()) == "Bargaining"


@pytest.mark.parametrize(
    ("gramian", "options", "kind", "message"),
    [
        (torch.ones(2, 3), {}, ValueError, "gram: expected shape"),
        (torch.full((2, 2), torch.nan), {}, ValueError, "gram"),
        (torch.tensor([[1.0, 2.0], [2.0, 1.0]]), {}, ValueError, "gram"),
        (torch.eye(2, dtype=torch.bfloat16), {}, TypeError, "expected torch.float32"),
        (torch.eye(2), {"weights": [1, 2, 3]}, ValueError, r"weights: expected shape \(2,\)"),
        (torch.eye(2), {"weights": [1, -2]}, ValueError, "weights"),
        (torch.eye(2), {"length": "long"}, ValueError, "length: expected one of natural"),
        (torch.eye(2), {"maximum": 0.0}, ValueError, "maximum: expected a positive number"),
    ],
)
def test_bad_input(gramian, options, kind, message):
    with pytest.raises(kind, match=message):
        BargainingWeighting(**options)(gramian)


def test_the_solution_is_the_one_asked_for(monkeypatch):
    class Other(bargain.Nash):
        pass

    asked, solve = [], bargain.solve
    monkeypatch.setattr(
        bargain, "solve", lambda game, solution: asked.append(solution) or solve(game)
    )
    Bargaining(solution=Other())(jacobian(3))
    assert asked == [Other()]


def test_nobody_else_needs_torchjd():
    """Neither the backend itself nor a solve imports it."""
    program = (
        "import sys, torch, bargain, bargain_torch; bargain.nash(torch.eye(2)); "
        "sys.exit(any(name.startswith('torchjd') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_missing_torchjd(monkeypatch):
    monkeypatch.delitem(sys.modules, "bargain_torch.torchjd")
    monkeypatch.setitem(sys.modules, "torchjd.aggregation", None)
    with pytest.raises(
        ModuleNotFoundError, match=r'needs TorchJD: run pip install "torchjd>=0.11"'
    ):
        import bargain_torch.torchjd  # noqa: F401
