"""Checkpoints of a training: one file, replaced in one move."""

import os
import pickle
from pathlib import Path
from typing import Any

from evals.errors import RunError

CHECKPOINT = "checkpoint.pt"
SCHEMA = 1


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write ``state`` (tensors and plain values) to the folder's checkpoint; the old one stays until it's whole.

    Raises ``OSError`` when the disk is full or can't be written to.
    """
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{CHECKPOINT}.{os.getpid()}.tmp"
    try:
        with beside.open("wb") as file:
            torch.save({"schema": SCHEMA, **state}, file)
        os.replace(beside, folder / CHECKPOINT)
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):  # torch says that it couldn't write, but not why
            raise error.__context__ from None
        raise
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
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, pickle.UnpicklingError) as error:
        raise RunError(f"{path}: the checkpoint can't be read; delete it to train from the start") from error
    if state.get("schema") != SCHEMA:
        raise RunError(f"{path}: checkpoint schema {state.get('schema')!r}, expected {SCHEMA}; delete it to start anew")
    return state


def seconds_behind(folder: Path) -> float:
    """Return how long the training in ``folder`` has gone on; a checkpoint that can't be read is removed."""
    try:
        state = load_checkpoint(folder)
        return float(state["seconds"]) if state is not None else 0.0
    except (RunError, KeyError, TypeError, ValueError):
        (folder / CHECKPOINT).unlink(missing_ok=True)
        return 0.0
