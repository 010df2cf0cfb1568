"""The problem of the study of scarce labels: four sources of one property, one head for all."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from qm9_features import Sample
from qm9_molecules import TARGETS
from qm9_problem import standardised

DOUBTFUL = ("noisy", "flipped", "shuffled")
SOURCES = ("main", *DOUBTFUL)
NOISE = 1.0  # in standard deviations of the property
WIDTH = 192


class Sizes(NamedTuple):
    """How many molecules have clean labels, are held out or doubtful, and are there to test."""

    clean: int = 300
    held_out: int = 100
    doubtful: int = 10_000
    test: int = 5_000

    @property
    def training(self) -> int:
        return self.clean + self.held_out + self.doubtful


class Molecules(NamedTuple):
    """Features (n, 365) and gaps (n,), both standardised."""

    features: Tensor
    gaps: Tensor

    def of(self, rows: Tensor | slice) -> "Molecules":
        return Molecules(*(column[rows] for column in self))


class Labels(NamedTuple):
    """What one seed is given: clean labels, some to judge by, and the doubtful ones by source."""

    clean: Molecules
    held_out: Molecules
    features: Tensor
    doubtful: dict[str, Tensor]


class Network(nn.Module):
    """One head for all sources, and the labels that belong to the seed."""

    def __init__(self, labels: Labels) -> None:
        super().__init__()
        self.labels = labels
        self.layers = nn.Sequential(
            nn.Linear(labels.features.shape[1], WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, 1),
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.layers(features)[:, 0]


class Batches:
    """Rows of clean labels (None for all) and of doubtful ones, the latter passed over once."""

    def __init__(self, clean: int, doubtful: int, size: int, clean_size: int) -> None:
        self._counts, self._sizes = (clean, doubtful), (clean_size, size)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.randperm(self._counts[1]).split(self._sizes[1]):
            yield torch.randperm(self._counts[0])[: self._sizes[0]], rows


class Gap:
    """The gap between HOMO and LUMO; the seed decides who has which label, and the noise.

    With ``judged=False`` nothing is held out: those labels are clean ones too.
    """

    def __init__(
        self, sample: Sample, sizes: Sizes, *, judged: bool = True, batch: int = 512
    ) -> None:
        names = list(TARGETS)
        homo, lumo = (sample.properties[:, names.index(name)] for name in ("HOMO", "LUMO"))
        gaps = torch.from_numpy(lumo - homo)
        seen = gaps[: sizes.training]  # the molecules to test on come last
        gaps = ((gaps - seen.mean()) / seen.std()).float()
        self.molecules = Molecules(standardised(sample.features, sizes.training), gaps)
        self.sizes, self.judged, self.batch = sizes, judged, batch

    def model(self) -> Network:
        return Network(self.draw(torch.initial_seed()))

    def draw(self, seed: int) -> Labels:
        generator = torch.Generator().manual_seed(seed)
        clean, held_out, doubtful, _ = self.sizes
        order = torch.randperm(self.sizes.training, generator=generator)
        first, judges, rest = order.split([clean, held_out, doubtful])
        features, gaps = self.molecules.of(rest)
        labels = {
            "noisy": gaps + NOISE * torch.randn(doubtful, generator=generator),
            "flipped": -gaps,
            "shuffled": gaps[torch.randperm(doubtful, generator=generator)],
        }
        first = first if self.judged else torch.cat([first, judges])
        return Labels(self.molecules.of(first), self.molecules.of(judges), features, labels)

    def data(self) -> Batches:
        clean = self.sizes.clean + (0 if self.judged else self.sizes.held_out)
        return Batches(clean, self.sizes.doubtful, self.batch, self.batch // 4)

    def losses(self, model: Network, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        clean, rows = batch
        guess = model(model.labels.features[rows])  # once for all three
        return {
            "main": squared_error(model, model.labels.clean.of(clean)),
            **{
                name: (guess - labels[rows]).square().mean()
                for name, labels in model.labels.doubtful.items()
            },
        }

    def main_loss(self, model: Network, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        return {"main": squared_error(model, model.labels.clean.of(batch[0]))}

    def validate(self, model: Network) -> dict[str, float]:
        return absolute_error(model, model.labels.held_out)

    def evaluate(self, model: Network) -> dict[str, float]:
        return absolute_error(model, self.molecules.of(slice(self.sizes.training, None)))


def squared_error(model: Network, molecules: Molecules) -> Tensor:
    return (model(molecules.features) - molecules.gaps).square().mean()


def held_out_error(model: Network) -> Tensor:
    return squared_error(model, model.labels.held_out)


def absolute_error(model: Network, molecules: Molecules) -> dict[str, float]:
    """In standard deviations of the property."""
    with torch.no_grad():
        return {"MAE": (model(molecules.features) - molecules.gaps).abs().mean().item()}
