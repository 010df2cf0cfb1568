"""Trunks of the size that people train on GPUs."""

import torch
from torch import Tensor, nn

from benchmarks.trainings import Training, training

WORDS = 10_000


class Residual(nn.Module):
    """Two convolutions with a way around them."""

    def __init__(self, inward: int, outward: int, stride: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(inward, outward, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outward),
            nn.ReLU(),
            nn.Conv2d(outward, outward, 3, padding=1, bias=False),
            nn.BatchNorm2d(outward),
        )
        self.around = nn.Identity()
        if stride != 1 or inward != outward:
            self.around = nn.Sequential(
                nn.Conv2d(inward, outward, 1, stride, bias=False), nn.BatchNorm2d(outward)
            )

    def forward(self, pictures: Tensor) -> Tensor:
        return (self.inner(pictures) + self.around(pictures)).relu()


class Transformer(nn.Module):
    """Words, and blocks of attention; the features are the mean over positions."""

    def __init__(self, width: int, heads: int, blocks: int, length: int) -> None:
        super().__init__()
        self.table = nn.Embedding(WORDS, width)
        self.places = nn.Parameter(0.02 * torch.randn(length, width))
        self.blocks = nn.ModuleList(
            [
                nn.TransformerEncoderLayer(
                    width, heads, 4 * width, dropout=0.0, batch_first=True, norm_first=True
                )
                for _ in range(blocks)
            ]
        )

    def forward(self, words: Tensor) -> Tensor:
        hidden = self.table(words) + self.places
        for block in self.blocks:
            hidden = block(hidden)
        return hidden.mean(1)


def residual_network(batch: int, tasks: int = 3, side: int = 224) -> Training:
    """Eighteen layers and eleven million parameters, as He et al. drew them, with three tasks."""
    stages = [(64, 64, 1), (64, 128, 2), (128, 256, 2), (256, 512, 2)]
    trunk = nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        *(
            block
            for inward, outward, stride in stages
            for block in (Residual(inward, outward, stride), Residual(outward, outward, 1))
        ),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return training(trunk, torch.randn(batch, 3, side, side), 512, tasks)


def transformer(batch: int, tasks: int = 11, length: int = 128) -> Training:
    """Six blocks of width 512 over texts of 128 words, with eleven tasks."""
    words = torch.randint(WORDS, (batch, length))
    return training(Transformer(512, 8, 6, length), words, 512, tasks)
