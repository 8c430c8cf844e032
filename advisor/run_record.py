"""What a run is made of, written down before its first cell: the contents of ``run.json``."""

from collections.abc import Sequence
from datetime import datetime

from advisor.arms import ARMS, Lineup
from advisor.engine import adapter_record
from advisor.machine import installed_versions, machine_facts
from evals.data_condition import data_condition
from evals.errors import RunError
from evals.protocols import LanguageModel
from evals.record import ModelRecord, PlannedArm, RunRecord
from evals.runner import Bench
from evals.task import Task


def uses(arms: Sequence[PlannedArm], kind: str) -> bool:
    """Whether any of the arms asks for the shared model or the embedder. Raises ``RunError`` for an unknown arm."""
    unknown = [arm.name for arm in arms if arm.name not in ARMS]
    if unknown:
        raise RunError(f"the run has the arm {unknown[0]!r}, which this version of tuneworthy doesn't know")
    return any(kind in ARMS[arm.name].uses for arm in arms)


def _placement(model: LanguageModel | None) -> dict[str, str]:
    """Return where the model runs and in which number format, if it's a local one."""
    from baselines.local_model import LocalModel

    if not isinstance(model, LocalModel):
        return {}
    return {"device": str(model.module.device), "number_format": str(model.module.dtype).removeprefix("torch.")}


def run_record(task: Task, lineup: Lineup, bench: Bench, *, command: str, created: datetime) -> RunRecord:
    """Load the model and the embedder where an arm needs them, and write down what the run is made of.

    What only the command line knows (limit, advice, leakage) is added by ``advisor.run_command``.
    """
    model = bench.model() if uses(lineup.planned, "model") else None
    embedder = bench.embedder() if uses(lineup.planned, "embedder") else None
    return RunRecord(
        task_file=str(task.file.resolve()),
        task_name=task.name,
        task=task.settings.model_dump(mode="json"),
        labels=task.labels,
        metric=task.metric,
        train_rows=len(task.train),
        documents=len(task.documents),
        eval_ids=tuple(example.id for example in task.eval),
        hashes=task.hashes,
        arms=lineup.planned,
        skipped=lineup.skipped,
        model=ModelRecord(model.name, model.fingerprint, model.context) if model else None,
        embedder=ModelRecord(embedder.name, embedder.fingerprint) if embedder else None,
        adapter=adapter_record(bench.adapter, bench.model) if bench.adapter else None,
        limit=None,
        drop_overlap=False,
        notes=task.notes,
        versions=installed_versions(),
        machine=machine_facts() | _placement(model),
        command=command,
        created=created.isoformat(timespec="seconds"),
        data=data_condition(task),
    )
