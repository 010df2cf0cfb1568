"""The solvers next to each other, on the classes of games that the tests know."""

import statistics
from collections import Counter
from collections.abc import Callable
from typing import Any

import bargain
from benchmarks.gauges import fastest, one_thread, processor_time
from benchmarks.report import Report, in_powers, in_units, times
from tests.strategies import gram_classes as classes
from tests.strategies import modifiers
from tests.strategies.gram_classes import GramCase

SOLVERS = (bargain.Newton(), bargain.FixedPoint(), bargain.CCP(), bargain.InteriorPoint())
CLASSES: dict[str, Callable[[int, int], GramCase]] = {
    "independent gradients": classes.full_rank,
    "dependent gradients": classes.rank_deficient,
    "duplicated gradients": classes.duplicated,
    "conflict, margin 0.1": lambda k, seed: classes.strongly_conflicting(k, seed, 0.1),
    "conflict, margin 0.001": lambda k, seed: classes.strongly_conflicting(k, seed, 1e-3),
    "nearly opposite pair, 0.001": lambda k, seed: classes.nearly_opposite_pair(k, seed, 1e-3),
    "scales over 24 decades": lambda k, seed: modifiers.rescaled(
        classes.full_rank(k, seed), seed, 24
    ),
    "weights over 8 decades": lambda k, seed: modifiers.weighted(
        classes.full_rank(k, seed), seed, 8
    ),
    "stationary": classes.stationary,
    "some stationary": classes.stationary_subset,
}
DISAGREEMENT: dict[str, Callable[[int, int], GramCase]] = {
    "attainable disagreement": lambda k, seed: modifiers.with_attainable_disagreement(
        classes.full_rank(k, seed), seed, 0.1, 1.0
    ),
    "unattainable disagreement": lambda k, seed: modifiers.with_unattainable_disagreement(
        classes.full_rank(k, seed), seed, 0.1, 1.0
    ),
}


def run(quick: bool = False) -> Report:
    """Solve games of every class with every solver that takes them, one thread."""
    players, seeds = ((3,), range(1)) if quick else ((3, 11, 40), range(5))
    records = []
    with one_thread():
        for name, construct in (CLASSES | DISAGREEMENT).items():
            solvers = SOLVERS[-1:] if name in DISAGREEMENT else SOLVERS
            for count in players:
                cases = [construct(count, seed) for seed in seeds]
                measured = [_measure(solver, cases, quick) for solver in solvers]
                records += [
                    {"games": name, "players": count}
                    | record
                    | {"ratio": record["median_seconds"] / measured[0]["median_seconds"]}
                    for record in measured
                ]
    return Report(
        name="solvers",
        title="Solvers, over classes of games",
        columns=["games", "K", "solver", "steps", "most", "time", "ratio", "residual", "no proof"],
        rows=[_row(record) for record in records],
        notes="Median and most steps, median processor time over five games (fastest of three "
        "tries), worst residual of the agreements, and how many games ended without a proof of "
        "agreement or disagreement. Newton runs through the NumPy backend's fast way.",
        records=records,
    )


def _measure(solver: Any, cases: list[GramCase], quick: bool) -> dict[str, Any]:
    seconds, outcomes = [], []
    for case in cases:
        game = bargain.GradientGame(case.gram, case.weights, case.disagreement, case.radius)
        taken, outcome = fastest(
            lambda game=game: bargain.solve(game, solver=solver), 1 if quick else 3, processor_time
        )
        seconds.append(taken)
        outcomes.append(outcome)
    steps = [int(outcome.steps) for outcome in outcomes]
    statuses = Counter(bargain.Status(int(outcome.status)).name for outcome in outcomes)
    agreed = [float(o.residual) for o in outcomes if o.status == bargain.Status.AGREEMENT]
    return {
        "solver": type(solver).__name__,
        "median_steps": statistics.median(steps),
        "most_steps": max(steps),
        "median_seconds": statistics.median(seconds),
        "worst_residual": max(agreed, default=None),
        "statuses": dict(statuses),
        "count": len(cases),
    }


def _row(record: dict[str, Any]) -> list[str]:
    worst = record["worst_residual"]
    unproved = record["statuses"].get("MAX_STEPS", 0) + record["statuses"].get("NONFINITE", 0)
    return [
        record["games"],
        str(record["players"]),
        record["solver"],
        f"{record['median_steps']:.0f}",
        str(record["most_steps"]),
        in_units(record["median_seconds"]),
        times(record["ratio"]),
        "" if worst is None else in_powers(worst),
        f"{unproved} of {record['count']}",
    ]
