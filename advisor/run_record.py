"""What a run is made of, written down before its first cell: the contents of ``run.json``."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from advisor.arms import ADAPTER, ARMS, Lineup
from advisor.engine import adapter_record
from advisor.machine import installed_versions, machine_facts
from evals.arm_name import arm_alias, arm_kind
from evals.cache_folder import CachePlace, cache_place
from evals.data_condition import data_condition
from evals.errors import RunError, UsageError
from evals.protocols import LanguageModel
from evals.record import ModelRecord, PlannedArm, RunRecord
from evals.runner import Bench
from evals.task import Task


def uses(arms: Sequence[PlannedArm], kind: str) -> bool:
    """Whether any of the arms asks for the shared model or the embedder. Raises ``RunError`` for an unknown arm."""
    unknown = [arm.name for arm in arms if arm_kind(arm.name) not in ARMS]
    if unknown:
        raise RunError(f"the run has the arm {unknown[0]!r}, which this version of tuneworthy doesn't know")
    return any(kind in ARMS[arm_kind(arm.name)].uses for arm in arms)


def on_own_model(arms: Sequence[PlannedArm]) -> list[PlannedArm]:
    """Return the arms that take the task's ``model:``, not one of its ``models:``."""
    return [arm for arm in arms if arm_alias(arm.name) is None]


def named_models(arms: Sequence[PlannedArm], bench: Bench) -> dict[str, LanguageModel]:
    """Load the ``models:`` that the arms take, and return them by their names."""
    aliases = dict.fromkeys(alias for arm in arms if (alias := arm_alias(arm.name)) is not None)
    return {alias: bench.models[alias].load() for alias in aliases}


def model_record(model: LanguageModel) -> ModelRecord:
    """Return which model this is, as ``run.json`` keeps it."""
    note = model.fingerprint_note if isinstance(model, NotesFingerprint) else None
    return ModelRecord(model.name, model.fingerprint, model.context, note)


def adapter_base(arms: Sequence[PlannedArm], bench: Bench) -> Callable[[], LanguageModel]:
    """Return what loads the model that the user's adapter goes on. Raises ``UsageError`` for an endpoint."""
    name = next((arm.name for arm in arms if arm_kind(arm.name) == ADAPTER), None)
    if name is None:
        raise UsageError("--adapter: an adapter goes on a model on this machine, and the run's is an endpoint")
    return bench.of_arm(name).model


@runtime_checkable
class NotesFingerprint(Protocol):
    """A model whose fingerprint leaves something out."""

    @property
    def fingerprint_note(self) -> str:
        """What that is."""
        ...


def _placement(models: Sequence[LanguageModel | None]) -> dict[str, str]:
    """Return where the first local model runs and in which number format, if there is one."""
    from baselines.cached_model import CachedModel
    from baselines.local_model import LocalModel

    bare = [one.model if isinstance(one, CachedModel) else one for one in models]
    model = next((one for one in bare if isinstance(one, LocalModel)), None)
    if model is None:
        return {}
    return {"device": str(model.module.device), "number_format": str(model.module.dtype).removeprefix("torch.")}


def cache_of_run(command: str, created: str) -> CachePlace | None:
    """Return the cache, told which run asks: ``command`` and ``created`` tell it from others, wherever it's moved."""
    tag = hashlib.blake2b(f"{created} {command}".encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    place = cache_place()
    return replace(place, run=tag) if place is not None else None


def run_record(task: Task, lineup: Lineup, bench: Bench, *, command: str, created: str) -> RunRecord:
    """Load the model and the embedder where an arm needs them, and write down what the run is made of.

    What only the command line knows (limit, advice, leakage) is added by ``advisor.run_command``.
    """
    model = bench.model() if uses(on_own_model(lineup.planned), "model") else None
    named = named_models(lineup.planned, bench)
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
        model=model_record(model) if model else None,
        models={alias: model_record(one) for alias, one in named.items()},
        embedder=ModelRecord(embedder.name, embedder.fingerprint) if embedder else None,
        adapter=adapter_record(bench.adapter, adapter_base(lineup.planned, bench)) if bench.adapter else None,
        limit=None,
        drop_overlap=False,
        notes=task.notes,
        versions=installed_versions(),
        machine=machine_facts() | _placement([model, *named.values()]),
        command=command,
        created=created,
        data=data_condition(task),
    )
