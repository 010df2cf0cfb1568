"""The study of QM9: its data, its features, both units, and the script on a few made molecules."""

import importlib
import importlib.util
import json
import sys

import numpy as np
import pytest
import torch

SYMBOLS = np.asarray(["H", "C", "N", "O", "F"])


@pytest.fixture(scope="module")
def study(modules):
    return modules("qm9")


@pytest.fixture(scope="module")
def reader(modules):
    return modules("qm9_molecules")


@pytest.fixture(scope="module")
def made(tmp_path_factory, reader):
    """Made molecules in the layout of the package, which must not be imported."""
    package = tmp_path_factory.mktemp("packages") / "qm9pack"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('this package cannot be imported')")
    rng = np.random.default_rng(0)
    columns = ["Index", "Elements", "XYZ_Ang", *(t.column for t in reader.TARGETS.values())]
    for part in range(3):
        rows = [_made_row(40 * part + k, rng) for k in range(40)]
        lines = [",".join(columns), *(",".join(row) for row in rows)]
        (package / "data" / f"qm9_part{part + 1}.csv").write_text("\n".join(lines) + "\n")
    (package / "data" / "qm9_polarizability.csv").write_text("XYZ_file,A_xx\n")
    return package.parent


def _made_row(number, rng):
    symbols = rng.choice(SYMBOLS, size=rng.integers(3, 7))
    places = rng.normal(size=(len(symbols), 3)).round(4)
    properties = rng.normal(size=11) + len(symbols)
    texts = [f"{value:.6f}" for value in properties]
    texts[0] = f"{properties[0] * 1e6:.6f}*^-6"  # Mathematica's way, as in some rows
    elements = json.dumps(symbols.tolist()).replace('"', "'").replace(" ", "")
    coordinates = json.dumps(places.tolist()).replace(" ", "")
    return [str(number), f'"{elements}"', f'"{coordinates}"', *texts]


@pytest.fixture
def installed(made, monkeypatch):
    monkeypatch.syspath_prepend(str(made))


@pytest.fixture
def molecules(installed, reader):
    return reader.read_molecules(reader.find_folder(), 120)


def test_every_molecule_is_read_once_and_in_an_order_that_the_seed_decides(
    installed, reader, molecules
):
    folder = reader.find_folder()
    keys = [molecule.properties[0] for molecule in molecules]
    assert len(set(keys)) == 120
    again, other = (reader.read_molecules(folder, 120, seed) for seed in (0, 1))
    assert [molecule.properties[0] for molecule in again] == keys
    assert [molecule.properties[0] for molecule in other] != keys
    some = reader.read_molecules(folder, 10)
    assert [molecule.properties[0] for molecule in some] == keys[:10]


def test_molecules_are_what_the_file_says(installed, reader):
    """Numbers with a sign for powers of ten, and energies without those of the atoms."""
    folder = reader.find_folder()
    text = "".join(part.read_text() for part in folder.glob("qm9_part*"))
    rows = [line.split(",")[-11:] for line in text.splitlines() if "*^" in line]
    dipoles = sorted(float(row[0].replace("*^", "e")) for row in rows)
    found = reader.read_molecules(folder, 120)
    assert sorted(molecule.properties[0] for molecule in found) == dipoles
    row = (
        "x,\"['C','H','H','H','H']\",\"[[0.,0.,0.],[1.,0.,0.],[0.,1.,0.],[0.,0.,1.],[1.,1.,1.]]\","
    )
    energies = "-40.478930,-40.476062,-40.475117,-40.498597"  # methane, as published
    path = folder / "qm9_part9.csv"
    header = ",".join(
        ["Index", "Elements", "XYZ_Ang", *(t.column for t in reader.TARGETS.values())]
    )
    try:
        path.write_text(
            f"{header}\n{row}0,13.21,-0.3877,0.1171,35.3641,0.044749,{energies},6.469\n"
        )
        methane = next(m for m in reader.read_molecules(folder, 121) if m.properties[1] == 13.21)
    finally:
        path.unlink()
    np.testing.assert_array_equal(methane.elements, [1, 0, 0, 0, 0])
    np.testing.assert_array_equal(methane.places[4], [1, 1, 1])
    assert methane.properties[6] == pytest.approx(-0.631066, abs=1e-6)  # hartree, at 0 K


def test_too_few_molecules_are_said(installed, reader):
    with pytest.raises(ValueError, match="expected at least 121 molecules, found 120"):
        reader.read_molecules(reader.find_folder(), 121)


def test_features_do_not_see_turns_shifts_and_the_order_of_atoms(modules, molecules):
    features = modules("qm9_features")
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    for molecule in molecules[:10]:
        order = np.random.default_rng(2).permutation(len(molecule.elements))
        moved = molecule._replace(
            elements=molecule.elements[order], places=molecule.places[order] @ turn + 5.0
        )
        found = features.features_of(molecule)
        assert found.shape == (365,)
        np.testing.assert_allclose(features.features_of(moved), found, atol=1e-9)
        stretched = molecule._replace(places=1.1 * molecule.places)
        assert np.abs(features.features_of(stretched) - found).max() > 0.01


def test_features_tell_pairs_of_elements_apart(modules, reader):
    features = modules("qm9_features")
    seen = set()
    for first in range(5):
        for second in range(first, 5):
            pair = np.asarray([first, second])
            places = np.asarray([[0.0, 0.0, 0.0], [features.BINS[3], 0.0, 0.0]])
            found = features.features_of(reader.Molecule(pair, places, np.zeros(11)))
            seen.add(int(found[:360].argmax()))
            assert found[:360].max() == pytest.approx(1.0)
            np.testing.assert_array_equal(found[360:], np.bincount(pair, minlength=5))
    assert len(seen) == 15


