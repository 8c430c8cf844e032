"""Data readiness: have, need and how to get there, from the answers and from what was counted."""

from collections.abc import Mapping

from advisor.data_needs import data_needs
from advisor.data_places import PLACES
from advisor.quality import (
    copies_item,
    definition_item,
    format_item,
    made_up_item,
    noise_item,
    overlap_item,
    personal_item,
    rights_item,
)
from advisor.quantity import balance_item, eval_item, examples_item, rarest_item
from advisor.questions import relevant
from advisor.readiness_item import ReadinessItem

__all__ = ["ReadinessItem", "readiness"]


def readiness(
    answers: Mapping[str, str], figures: Mapping[str, float] | None = None, minimum_gain: float = 0.03
) -> list[ReadinessItem]:
    """Return what the data still need for a fair comparison with a trained model.

    ``figures`` may hold what was counted, which goes before the answers: ``rows``, ``rarest_label``, ``eval_rows``,
    ``exact_duplicates``, ``near_duplicates``, ``overlap`` (eval rows in train), ``imbalance`` (most frequent label
    over the rarest), and the shares ``noise``, ``made_up`` and ``discordant``; other keys are left alone.
    ``minimum_gain`` is the gain that matters (0.03: 3 points). Raises ``UsageError`` for a figure or gain that is none.
    """
    known, counted = relevant(answers), figures or {}
    needs = data_needs(known, counted, minimum_gain)
    examples = examples_item(known, counted, needs)
    items = [examples]
    if _has_labels(known, counted):
        items += [rarest_item(known, counted, needs), balance_item(counted)]
    items += [
        eval_item(known, counted, needs, minimum_gain),
        noise_item(needs),
        copies_item(known, counted),
        overlap_item(known, counted),
        definition_item(known),
        format_item(known, counted),
        made_up_item(known, counted),
        rights_item(known),
        personal_item(known),
    ]
    if examples.ok is not True:
        items.append(_more(examples))
    return items


def _has_labels(answers: Mapping[str, str], figures: Mapping[str, float]) -> bool:
    """Whether labels are what is asked for, or may be."""
    if "rarest_label" in figures or "imbalance" in figures or answers.get("task") == "sorting":
        return True
    return answers.get("output") == "label" or "rarest" in answers


def _more(examples: ReadinessItem) -> ReadinessItem:
    how = "\n".join(place.sentence for place in PLACES)
    return ReadinessItem("Where to get more", examples.have, examples.need, how, examples.ok)
