"""Study: few labels, many pictures, and labels that are wrong: `docs/studies/selfsupervised.py`.

A network learns ten kinds of clothes from 200 labels. Two auxiliary tasks need no labels; a third
one has labels that are wrong, and nobody says so.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss, pad

from bargain_torch.comparison import Bargain, Comparison, Fixed, Learned, compare
from fashion_mnist import FOLDER, Clothes, load_clothes

MAIN, HARMFUL = "labels", "wrong labels"
AUXILIARY = ("rotation", "repair")
CLASSES, TRAINED, HELD_OUT = 10, 20, 10  # labels of each class: to train on, and to judge by
UNLABELLED, MISLABELLED = 20_000, 5_000
LABELS, PICTURES = 32, 64  # of a batch
STEPS = 100  # of an epoch
RATE, EVERY = 1e-3, 10  # the learning rate, and steps from one update of the weights to the next
BLACK = -0.81  # what a pixel of the background is when pictures are standardised
EDGE = 3  # pixels by which crops move
PATCH = 10  # pixels along the square that is wiped out
PICTURE = Path(__file__).parents[1] / "pictures" / "selfsupervised.svg"
COLOURS = {MAIN: "#0072b2", "rotation": "#009e73", "repair": "#cc79a7", HARMFUL: "#d55e00"}
HEADS = {
    MAIN: 10,
    "rotation": 4,
    "repair": 28 * 28,
}  # wrong labels go through the head of the others


class Split(NamedTuple):
    """Rows of the training pictures, of a seed: no picture is in two of them."""

    trained: Tensor
    held_out: Tensor
    unlabelled: Tensor
    mislabelled: Tensor


class Example(NamedTuple):
    """Pictures for a task, and what it is to find."""

    pictures: Tensor
    wanted: Tensor


Batch = dict[str, Example]
FEW, ALL = f"{CLASSES * TRAINED} labels", f"{CLASSES * (TRAINED + HELD_OUT)} labels"
CLEAN, SPOILT = "two auxiliary tasks", "these and wrong labels"
LEARNED, HEARD = "Nash, learned weights", "… nobody is left out"


class Wardrobe:
    """The training pictures, and what tasks make of them; draws by torch's dice."""

    def __init__(self, clothes: Clothes) -> None:
        self.pixels = standardised(clothes.pixels)
        self.labels = torch.from_numpy(clothes.labels.astype(np.int64))
        self.split = lru_cache(maxsize=1)(self._split)

    def _split(self, seed: int) -> Split:
        """As many labels of each class, at random."""
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(seed))
        by_class = [order[self.labels[order] == kind] for kind in range(CLASSES)]
        known = torch.stack([rows[: TRAINED + HELD_OUT] for rows in by_class])
        others = order[~torch.isin(order, known)]
        return Split(
            known[:, :TRAINED].flatten(),
            known[:, TRAINED:].flatten(),
            others[:UNLABELLED],
            others[UNLABELLED : UNLABELLED + MISLABELLED],
        )

    def example(self, task: str, split: Split) -> Example:
        """A batch for one task."""
        source = {MAIN: split.trained, HARMFUL: split.mislabelled}.get(task, split.unlabelled)
        count = LABELS if task == MAIN else PICTURES
        rows = source[torch.randint(len(source), (count,))]
        pictures = self.pixels[rows]
        if task == "rotation":
            quarters = torch.randint(4, (count,))
            turned = [
                picture.rot90(int(k), (1, 2)) for picture, k in zip(pictures, quarters, strict=True)
            ]
            return Example(torch.stack(turned), quarters)
        if task == "repair":
            return Example(wiped(pictures), pictures.flatten(1))
        labels = self.labels[rows]
        return Example(moved(pictures), (labels + 1) % CLASSES if task == HARMFUL else labels)


@dataclass(frozen=True)
class Batches:
    """The batches of an epoch."""

    wardrobe: Wardrobe
    split: Split
    tasks: tuple[str, ...]

    def __iter__(self) -> Iterator[Batch]:
        for _ in range(STEPS):
            yield {task: self.wardrobe.example(task, self.split) for task in self.tasks}


def standardised(pixels: np.ndarray) -> Tensor:
    return ((torch.from_numpy(pixels.astype(np.float32)) / 255 - 0.286) / 0.353)[:, None]


