"""Which model each arm ran on, as ``results.json`` tells it where a run has several.

A comparison across models is one of models as well as of approaches, so the verdict's reason says so.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from evals.arm_name import arm_alias
from evals.record import RunRecord


def tell_models(record: RunRecord, results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections ``models``, ``arms`` and ``verdict`` with the models named in them."""
    arms, verdict = results["arms"], results["verdict"]
    named = [arm | {"model": _model_of(record, arm)} for arm in arms]
    of_arm = {arm["name"]: arm["model"] for arm in named}
    reason = verdict["reason"]
    if (sentence := _across(verdict, of_arm)) is not None:
        reason = f"{reason} {sentence}"
    models = {alias: asdict(model) for alias, model in record.models.items()}
    return {"models": models, "arms": named, "verdict": dict(verdict) | {"reason": reason}}


def _model_of(record: RunRecord, arm: Mapping[str, Any]) -> str | None:
    """Return the name of the model that an arm asks or tunes; None for one that has none."""
    if arm["family"] == "classic":
        return None
    alias = arm_alias(arm["name"])
    model = record.model if alias is None else record.models.get(alias)
    return None if model is None else model.name


def _across(verdict: Mapping[str, Any], models: Mapping[str, str | None]) -> str | None:
    """Return that the arms set against each other ran on different models, where they did."""
    gain = verdict["gain"]
    trained = gain["trained"] if gain is not None else verdict["best_trained"]
    untrained = verdict["best_untrained"]
    one, other = models.get(trained), models.get(untrained)
    if one is None or other is None or one == other:
        return None
    return f"This compares models as well as approaches: {trained} is {one}, {untrained} is {other}."
