"""A whole solve as one operator that torch sees from outside only.

Autograd, ``vmap`` and the compiler get rules of their own for it (the derivative's are in
``solve_derivative``), so no loop is ever unrolled or traced.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bargain.canonical import SMALLEST_SAY
from bargain.games import GradientGame
from bargain.newton import Newton
from bargain.outcome import Outcome
from bargain.solve import solve as solve_in_core
from bargain_torch.place import core_only, goes_to_host
from bargain_torch.recipe import Recipe, read_recipe

NAME = "bargain::solve"
VECTORS = ("coefficients", "utilities", "shares", "multipliers", "stationary")
NUMBERS = ("gap", "residual", "floor", "resolution")
OUTPUTS = (*VECTORS, *NUMBERS, "status", "steps", "accepted")
FLAGS = (torch.int32, torch.int32, torch.bool)
HOST_DTYPES = {
    kind: (host,) * (len(VECTORS) + len(NUMBERS)) + (np.int32, np.int32, np.bool_)
    for kind, host in ((torch.float32, np.float32), (torch.float64, np.float64))
}

SINGLE_FLOOR = float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)
"""How much higher the rounding floor lies in single precision than in double precision."""

library = torch.library.Library("bargain", "DEF")
# Few arguments, since torch spends microseconds on each: what is seldom given comes in one stack.
library.define(
    "solve(Tensor gram, Tensor? weights, Tensor? radius, Tensor? stack, str recipe) -> ("
    + ", ".join(f"Tensor {name}" for name in OUTPUTS)
    + ")",
    tags=tuple(
        getattr(torch.Tag, tag)
        for tag in ("pt2_compliant_tag", "cudagraph_unsafe")
        if hasattr(torch.Tag, tag)
    ),
)
solve = torch.ops.bargain.solve.default


@torch.library.impl(library, "solve", "CompositeExplicitAutograd")
def _solve(
    gram: Tensor, weights: Tensor | None, radius: Tensor | None, stack: Tensor | None, text: str
) -> tuple[Tensor, ...]:
    """Solve on the host or on the device, and give the outcome in the game's own type."""
    recipe, tensors = read_recipe(text), [gram, weights, radius, stack]
    sharper = gram.dtype == torch.float32 and _sharpens(recipe)
    if goes_to_host(gram):
        arrays = _to_host(tensors)
        sharper = sharper and _told_apart(arrays[1])
        if sharper:
            arrays = [None if values is None else values.astype(np.float64) for values in arrays]
        return _from_host(_parts(_outcome(arrays, recipe), sharper), gram)
    kind = torch.float64 if sharper else gram.dtype
    with core_only(), torch.autocast(gram.device.type, enabled=False):
        arrays = [None if values is None else values.detach().to(kind) for values in tensors]
        parts = _parts(_outcome(arrays, recipe), sharper)
    pairs = zip(parts, _dtypes(gram), strict=True)
    return tuple(part.to(kind, copy=True) for part, kind in pairs)


def _sharpens(recipe: Recipe) -> bool:
    """Whether to solve in double precision a game given in less.

    Newton's steps have a fast way through in double precision only, and end with more digits. The
    method for games with a disagreement point factors the matrix of cosines, which rounding has
    left with eigenvalues below zero that double precision would take at their word.
    """
    return type(recipe.solver) is Newton


def _told_apart(weights: Any) -> bool:
    """Whether single precision can hold the ratio of any two weights, as ``certify`` needs."""
    if weights is None or not weights.any():
        return True
    heard = weights[weights > 0].astype(np.float64)
    least = SMALLEST_SAY * weights.shape[-1] * float(np.finfo(np.float32).smallest_normal)
    return bool(heard.min(initial=np.inf) >= least * heard.max(initial=0.0))


def _outcome(arrays: list[Any], recipe: Recipe) -> Outcome:
    """Ask the core. Where invalid games may not raise, a single one goes as a batch of one."""
    try:
        return _ask_core(recipe, *arrays)
    except ValueError:
        if recipe.strict or arrays[0].ndim > 2:
            raise
    batch = [None if values is None else values[None] for values in arrays]
    return _first(_ask_core(recipe, *batch))


