"""Training by several processes: each check in ``distributed`` on real process groups."""

import os
import re
import subprocess
import sys
import time
from json import loads
from pathlib import Path

import pytest

pytest.importorskip("bargain_torch")
pytest.importorskip("torch.distributed.fsdp")

from bargain_torch.backward import backward
from tests.backends.torch.distributed.model import batch, new_model
from tests.backends.torch.distributed.run import CHECKS

ROOT = Path(__file__).parents[3]
CHECKED = Path(__file__).with_name("distributed")
PATIENCE = 120
"""Seconds until whoever still runs counts as waiting for ever."""


def run(size, names, folder):
    """Run checks on so many ranks at once; return for each check what went wrong on each rank."""
    rendezvous = folder / "rendezvous"
    reports = [folder / f"report{rank}" for rank in range(size)]
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.backends.torch.distributed.run"),
                *(str(rank), str(size), str(report), str(rendezvous), *names),
            ],
            cwd=ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank, report in enumerate(reports)
    ]
    end = time.monotonic() + PATIENCE
    found = {name: [] for name in names}
    for rank, (process, report) in enumerate(zip(processes, reports, strict=True)):
        try:
            output, _ = process.communicate(timeout=max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        lines = report.read_text().splitlines() if report.exists() else []
        ran = dict(map(loads, lines))
        for name in names:
            trouble = ran.get(name, f"did not come to its end\n{output}")
            if trouble:
                found[name].append(f"rank {rank}: {trouble}")
    return found


def test_every_check_is_found():
    """None in a file that nobody imports, and none under a name that another has."""
    texts = [path.read_text(encoding="utf-8") for path in CHECKED.glob("*.py")]
    written = [name for text in texts for name in re.findall(r"^@on\(\d\)\ndef (\w+)", text, re.M)]
    assert sorted(written) == sorted(CHECKS)
    assert {ranks for ranks, _ in CHECKS.values()} == {2, 3}  # the sizes that are run below


@pytest.mark.parametrize("size", [2, 3])
def test_ranks(size, tmp_path, subtests):
    names = [name for name, (ranks, _) in CHECKS.items() if ranks == size]
    for name, troubles in run(size, names, tmp_path).items():
        with subtests.test(name):
            assert not troubles, "\n".join(troubles)


def test_without_a_process_group():
    model = new_model()
    with pytest.raises(ValueError, match=r"replicas: expected a process group.* not initialised"):
        backward(model(batch()), model.shared, replicas=model)
    assert all(parameter.grad is None for parameter in model.parameters())
