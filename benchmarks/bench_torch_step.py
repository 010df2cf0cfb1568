"""What a bargained training step costs in PyTorch, next to a plain one and to others'."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from benchmarks.gauges import one_thread, processor_time
from benchmarks.report import Report, in_units, times
from benchmarks.trainings import MODELS, WAYS

ROOT = Path(__file__).parent.parent
REFERENCE = "a pass a task, combined"
PLAIN = "plain, sum of losses"
EVERY = "Balancer, every=50"


def run(quick: bool = False) -> Report:
    """Time whole steps, forward pass and optimiser included."""
    settings = [("perceptron", 32), ("perceptron", 256), ("perceptron", 1024), ("convolutions", 32)]
    records = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            for model, batch in settings[:1] if quick else settings:
                records += _compare(model, batch, tries=1 if quick else 15 if batch < 1000 else 5)
    finally:
        torch.set_num_threads(threads)
    for record in records:
        memory = None if quick else _extra_memory(record["model"], record["batch"], record["way"])
        record["extra_bytes"] = memory
    return Report(
        name="torch_step",
        title="Training steps in PyTorch",
        columns=["model", "way", "time", "plain steps", "passes / this", "extra memory"],
        rows=[_row(record) for record in records],
        notes="perceptron: three layers of 1,024 and 11 tasks; convolutions: 2 convolutions, a "
        "linear layer and 3 tasks; with the batch. Processor time of a whole step in one thread, "
        "the fastest of many, taken in turn; for every=50 the mean over 50 steps. Plain steps: "
        "the time in units of a step on the sum of losses. Passes / this: how many times faster "
        "than one autograd.grad for each task with combination. Memory: most resident at once, "
        "in a process of its own, beyond model, batch and libraries. TorchJD weights by IMTL-G, "
        "which costs next to nothing, in place of bargaining.",
        records=records,
    )


def _compare(model: str, batch: int, tries: int) -> list[dict[str, Any]]:
    ways = {}
    for name, way in WAYS.items():  # each with a model of its own: TorchJD's engine leaves hooks
        torch.manual_seed(0)
        ways[name] = way(MODELS[model](batch))
    best = dict.fromkeys(ways, float("inf"))
    for step in ways.values():
        step()
    for attempt in range(tries):
        for name, step in ways.items():
            # Fifty steps at a time even out by themselves.
            if name != EVERY:
                best[name] = min(best[name], processor_time(step)[0])
            elif attempt < 2:
                best[name] = min(best[name], processor_time(step)[0] / 50)
    return [
        {
            "model": model,
            "batch": batch,
            "way": name,
            "seconds": seconds,
            "plain_steps": seconds / best[PLAIN],
            "speed_up": best[REFERENCE] / seconds,
        }
        for name, seconds in best.items()
    ]


def _extra_memory(model: str, batch: int, way: str) -> int:
    command = [sys.executable, "-m", "benchmarks.trainings", model, str(batch), way]
    output = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    return int(output)


def _row(record: dict[str, Any]) -> list[str]:
    memory = record["extra_bytes"]
    return [
        f"{record['model']}, {record['batch']}",
        record["way"],
        in_units(record["seconds"]),
        times(record["plain_steps"]),
        times(record["speed_up"]),
        "–" if memory is None else f"{memory / 2**20:.0f} MiB",
    ]