def _ask_core(recipe: Recipe, gram: Any, weights: Any, radius: Any, stack: Any) -> Outcome:
    companions = {name: stack[..., k, :] for k, name in enumerate(recipe.companions)}
    start = companions.pop("start", None)
    if "active" in companions:
        companions["active"] = companions["active"] > 0
    if radius is None:
        radius = 1.0
    elif radius.ndim == 0:
        radius = float(radius)  # what fast ways through look for
    return solve_in_core(
        GradientGame(gram, weights, radius=radius, **companions),
        recipe.solution,
        recipe.solver,
        start=start,
        max_steps=recipe.max_steps,
        precision=recipe.precision,
    )


def _first(outcome: Any) -> Any:
    if isinstance(outcome, tuple):
        return type(outcome)(*map(_first, outcome))  # type: ignore[call-arg]
    return outcome[0]


def _parts(outcome: Outcome, sharper: bool) -> tuple[Any, ...]:
    """Lay an outcome out in the order of the operator's results."""
    coefficients, utilities, shares, status, gap, residual, steps, certificate = outcome
    multipliers, stationary, _, _, floor, resolution, accepted = certificate
    if sharper:
        # The coefficients are about to be rounded to single precision, which has a floor as well.
        floor = floor * SINGLE_FLOOR
    vectors = coefficients, utilities, shares, multipliers, stationary
    return *vectors, gap, residual, floor, resolution, status, steps, accepted


def _dtypes(gram: Tensor) -> tuple[torch.dtype, ...]:
    return (gram.dtype,) * (len(VECTORS) + len(NUMBERS)) + FLAGS


def _to_host(tensors: list[Tensor | None]) -> list[Any]:
    """Bring tensors to NumPy: views of memory on the CPU, else copies awaited all at once."""
    gram = tensors[0]
    if gram is not None and gram.is_cuda:
        tensors = [
            None if values is None else values.to("cpu", non_blocking=True) for values in tensors
        ]
        torch.cuda.current_stream(gram.device).synchronize()
    return [None if values is None else values.numpy(force=True) for values in tensors]


def _from_host(parts: tuple[Any, ...], gram: Tensor) -> tuple[Tensor, ...]:
    """Bring the parts of an outcome to where its game came from."""
    if gram.device.type != "cpu":
        return unpacked(parts, gram)
    kinds = HOST_DTYPES[gram.dtype]
    # Copies, because nobody promises that a solver's arrays are its own.
    return tuple([torch.from_numpy(np.array(*pair)) for pair in zip(parts, kinds, strict=True)])


def unpacked(parts: tuple[Any, ...], gram: Tensor) -> tuple[Tensor, ...]:
    """Send all parts to a device in one copy, and take them apart there."""
    arrays = [np.asarray(part, np.float64) for part in parts]
    packed = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]))
    pieces = packed.to(gram.device, non_blocking=True).split([array.size for array in arrays])
    return tuple(
        piece.reshape(array.shape).to(kind, copy=True)
        for piece, array, kind in zip(pieces, arrays, _dtypes(gram), strict=True)
    )


@torch.library.register_fake(NAME, lib=library)
def _shapes(gram: Tensor, *arguments: Any) -> tuple[Tensor, ...]:
    """Give the shapes and types of the results."""
    players = gram.shape[:-1]
    return tuple(
        gram.new_empty(players if name in VECTORS else players[:-1], dtype=dtype)
        for name, dtype in zip(OUTPUTS, _dtypes(gram), strict=True)
    )


def _batched(info: Any, in_dims: tuple[Any, ...], *arguments: Any) -> tuple[Any, Any]:
    """Map over games by solving them as a batch."""
    *tensors, recipe = arguments

    def leading(values: Any, axis: int | None) -> Any:
        if values is None:
            return None
        if axis is None:
            return values.expand(info.batch_size, *values.shape)
        return values.movedim(axis, 0)

    pairs = zip(tensors, in_dims, strict=False)
    outputs = solve(*(leading(*pair) for pair in pairs), recipe)
    return outputs, (0,) * len(outputs)


torch.library.register_vmap(NAME, _batched, lib=library)
