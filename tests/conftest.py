"""What all tests share: shapes checked at every call, four array libraries, Hypothesis profiles."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

import tests.shape_checks  # noqa: F401 - the hook below finds it by this name

if "bargain" in sys.modules:
    raise RuntimeError("expected bargain not to be imported yet: its shapes would go unchecked")
install_import_hook(["bargain", "bargain_numpy"], "tests.shape_checks.checked")

from tests.libraries import LIBRARIES, TORCH_ON_CUDA, Library, open_library  # noqa: E402 - imports bargain

# JAX compiles for every shape; what one worker has compiled, the others and the next run can use.
os.environ.setdefault(
    "JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".pytest_cache/jax")
)
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")

SLOW_DRAWS = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=50, suppress_health_check=SLOW_DRAWS
)
settings.register_profile(
    "thorough", derandomize=True, deadline=None, max_examples=1000, suppress_health_check=SLOW_DRAWS
)
settings.load_profile("default")

ON_CUDA = pytest.param(TORCH_ON_CUDA, marks=pytest.mark.cuda)


@pytest.fixture(params=[*LIBRARIES, ON_CUDA])
def xp(request) -> Library:
    """Each array library in turn, on the device where mistakes show."""
    return open_library(request.param)


@pytest.fixture
def no_shortcut(monkeypatch):
    """Send NumPy games through the core, as those of any other library."""
    from bargain.backend import EagerBackend
    from bargain_numpy import NumpyBackend

    monkeypatch.setattr(NumpyBackend, "shortcut", EagerBackend.shortcut)


@pytest.fixture(params=[*(name for name in LIBRARIES if name != "jax"), ON_CUDA])
def eager(request) -> Library:
    """The libraries without JAX, which compiles for every solver and every shape."""
    return open_library(request.param)
