"""The advice on a terminal: the recommendation first, then why, what stands against it, and what would change it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from advisor.advice import NAMES
from advisor.advice_details import costs, needs, routes, steps
from advisor.questions import questions
from reports.advice_view import likeness_of
from reports.advice_wording import chance, listed
from reports.wording import upperfirst

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
    first = advice["recommendation"]["approach"]
    deciding = [unknown for unknown in advice["find_out"] if unknown["decides"]][:3]
    parts += _listed(
        "Worth finding out, since it could change the first choice", [_unknown(one, first) for one in deciding]
    )
    parts += _listed("What the data still need", needs(advice))
    parts += _listed("What it would cost, by prices that --prices replaces", costs(advice))
    parts += _listed("Other ways to train", routes(advice))
    parts += _plan(advice)
    parts += _listed("The most similar published comparisons", [_case(case) for case in advice["cases"]])
    return Group(*parts)


def _plan(advice: Mapping[str, Any]) -> list[RenderableType]:
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for title, command, stop in steps(advice):
        told = Text(title)
        if command:
            told.append(f"\n{command}", style="cyan")
        if stop:
            told.append(f"\n{stop}", style="dim")
        table.add_row("•", told)
    return [Text(), Text("This week, with the rules for stopping", style="bold"), table] if table.row_count else []


def _options(advice: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    held = {one: block["kind"] for block in advice["blocks"] for one in block["options"]}
    held |= {one: "hard" for block in advice["blocks"] if block["kind"] == "hard" for one in block["options"]}
    marks = {"hard": "ruled out", "first": "waits"}
    for option in advice["options"]:
        share, kind = option["probability"], held.get(option["approach"])
        said = chance(share) if kind is None or share else marks[kind]
        table.add_row(option["name"], Text("█" * round(BAR * share), style="cyan"), said)
    return table


def _reasons(option: Mapping[str, Any]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")  # identifiers of sources stay whole
    for reason in option["reasons"]:
        sign = "+" if reason["direction"] == "for" else "−"
        table.add_row(sign, Text(_with_source(reason)))
    return table


def _with_source(reason: Mapping[str, Any]) -> str:
    source = reason["source"]
    if source is None:
        return f"{reason['text']} (our judgement)"
    figure = f" {upperfirst(reason['figure'])}" if reason["figure"] else ""
    return f"{reason['text']}{figure} ({source['title']}, {source['year']}, {source['id']})"


def _block(block: Mapping[str, Any]) -> str:
    names = listed([NAMES[one] for one in block["options"]])
    ruled = "Rules out" if block["kind"] == "hard" else "To be done before"
    return f"{_with_source(block)}. {ruled} {names}."


def _flip(flip: Mapping[str, Any], advice: Mapping[str, Any]) -> str:
    changes = " and ".join(
        f"“{_words(key, value)}” instead of “{_words(key, advice['answers'][key]['value'])}” ({key})"
        for key, value in flip["changes"].items()
    )
    return f"{changes}: {NAMES.get(flip['approach'], flip['approach'])} ({chance(flip['probability'])})."


def _words(key: str, value: str) -> str:
    """Return an option as the question words it."""
    return next(question.options[value] for question in questions() if question.key == key)


def _unknown(unknown: Mapping[str, Any], first: str) -> str:
    leads: dict[str, list[str]] = {}
    for value, approach in unknown["could_be"].items():
        if approach != first:
            leads.setdefault(approach, []).append(f"“{_words(unknown['key'], value)}”")
    would = "; ".join(f"{listed(texts, 'or')} would make it {NAMES.get(name, name)}" for name, texts in leads.items())
    return f"{unknown['question']} {unknown['how']} {would}."


def _case(case: Mapping[str, Any]) -> str:
    figures = (
        ", ".join(f"{name} {value:g}" for name, value in case["results"].items()) or case["figure"] or "no figures"
    )
    memory = "; figures not checked against the original" if case["memory"] else ""
    return (
        f"{case['title']} ({case['year']}, {case['source']}): {case['metric']}, {figures}; "
        f"best: {case['winner']}, simplest within noise: {case['simplest']}{memory}. {likeness_of(case)}"
    )


def _listed(title: str, lines: list[str]) -> list[RenderableType]:
    if not lines:
        return []
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for line in lines:
        table.add_row("•", Text(line))
    return [Text(), Text(title, style="bold"), table]
