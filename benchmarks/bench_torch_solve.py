"""Solves on PyTorch tensors next to the same solves on NumPy arrays."""

import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import bargain
import bargain_torch
from benchmarks.games import random_grams, real_grams
from benchmarks.gauges import one_thread, processor_time
from benchmarks.report import Report, in_units, times

REFERENCE = "NumPy"
Way = Callable[[], Any]


def run(quick: bool = False) -> Report:
    """Time single games and batches, eager and compiled, in one thread."""
    sets = {"random, K = 3": np.stack(random_grams(3, 3))}
    if not quick:
        sets |= {
            "random, K = 11": np.stack(random_grams(11, 20)),
            "qm9_11tasks, K = 11": np.stack(real_grams("qm9_11tasks", 20)),
            "random, K = 40": np.stack(random_grams(40, 10)),
        }
    calls, tries = (1, 1) if quick else (20, 5)
    records = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with one_thread():
            for name, grams in sets.items():
                records += _one_by_one(name, grams, calls, tries, compiled=not quick)
            for players, count in [(3, 20)] if quick else [(11, 1000)]:
                records += _batch(players, count, tries)
    finally:
        torch.set_num_threads(threads)
    return Report(
        name="torch_solve",
        title="bargain.nash on PyTorch tensors, CPU, one thread",
        columns=["games", "way", "time a game", "ratio"],
        rows=[
            [
                record["games"],
                record["way"],
                in_units(record["seconds"]),
                times(record["ratio"]),
            ]
            for record in records
        ],
        notes="Processor time (fastest try), median over games. Ratio: over NumPy in float64 on "
        "the same games in the same run.",
        records=records,
    )


def _one_by_one(
    name: str, grams: np.ndarray, calls: int, tries: int, *, compiled: bool
) -> list[dict[str, Any]]:
    plain = torch.from_numpy(grams)
    leaves = [gram.clone().requires_grad_() for gram in plain]
    ways: dict[str, list[Way]] = {
        REFERENCE: [lambda gram=gram: bargain.nash(gram) for gram in grams],
        "torch, eager": [lambda gram=gram: bargain.nash(gram) for gram in plain],
        "torch, eager, float32": [lambda gram=gram: bargain.nash(gram) for gram in plain.float()],
        "torch, eager, with a derivative": [
            lambda gram=gram: bargain.nash(gram) for gram in leaves
        ],
        "torch, eager, forward and backward": [lambda gram=gram: _slope(gram) for gram in leaves],
    }
    if compiled:
        solve = torch.compile(lambda gram: bargain.nash(gram).coefficients, fullgraph=True)
        ways["torch, compiled"] = [lambda gram=gram: solve(gram) for gram in plain]
    seconds = {
        way: statistics.median(_seconds(one, calls, tries) for one in ones)
        for way, ones in ways.items()
    }
    return _records(name, seconds)


def _batch(players: int, count: int, tries: int) -> list[dict[str, Any]]:
    grams = np.stack(random_grams(players, count))
    tensor = torch.from_numpy(grams)

    def on_device() -> Any:
        with bargain_torch.solve_on("device"):
            return bargain.nash(tensor)

    mapped = torch.func.vmap(lambda gram: bargain.nash(gram).coefficients)
    ways: dict[str, Way] = {
        REFERENCE: lambda: bargain.nash(grams),
        "torch, one call": lambda: bargain.nash(tensor),
        "torch, vmap": lambda: mapped(tensor),
        "torch, the core on tensors": on_device,
    }
    seconds = {way: _seconds(one, 1, tries) / count for way, one in ways.items()}
    return _records(f"{count:,} at once, K = {players}", seconds)


def _slope(gram: torch.Tensor) -> torch.Tensor:
    return torch.autograd.grad(bargain.nash(gram).coefficients.sum(), gram)[0]


def _seconds(call: Way, calls: int, tries: int) -> float:
    def repeated() -> None:
        for _ in range(calls):
            call()

    call()
    return min(processor_time(repeated)[0] for _ in range(tries)) / calls


def _records(games: str, seconds: dict[str, float]) -> list[dict[str, Any]]:
    return [
        {"games": games, "way": way, "seconds": spent, "ratio": spent / seconds[REFERENCE]}
        for way, spent in seconds.items()
    ]
