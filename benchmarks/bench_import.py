"""How long ``import bargain`` takes on top of ``import numpy``, and peers' imports beside it."""

import statistics
import subprocess
import sys

from benchmarks.report import Report, in_units

PROGRAMS = {
    "import numpy": "import numpy",
    "import numpy, bargain": "import numpy, bargain",
    "the same, and the first solve": "import numpy, bargain; bargain.nash(numpy.eye(3))",
    "import numpy, cvxpy": "import numpy, cvxpy",
    "import numpy, torchjd.aggregation": "import numpy, torchjd.aggregation",
}
TIMED = """
import time
begin = time.perf_counter()
{program}
print(time.perf_counter() - begin)
"""


def run(quick: bool = False) -> Report:
    """Run each program in turn in fresh interpreters, several times over."""
    programs = dict(list(PROGRAMS.items())[:2]) if quick else PROGRAMS
    seconds = {name: [] for name in programs}
    for program in programs.values():
        _time(program)  # fills the caches of files
    for _ in range(1 if quick else 15):
        for name, program in programs.items():
            seconds[name].append(_time(program))
    first = seconds["import numpy"]
    records = [
        {
            "program": name,
            "median_seconds": statistics.median(taken),
            "least_seconds": min(taken),
            "median_seconds_beyond_numpy": statistics.median(
                one - other for one, other in zip(taken, first, strict=True)
            ),
        }
        for name, taken in seconds.items()
    ]
    return Report(
        name="import",
        title="Import times",
        columns=["program", "median", "least", "beyond NumPy"],
        rows=[
            [
                record["program"],
                in_units(record["median_seconds"]),
                in_units(record["least_seconds"]),
                in_units(max(record["median_seconds_beyond_numpy"], 0.0)),
            ]
            for record in records
        ],
        notes="Time on the clock in fresh interpreters, the programs in turn, 15 rounds; the last "
        "column is the median over rounds of the difference from import numpy.",
        records=records,
    )


def _time(program: str) -> float:
    command = [sys.executable, "-c", TIMED.format(program=program)]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
