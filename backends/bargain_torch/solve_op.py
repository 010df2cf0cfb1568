"""A whole solve as one operator that torch sees from outside only.

Autograd, ``vmap`` and the compiler get rules of their own for it (the derivative's are in
``solve_derivative``), so no loop is ever unrolled or traced.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from bargain.games import GradientGame
from bargain.outcome import Outcome
from bargain.solve import solve as solve_in_core
from bargain_torch.place import core_only, goes_to_host
from bargain_torch.recipe import Recipe, read_recipe

NAME = "bargain::solve"
VECTORS = ("coefficients", "utilities", "shares", "multipliers", "stationary")
NUMBERS = ("gap", "residual", "floor", "resolution")
FLAGS = {"status": torch.int32, "steps": torch.int32, "accepted": torch.bool}
OUTPUTS = (*VECTORS, *NUMBERS, *FLAGS)

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
    """Solve in double precision, whatever the type: it costs no more, and angles stay sharp."""
    recipe, tensors = read_recipe(text), [gram, weights, radius, stack]
    if goes_to_host(gram):
        return _from_host(_outcome(_to_host(tensors), recipe), gram)
    with core_only():
        doubles = [None if t is None else t.detach().to(torch.float64) for t in tensors]
        outcome = _outcome(doubles, recipe)
    return tuple(
        part.to(dtype, copy=True)
        for part, dtype in zip(_parts(outcome), _dtypes(gram), strict=True)
    )


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


def _parts(outcome: Outcome) -> list[Any]:
    """Lay an outcome out in the order of the operator's results."""
    certificate = outcome.certificate
    return [
        getattr(outcome if name in outcome._fields else certificate, name) for name in OUTPUTS
    ]


def _dtypes(gram: Tensor) -> list[torch.dtype]:
    return [FLAGS.get(name, gram.dtype) for name in OUTPUTS]


def _to_host(tensors: list[Tensor | None]) -> list[Any]:
    """Bring tensors to NumPy: views of memory on the CPU, else copies awaited all at once."""
    if tensors[0] is not None and tensors[0].is_cuda:
        tensors = [
            None if values is None else values.to("cpu", non_blocking=True) for values in tensors
        ]
        torch.cuda.current_stream().synchronize()
    arrays = [None if values is None else values.numpy(force=True) for values in tensors]
    return [
        values.astype(np.float64) if values is not None and values.dtype == np.float32 else values
        for values in arrays
    ]


def _from_host(outcome: Outcome, gram: Tensor) -> tuple[Tensor, ...]:
    """Bring an outcome to where its game came from; to a device in one piece."""
    parts = _parts(outcome)
    if gram.device.type == "cpu":
        return tuple(
            torch.from_numpy(np.array(part, dtype))
            for part, dtype in zip(parts, _NUMPY_DTYPES[gram.dtype], strict=True)
        )
    return unpacked(parts, gram)


_NUMPY_DTYPES = {
    torch.float32: [np.float32] * 9 + [np.int32, np.int32, np.bool_],
    torch.float64: [np.float64] * 9 + [np.int32, np.int32, np.bool_],
}


def unpacked(parts: list[Any], gram: Tensor) -> tuple[Tensor, ...]:
    """Send all parts to a device in one copy, and take them apart there."""
    arrays = [np.asarray(part, np.float64) for part in parts]
    packed = torch.from_numpy(np.concatenate([array.ravel() for array in arrays]))
    pieces = packed.to(gram.device, non_blocking=True).split([array.size for array in arrays])
    return tuple(
        piece.reshape(array.shape).to(dtype, copy=True)
        for piece, array, dtype in zip(pieces, arrays, _dtypes(gram), strict=True)
    )


@torch.library.register_fake(NAME, lib=library)
def _shapes(gram: Tensor, *arguments: Any) -> tuple[Tensor, ...]:
    """Give the shapes and types of the results."""
    players = gram.shape[:-1]
    return tuple(
        gram.new_empty(players if name in VECTORS else players[:-1], dtype=dtype)
        for name, dtype in zip(OUTPUTS, _dtypes(gram), strict=True)
    )


@torch.library.register_vmap(NAME, lib=library)
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
