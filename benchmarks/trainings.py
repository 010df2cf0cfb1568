"""Multi-task training steps, ours and others', on equal models.

Run as a program it takes steps in one way, and prints the time and memory that they took. Each way
gets such a process of its own, so that no other fills the caches of the allocator.
"""

import ctypes
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import bargain
from bargain_torch.backward import backward
from bargain_torch.balancer import Balancer
from benchmarks.gauges import processor_time

EVERY = 50
PLAIN = "plain, sum of losses"
BALANCED = f"Balancer, every={EVERY}"
SEPARATE = "a pass a task, combined"

Step = Callable[[], Any]


class Training(NamedTuple):
    """A trunk, a head for each task, a batch and an optimiser; the type to compute in, if lower."""

    trunk: nn.Module
    heads: nn.ModuleList
    inputs: Tensor
    targets: Tensor
    optimizer: torch.optim.Optimizer
    lower: torch.dtype | None = None

    def features(self) -> Tensor:
        with self._autocast():
            return self.trunk(self.inputs)

    def losses(self, features: Tensor) -> list[Tensor]:
        with self._autocast():
            return [
                (head(features)[:, 0] - self.targets[:, k]).square().mean()
                for k, head in enumerate(self.heads)
            ]

    def moved(self, device: str, lower: torch.dtype | None = None) -> "Training":
        """Return the same training on another device."""
        self.trunk.to(device)
        self.heads.to(device)
        inputs, targets = self.inputs.to(device), self.targets.to(device)
        return self._replace(inputs=inputs, targets=targets, lower=lower)

    def _autocast(self) -> torch.autocast:
        kind = self.inputs.device.type
        return torch.autocast(kind, self.lower or torch.bfloat16, self.lower is not None)

    @property
    def shared(self) -> list[Tensor]:
        return list(self.trunk.parameters())


def perceptron(batch: int, tasks: int = 11, width: int = 1024) -> Training:
    """Three layers and eleven regressions, as for the properties of molecules."""
    layers = [layer for _ in range(3) for layer in (nn.Linear(width, width), nn.ReLU())]
    return training(nn.Sequential(*layers), torch.randn(batch, width), width, tasks)


def convolutions(batch: int, tasks: int = 3) -> Training:
    """A small picture network with three tasks."""
    trunk = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 8 * 8, 128),
        nn.ReLU(),
    )
    return training(trunk, torch.randn(batch, 3, 32, 32), 128, tasks)


def training(trunk: nn.Module, inputs: Tensor, features: int, tasks: int) -> Training:
    heads = nn.ModuleList([nn.Linear(features, 1) for _ in range(tasks)])
    parameters = [*trunk.parameters(), *heads.parameters()]
    optimizer = torch.optim.SGD(parameters, lr=1e-3)
    return Training(trunk, heads, inputs, torch.randn(len(inputs), tasks), optimizer)


def plain(training: Training) -> Step:
    def step() -> None:
        training.optimizer.zero_grad()
        torch.stack(training.losses(training.features())).sum().backward()
        training.optimizer.step()

    return step


def bargained(training: Training, method: Any = "auto") -> Step:
    def step() -> Any:
        training.optimizer.zero_grad()
        result = backward(training.losses(training.features()), training.shared, method=method)
        training.optimizer.step()
        return result

    return step


def balanced(training: Training) -> Step:
    """Play the game every fiftieth step."""
    balancer = Balancer(training.shared, every=EVERY)

    def step() -> None:
        training.optimizer.zero_grad()
        balancer.backward(training.losses(training.features()))
        training.optimizer.step()

    return step


def separate_passes(training: Training) -> Step:
    """One ``autograd.grad`` for each task, then the Gram matrix and the combination."""
    shared, heads = training.shared, list(training.heads.parameters())

    def step() -> None:
        training.optimizer.zero_grad()
        losses = training.losses(training.features())
        gradients = []
        for loss in losses:
            gradients.append(torch.autograd.grad(loss, shared, retain_graph=True))  # noqa: PERF401
        gram = bargain.gram(gradients)
        found = bargain.nash(gram.double().cpu().numpy(), precision=1.2e-7).coefficients
        coefficients = torch.as_tensor(found).to(gram)
        direction = bargain.combine(coefficients, gradients)
        plain = torch.autograd.grad(torch.stack(losses).sum(), heads)
        for parameter, gradient in zip([*shared, *heads], [*direction, *plain], strict=True):
            parameter.grad = gradient
        training.optimizer.step()

    return step


def torchjd_jacobian(training: Training) -> Step:
    """TorchJD's ``mtl_backward`` and ``jac_to_grad``, with an aggregator in closed form."""
    from torchjd.aggregation import IMTLG
    from torchjd.autojac import jac_to_grad, mtl_backward

    aggregator = IMTLG()

    def step() -> None:
        training.optimizer.zero_grad()
        features = training.features()
        mtl_backward(training.losses(features), features=features)
        jac_to_grad(training.shared, aggregator)
        training.optimizer.step()

    return step


def torchjd_engine(training: Training) -> Step:
    """TorchJD's Gramian engine and one weighted pass; heads are weighted, too."""
    from torchjd.aggregation import IMTLGWeighting
    from torchjd.autogram import Engine

    engine, weighting = Engine(training.trunk, batch_dim=None), IMTLGWeighting()

    def step() -> None:
        training.optimizer.zero_grad()
        losses = torch.stack(training.losses(training.features()))
        losses.backward(weighting(engine.compute_gramian(losses)))
        training.optimizer.step()

    return step


MODELS: dict[str, Callable[[int], Training]] = {
    "perceptron": perceptron,
    "convolutions": convolutions,
}

WAYS: dict[str, Callable[[Training], Step]] = {
    PLAIN: plain,
    "bargain_torch.backward": bargained,
    'the same, "batched"': partial(bargained, method="batched"),
    'the same, "sequential"': partial(bargained, method="sequential"),
    BALANCED: balanced,
    SEPARATE: separate_passes,
    "TorchJD, mtl_backward": torchjd_jacobian,
    "TorchJD, autogram.Engine": torchjd_engine,
}


def measure(model: str, batch: int, way: str, tries: int) -> dict[str, float]:
    """Return seconds of a step, and the most bytes resident beyond model, batch and libraries."""
    torch.manual_seed(0)
    training = MODELS[model](batch)
    step = WAYS[way](training)
    step()  # imports what it needs
    # Where steps differ: the one with a game, then those without.
    step = WAYS[way](training) if way == BALANCED else step
    training.optimizer.zero_grad()
    ctypes.CDLL(None).malloc_trim(0)  # glibc: give back what is free
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak until now
    step()
    extra = _memory("VmHWM") - before
    seconds = _seconds(step, min(tries, EVERY - 2))
    if way == BALANCED:
        game = min(_seconds(WAYS[way](training), 1, warm=False) for _ in range(tries))
        seconds = (game + (EVERY - 1) * seconds) / EVERY
    return {"seconds": seconds, "extra_bytes": extra}


def _seconds(step: Step, tries: int, warm: bool = True) -> float:
    """Return the fastest of some steps; warm ones are not the first."""
    if warm:
        step()
    return min(processor_time(step)[0] for _ in range(tries))


def _memory(kind: str) -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition(f"{kind}:")[2].split()[0])


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(measure(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
