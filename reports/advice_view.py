"""What the advice's page shows, worked out from the content of ``advice.json``: sentences, marks and groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reports.advice_wording import NOT_READY, approach_name, arm_name, chance, listed, spelled, with_chance
from reports.sentences import Sentence
from reports.wording import fact, number, upperfirst

TRAINING = {"tune", "rag_tune"}


@dataclass(frozen=True)
class OptionView:
    """One approach with its share in percent, what stands against it as a whole, and its reasons."""

    name: str
    chance: str
    width: float
    mark: str
    reasons_for: tuple[Mapping[str, Any], ...]
    reasons_against: tuple[Mapping[str, Any], ...]
    unready: bool


@dataclass(frozen=True)
class Change:
    """An answer that would change something: the question, what was answered, and what would be instead."""

    key: str
    question: str
    now: str
    instead: str


@dataclass(frozen=True)
class FlipView:
    """Changes that together lead to another first choice."""

    changes: tuple[Change, ...]
    name: str
    chance: str


@dataclass(frozen=True)
class UnknownView:
    """An open question; ``leads`` pairs the answers that lead to one approach with its name."""

    question: str
    how: str
    leads: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class StepView:
    """One step of the plan: its title, what is done, the command if there is one, and when to stop."""

    title: str
    day: int | None
    what: str
    command: str | None
    stop: str | None


@dataclass(frozen=True)
class Tile:
    """One figure at the top of the page."""

    title: str
    big: str
    text: str


def headline(advice: Mapping[str, Any]) -> Sentence:
    """Return the recommendation in one sentence with its probability."""
    made = advice["recommendation"]
    sure, name = with_chance(made["probability"]), approach_name(made["approach"], advice["options"])
    if standing(advice) == "leads":
        return Sentence(f"Recommended: {{name}}, {sure}.", {"name": name})
    if standing(advice) == "open":
        equal = [one["name"] for one in advice["options"] if one["probability"] == made["probability"]]
        if len(equal) > 1:
            names = {f"name{place}": one for place, one in enumerate(equal)}
            places = listed([f"{{{place}}}" for place in names])
            return Sentence(f"No clear lead yet: {places} are as likely as one another, each {sure}.", names)
        return Sentence(f"No clear lead yet: {{name}} is the likeliest, {sure}.", {"name": name})
    count = len(made["first"])
    comes = "one thing comes" if count == 1 else f"{number(count)} things come"
    what = {"name": _what_waits(advice)}
    return Sentence(f"Not ready yet: {{name}} would be right {sure}, but {comes} first.", what)


def standing(advice: Mapping[str, Any]) -> str:
    """Return ``not_ready``, ``leads`` (the first choice has more than half of the probability) or ``open``."""
    made = advice["recommendation"]
    if made["approach"] == NOT_READY:
        return NOT_READY
    return "leads" if made["probability"] > 0.5 else "open"


def tiles(advice: Mapping[str, Any]) -> list[Tile]:
    """Return the figures at the top: first and second choice, what is known, and what could still change it."""
    made, options = advice["recommendation"], advice["options"]
    ready = made["approach"] != NOT_READY
    others = [one for one in options if one["approach"] not in (made["approach"], NOT_READY)]
    second = max(others, key=lambda one: one["probability"], default=None)
    if not ready:
        second = next((one for one in options if one["approach"] == made["meanwhile"]), None)
    first = approach_name(made["approach"], options)
    what = first if ready else f"probability that {_what_waits(advice)} is right"
    found = [Tile("First choice" if ready else "Not ready", chance(made["probability"]), what)]
    if second is not None:
        found.append(Tile("Second choice" if ready else "Until then", chance(second["probability"]), second["name"]))
    asked = [one for one in advice["answers"].values() if one["origin"] != "skipped"]
    known = [one for one in asked if one["value"] is not None]
    measured = sum(one["origin"] == "measured" for one in known)
    found.append(Tile("Known", f"{len(known)} of {len(asked)}", f"answers, {measured or 'none'} of them measured"))
    open_ = sum(one["decides"] for one in advice["find_out"])
    found.append(Tile("Could change it", number(open_), "open question" if open_ == 1 else "open questions"))
    return found


def options_of(advice: Mapping[str, Any]) -> list[OptionView]:
    """Return the options, the likeliest first."""
    ruled_out = {one for block in advice["blocks"] if block["kind"] == "hard" for one in block["options"]}
    waiting = _waiting(advice)
    made = []
    for option in sorted(advice["options"], key=lambda one: -one["probability"]):
        approach, share = option["approach"], option["probability"]
        mark = "ruled out" if approach in ruled_out else "waits" if approach in waiting else ""
        sides = {
            side: tuple(one for one in option["reasons"] if one["direction"] == side) for side in ("for", "against")
        }
        said = "0%" if mark and not share else chance(share)
        name = upperfirst(approach_name(approach, advice["options"]))
        made.append(OptionView(name, said, 100 * share, mark, sides["for"], sides["against"], approach == NOT_READY))
    return made


def block_effect(block: Mapping[str, Any], advice: Mapping[str, Any]) -> str:
    """Return what a block does, as a sentence."""
    names = listed([approach_name(one, advice["options"]) for one in block["options"]])
    return f"Rules out {names}." if block["kind"] == "hard" else f"To be done before {names}."


def flips_of(advice: Mapping[str, Any]) -> list[FlipView]:
    """Return what would change the first choice."""
    return [
        FlipView(
            tuple(_change(key, value, advice["answers"]) for key, value in flip["changes"].items()),
            approach_name(flip["approach"], advice["options"]),
            chance(flip["probability"]),
        )
        for flip in advice["flips"]
    ]


def unknowns_of(advice: Mapping[str, Any], *, deciding: bool) -> list[UnknownView]:
    """Return the open questions whose answer could change the first choice, or those that couldn't."""
    made = []
    for unknown in advice["find_out"]:
        if unknown["decides"] != deciding:
            continue
        leads: dict[str, list[str]] = {}
        for value, approach in unknown["could_be"].items():
            leads.setdefault(approach, []).append(f"“{option_text(unknown['key'], value, advice['answers'])}”")
        pairs = [(listed(texts, "or"), approach_name(name, advice["options"])) for name, texts in leads.items()]
        made.append(UnknownView(unknown["question"], unknown["how"], tuple(pairs)))
    return made


