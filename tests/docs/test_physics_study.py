"""The study of a network that solves a wave equation: its equation, its losses, and the script."""

import sys

import pytest
import torch

import bargain_torch


@pytest.fixture(scope="module")
def study(modules):
    return modules("physics")


@pytest.fixture
def batch(study):
    torch.manual_seed(5)
    return study.Points(*(part.double() for part in next(iter(study.Draws(1)))))


def test_batches_lie_where_they_should(batch):
    assert ((batch.inside > 0) & (batch.inside < 1)).all()
    assert batch.ends[:, 0].unique().tolist() == [0.0, 1.0]
    assert batch.ends[:, 1].unique().numel() > 100
    assert (batch.start[:, 1] == 0).all()
    assert batch.start[:, 0].unique().numel() > 50


def test_each_epoch_has_new_points(study):
    draws = study.Draws(2)
    found = [part.inside for part in [*draws, *draws]]
    assert len(found) == 4
    assert len({row[0, 0].item() for row in found}) == 4


def test_the_wave_solves_its_equation(study, batch):
    found = study.losses(study.wave, batch)
    assert all(loss.item() < 1e-20 for loss in found.values())


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (lambda x, t: 0.1 * t * x * (1 - x), {"equation", "velocity"}),
        (lambda x, t: 0.1 * x * (1 - x), {"equation", "start"}),
        (lambda x, t: 0.1 * t**2 * x, {"equation", "boundary"}),
    ],
)
def test_a_wrong_wave_is_noticed_by_those_whom_it_concerns(study, batch, error, wrong):
    found = study.losses(lambda points: study.wave(points) + error(*points.unbind(-1)), batch)
    assert {name for name, loss in found.items() if loss.item() > 1e-6} == wrong
    assert all(loss.item() < 1e-20 for name, loss in found.items() if name not in wrong)


def test_losses_and_gradients_are_orders_of_magnitude_apart(study, batch):
    torch.manual_seed(0)
    field = study.Field().double()
    found = study.losses(field, batch)
    sizes = [loss.item() for loss in found.values()]
    assert max(sizes) / min(sizes) > 1e3
    rows = []
    for loss in found.values():
        parts = torch.autograd.grad(
            loss, [*field.parameters()], retain_graph=True, materialize_grads=True
        )
        rows.append(torch.cat([part.flatten() for part in parts]))
    gram = torch.stack(rows) @ torch.stack(rows).T
    torch.testing.assert_close(
        bargain_torch.gram(found, field.parameters()), gram, rtol=1e-10, atol=0
    )


def test_errors_are_relative(study):
    assert study.evaluate(study.wave) == {"relative error": 0.0}
    doubled = study.validate(lambda points: 2 * study.wave(points))
    assert doubled["relative error"] == pytest.approx(1.0)


def test_the_script_prints_its_table_and_draws(study, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "physics.svg"
    command = ["physics.py", "--quick", "--epochs", "20", "--steps", "2"]
    folders = ["--folder", str(tmp_path / "runs"), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", [*command, *folders])
    monkeypatch.setattr(study, "RATES", study.RATES[:2])
    study.main()
    printed = capsys.readouterr().out
    for method in [*study.METHODS, study.SEARCHED, study.LONGER]:
        assert f"\n| {method} | " in printed
    assert "equation: loss" in printed
    assert "Factor of the conditions by trials" in printed
    assert picture.stat().st_size > 10_000
    study.main()  # nothing is trained again
    again = capsys.readouterr().out
    assert again.rpartition("\n")[0].rpartition("\n")[0] in printed
