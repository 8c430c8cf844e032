"""What training broke, in sentences (``results["forgetting"]``)."""

from collections.abc import Mapping
from typing import Any

from reports.sentences import Sentence
from reports.wording import difference_range, percent, plural, signed


def forgetting_sentences(results: Mapping[str, Any]) -> list[Sentence]:
    """Return a sentence for each tuned arm; none when no general questions were asked."""
    told = results["forgetting"]
    if told is None:
        return []
    return [_sentence(told, arm) for arm in told["arms"]]


def _sentence(told: Mapping[str, Any], arm: Mapping[str, Any]) -> Sentence:
    asked = plural(told["questions"], "general question")
    scores = f"{percent(told['before'])} before training, {percent(arm['after'])} after"
    if arm["difference"] is None:
        return Sentence("{arm}: no general question was answered both before and after.", {"arm": arm["name"]})
    gap = f"{signed(arm['difference'])} points ({difference_range(arm['low'], arm['high'])})"
    if arm["high"] < 0:
        opening = "{arm} forgot"
    elif arm["low"] > 0:
        opening = "{arm} gained on general questions too"
    else:
        opening = "{arm} shows no loss that these questions could prove"
    return Sentence(f"{opening}: of {asked} right {scores}, {gap}.", {"arm": arm["name"]})