def option_text(key: str, value: str, answers: Mapping[str, Any]) -> str:
    """Return an answer in words, as far as the advice has them: an option that wasn't chosen may be a key only."""
    entry = answers.get(key, {})
    if entry.get("value") == value and entry.get("text") is not None:
        return str(entry["text"])
    return str(entry.get("options", {}).get(value, spelled(value)))


def figures_of(case: Mapping[str, Any]) -> list[str]:
    """Return the figures of a published case: ``zero-shot 0.829``, ``fine-tuned 0.433``."""
    return [f"{arm_name(arm)} {fact(value)}" for arm, value in case["results"].items()]


def likeness_of(case: Mapping[str, Any]) -> str:
    """Return which answers a published case shares, and which of its own differ: by their keys, as a sentence."""
    parts = [
        f"{word} in {listed([spelled(key) for key in case.get(name, ())])}"
        for word, name in (("Alike", "alike"), ("unlike", "unlike"))
        if case.get(name)
    ]
    return f"{'; '.join(parts)}." if parts else ""


def plan_of(advice: Mapping[str, Any]) -> list[StepView] | None:
    """Return the steps of the plan, None for none; a step's first sentence is its title."""
    if advice.get("plan") is None:
        return None
    made = []
    for one in advice["plan"]:
        title, dot, what = one["step"].partition(". ")
        made.append(StepView(title + dot.strip(), one.get("day"), what, one.get("command"), one.get("why")))
    return made


def _waiting(advice: Mapping[str, Any]) -> set[str]:
    return {one for block in advice["blocks"] if block["kind"] == "first" for one in block["options"]}


def _what_waits(advice: Mapping[str, Any]) -> str:
    waiting = sorted(_waiting(advice))
    names = [approach_name(one, advice["options"]) for one in waiting]
    return "training" if set(waiting) <= TRAINING else listed(names, "or")


def _change(key: str, value: str, answers: Mapping[str, Any]) -> Change:
    entry = answers.get(key)
    now = str(entry["text"]) if entry and entry["text"] is not None else "unknown"
    return Change(key, str(entry["question"]) if entry else spelled(key), now, option_text(key, value, answers))
