"""Make the data of this example: a company's handbook, and what its staff asked before and after a new edition.

    python examples/policy-qa/make_data.py [--out FOLDER]

Everything is invented and seeded; running it again writes the same files. A page tells the rules of one
topic for one place or group of Brannholm Ferries, so that a place and a matter together (harbour office,
notice period) stand in one sentence of the whole handbook. Most values changed from the edition of 2025
to that of 2026. The training rows are last year's questions with last year's answers; the eval rows are
asked this year. Only the pages of 2026 are written: nobody keeps the old ones.
"""

import argparse
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).parent
PAGES = "handbook-2026"
TRAIN_ROWS, EVAL_ROWS, SEED = 480, 160, 7
CHANGED = 0.85
"""Chance that a value of 2025 isn't that of 2026."""
KNOWN = 0.75
"""Share of the eval rows whose matter was asked for last year too."""

ENTITIES = (
    "harbour office", "repair yard", "night shift", "ticket desk", "ferry crew", "canteen", "cargo terminal",
    "security team", "deck crew", "sales team", "payroll office", "signal tower", "paint shop", "archive",
    "training centre", "bridge staff", "Velmora depot", "Velmora office", "Tarnholt depot", "Kelvary pier",
)  # fmt: skip

TOPICS: dict[str, dict[str, str]] = {
    "leave and absence": {
        "notice period": "weeks 2-26", "annual leave": "days 24-38", "parental leave": "weeks 8-40",
        "study leave": "days 2-15", "leave form": "code", "sick line": "phone", "leave deadline": "date",
        "leave clerk": "person",
    },
    "working hours": {
        "start time": "o'clock 5-10", "closing time": "o'clock 14-22", "lunch break": "minutes 20-75",
        "working week": "hours 28-40", "overtime limit": "hours 5-24", "roster day": "weekday",
        "rest period": "hours 9-16", "shift planner": "person",
    },
    "travel and expenses": {
        "meal allowance": "euros 12-48", "hotel limit": "euros 80-190", "mileage rate": "cents 18-64",
        "taxi limit": "euros 15-90", "cash advance": "euros 50-400", "receipt deadline": "days 5-45",
        "expense code": "code", "travel agent": "person",
    },
    "keys and equipment": {
        "key deposit": "euros 5-60", "badge colour": "colour", "tool budget": "euros 90-800",
        "store room": "room 11-420", "printer limit": "pages 100-990", "boot allowance": "euros 60-160",
        "repair code": "code", "equipment keeper": "person",
    },
    "safety and training": {
        "drill day": "weekday", "helmet colour": "colour", "first-aid room": "room 11-420", "alarm code": "code",
        "noise limit": "decibels 55-92", "visitor limit": "people 3-60", "course budget": "euros 200-980",
        "safety officer": "person",
    },
    "rooms and post": {
        "meeting room": "room 11-420", "parking fee": "euros 4-75", "cleaning day": "weekday",
        "delivery time": "o'clock 6-17", "post box": "box 11-420", "heating limit": "degrees 16-24",
        "guest fee": "euros 3-40", "caretaker": "person",
    },
}  # fmt: skip
"""Topics, their matters, and the kind (with its range) of each matter's value; no matter belongs to two topics."""

COLOURS = ("red", "blue", "green", "yellow", "black", "white", "grey", "brown", "purple", "orange", "pink")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "March", "April", "June", "August", "September", "October", "December")
FIRST = ("Signe", "Anton", "Maren", "Jonas", "Petra", "Ruben", "Edda", "Tomas", "Liv", "Oskar", "Nadia", "Henrik")
LAST = ("Dahl", "Brandt", "Solberg", "Novak", "Lindqvist", "Moreau", "Keller", "Aske", "Torvik", "Varga", "Holm")
UNRANGED: dict[str, Callable[[random.Random], str]] = {
    "date": lambda rng: f"{rng.randint(1, 28)} {rng.choice(MONTHS)}",
    "phone": lambda rng: f"{rng.randint(200, 899)}-{rng.randint(1000, 9999)}",
    "code": lambda rng: f"{''.join(rng.sample('BDFHKMRTVX', 2))}-{rng.randint(100, 999)}",
    "colour": lambda rng: rng.choice(COLOURS),
    "weekday": lambda rng: rng.choice(WEEKDAYS),
    "person": lambda rng: f"{rng.choice(FIRST)} {rng.choice(LAST)}",
}

