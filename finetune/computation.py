"""How the steps of a training are computed, decided once: a training that goes on keeps to what it began with.

The number format follows a timing probe and the cut into forward passes the free memory, so that another process may
decide otherwise. Steps of two kinds would make a training that nobody could repeat.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.files import write_json
from evals.stored import from_record
from finetune.pretrain_state import CHECKPOINT

FILE = "computation.json"


@dataclass(frozen=True, slots=True)
class Computation:
    """Device and weights' formats, as found; autocast format, rows of a forward pass and recomputing, as chosen."""

    device: str
    weights: tuple[str, ...]
    autocast: str | None
    rows: int
    recompute: bool

    def can_go_on_as(self, begun: "Computation") -> bool:
        """Tell whether this process can compute as ``begun``: on a GPU, the card decides on the autocast format."""
        same_place = (self.device, self.weights) == (begun.device, begun.weights)
        return same_place and (self.device == "cpu" or self.autocast == begun.autocast)


def keep_computation(folder: Path, decided: Computation) -> Computation:
    """Return what the training in ``folder`` began with; where there's none, write ``decided`` down and return it.

    A checkpoint that can't go on as it began is removed, so that the training starts anew.
    """
    checkpoint = folder / CHECKPOINT
    begun = _read(folder / FILE) if checkpoint.exists() else None
    if begun is not None and decided.can_go_on_as(begun):
        return begun
    checkpoint.unlink(missing_ok=True)
    write_json(folder / FILE, asdict(decided))
    return decided


def _read(path: Path) -> Computation | None:
    try:
        return from_record(Computation, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError):
        return None
