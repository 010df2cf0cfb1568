"""Fashion-MNIST out of the Debian package `dataset-fashion-mnist`: four files in the IDX format."""

import gzip
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path("/usr/share/datasets/fashion-mnist")
CLASSES = (
    "T-shirt", "trousers", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip
KINDS = ("images-idx3", "labels-idx1")
BYTES = 0x08  # the only type of elements that these files have


class Clothes(NamedTuple):
    """Grey pictures (N, 28, 28) from 0 to 255, and labels (N,)."""

    pixels: np.ndarray
    labels: np.ndarray


def load_clothes(folder: Path = FOLDER) -> tuple[Clothes, Clothes]:
    """The 60,000 pictures to train on and the 10,000 to test on."""
    names = [f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in KINDS]
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise SystemExit(
            f"Fashion-MNIST: expected {', '.join(names)} in {folder}, found no {missing[0]}; run "
            f"apt-get install dataset-fashion-mnist, or name the folder that has them by --data"
        )
    parts = [read_idx(folder / name) for name in names]
    return Clothes(*parts[:2]), Clothes(*parts[2:])


def read_idx(path: Path) -> np.ndarray:
    """An array of bytes out of a compressed IDX file.

    Two zeros, the type of the elements, the number of axes; then the length of each axis, four
    bytes with the highest first; then the elements.
    """
    with gzip.open(path) as file:
        content = file.read()
    if content[:3] != bytes([0, 0, BYTES]) or len(content) < 4 * (1 + content[3]):
        raise SystemExit(
            f"{path}: expected an IDX file of bytes, which begins with 00 00 08 and the number of "
            f"axes, found {content[:4].hex(' ') or 'nothing'}; install the data anew"
        )
    axes = content[3]
    shape = tuple(int(n) for n in np.frombuffer(content, ">u4", count=axes, offset=4))
    elements = content[4 * (1 + axes) :]
    if len(elements) != math.prod(shape):
        raise SystemExit(
            f"{path}: expected {math.prod(shape)} elements for the shape {shape}, found "
            f"{len(elements)}; install the data anew"
        )
    return np.frombuffer(elements, np.uint8).reshape(shape)
