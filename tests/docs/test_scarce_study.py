"""The study of scarce labels: who gets which labels, and what learned weights do, in small."""

import importlib
import importlib.util
import sys

import numpy as np
import pytest
import torch


@pytest.fixture(scope="module")
def study(modules):
    return modules("scarce")


@pytest.fixture(scope="module")
def problems(modules):
    return modules("scarce_problem")


def made(modules, count):
    """Molecules whose gap is a plain function of few features."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(count, 12)).astype(np.float32)
    properties = rng.normal(size=(count, 11))
    properties[:, 3] = properties[:, 2] + np.tanh(features @ rng.normal(size=12) / 2)
    return modules("qm9_features").Sample(features, properties)


@pytest.fixture(scope="module")
def sizes(problems):
    return problems.Sizes(clean=30, held_out=30, doubtful=600, test=200)


@pytest.fixture(scope="module")
def sample(modules, sizes):
    return made(modules, sizes.training + sizes.test)


@pytest.fixture(scope="module")
def gap(problems, sample, sizes):
    return problems.Gap(sample, sizes, batch=64)


def rows_in(gap, molecules):
    """Where molecules stand in the sample, by their features."""
    places = {row.tobytes(): k for k, row in enumerate(gap.molecules.features.numpy())}
    return [places[row.tobytes()] for row in molecules.numpy()]


def test_nobody_has_two_roles_and_the_test_molecules_none(gap, sizes):
    labels = gap.draw(3)
    roles = [labels.clean.features, labels.held_out.features, labels.features]
    rows = [place for features in roles for place in rows_in(gap, features)]
    assert sorted(rows) == list(range(sizes.training))
    assert rows_in(gap, gap.draw(4).clean.features) != rows[: sizes.clean]
    assert torch.equal(gap.draw(3).doubtful["noisy"], labels.doubtful["noisy"])


def test_sources_are_what_they_are_called(gap):
    labels = gap.draw(0)
    truth = gap.molecules.gaps[rows_in(gap, labels.features)]
    noise = labels.doubtful["noisy"] - truth
    assert noise.std() == pytest.approx(1.0, abs=0.1)
    assert abs(np.corrcoef(noise, truth)[0, 1]) < 0.15
    assert torch.equal(labels.doubtful["flipped"], -truth)
    shuffled = labels.doubtful["shuffled"]
    assert torch.equal(shuffled.sort().values, truth.sort().values)
    assert abs(np.corrcoef(shuffled, truth)[0, 1]) < 0.15


def test_gaps_are_differences_of_the_right_columns(gap, sample, sizes):
    difference = sample.properties[:, 3] - sample.properties[:, 2]
    assert np.corrcoef(gap.molecules.gaps, difference)[0, 1] == pytest.approx(1.0)
    assert gap.molecules.gaps[: sizes.training].std() == pytest.approx(1.0, rel=1e-5)


def test_with_nothing_held_out_those_labels_are_trained_on(problems, sample, sizes, gap):
    alone = problems.Gap(sample, sizes, judged=False, batch=64)
    both, more = gap.draw(5), alone.draw(5).clean
    expected = torch.cat([both.clean.features, both.held_out.features])
    assert torch.equal(more.features, expected)
    seen = torch.cat([clean for clean, _ in [*alone.data(), *alone.data(), *alone.data()]])
    assert set(seen.tolist()) == set(range(60))


def test_losses_are_of_the_labels_of_the_seed(gap):
    torch.manual_seed(1)
    model = gap.model()
    clean, rows = next(iter(gap.data()))
    assert (len(clean), len(rows)) == (16, 64)
    found = gap.losses(model, (clean, rows))
    labels = gap.draw(1)
    guess = model(labels.features[rows])
    for name, doubtful in labels.doubtful.items():
        torch.testing.assert_close(found[name], (guess - doubtful[rows]).square().mean())
    error = (model(labels.clean.features[clean]) - labels.clean.gaps[clean]).square().mean()
    torch.testing.assert_close(found["main"], error)
    assert torch.equal(gap.main_loss(model, (clean, rows))["main"], found["main"])


def test_learned_weights_find_out_who_helps(study, gap, tmp_path):
    comparison = study.compare(
        gap.model,
        gap.losses,
        gap.data,
        shared=lambda model: model.parameters(),
        evaluate=gap.evaluate,
        methods={"equal": study.METHODS["Nash, equal weights"], "learned": study.learned(every=4)},
        rates=(2e-3,),
        epochs=24,
        seeds=1,
        folder=tmp_path,
    )
    assert comparison.mean("learned", "MAE")[0] < 0.8 * comparison.mean("equal", "MAE")[0]
    (run,) = comparison.of("learned")
    main, noisy, flipped, shuffled = study.shares_of(run)[-1]
    assert max(flipped, shuffled) < 0.1
    assert main + noisy > 0.9


@pytest.fixture
def made_package(study, modules, problems, monkeypatch):
    monkeypatch.setattr(study, "find_folder", lambda: None)
    monkeypatch.setattr(study, "load_sample", lambda source, count, cache: made(modules, count))


def test_the_script_prints_its_tables_and_draws(study, made_package, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "RATES", study.RATES[:1])
    few = ("rate 1",)
    monkeypatch.setattr(study, "VARIANTS", {name: study.VARIANTS[name] for name in few})
    picture = tmp_path / "pictures" / "scarce.svg"
    run_script(study, monkeypatch, "--folder", tmp_path / "runs", "--picture", picture)
    lines = capsys.readouterr().out.splitlines()
    for name in (*study.METHODS, study.SINGLE_MORE, *few):
        assert sum(line.startswith(f"| {name} |") for line in lines) == 1 + (name == study.LEARNED)
    assert picture.stat().st_size > 10_000


def test_missing_data_is_one_sentence_with_the_command(study, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"run pip install qm9pack==1.0.3$"):
        run_script(study, monkeypatch)


def run_script(study, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["scarce.py", "--quick", "--seeds", "1", *map(str, options)])
    monkeypatch.setenv("COLUMNS", "400")
    study.main()
