"""What the core needs from PyTorch beyond the standard."""

from typing import Any

import torch

from bargain.backend import EagerBackend
from bargain.outcome import Certificate, Outcome
from bargain_torch.place import running_core
from bargain_torch.recipe import write_recipe
from bargain_torch.solve_derivative import refusal, solve


class TorchBackend(EagerBackend):
    """Cholesky factors that report failure as NaN, and every solve as one opaque operator.

    An exception would need the factor's verdict on the host, which on a GPU means to wait for it.
    """

    def solve_spd(self, matrix: Any, rhs: Any, /) -> Any:
        factor, info = torch.linalg.cholesky_ex(matrix)
        solution = torch.cholesky_solve(rhs[..., None], factor)[..., 0]
        return torch.where((info == 0)[..., None], solution, torch.nan)

    def positive_definite(self, matrix: Any, /) -> Any:
        return torch.linalg.cholesky_ex(matrix).info == 0

    def shortcut(self, game: Any, solution: Any, solver: Any, /, **options: Any) -> Any:
        if running_core():
            return None
        return _solve(game, solution, solver, **options)


def _solve(
    game: Any, solution: Any, solver: Any, *, start: Any, max_steps: int, precision: float
) -> Outcome:
    """Hand the game to the operator, its companions in full shape, and name what comes back."""
    gram = game.gram
    if gram.dtype not in (torch.float32, torch.float64):
        raise TypeError(
            f"gram: expected torch.float32 or torch.float64, found {gram.dtype}, whose rounding "
            f"hides angles between gradients; accumulate the inner products in float32 or more, as "
            f"bargain.gram does"
        )
    players = gram.shape[:-1]
    weights, radius = game.weights, game.radius
    if weights is not None and weights.shape != players:
        weights = weights.expand(players)
    if isinstance(radius, torch.Tensor):
        radius = radius.to(gram.dtype).expand(players[:-1])
    elif radius == 1:
        radius = None
    else:
        radius = torch.full(players[:-1], radius, dtype=gram.dtype, device=gram.device)
    companions = {
        "disagreement": game.disagreement,
        "active": game.active,
        "ideal": game.ideal,
        "start": start,
    }
    present = {name: values for name, values in companions.items() if values is not None}
    stack = None
    if present:
        full = [values.to(gram.dtype).expand(players) for values in present.values()]
        stack = torch.stack(full, dim=-2)
    # Where values can be looked at, an invalid game is an error; elsewhere it is a status.
    strict = not torch.compiler.is_compiling()
    (
        coefficients, utilities, shares, multipliers, stationary,
        gap, residual, floor, resolution, status, steps, accepted,
    ) = solve(
        gram,
        weights,
        radius,
        stack,
        write_recipe(solver, solution, max_steps, precision, tuple(present), strict),
        [*present].index("active") if "active" in present else None,
        refusal(solution, game.disagreement),
    )  # fmt: skip
    return Outcome(
        coefficients=coefficients,
        utilities=utilities,
        shares=shares,
        status=status,
        gap=gap,
        residual=residual,
        steps=steps,
        certificate=Certificate(
            multipliers, stationary, gap, residual, floor, resolution, accepted
        ),
    )
