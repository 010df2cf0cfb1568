"""Folders of NYUv2 and Cityscapes, as the papers' repositories lay them out, and datasets of them.

    root/train/image/0.npy     (H, W, 3), colours from 0 to 1
    root/train/label/0.npy     (H, W), classes; -1 where nobody knows (Cityscapes: label_7)
    root/train/depth/0.npy     (H, W, 1), metres (Cityscapes: inverse depth); 0 where nobody knows
    root/train/normal/0.npy    (H, W, 3), unit vectors; 0 where nobody knows (Cityscapes: none)
    root/val/...               the same

Multi-task experiments share these files since MTAN (Liu, Johns and Davison, arXiv 1803.10704),
whose repository says where to get them.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

SOURCE = (
    "preprocessed NYUv2 and Cityscapes are linked from the repository of MTAN "
    "(github.com/lorenmt/mtan); --folder renders scenes of our own in place of them"
)


class Scene(NamedTuple):
    """A picture with its labels, or a batch of them; normals are empty where there are none."""

    image: Tensor
    label: Tensor
    depth: Tensor
    normal: Tensor


class Folder(Dataset):
    """One split of such a folder."""

    def __init__(self, root: Path, split: str) -> None:
        self.place = root / split
        names = {"image": "image", "depth": "depth", "label": "label", "normal": "normal"}
        if (self.place / "label_7").is_dir():
            names["label"] = "label_7"
        for name in ("image", "depth", "label"):
            if not (self.place / names[name]).is_dir():
                raise SystemExit(
                    f"{self.place}: expected the folders image, depth, label (or label_7) and, if "
                    f"there are any, normal, found no {names[name]}; {SOURCE}"
                )
        self.has_normals = (self.place / "normal").is_dir()
        if not self.has_normals:
            del names["normal"]
        self.names = names
        counts = {name: len(list((self.place / name).glob("*.npy"))) for name in names.values()}
        if len(set(counts.values())) > 1 or not counts["image"]:
            found = ", ".join(f"{count} in {name}" for name, count in counts.items())
            raise SystemExit(
                f"{self.place}: expected as many files 0.npy, 1.npy, … in every folder, found "
                f"{found}; unpack it again"
            )
        self.count = counts["image"]

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Scene:
        def read(name: str) -> np.ndarray:
            return np.load(self.place / self.names[name] / f"{index}.npy")

        def picture(name: str) -> Tensor:
            return torch.from_numpy(np.moveaxis(read(name), -1, 0).astype(np.float32))

        label = torch.from_numpy(read("label").astype(np.int64))
        normal = picture("normal") if self.has_normals else torch.empty(0)
        return Scene(picture("image"), label, picture("depth"), normal)

    def classes(self) -> int:
        """How many classes the labels have."""
        return 1 + max(int(self[index].label.max()) for index in range(len(self)))


def write_scene(
    root: Path, split: str, index: int, image: np.ndarray, label: np.ndarray, depth: np.ndarray,
    normal: np.ndarray,
) -> None:  # fmt: skip
    """Write one scene in this layout; pictures are (H, W, channels)."""
    for name, values in (("image", image), ("label", label), ("depth", depth), ("normal", normal)):
        place = root / split / name
        place.mkdir(parents=True, exist_ok=True)
        np.save(place / f"{index}.npy", values)
