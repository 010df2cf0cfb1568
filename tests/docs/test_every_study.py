"""The study of a game every N steps: what it counts, and its script on a few made molecules."""

import importlib
import importlib.util
import sys

import numpy as np
import pytest


@pytest.fixture
def study(modules, monkeypatch):
    found = modules("every")
    monkeypatch.setattr(found, "INTERVALS", (1, 10))
    names = ("LS", "Nash", "Nash, every 10")
    monkeypatch.setattr(found, "METHODS", {name: found.METHODS[name] for name in names})
    return found


@pytest.fixture
def sample(modules):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 365)).astype(np.float32)
    properties = features[:, :11] + 0.1 * rng.normal(size=(120, 11))
    return modules("qm9_features").Sample(features, properties.astype(np.float64))


@pytest.fixture
def sizes(modules):
    return modules("qm9_problem").Sizes(64, 24, 32)


@pytest.fixture
def problem(modules, sample, sizes):
    module = modules("qm9_problem")
    inputs = module.standardised(sample.features, 64)
    return module.Properties(inputs, sample.properties, sizes, "standardised", batch=16)


def test_games_are_counted_and_cost(study, problem):
    plain, often, seldom = (study.cost_of(problem, every, 40) for every in (None, 1, 10))
    assert (plain.games, often.games, seldom.games) == (0, 1, 0.1)
    assert 0 < plain.seconds < often.seconds
    assert seldom.seconds < often.seconds


def test_shares_are_fair_at_first_and_only_then(study, problem):
    shares = study.aged_shares(problem, 10, 1e-3, 45, seed=0)
    assert shares.shape == (4, 10, 11)
    np.testing.assert_allclose(shares.sum(axis=2), 1)
    np.testing.assert_allclose(shares[:, 0], 1 / 11, atol=1e-3)
    assert (np.abs(shares[:, 1:] - 1 / 11).max(axis=2) > 0.01).all()


def test_the_script_prints_its_tables_and_draws(
    study, modules, sample, sizes, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(study, "find_folder", lambda: tmp_path)
    monkeypatch.setattr(study, "load_sample", lambda source, count, cache: sample)
    monkeypatch.setattr(study.qm9, "QUICK", sizes)
    monkeypatch.setattr(modules("qm9_problem").Properties.__init__, "__defaults__", (16,))
    picture = tmp_path / "pictures" / "every.svg"
    options = ["--quick", "--seeds", "1", "--folder", str(tmp_path), "--picture", str(picture)]
    monkeypatch.setattr(sys, "argv", ["every.py", *options])
    study.main()
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("| Nash | 100 % |") for line in lines) == 1
    assert sum(line.startswith("| Nash, every 10 | 10 % |") for line in lines) == 1
    assert any(line.startswith("| LS | 0 % |") and "| 1.00 |" in line for line in lines)
    assert any(line.startswith("| 0 | 0.091 | 0.091 | 0 % |") for line in lines)
    assert picture.stat().st_size > 10_000


def test_missing_data_is_one_sentence_with_the_command(study, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["every.py"])
    with pytest.raises(SystemExit, match=r"run pip install qm9pack==1.0.3$"):
        study.main()
