"""The examples of a run as the page carries them: compact, cut to a budget, safe inside a script element.

Everything a row says goes in once: text that's longer than a limit is cut, and the limit is the largest
that keeps the whole below ``TEXT_BUDGET`` characters. Prompts, which are long and much alike, are kept
for the first rows only, up to ``PROMPT_BUDGET``. What was cut is said on the page.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from os.path import commonprefix
from typing import Any

from markupsafe import Markup

from evals.scored import ScoredPrediction
from reports.wording import shown

STATIC_ROWS = 50
TEXT_BUDGET = 660_000
PROMPT_BUDGET = 240_000
PROMPT_ROWS = 200
EXAMPLES = 20_000
"""Examples that a page holds, at most: more would take a browser seconds to open."""
_LIMITS = (8_000, 4_000, 2_000, 1_000, 500, 250, 120, 60)


@dataclass(frozen=True)
class ExplorerCell:
    """One arm's answer to one example; ``mark`` is right, partly, wrong, error or none (not answered)."""

    mark: str
    answer: str


@dataclass(frozen=True)
class ExplorerRow:
    """One example as a line of the table."""

    id: str
    input: str
    target: str
    cells: tuple[ExplorerCell, ...]


@dataclass(frozen=True)
class Explorer:
    """All examples: the payload for the script, the first rows for readers without it, and what was cut.

    ``total`` counts the run's examples, ``kept`` those in the page. ``text_limit`` is the longest text kept, or None
    when nothing was cut; ``prompt_rows`` counts the examples whose prompts are kept.
    """

    arms: tuple[str, ...]
    total: int
    kept: int
    rows: tuple[ExplorerRow, ...]
    text_limit: int | None
    prompt_rows: int
    payload: Markup


Predictions = Mapping[str, Sequence[ScoredPrediction]]


def build_explorer(
    predictions: Predictions, trained: Mapping[str, bool], labels: Sequence[str] | None = None
) -> Explorer:
    """Return the explorer of ``predictions`` (arm → rows); examples stand in the order they are first met.

    ``labels`` are those that can be filtered by.
    """
    by_arm = {arm: {row.id: row for row in rows} for arm, rows in predictions.items() if rows}
    every = list(dict.fromkeys(row.id for rows in predictions.values() for row in rows))
    ids = every[:EXAMPLES]
    by_arm = {arm: {id_: rows[id_] for id_ in ids if id_ in rows} for arm, rows in by_arm.items()}
    inputs = {row.id: (row.input, *row.targets) for rows in by_arm.values() for row in rows.values()}
    answered = (_texts(row) for rows in by_arm.values() for row in rows.values())
    limit, cut = _text_limit(chain(inputs.values(), answered))
    prefixes = {arm: _shared_prefix(list(rows.values())) for arm, rows in by_arm.items()}
    budget = PROMPT_BUDGET - sum(len(prefix) for prefix in prefixes.values())
    rows, prompt_rows = [], 0
    for place, id_ in enumerate(ids):
        answers = [by_arm[arm].get(id_) for arm in by_arm]
        tails = [_tail(answer, prefixes[arm]) for arm, answer in zip(by_arm, answers, strict=True)]
        budget -= sum(len(tail or "") for tail in tails)
        keep = place < PROMPT_ROWS and budget >= 0
        prompt_rows += keep
        first = next(answer for answer in answers if answer)
        cells = [_cell(answer, limit, tail if keep else None) for answer, tail in zip(answers, tails, strict=True)]
        targets = [_cut(target, limit) for target in first.targets]
        rows.append([shown(id_), _cut(first.input, limit), targets, first.doc_id and shown(first.doc_id), cells])
    arms = [{"name": shown(arm), "trained": trained.get(arm, False), "prefix": shown(prefixes[arm])} for arm in by_arm]
    return Explorer(
        arms=tuple(by_arm),
        total=len(every),
        kept=len(ids),
        rows=tuple(_line(row) for row in rows[:STATIC_ROWS]),
        text_limit=limit if cut else None,
        prompt_rows=prompt_rows,
        payload=script_json({"arms": arms, "labels": [_cut(label, limit) for label in labels or ()], "rows": rows}),
    )


def _cell(answer: ScoredPrediction | None, limit: int, tail: str | None) -> list[Any] | None:
    """Return one arm's answer as the script reads it; trailing values that are empty are left out."""
    if answer is None:
        return None
    extracted = None if answer.extracted is None else _cut(answer.extracted, limit)
    raw = None if answer.raw == answer.extracted else _cut(answer.raw, limit)
    cell = [
        None if answer.score is None else round(answer.score, 4),
        extracted,
        raw,
        answer.error and _cut(answer.error, limit),
        None if answer.cached else round(answer.ms, 1),
        answer.prompt_tokens,
        answer.completion_tokens,
        [[_cut(item.id, limit), round(item.score, 3)] for item in answer.retrieved] or None,
        None if tail is None else shown(tail),
    ]
    while cell[-1] is None:
        cell.pop()
    return cell


def _line(row: Sequence[Any]) -> ExplorerRow:
    id_, text, targets, _, cells = row
    return ExplorerRow(id_, text, targets[0], tuple(_shown_cell(cell) for cell in cells))


def _shown_cell(cell: Sequence[Any] | None) -> ExplorerCell:
    if cell is None:
        return ExplorerCell("none", "")
    score, extracted, raw, error = [*cell, *[None] * 4][:4]
    if score is None:
        return ExplorerCell("error", error or "")
    answer = extracted if extracted is not None else raw or ""
    return ExplorerCell("right" if score >= 1 else "wrong" if score <= 0 else "partly", answer)


def _texts(row: ScoredPrediction) -> tuple[str, ...]:
    return (row.raw, "" if row.extracted in (None, row.raw) else row.extracted or "", row.error or "")


def _text_limit(texts: Iterable[tuple[str, ...]]) -> tuple[int, bool]:
    """Return the longest text that the budget allows, and whether any text is longer than that."""
    lengths = [len(text) for row in texts for text in row]
    for limit in _LIMITS:
        if sum(min(length, limit) for length in lengths) <= TEXT_BUDGET:
            break
    return limit, max(lengths, default=0) > limit


def _cut(text: str, limit: int) -> str:
    text = shown(text)
    return text if len(text) <= limit else text[:limit] + "…"


def _shared_prefix(rows: Sequence[ScoredPrediction]) -> str:
    """Return what all prompts of an arm begin with: kept once instead of once a row."""
    prompts = [row.prompt for row in rows if row.prompt]
    return commonprefix(prompts) if len(prompts) > 1 else ""


def _tail(answer: ScoredPrediction | None, prefix: str) -> str | None:
    """Return what a prompt has after its arm's shared beginning; None where there is no prompt."""
    return answer.prompt[len(prefix) :] if answer and answer.prompt else None


def script_json(value: object) -> Markup:
    """Return ``value`` as JSON that can stand in a script element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
