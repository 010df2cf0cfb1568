"""Where games are solved, and what a GPU waits for."""

import json
import math
from unittest import mock

import numpy as np
import pytest

import bargain
from bargain import FixedPoint, Nash

torch = pytest.importorskip("torch")
bargain_torch = pytest.importorskip("bargain_torch")

from bargain_torch import backend, place, solve_op  # noqa: E402 - may not be there
from bargain_torch.recipe import read_recipe, write_recipe  # noqa: E402

cuda = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU"),
]
devices = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=cuda)])


def grams_of(players, games=None):
    gradients = np.random.default_rng(0).normal(size=(games or 1, players, players + 5))
    grams = torch.from_numpy(gradients @ np.swapaxes(gradients, -1, -2))
    return grams if games else grams[0]


def test_a_recipe_survives_being_written():
    text = write_recipe(FixedPoint(tol=1e-7), Nash(), 12, 1e-9, ("active", "start"), True)
    assert json.loads(text)[0][:2] == ["bargain.fixed_point", "FixedPoint"]
    recipe = read_recipe(text)
    assert recipe == (FixedPoint(tol=1e-7), Nash(), 12, 1e-9, ("active", "start"), True)


def test_a_choice_lasts_as_long_as_its_context():
    gram = grams_of(3)
    assert place.goes_to_host(gram)
    with bargain_torch.solve_on("device"):
        assert not place.goes_to_host(gram)
        with bargain_torch.solve_on("host"):
            assert place.goes_to_host(gram)
        assert not place.goes_to_host(gram)
    assert place.goes_to_host(gram)


def test_the_choice_counts_games_and_players():
    """On CUDA few games go to the host and many stay; on the CPU all go."""

    def on_cuda(*shape):
        tensor = mock.Mock(spec=torch.Tensor, is_cuda=True, shape=shape)
        tensor.numel.return_value = math.prod(shape)
        return tensor

    assert place.goes_to_host(on_cuda(11, 11))
    assert place.goes_to_host(on_cuda(100, 11, 11))
    assert not place.goes_to_host(on_cuda(10_000, 11, 11))
    assert not place.goes_to_host(on_cuda(400, 50, 50))
    assert place.goes_to_host(grams_of(3, 20_000))


def test_the_core_at_work_does_not_call_itself(monkeypatch):
    calls = []
    solve = solve_op.solve_in_core
    monkeypatch.setattr(
        solve_op, "solve_in_core", lambda *a, **o: calls.append(1) or solve(*a, **o)
    )
    with bargain_torch.solve_on("device"):
        bargain.nash(grams_of(3))
    assert len(calls) == 1


@devices
def test_a_system_that_is_not_positive_definite_gives_nan_and_harms_no_other(device):
    matrices = torch.stack([2 * torch.eye(2), torch.tensor([[1.0, 2.0], [2.0, 1.0]])]).to(device)
    solution = backend.solve_spd(matrices, torch.ones(2, 2, device=device))
    torch.testing.assert_close(solution[0].cpu(), torch.full((2,), 0.5))
    assert solution[1].isnan().all()
    assert backend.positive_definite(matrices).tolist() == [True, False]


@devices
def test_an_outcome_travels_in_one_piece(device):
    parts = solve_op._parts(bargain.nash(grams_of(4, 3).numpy()), False)
    gram = grams_of(4, 3).to(device)
    for found, part in zip(solve_op.unpacked(parts, gram), parts, strict=True):
        assert found.device == gram.device
        np.testing.assert_array_equal(found.cpu(), part)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU")
class TestCuda:
    @pytest.mark.parametrize("where", ["auto", "host", "device"])
    @pytest.mark.parametrize("games", [None, 50])
    def test_answers_are_numpys_and_stay_on_the_device(self, where, games):
        grams = grams_of(11, games)
        expected = bargain.nash(grams)
        with bargain_torch.solve_on(where):
            found = bargain.nash(grams.cuda())
        assert found.coefficients.is_cuda
        assert found.status.is_cuda
        torch.testing.assert_close(
            found.coefficients.cpu(), expected.coefficients, rtol=1e-10, atol=0
        )
        assert torch.equal(found.status.cpu(), expected.status)
        assert int((found.steps.cpu() - expected.steps).abs().max()) <= 1

    def test_derivatives_wait_for_nothing(self):
        gram = grams_of(11).cuda().requires_grad_()
        coefficients = bargain.nash(gram).coefficients
        torch.cuda.set_sync_debug_mode("error")
        try:
            coefficients.sum().backward()
        finally:
            torch.cuda.set_sync_debug_mode("default")
        expected = grams_of(11).requires_grad_()
        bargain.nash(expected).coefficients.sum().backward()
        torch.testing.assert_close(gram.grad.cpu(), expected.grad)

    def test_on_the_host_a_game_is_waited_for_once(self, monkeypatch):
        waits = []
        wait = torch.cuda.Stream.synchronize
        monkeypatch.setattr(torch.cuda.Stream, "synchronize", lambda s: waits.append(1) or wait(s))
        weights = torch.ones(11, dtype=torch.float64, device="cuda")
        with bargain_torch.solve_on("host"):
            bargain.nash(grams_of(11).cuda(), weights)
        assert len(waits) == 1
