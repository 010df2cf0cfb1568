"""XLA compiles for minutes here, so but for the answers these tests belong to the slow ones."""

from pathlib import Path

import pytest

QUICK = {"test_agreement.py"}


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here and item.path.name not in QUICK:
            item.add_marker(pytest.mark.slow)
