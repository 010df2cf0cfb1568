"""JAX next to NumPy: single games, batches, derivatives, and what compiling costs."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import bargain
from benchmarks.games import random_grams, real_grams
from benchmarks.gauges import clock_time, fastest, one_thread
from benchmarks.report import Report, in_units, times

CALLS = 50
"""Calls in a row that one measurement of a single game takes the mean of."""


def run(quick: bool = False) -> Report:
    """Time JAX and NumPy on the same games in float64."""
    with one_thread(), jax.enable_x64(True):
        if quick:
            records = _single("random, K = 3", random_grams(3, 2), 1)
        else:
            records = _single("random, K = 11", random_grams(11, 20), 7)
            records += _single("qm9_11tasks_rawunits", real_grams("qm9_11tasks_rawunits", 20), 7)
            records += _batch("random, 1,000 of K = 11", random_grams(11, 1000), 7)
    return Report(
        name="jax",
        title="JAX and NumPy on the same games, float64, CPU",
        columns=["games", "way", "a game", "ratio", "most steps", "first call"],
        rows=[_row(record) for record in records],
        notes="Time on the clock, fastest try; ratios to NumPy in the same run. The first call "
        "contains the compilation.",
        records=records,
    )


def _slope(gram: Any) -> Any:
    return jax.grad(lambda gram: bargain.nash(gram).coefficients[0])(gram)


def _single(games: str, grams: list[np.ndarray], tries: int) -> list[dict[str, Any]]:
    there = [jnp.asarray(gram) for gram in grams]

    def each(function: Callable, grams: list[Any]) -> Callable[[], Any]:
        return lambda: jax.block_until_ready(
            [function(grams[call % len(grams)]) for call in range(CALLS)][-1]
        )

    return _measured(
        games,
        {
            "NumPy, bargain.nash": (each(bargain.nash, grams), CALLS),
            "JAX, eager": (each(bargain.nash, there), CALLS),
            "JAX, jit": (each(jax.jit(bargain.nash), there), CALLS),
            "JAX, jit, coefficients": (
                each(jax.jit(lambda gram: bargain.nash(gram).coefficients), there),
                CALLS,
            ),
            "JAX, jit(grad)": (each(jax.jit(_slope), there), CALLS),
        },
        tries,
    )


def _batch(games: str, grams: list[np.ndarray], tries: int) -> list[dict[str, Any]]:
    stack = np.stack(grams)
    there = jnp.asarray(stack)

    def once(function: Callable, argument: Any) -> Callable[[], Any]:
        return lambda: jax.block_until_ready(function(argument))

    return _measured(
        games,
        {
            "NumPy, one call": (once(bargain.nash, stack), len(stack)),
            "JAX, one call": (once(bargain.nash, there), len(stack)),
            "JAX, jit(vmap)": (once(jax.jit(jax.vmap(bargain.nash)), there), len(stack)),
            "JAX, jit(vmap(grad))": (once(jax.jit(jax.vmap(_slope)), there), len(stack)),
        },
        tries,
    )


def _measured(
    games: str, ways: dict[str, tuple[Callable[[], Any], int]], tries: int
) -> list[dict[str, Any]]:
    records = []
    for way, (call, count) in ways.items():
        first, _ = clock_time(call)
        seconds, result = fastest(call, tries, clock_time)
        outcome = result if isinstance(result, bargain.Outcome) else None
        records.append(
            {
                "games": games,
                "way": way,
                "seconds_a_game": seconds / count,
                "first_call": first,
                "most_steps": None if outcome is None else int(np.max(outcome.steps)),
            }
        )
    numpy_time = records[0]["seconds_a_game"]
    return [record | {"ratio": record["seconds_a_game"] / numpy_time} for record in records]


def _row(record: dict[str, Any]) -> list[str]:
    return [
        record["games"],
        record["way"],
        in_units(record["seconds_a_game"]),
        times(record["ratio"]),
        "" if record["most_steps"] is None else str(record["most_steps"]),
        in_units(record["first_call"]),
    ]
