"""One training of a comparison: what it is given, and what comes of it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor

from bargain_torch.comparison.stepping import Method

Schedule = Literal["cosine", "constant"]
Policy = Literal["stop", "skip", "raise"]


class Problem(NamedTuple):
    """What is trained; see :func:`bargain_torch.compare` for each."""

    make_model: Callable[[], torch.nn.Module]
    losses: Callable[[torch.nn.Module, Any], Mapping[Any, Tensor]]
    data: Callable[[], Iterable[Any]]
    shared: Callable[[torch.nn.Module], Iterable[Tensor]]
    evaluate: Callable[[torch.nn.Module], Mapping[str, float]]
    validate: Callable[[torch.nn.Module], Mapping[str, float]]
    optimizer: Callable[..., torch.optim.Optimizer]
    schedule: Schedule
    nonfinite: Policy
    threads: int


class Entry(NamedTuple):
    """Which training of a problem: one line of the plan."""

    name: str
    member: int
    method: Method
    rate: float
    seed: int
    epochs: int
    trial: bool


class Run(NamedTuple):
    """What came of one training.

    Parameters
    ----------
    method : str
        The name of the method.
    member : int
        Which of the family, where the method is a list.
    rate : float
        The learning rate.
    seed : int
        The seed.
    metrics : dict of float
        What ``evaluate`` (in a trial: ``validate``) returned; empty if the training diverged.
    tasks : list of str
        Names of the K tasks.
    losses : list of list of float
        Mean training losses, epochs by K.
    coefficients : list of list of float
        Mean coefficients of the tasks' gradients, epochs by K.
    weights : list of list of float
        Bargaining weights at the end of each epoch, epochs by K; empty if there are none.
    step_seconds : float
        The median time of a training step: processor time in one thread, otherwise by the clock.
    solve_seconds : float
        The median time of a bargaining solve; zero if there are none.
    solve_part : float
        What part of the time of all steps the solves take: that time, as often as games were
        played.
    seconds : float
        Time of the training by the clock, evaluation left out.
    note : str
        Where and why the training diverged or left out steps; empty if it did not.
    """

    method: str
    member: int
    rate: float
    seed: int
    metrics: dict[str, float]
    tasks: list[str]
    losses: list[list[float]]
    coefficients: list[list[float]]
    weights: list[list[float]]
    step_seconds: float
    solve_seconds: float
    solve_part: float
    seconds: float
    note: str
