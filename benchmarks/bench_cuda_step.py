"""What a bargained training step costs on a GPU, next to a plain one and to others'."""

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch

from benchmarks.device_gauges import device_memory, device_name, device_time
from benchmarks.report import Report, in_units, times
from benchmarks.trainings import BALANCED, EVERY, PLAIN, SEPARATE, WAYS, Training, perceptron
from benchmarks.trunks import residual_network, transformer

SECONDS = 0.25
"""That steps in one way are repeated for, in each of the tries."""
TRIES = 3

Setting = tuple[str, Callable[[int], Training], int, torch.dtype | None]
BFLOAT16 = torch.bfloat16
SETTINGS: list[Setting] = [
    ("perceptron", perceptron, 32, None),
    ("perceptron", perceptron, 256, None),
    ("perceptron", perceptron, 1024, None),
    ("perceptron", perceptron, 8192, None),
    ("residual network", residual_network, 32, None),
    ("residual network, bfloat16", residual_network, 32, BFLOAT16),
    ("transformer", transformer, 32, None),
    ("transformer, bfloat16", transformer, 32, BFLOAT16),
]
SMALLEST: list[Setting] = [
    ("residual network", partial(residual_network, side=32), 2, None),
    ("transformer, bfloat16", partial(transformer, tasks=3, length=8), 2, BFLOAT16),
]


def run(quick: bool = False, device: str = "cuda") -> Report:
    """Time whole steps on a GPU, forward pass and optimiser included."""
    settings, seconds, every = (SMALLEST, 0.0, 2) if quick else (SETTINGS, SECONDS, EVERY)
    records = [record for one in settings for record in compare(*one, device, seconds, every)]
    return Report(
        name="cuda_step",
        title=f"Training steps in PyTorch on one {device_name(device)}",
        columns=["model, batch", "way", "time", "plain steps", "speed-up", "extra memory"],
        rows=[_row(record) for record in records],
        notes=f"On one {device_name(device)}. perceptron: three layers of 1,024 and 11 tasks; "
        "residual network: 18 layers, 224 × 224 points and 3 tasks; transformer: six blocks of 512 "
        "over 128 words and 11 tasks; in float32 as torch computes it unless told otherwise "
        "(convolutions with TF32), or under autocast. Time on the clock of a whole step, steps "
        "following one another without waiting for the device, the fastest mean of three; for "
        "every=50 the mean over 50 steps with one game. Plain steps: the time in units of a step "
        "on the sum of losses. Speed-up: over one autograd.grad for each task with combination. "
        "Memory: the most held by torch at once, beyond model, batch and optimiser. TorchJD "
        "weights by IMTL-G, which costs next to nothing, in place of bargaining.",
        records=records,
    )


def compare(
    name: str,
    make: Callable[[int], Training],
    batch: int,
    lower: torch.dtype | None,
    device: str,
    seconds: float,
    every: int,
) -> list[dict[str, Any]]:
    """Measure every way in turn, each on a training of its own."""
    found: dict[str, dict[str, Any]] = {}
    for way, prepare in WAYS.items():
        if "TorchJD" in way and find_spec("torchjd") is None:
            continue
        torch.manual_seed(0)
        training = make(batch).moved(device, lower)
        try:
            step = prepare(training)
            found[way] = measure(step, every if way == BALANCED else None, device, seconds)
        except (RuntimeError, NotImplementedError) as error:  # a peer that cannot do it
            if "TorchJD" not in way:
                raise
            found[way] = {"failed": str(error).splitlines()[0]}
    for figures in found.values():
        if "seconds" in figures:
            figures["plain_steps"] = figures["seconds"] / found[PLAIN]["seconds"]
            figures["speed_up"] = found[SEPARATE]["seconds"] / figures["seconds"]
    named = {"model": name, "batch": batch}
    return [{**named, "way": way, **figures} for way, figures in found.items()]


def measure(
    step: Callable[[], Any], count: int | None, device: str, seconds: float
) -> dict[str, Any]:
    """Return the time of a step and the memory that it takes at most."""
    step()
    if count is None:
        # Also fills the caches of the allocator and of the libraries.
        once = min(device_time(step, device) for _ in range(2))
        count = max(1, min(50, int(seconds / once)))
        extra = device_memory(step, device)
    else:
        # Where steps differ: one with a game, then those without.
        extra = device_memory(lambda: [step() for _ in range(count)], device)

    def repeated() -> None:
        for _ in range(count):
            step()

    spent = min(device_time(repeated, device) for _ in range(TRIES if seconds else 1))
    return {"seconds": spent / count, "extra_bytes": extra}


def _row(record: dict[str, Any]) -> list[str]:
    head = [f"{record['model']}, {record['batch']}", record["way"]]
    if "failed" in record:
        return [*head, "fails", "", "", ""]
    return [
        *head,
        in_units(record["seconds"]),
        times(record["plain_steps"]),
        times(record["speed_up"]),
        f"{record['extra_bytes'] / 2**20:,.0f} MiB",
    ]
