"""What a learner of weights is told once, checked."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bargain.lengths import Length
from bargain.preferences import InverseHessian
from bargain_torch.losses import listed
from bargain_torch.options import Options
from bargain_torch.trunk import Method


class Course(NamedTuple):
    """What stays the same from lesson to lesson; see :class:`bargain_torch.PreferenceLearner`."""

    shared: list[Tensor]
    tasks: tuple[Any, ...]
    main: Any
    losses: Callable[[], Any]
    validation: Callable[[], Any]
    inverse: InverseHessian
    silent_below: float
    length: Length
    method: Method


def read_course(course: Course) -> Course:
    """Return what was given, checked."""
    tasks = course.tasks
    if len(tasks) < 2 or len(set(tasks)) < len(tasks):
        raise ValueError(
            f"tasks: expected two or more different names, found {listed(map(repr, tasks))}"
        )
    if course.main not in tasks:
        raise ValueError(f"main: expected one of {listed(tasks)}, found {course.main!r}")
    for name in ("losses", "validation"):
        function = getattr(course, name)
        if not callable(function):
            raise TypeError(
                f"{name}: expected a function without arguments, found {type(function).__name__}; "
                f"wrap it as in lambda: losses_of(next(batches))"
            )
    if not 0 <= course.silent_below < 1:
        raise ValueError(
            f"silent_below: expected at least 0 and less than 1, found {course.silent_below!r}"
        )
    check_made("inverse", course.inverse, "apply")
    Options(length=course.length, method=course.method).check()
    return course


def check_made(name: str, part: Any, needed: str) -> None:
    """Raise unless somebody made an object that can do what is needed."""
    if isinstance(part, type) or not hasattr(part, needed):
        raise TypeError(
            f"{name}: expected one of bargain.preferences, such as MirrorDescent() or OneStep(), "
            f"found {part!r}; make one, or leave {name} out"
        )


def first_weights(weights: Any, tasks: tuple[Any, ...]) -> Tensor:
    """Return the weights to start from, in the order of the tasks."""
    if weights is None:
        return torch.ones(len(tasks), dtype=torch.float64, device="cpu")
    if isinstance(weights, Mapping) and set(weights) == set(tasks):
        weights = [weights[name] for name in tasks]
    if isinstance(weights, Mapping) or len(weights) != len(tasks):
        raise ValueError(f"weights: expected one for each of {listed(tasks)}, found {weights}")
    first = torch.as_tensor(weights, dtype=torch.float64, device="cpu")
    if not bool((torch.isfinite(first) & (first > 0)).all()):
        raise ValueError(f"weights: expected positive numbers, found {weights}")
    return first
