"""``tuneworthy run``: plan a run, make its folder, answer its cells, and write results and report.

Planning checks everything that can be checked before the first cell: the task and its data, the arms,
and that the model and the embedder load. A folder is only made once all of that holds.
"""

import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from advisor.arms import ARMS, Lineup, plan_arms
from advisor.engine import adapter_record, lazy_embedder, lazy_model
from advisor.machine import installed_versions, machine_facts
from evals.advice_outcome import read_given_advice
from evals.errors import RunError, TuneworthyError, UsageError
from evals.example import Example
from evals.files import write_text
from evals.load import build_task, load_task
from evals.protocols import LanguageModel
from evals.record import ModelRecord, PlannedArm, RunRecord, read_record
from evals.requirement import Requirement, parse_requirements
from evals.results import write_results
from evals.runner import Bench, locked, run_cells
from evals.split import limit_examples
from evals.task import Task
from evals.task_file import TaskFile
from evals.watch import Watcher


@dataclass(frozen=True)
class RunRequest:
    """What the command line asked for. None means: as the task says."""

    task: Path
    overrides: Mapping[str, object]
    arms: Sequence[str] | None = None
    limit: int | None = None
    out: Path | None = None
    adapter: Path | None = None
    drop_overlap: bool = False
    advice: Path | None = None
    require: Sequence[str] = ()


@dataclass(frozen=True)
class PreparedRun:
    """A run whose folder exists and whose cells can be answered."""

    folder: Path
    record: RunRecord
    bench: Bench
    requirements: Sequence[Requirement] = ()


def prepare_run(request: RunRequest, argv: Sequence[str]) -> PreparedRun:
    """Load and check everything, then make the run folder with ``run.json``.

    Raises ``UsageError`` and ``ModelError``; nothing is written unless all holds.
    """
    advice = None if request.advice is None else read_given_advice(request.advice)
    task = load_task(request.task, overrides=anchored(request.overrides, Path()), drop_overlap=request.drop_overlap)
    task = replace(task, settings=task.settings.model_copy(update=anchored(_sources(task.settings), task.folder)))
    lineup = plan_arms(task, seeds=task.settings.seeds, with_adapter=request.adapter is not None, names=request.arms)
    requirements = parse_requirements(request.require, [arm.name for arm in lineup.planned])
    whole, task = task, _limited(task, request.limit)
    bench = _bench(task, request.adapter)
    created = datetime.now(UTC).astimezone()
    folder = request.out or Path("runs") / f"{task.name}-{created:%Y%m%d-%H%M%S}"
    _check_free(folder)
    record = replace(_record(task, lineup, bench, request, argv, created), advice=advice)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if whole.split_made:
            _write_split(whole, folder)
        record.write(folder)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RunError(f"can't make the run folder {folder}: {error.strerror or error}") from error
    return PreparedRun(folder, record, replace(bench, run=folder), requirements)


def reopen_run(folder: Path, require: Sequence[str] = ()) -> PreparedRun:
    """Return the run in ``folder`` as it was planned, ready to go on.

    Raises ``RunError`` when its data or its model have changed since.
    """
    record = read_record(folder)
    requirements = parse_requirements(require, [arm.name for arm in record.arms])
    task_file = Path(record.task_file)
    task = build_task(
        TaskFile.model_validate(record.task), task_file.parent, name=record.task_name, drop_overlap=record.drop_overlap
    )
    changed = sorted(name for name, digest in record.hashes.items() if task.hashes.get(name) != digest)
    if changed:
        raise RunError(f"the {', '.join(changed)} data have changed since {folder} began; start a new run")
    task = _limited(task, record.limit)
    if tuple(example.id for example in task.eval) != record.eval_ids:
        raise RunError(f"the eval rows are no longer those that {folder} began with; start a new run")
    bench = _bench(task, Path(record.adapter.name) if record.adapter else None)
    if record.adapter and bench.adapter and adapter_record(bench.adapter, bench.model) != record.adapter:
        raise RunError(f"the adapter {record.adapter.name} has changed since {folder} began; start a new run")
    for kind, then, now in (("model", record.model, bench.model), ("embedder", record.embedder, bench.embedder)):
        if then is not None and _uses(record.arms, kind) and now().fingerprint != then.fingerprint:
            raise RunError(f"the {kind} {then.name!r} is not the one that {folder} began with; start a new run")
    return PreparedRun(folder, record, replace(bench, run=folder), requirements)


