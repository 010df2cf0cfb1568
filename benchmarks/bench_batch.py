"""Many games in one call, and one game with very many players."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

import bargain
from benchmarks import peers
from benchmarks.games import random_grams
from benchmarks.gauges import clock_time, fastest, one_thread, peak_memory
from benchmarks.report import Report, in_powers, in_units, times


def run(quick: bool = False) -> Report:
    """Time batches in one thread and a large game in as many as there are."""
    with one_thread():
        records = _batch(3, 20, 1) if quick else _batch(3, 1000, 7) + _batch(11, 1000, 7)
    for players, tries in [(50, 1)] if quick else [(2000, 3)]:
        records += _large(players, 2 * players, tries) + _large(players, players // 2, tries)
    return Report(
        name="batch",
        title="Many games at once, and many players",
        columns=["games", "way", "time", "a game", "ratio", "worst residual", "extra memory"],
        rows=[_row(record) for record in records],
        notes="Time on the clock, fastest try; batches in one thread, the large game in all. "
        "Clarabel was given 20 of the games. Cholesky's method, once for a matrix, is the measure "
        "for what anything of second order must cost. Memory beside the matrices, by tracemalloc.",
        records=records,
    )


def _batch(players: int, count: int, tries: int) -> list[dict[str, Any]]:
    grams = np.stack(random_grams(players, count))
    sample = grams[:20]
    conic = peers.Clarabel(players, "update")
    common = {"games": f"{count:,} of K = {players}"}
    ways = {
        "bargain.nash, one call": (count, lambda: bargain.nash(grams)),
        "bargain.nash, a call a game": (count, lambda: [bargain.nash(gram) for gram in grams]),
        "CVXPY + Clarabel, a call a game": (len(sample), lambda: [conic(gram) for gram in sample]),
    }
    return _measured(common, ways, tries)


def _large(players: int, dimensions: int, tries: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    # With fewer dimensions than players an agreement needs something that gradients have in common.
    common_part = 0.0 if dimensions > players else 0.3
    gradients = rng.normal(size=(players, dimensions)) + common_part
    gram = gradients @ gradients.T
    right = np.ones(players)
    ridge = gram + np.eye(players) * players
    common = {"games": f"1 of K = {players:,}, rank {min(players, dimensions):,}"}
    ways = {
        "bargain.nash": (1, lambda: bargain.nash(gram)),
        "bargain.nash, FixedPoint": (1, lambda: bargain.nash(gram, solver=bargain.FixedPoint())),
        "SciPy, one Cholesky solve": (1, lambda: cho_solve(cho_factor(ridge), right)),
    }
    return _measured(common, ways, tries)


def _measured(
    common: dict[str, Any], ways: dict[str, tuple[int, Callable[[], Any]]], tries: int
) -> list[dict[str, Any]]:
    records = []
    for name, (count, way) in ways.items():
        seconds, result = fastest(way, tries, clock_time)
        outcome = result if isinstance(result, bargain.Outcome) else None
        records.append(
            {
                **common,
                "way": name,
                "seconds": seconds,
                "seconds_a_game": seconds / count,
                "worst_residual": None if outcome is None else float(np.max(outcome.residual)),
                "most_steps": None if outcome is None else int(np.max(outcome.steps)),
                "agreements": None if outcome is None else int(np.sum(outcome.status == 0)),
                "extra_bytes": peak_memory(way),
            }
        )
    ours = records[0]["seconds_a_game"]
    return [record | {"ratio": record["seconds_a_game"] / ours} for record in records]


def _row(record: dict[str, Any]) -> list[str]:
    worst = record["worst_residual"]
    return [
        record["games"],
        record["way"],
        in_units(record["seconds"]),
        in_units(record["seconds_a_game"]),
        times(record["ratio"]),
        "" if worst is None else in_powers(worst),
        f"{record['extra_bytes'] / 2**20:.1f} MiB",
    ]
