"""The models of a run: the task's ``model:`` and ``models:``, and the meter that counts what endpoints take."""

from collections.abc import Sequence
from pathlib import Path

from advisor.arms import ARMS
from advisor.engine import lazy_model
from advisor.general_set import general_set
from advisor.run_record import adapter_base, named_models, on_own_model, uses
from evals.arm_name import arm_alias, arm_kind, task_of
from evals.bench import NamedModel
from evals.cache_folder import CachePlace
from evals.errors import RunError, UsageError
from evals.model_ref import Endpoint
from evals.record import ModelRecord, PlannedArm, RunRecord
from evals.results import run_prices
from evals.runner import Bench
from evals.spending import FILE, Meter
from evals.task import Task
from evals.task_file import TaskFile


def anchored_model(ref: str | Endpoint, folder: Path) -> str | Endpoint:
    """Return ``ref`` with its folder (an endpoint's: its tokenizer's) made absolute, seen from ``folder``.

    A run can be resumed from anywhere, and a task file can name a model beside it.
    """
    if isinstance(ref, Endpoint):
        return ref.model_copy(update={"tokenizer": ref.tokenizer and _absolute(ref.tokenizer, folder)})
    return _absolute(ref, folder)


def with_anchored_models(settings: TaskFile, folder: Path) -> TaskFile:
    """Return ``settings`` with every model's folder made absolute, seen from ``folder``."""
    models = {alias: anchored_model(ref, folder) for alias, ref in settings.models.items()}
    return settings.model_copy(update={"model": anchored_model(settings.model, folder), "models": models})


def named(task: Task, meter: Meter, kept: CachePlace | None = None) -> dict[str, NamedModel]:
    """Return the task's ``models:``, each loaded on first use; ``kept`` is where answers are kept between runs."""
    settings = task.settings
    return {
        alias: NamedModel(lazy_model(ref, meter, alias, kept=kept), general_set(settings.forgetting, ref, task.folder))
        for alias, ref in settings.models.items()
    }


def reopen_meter(limit: float | None, run: Path) -> Meter:
    """Return what counts the costs of endpoints, going on where ``run`` stopped, at its own prices."""
    return Meter(run_prices(run), limit, run / FILE)


def check_limit(limit: float | None, arms: Sequence[PlannedArm], task: Task) -> None:
    """Raise ``UsageError`` for a limit on costs where no arm asks an endpoint: it would limit nothing."""
    asked = [arm for arm in arms if "model" in ARMS[arm_kind(arm.name)].uses]
    if limit is not None and not any(isinstance(task_of(task, arm.name).settings.model, Endpoint) for arm in asked):
        raise UsageError("--max-cost limits what endpoints cost, and no arm of this run asks one; leave it out")


def greet_endpoints(arms: Sequence[PlannedArm], bench: Bench) -> None:
    """Ask every endpoint that the arms take a small first request, before any model on this machine is loaded.

    Raises ``ModelError`` where one can't be reached, or refuses us: nothing has been waited for or trained then.
    """
    from baselines.endpoint_model import EndpointModel

    settings = bench.task.settings
    loads = [bench.model] if isinstance(settings.model, Endpoint) and uses(on_own_model(arms), "model") else []
    aliases = dict.fromkeys(alias for arm in arms if (alias := arm_alias(arm.name)) is not None)
    loads += [bench.models[alias].load for alias in aliases if isinstance(settings.models[alias], Endpoint)]
    for load in loads:
        if isinstance(model := load(), EndpointModel):
            model.greet()


def check_models(record: RunRecord, bench: Bench, folder: Path) -> None:
    """Raise ``RunError`` when a model or the embedder isn't the one that the run in ``folder`` began with."""
    own = on_own_model(record.arms)
    if record.model is not None and uses(own, "model"):
        _same("model", record.model, bench.model().fingerprint, folder)
    for alias, model in named_models(record.arms, bench).items():
        if alias in record.models:
            _same("model", record.models[alias], model.fingerprint, folder)
    if record.embedder is not None and uses(record.arms, "embedder"):
        _same("embedder", record.embedder, bench.embedder().fingerprint, folder)


def check_adapter(record: RunRecord, bench: Bench, folder: Path) -> None:
    """Raise ``RunError`` when the user's adapter isn't the one that the run in ``folder`` began with."""
    from advisor.engine import adapter_record

    if record.adapter is None or bench.adapter is None:
        return
    if adapter_record(bench.adapter, adapter_base(record.arms, bench)) != record.adapter:
        raise RunError(f"the adapter {record.adapter.name} has changed since {folder} began; start a new run")


def _same(kind: str, then: ModelRecord, now: str, folder: Path) -> None:
    if now != then.fingerprint:
        raise RunError(f"the {kind} {then.name!r} is not the one that {folder} began with; start a new run")


def _absolute(ref: str, folder: Path) -> str:
    path = folder / Path(ref).expanduser()
    return str(path.resolve()) if ref != "builtin" and path.is_dir() else ref
