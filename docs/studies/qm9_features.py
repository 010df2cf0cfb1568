"""Features of molecules that a plain network can read: how far atoms are from each other.

For each of the 15 pairs of elements a radial distribution, the pairs' distances smeared over 24
bins, and how many atoms of each element there are: 365 numbers that no turn of a molecule changes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from qm9_molecules import ELEMENTS, Molecule, read_molecules

BINS = np.linspace(0.8, 7.0, 24)  # ångström
WIDTH = BINS[1] - BINS[0]
PAIRS = len(ELEMENTS) * (len(ELEMENTS) + 1) // 2


class Sample(NamedTuple):
    """Features (n, 365) and properties (n, 11)."""

    features: np.ndarray
    properties: np.ndarray


def make_sample(molecules: Sequence[Molecule]) -> Sample:
    features = np.stack([features_of(molecule) for molecule in molecules])
    properties = np.stack([molecule.properties for molecule in molecules])
    return Sample(features.astype(np.float32), properties)


def features_of(molecule: Molecule) -> np.ndarray:
    first, second = np.triu_indices(len(molecule.elements), k=1)
    distances = np.linalg.norm(molecule.places[first] - molecule.places[second], axis=1)
    bumps = np.exp(-0.5 * ((distances[:, None] - BINS) / WIDTH) ** 2)
    low, high = np.sort(molecule.elements[[first, second]], axis=0)
    pairs = high * (high + 1) // 2 + low  # the place in a triangle
    distribution = np.eye(PAIRS)[pairs].T @ bumps
    counts = np.bincount(molecule.elements, minlength=len(ELEMENTS))
    return np.concatenate([distribution.ravel(), counts])


def load_sample(source: Path, count: int, cache: Path) -> Sample:
    """Features of so many molecules, kept in a file."""
    file = cache / f"features_{count}.npz"
    if file.exists():
        with np.load(file) as kept:
            return Sample(kept["features"], kept["properties"])
    sample = make_sample(read_molecules(source, count))
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished.npz")  # so that no half of a file is ever read
    np.savez(unfinished, **sample._asdict())
    unfinished.replace(file)
    return sample
