"""The training loop of a comparison, one epoch at a time; goes on from a checkpoint."""

import time
from collections.abc import Mapping
from math import cos, isfinite, pi
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bargain_torch.comparison.checkpoint import (
    dice,
    read_checkpoint,
    seed_all,
    throw_again,
    write_whole,
)
from bargain_torch.comparison.run import Entry, Problem, Run
from bargain_torch.comparison.stepping import Losses, Setting, Stepper
from bargain_torch.losses import listed, read_parameters
from bargain_torch.reading import NonfiniteError


class Training:
    """A training under way; all that it knows goes into its checkpoints."""

    def __init__(self, problem: Problem, entry: Entry) -> None:
        seed_all(entry.seed)
        self.problem, self.entry = problem, entry
        self.model = problem.make_model()
        self.data = problem.data()
        self.optimizer = problem.optimizer(self.model.parameters(), lr=entry.rate)
        falls = problem.schedule == "cosine"
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer,
            lambda epoch: (1 + cos(pi * min(epoch / entry.epochs, 1))) / 2 if falls else 1.0,
        )
        shared = read_parameters(problem.shared(self.model), "shared")
        self.stepper = _begin(entry, Setting(self.model, shared, self._fresh))
        self.by_clock = problem.threads > 1 or any(leaf.is_cuda for leaf in shared)
        self.log = _Log()

    def train(self, file: Path) -> Run:
        """Train to the end, from where the checkpoint left it."""
        ended = ""
        try:
            self.restore(read_checkpoint(file))
            while self.log.epochs() < self.entry.epochs:
                self.epoch()
                write_whole(file, self.state())
        except NonfiniteError as error:
            ended = f"step {self.log.steps + 1}: {error}"
            if self.problem.nonfinite == "raise":
                name, seed = self.entry.name, self.entry.seed
                raise NonfiniteError(f"{name}, seed {seed}, {ended}") from None
        metrics, note = ({}, ended) if ended else self.judge()
        return self.log.result(self.entry, metrics, self.stepper.games(), note)

    def judge(self) -> tuple[dict[str, float], str]:
        """Return the figures of the trained model, none if one is lost, and what to note."""
        self.model.eval()
        judge = "validate" if self.entry.trial else "evaluate"
        figures = read_figures(getattr(self.problem, judge)(self.model), judge)
        lost = [name for name, value in figures.items() if not isfinite(value)]
        if lost:
            return {}, f"{judge}: {listed(lost)} is NaN or infinite"
        return figures, self.log.left_out()

    def epoch(self) -> None:
        """Pass over the data once."""
        self.model.train()
        began = time.perf_counter()
        steps = [self.step(batch) for batch in self.data]
        solve = self._seconds_to_solve()
        finite = [step for step in steps if step.coefficients is not None]
        if not finite:
            raise ValueError(
                f"data: expected a batch with finite losses in every epoch, found none of "
                f"{len(steps)}; data() has to return what can be passed over many times"
            )
        tasks = finite[0].tasks
        means = torch.stack([step.losses for step in finite]).double().mean(0).tolist()
        self.stepper.after_epoch(dict(zip(tasks, means, strict=True)))
        self.schedule.step()
        weights = self.stepper.weights()
        coefficients = [step.coefficients for step in steps if step.coefficients is not None]
        seconds = [step.seconds for step in steps]
        self.log.rows.append(
            {
                "losses": means,
                "coefficients": torch.stack(coefficients).mean(0).tolist(),
                "weights": None if weights is None else [float(weights[name]) for name in tasks],
                "step": median(seconds),
                "total": sum(seconds),
                "solve": solve,
                "seconds": time.perf_counter() - began,
            }
        )

    def step(self, batch: Any) -> "_Taken":
        """Take a step, or leave it out where the policy says so."""
        begin = self._now()
        self.optimizer.zero_grad()
        losses = self.problem.losses(self.model, batch)
        self.log.see(losses)
        values = torch.stack([loss.detach().reshape(()) for loss in losses.values()])
        coefficients = None
        try:
            _check_finite(losses, values)
            found = torch.as_tensor(self.stepper.backward(losses), dtype=torch.float64)
            coefficients = found.reshape(len(losses))
        except NonfiniteError:
            if self.problem.nonfinite != "skip":
                raise
            self.log.skipped += 1
        else:
            self.optimizer.step()
            # Not under no_grad(): losses may hold derivatives.
            self.stepper.after_step(losses, lambda: self.problem.losses(self.model, batch))
        self.log.steps += 1
        return _Taken(tuple(losses), values, coefficients, self._now() - begin)

    def state(self) -> dict[str, Any]:
        """Return all that a checkpoint needs."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.last_epoch,
            "stepper": self.stepper.state_dict(),
            "dice": dice(),
            "log": vars(self.log),
        }

    def restore(self, state: dict[str, Any] | None) -> None:
        """Go on from a checkpoint; nothing to do without one."""
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.last_epoch = state["schedule"]
        self.stepper.load_state_dict(state["stepper"])
        vars(self.log).update(state["log"])
        throw_again(state["dice"])

    def _fresh(self) -> Losses:
        return self.problem.losses(self.model, next(iter(self.data)))

    def _seconds_to_solve(self) -> float:
        """How long a bargaining solve takes, with caches as a step leaves them; zero for none."""
        begin = self._now()
        self.stepper.play_again()
        return self._now() - begin if self.stepper.games() else 0.0

    def _now(self) -> float:
        if self.by_clock:
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            return time.perf_counter()
        # Other work on the machine does not count.
        return time.process_time()


def _begin(entry: Entry, setting: Setting) -> Stepper:
    stepper = entry.method.start(setting)
    wanted = [name for name in vars(Stepper) if not name.startswith("_")]
    missing = [name for name in wanted if not hasattr(stepper, name)]
    if missing:
        raise TypeError(
            f"methods: expected {entry.name}.start to return a stepper, found "
            f"{type(stepper).__name__} without {listed(missing)}; derive it from "
            f"bargain_torch.comparison.Memoryless"
        )
    return stepper


class _Taken(NamedTuple):
    """A step: its tasks, their losses and coefficients (None if it was left out), its time."""

    tasks: tuple[Any, ...]
    losses: Tensor
    coefficients: Tensor | None
    seconds: float


def _check_finite(losses: Losses, values: Tensor) -> None:
    found = values.tolist()
    if not all(map(isfinite, found)):
        names = [name for name, value in zip(losses, found, strict=True) if not isfinite(value)]
        raise NonfiniteError(f"the loss of {listed(names)} is NaN or infinite")


def read_figures(found: Any, what: str) -> dict[str, float]:
    """Return figures of merit, checked; ``what`` is the name of the function that found them."""
    if not isinstance(found, Mapping) or not found:
        raise TypeError(
            f"{what}: expected a dict of numbers by their names, found "
            f"{'an empty one' if found == {} else type(found).__name__}; return "
            f"{{'error': ...}}, for example"
        )
    try:
        figures = {str(name): float(number) for name, number in found.items()}
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"{what}: expected one number for each name, found {error}") from None
    for name, number in figures.items():
        if number < 0:
            raise ValueError(
                f"{what}: expected figures of at least zero, since they are compared by ratios, "
                f"found {number:.4g} for {name}; return an error or a likelihood, say, in place of "
                f"a logarithm"
            )
    return figures


class _Log:
    """What is written down: one row an epoch."""

    def __init__(self) -> None:
        self.steps, self.skipped = 0, 0
        self.tasks: list[str] = []
        self.rows: list[dict[str, Any]] = []

    def epochs(self) -> int:
        return len(self.rows)

    def see(self, losses: Losses) -> None:
        """Note the names of the tasks, which have to be those of the steps before."""
        tasks = [str(name) for name in losses]
        if self.tasks not in ([], tasks):
            raise ValueError(
                f"losses: expected the tasks of the first batch, {listed(self.tasks)}, in every "
                f"batch, found {listed(tasks)} in step {self.steps + 1}; leave out batches that "
                f"lack one of them"
            )
        self.tasks = tasks

    def left_out(self) -> str:
        """Say how many steps were left out, if any were."""
        if not self.skipped:
            return ""
        return f"{self.skipped} of {self.steps} steps left out, not finite"

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    def result(self, entry: Entry, metrics: dict[str, float], games: int, note: str) -> Run:
        solve = median(self.column("solve")) if self.rows else 0.0
        total = sum(self.column("total"))
        return Run(
            method=entry.name,
            member=entry.member,
            rate=entry.rate,
            seed=entry.seed,
            metrics=metrics,
            tasks=self.tasks,
            losses=self.column("losses"),
            coefficients=self.column("coefficients"),
            weights=[row for row in self.column("weights") if row is not None],
            step_seconds=median(self.column("step")) if self.rows else 0.0,
            solve_seconds=solve,
            solve_part=solve * games / total if total else 0.0,
            seconds=sum(self.column("seconds")),
            note=note,
        )