def moved(pictures: Tensor) -> Tensor:
    """Each picture shifted by up to three pixels, every other one mirrored."""
    count, _, side, _ = pictures.shape
    wide = pad(pictures, (EDGE,) * 4, value=BLACK)[:, 0]
    down, right = torch.randint(2 * EDGE + 1, (2, count, 1, 1))
    line = torch.arange(side)
    crops = wide[torch.arange(count)[:, None, None], down + line[:, None], right + line][:, None]
    return torch.where(torch.rand(count, 1, 1, 1) < 0.5, crops.flip(-1), crops)


def wiped(pictures: Tensor) -> Tensor:
    """Each picture with a black square somewhere."""
    count, _, side, _ = pictures.shape
    down, right = torch.randint(side - PATCH, (2, count, 1, 1, 1))
    line = torch.arange(side)
    high = (line >= down) & (line < down + PATCH)
    wide = (line >= right) & (line < right + PATCH)
    return pictures.masked_fill(high.transpose(-1, -2) & wide, BLACK)


class Network(nn.Module):
    """Two convolutions, a layer, and heads."""

    def __init__(self) -> None:
        super().__init__()
        convolutions = nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU()
        self.trunk = nn.Sequential(*convolutions, nn.Flatten(), nn.Linear(32 * 49, 64), nn.ReLU())
        self.heads = nn.ModuleDict({task: nn.Linear(64, size) for task, size in HEADS.items()})

    def forward(self, pictures: Tensor) -> Tensor:
        return self.heads[MAIN](self.trunk(pictures))


def losses(model: Network, batch: Batch) -> dict[str, Tensor]:
    """Every task passes through the trunk by itself, which keeps backward passes short."""
    found = {}
    for task, (pictures, wanted) in batch.items():
        guess = model.heads[MAIN if task == HARMFUL else task](model.trunk(pictures))
        measure = mse_loss if task == "repair" else cross_entropy
        found[task] = measure(guess, wanted)
    return found


def shared(model: Network) -> list[Tensor]:
    """The trunk, and the head that wrong labels go through as well."""
    return [*model.trunk.parameters(), *model.heads[MAIN].parameters()]


def bargains(tasks: tuple[str, ...], judge) -> dict[str, Bargain | Fixed | Learned]:
    """What is compared, whatever the tasks."""
    rest = 0.3 / (len(tasks) - 1)
    learned = partial(Learned, main=MAIN, held_out=judge, every=EVERY)
    return {
        "LS": Fixed(),
        "Nash, equal weights": Bargain(),
        "Nash, main task 0.7": Bargain(weights=dict.fromkeys(tasks, rest) | {MAIN: 0.7}),
        LEARNED: learned(),
        HEARD: learned(silent_below=0.0),
    }


def run(
    clothes: tuple[Clothes, Clothes], seeds: int, epochs: int, folder: Path
) -> dict[str, Comparison]:
    """Comparisons by what the network is trained on; resumes in its folder."""
    wardrobe = Wardrobe(clothes[0])
    test = Example(standardised(clothes[1].pixels), torch.from_numpy(clothes[1].labels.astype(int)))

    def judge(model):
        rows = wardrobe.split(torch.initial_seed()).held_out
        return cross_entropy(model(wardrobe.pixels[rows]), wardrobe.labels[rows])

    def evaluate(model):
        with torch.no_grad():
            scores = torch.cat([model(part) for part in test.pictures.split(1_000)])
        right = (scores.argmax(1) == test.wanted).float().mean()
        return {"accuracy": 100 * float(right), "loss": float(cross_entropy(scores, test.wanted))}

    def compared(tasks, methods, place, *, all_labels=False):
        def data():
            split = wardrobe.split(torch.initial_seed())  # a seed has labels of its own
            known = torch.cat([split.trained, split.held_out]) if all_labels else split.trained
            return Batches(wardrobe, split._replace(trained=known), tasks)

        return compare(
            Network,
            losses,
            data,
            shared=shared,
            evaluate=evaluate,
            higher=["accuracy"],
            methods=methods,
            rates=(RATE,),
            seeds=seeds,
            epochs=epochs,
            folder=folder / place,
        )

    clean, spoilt = (MAIN, *AUXILIARY), (MAIN, *AUXILIARY, HARMFUL)
    alone = {"no auxiliary task": Fixed()}
    return {
        FEW: compared((MAIN,), alone, "few"),
        ALL: compared((MAIN,), alone, "all", all_labels=True),
        CLEAN: compared(clean, bargains(clean, judge), "clean"),
        SPOILT: compared(spoilt, bargains(spoilt, judge), "spoilt"),
    }


