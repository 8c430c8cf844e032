"""What differs between two runs, and which of their arms are the same one: by name, else by what they do on a model.

``qlora`` on the task's own ``model:`` and ``qlora@small`` are one arm where both are of the same model.
"""

from collections.abc import Sequence
from typing import Any

from evals.arm_name import arm_alias, arm_kind
from evals.model_ref import Endpoint
from evals.record import RunRecord


def paired_arms(one: RunRecord, first: Sequence[str], two: RunRecord, second: Sequence[str]) -> list[tuple[str, str]]:
    """Return the arms of both runs that are set against each other, in the order of the ``first``.

    Those of one name first of all; then, of the others, those that do the same on a model of one fingerprint, where
    one of them names it by an alias and the match is the only one.
    """
    pairs = {name: name for name in first if name in second}
    others = [name for name in second if name not in pairs]
    for name in first:
        if name in pairs:
            continue
        like = [other for other in others if _same(one, name, two, other)]
        rivals = [rival for rival in first if rival not in pairs and like and _same(one, rival, two, like[0])]
        if len(like) == 1 and len(rivals) == 1:
            pairs[name] = like[0]
            others.remove(like[0])
    return [(name, pairs[name]) for name in first if name in pairs]


def changes(one: RunRecord, two: RunRecord) -> list[str]:
    """Return what differs between the runs: settings by their dotted keys, data, models, embedder.

    A model is one thing, whatever keys it has: only where both runs ask the same server are its settings told apart.
    """
    first, second = _flat(one), _flat(two)
    # A model: that no arm of one of the runs took is no change between them: another one stood in its place.
    if None in (one.model, two.model) and (one.models or two.models):
        first, second = ({key: value for key, value in flat.items() if not _own(key)} for flat in (first, second))
    changed = [key for key in first | second if first.get(key) != second.get(key)]
    changed = sorted(dict.fromkeys(_shortened(key, first, second) for key in changed))
    changed += [f"{name} data" for name in ("train", "documents") if one.hashes.get(name) != two.hashes.get(name)]
    for kind, a, b in (("model", one.model, two.model), ("embedder", one.embedder, two.embedder)):
        if a is not None and b is not None and a.fingerprint != b.fingerprint and not _told(kind, changed):
            changed.append(kind)
    for alias in sorted(one.models.keys() & two.models.keys()):
        key = f"models.{alias}"
        if one.models[alias].fingerprint != two.models[alias].fingerprint and not _told(key, changed):
            changed.append(key)
    return changed


def _same(one: RunRecord, first: str, two: RunRecord, second: str) -> bool:
    if arm_kind(first) != arm_kind(second) or arm_alias(first) == arm_alias(second):
        return False
    a, b = _fingerprint(one, first), _fingerprint(two, second)
    return a is not None and a == b


def _fingerprint(record: RunRecord, arm: str) -> str | None:
    alias = arm_alias(arm)
    model = record.model if alias is None else record.models.get(alias)
    return None if model is None else model.fingerprint


def _own(key: str) -> bool:
    return key == "model" or key.startswith("model.")


def _told(key: str, changed: Sequence[str]) -> bool:
    return any(one == key or one.startswith(f"{key}.") for one in changed)


def _flat(record: RunRecord) -> dict[str, Any]:
    """Return the settings by their dotted keys, defaults filled in; a model that is an endpoint is a section."""
    settings = record.settings()
    flat = _keys(settings.model_dump(mode="json", exclude={"model", "models"}))
    for key, model in {
        "model": settings.model,
        **{f"models.{name}": ref for name, ref in settings.models.items()},
    }.items():
        flat |= _keys(model.model_dump(mode="json"), f"{key}.") if isinstance(model, Endpoint) else {key: model}
    return flat


def _shortened(key: str, first: dict[str, Any], second: dict[str, Any]) -> str:
    """Return the model's own key for one of its settings, unless both runs ask the same server for the same name."""
    parts = key.split(".")
    size = {"model": 1, "models": 2}.get(parts[0], 0)
    if not size or len(parts) <= size:
        return key
    model = ".".join(parts[:size])
    asked = [(flat.get(f"{model}.endpoint"), flat.get(f"{model}.name")) for flat in (first, second)]
    return key if asked[0] == asked[1] else model


def _keys(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _keys(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
