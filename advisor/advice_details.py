"""The details of an advice on a terminal: what the data still need, what it would cost, and what to do this week."""

from collections.abc import Mapping
from typing import Any

from reports.wording import plural

SOON = 0.1
"""Months below which no figure is told: days, by estimates that may be off by half."""


def needs(advice: Mapping[str, Any]) -> list[str]:
    """Return a line for everything that the data lack."""
    lacking = [item for item in advice["readiness"] or [] if item["ok"] is False]
    told = {f"{item['have']}; need {item['need']}": item for item in reversed(lacking)}  # where to get more repeats it
    return [f"{item['topic']}: have {text}." for text, item in reversed(told.items())]


def costs(advice: Mapping[str, Any]) -> list[str]:
    """Return lines on training, labelling, requests and break-even; the page has all figures and assumptions."""
    estimates = advice["estimates"]
    if estimates is None:
        return []
    money = estimates["currency"]
    [training] = [one for one in estimates["training"] if one["method"] == estimates["method"]] or [None]
    lines = []
    if training is not None:
        lines.append(
            f"Training ({training['method']}): {_amount(training['gpu_hours'])} GPU-hours a run, "
            f"{plural(training['runs'], 'run')} {_amount(training['cost'])} {money}; "
            f"{plural(training['steps_per_epoch'], 'step')} an epoch."
        )
    lines += _memory(estimates)
    labelling = estimates["labelling"]
    missing = {key: labelling[f"{key}_missing"] for key in ("examples", "eval_rows") if labelling[f"{key}_missing"]}
    if missing:
        parts = [
            f"{number:,.0f} {key.replace('_', ' ')} {_amount(labelling[f'{key}_cost'])} {money}"
            for key, number in missing.items()
        ]
        lines.append(f"Labelling what is missing: {', '.join(parts)}.")
    requests = [f"{one['approach']} {_amount(1000 * one['cost'])}" for one in estimates["requests"]]
    lines.append(f"A thousand requests, in {money}: {', '.join(requests)}.")
    return lines + [_repaid(one) for one in estimates["break_even"]]


def routes(advice: Mapping[str, Any]) -> list[str]:
    """Return a line on each route beside fine-tuning: what it takes, and why it is or isn't worth considering."""
    names = {"from_scratch": "From scratch", "preferences": "On preferences (DPO, RLHF)"}
    return [
        f"{names[one['name']]}: {'worth considering' if one['consider'] else 'not worth considering here'}. "
        f"{one['sentences'][0]} {one['sentences'][-1]}"
        for one in (advice["estimates"] or {}).get("routes", ())
    ]


def _memory(estimates: Mapping[str, Any]) -> list[str]:
    """Return what each way of training takes of a GPU's memory, with checkpointing as the prices have it."""
    assumed = {one["name"]: one["value"] for one in estimates["assumptions"]}
    ways = [
        one
        for one in estimates["memory"]
        if one["memory"]["checkpointing"] == assumed["training.gradient_checkpointing"]
    ]
    if not ways:
        return []
    parts = [
        f"{one['memory']['method']} {_amount(one['memory']['total'])}{'' if one['fits'] else ' (too much)'}"
        for one in ways
    ]
    return [f"GPU memory in GiB, of {assumed['gpu.memory_gib']:g}: {', '.join(parts)}."]


def _repaid(one: Mapping[str, Any]) -> str:
    name, months = f"{one['trained']} against {one['against']}", one["months"]
    if one["requests"] is None:
        return f"{name}: never repaid, since a request costs no less."
    if months is None:
        but = "; with an input off by half it may be" if one["status"] == "unclear" else ""
        return f"{name}: never repaid at this volume: what it costs each month is more than its requests save{but}."
    if months["high"] is not None and months["high"] <= SOON:
        return f"{name}: repaid within days, even with each input off by up to half."
    high = "never" if months["high"] is None else _amount(max(SOON, months["high"]))
    band = f"{_amount(max(SOON, months['low']))} to {high}"
    middle = _amount(max(SOON, months["middle"]))
    return f"{name}: repaid after {middle} months ({band}), each input off by up to half."


def steps(advice: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return the steps of the plan: day and title, the command if there is one, and when to stop."""
    return [
        (f"Day {step['day']}: {step['step'].split('. ')[0]}.", step["command"], step["why"])
        for step in advice.get("plan") or []
    ]


def _amount(value: float) -> str:
    """Return a figure with two digits that count, large ones in whole numbers."""
    if value >= 100:
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}"
