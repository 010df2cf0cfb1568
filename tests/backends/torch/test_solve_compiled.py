"""``torch.compile(fullgraph=True)`` of programs with solves in them, forward and backward."""

import ast
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

pytest.importorskip("bargain_torch")

ROOT = Path(__file__).parents[3]
SLOW = "forward_and_backward_by_inductor"
SOURCE = ast.parse(Path(__file__).with_name("compiled_programs.py").read_text())
NAMES = [
    part.name for part in SOURCE.body if isinstance(part, ast.FunctionDef) and part.decorator_list
]


def run(device, names):
    """Run programs in one process; return what went wrong, by name."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.backends.torch.compiled_programs", device, *names],
        check=False,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.fixture
def failures(device):
    return quick(device)


@cache
def quick(device):
    """Run all but the slow one, once a device."""
    return run(device, [name for name in NAMES if name != SLOW])


@pytest.mark.parametrize("name", [name for name in NAMES if name != SLOW])
def test_compiled(name, failures):
    assert name not in failures, failures[name]


@pytest.mark.slow
def test_compiled_by_inductor(device):
    assert run(device, [SLOW]) == {}
