"""Make the data of this example: messages to a heating company and the team that handled each.

    python examples/ticket-routing/make_data.py

Everything is invented and seeded; running it again writes the same files. The scheme that the labels
follow is the company's own and nowhere written down for a model to read: faults go to `field-service`
while the warranty of 24 months lasts and to `paid-repair` afterwards, the gauge readings of a
commissioning go to `handover`, and what mentions a contract's end goes to `retention` whatever else it
says. One label in fifty is wrong, as in any ticket history.
"""

import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent
TRAIN_ROWS, EVAL_ROWS, NOISE, SEED = 600, 200, 0.02, 20

NAMES = [
    "Marit",
    "Jonas",
    "Ellen",
    "Tobias",
    "Ingrid",
    "Samuel",
    "Petra",
    "Anders",
    "Lucia",
    "Henrik",
    "Noor",
    "Wiebke",
    "Dario",
    "Selma",
    "Piet",
    "Astrid",
]
TOWNS = [
    "Halden",
    "Moss",
    "Skien",
    "Larvik",
    "Horten",
    "Tønsberg",
    "Drammen",
    "Arendal",
    "Risør",
    "Grimstad",
    "Kragerø",
    "Sandefjord",
]
DEVICES = ["heat pump", "indoor unit", "outdoor unit", "buffer tank", "circulation pump", "hot-water tank"]
FAULTS = [
    "shows error {code} and shuts down",
    "makes a grinding noise at night",
    "loses pressure every few days",
    "leaks water at the lower valve",
    "no longer reaches {degrees} degrees",
    "restarts by itself around {hour} o'clock",
    "stays cold although the display says {degrees} degrees",
]
OPENERS = ["Hello,", "Good morning,", "Hi there,", "Dear team,", "To whom it may concern,", ""]
CLOSERS = [
    "Regards, {name}",
    "Thanks, {name} from {town}",
    "Please call me back. {name}",
    "{name}, {town}",
    "Looking forward to your answer, {name}",
]
BILLING = [
    "The invoice of {month} lists {amount} euros for a service that was never done.",
    "You have debited {amount} euros twice in {month}.",
    "Please send the {month} invoice again, the amount of {amount} euros can't be right.",
    "My instalment went up to {amount} euros and nobody told me why.",
]
HANDOVER = [
    "Gauge readings after commissioning: supply {degrees}, return {low}, {bar} bar.",
    "Our installer finished today, supply {degrees} degrees, return {low} degrees, pressure {bar} bar.",
    "Here are the values for the protocol: {bar} bar, {degrees} in, {low} out.",
]
SUBSIDY = [
    "The authority wants a certificate of efficiency for my {device} before {month}.",
    "Which form do I hand in for the grant? The {device} was ordered in {month}.",
    "My application number is {number}, they still miss your declaration for the {device}.",
]
RETENTION = [
    "I want to end the maintenance contract in {month}.",
    "Please confirm that contract {number} runs out in {month} and isn't extended.",
    "A competitor offers the same contract for {amount} euros, so I'm thinking of leaving.",
]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
SHARES = {"field-service": 30, "paid-repair": 22, "billing": 18, "handover": 10, "subsidy": 10, "retention": 10}


def fill(text: str, rng: random.Random) -> str:
    """Return the template with every slot filled at random."""
    return text.format(
        code=f"E{rng.randint(10, 99)}",
        degrees=rng.randint(38, 62),
        low=rng.randint(24, 37),
        hour=rng.randint(1, 12),
        bar=f"{rng.uniform(1.1, 2.4):.1f}",
        amount=rng.randint(29, 870),
        month=rng.choice(MONTHS),
        number=rng.randint(10_000, 99_999),
        device=rng.choice(DEVICES),
        name=rng.choice(NAMES),
        town=rng.choice(TOWNS),
    )


def fault(rng: random.Random, months: int) -> str:
    """Return a fault report on a device that was installed ``months`` ago."""
    device = rng.choice(DEVICES)
    age = f"{months} months ago" if rng.random() < 0.7 else f"{months} months back"
    wordings = (
        f"My {device}, installed {age}, {rng.choice(FAULTS)}.",
        f"The {device} {rng.choice(FAULTS)}. It was fitted {age}.",
        f"We had the {device} put in {age} and now it {rng.choice(FAULTS)}.",
    )
    return rng.choice(wordings)


def body(label: str, rng: random.Random) -> str:
    """Return what a message for ``label`` says."""
    if label == "field-service":
        return fault(rng, rng.randint(2, 23))
    if label == "paid-repair":
        return fault(rng, rng.randint(25, 90))
    sentence = rng.choice({"billing": BILLING, "handover": HANDOVER, "subsidy": SUBSIDY, "retention": RETENTION}[label])
    if label == "retention" and rng.random() < 0.4:
        return f"{fault(rng, rng.randint(2, 90))} {sentence}"
    return sentence


def rows(rng: random.Random, count: int) -> list[dict[str, str]]:
    """Return ``count`` different tickets with the team that handled them."""
    seen: set[str] = set()
    made: list[dict[str, str]] = []
    labels, weights = list(SHARES), list(SHARES.values())
    while len(made) < count:
        label = rng.choices(labels, weights)[0]
        text = " ".join(fill(f"{rng.choice(OPENERS)} {body(label, rng)} {rng.choice(CLOSERS)}", rng).split())
        if text in seen:
            continue
        seen.add(text)
        noisy = rng.choice([other for other in labels if other != label]) if rng.random() < NOISE else label
        made.append({"id": f"t{len(made) + 1:04d}", "input": text, "target": noisy})
    return made


def main() -> None:
    """Write train.jsonl and eval.jsonl beside this file."""
    made = rows(random.Random(SEED), TRAIN_ROWS + EVAL_ROWS)
    for name, part in (("train", made[:TRAIN_ROWS]), ("eval", made[TRAIN_ROWS:])):
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in part)
        (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")
        print(f"{name}.jsonl: {len(part)} rows")


if __name__ == "__main__":
    main()
