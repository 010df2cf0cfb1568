"""The array libraries that the core is held to, and games in each of them."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest
from array_api_compat import array_namespace

import bargain

LIBRARIES = ("numpy", "array_api_strict", "torch", "jax")
TORCH_ON_CUDA = "torch-cuda"


@dataclass(frozen=True)
class Library:
    """A library and the device that its arrays shall be on."""

    name: str
    module: Any
    place: Any = None

    def asarray(self, values: Any, dtype: str | None = None) -> Any:
        """Bring NumPy's numbers here; ``dtype`` by its NumPy name."""
        values = np.asarray(values, dtype=dtype)
        if self.name == "torch":
            return self.module.asarray(values.copy(), device=self.place)
        if self.place is None:
            return self.module.asarray(values)
        return self.module.asarray(values, device=self.place)

    def game(self, gram: Any, *companions: Any, **named: Any) -> bargain.GradientGame:
        """Make a game of NumPy arrays, here; numbers stay numbers."""

        def moved(value: Any) -> Any:
            return self.asarray(value) if isinstance(value, np.ndarray) else value

        named = {name: moved(value) for name, value in named.items()}
        return bargain.GradientGame(moved(np.asarray(gram)), *map(moved, companions), **named)

    @property
    def namespace(self) -> Any:
        return array_namespace(self.asarray(1.0))


@cache
def open_library(name: str) -> Library:
    """Import a library and make it strict, or skip the test where it is not installed."""
    if name == TORCH_ON_CUDA:
        torch = pytest.importorskip("torch")
        if not torch.cuda.is_available():
            pytest.skip("no NVIDIA GPU")
        return Library("torch", torch, torch.device("cuda"))
    module = pytest.importorskip(f"{name}.numpy" if name == "jax" else name)
    if name == "jax":
        import jax

        jax.config.update("jax_enable_x64", True)
    if name == "array_api_strict":
        module.set_array_api_strict_flags(
            boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=("linalg",)
        )
        # Arrays on another device than the default one find what forgets to say where it goes.
        return Library(name, module, module.Device("device1"))
    if name == "torch":
        return Library(name, module, module.device("cpu"))
    return Library(name, module)


def as_numpy(value: Any) -> Any:
    """Give an array, or tuples of them, as NumPy's."""
    if isinstance(value, tuple):
        parts = map(as_numpy, value)
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    if "array_api_strict" in type(value).__module__:
        value = value.to_device(type(value.device)("CPU_DEVICE"))
    if getattr(value, "is_cuda", False):
        value = value.cpu()
    return value if value is None else np.asarray(value)


def game_of(case: Any, library: Library | None = None) -> bargain.GradientGame:
    """Make the game of a case from the strategies, in NumPy or another library."""
    library = library or open_library("numpy")
    return library.game(case.gram, case.weights, case.disagreement, case.radius, case.active)


def status_of(outcome: bargain.Outcome) -> str:
    """Name the status of a single outcome."""
    return bargain.Status(int(outcome.status)).name
