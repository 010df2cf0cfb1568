"""The guide about several devices, on several devices."""

import re
from pathlib import Path

import torch
import torch.distributed as dist

from tests.backends.torch.distributed.agreement import assert_one_step, assert_same_everywhere
from tests.backends.torch.distributed.registry import on

GUIDE = Path(__file__).parents[4] / "docs/guides/torch_distributed.md"


@on(2)
def the_guide():
    """Its examples, which run in a single process elsewhere, on the ranks that they are about."""
    text = GUIDE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert "init_process_group" in blocks[0]
    assert "destroy_process_group" in blocks[-1]
    names = {"__name__": "example", "torch": torch, "dist": dist}
    for block in blocks[1:-1]:
        exec(block, names)
        assert_one_step(names["step"])
        assert_same_everywhere(*names["model"].parameters())
