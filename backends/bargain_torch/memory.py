"""What a balancer remembers between steps."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

import bargain
from bargain_torch.losses import Tasks
from bargain_torch.step import Step


class RunningGram:
    """A running average of Gram matrices that stays positive semidefinite when tasks are absent.

    Sums and each task's total weight decay alike; the average divides by the root of both tasks'
    weights, :math:`S_{ij} / (c_i c_j)^{1/2}`. With everyone always there it is the usual average,
    corrected for its start.
    """

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.names: tuple[Any, ...] = ()
        self.sums: Tensor | None = None
        self.total: Tensor | None = None

    def blend(self, names: tuple[Any, ...], products: Tensor, present: Sequence[bool]) -> Tensor:
        """Take in a matrix, zero for absent tasks; return the average.

        What is remembered belongs to names: tasks in another order keep it, others begin anew.
        """
        if self.decay == 0:
            return products
        here = torch.tensor(present, dtype=torch.float64, device="cpu")
        if names != self.names:
            self._rename(names)
        if self.sums is None or self.total is None:
            self.sums, self.total = torch.zeros_like(products), torch.zeros_like(here)
        self.sums = self.decay * self.sums + (1 - self.decay) * products
        self.total = self.decay * self.total + (1 - self.decay) * here
        roots = torch.where(self.total > 0, self.total, 1.0).sqrt()
        return self.sums / (roots[:, None] * roots)

    def _rename(self, names: tuple[Any, ...]) -> None:
        if self.sums is not None and self.total is not None:
            same = set(self.names) == set(names)
            order = [self.names.index(name) for name in names] if same else []
            self.sums = self.sums[order][:, order] if same else None
            self.total = self.total[order] if same else None
        self.names = names


class Recollection:
    """The last game that was played, the steps it has served, and the running average."""

    def __init__(self, every: int, decay: float) -> None:
        self.every = every
        self.running = RunningGram(decay)
        self.step: Step | None = None
        self.present: list[bool] = []
        self.served = 0

    def reuse(self, tasks: Tasks, present: Sequence[bool]) -> Step | None:
        """Return the last game's step while it is young enough and the same tasks are there.

        Only an agreement is used again: a direction of zero would stop the training for long.
        """
        step = self._agreement(tasks)
        if step is None or self.served >= self.every or self.present != list(present):
            return None
        self.served += 1
        return step._replace(fresh=False)

    def blend(self, tasks: Tasks, products: Tensor, present: Sequence[bool]) -> Tensor:
        """Return the average Gram matrix, that of this step included."""
        self.present = list(present)
        return self.running.blend(tasks.names, products, present)

    def remember(self, step: Step) -> None:
        """Remember a game that was played just now."""
        self.step, self.served = step, 1

    def mark(self) -> tuple[Any, ...]:
        """Return what decides whether the next step plays; it must not differ between ranks."""
        coefficients = None if self.step is None else self.step.coefficients.tolist()
        return self.every, self.served, self.present, coefficients

    def state(self) -> dict[str, Any]:
        """Return all of it in plain containers and tensors."""
        return {
            "step": None if self.step is None else _packed(self.step),
            "present": list(self.present),
            "served": self.served,
            "names": list(self.running.names),
            "sums": self.running.sums,
            "total": self.running.total,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` returned."""
        step = state["step"]
        self.step = None if step is None else _unpacked(step)
        self.present, self.served = list(state["present"]), state["served"]
        self.running.names = tuple(state["names"])
        self.running.sums, self.running.total = state["sums"], state["total"]

    def _agreement(self, tasks: Tasks) -> Step | None:
        step = self.step
        if step is None or step.names != tasks.names:
            return None
        return step if step.status is bargain.Status.AGREEMENT else None


def _packed(step: Step) -> dict[str, Any]:
    outcome = step.outcome._asdict()
    outcome["certificate"] = step.outcome.certificate._asdict()
    return {**step._asdict(), "names": list(step.names), "outcome": outcome}


def _unpacked(state: dict[str, Any]) -> Step:
    outcome = dict(state["outcome"])
    outcome["certificate"] = bargain.Certificate(**outcome["certificate"])
    names, outcome = tuple(state["names"]), bargain.Outcome(**outcome)
    return Step(**{**state, "names": names, "outcome": outcome})