def test_features_are_kept(modules, reader, installed, tmp_path, monkeypatch):
    features = modules("qm9_features")
    first = features.load_sample(reader.find_folder(), 20, tmp_path / "cache")
    monkeypatch.setattr(features, "read_molecules", None)
    again = features.load_sample(reader.find_folder(), 20, tmp_path / "cache")
    np.testing.assert_array_equal(again.features, first.features)
    np.testing.assert_array_equal(again.properties, first.properties)


@pytest.fixture
def problems(modules, molecules):
    sample = modules("qm9_features").make_sample(molecules)
    problem, sizes = modules("qm9_problem"), modules("qm9_problem").Sizes(64, 24, 32)
    inputs = problem.standardised(sample.features, 64)
    return {
        units: problem.Properties(inputs, sample.properties, sizes, units, batch=16)
        for units in problem.UNITS
    }


def test_units_change_the_scales_of_losses_and_nothing_else(modules, problems):
    torch.manual_seed(0)
    model = modules("qm9_networks").Shared()
    losses = {}
    for units, problem in problems.items():
        torch.manual_seed(1)
        losses[units] = problem.losses(model, next(iter(problem.data())))
    for k, name in enumerate(losses["raw"]):
        variance = float(problems["raw"].deviations[k] ** 2)
        expected = float(losses["standardised"][name].detach()) * variance
        assert float(losses["raw"][name].detach()) == pytest.approx(expected, rel=1e-5)
    assert problems["raw"].evaluate(model) == problems["standardised"].evaluate(model)


def test_errors_are_in_the_units_of_the_tables(reader, problems):
    """A network that says nothing but the mean."""
    problem = problems["standardised"]
    silent = torch.nn.Linear(365, 11)
    torch.nn.init.zeros_(silent.weight)
    torch.nn.init.zeros_(silent.bias)
    errors = problem.evaluate(silent)
    wanted = problem.wanted[-32:].double().abs().mean(dim=0).numpy() * problem.deviations
    assert errors["α"] == pytest.approx(wanted[1], rel=1e-6)
    assert errors["HOMO"] == pytest.approx(wanted[2] * 27211.386, rel=1e-6)
    assert errors != problem.validate(silent)


def test_batches_visit_everybody_but_the_odd_ones(problems):
    problem = problems["raw"]
    rows = [tuple(wanted[0].tolist()) for _, wanted in problem.data()]
    assert len(rows) == 4
    seen = torch.cat([wanted for _, wanted in problem.data()])
    assert len(seen.unique(dim=0)) == 64
    trained = problem.wanted[:64]
    torch.testing.assert_close(seen.sort(dim=0).values, trained.sort(dim=0).values)


def test_separate_networks_are_separate(modules):
    torch.manual_seed(0)
    model, inputs = modules("qm9_networks").Separate(), torch.randn(6, 365)
    found = model(inputs)
    assert found.shape == (6, 11)
    values = inputs
    for depth, (matrix, shift) in enumerate(zip(model.matrices, model.shifts, strict=True)):
        values = (values if depth == 0 else values.relu()) @ matrix[4] + shift[4]
    torch.testing.assert_close(found[:, 4:5], values)
    found[:, 4].square().sum().backward()
    for parameter in model.parameters():
        touched = parameter.grad.flatten(start_dim=1).abs().amax(dim=1) > 0
        assert touched.tolist() == [k == 4 for k in range(11)]


def test_the_script_prints_its_tables_and_draws(
    study, modules, installed, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(study, "QUICK", modules("qm9_problem").Sizes(64, 24, 32))
    monkeypatch.setattr(modules("qm9_problem").Properties.__init__, "__defaults__", (16,))
    monkeypatch.setattr(study, "RATES", study.RATES[:2])
    few = ("LS", "UPGrad", "Nash")
    monkeypatch.setattr(study, "METHODS", {name: study.METHODS[name] for name in few})
    picture = tmp_path / "pictures" / "qm9.svg"
    run_script(study, monkeypatch, "--folder", tmp_path / "runs", "--picture", picture)
    printed = capsys.readouterr().out
    assert "standardised: Δm %" in printed
    assert "raw: Δm %" in printed
    for name in few:
        assert sum(line.startswith(f"| {name} |") for line in printed.splitlines()) == 3
    assert sum(line.startswith("| single-task |") for line in printed.splitlines()) == 2
    assert picture.stat().st_size > 10_000


def test_missing_data_is_one_sentence_with_the_command(study, reader, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"run pip install qm9pack==1.0.3$"):
        run_script(study, monkeypatch)


@pytest.mark.skipif(
    importlib.util.find_spec("qm9pack") is None, reason="needs qm9pack: pip install qm9pack"
)
def test_the_real_molecules_are_plausible(reader):
    molecules = reader.read_molecules(reader.find_folder(), 300)
    properties = np.stack([molecule.properties for molecule in molecules])
    names = list(reader.TARGETS)
    assert np.isfinite(properties).all()
    assert (properties[:, names.index("G")] < 0).all()  # what holds molecules together
    gap = properties[:, names.index("LUMO")] - properties[:, names.index("HOMO")]
    assert 0.2 < gap.mean() < 0.3  # hartree
    for molecule in molecules:
        apart = np.linalg.norm(molecule.places[:, None] - molecule.places, axis=-1)
        assert apart[np.triu_indices(len(apart), k=1)].min() > 0.9  # ångström


def run_script(study, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["qm9.py", "--quick", "--seeds", "1", *map(str, options)])
    monkeypatch.setenv("COLUMNS", "400")
    study.main()
