"""The condition of a task's data in words and rows: all from ``results["data"]``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.sentences import Sentence
from reports.wording import count, number, plural


@dataclass(frozen=True)
class Condition:
    """What the report says of the data: lengths (what, median, 95th percentile), repeats, balance, and each label."""

    lengths: Sequence[tuple[str, str, str]]
    repeats: Sequence[str]
    balance: Sentence | None
    labels: Sequence[Mapping[str, Any]]


def build_condition(results: Mapping[str, Any]) -> Condition | None:
    """Return the condition of the data, None for a run that was begun before it was written down."""
    data = results.get("data")
    if data is None:
        return None
    named = (("Input", "input_words"), ("Answer", "answer_words"), ("Document", "document_words"))
    lengths = [(what, number(data[key]["median"]), number(data[key]["p95"])) for what, key in named if data[key]]
    labels = sorted(data["labels"], key=lambda row: (-row["train"], row["label"]))
    return Condition(
        lengths=lengths,
        repeats=repeat_sentences(data, results["task"]["train_rows"]),
        balance=_balance(labels, results["task"]["train_rows"]),
        labels=labels,
    )


def repeat_sentences(data: Mapping[str, Any], train_rows: int) -> list[str]:
    """Return what the training rows repeat, and whether equal inputs have unequal answers."""
    if not data["repeated"]:
        return ["No training row repeats the input of another."]
    verb = "repeats" if data["repeated"] == 1 else "repeat"
    of_all = plural(train_rows, "training row")
    told = [f"{count(data['repeated'])} of {of_all} {verb} the input of an earlier one."]
    if data["contradictory"]:
        verb = "has" if data["contradictory"] == 1 else "have"
        rows = plural(data["contradictory"], "training row")
        told.append(f"{rows} {verb} the input of another row, but a different answer.")
    return told


def _balance(labels: Sequence[Mapping[str, Any]], train_rows: int) -> Sentence | None:
    """Say how evenly the training rows spread over the labels: ``labels`` has the most frequent first."""
    if not labels or not train_rows:
        return None
    most, least = labels[0], labels[-1]
    names = {"most": most["label"], "least": least["label"]}
    unjudged = sum(not row["eval"] for row in labels)
    told = f"“{{most}}” is the most frequent label with {_share(most['train'], train_rows)} of the training rows"
    if len(labels) > 1:
        told += f", “{{least}}” the least with {plural(least['train'], 'row')}"
    tail = f"; {plural(unjudged, 'label')} {'has' if unjudged == 1 else 'have'} no eval row" if unjudged else ""
    return Sentence(f"{told}{tail}.", names)


def _share(part: int, whole: int) -> str:
    return f"{number(100 * part / whole)}%"
