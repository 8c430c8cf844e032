"""Advice for the tests of its page: made from answers, and made hostile."""

import copy

from advisor.advice import advise

SORTING = {
    "task": "sorting",
    "labels_meaning": "own",
    "examples": "thousands",
    "base": "strong",
    "prompting": "tried",
    "eval_set": "enough",
    "knowledge": "none",
}
UNREADY = {
    "task": "style",
    "examples": "thousands",
    "eval_set": "none",
    "definition": "neither",
    "volume": "high",
    "labels_meaning": "own",
    "knowledge": "none",
    "prompting": "tried",
}
DOCUMENTS = {"task": "documents", "knowledge": "weekly", "corpus": "large", "citations": "yes", "rights": "no"}
ANSWERS = {"sorting": SORTING, "unready": UNREADY, "documents": DOCUMENTS, "nothing": {}}

ESTIMATES = {
    "currency": "EUR",
    "memory": [
        {"memory": {"method": "lora", "total": 26.180185}, "fits": True},
        {"memory": {"method": "full", "total": 127.81}, "fits": False},
    ],
    "labelling": {"examples_missing": 550, "examples_cost": 1320.0},
    "break_even": [
        {
            "trained": "tune",
            "requests": {"low": 2678288.9, "middle": 5356577.8, "high": 10713155.5},
            "months": None,
            "status": "never",
        }
    ],
    "routes": [{"name": "from_scratch", "consider": False, "sentences": ["Too few tokens."], "sources": ["arXiv 1"]}],
    "notes": [],
    "assumptions": [
        {"name": "gpu.per_hour", "value": 2.5, "unit": "EUR per hour", "origin": "example prices"},
        {"name": "training.checkpointing", "value": True, "unit": "", "origin": "answer"},
    ],
}
READINESS = [
    {
        "topic": "Training rows",
        "have": 412,
        "need": 1000,
        "how": "Label 588 more, then `tuneworthy advise`.",
        "ok": False,
    },
    {"topic": "Eval rows", "have": "1,204", "need": "100", "how": None, "ok": True},
    {"topic": "Agreement", "have": None, "need": 0.95, "how": "Let two people label.", "ok": None},
]
PLAN = [{"step": "Run `tuneworthy run TASK`.", "why": "It measures the gain."}, {"step": "Look at it.", "why": None}]


def full_advice():
    """Return an advice in which every part is there, one case from memory included."""
    advice = advise(SORTING, {"examples": "4,120 rows, 9 copies left out"}, estimates=ESTIMATES, readiness=READINESS)
    advice["plan"] = PLAN
    advice["cases"][0] |= {"memory": True, "results": {"zero_shot": 0.829, "odd_arm": 1.0}}
    return copy.deepcopy(advice)


def twisted(value, twist, key=""):
    """Return ``value`` with ``twist`` applied to each text in it, keys of the user's kind included."""
    if isinstance(value, str):
        return value if key in ("direction", "kind") else twist(value)
    if isinstance(value, list):
        return [twisted(one, twist) for one in value]
    if not isinstance(value, dict):
        return value
    free = key in ("answers", "changes", "could_be", "results", "options")
    return {(twist(name) if free else name): twisted(one, twist, name) for name, one in value.items()}
