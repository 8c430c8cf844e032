"""The results as Markdown, for a pull request or a ticket: verdict, table of the arms, what follows, costs.

Names and reasons come from the data, so every sign that Markdown or HTML would read is written as text, and no name
mentions anybody.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.advice_check import advice_sentences
from reports.economics import cache_sentence, cost_rows, money, payback_sentence, prices_sentence
from reports.forgetting import forgetting_sentences
from reports.leaks import leak_sentences
from reports.repays import badge
from reports.scoreboard import ArmRow, build_scoreboard
from reports.sentences import Sentence, headline, next_steps
from reports.wording import (
    MISSING,
    clip,
    count,
    difference_range,
    level,
    metric_name,
    percent,
    plural,
    request_time,
    score_range,
    signed,
)

_READ = re.compile(r"[\\`*\[\]|~<>&#$]|(?<!\w)@|(?<!\w)_|_(?!\w)|:(?=//)|(?<=www)\.", re.IGNORECASE)
_LONGEST = 200


def markdown(results: Mapping[str, Any]) -> str:
    """Return ``results`` (schema 1) as one Markdown document."""
    return "\n".join(_lines(results)) + "\n"


def plain(text: str) -> str:
    """Return ``text`` on one line, so that Markdown shows it as it is: no markup, no mention, no link."""
    return _READ.sub(lambda found: f"&#{ord(found.group())};", clip(text, _LONGEST))


def _lines(results: Mapping[str, Any]) -> Iterator[str]:
    task, verdict = results["task"], results["verdict"]
    yield f"### {plain(task['name'])}: {badge(results).lower()}"
    yield ""
    yield _said(headline(results))
    yield ""
    yield from _scores(results)
    yield ""
    yield from (f"- {_said(step)}" for step in next_steps(results))
    yield f"- {_said(payback_sentence(results))}"
    yield from (f"- {_said(sentence)}" for sentence in (cache_sentence(results),) if sentence is not None)
    yield from (f"- {_said(sentence)}" for sentence in forgetting_sentences(results))
    yield from (f"- {plain(text)}" for text in leak_sentences(results["leakage"] or ()))
    if results.get("advice"):
        yield f"- {plain(' '.join(map(str, advice_sentences(results))))}"
    yield ""
    model = results["model"]
    made = f"tuneworthy {results['version']}, {results['created'][:10]}, {plural(results['seeds'], 'seed')}"
    models = [str(one["name"]) for one in ([model] if model else []) + list((results.get("models") or {}).values())]
    named = f", {'model' if len(models) == 1 else 'models'} {plain(', '.join(models))}" if models else ""
    yield f"<sub>{made}{named}; intervals at {level(verdict['confidence'])}. {plain(prices_sentence(results))}</sub>"


def _said(sentence: Sentence) -> str:
    """Return a sentence with its names as text; what is ours in it holds no sign that Markdown would read."""
    return sentence.template.format(**{key: plain(clip(name, 60)) for key, name in sentence.names.items()})


def _scores(results: Mapping[str, Any]) -> Iterator[str]:
    task, board, verdict = results["task"], build_scoreboard(results), results["verdict"]
    costs = {row.name: row.per_1000 for row in cost_rows(results)}
    against = f"against {plain(board.reference)}" if board.reference else "difference"
    money_of = f"{plain(results['economics']['currency'])} per 1,000"
    yield _row(["arm", metric_name(task["metric"]), against, money_of, "p50", "errors"])
    yield "|---|---:|---:|---:|---:|---:|"
    unscored = [row for row in board.rows if row.score is None]
    for row in [*board.scored, *unscored]:
        name = plain(row.name) + (f" ({', '.join(row.marks)})" if row.marks else "")
        cost = costs.get(row.name)
        yield _row(
            [
                f"**{name}**" if row.name == verdict["best_arm"] else name,
                _score(row),
                _difference(row),
                MISSING if cost is None else money(cost),
                request_time(row.cost),
                count(row.errors),
            ]
        )
    yield ""
    yield f"{plural(task['eval_rows'], 'eval row')}; scores and intervals in percent, differences in points."
    for row in board.not_run:
        yield f"- {plain(row.name)} {plain(row.status)}: {plain(row.reason)}"


def _score(row: ArmRow) -> str:
    if row.score is None:
        return row.status
    return f"{percent(row.score.value)} ({score_range(row.score.low, row.score.high)})"


def _difference(row: ArmRow) -> str:
    if row.difference is None:
        return "reference" if row.reference else MISSING
    return f"{signed(row.difference.value)} ({difference_range(row.difference.low, row.difference.high)})"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
