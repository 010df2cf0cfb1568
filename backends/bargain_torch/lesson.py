"""A lesson for learned weights: a game on fresh data, and what weights do to the main task."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

import bargain
from bargain.preferences import audible, hypergradient
from bargain_torch.autograd_graph import read_graph, unreached
from bargain_torch.course import Course
from bargain_torch.losses import listed, read_losses
from bargain_torch.play import no_game, play
from bargain_torch.preference_products import inner_products
from bargain_torch.trunk import rounding_of


class Lesson(NamedTuple):
    """What one update of the weights was made of; all of it in the order of the tasks.

    Parameters
    ----------
    gradient : Tensor
        Shape ``(K,)``: of the main loss with respect to the weights. NaN where the tasks could not
        agree or something was not finite: then the weights stayed.
    outcome : bargain.Outcome
        Of the game that the gradient is about, for the tasks that were present.
    products : Tensor
        Shape ``(K,)``: inner products of the tasks' gradients with the main one on other data,
        multiplied by the inverse Hessian.
    """

    gradient: Tensor
    outcome: bargain.Outcome
    products: Tensor


def take_lesson(course: Course, weights: Tensor) -> Lesson:
    """Say what the weights do to the main task."""
    losses = course.losses()
    given = losses.values() if isinstance(losses, Mapping) else losses
    tasks, present = read_losses(losses, [loss is not None for loss in given])
    if set(tasks.names) != set(course.tasks):
        raise ValueError(
            f"losses: expected the tasks {listed(course.tasks)}, found {listed(tasks.names)}"
        )
    places = [course.tasks.index(name) for name in tasks.names]
    ours = [k for k, there in zip(places, present, strict=True) if there]
    here = torch.tensor(ours, device="cpu")
    say = weights[here]
    played: list[tuple[bargain.Outcome, Tensor]] = []

    def settle(products: Tensor) -> list[float]:
        played.append(_agreed(course, products.detach().cpu().double(), say))
        return played[0][1].tolist()

    products, gains = inner_products(
        tasks.of(present), _main_loss(course), course.shared, settle, course.inverse, course.method
    )
    if not played:
        settle(products)
    outcome, coefficients = played[0]
    gradient = hypergradient(products, say, coefficients, gains)
    whole = torch.zeros_like(weights)
    return Lesson(whole.index_copy(0, here, gradient), outcome, whole.index_copy(0, here, gains))


def _agreed(course: Course, products: Tensor, weights: Tensor) -> tuple[bargain.Outcome, Tensor]:
    """Return an outcome with its coefficients, which are zero if nobody can agree."""
    if not bool(torch.isfinite(products).all()):
        return no_game(len(weights)), torch.zeros_like(weights)

    def ask(say: Tensor) -> tuple[bargain.Outcome, Tensor]:
        return play(
            products,
            say.tolist(),
            [True] * len(say),
            solution=bargain.Nash(),
            length=course.length,
            precision=rounding_of(course.shared),
        )

    # First everybody, so that silent tasks may earn a say; but they cannot veto the others.
    answer = ask(weights)
    if int(answer[0].status) != bargain.Status.AGREEMENT:
        answer = ask(audible(weights, course.silent_below))
    outcome, coefficients = answer
    agreed = int(outcome.status) == bargain.Status.AGREEMENT
    return outcome, coefficients if agreed else torch.zeros_like(weights)


def _main_loss(course: Course) -> Tensor:
    found: Any = course.validation()
    if isinstance(found, Mapping):
        found = found.get(course.main)
    elif isinstance(found, Sequence):
        found = found[course.tasks.index(course.main)]
    if not isinstance(found, Tensor) or found.numel() != 1 or not found.requires_grad:
        raise ValueError(
            f"validation: expected a scalar loss of {course.main!r} that requires grad, found "
            f"{found!r}; return that loss, or losses with that name"
        )
    hidden = read_graph([found], course.shared).hidden
    if not hidden and unreached([found], course.shared):
        raise ValueError(
            "validation: expected a loss that depends on the shared parameters, found one that "
            "does not; compute it with the model that is trained"
        )
    return found.reshape(())
