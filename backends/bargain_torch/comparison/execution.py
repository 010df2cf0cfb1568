"""Carry out trainings in processes of their own, and keep what came of each."""

import json
from collections.abc import Mapping, Sequence
from math import isclose
from pathlib import Path

import torch

from bargain_torch.comparison.checkpoint import seed_all, write_whole
from bargain_torch.comparison.plan import file_name
from bargain_torch.comparison.run import Entry, Problem, Run
from bargain_torch.comparison.training import Training, read_figures
from bargain_torch.losses import listed, read_losses, read_parameters

PROBLEM = "problem.json"
EMPTY = object()


def check_problem(place: Path, problem: Problem, seed: int) -> None:
    """Raise if there can be no training, or if the folder holds runs of another problem.

    A problem is told from others by the sizes of its model and the losses of its first batch.
    """
    if problem.make_model() is problem.make_model():
        raise ValueError(
            "make_model: expected a new model at every call, found the same one, which would go on "
            "from where the last training left it; build the model inside make_model"
        )
    seed_all(seed)
    model = problem.make_model()
    first = next(iter(problem.data()), EMPTY)
    if first is EMPTY:
        raise ValueError("data: expected at least one batch, found none")
    losses = problem.losses(model, first)
    if not isinstance(losses, Mapping):
        raise TypeError(
            f"losses: expected a dict of scalar tensors by the tasks' names, found "
            f"{type(losses).__name__}; name the losses, as in {{'mass': ..., 'charge': ...}}"
        )
    absent = [name for name, loss in losses.items() if loss is None]
    if absent:
        raise ValueError(
            f"losses: expected every task in every batch, found None for {listed(absent)}; leave "
            f"out batches that lack one of them"
        )
    read_losses(losses)
    shared = read_parameters(problem.shared(model), "shared")
    found = {
        "parameters": float(sum(leaf.numel() for leaf in model.parameters())),
        "shared parameters": float(sum(leaf.numel() for leaf in shared)),
        **{f"loss of {name}": float(loss.detach()) for name, loss in losses.items()},
    }
    place.mkdir(parents=True, exist_ok=True)
    file = place / PROBLEM
    kept = json.loads(file.read_text()) if file.exists() else {}
    if str(seed) not in kept:
        model.eval()
        for name in ("evaluate", "validate"):
            read_figures(getattr(problem, name)(model), name)
        write_whole(file, {**kept, str(seed): found})
    elif kept[str(seed)].keys() != found.keys() or not all(
        isclose(found[name], number, rel_tol=1e-3) for name, number in kept[str(seed)].items()
    ):
        raise ValueError(
            f"folder: expected runs of this problem in {place}, found those of one with "
            f"{_listed(kept[str(seed)])} in place of {_listed(found)}; name another folder, or "
            f"delete it"
        )


def _listed(found: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {number:.6g}" for name, number in found.items())


def train_all(
    place: Path, problem: Problem, entries: Sequence[Entry], workers: int, what: str
) -> list[Run]:
    """Train what has not been trained yet, and return the runs in the order of the plan."""
    try:
        from joblib import Parallel, delayed
        from rich.console import Console
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
        place / f"{file_name(entry, (problem.optimizer, problem.schedule, problem.nonfinite))}.json"
        for entry in entries
    ]
    left = [k for k, file in enumerate(files) if not file.exists()]
    columns = TextColumn(f"{what}, last {{task.description}}"), BarColumn(), MofNCompleteColumn()
    # Not among what the program prints.
    screen = Console(stderr=True)
    with Progress(
        *columns, TimeRemainingColumn(), console=screen, transient=True, disable=not left
    ) as progress:
        bar = progress.add_task("none", total=len(entries), completed=len(entries) - len(left))
        jobs = (delayed(_train_one)(problem, entries[k], files[k]) for k in left)
        for name in Parallel(workers, return_as="generator_unordered")(jobs):
            progress.update(bar, advance=1, description=name)
    return [
        _read_run(file)._replace(method=entry.name, member=entry.member)
        for file, entry in zip(files, entries, strict=True)
    ]


def _read_run(file: Path) -> Run:
    try:
        return Run(**json.loads(file.read_text()))
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(
            f"folder: expected a finished run in {file}, found {error}; delete that file"
        ) from None


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
