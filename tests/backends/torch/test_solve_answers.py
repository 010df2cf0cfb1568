"""PyTorch's answers are NumPy's, on the host and by the core on the game's own device."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import bargain
from bargain import CCP, FixedPoint, InteriorPoint, Newton, Status
from tests import strategies
from tests.judge import judge_outcome
from tests.libraries import TORCH_ON_CUDA, as_numpy, game_of, open_library

torch = pytest.importorskip("torch")
bargain_torch = pytest.importorskip("bargain_torch")

GRAMS = Path(__file__).parents[2] / "data" / "grams"
REAL = sorted(path.stem for path in GRAMS.glob("*.npz"))
ONE_LIBRARY = [*settings().suppress_health_check, HealthCheck.function_scoped_fixture]
"""The fixture of these tests is a library, which examples may share."""
LIBRARIES = {"cpu": "torch", "cuda": TORCH_ON_CUDA}
places = pytest.mark.parametrize("place", ["host", "device"])


@pytest.fixture
def library(device):
    return open_library(LIBRARIES[device])


def real_grams(name, count=6):
    with np.load(GRAMS / f"{name}.npz") as file:
        grams = file["grams"]
    return grams[np.linspace(0, len(grams) - 1, count).astype(int)]


def assert_same(found, expected, tolerance, steps=1):
    """Compare outcomes number by number; coefficients in units of their own size."""
    found, expected = as_numpy(found), as_numpy(expected)
    np.testing.assert_array_equal(found.status, expected.status)
    for name in ("coefficients", "utilities", "shares"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=tolerance, atol=0, err_msg=name
        )
    proof, certificate = found.certificate, expected.certificate
    np.testing.assert_array_equal(proof.accepted, certificate.accepted)
    np.testing.assert_allclose(proof.resolution, certificate.resolution, rtol=1e-6)
    np.testing.assert_allclose(proof.multipliers, certificate.multipliers, rtol=tolerance, atol=0)
    # Where the rounding floor lies above the tolerance, rounding decides when a solver stops.
    allowed = steps + np.where(certificate.floor > Newton().tol, 3 * steps, 0)
    assert (np.abs(found.steps - expected.steps) <= allowed).all()


@places
@pytest.mark.parametrize("name", REAL)
def test_real_games_one_by_one_and_as_a_batch(name, place, device):
    grams = real_grams(name)
    rng = np.random.default_rng(0)
    weights = rng.uniform(0.2, 2.0, size=grams.shape[:-1])
    tensors, tensor_weights = (torch.from_numpy(part).to(device) for part in (grams, weights))
    with bargain_torch.solve_on(place):
        batch = bargain.nash(tensors)
        assert_same(batch, bargain.nash(grams), 1e-10)
        assert_same(bargain.nash(tensors, tensor_weights), bargain.nash(grams, weights), 1e-10)
        for gram, tensor in zip(grams[:2], tensors[:2], strict=True):
            assert_same(bargain.nash(tensor), bargain.nash(gram), 1e-10)
    assert batch.coefficients.dtype == torch.float64
    assert {part.device.type for part in _leaves(batch)} == {device}
    assert batch.status.dtype == batch.steps.dtype == torch.int32


@places
@pytest.mark.parametrize("name", REAL)
def test_real_games_in_single_precision(name, place, device):
    """The answers of float64 to the same matrix, taken for as precise as it is."""
    grams = real_grams(name).astype(np.float32)
    with bargain_torch.solve_on(place):
        found = bargain.nash(torch.from_numpy(grams).to(device))
    precision = float(np.finfo(np.float32).eps)
    expected = bargain.nash(grams.astype(np.float64), precision=precision)
    assert found.coefficients.dtype == found.certificate.floor.dtype == torch.float32
    assert_same(found, expected, 1e-4)


@settings(max_examples=40, suppress_health_check=ONE_LIBRARY)
@given(case=strategies.gram_cases(most=12))
def test_every_class_of_games_on_the_host_is_numpys_to_the_bit(case, library):
    with bargain_torch.solve_on("host"):
        found = as_numpy(bargain.solve(game_of(case, library)))
    expected = as_numpy(bargain.solve(game_of(case)))
    for ours, theirs in zip(_leaves(found), _leaves(expected), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=15, suppress_health_check=ONE_LIBRARY)
@given(case=strategies.gram_cases(most=8))
def test_every_class_of_games_on_the_device_is_judged_right(case, library):
    with bargain_torch.solve_on("device"):
        judge_outcome(case, bargain.solve(game_of(case, library)))


@places
@settings(max_examples=15, suppress_health_check=ONE_LIBRARY)
@given(case=strategies.float32_cases(strategies.badly_scaled_cases(strategies.plain_cases(most=8))))
def test_single_precision_claims_no_more_than_it_has(place, case, library):
    with bargain_torch.solve_on(place):
        game = game_of(case, library)
        outcome = bargain.solve(game)
    judge_outcome(case, outcome)
    assert bool(bargain.certify(game, bargain.Nash(), outcome).accepted)


@places
@settings(max_examples=15, suppress_health_check=ONE_LIBRARY)
@given(case=strategies.attainable_disagreement_cases(strategies.plain_cases(most=6)))
def test_games_with_a_disagreement_point(place, case, library):
    with bargain_torch.solve_on(place):
        judge_outcome(case, bargain.solve(game_of(case, library)))


@settings(max_examples=15, suppress_health_check=ONE_LIBRARY)
@given(
    case=strategies.float32_cases(
        strategies.attainable_disagreement_cases(strategies.plain_cases(most=6))
    )
)
def test_disagreement_points_in_single_precision_stay_there(case, library):
    """Rounding leaves such matrices indefinite, which double precision would take seriously."""
    judge_outcome(case, bargain.solve(game_of(case, library)))


@places
@settings(max_examples=15, suppress_health_check=ONE_LIBRARY)
@given(case=strategies.absent_player_cases(strategies.plain_cases(most=6)))
def test_absent_players_may_hold_nan(place, case, library):
    with bargain_torch.solve_on(place):
        judge_outcome(case, bargain.solve(game_of(case, library)))


@pytest.mark.parametrize(
    "solver", [Newton(), FixedPoint(tol=1e-9), CCP(rounds=30), InteriorPoint(tol=1e-10)]
)
def test_solvers_keep_their_options(solver, device):
    gram = real_grams("qm9_11tasks", 1)[0]
    found = bargain.nash(torch.from_numpy(gram).to(device), solver=solver)
    expected = bargain.nash(gram, solver=solver)
    assert_same(found, expected, 0.0, steps=0)
    assert float(found.residual) == float(expected.residual)


def test_options_of_a_solve_arrive(device):
    gram = real_grams("mt10_bc", 1)[0]
    tensor = torch.from_numpy(gram).to(device)
    assert int(bargain.nash(tensor, max_steps=0).status) == Status.MAX_STEPS
    precise = bargain.nash(tensor, precision=1e-4).certificate.resolution
    assert float(precise) == float(bargain.nash(gram, precision=1e-4).certificate.resolution)
    start = torch.from_numpy(bargain.nash(gram).coefficients).to(device)
    assert int(bargain.nash(tensor, start=start).steps) == 0
    assert int(bargain.nash(tensor).steps) > 0


def test_companions_broadcast(device):
    grams = torch.from_numpy(real_grams("qm9_11tasks", 3)).to(device)
    numbers = np.linspace(0.5, 1.5, 11)
    weights = torch.from_numpy(numbers).to(device)
    active = torch.arange(11, device=device) != 4
    radius = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64, device=device)
    start = torch.ones_like(grams[..., 0])
    found = bargain.nash(grams, weights, active=active, radius=radius, start=start)
    for k in range(3):
        alone = bargain.nash(
            grams[k].cpu().numpy(), numbers, active=active.cpu().numpy(), radius=float(radius[k])
        )
        np.testing.assert_allclose(found.coefficients[k].cpu(), alone.coefficients, rtol=1e-10)
        np.testing.assert_allclose(found.utilities[k].cpu(), alone.utilities, rtol=1e-10)
    half = bargain.nash(grams[0], radius=2).utilities / bargain.nash(grams[0]).utilities
    np.testing.assert_allclose(half.cpu(), 2.0)


@pytest.mark.parametrize("cosine", [-1.0, -1 + 1e-15, 0.5])
def test_results_are_the_callers_own(cosine, device):
    """No two results share their memory, so writing into one changes no other, nor a later game."""
    gram = torch.tensor([[1.0, cosine], [cosine, 1.0]], dtype=torch.float64, device=device)
    addresses = []
    for *numbers, certificate in (bargain.nash(gram), bargain.nash(gram)):
        # Gap and residual are the certificate's.
        results = [*numbers[:4], numbers[6], *certificate]
        addresses += [values.data_ptr() for values in results]
        results[3].fill_(7)
        certificate.accepted.fill_(False)
    assert len(set(addresses)) == len(addresses)
    assert int(bargain.nash(gram).status) != 7


def test_the_game_is_left_alone(device):
    gram = torch.from_numpy(real_grams("mt10_bc", 1)[0]).to(device)
    before, weights = gram.clone(), torch.ones(10, dtype=torch.float64, device=device)
    bargain.nash(gram, weights, active=torch.arange(10, device=device) > 0)
    assert torch.equal(gram, before)


def test_any_strides_will_do(device):
    gram = torch.from_numpy(real_grams("mt10_bc", 1)[0]).to(device)
    sparse = torch.full((20, 20), torch.nan, dtype=torch.float64, device=device)
    sparse[::2, 1::2] = gram
    expected = bargain.nash(gram).coefficients
    assert torch.equal(bargain.nash(sparse[::2, 1::2]).coefficients, expected)


def _leaves(tree):
    return [leaf for part in tree for leaf in _leaves(part)] if isinstance(tree, tuple) else [tree]