FACTS = (
    "The {n} of the {e} is {v}.",
    "For the {e}, the {n} is {v}.",
    "The {n} for the {e} is {v}.",
    "In 2026, the {n} of the {e} is {v}.",
)
NAMING = ("{v} is the {n} of the {e}.", "The {n} of the {e} is {v}.", "For the {e}, the {n} is {v}.")
"""How a person is stated."""
TRAIN_QUESTIONS = ("{n} of the {e}?", "{e}: {n}?", "Give the {n} of the {e}.", "What {n} is given for the {e}?")
EVAL_QUESTIONS = ("What is the {n} of the {e}?", "Which {n} does the {e} have?", "What is the {e}'s {n}?")

INTRO = ("This page is for everyone who works with the {e}.", "The {e} follows the rules on this page.")
GENERAL = (
    "This edition replaces every earlier one, and old printed copies should be thrown away.",
    "Where something isn't settled here, the head of the group decides, if need be on the same day.",
    "Exceptions are made in writing, never by word of mouth, and are kept for three years.",
    "Questions go to the staff desk, which usually answers within a day or two.",
    "The works council was heard and has agreed.",
    "Temporary staff follow the same rules from their first day.",
)
CONTEXT: dict[str, tuple[str, ...]] = {
    "leave and absence": (
        "Tell your team early when you plan to be away, so that somebody can stand in for you.",
        "Summer is the busy season, so long absences are better planned for spring or autumn.",
        "Days that were not taken are talked over at the end of the year.",
    ),
    "working hours": (
        "Swapping with a colleague is fine as long as both agree and the plan is corrected.",
        "Ships are often late in winter, and nobody is blamed for staying until they are moored.",
        "Plans hang beside the coffee machine and are also sent by mail.",
    ),
    "travel and expenses": (
        "Take the train wherever it gets you there in a reasonable time.",
        "Keep every bill, also small ones, and hand them in together.",
        "Money is paid back with the next wages.",
    ),
    "keys and equipment": (
        "Report a loss at once, at any time of night.",
        "Things that are broken are replaced, not repaired with tape.",
        "Label what is yours, since many things look alike.",
    ),
    "safety and training": (
        "Near misses are reported too, since we learn most from them.",
        "Guests are never left alone near moving machines.",
        "Certificates are kept by the staff desk, and a copy is yours.",
    ),
    "rooms and post": (
        "Leave each place as you would like to find it.",
        "Bicycles stand under the roof behind the building.",
        "Windows are shut and lamps are out when the last one leaves.",
    ),
}
GENERAL_SENTENCES = 4


@dataclass(frozen=True, slots=True)
class Fact:
    """One rule: whose it is, what it is about, and its value in both editions."""

    entity: str
    topic: str
    noun: str
    old: str
    new: str

    @property
    def page(self) -> str:
        """Name of the page's file, which is also the document's id."""
        return f"{self.entity} {self.topic}".lower().replace(" ", "-") + ".md"


def make_value(kind: str, rng: random.Random) -> str:
    """Return a value of ``kind``: a name in ``UNRANGED``, or a unit with its lowest and highest number."""
    unit, _, bounds = kind.partition(" ")
    if not bounds:
        return UNRANGED[unit](rng)
    low, high = bounds.split("-")
    number = rng.randint(int(low), int(high))
    if unit == "o'clock":
        return f"{number}:{rng.choice((15, 30, 45))}"
    return f"{unit} {number}" if unit in ("room", "box") else f"{number} {unit}"


