"""``tuneworthy run``: plan a run, make its folder, answer its cells, and write results and report.

Planning checks everything that can be checked before the first cell: the task and its data, the arms,
and that the model and the embedder load. A folder is only made once all of that holds.
"""

import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from advisor.arms import ARMS, plan_arms
from advisor.curve_plan import plan_curve
from advisor.engine import lazy_embedder, lazy_model
from advisor.general_set import OFF, check_given, general_set
from advisor.run_models import (
    check_adapter,
    check_limit,
    check_models,
    greet_endpoints,
    named,
    reopen_meter,
    with_anchored_models,
)
from advisor.run_place import check_free, check_names
from advisor.run_record import cache_of_run, run_record
from advisor.run_split import limited, write_split
from advisor.spending_stop import told_of_stop
from advisor.versions import with_news
from evals.advice_outcome import read_given_advice
from evals.cache_folder import CachePlace
from evals.curve_point import Axis
from evals.detectable import detectable
from evals.errors import RunError, SpendingError, TuneworthyError, UsageError
from evals.files import write_text
from evals.leakage import find_leaks, gate_error
from evals.load import build_task, load_task
from evals.prices import load_prices
from evals.record import RunRecord, read_record
from evals.requirement import Requirement, parse_requirements
from evals.results import PRICES, run_prices, write_results
from evals.row_clusters import shared_clusters
from evals.runner import Bench, locked, run_cells
from evals.spending import Meter
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
    prices: Path | None = None
    curve: Sequence[Axis] = ()
    max_cost: float | None = None
    cache: bool = True


@dataclass(frozen=True)
class PreparedRun:
    """A run whose folder exists and whose cells can be answered."""

    folder: Path
    record: RunRecord
    bench: Bench
    requirements: Sequence[Requirement] = ()
    updated: bool = False
    """Whether the record of a resumed run says more than the one in its folder."""


