"""Results → one HTML page: everything inlined, nothing fetched, every text from the data escaped.

The page is a template over views (``scoreboard``, ``charts``, ``training``, ``explorer``); a figure is
formatted by ``wording`` alone. Its Content-Security-Policy forbids every request and any script but the
one in it, which is named by its hash.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evals.errors import RunError
from reports import wording
from reports.advice_check import advice_sentences
from reports.arm_words import arm_words
from reports.charts import differences_chart, scores_chart
from reports.confusion import build_confusions
from reports.cost_charts import cumulative_chart, cumulative_note, quality_chart
from reports.data_condition import build_condition
from reports.differing import build_differing
from reports.economics import (
    DECISIONS,
    amount,
    cache_sentence,
    cost_rows,
    money,
    payback_sentence,
    prices_sentence,
)
from reports.explorer import STATIC_ROWS, Predictions, build_explorer
from reports.forgetting import forgetting_pairs
from reports.leaks import leak_sentences
from reports.limits import limits, sources
from reports.measures import build_labels, build_measures, build_retrieval
from reports.recall_chart import recall_chart
from reports.repays import badge
from reports.score_curves import score_curves
from reports.scoreboard import build_scoreboard
from reports.selection import build_selections
from reports.sentences import headline, next_steps, other_level, standing
from reports.training import build_training
from reports.winner import deciding

SCHEMA = 1


def render_report(results: Mapping[str, Any], predictions: Predictions) -> str:
    """Return the report as one HTML document.

    ``results`` is the content of ``results.json``; ``predictions`` maps arms to their rows (of one
    seed), in the order of the eval rows; an arm may be missing. Equal arguments give equal pages.
    Raises ``RunError`` for results of another schema or with an outcome that isn't known.
    """
    if results.get("schema") != SCHEMA:
        raise RunError(f"results of schema {results.get('schema')!r} can't be shown: this version knows {SCHEMA}")
    verdict, task = results["verdict"], results["task"]
    if verdict["outcome"] not in wording.OUTCOMES:
        known = ", ".join(wording.OUTCOMES)
        raise RunError(f"the verdict's outcome {verdict['outcome']!r} is not one of {known}; redo the results")
    board, retrieval = build_scoreboard(results), build_retrieval(results["arms"])
    metric = wording.metric_name(task["metric"])
    trained = {arm["name"]: arm["trained"] for arm in results["arms"]}
    script = source("report.js")
    page = environment().get_template("report.html.j2")
    return page.render(
        results=results,
        task=task,
        verdict=verdict,
        metric=metric,
        badge=badge(results),
        headline=headline(results),
        decided_by=deciding(verdict),
        other_level=other_level(verdict) if verdict["gain"] else "",
        steps=next_steps(results),
        standing=standing(results),
        forgotten=[said for said, arm in forgetting_pairs(results) if arm["high"] is not None and arm["high"] < 0],
        arm_words=arm_words(results),
        advice=advice_sentences(results),
        board=board,
        confidence=wording.level(verdict["confidence"]),
        scores=scores_chart(board.score_intervals(), "scores", wording.upperfirst(metric)),
        differences=differences_chart(
            board.difference_intervals(), "differences", board.reference or "", verdict["minimum_gain"]
        ),
        training=build_training(results["arms"], metric),
        **money_parts(results),
        curves=score_curves(results),
        forgot=[said for said, _ in forgetting_pairs(results)],
        condition=build_condition(results),
        leaks=leak_sentences(results["leakage"] or ()),
        selections=build_selections(results["arms"]),
        measures=build_measures(results["arms"]),
        retrieval=retrieval,
        recall=recall_chart(retrieval, "recall"),
        labels=build_labels(results["per_label"], results["arms"]),
        confusions=build_confusions(results, predictions),
        differing=build_differing(results, predictions),
        explorer=build_explorer(predictions, trained, task["labels"]),
        static_rows=STATIC_ROWS,
        methods=sorted({pair["method"] for pair in results["comparisons"] if pair["difference"] is not None}),
        sources=sources(results),
        leaked=any(leak["count"] for leak in results["leakage"] or ()),
        limits=limits(results),
        settings=json.dumps(results["settings"], ensure_ascii=False, indent=2),
        style=Markup(source("report.css")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def money_parts(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the section on cost shows of money."""
    economics, rows = results["economics"], cost_rows(results)
    return {
        "economics": economics,
        "cost_rows": rows,
        "prices_of": {row.name: row for row in rows},
        "decision": DECISIONS[economics["decision"]],
        "payback": payback_sentence(results),
        "prices": prices_sentence(results),
        "cache": cache_sentence(results),
        "cumulative": cumulative_chart(rows, "cumulative", economics),
        "cumulative_says": cumulative_note(economics),
        "quality": quality_chart(rows, "quality", economics["currency"]),
    }


def _visible(value: object) -> object:
    """Make what a text would hide visible, in whatever a template writes; Jinja escapes it afterwards."""
    return wording.shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def environment() -> Environment:
    """Return what renders our templates: all is escaped, a missing value is an error, ``wording`` writes figures."""
    made = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for write in (
        wording.count,
        wording.percent,
        wording.asked,
        wording.loss,
        wording.signed,
        wording.seconds,
        wording.milliseconds,
        wording.megabytes,
        wording.fact,
        wording.clip,
        wording.upperfirst,
        wording.exact,
        money,
        amount,
    ):
        made.filters[write.__name__] = write
    made.globals.update(
        number=wording.number,
        plural=wording.plural,
        level=wording.level,
        metric_name=wording.metric_name,
        score_range=wording.score_range,
        difference_range=wording.difference_range,
        p_value=wording.p_value,
        rounded=wording.rounded,
        MISSING=wording.MISSING,
    )
    return made


@cache
def source(name: str) -> str:
    """Return one of the page's own files, with plain line ends: a browser hashes the script after turning them."""
    loader = environment().loader
    if loader is None:
        raise RunError("the report's templates are missing; install tuneworthy again")
    return loader.get_source(environment(), name)[0].replace("\r\n", "\n")