def make_facts() -> list[Fact]:
    """Return all rules of both editions, page by page; some pages lack one matter of their topic."""
    rng = random.Random(f"{SEED}/facts")
    facts = []
    for entity in ENTITIES:
        for topic, nouns in TOPICS.items():
            for noun in sorted(rng.sample(list(nouns), len(nouns) - rng.randint(0, 1))):
                old = new = make_value(nouns[noun], rng)
                changes = rng.random() < CHANGED
                while changes and new == old:
                    new = make_value(nouns[noun], rng)
                facts.append(Fact(entity, topic, noun, old, new))
    return facts


def worded(template: str, fact: Fact, value: str = "") -> str:
    """Return the template filled with ``fact``, its first letter a capital."""
    text = template.format(n=fact.noun, e=fact.entity, v=value)
    return text[0].upper() + text[1:]


def make_page(facts: list[Fact]) -> str:
    """Return the 2026 page that states ``facts``, all of one entity and topic: a heading and four paragraphs."""
    first = facts[0]
    rng = random.Random(f"{SEED}/{first.page}")
    context = rng.sample(CONTEXT[first.topic], len(CONTEXT[first.topic]))
    general = rng.sample(GENERAL, GENERAL_SENTENCES)
    stated = []
    for fact in rng.sample(facts, len(facts)):
        person = TOPICS[fact.topic][fact.noun] == "person"
        stated.append(worded(rng.choice(NAMING if person else FACTS), fact, fact.new))
    half = len(stated) // 2
    paragraphs = (
        [worded(rng.choice(INTRO), first), general[0], context[0]],
        [*stated[:half], general[1]],
        [context[1], *stated[half:]],
        [context[2], *general[2:]],
    )
    title = f"# {first.entity[0].upper()}{first.entity[1:]}: {first.topic}"
    return "\n\n".join([title, *(" ".join(sentences) for sentences in paragraphs)]) + "\n"


def make_pages(facts: list[Fact]) -> dict[str, str]:
    """Return the text of every page of 2026 by the name of its file."""
    return {page: make_page(list(stated)) for page, stated in groupby(facts, key=lambda fact: fact.page)}


def make_rows(facts: list[Fact]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return train rows (2025's answers; each matter was asked for several times) and eval rows (2026's, one each)."""
    rng = random.Random(f"{SEED}/rows")
    now = rng.sample(facts, EVAL_ROWS)
    frequent = now[: round(KNOWN * EVAL_ROWS)]
    before = [frequent[index % len(frequent)] for index in range(TRAIN_ROWS)]
    train, seen = [], set()
    for fact in rng.sample(before, len(before)):
        question = rng.choice([text for t in TRAIN_QUESTIONS if (text := worded(t, fact)) not in seen])
        seen.add(question)
        train.append({"id": f"log-{len(train) + 1:03d}", "input": question, "target": fact.old})
    evals = []
    for number, fact in enumerate(rng.sample(now, len(now)), start=1):
        row = {"id": f"ask-{number:03d}", "input": worded(rng.choice(EVAL_QUESTIONS), fact), "target": fact.new}
        evals.append(row | {"doc_id": fact.page})
    return train, evals


def write_all(out: Path) -> None:
    """Write train.jsonl, eval.jsonl and the pages into ``out``; pages of an earlier call are removed."""
    facts = make_facts()
    shutil.rmtree(out / PAGES, ignore_errors=True)
    (out / PAGES).mkdir(parents=True)
    for name, text in make_pages(facts).items():
        (out / PAGES / name).write_text(text, encoding="utf-8")
    for name, rows in zip(("train", "eval"), make_rows(facts), strict=True):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (out / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        print(f"{name}.jsonl: {len(rows)} rows")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the data of this example.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where to write (default: beside this script)")
    write_all(parser.parse_args().out)
