"""The cells of the truth tables, filled by one process or several."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import NamedTuple

from bargain.testing import axioms
from bargain.testing.axiom import Axiom
from bargain.testing.spelling import in_plain_numbers
from bargain.testing.truth import GRADIENT_COLUMNS, PAYOFF_COLUMNS, Column, examine

__all__ = ["TABLES", "Cell", "Place", "cells", "cores"]

TABLES: dict[str, tuple[tuple[Column, ...], tuple[Axiom, ...]]] = {
    "payoff games": (PAYOFF_COLUMNS, axioms.PAYOFF_AXIOMS),
    "gradient games": (GRADIENT_COLUMNS, axioms.GRADIENT_AXIOMS),
}
"""The columns and the rows of each table, by its title."""
Place = tuple[str, int, int]
"""The title of a table, and the numbers of a column and a row of it."""


class Cell(NamedTuple):
    """A cell of the truth table, in words that another process can send."""

    mark: str
    contradiction: str
    example: str


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cells(wanted: list[Place], examples: int, seed: int, jobs: int) -> Iterator[tuple[Place, Cell]]:
    """Fill cells of the truth tables by so many processes, and give each as it is done.

    What is found in a cell depends on the seed alone, not on the process or the order.
    """
    if jobs == 1:
        for place in wanted:
            yield place, cell_at(*place, examples, seed)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        places = {pool.submit(cell_at, *place, examples, seed): place for place in wanted}
        for future in as_completed(places):
            yield places[future], future.result()


def cell_at(title: str, column_number: int, row: int, examples: int, seed: int) -> Cell:
    """Fill one cell; it finds its column and its axiom again, since these cannot be sent."""
    columns, rows = TABLES[title]
    column, axiom = columns[column_number], rows[row]
    verdict = examine(column, (axiom,), examples=examples, seed=seed).verdicts[0]
    example = ""
    if verdict.violation is not None:
        example = f"{column.name}: {axiom.name}\n{in_plain_numbers(verdict.violation)}"
    wrong = ""
    if verdict.holds != column.grants(axiom):
        word = "grants" if column.grants(axiom) else "denies"
        wrong = f"{column.name}: theory {word} {axiom.name}, but: {verdict}"
    mark = "[green]✓[/]" if verdict.holds else "[red]✗[/]" if verdict.violation else "–"
    return Cell(mark, wrong, example)
