"""Studies are scripts with modules beside them, in a folder that is no package."""

import importlib
import sys
from pathlib import Path

import pytest

STUDIES = Path(__file__).parents[2] / "docs" / "studies"


@pytest.fixture(scope="module")
def modules():
    """Import modules of studies by name, as their scripts do; they are forgotten afterwards."""
    sys.path.insert(0, str(STUDIES))
    yield importlib.import_module
    sys.path.remove(str(STUDIES))
    for name, module in list(sys.modules.items()):
        if Path(getattr(module, "__file__", None) or "").parent == STUDIES:
            del sys.modules[name]
