"""Files that are whole or not there, and the state of all dice."""

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch


def write_whole(path: Path, content: dict[str, Any]) -> None:
    """Write a file of tensors (``.pt``) or text (``.json``) that is never seen half written."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.part")
    if path.suffix == ".pt":
        torch.save(content, draft)
    else:
        draft.write_text(json.dumps(content, indent=1))
    draft.replace(path)


def read_checkpoint(path: Path, device: Any = None) -> dict[str, Any] | None:
    """Return the content of a file of tensors, None if there is no such file."""
    return torch.load(path, map_location=device, weights_only=True) if path.exists() else None


def seed_all(seed: int) -> None:
    """Seed every generator that a training may draw from."""
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - data sets of other people may draw from it
    random.seed(seed)


def dice() -> dict[str, Any]:
    """Return the state of every generator that a training may draw from."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "numpy": [name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest],
        "random": random.getstate(),
    }


def throw_again(state: dict[str, Any]) -> None:
    """Put every generator back to a state."""
    name, keys, *rest = state["numpy"]
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    random.setstate(state["random"])
