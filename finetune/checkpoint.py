"""What a trained arm leaves in its cell: the artefact with a card of its origin, and the report of the fit.

::

    cells/<arm>-<seed>/adapter/ or model/   appears whole, by a rename
                         └── tuneworthy.json   the card
                       fit.json             written last; the same file and form as the runner's
"""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from baselines.answering import task_instruction
from baselines.tuned_card import CARD, SCHEMA, TunedCard, read_card
from evals.cell import SCHEMA as FIT_SCHEMA
from evals.cell import fit_from_json
from evals.errors import ModelError
from evals.example import Example
from evals.files import write_json
from evals.protocols import FitReport
from evals.task import Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@contextmanager
def publishing(folder: Path, card: TunedCard) -> Iterator[Path]:
    """Give an empty folder to write to; then put ``card`` into it and rename it to ``folder``, over an older one."""
    partial = folder.with_name(f".{folder.name}-partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    write_json(partial / CARD, {"schema": SCHEMA} | asdict(card))
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def save_model(module: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path, card: TunedCard) -> float:
    """Write a whole model with its tokenizer and card, loadable by its folder; return its weights' size in MB.

    ``folder`` appears whole or not at all.
    """
    from transformers import GenerationConfig

    with publishing(folder, card) as partial:
        try:
            module.save_pretrained(str(partial))
        except ValueError:
            # many published models carry sampling settings that transformers refuses to write again
            module.generation_config = GenerationConfig.from_model_config(module.config)
            module.save_pretrained(str(partial))
        tokenizer.save_pretrained(str(partial))
    return round(sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6, 3)


def fit_key(task: Task, train: Sequence[Example], *, method: str, seed: int, base: str) -> str:
    """Return a digest over all that decides a training: method, seed, settings, instruction, rows and base."""
    decisive = [
        method,
        seed,
        base,
        task.settings.tune.model_dump(mode="json"),
        task_instruction(task),
        [(row.id, row.input, row.target, row.group) for row in train],
    ]
    return hashlib.sha256(json.dumps(decisive, ensure_ascii=False).encode()).hexdigest()


def write_fit(folder: Path, report: FitReport) -> None:
    """Write ``report`` to ``folder`` as ``fit.json``: the last step of a fit."""
    write_json(folder / "fit.json", {"schema": FIT_SCHEMA} | dataclasses.asdict(report))


def finished_fit(folder: Path, artefact: Path, key: str) -> FitReport | None:
    """Return the report of a fit that was finished in ``folder`` and left ``artefact`` under ``key``, else None."""
    try:
        card = read_card(artefact)
        record = json.loads((folder / "fit.json").read_text(encoding="utf-8"))
        if card is None or card.key != key or record.pop("schema") != FIT_SCHEMA or not _whole(artefact):
            return None
        return fit_from_json(record)
    except (ModelError, OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # half a fit, or one of another version: train again


def _whole(artefact: Path) -> bool:
    """Tell whether the weights are as long as they say; after a power cut a file may be empty or cut short."""
    from safetensors import SafetensorError, safe_open

    try:
        for path in artefact.glob("*.safetensors"):
            with safe_open(str(path), framework="np"):
                pass
    except SafetensorError:
        return False
    return True
