"""Solutions before the laboratory: a table of axioms, and every counter-example."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from bargain.testing import axioms, check_axioms, gradient_games, with_weights
from bargain.testing.axiom import Axiom
from bargain.testing.laboratory import legible_first
from bargain.testing.report import Report
from bargain_cli.input_error import InputError
from bargain_cli.verify_cells import TABLES, Cell, Place, cells, cores

__all__ = ["load_function", "verify_all", "verify_function"]


def load_function(target: str) -> Callable[[Any], Any]:
    """Import the function that ``MODULE:FUNCTION`` names; modules are also sought here.

    Parameters
    ----------
    target : str
        Such as ``bargain.testing.rules:nash``.

    Returns
    -------
    callable
        The function.

    Raises
    ------
    InputError
        If there is no such thing, or it cannot be called.
    """
    module_name, colon, name = target.partition(":")
    if not (module_name and colon and name):
        raise InputError(f"Expected MODULE:FUNCTION, such as rules:mine, but found {target!r}.")
    if module_name.endswith(".py"):
        raise InputError(
            f"{target!r} names a file; leave out .py, and run the command in its folder."
        )
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        raise InputError(
            f"{module_name!r} cannot be imported ({type(error).__name__}: {error})."
        ) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise InputError(f"There is no {name!r} in {module_name!r}.")
        found = getattr(found, part)
    if not callable(found):
        raise InputError(f"{target!r} is no function, but {type(found).__name__}.")
    return found


def verify_function(
    target: str, *, names: list[str], gradients: bool, weights: bool, examples: int, seed: int
) -> bool:
    """Print a verdict for each axiom, and the counter-examples.

    Parameters
    ----------
    target : str
        ``MODULE:FUNCTION``.
    names : list of str
        Names of axioms, or parts of them, in any case; all if empty.
    gradients : bool
        Whether the function is one of gradient games.
    weights : bool
        Whether the players have different weights.
    examples, seed : int
        As for :func:`bargain.testing.check_axioms`.

    Returns
    -------
    bool
        Whether all axioms hold.
    """
    function = load_function(target)
    wanted = _wanted(axioms.GRADIENT_AXIOMS if gradients else axioms.PAYOFF_AXIOMS, names)
    verdicts: list[Any] = []
    with _progress() as progress:
        task = progress.add_task("trying games", total=len(wanted))
        for axiom in wanted:
            games: Any = None
            if weights:
                plain = tuple(with_weights(games) for games in legible_first(axiom))
                games = gradient_games(weights=True) if gradients else plain
            report = check_axioms(function, [axiom], games, examples=examples, seed=seed)
            verdicts += report.verdicts
            progress.advance(task)
    report = Report(target, function, tuple(verdicts))
    table = _table(target)
    for verdict in report.verdicts:
        mark = "[green]✓[/]" if verdict.holds else "[red]✗[/]" if verdict.violation else "–"
        table.add_row(verdict.axiom.name, mark, str(verdict))
    console = Console(highlight=False)
    console.print(table)
    for verdict in report.verdicts:
        if verdict.violation is not None:
            console.print(Text(report.explain(verdict) + "\n"), soft_wrap=True)
    return report.holds


def verify_all(*, examples: int, seed: int, jobs: int | None) -> bool:
    """Print the truth tables of the built-in solutions.

    Parameters
    ----------
    examples, seed : int
        As for :func:`bargain.testing.check_axioms`.
    jobs : int, optional
        How many processes; default: one for each core.

    Returns
    -------
    bool
        Whether the laboratory finds what theory says.
    """
    wanted = [
        (title, column, row)
        for title, (columns, rows) in TABLES.items()
        for column in range(len(columns))
        for row in range(len(rows))
    ]
    found: dict[Place, Cell] = {}
    with _progress() as progress:
        task = progress.add_task("trying games", total=len(wanted))
        for place, cell in cells(wanted, examples, seed, jobs or cores()):
            found[place] = cell
            progress.advance(task)
    console = Console(highlight=False)
    for title, (columns, rows) in TABLES.items():
        table = _table(title, *(column.short for column in columns))
        for row, axiom in enumerate(rows):
            marks = (found[title, column, row].mark for column in range(len(columns)))
            table.add_row(axiom.name, *marks)
        console.print(table)
    for place in wanted:
        if found[place].example:
            console.print(Text(found[place].example + "\n"), soft_wrap=True)
    wrong = [found[place].contradiction for place in wanted if found[place].contradiction]
    for contradiction in wrong:
        console.print(Text(contradiction, style="red"), soft_wrap=True)
    if not wrong:
        console.print("Every verdict is what theory says.")
    return not wrong


def _wanted(known: tuple[Axiom, ...], names: list[str]) -> list[Axiom]:
    def named(axiom: Axiom, name: str) -> bool:
        return name.casefold() in axiom.name.casefold()

    for name in names:
        if not any(named(axiom, name) for axiom in known):
            listed = ", ".join(axiom.name for axiom in known)
            raise InputError(f"There is no axiom {name!r}; there are: {listed}.")
    return [axiom for axiom in known if not names or any(named(axiom, name) for name in names)]


def _progress() -> Progress:
    """Return a bar on standard error that leaves nothing behind."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _table(title: str, *columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("axiom", min_width=31)
    for column in columns or ("", "verdict"):
        table.add_column(column, justify="center" if columns else "left")
    return table
