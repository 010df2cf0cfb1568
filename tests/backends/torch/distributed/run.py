"""What ranks find when they bargain together, each in a process of its own; see
``test_distributed``, which starts them.

A check runs on all ranks at once. The batch is the same everywhere, and each rank takes its part.
What they must arrive at is what one process finds on the whole batch.
"""

import json
import sys
import traceback
import warnings
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

from tests.backends.torch.distributed import (  # noqa: F401 - each registers its checks
    absent_tasks,
    copies,
    copies_in_training,
    data_parallel,
    failures,
    guide,
    shards,
)
from tests.backends.torch.distributed.registry import CHECKS

PATIENCE = 60
"""Seconds until a rank gives up waiting for the others."""


def main(place, size, report, rendezvous, *names):
    """Run checks as one of the ranks, each in a process group of its own; report line by line."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    with open(report, "w", encoding="utf-8", buffering=1) as file:
        for name in names:
            dist.init_process_group(
                "gloo",
                init_method=f"file://{rendezvous}-{name}",
                rank=int(place),
                world_size=int(size),
                timeout=timedelta(seconds=PATIENCE),
            )
            trouble = ""
            try:
                CHECKS[name][1]()
                dist.barrier()
            except (Exception, pytest.fail.Exception):
                trouble = traceback.format_exc()
            file.write(json.dumps([name, trouble]) + "\n")
            dist.destroy_process_group()  # which ends what other ranks are waiting for


if __name__ == "__main__":
    main(*sys.argv[1:])
