"""What is wrong with a game in PyTorch is said before anything is solved."""

from dataclasses import dataclass

import pytest

import bargain
from bargain import Newton

torch = pytest.importorskip("torch")
bargain_torch = pytest.importorskip("bargain_torch")


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision(kind):
    with pytest.raises(TypeError, match=r"gram: expected torch\.float32 or torch\.float64, found"):
        bargain.nash(torch.eye(3, dtype=kind))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda gram: gram.fill_(torch.nan), "gram: expected finite numbers"),
        (lambda gram: gram.neg_(), "gram: expected squared norms"),
        (lambda gram: gram[0].mul_(0.5), "gram: expected a symmetric matrix"),
        (lambda gram: gram.fill_(2.0).fill_diagonal_(1.0), "gram: expected"),
    ],
)
@pytest.mark.parametrize("place", ["host", "device"])
def test_values_of_a_single_game(change, message, place):
    gram = torch.full((3, 3), 0.5) + torch.eye(3)
    change(gram)
    with bargain_torch.solve_on(place), pytest.raises(ValueError, match=message):
        bargain.nash(gram)


@pytest.mark.parametrize("place", ["host", "device"])
def test_a_bad_game_in_a_batch_is_a_status(place):
    grams = torch.stack([torch.eye(2), torch.full((2, 2), torch.nan), -torch.eye(2)])
    with bargain_torch.solve_on(place):
        outcome = bargain.nash(grams)
    assert outcome.status.tolist() == [0, 3, 3]
    assert outcome.coefficients[1:].isnan().all()


def test_negative_weights_and_radius():
    with pytest.raises(ValueError, match="weights: expected bargaining weights of at least zero"):
        bargain.nash(torch.eye(2), torch.tensor([1.0, -1.0]))
    with pytest.raises(ValueError, match="radius: expected a positive, finite number"):
        bargain.nash(torch.eye(2), radius=-2.0)


def test_the_shape_of_a_start():
    with pytest.raises(ValueError, match=r"start: expected shape \(3,\).*found \(2,\)"):
        bargain.nash(torch.eye(3), start=torch.ones(2))


def test_a_library_for_each_array():
    import numpy as np

    with pytest.raises(TypeError, match="weights: expected an array of"):
        bargain.nash(torch.eye(2), np.ones(2))


def test_devices_must_agree():
    with pytest.raises(ValueError, match="weights: expected it on cpu"):
        bargain.nash(torch.eye(2), torch.ones(2, device="meta"))


def test_a_solver_that_cannot_be_written_down():
    @dataclass(frozen=True)
    class Hidden(Newton):
        pass

    with pytest.raises(TypeError, match="frozen dataclasses at the top of a module, found"):
        bargain.nash(torch.eye(2), solver=Hidden())


def test_no_such_place():
    message = "place: expected one of auto, host, device, found 'gpu'"
    with pytest.raises(ValueError, match=message), bargain_torch.solve_on("gpu"):
        pass
