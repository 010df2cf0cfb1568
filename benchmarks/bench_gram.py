"""Gram matrices of gradients as parameters are shaped: time, and memory beside the gradients."""

from collections.abc import Callable
from typing import Any

import numpy as np

import bargain
from benchmarks.gauges import fastest, one_thread, peak_memory, processor_time
from benchmarks.report import Report, in_units, times


def run(quick: bool = False) -> Report:
    """Compare ``bargain.gram`` with concatenating and multiplying."""
    sizes = [(3, 64)] if quick else [(3, 256), (11, 256), (11, 768), (40, 256)]
    records = []
    with one_thread():
        for players, width in sizes:
            for dtype in ("float32", "float64"):
                records += _compare(players, width, dtype, tries=1 if quick else 7)
    return Report(
        name="gram",
        title="Gram matrices of pytrees",
        columns=["K", "P", "type", "way", "time", "ratio", "extra memory", "of the gradients"],
        rows=[
            [
                str(record["players"]),
                f"{record['size']:,}",
                record["dtype"],
                record["way"],
                in_units(record["seconds"]),
                times(record["ratio"]),
                f"{record['extra_bytes'] / 2**20:.1f} MiB",
                f"{record['extra_bytes'] / record['gradient_bytes']:.0%}",
            ]
            for record in records
        ],
        notes="K gradients of P numbers in a multilayer perceptron's shapes. Processor time, one "
        "thread, fastest try; memory is the peak that tracemalloc sees beside the gradients.",
        records=records,
    )


def network(players: int, width: int, dtype: str) -> list[dict[str, np.ndarray]]:
    """Return gradients in the shapes of a multilayer perceptron."""
    rng = np.random.default_rng(0)
    shapes = {
        "first": (width, 64),
        "second": (width, width),
        "third": (width, width),
        "bias": (width,),
    }
    return [
        {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
        for _ in range(players)
    ]


def concatenated(gradients: list[dict[str, np.ndarray]]) -> np.ndarray:
    """Return the Gram matrix the plain way."""
    rows = np.stack([np.concatenate([leaf.ravel() for leaf in g.values()]) for g in gradients])
    return rows @ rows.T


def _compare(players: int, width: int, dtype: str, tries: int) -> list[dict[str, Any]]:
    gradients = network(players, width, dtype)
    ways: dict[str, Callable[[], np.ndarray]] = {
        "bargain.gram": lambda: bargain.gram(gradients),
        "concatenate, multiply": lambda: concatenated(gradients),
    }
    seconds = {name: fastest(way, tries, processor_time) for name, way in ways.items()}
    one, other = (result for _, result in seconds.values())
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3 * np.max(np.diagonal(other)))
    size = sum(leaf.size for leaf in gradients[0].values())
    return [
        {
            "players": players,
            "size": size,
            "dtype": dtype,
            "way": name,
            "seconds": seconds[name][0],
            "ratio": seconds[name][0] / seconds["bargain.gram"][0],
            "extra_bytes": peak_memory(way),
            "gradient_bytes": players * size * np.dtype(dtype).itemsize,
        }
        for name, way in ways.items()
    ]
