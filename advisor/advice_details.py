"""The details of an advice on a terminal: what the data still need, what it would cost, and what to do this week."""

from collections.abc import Mapping
from typing import Any

from reports.wording import plural


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


def _repaid(one: Mapping[str, Any]) -> str:
    name, months = f"{one['trained']} against {one['against']}", one["months"]
    if one["requests"] is None:
        return f"{name}: never repaid, since a request costs no less."
    if months is None:
        but = "; with an input off by half it may be" if one["status"] == "unclear" else ""
        return f"{name}: never repaid at this volume: what it costs each month is more than its requests save{but}."
    high = "never" if months["high"] is None else _amount(months["high"])
    band = f"{_amount(months['low'])} to {high}"
    return f"{name}: repaid after {_amount(months['middle'])} months ({band}), each input off by up to half."


def steps(advice: Mapping[str, Any]) -> list[str]:
    """Return the steps of the plan by their titles."""
    return [f"Day {step['day']}: {step['step'].split('. ')[0]}." for step in advice.get("plan") or []]


def _amount(value: float) -> str:
    """Return a figure with two digits that count, large ones in whole numbers."""
    if value >= 100:
        digits = len(str(int(value))) - 2
        return f"{round(value, -digits):,.0f}"
    return f"{value:.2g}"
