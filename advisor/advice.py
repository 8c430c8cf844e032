"""The advice: everything that the answers tell, as the content of ``advice.json`` (schema 1)."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from advisor.cases import Case, nearest
from advisor.flips import Flip, Unknown, find_out, flips
from advisor.questions import questions, relevant
from advisor.recommend import NOT_READY, Option, Recommendation, Weight, recommend
from advisor.scorecard import Reason
from reports.advice_wording import chance

SCHEMA = 1

TRAINING_GATES = ("eval_set", "prompting", "rights", "definition")
"""Questions that have to be answered before anything is trained."""

NAMES = {
    "prompt": "prompting alone",
    "rag": "retrieval (RAG)",
    "tune": "fine-tuning",
    "rag_tune": "retrieval and fine-tuning together",
    "classic": "a classic method, no language model",
    NOT_READY: "not ready yet: do this first",
}
"""How the options are called in sentences."""


def advise(
    answers: Mapping[str, str],
    measured: Mapping[str, str] | None = None,
    *,
    estimates: Mapping[str, Any] | None = None,
    readiness: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the advice for ``answers`` (key → option).

    ``measured`` has, for answers that come from data, the sentence that says what was counted. ``estimates`` and
    ``readiness`` are taken over as they are (None: not made).
    """
    made = recommend(answers)
    return {
        "schema": SCHEMA,
        "recommendation": _recommended(made) | {"caveats": caveats(made, relevant(answers), estimates)},
        "options": [_option(option) for option in made.options],
        "blocks": [
            {"kind": gate.kind, "options": list(gate.options), "answers": dict(gate.when), **_reason(gate.reason)}
            for gate in made.blocks
        ],
        "flips": [_flip(flip) for flip in flips(answers)],
        "find_out": [_unknown(unknown) for unknown in find_out(answers)],
        "estimates": estimates,
        "readiness": readiness,
        "answers": _answers(answers, measured or {}),
        "cases": [_case(case, relevant(answers)) for case in nearest(relevant(answers))],
    }


def _recommended(made: Recommendation) -> dict[str, Any]:
    first = made.options[0]
    todo = [gate.reason.text for gate in made.blocks if gate.kind == "first"]
    name = NAMES[first.approach]
    sentence = f"{name[0].upper()}{name[1:]} ({chance(first.probability)})."
    if first.approach == NOT_READY:
        sentence = f"Not ready: {' '.join(todo)} Until then: {NAMES[made.meanwhile]}."
    return {
        "approach": made.approach,
        "probability": round(first.probability, 4),
        "meanwhile": made.meanwhile,
        "sentence": sentence,
        "first": todo,
    }


def caveats(made: Recommendation, known: Mapping[str, str | None], estimates: Mapping[str, Any] | None) -> list[str]:
    """Return what stands between a recommendation to train and training: gates nobody answered, and the cost."""
    if made.approach not in ("tune", "rag_tune"):
        return []
    told = []
    asked = {one.key: one for one in questions()}
    if opened := [
        asked[key].text for key in TRAINING_GATES if known.get(key) is None and not asked[key].skipped(known)
    ]:
        told.append(f"Before training, find out: {' '.join(opened)}")
    evens = [even for even in (estimates or {}).get("break_even", ()) if even["trained"] == made.approach]
    if evens and evens[0]["status"] != "yes":
        told.append(f"By cost alone training {_repaid(evens[0], estimates or {})}; put in your own figures.")
    return told


def _repaid(even: Mapping[str, Any], estimates: Mapping[str, Any]) -> str:
    if even["requests"] is None:
        return "never repays, since a request to the trained model costs no less"
    months = even["months"]
    volume = next((one for one in estimates.get("assumptions", ()) if one["name"] == "requests_per_month"), None)
    whose = "" if volume is None or volume["origin"] == "answer" else "an assumed "
    assumed = "" if volume is None else f" at {whose}{volume['value']:,.0f} requests a month"
    if months is None:
        return f"{'may never repay' if even['status'] == 'unclear' else 'never repays'}{assumed}"
    return f"isn't sure to repay in time: it takes about {months['middle']:,.0f} months{assumed}"


def _option(option: Option) -> dict[str, Any]:
    weights = [("for", weight) for weight in option.reasons_for]
    weights += [("against", weight) for weight in option.reasons_against]
    return {
        "approach": option.approach,
        "name": NAMES[option.approach],
        "probability": round(option.probability, 4),
        "reasons": [_weight(direction, weight) for direction, weight in weights],
    }


def _weight(direction: str, weight: Weight) -> dict[str, Any]:
    return {
        "direction": direction,
        "answers": dict(weight.answers),
        "points": round(weight.points, 2),
        **_reason(weight.reason),
    }


def _reason(reason: Reason) -> dict[str, Any]:
    source = None if reason.source is None else asdict(reason.source)
    return {"text": reason.text, "figure": reason.figure, "source": source}


def _flip(flip: Flip) -> dict[str, Any]:
    return {"changes": dict(flip.changes), "approach": flip.approach, "probability": round(flip.probability, 4)}


def _unknown(unknown: Unknown) -> dict[str, Any]:
    return {
        "key": unknown.question.key,
        "question": unknown.question.text,
        "decides": unknown.decides,
        "could_be": dict(unknown.could_be),
        "how": unknown.question.find_out,
    }


def _case(case: Case, known: Mapping[str, str]) -> dict[str, Any]:
    both = [key for key in case.answers if key in known]
    alike = [key for key in both if case.answers[key] == known[key]]
    return asdict(case) | {"alike": alike, "unlike": [key for key in both if key not in alike]}


def _answers(answers: Mapping[str, str], measured: Mapping[str, str]) -> dict[str, Any]:
    known = relevant(answers)
    listed: dict[str, Any] = {}
    for question in questions():
        value = known.get(question.key)
        if question.skipped(known):
            origin = "skipped"
        elif value is None:
            origin = "unknown"
        else:
            origin = "measured" if question.key in measured else "said"
        listed[question.key] = {
            "question": question.text,
            "value": value,
            "text": None if value is None else question.options[value],
            "options": dict(question.options),
            "origin": origin,
            "note": measured.get(question.key),
        }
    return listed
