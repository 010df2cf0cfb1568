"""Carry out trainings in processes of their own, and keep what came of each."""

import json
from collections.abc import Sequence
from math import isclose
from pathlib import Path

import torch

from bargain_torch.comparison.checkpoint import seed_all, write_whole
from bargain_torch.comparison.plan import file_name
from bargain_torch.comparison.run import Entry, Problem, Run
from bargain_torch.comparison.training import Training

PROBLEM = "problem.json"


def check_problem(place: Path, problem: Problem, seed: int) -> None:
    """Raise if the folder holds runs of another problem, by the losses of the first batch."""
    seed_all(seed)
    model = problem.make_model()
    losses = problem.losses(model, next(iter(problem.data())))
    found = {str(name): float(loss.detach()) for name, loss in losses.items()}
    place.mkdir(parents=True, exist_ok=True)
    file = place / PROBLEM
    kept = json.loads(file.read_text()) if file.exists() else {}
    if str(seed) not in kept:
        write_whole(file, {**kept, str(seed): found})
    elif kept[str(seed)].keys() != found.keys() or not all(
        isclose(found[name], loss, rel_tol=1e-3) for name, loss in kept[str(seed)].items()
    ):
        raise ValueError(
            f"folder: expected runs of this problem in {place}, found those of one whose first "
            f"losses are {kept[str(seed)]} in place of {found}; name another folder, or delete it"
        )


def train_all(
    place: Path, problem: Problem, entries: Sequence[Entry], workers: int, what: str
) -> list[Run]:
    """Train what has not been trained yet, and return the runs in the order of the plan."""
    try:
        from joblib import Parallel, delayed
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'bargain_torch.compare needs {error.name}: run pip install "bargain-solvers[compare]"',
            name=error.name,
        ) from None
    files = [
        place / f"{file_name(entry, (problem.optimizer, problem.schedule))}.json"
        for entry in entries
    ]
    left = [k for k, file in enumerate(files) if not file.exists()]
    columns = TextColumn(f"{what}, last {{task.description}}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), transient=True, disable=not left) as progress:
        bar = progress.add_task("none", total=len(entries), completed=len(entries) - len(left))
        jobs = (delayed(_train_one)(problem, entries[k], files[k]) for k in left)
        for name in Parallel(workers, return_as="generator_unordered")(jobs):
            progress.update(bar, advance=1, description=name)
    return [
        Run(**json.loads(file.read_text()))._replace(method=entry.name, member=entry.member)
        for file, entry in zip(files, entries, strict=True)
    ]


def _train_one(problem: Problem, entry: Entry, file: Path) -> str:
    """Train, keep the result and drop the checkpoint; return the method's name."""
    before = torch.get_num_threads()
    torch.set_num_threads(problem.threads)
    try:
        checkpoint = file.with_suffix(".pt")
        run = Training(problem, entry).train(checkpoint)
    finally:
        torch.set_num_threads(before)
    write_whole(file, run._asdict())
    checkpoint.unlink(missing_ok=True)
    return entry.name
