"""The advice on a terminal: the recommendation first, then why, what stands against it, and what would change it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.advice import NAMES
from advisor.advice_details import costs, needs, steps
from advisor.questions import questions

BAR = 20


def screen(advice: Mapping[str, Any]) -> RenderableType:
    """Return the screen of an advice (the content of advice.json)."""
    parts: list[RenderableType] = [Text(advice["recommendation"]["sentence"], style="bold"), Text()]
    parts += [Text(f"• {caveat}") for caveat in advice["recommendation"].get("caveats", [])]
    parts.append(_options(advice))
    for option in advice["options"][:2]:
        if option["reasons"]:
            parts += [Text(), Text(f"Why {option['name']} stands where it does", style="bold"), _reasons(option)]
    parts += _listed("What stands in the way", [_block(block) for block in advice["blocks"]])
    parts += _listed("What would change the first choice", [_flip(flip, advice) for flip in advice["flips"]])
    deciding = [unknown for unknown in advice["find_out"] if unknown["decides"]][:3]
    parts += _listed("Worth finding out, since it could change the first choice", [_unknown(one) for one in deciding])
    parts += _listed("What the data still need", needs(advice))
    parts += _listed("What it would cost, by prices that --prices replaces", costs(advice))
    parts += _listed("This week", steps(advice))
    parts += _listed("The most similar published comparisons", [_case(case) for case in advice["cases"]])
    return Group(*parts)


def _options(advice: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for option in advice["options"]:
        share = option["probability"]
        table.add_row(option["name"], Text("█" * round(BAR * share), style="cyan"), f"{share:.0%}")
    return table


def _reasons(option: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for reason in option["reasons"]:
        sign = "+" if reason["direction"] == "for" else "−"
        table.add_row(sign, Text(_with_source(reason)))
    return table


def _with_source(reason: Mapping[str, Any]) -> str:
    source = reason["source"]
    if source is None:
        return f"{reason['text']} (our judgement)"
    figure = f" {reason['figure']}" if reason["figure"] else ""
    return f"{reason['text']}{figure} ({source['title']}, {source['year']}, {source['id']})"


def _block(block: Mapping[str, Any]) -> str:
    names = " and ".join(block["options"])
    ruled = "rules out" if block["kind"] == "hard" else "has to be done before"
    return f"{_with_source(block)} This {ruled} {names}."


def _flip(flip: Mapping[str, Any], advice: Mapping[str, Any]) -> str:
    changes = " and ".join(
        f"“{_words(key, value)}” instead of “{_words(key, advice['answers'][key]['value'])}” ({key})"
        for key, value in flip["changes"].items()
    )
    return f"{changes}: {NAMES.get(flip['approach'], flip['approach'])} ({flip['probability']:.0%})."


def _words(key: str, value: str) -> str:
    """Return an option as the question words it."""
    return next(question.options[value] for question in questions() if question.key == key)


def _unknown(unknown: Mapping[str, Any]) -> str:
    return f"{unknown['question']} {unknown['how']}"


def _case(case: Mapping[str, Any]) -> str:
    figures = (
        ", ".join(f"{name} {value:g}" for name, value in case["results"].items()) or case["figure"] or "no figures"
    )
    memory = "; figures not checked against the original" if case["memory"] else ""
    return (
        f"{case['title']} ({case['year']}, {case['source']}): {case['metric']}, {figures}; "
        f"best: {case['winner']}, simplest within noise: {case['simplest']}{memory}."
    )


def _listed(title: str, lines: list[str]) -> list[RenderableType]:
    if not lines:
        return []
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    for line in lines:
        table.add_row("•", Text(line))
    return [Text(), Text(title, style="bold"), table]
