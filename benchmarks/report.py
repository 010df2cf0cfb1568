"""What a benchmark hands over: tables for people, records for machines."""

import json
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

PACKAGES = ("array-api-compat", "clarabel", "cvxpy", "ecos", "numpy", "scipy", "torch", "torchjd")
README = Path(__file__).parent.parent / "README.md"
START, END = "<!-- benchmarks:start -->", "<!-- benchmarks:end -->"


class Report(NamedTuple):
    """The outcome of one benchmark.

    Attributes
    ----------
    name
        Of the files that it is kept in.
    title
        What was measured.
    columns, rows
        The table, in words.
    notes
        What a reader has to know to read it.
    records
        The numbers behind the table.
    summary
        A smaller table for the README and what to know of it (columns, rows, notes), or None.
    """

    name: str
    title: str
    columns: list[str]
    rows: list[list[str]]
    notes: str
    records: list[dict[str, Any]]
    summary: tuple[list[str], list[list[str]], str] | None = None


def show(report: Report) -> None:
    """Print the table."""
    table = Table(title=report.title, caption=report.notes, title_justify="left")
    for column in report.columns:
        table.add_column(column, justify="left" if column == report.columns[0] else "right")
    for row in report.rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 140).print(table)


def save(report: Report, folder: Path, readme: Path = README) -> None:
    """Keep the records as JSON and the table as Markdown; put the summary into the README."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "title": report.title,
        "notes": report.notes,
        "machine": machine(),
        "records": report.records,
    }
    (folder / f"{report.name}.json").write_text(json.dumps(record, indent=1) + "\n")
    table = markdown(report.columns, report.rows)
    (folder / f"{report.name}.md").write_text(f"{report.title}\n\n{table}\n{report.notes}\n")
    if report.summary is None:
        return
    columns, rows, notes = report.summary
    summary = f"{markdown(columns, rows)}\n{notes}\n"
    (folder / "README_table.md").write_text(summary)
    text = readme.read_text() if readme.exists() else ""
    if START in text and END in text:
        before, rest = text.split(START, 1)
        after = rest.split(END, 1)[1]
        readme.write_text(f"{before}{START}\n{summary}{END}{after}")


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """Write a table in Markdown, the first column to the left and the others to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def machine() -> dict[str, Any]:
    """Say what the figures were taken on."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "versions": versions,
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    found = (
        re.search(r"model name\s*: (.*)", information.read_text()) if information.exists() else None
    )
    return found[1] if found else platform.processor() or platform.machine()


def in_units(seconds: float) -> str:
    """Write a time with two digits or three."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= size:
            return f"{seconds / size:.{0 if seconds >= 100 * size else 1}f} {unit}"
    return f"{seconds * 1e6:.2f} µs"


def in_powers(number: float) -> str:
    """Write a residual with one digit."""
    return f"{number:.1f}" if 0.1 <= number < 1000 else f"{number:.0e}".replace("e-0", "e-")


def times(ratio: float) -> str:
    """Write a ratio with about two digits."""
    if ratio < 10:
        return f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"
    digits = len(str(int(ratio)))
    return f"{round(ratio, 2 - digits):,.0f}×"
