"""Study: ten tasks of a robot arm by one policy, `python docs/studies/mt10.py`.

Meta-World's MT10, by imitation of the scripted experts in place of reinforcement learning. A shared
trunk and a head for each task; success is measured in the simulator. Once with the losses as they
are, once with each of them in a unit of its own.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from torch import Tensor, nn

from bargain_torch.comparison import Bargain, Comparison, Fixed, GradientRule, LossRule, compare
from mt10_picture import draw
from mt10_report import summary, tasks_of
from mt10_simulator import TASKS, TEST_GOALS, Demonstrations, Scene, check_installed, load

PICTURE = Path(__file__).parents[1] / "pictures" / "mt10.svg"
UNITS = ("natural", "rescaled")
EPOCHS = 20
RATES = (1e-3, 3e-3, 1e-2, 3e-2)
WIDTH, OBSERVED, ACTED = 256, 39, 4

METHODS = {
    "LS": Fixed(),
    "SI": LossRule("si"),
    "FAMO": LossRule("famo"),
    "MGDA": GradientRule("mgda"),
    "CAGrad": GradientRule("cagrad"),
    "UPGrad": GradientRule("upgrad"),
    "Nash": Bargain(),
}


class Sizes(NamedTuple):
    """Episodes of a task to train on, to choose learning rates by, to report; what an epoch is."""

    train: int = 10
    validation: int = 5
    test: int = 20
    batch: int = 64  # of a task
    steps: int = 50


class Batches:
    """Observations (B, 39) and actions (B, 4) of every task, drawn by torch's global dice."""

    def __init__(self, demonstrations: list[Demonstrations], sizes: Sizes) -> None:
        self._demonstrations = [
            (torch.from_numpy(observations), torch.from_numpy(actions))
            for observations, actions, _ in demonstrations
        ]
        self._sizes = sizes

    def __iter__(self) -> Iterator[list[tuple[Tensor, Tensor]]]:
        for _ in range(self._sizes.steps):
            batch = []
            for observations, actions in self._demonstrations:
                rows = torch.randint(len(observations), (self._sizes.batch,))
                batch.append((observations[rows], actions[rows]))
            yield batch


def make_trunk(centre: Tensor, spread: Tensor) -> nn.Sequential:
    return nn.Sequential(
        Standardised(centre, spread),
        nn.Linear(OBSERVED, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
        nn.Linear(WIDTH, WIDTH),
        nn.ReLU(),
    )


class Standardised(nn.Module):
    """Observations in units of their spread in the training data of all tasks."""

    def __init__(self, centre: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("spread", spread)

    def forward(self, observations: Tensor) -> Tensor:
        return (observations - self.centre) / self.spread


class Policies(nn.Module):
    """A policy for each task: with one trunk for all of them, or with a trunk each."""

    def __init__(self, tasks: int, centre: Tensor, spread: Tensor, together: bool) -> None:
        super().__init__()
        made = [make_trunk(centre, spread) for _ in range(1 if together else tasks)]
        self.trunks = nn.ModuleList(made)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, ACTED) for _ in range(tasks))

    def forward(self, observations: Tensor, task: int) -> Tensor:
        trunk = self.trunks[task % len(self.trunks)]
        return self.heads[task](trunk(observations))


@cache
def scene(task: str) -> Scene:
    """Kept, since Meta-World takes half a second to draw the goals of a task."""
    return Scene(task, TEST_GOALS)


