"""One of torch.compile's savings, and what to do where it is in the way."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def explain_donation() -> Iterator[None]:
    """Say what to do where a compiled model gave its saved tensors away."""
    try:
        yield
    except RuntimeError as error:
        if "donated buffer" not in str(error):
            raise
        raise RuntimeError(
            "losses: expected a graph that can be passed several times, found a compiled model "
            "whose backward pass overwrites what it needs; set "
            "torch._functorch.config.donated_buffer = False before compiling, or make this the "
            "first backward pass through the model"
        ) from error
