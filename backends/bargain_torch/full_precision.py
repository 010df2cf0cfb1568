"""Products of float32 matrices in float32, whatever the program allows for speed elsewhere.

``torch.set_float32_matmul_precision("high")`` lets a GPU round the factors of products to ten bits,
which trainings take no harm from. But a game is told that its inner products have the rounding of
float32: with less, small angles between gradients are noise, and certificates claim too much.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

EXACT = ("ieee", "none")
"""Settings of a backend under which it multiplies in float32; in torch before 2.9 there are none"""


@contextmanager
def full_precision() -> Iterator[None]:
    """Multiply float32 matrices in float32 while the context lasts."""
    products: list[Any] = [torch.backends.cuda.matmul, torch.backends.mkldnn]
    if not hasattr(products[0], "fp32_precision"):
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
        return
    # The older way of setting it is an error where a program uses the newer one.
    products[1] = products[1].matmul
    rough = [(part, part.fp32_precision) for part in products if part.fp32_precision not in EXACT]
    for part, _ in rough:
        part.fp32_precision = "ieee"
    try:
        yield
    finally:
        for part, setting in rough:
            part.fp32_precision = setting
