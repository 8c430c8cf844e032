"""Make the data of this example: support tickets and the case code that the company files each under.

    python examples/ticket-coding/make_data.py [--out FOLDER]

Everything is invented and seeded; running it again writes the same files. A code such as ``HX-2-N-48213``
has four parts: the product's family, how severe the case is, the customer's region, and the customer's
reference, copied. The scheme is the company's own, written down nowhere but here:

- family and region follow the product and the town (``FAMILIES``, ``REGIONS``);
- severity is 1 when the device is down at a business, 3 when it still runs and is old, else 2.

One training code in fifty is wrong, as in any ticket history; the eval codes are right.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
TRAIN_ROWS, EVAL_ROWS, NOISE, SEED = 640, 240, 0.02, 11

FAMILIES: dict[str, tuple[str, ...]] = {
    "HX": ("freezer", "cold room", "ice maker"),
    "QO": ("dishwasher", "glass washer", "rinsing sink"),
    "VU": ("bread oven", "pizza oven", "steamer"),
    "JA": ("coffee machine", "milk frother", "bean grinder"),
    "ZL": ("heat pump", "boiler", "radiator"),
    "KY": ("fan", "cooker hood", "air filter"),
    "WB": ("cash drawer", "card reader", "receipt printer"),
    "GE": ("door lock", "alarm siren", "camera"),
}
"""Product words by the code of their family."""
FAMILY_WEIGHTS = (24, 18, 15, 12, 10, 9, 7, 5)

REGIONS: dict[str, tuple[str, ...]] = {
    "N": ("Alderby", "Corsund", "Mirrow"),
    "T": ("Brenvik", "Elsholm", "Pellworth"),
    "R": ("Dunmere", "Farrow", "Jarlby"),
    "P": ("Grisby", "Hallam"),
}
"""Towns by the letter of their region."""

DOWN = ("no longer turns on", "has stopped completely", "has been dead since this morning")
RUNNING = ("works but keeps beeping", "works but blinks red", "still works, only slowly")
BUSINESS = ("We run a bakery in {town}.", "Our hotel is in {town}.", "This is the restaurant in {town}.")
HOME = ("I live in {town}.", "My flat is in {town}.", "This is at home in {town}.")
NEW = ("It is almost new.", "We bought it last month.", "It was fitted this spring.")
OLD = ("It is quite old.", "We bought it many years ago.", "The warranty ran out long ago.")
"""Each fact of a ticket is said in one of three ways, and no way says two facts."""

PRODUCT = ("The {product} {state}.", "Our {product} {state}.", "My {product} {state}.")
REFERENCE = ("My reference is {reference}.", "Reference {reference}.", "The reference is {reference}.")
OPENERS = ("Hello,", "Good morning,", "Dear team,", "Hi,", "", "")
CLOSERS = (
    "Please call {name} back.", "Can somebody come today? {name}", "Thanks for your help, {name}", "Ask for {name}.",
    "I tried everything in the manual.", "What should I do? {name}", "Best regards, {name}", "Yours, {name}", "",
)  # fmt: skip
NAMES = (
    "Marit", "Jonas", "Ellen", "Tobias", "Ingrid", "Samuel", "Petra", "Anders", "Lucia", "Henrik", "Noor", "Wiebke",
    "Dario", "Selma", "Piet", "Astrid", "Milan", "Greta", "Oskar", "Fenna", "Ruben", "Tilda", "Viktor", "Hanne",
    "Emil", "Rosa", "Stefan", "Ylva", "Marco", "Ines", "Bruno", "Klara", "Felix", "Nadia", "Arne", "Judit",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What a ticket tells."""

    product: str
    town: str
    down: bool
    business: bool
    old: bool
    reference: str


@dataclass(frozen=True, slots=True)
class Code:
    """What a ticket is filed under."""

    family: str
    severity: str
    region: str
    reference: str

    def __str__(self) -> str:
        return f"{self.family}-{self.severity}-{self.region}-{self.reference}"


def severity_of(down: bool, business: bool, old: bool) -> str:
    """Return how severe a case is: 1 (most), 2 or 3."""
    if down and business:
        return "1"
    return "3" if old and not down else "2"


def code_of(case: Case) -> Code:
    """Return the right code of ``case``."""
    family = next(code for code, products in FAMILIES.items() if case.product in products)
    region = next(letter for letter, towns in REGIONS.items() if case.town in towns)
    return Code(family, severity_of(case.down, case.business, case.old), region, case.reference)


def make_case(rng: random.Random, reference: str) -> Case:
    """Return a case; some families are frequent, all towns alike, each yes or no as likely as the other."""
    family = rng.choices(list(FAMILIES), FAMILY_WEIGHTS)[0]
    return Case(
        product=rng.choice(FAMILIES[family]),
        town=rng.choice([town for towns in REGIONS.values() for town in towns]),
        down=rng.random() < 0.5,
        business=rng.random() < 0.5,
        old=rng.random() < 0.5,
        reference=reference,
    )


def write_ticket(case: Case, rng: random.Random) -> str:
    """Return the text of a ticket that tells ``case``: its facts in any order, but the age after the product."""
    state = rng.choice(DOWN if case.down else RUNNING)
    facts = [
        rng.choice(PRODUCT).format(product=case.product, state=state),
        rng.choice(BUSINESS if case.business else HOME).format(town=case.town),
        rng.choice(REFERENCE).format(reference=case.reference),
    ]
    rng.shuffle(facts)
    # "It" has to follow what it stands for.
    place = next(index for index, fact in enumerate(facts) if state in fact) + 1
    facts.insert(place, rng.choice(OLD if case.old else NEW))
    closer = rng.choice(CLOSERS).format(name=rng.choice(NAMES))
    return " ".join(part for part in (rng.choice(OPENERS), *facts, closer) if part)


def spoil(code: Code, rng: random.Random) -> Code:
    """Return ``code`` with a wrong family, severity or region."""
    part = rng.choice(("family", "severity", "region"))
    choices: dict[str, Sequence[str]] = {"family": list(FAMILIES), "severity": "123", "region": list(REGIONS)}
    wrong = {"family": code.family, "severity": code.severity, "region": code.region}
    wrong[part] = rng.choice([choice for choice in choices[part] if choice != wrong[part]])
    return Code(**wrong, reference=code.reference)


def make_rows() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return train rows, of which a share of ``NOISE`` has a wrong code, and eval rows."""
    rng = random.Random(SEED)
    count = TRAIN_ROWS + EVAL_ROWS
    wrong = set(rng.sample(range(TRAIN_ROWS), round(NOISE * TRAIN_ROWS)))
    rows = []
    for number, reference in enumerate(rng.sample(range(10_000, 100_000), count)):
        case = make_case(rng, str(reference))
        code = spoil(code_of(case), rng) if number in wrong else code_of(case)
        rows.append({"id": f"t{number + 1:04d}", "input": write_ticket(case, rng), "target": str(code)})
    return rows[:TRAIN_ROWS], rows[TRAIN_ROWS:]


def write_all(out: Path) -> None:
    """Write train.jsonl and eval.jsonl into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("train", "eval"), make_rows(), strict=True):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (out / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        print(f"{name}.jsonl: {len(rows)} rows")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the data of this example.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where to write (default: beside this script)")
    write_all(parser.parse_args().out)
