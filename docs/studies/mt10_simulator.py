"""Meta-World's ten tasks: demonstrations by the scripted experts, and how often one succeeds."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

TASKS = (
    "reach-v3",
    "push-v3",
    "pick-place-v3",
    "door-open-v3",
    "drawer-open-v3",
    "drawer-close-v3",
    "button-press-topdown-v3",
    "peg-insert-side-v3",
    "window-open-v3",
    "window-close-v3",
)
TRAINING_GOALS, TEST_GOALS = 1, 2  # seeds of Meta-World's 50 goals and initial positions for each
HORIZON = 200  # steps; the experts are done in 50 to 100, with a peg in up to 180
MISSING = 'Meta-World is not installed: run pip install "bargain-solvers[studies-rl]"'


Policy = Callable[[np.ndarray], np.ndarray]  # the action (4,) for an observation (39,)


def check_installed() -> None:
    """End with a sentence where the simulator is missing."""
    try:
        import metaworld  # noqa: F401
    except ImportError:
        raise SystemExit(MISSING) from None


class Demonstrations(NamedTuple):
    """Steps of one task: observations (n, 39), actions (n, 4), and the episode of each (n,)."""

    observations: np.ndarray
    actions: np.ndarray
    episodes: np.ndarray

    def where(self, chosen: np.ndarray) -> "Demonstrations":
        return Demonstrations(*(part[chosen] for part in self))

    def split(self, held_out: int) -> tuple["Demonstrations", "Demonstrations"]:
        """The last so many episodes are held out."""
        last = np.isin(self.episodes, np.unique(self.episodes)[-held_out:])
        return self.where(~last), self.where(last)


class Scene:
    """A task's simulator and goals.

    A goal is everything that Meta-World draws for an episode: where the goal is, and where the
    objects are at the beginning.
    """

    def __init__(self, task: str, seed: int):
        import metaworld

        benchmark = metaworld.MT1(task, seed=seed)
        self.goals = benchmark.train_tasks
        self._simulator = benchmark.train_classes[task]()

    def play(self, policy: Policy, goal: int) -> tuple[bool, np.ndarray, np.ndarray]:
        """One episode, which ends at success: whether it did, observations and actions."""
        self._simulator.set_task(self.goals[goal])
        observation, _ = self._simulator.reset()
        observations, actions = [], []
        for _ in range(HORIZON):
            action = np.clip(policy(observation), -1, 1)
            observations.append(observation)
            actions.append(action)
            observation, _, _, _, report = self._simulator.step(action)
            if report["success"]:
                break
        return bool(report["success"]), np.asarray(observations), np.asarray(actions)

    def success_rate(self, policy: Policy, episodes: int) -> float:
        """How often it succeeds from the first so many goals."""
        return float(np.mean([self.play(policy, goal)[0] for goal in range(episodes)]))


def expert_in(task: str) -> Policy:
    """Meta-World's script for a task."""
    from metaworld.policies import ENV_POLICY_MAP

    expert = ENV_POLICY_MAP[task]()

    def policy(observation: np.ndarray) -> np.ndarray:
        with warnings.catch_warnings():
            # Experts ask for more than an action may be, and count on its being clipped.
            warnings.filterwarnings("ignore", "Constant", UserWarning)
            return expert.get_action(observation)

    return policy


def demonstrate(task: str, goals: int) -> Demonstrations:
    """What the scripted expert does, where it succeeds."""
    scene, expert = Scene(task, TRAINING_GOALS), expert_in(task)
    pieces = []
    for goal in range(goals):
        succeeded, *steps = scene.play(expert, goal)
        if succeeded:
            pieces.append((*steps, np.full(len(steps[0]), goal)))
    observations, actions, episodes = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    return Demonstrations(observations.astype(np.float32), actions.astype(np.float32), episodes)


def load(folder: Path, tasks: Sequence[str], goals: int) -> dict[str, Demonstrations]:
    """Demonstrations from the folder, or from the experts where it has none."""
    found = {}
    for task in tasks:
        path = folder / f"{task}-{goals}.npz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = demonstrate(task, goals)
            partial = path.with_suffix(".partial.npz")  # whoever is killed leaves no half file
            np.savez(partial, **made._asdict())
            partial.rename(path)
        with np.load(path) as file:
            found[task] = Demonstrations(**file)
    return found
