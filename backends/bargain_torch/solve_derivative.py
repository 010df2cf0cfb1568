r"""The implicit derivative of a solve, as a rule that torch differentiates by.

The Nash solution obeys the same equation in any units, :math:`M \alpha = w / \alpha`, so the
core's formula is applied to the game as it is given: no canonical form is needed on the way back.
All of it is made of differentiable operations on the game and its solution, so there are second
derivatives too.
"""

from typing import Any

import torch
from torch import Tensor

from bargain.canonical import CanonicalGame
from bargain.derivative import pull_back
from bargain.solutions import Nash
from bargain_torch.recipe import read_recipe
from bargain_torch.solve_op import NAME, library


def register() -> None:
    """Give the operator its derivative."""
    torch.library.register_autograd(NAME, _backward, setup_context=_remember, lib=library)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    gram, weights, disagreement, radius, active, _, _, recipe, _ = inputs
    coefficients, utilities, shares, *proof = output
    # Coefficients, utilities and shares have derivatives; the proof is about one game only.
    ctx.mark_non_differentiable(*proof)
    ctx.save_for_backward(gram, weights, radius, active, coefficients)
    ctx.refusal = _refusal(read_recipe(recipe).solution, disagreement)


def _refusal(solution: Any, disagreement: Any) -> str | None:
    if type(solution) is not Nash:
        return f"the solution Nash, found {type(solution).__name__}, which has no derivative here"
    if disagreement is not None:
        return "a game without a disagreement point, found one with it, which has no derivative"
    return None


def _backward(
    ctx: Any, coefficients_bar: Tensor, utilities_bar: Tensor, shares_bar: Tensor, *_: Any
) -> tuple[Tensor | None, ...]:
    if ctx.refusal is not None:
        raise NotImplementedError(
            f"expected {ctx.refusal}; detach the game, as in bargain.nash(gram.detach())"
        )
    gram, weights, radius, active, point = ctx.saved_tensors
    # Without an agreement the coefficients are zero or NaN, and nobody is inside.
    inside = torch.isfinite(point) & (point > 0)
    decided = inside.any(-1, keepdim=True)
    present = decided if active is None else decided & active
    masked = torch.where(present[..., :, None] & present[..., None, :], gram, 0.0)
    weights = torch.ones_like(point) if weights is None else weights.to(point.dtype)
    own = torch.where(inside, weights, 1.0)
    point = torch.where(inside, point, 1.0)
    taken = torch.where(inside, point, 0.0)
    total = torch.where(inside, own, 0.0).sum(-1, keepdim=True)
    total = torch.where(decided, total, 1.0)

    # utilities = radius * M a / sqrt(W), for everyone present
    reach = total.rsqrt() if radius is None else radius[..., None] * total.rsqrt()
    felt = torch.where(present, utilities_bar, 0.0)
    forced = reach * felt
    worth = (masked @ taken[..., None])[..., 0]
    outer = forced[..., :, None] * taken[..., None, :]
    pressed = coefficients_bar + (masked @ forced[..., None])[..., 0]
    earned = (felt * worth).sum(-1, keepdim=True)

    # shares = w / W, for everyone inside
    claimed = torch.where(inside, shares_bar, 0.0)
    mean = (claimed * own).sum(-1, keepdim=True) / total

    game = CanonicalGame(
        cosines=torch.where(inside[..., :, None] & inside[..., None, :], masked, 0.0),
        weights=own,
        disagreement=None,
        inside=inside,
        resolution=total[..., 0],
    )
    gram_bar, weights_bar = pull_back(game, point, torch.where(inside, pressed, 0.0))
    gram_bar = gram_bar + (outer + outer.mT) / 2
    weights_bar = weights_bar + (claimed - mean) / total - reach * earned / (2 * total)
    weights_bar = torch.where(inside, weights_bar, 0.0)
    radius_bar = None if radius is None else (total.rsqrt() * earned)[..., 0]
    return gram_bar, weights_bar, None, radius_bar, None, None, None, None, None
