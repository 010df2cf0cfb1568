"""A small network for scenes: a trunk and heads, their losses and figures of merit."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from scenes_folders import Scene

SEGMENTATION, DEPTH, NORMALS = "segmentation", "depth", "normals"
HIGHER = ("mIoU", "pixel accuracy", "within 11.25°", "within 22.5°", "within 30°")
CHANNELS = (16, 32, 48)


def block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1), nn.GroupNorm(8, outputs), nn.ReLU()
    )


class Trunk(nn.Module):
    """Down twice and up again, with the finer features added on the way up."""

    def __init__(self) -> None:
        super().__init__()
        first, second, third = CHANNELS
        self.enter, self.down, self.bottom = (
            block(3, first),
            block(first, second),
            block(second, third),
        )
        self.up, self.leave = block(third + second, second), block(second + first, first)

    def forward(self, image: Tensor) -> Tensor:
        fine = self.enter(image)
        middle = self.down(functional.max_pool2d(fine, 2))
        coarse = self.bottom(functional.max_pool2d(middle, 2))
        middle = self.up(torch.cat([self._double(coarse), middle], 1))
        return self.leave(torch.cat([self._double(middle), fine], 1))

    @staticmethod
    def _double(features: Tensor) -> Tensor:
        return functional.interpolate(features, scale_factor=2, mode="nearest")


class Network(nn.Module):
    """One trunk for all tasks, or a trunk for each of them."""

    def __init__(self, outputs: dict[str, int], separate: bool = False) -> None:
        super().__init__()
        self.trunks = nn.ModuleList([Trunk() for _ in (outputs if separate else "1")])
        self.heads = nn.ModuleDict(
            {
                task: nn.Sequential(block(CHANNELS[0], CHANNELS[0]), nn.Conv2d(CHANNELS[0], n, 1))
                for task, n in outputs.items()
            }
        )

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        features = [trunk(image) for trunk in self.trunks]
        return {
            task: head(features[k if len(features) > 1 else 0])
            for k, (task, head) in enumerate(self.heads.items())
        }


def losses(network: Network, scene: Scene) -> dict[str, Tensor]:
    """The papers' losses: cross-entropy, mean absolute error, and one minus the mean cosine."""
    found = network(scene.image)
    known = scene.depth > 0
    result = {
        SEGMENTATION: functional.cross_entropy(found[SEGMENTATION], scene.label, ignore_index=-1),
        DEPTH: (found[DEPTH] - scene.depth)[known].abs().mean(),
    }
    if NORMALS in found:
        result[NORMALS] = 1 - _cosines(found[NORMALS], scene.normal).mean()
    return result


def _cosines(found: Tensor, wanted: Tensor) -> Tensor:
    """Cosines of the angles between normals, where there are any."""
    known = wanted.square().sum(1) > 0
    return (functional.normalize(found, dim=1) * wanted).sum(1)[known]


@torch.no_grad()
def evaluate(network: Network, scenes: Iterable[Scene], classes: int) -> dict[str, float]:
    """The papers' figures of merit, over all pixels of all scenes."""
    confusion = torch.zeros(classes, classes, dtype=torch.int64)
    absolute, relative, angles = [], [], []
    for scene in scenes:
        found = network(scene.image)
        labelled = scene.label >= 0
        guess = found[SEGMENTATION].argmax(1)[labelled]
        pairs = scene.label[labelled] * classes + guess
        confusion += torch.bincount(pairs, minlength=classes**2).reshape(classes, classes)
        known = scene.depth > 0
        error = (found[DEPTH] - scene.depth)[known].abs()
        absolute.append(error)
        relative.append(error / scene.depth[known])
        if NORMALS in found:
            cosines = _cosines(found[NORMALS], scene.normal).clamp(-1, 1)
            angles.append(torch.rad2deg(torch.arccos(cosines)))
    right = confusion.diagonal()
    union = confusion.sum(0) + confusion.sum(1) - right
    there = confusion.sum(1) > 0
    figures = {
        "mIoU": float((right / union.clamp(min=1))[there].mean()),
        "pixel accuracy": float(right.sum() / confusion.sum()),
        "depth error": float(torch.cat(absolute).mean()),
        "relative depth error": float(torch.cat(relative).mean()),
    }
    if angles:
        every = torch.cat(angles)
        figures |= {"mean angle": float(every.mean()), "median angle": float(every.median())}
        figures |= {
            f"within {limit:g}°": float((every < limit).float().mean())
            for limit in (11.25, 22.5, 30)
        }
    return figures
