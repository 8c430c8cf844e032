"""The commands about task files, ``init`` and ``schema``, as typer sees them; ``cli.py`` prints what they return."""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the new task.yaml.")],
    data: Annotated[Path, typer.Option(help="Training rows: .csv .tsv .json .jsonl .parquet, also .gz.")],
    eval_data: Annotated[Path | None, typer.Option("--eval", help="Eval rows, if you have them apart.")] = None,
    documents: Annotated[Path | None, typer.Option(help="A documents file, or a folder of texts.")] = None,
    instruction: Annotated[str | None, typer.Option(help="What the model is told to do.")] = None,
    input_column: Annotated[str | None, typer.Option(help="Column that the model is given.")] = None,
    target_column: Annotated[str | None, typer.Option(help="Column that holds the answer.")] = None,
) -> str:
    """Write a commented task.yaml from a data file."""
    from evals.starter import write_starter

    path = write_starter(
        folder,
        data,
        eval_data=eval_data,
        documents=documents,
        instruction=instruction,
        input_column=input_column,
        target_column=target_column,
    )
    named = shlex.quote(str(folder))
    return (
        f"Wrote {path}. {_guesses(path)}\n"
        f"Read it, mend the instruction, then: tuneworthy check {named}, and: tuneworthy run {named}"
    )


def _guesses(path: Path) -> str:
    """Return what the task file in ``path`` takes for the input and for the answer, in a sentence."""
    import yaml

    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    columns = written["data"].get("columns", {})
    target = columns.get("target") or columns.get("targets") or "target"
    return f"Input: {columns.get('input', 'input')!r}; answer: {target!r}, of the kind {written['answer']}."


def schema() -> str:
    """Print the JSON Schema of task.yaml, for editors."""
    from evals.starter import task_schema

    return json.dumps(task_schema(), ensure_ascii=False, indent=1)
