"""A twenty-row task on disk, for tests of the whole main job: which colour family does a thing belong to?"""

import json
from pathlib import Path

THINGS = {
    "warm": [
        "ember",
        "rust",
        "amber",
        "coral",
        "brick",
        "saffron",
        "copper",
        "honey",
        "paprika",
        "cherry",
        "mango",
        "tulip",
    ],
    "cold": [
        "glacier",
        "frost",
        "cobalt",
        "teal",
        "mint",
        "slate",
        "steel",
        "river",
        "moss",
        "pine",
        "lagoon",
        "indigo",
    ],
}
QUESTION = "Does the {thing} look warm or cold? (note {number})"


def rows(start: int, count: int) -> list[dict[str, str]]:
    """Return ``count`` different rows, labels taking turns."""
    made = []
    for number in range(start, start + count):
        label = ("warm", "cold")[number % 2]
        thing = THINGS[label][(number // 2) % len(THINGS[label])]
        made.append({"id": f"r{number}", "input": QUESTION.format(thing=thing, number=number), "target": label})
    return made


def write_jsonl(path: Path, records: list[dict]) -> None:
    """Write one JSON object a line."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")


def write_task(folder: Path, *, eval_rows: int = 20, extra: str = "") -> Path:
    """Write a label task of 24 training rows into ``folder`` and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_jsonl(folder / "train.jsonl", rows(0, 24))
    write_jsonl(folder / "eval.jsonl", rows(1000, eval_rows))
    (folder / "task.yaml").write_text(
        "name: colours\n"
        "instruction: Say whether the thing looks warm or cold.\n"
        "answer: label\n"
        "data: {train: train.jsonl, eval: eval.jsonl}\n" + extra,
        encoding="utf-8",
    )
    return folder
