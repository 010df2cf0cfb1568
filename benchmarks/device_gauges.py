"""How time and memory are taken on a GPU: on the clock, between two moments when it is idle."""

import time
from collections.abc import Callable
from typing import Any

import torch


def device_time(call: Callable[[], Any], device: str) -> float:
    """Return the seconds from an idle device until it is idle again."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    wait()
    begin = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - begin


def device_memory(call: Callable[[], Any], device: str) -> int:
    """Return the most bytes that torch held on a GPU during a call, beyond those before it."""
    if device != "cuda":
        return 0
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    call()
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def device_name(device: str) -> str:
    """Name a GPU as its maker does."""
    return torch.cuda.get_device_name() if device == "cuda" else "CPU"