class Imitation:
    """The problem: the experts' actions, judged by mean squared errors times factors."""

    def __init__(
        self, demonstrations: Mapping[str, Demonstrations], sizes: Sizes, units: str
    ) -> None:
        parts = [part.split(sizes.validation) for part in demonstrations.values()]
        self._train, self._validation = zip(*parts, strict=True)
        observed = np.concatenate([part.observations for part in self._train])
        self._centre = torch.from_numpy(observed.mean(axis=0))
        # Much of an observation is padding or turns little: that must not become huge elsewhere.
        self._spread = torch.from_numpy(np.maximum(observed.std(axis=0), 0.01))
        exponents = np.random.default_rng(0).uniform(-1.5, 1.5, size=len(TASKS))
        factors = 10**exponents if units == "rescaled" else np.ones(len(TASKS))
        self.factors = {task: factors[TASKS.index(task)] for task in demonstrations}
        self._sizes = sizes

    def make_model(self) -> Policies:
        return Policies(len(self.factors), self._centre, self._spread, together=True)

    def make_separate(self) -> Policies:
        return Policies(len(self.factors), self._centre, self._spread, together=False)

    def data(self) -> Batches:
        return Batches(list(self._train), self._sizes)

    def losses(self, model: Policies, batch: list[tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        # A pass through the trunk for each task, so that none goes back through others' rows.
        return {
            task: factor * (model(observations, k) - actions).square().mean()
            for k, ((task, factor), (observations, actions)) in enumerate(
                zip(self.factors.items(), batch, strict=True)
            )
        }

    @torch.inference_mode()
    def validate(self, model: Policies) -> dict[str, float]:
        """Mean squared errors on demonstrations that were held out, without factors.

        Not under the tasks' names, which stand for rates of success: of these, higher is better.
        """
        return {
            f"error of {task}": (
                (model(torch.from_numpy(held.observations), k) - torch.from_numpy(held.actions))
                .square()
                .mean()
                .item()
            )
            for k, (task, held) in enumerate(zip(self.factors, self._validation, strict=True))
        }

    @torch.inference_mode()
    def evaluate(self, model: Policies) -> dict[str, float]:
        """How often each task succeeds, and the mean of the errors above."""

        def policy(k):
            return lambda seen: model(torch.from_numpy(seen).float(), k).numpy()

        rates = {
            task: scene(task).success_rate(policy(k), self._sizes.test)
            for k, task in enumerate(self.factors)
        }
        return {**rates, "error": float(np.mean(list(self.validate(model).values())))}


def run(
    demonstrations: Mapping[str, Demonstrations],
    sizes: Sizes,
    folder: Path,
    parts: Sequence[str] = ("single", *UNITS),
    **budget: object,
) -> dict[str, Comparison]:
    """A network for each task by itself, then all methods, once in each of the units."""
    found = {}
    for units in parts:
        problem = Imitation(demonstrations, sizes, units)
        found[units] = compare(
            problem.make_separate if units == "single" else problem.make_model,
            problem.losses,
            problem.data,
            shared=lambda model: model.trunks.parameters(),
            evaluate=problem.evaluate,
            validate=problem.validate,
            higher=list(demonstrations),
            methods={"single-task": Fixed()} if units == "single" else METHODS,
            folder=folder / units,
            **budget,
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("comparison/mt10"), help="for runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--tasks", choices=TASKS, nargs="+", default=TASKS)
    parser.add_argument("--quick", action="store_true", help="few episodes, to see it work")
    parser.add_argument("--picture", type=Path, default=PICTURE)
    options = parser.parse_args()
    check_installed()
    console, began = Console(), time.perf_counter()
    sizes, rates = Sizes(), RATES
    if options.quick:
        sizes, rates = Sizes(train=2, validation=1, test=1, steps=10), RATES[:1]
    torch.set_num_threads(1)
    demonstrations = load(
        options.folder / "demonstrations", options.tasks, sizes.train + sizes.validation
    )
    results = run(
        demonstrations,
        sizes,
        options.folder / ("quick" if options.quick else "runs"),
        rates=rates,
        seeds=options.seeds,
        epochs=options.epochs,
        trial_epochs=max(1, options.epochs // 2),
    )
    console.print(summary(results), soft_wrap=True)
    for units in UNITS:
        console.print(f"\nsuccess in %, {units} losses\n{tasks_of(results, units)}", soft_wrap=True)
    draw(results, options.picture)
    console.print(f"{time.perf_counter() - began:.0f} s; drawn to {options.picture}")


if __name__ == "__main__":
    main()