def make_table(results: dict[str, Comparison]) -> Table:
    table = Table(
        "trained on", "method", "accuracy, %", "test loss", "weights at the end", "solves"
    )
    for source, comparison in results.items():
        for method in comparison.methods:
            runs = comparison.of(method)
            table.add_row(
                source,
                method,
                in_words(*comparison.mean(method, "accuracy"), 1),
                in_words(*comparison.mean(method, "loss"), 2),
                ", ".join(
                    f"{task} {mean:.2g}"
                    for task, mean in zip(
                        runs[0].tasks, shares_of(runs)[:, -1].mean(0), strict=True
                    )
                )
                if runs[0].weights
                else "",
                f"{100 * np.mean([run.solve_part for run in runs]):.1f} %",
            )
    return table


def in_words(mean: float, deviation: float, places: int) -> str:
    return f"{mean:.{places}f} ± {deviation:.{places}f}"


def shares_of(runs) -> np.ndarray:
    """Weights at the end of epochs (runs, epochs, tasks), as parts of their sum."""
    weights = np.asarray([run.weights for run in runs])
    return weights / weights.sum(axis=-1, keepdims=True)


def draw(results: dict[str, Comparison], path: Path) -> None:
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.use("svg")
    plt.rcParams.update({"svg.hashsalt": "bargain", "font.size": 10, "axes.titlesize": 11})
    figure, axes = plt.subplots(1, 3, figsize=(13.0, 4.2), width_ratios=(1.3, 1.0, 1.0))
    figure.set_layout_engine("constrained")
    figures, *courses = axes
    figures.set_title("test accuracy, %:\nevery seed, and the mean")
    names = []
    looks = {FEW: "#555555", ALL: "#999999", CLEAN: COLOURS["rotation"], SPOILT: COLOURS[HARMFUL]}
    for source, comparison in results.items():
        for method in comparison.methods:
            found = [run.metrics["accuracy"] for run in comparison.of(method)]
            place, colour = len(names), looks[source]
            figures.plot(found, [place] * len(found), "o", color=colour, alpha=0.5, markersize=5)
            figures.plot(np.mean(found), place, "|", color=colour, markersize=16, markeredgewidth=2)
            names.append(method if source in (CLEAN, SPOILT) else source)
        figures.plot([], [], "o", color=looks[source], label=source)
    figures.set_yticks(range(len(names)), names)
    figures.invert_yaxis()
    figures.grid(axis="x", color="#e6e6e6", linewidth=0.8)
    figures.set_axisbelow(True)
    figures.legend(frameon=False, loc="upper left", fontsize=9)
    for panel, source in zip(courses, (CLEAN, SPOILT), strict=True):
        panel.set_title(f"learned weights, as shares:\n{source}")
        runs = results[source].of(LEARNED)
        epochs = np.arange(1, len(runs[0].weights) + 1)
        for task, shares in zip(runs[0].tasks, np.moveaxis(shares_of(runs), 2, 0), strict=True):
            panel.plot(epochs, shares.T, color=COLOURS[task], linewidth=0.7, alpha=0.5)
            panel.plot(epochs, shares.mean(0), color=COLOURS[task], linewidth=2.2, label=task)
        panel.set(xlabel=f"epoch of {STEPS} steps", ylim=(0, 1))
        panel.legend(frameon=False, fontsize=9)
    for panel in axes:
        panel.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4, help="each with labels of its own")
    parser.add_argument("--epochs", type=int, default=12, help=f"of {STEPS} steps")
    parser.add_argument("--quick", action="store_true", help="one seed, two epochs")
    parser.add_argument("--data", type=Path, default=FOLDER, help="the folder with the four files")
    parser.add_argument("--folder", type=Path, default=Path("comparison/selfsupervised"))
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    if options.quick:
        options.seeds, options.epochs = 1, 2
    console, began = Console(), time.perf_counter()
    clothes = load_clothes(options.data)
    results = run(clothes, options.seeds, options.epochs, options.folder)
    console.print(make_table(results))
    draw(results, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