def prepare_run(request: RunRequest, argv: Sequence[str]) -> PreparedRun:
    """Load and check everything, then make the run folder with ``run.json``.

    Raises ``UsageError`` and ``ModelError``; nothing is written unless all holds.
    """
    prices = load_prices(request.prices)  # once: it may be a pipe
    advice = None if request.advice is None else read_given_advice(request.advice)
    check_given(request.overrides.get("forgetting"))
    if request.adapter is not None and not request.adapter.is_dir():  # before anything is loaded
        raise UsageError(f"--adapter {request.adapter}: there is no such folder")
    task = load_task(request.task, overrides=anchored(request.overrides, Path()), drop_overlap=request.drop_overlap)
    sources = anchored({"embedder": task.settings.embedder}, task.folder)
    settings = with_anchored_models(task.settings, task.folder).model_copy(update=sources)
    task = replace(task, settings=settings)
    if advice is not None and advice.train not in (None, task.hashes["train"]):
        note = f"{request.advice} counted other rows than those of {task.name}: was it made for another task?"
        task = replace(task, notes=(*task.notes, note))
    lineup = plan_arms(task, seeds=task.settings.seeds, with_adapter=request.adapter is not None, names=request.arms)
    requirements = parse_requirements(request.require, [arm.name for arm in lineup.planned])
    whole, task = task, limited(task, request.limit)
    leaks = find_leaks(task)
    if (broken := gate_error(leaks)) is not None:
        raise broken
    check_limit(request.max_cost, lineup.planned, task)
    meter = Meter(prices, request.max_cost)
    command, now = shlex.join(["tuneworthy", *argv]), datetime.now(UTC).astimezone()
    created = now.isoformat(timespec="seconds")
    bench = _bench(task, request.adapter, meter, cache_of_run(command, created) if request.cache else None)
    folder = request.out or Path("runs") / f"{task.name}-{now:%Y%m%d-%H%M%S}"
    check_free(folder)
    check_names(task.file, folder)
    greet_endpoints(lineup.planned, bench)
    record = replace(
        run_record(task, lineup, bench, command=command, created=created),
        limit=request.limit if len(task.eval) == request.limit else None,
        drop_overlap=request.drop_overlap,
        advice=advice,
        leaks=leaks,
        curve=plan_curve(lineup.planned, task, request.curve) if request.curve else (),
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if whole.split_made:
            write_split(whole, folder)
        if request.prices is not None:
            write_text(folder / PRICES, prices.text)
        meter.keep_in(folder)
        record.write(folder)  # last: where it stands, the run can be resumed
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RunError(f"can't make the run folder {folder}: {error.strerror or error}") from error
    return PreparedRun(folder, record, replace(bench, run=folder), requirements)


def reopen_run(
    folder: Path, require: Sequence[str] = (), max_cost: float | None = None, *, cache: bool = True
) -> PreparedRun:
    """Return the run in ``folder`` as it was planned, ready to go on; ``max_cost`` counts what it took before too.

    With ``cache``, answers that an earlier run kept are used.

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
    task = limited(task, record.limit)
    if tuple(example.id for example in task.eval) != record.eval_ids:
        raise RunError(f"the eval rows are no longer those that {folder} began with; start a new run")
    check_limit(max_cost, record.arms, task)
    meter = reopen_meter(max_cost, folder)
    kept = cache_of_run(record.command, record.created) if cache else None
    bench = _bench(task, Path(record.adapter.name) if record.adapter else None, meter, kept)
    with locked(folder):  # what the greeting takes is counted in the folder, which another run may be writing to
        greet_endpoints(record.arms, bench)
    check_adapter(record, bench, folder)
    check_models(record, bench, folder)
    noted = with_news(folder, record)
    return PreparedRun(folder, noted, replace(bench, run=folder), requirements, updated=noted is not record)


def warnings(prepared: PreparedRun) -> list[str]:
    """Return what a user should know before the first cell: leakage, and an eval set too small for the question."""
    from reports.leaks import leak_sentences

    task = prepared.bench.task
    leaks = [asdict(leak) | {"share": leak.share, "passed": leak.passed} for leak in prepared.record.leaks or ()]
    told = leak_sentences([leak for leak in leaks if leak["count"]])
    groups, decision = (
        shared_clusters([row.group for row in task.eval], [row.doc_id for row in task.eval]),
        task.settings.decision,
    )
    shown = detectable(len(task.eval), groups.count, decision.minimum_gain, decision.confidence)
    told += [shown.sentence] if shown.too_coarse else []
    asked = task.settings.forgetting
    if asked not in (None, OFF) and not any(arm.family == "tune" for arm in prepared.record.arms):
        told.append(f"The general questions (`forgetting: {asked}`) aren't asked: no arm of this run is trained.")
    return told


def execute_run(prepared: PreparedRun, watcher: Watcher) -> dict[str, Any]:
    """Answer the cells that are missing, then write ``results.json`` and ``report.html``; return the results.

    At the limit on costs both are written of what there is, then ``SpendingError`` says how to go on.
    """
    from reports.writer import write_report

    folder = prepared.folder
    stopped: SpendingError | None = None
    with locked(folder):
        if prepared.updated:
            prepared.record.write(folder)
        try:
            run_cells(prepared.bench, prepared.record.arms, watcher, prepared.record.curve)
        except SpendingError as error:
            stopped = error
        try:
            results = write_results(folder)
            write_report(folder, results)
        except OSError as error:
            why = error.strerror or error
            raise RunError(
                f"can't write to {folder}: {why}; mend that, then: tuneworthy run --resume {folder}"
            ) from error
    if stopped is not None:
        raise SpendingError(told_of_stop(stopped, folder, run_prices(folder)))
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

    So is a file of general questions. A run can be resumed from anywhere, and a task file can name a model beside it.
    """
    found = dict(sources)
    for key, there in (("model", Path.is_dir), ("embedder", Path.is_dir), ("forgetting", Path.is_file)):
        ref = found.get(key)
        if isinstance(ref, str) and ref not in ("builtin", "off") and there(path := folder / Path(ref).expanduser()):
            found[key] = str(path.resolve())
    return found


def _bench(task: Task, adapter: Path | None, meter: Meter, kept: CachePlace | None) -> Bench:
    return Bench(
        run=Path(),
        task=task,
        arms=ARMS,
        model=lazy_model(task.settings.model, meter, kept=kept),
        embedder=lazy_embedder(task.settings.embedder, kept),
        adapter=adapter.resolve() if adapter else None,
        general=general_set(task.settings.forgetting, task.settings.model, task.folder),
        models=named(task, meter, kept),
    )