def execute_run(prepared: PreparedRun, watcher: Watcher) -> dict[str, Any]:
    """Answer the cells that are missing, then write ``results.json`` and ``report.html``; return the results."""
    from reports.writer import write_report

    with locked(prepared.folder):
        run_cells(prepared.bench, prepared.record.arms, watcher)
        results = write_results(prepared.folder)
        write_report(prepared.folder, results)
    return results


def check_complete(results: Mapping[str, Any], folder: Path) -> None:
    """Raise ``TuneworthyError``, which says where to look, when arms couldn't be completed."""
    if failed := [arm["name"] for arm in results["arms"] if arm["status"] in ("failed", "partial")]:
        raise TuneworthyError(
            f"{', '.join(failed)} could not be completed; the causes are in {folder / 'report.html'}. "
            f"Mend them, then: tuneworthy run --resume {folder}"
        )


def anchored(sources: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Return ``sources`` with model and embedder made absolute where they are folders seen from ``folder``.

    So a run can be resumed from anywhere, and a task file can name a model beside it.
    """
    found = dict(sources)
    for key in ("model", "embedder"):
        ref = found.get(key)
        if isinstance(ref, str) and ref != "builtin" and (path := folder / Path(ref).expanduser()).is_dir():
            found[key] = str(path.resolve())
    return found


def _check_free(folder: Path) -> None:
    """Raise ``UsageError`` unless ``folder`` doesn't exist yet or is empty: a run writes over nobody's files."""
    if (folder / "run.json").exists():
        raise UsageError(f"{folder} holds a run already; go on with it by --resume {folder}, or give another --out")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is a file; give a folder that doesn't exist yet")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"--out {folder} holds other files already; give a folder that doesn't exist yet")


def _bench(task: Task, adapter: Path | None) -> Bench:
    return Bench(
        run=Path(),
        task=task,
        arms=ARMS,
        model=lazy_model(task.settings.model),
        embedder=lazy_embedder(task.settings.embedder),
        adapter=adapter.resolve() if adapter else None,
    )


def _sources(settings: TaskFile) -> dict[str, object]:
    return {"model": settings.model, "embedder": settings.embedder}


def _limited(task: Task, limit: int | None) -> Task:
    """Return the task with at most ``limit`` eval rows, a seeded sample that keeps the mix of labels."""
    if limit is None or limit >= len(task.eval):
        return task
    rows = tuple(limit_examples(task.eval, limit, seed=0, stratify=task.answer == "label"))
    note = f"--limit: {len(rows):,} of {len(task.eval):,} eval rows, a seeded sample"
    return replace(task, eval=rows, notes=(*task.notes, note))


def _write_split(task: Task, folder: Path) -> None:
    """Write the rows of a split that we made, so that anyone can see and reuse it."""
    (folder / "data").mkdir(exist_ok=True)
    for name, examples in (("train", task.train), ("eval", task.eval)):
        text = "".join(json.dumps(_columns(row), ensure_ascii=False) + "\n" for row in examples)
        write_text(folder / "data" / f"{name}.jsonl", text)


def _columns(row: Example) -> dict[str, object]:
    """Return a row as a data file holds it; what the row doesn't have is left out."""
    columns = {"id": row.id, "input": row.input, "targets": row.targets, "doc_id": row.doc_id, "group": row.group}
    return {name: value for name, value in columns.items() if value is not None}


def _uses(arms: Sequence[PlannedArm], kind: str) -> bool:
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


def _record(
    task: Task,
    lineup: Lineup,
    bench: Bench,
    request: RunRequest,
    argv: Sequence[str],
    created: datetime,
) -> RunRecord:
    """Load the model and the embedder where an arm needs them, and write down what the run is made of."""
    model = bench.model() if _uses(lineup.planned, "model") else None
    embedder = bench.embedder() if _uses(lineup.planned, "embedder") else None
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
        limit=request.limit if len(task.eval) == request.limit else None,
        drop_overlap=request.drop_overlap,
        notes=task.notes,
        versions=installed_versions(),
        machine=machine_facts() | _placement(model),
        command=shlex.join(["tuneworthy", *argv]),
        created=created.isoformat(timespec="seconds"),
    )
