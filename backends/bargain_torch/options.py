"""What stays the same from step to step."""

from typing import Any, Literal, NamedTuple, get_args

import bargain
from bargain.lengths import Length
from bargain.solutions import Solution
from bargain_torch.trunk import Method, check_method

Heads = Literal["plain", "weighted"]
Nonfinite = Literal["raise", "skip", "drop"]


class Options(NamedTuple):
    """What stays the same from step to step; see :func:`bargain_torch.backward`."""

    heads: Heads = "plain"
    weights: Any = None
    solution: Solution = bargain.Nash()
    length: Length = "mean"
    maximum: float | None = None
    method: Method = "auto"
    nonfinite: Nonfinite = "raise"
    replicas: Any = None

    def check(self) -> None:
        """Raise unless there are such options."""
        check_option("heads", self.heads, Heads)
        check_option("length", self.length, Length)
        check_option("nonfinite", self.nonfinite, Nonfinite)
        check_method(self.method)
        if self.maximum is not None and not self.maximum > 0:
            raise ValueError(f"maximum: expected a positive number, found {self.maximum!r}")


def check_option(name: str, value: Any, options: Any) -> None:
    """Raise unless a value is one of those of a ``Literal``."""
    if value not in get_args(options):
        raise ValueError(f"{name}: expected one of {', '.join(get_args(options))}, found {value!r}")
