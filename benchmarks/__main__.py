"""Run benchmarks, show their tables, and keep the results: ``python -m benchmarks [name ...]``."""

import argparse
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks.report import save, show

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
CPU_NAMES = [name for name in NAMES if not name.startswith("cuda_")]
"""The others need an NVIDIA GPU, and are run by name."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    known = f"out of {' '.join(NAMES)}; default: all that need no GPU"
    parser.add_argument("names", nargs="*", metavar="name", help=known)
    parser.add_argument("--quick", action="store_true", help="smallest setting; results not kept")
    arguments = parser.parse_args()
    strangers = sorted(set(arguments.names) - set(NAMES))
    if strangers:
        parser.error(f"expected names out of {', '.join(NAMES)}, found {', '.join(strangers)}")
    for name in arguments.names or CPU_NAMES:
        with Console(stderr=True).status(f"measuring {name}"):
            report = import_module(f"benchmarks.bench_{name}").run(quick=arguments.quick)
        show(report)
        if not arguments.quick:
            save(report, FOLDER / "results")


if __name__ == "__main__":
    main()
