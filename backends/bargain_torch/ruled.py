"""A training step by any rule that makes coefficients of inner products."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bargain.faint import without_faint
from bargain_torch.donation import explain_donation
from bargain_torch.options import Heads, Options
from bargain_torch.passes import open_passes
from bargain_torch.reading import NonfiniteError, read_step
from bargain_torch.trunk import rounding_of


def ruled_step(
    losses: Any,
    parameters: list[Tensor],
    rule: Callable[[np.ndarray, float], Any],
    *,
    heads: Heads = "plain",
) -> Tensor:
    """Add to ``.grad`` as :func:`bargain_torch.backward` does, by coefficients of a rule.

    The rule gets the Gram matrix, float64 on the host, and the relative precision in which its
    entries were computed, and returns K coefficients.
    """
    reading = read_step(losses, None, parameters, Options(heads), None, None)
    with explain_donation():
        passes = open_passes(
            reading.values,
            reading.graph,
            reading.parameters,
            ranks=reading.ranks,
            here=reading.here,
            keep=False,
        )
        products = passes.gram("auto").detach().cpu().double().numpy()
        if not np.isfinite(products).all():
            raise NonfiniteError("losses: expected finite gradients, found NaN or infinity in them")
        precision = rounding_of(reading.parameters)
        found = rule(without_faint(products, precision), precision)
        coefficients = torch.as_tensor(np.asarray(found, dtype=np.float64))
        passes.write(
            coefficients.tolist(), [True] * len(coefficients), weighted_heads=heads == "weighted"
        )
    return coefficients
