"""Study: segmentation, depth and normals of a scene, `python docs/studies/scenes.py`.

One small network looks at pictures and finds what is where, how far, and how it is turned. On
scenes that are rendered with exact labels, or on folders of NYUv2 or Cityscapes (`--data FOLDER`).
"""

import argparse
import json
import time
from functools import lru_cache, partial
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress
from torch.utils.data import DataLoader

from bargain_torch.comparison import (
    Bargain,
    Comparison,
    Fixed,
    GradientRule,
    LossRule,
    compare,
)
from scenes_folders import Folder
from scenes_network import DEPTH, HIGHER, NORMALS, SEGMENTATION, Network, evaluate, losses
from scenes_picture import draw
from scenes_rendering import render

COUNTS, SIDE = {"train": 800, "val": 300}, 48
BATCH, EPOCHS, RATE = 16, 10, 2e-3
PICTURE = Path(__file__).parents[1] / "pictures" / "scenes.png"
SINGLE = "single-task, three networks"
METHODS = {
    "LS": Fixed(),
    "SI": LossRule("si"),
    "MGDA": GradientRule("mgda"),
    "Nash": Bargain(),
    "Nash, every 10": Bargain(every=10),
}


@lru_cache
def split(root: Path, name: str) -> Folder:
    return Folder(root, name)


@lru_cache
def outputs(root: Path) -> dict[str, int]:
    """How many channels the head of each task has."""
    folder = split(root, "train")
    found = {SEGMENTATION: folder.classes(), DEPTH: 1}
    return {**found, NORMALS: 3} if folder.has_normals else found


def loader(root: Path, name: str, batch: int) -> DataLoader:
    return DataLoader(split(root, name), batch, shuffle=name == "train", drop_last=name == "train")


def make_scenes(root: Path, counts: dict[str, int], side: int, console: Console) -> None:
    """Render the scenes, unless they are there already, all of them."""
    told = {"counts": counts, "side": side}
    done = root / "rendered.json"
    if done.exists() and json.loads(done.read_text()) == told:
        return
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("rendering", total=sum(counts.values()))
        render(root, counts, side, seed=0, tick=lambda: progress.advance(bar))
    done.write_text(json.dumps(told))


def run(
    root: Path, runs: Path, *, seeds: int, epochs: int, batch: int = BATCH, methods=METHODS
) -> tuple[Comparison, Comparison]:
    """Train three separate networks for reference, then one by every method."""
    channels = outputs(root)
    problem = {
        "losses": losses,
        "data": partial(loader, root, "train", batch),
        "evaluate": lambda model: evaluate(
            model, loader(root, "val", batch), channels[SEGMENTATION]
        ),
        "shared": lambda model: model.trunks.parameters(),
        "higher": [name for name in HIGHER if NORMALS in channels or "within" not in name],
        "rates": (RATE,),
        "seeds": seeds,
        "epochs": epochs,
    }
    single = compare(
        partial(Network, channels, separate=True),
        methods={SINGLE: Fixed()},
        folder=runs / "single",
        **problem,
    )
    return single, compare(
        partial(Network, channels), methods=methods, folder=runs / "shared", **problem
    )


def reference(single: Comparison) -> dict[str, float]:
    return {metric: single.mean(SINGLE, metric)[0] for metric in single.metrics}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, help="a folder of NYUv2 or Cityscapes; default: render"
    )
    parser.add_argument("--folder", type=Path, default=Path("comparison/scenes"), help="for all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--quick", action="store_true", help="few scenes, one seed, one epoch")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    console, began = Console(), time.perf_counter()
    torch.set_num_threads(1)
    root = options.data
    if root is None:
        root = options.folder / ("few" if options.quick else "rendered")
        counts = {"train": 48, "val": 16} if options.quick else COUNTS
        make_scenes(root, counts, SIDE, console)
    single, comparison = run(
        root,
        options.folder / f"runs-{root.name}",
        seeds=1 if options.quick else options.seeds,
        epochs=1 if options.quick else options.epochs,
        batch=options.batch,
    )
    console.print(single.table(), soft_wrap=True)
    console.print(comparison.table(reference(single)), soft_wrap=True)
    samples = split(root, "val")
    chosen = [samples[k * len(samples) // 4] for k in range(min(4, len(samples)))]
    draw(options.picture, chosen, comparison, reference(single))
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
