"""What training broke, in sentences (``results["forgetting"]``)."""

from collections.abc import Mapping
from typing import Any

from reports.sentences import Sentence
from reports.wording import difference_range, percent, plural, signed


def forgetting_sentences(results: Mapping[str, Any]) -> list[Sentence]:
    """Return a sentence for each tuned arm; none when no general questions were asked."""
    return [said for said, _ in forgetting_pairs(results)]


def forgetting_pairs(results: Mapping[str, Any]) -> list[tuple[Sentence, Mapping[str, Any]]]:
    """Return each sentence with the arm's entry that it tells of."""
    told = results["forgetting"]
    return [] if told is None else [(_sentence(told, arm), arm) for arm in told["arms"]]


def _sentence(told: Mapping[str, Any], arm: Mapping[str, Any]) -> Sentence:
    names = {"arm": arm["name"]}
    if arm["failure"] is not None:
        return Sentence("{arm}: the general questions couldn't be asked ({cause}).", names | {"cause": arm["failure"]})
    if arm["difference"] is None:
        return Sentence("{arm}: no general question was answered both before and after.", names)
    asked = plural(told["questions"], "general question")
    before = arm.get("before", told["before"])
    if before == 0 and arm["after"] == 0:
        return Sentence(f"{{arm}} had nothing to forget: before training too, none of {asked} was right.", names)
    scores = f"{percent(before)} of {asked} right before training, {percent(arm['after'])} after"
    gap = f"{signed(arm['difference'])} points ({difference_range(arm['low'], arm['high'])})"
    if arm["high"] < 0:
        opening = "{arm} forgot"
    elif arm["low"] > 0:
        opening = "{arm} gained on general questions too"
    else:
        opening = "{arm} shows no loss that these questions could prove"
    return Sentence(f"{opening}: {scores}, {gap}.", names)
