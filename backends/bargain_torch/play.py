"""The game that the tasks play, solved on the host whatever device the gradients are on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

import bargain
from bargain.faint import without_faint


def play(
    products: Tensor,
    weights: Sequence[float] | None,
    present: Sequence[bool],
    *,
    solution: Any,
    length: Any,
    precision: float,
    maximum: float | None = None,
) -> tuple[bargain.Outcome, Tensor]:
    """Solve the game of K tasks; return the outcome, and coefficients of the length wanted.

    Everything returned is float64 and on the CPU: the training loop needs the numbers there.
    """
    gram = without_faint(products.detach().cpu().double().numpy(), precision)
    active = None if all(present) else np.asarray(present)
    shares = None if weights is None else np.asarray(weights, dtype=np.float64)
    game = bargain.GradientGame(gram, shares, active=active)
    outcome = bargain.solve(game, solution, precision=precision)
    coefficients = bargain.rescale(
        outcome.coefficients, game, length, maximum=maximum, precision=precision
    )
    return as_tensors(outcome), torch.as_tensor(coefficients, device="cpu")


def no_game(players: int) -> bargain.Outcome:
    """Return the outcome of a step without a game: status NONFINITE, and NaN for all numbers."""
    nothing = bargain.GradientGame(np.full((1, players, players), np.nan))
    return as_tensors(bargain.solve(nothing), lambda values: values[0])


def share(
    ranks: Any, outcome: bargain.Outcome, coefficients: Tensor
) -> tuple[bargain.Outcome, Tensor]:
    """Return the outcome that the first rank found: processors may round differently."""
    if ranks.size == 1:
        return outcome, coefficients
    parts: list[Tensor] = []
    as_tensors(outcome, lambda values: parts.append(values) or values)
    *parts, coefficients = ranks.share([*parts, coefficients])
    rest = iter(parts)
    return as_tensors(outcome, lambda _: next(rest)), coefficients


def as_tensors(outcome: Any, pick: Any = lambda values: values) -> Any:
    """Turn an outcome's arrays into tensors."""
    return type(outcome)(
        *(
            as_tensors(values, pick)
            if isinstance(values, tuple)
            else torch.as_tensor(pick(values), device="cpu")
            for values in outcome
        )
    )
