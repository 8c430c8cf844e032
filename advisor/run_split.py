"""Which rows a run takes: the split that tuneworthy made, as files in the run folder, and what ``--limit`` leaves."""

import json
from dataclasses import replace
from pathlib import Path

from evals.example import Example
from evals.files import write_text
from evals.split import limit_examples
from evals.task import Task


def write_split(task: Task, folder: Path) -> None:
    """Write the rows of a split that we made, so that anyone can see and reuse it."""
    (folder / "data").mkdir(exist_ok=True)
    for name, examples in (("train", task.train), ("eval", task.eval)):
        text = "".join(json.dumps(_columns(row), ensure_ascii=False) + "\n" for row in examples)
        write_text(folder / "data" / f"{name}.jsonl", text)


def _columns(row: Example) -> dict[str, object]:
    """Return a row as a data file holds it; what the row doesn't have is left out."""
    columns = {"id": row.id, "input": row.input, "targets": row.targets, "doc_id": row.doc_id, "group": row.group}
    return {name: value for name, value in columns.items() if value is not None}


def limited(task: Task, limit: int | None) -> Task:
    """Return the task with at most ``limit`` eval rows, a seeded sample that keeps the mix of labels."""
    if limit is None or limit >= len(task.eval):
        return task
    rows = tuple(limit_examples(task.eval, limit, seed=0, stratify=task.answer == "label"))
    note = f"--limit: {len(rows):,} of {len(task.eval):,} eval rows, a seeded sample"
    return replace(task, eval=rows, notes=(*task.notes, note))
