"""Run benchmarks, show their tables, and keep the results: ``python -m benchmarks [name ...]``."""

import argparse
from importlib import import_module
from pathlib import Path

from rich.console import Console

from benchmarks.report import save, show

FOLDER = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"default: {' '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="smallest setting; results not kept")
    arguments = parser.parse_args()
    strangers = sorted(set(arguments.names) - set(NAMES))
    if strangers:
        parser.error(f"expected names out of {', '.join(NAMES)}, found {', '.join(strangers)}")
    for name in arguments.names or NAMES:
        with Console(stderr=True).status(f"measuring {name}"):
            report = import_module(f"benchmarks.bench_{name}").run(quick=arguments.quick)
        show(report)
        if not arguments.quick:
            save(report, FOLDER / "results")


if __name__ == "__main__":
    main()
