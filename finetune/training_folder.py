"""What a training that is under way keeps in its cell, so that a kill costs seconds and not the training.

::

    cells/<arm>-<seed>/training/key             which training this is: settings, rows, base, versions of the libraries
                               computation.json  number formats, and how a batch is cut (tune arms but scratch)
                               checkpoint.pt    all that the next step depends on, replaced in one move
                               best-<step>.safetensors   the best weights so far (tune arms but scratch)

The folder goes when the artefact and its report are written.
"""

import shutil
import time
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from evals.files import write_text
from finetune.pretrain_state import CHECKPOINT

NAME = "training"
KEY = "key"

SHORTEST_WAIT = 0.5
"""Seconds from one checkpoint to the next, at least."""

COST_SHARE = 0.02
"""Checkpoints take at most about this share of a training's time."""

BYTES_A_SECOND = 300e6
"""How fast the first checkpoint is taken to be written; the later ones go by what the last one took."""

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")
"""A training isn't pieced together from steps under different versions of these."""


def training_folder(cell: Path, key: str) -> Path:
    """Return the folder ``training`` in ``cell``: as it was left if it belongs to ``key``, else new and empty."""
    folder = cell / NAME
    wanted = f"{key} {' '.join(f'{name}={metadata.version(name)}' for name in LIBRARIES)}\n"
    if not (folder / KEY).is_file() or (folder / KEY).read_text(encoding="utf-8", errors="replace") != wanted:
        clear(folder)
        folder.mkdir(parents=True)
        write_text(folder / KEY, wanted)
    for litter in (*folder.glob(f"{CHECKPOINT}.*.tmp"), *folder.glob(".*-*")):  # left by a kill while writing
        litter.unlink(missing_ok=True)
    return folder


def clear(folder: Path) -> None:
    """Remove the folder, a file or a broken link of that name too."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Pace:
    """When the next checkpoint is due: often, but for no more than ``COST_SHARE`` of the time.

    ``size`` is that of a checkpoint in bytes, as far as it's known.
    """

    size: float = 0.0
    cost: float = field(init=False)
    last: float = field(init=False)

    def __post_init__(self) -> None:
        self.cost, self.last = self.size / BYTES_A_SECOND, time.monotonic()

    def due(self) -> bool:
        """Tell whether enough time has gone by."""
        return time.monotonic() - self.last >= max(SHORTEST_WAIT, self.cost / COST_SHARE)

    def wrote(self, started: float) -> None:
        """Note that a checkpoint was written just now, begun at ``started`` on the monotonic clock."""
        self.last = time.monotonic()
        self.cost = self.last - started
