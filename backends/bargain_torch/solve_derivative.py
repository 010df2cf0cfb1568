r"""The implicit derivative of a solve, as a rule that torch differentiates by.

The Nash solution obeys the same equation in any units, :math:`M \alpha = w / \alpha`, so the
core's formula is applied to the game as it is given: no canonical form is needed on the way back.
All of it is made of differentiable operations on the game and its solution, so there are second
derivatives too.
"""

from inspect import signature
from typing import Any

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual

from bargain.canonical import CanonicalGame
from bargain.derivative import pull_back
from bargain.solutions import Nash
from bargain_torch import solve_op


class Solve(torch.autograd.Function):
    """The operator with its derivative, a rule that ``torch.func`` takes as well as autograd."""

    generate_vmap_rule = True

    @staticmethod
    def forward(
        gram: Tensor,
        weights: Tensor | None,
        radius: Tensor | None,
        stack: Tensor | None,
        recipe: str,
        active: int | None,
        refusal: str | None,
    ) -> tuple[Tensor, ...]:
        """Solve; ``active`` is its row in the stack, ``refusal`` why there is no derivative."""
        return solve_op.solve(gram, weights, radius, stack, recipe)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
        gram, weights, radius, stack, _, ctx.active, ctx.refusal = inputs
        coefficients, _, _, *proof = output
        # Coefficients, utilities and shares have derivatives; the proof is about one game only.
        ctx.mark_non_differentiable(*proof)
        ctx.save_for_backward(gram, weights, radius, stack, coefficients)

    @staticmethod
    def backward(ctx: Any, *bars: Any) -> tuple[Tensor | None, ...]:
        if ctx.refusal is not None:
            raise NotImplementedError(ctx.refusal)
        gram, weights, radius, stack, coefficients = ctx.saved_tensors
        active = None if ctx.active is None else stack[..., ctx.active, :] > 0
        with torch.autocast(gram.device.type, enabled=False):
            found = _pull_back(gram, weights, radius, active, coefficients, *bars[:3])
        needed = ctx.needs_input_grad
        asked = (bar if need else None for bar, need in zip(found, needed[:3], strict=True))
        return *asked, None, None, None, None


# ``apply`` asks for it at every call, and working it out takes as long as a Newton step.
Solve.forward.__signature__ = signature(Solve.forward)  # type: ignore[attr-defined]


def solve(*inputs: Any) -> tuple[Tensor, ...]:
    """Solve, by the bare operator where nobody can ask for a derivative: that is faster."""
    return Solve.apply(*inputs) if _watched(inputs[:4]) else solve_op.solve(*inputs[:5])


def _watched(tensors: tuple[Tensor | None, ...]) -> bool:
    """Whether a derivative may be asked for: of these tensors, or of what transforms hide."""
    if torch.compiler.is_dynamo_compiling() or _transforms_active():
        return True
    reverse = torch.is_grad_enabled()
    for values in tensors:
        if values is not None and (
            (reverse and values.requires_grad) or unpack_dual(values).tangent is not None
        ):
            return True
    return False


# What autograd.Function itself asks; without it, every solve counts as watched.
_transforms_active = getattr(torch._C, "_are_functorch_transforms_active", lambda: True)


def refusal(solution: Any, disagreement: Any) -> str | None:
    """Say why a solve has no derivative here, or None where it has one."""
    if type(solution) is not Nash:
        found = f"the solution {type(solution).__name__}"
    elif disagreement is not None:
        found = "a game with a disagreement point"
    else:
        return None
    return (
        f"expected the solution Nash of a game without a disagreement point, found {found}, which "
        f"has no derivative here; detach the game, as in bargain.nash(gram.detach())"
    )


def _pull_back(
    gram: Tensor,
    weights: Tensor | None,
    radius: Tensor | None,
    active: Tensor | None,
    point: Tensor,
    coefficients_bar: Tensor,
    utilities_bar: Tensor,
    shares_bar: Tensor,
) -> tuple[Tensor, ...]:
    """Return the cotangents of the Gram matrix, the weights and the radius."""
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

    pairs = inside[..., :, None] & inside[..., None, :]
    game = CanonicalGame(
        cosines=torch.where(pairs, masked, 0.0),
        weights=own,
        disagreement=None,
        inside=inside,
        resolution=total[..., 0],
    )
    gram_bar, weights_bar = pull_back(game, point, torch.where(inside, pressed, 0.0))
    gram_bar = torch.where(pairs, gram_bar, 0.0) + (outer + outer.mT) / 2
    weights_bar = weights_bar + (claimed - mean) / total - reach * earned / (2 * total)
    weights_bar = torch.where(inside, weights_bar, 0.0)
    radius_bar = (total.rsqrt() * earned)[..., 0]
    return gram_bar, weights_bar, radius_bar
