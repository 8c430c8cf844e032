"""Checkpoints of a training from random weights: one file, replaced in one move."""

import os
import pickle
from pathlib import Path
from typing import Any

from evals.errors import RunError

CHECKPOINT = "checkpoint.pt"
SCHEMA = 1


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors and plain values) to the folder's checkpoint; the old one stays until it's whole."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{CHECKPOINT}.{os.getpid()}.tmp"
    try:
        torch.save({"schema": SCHEMA, **state}, beside)
        os.replace(beside, folder / CHECKPOINT)
    finally:
        beside.unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """Return the folder's checkpoint, or None if there's none. Raises ``RunError`` when it can't be read."""
    import torch

    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise RunError(f"{path}: the checkpoint can't be read; delete it to train from the start") from error
    if state.get("schema") != SCHEMA:
        raise RunError(f"{path}: checkpoint schema {state.get('schema')!r}, expected {SCHEMA}; delete it to start anew")
    return state
