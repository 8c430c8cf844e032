"""What a report says of the advice that was given before the run."""

from collections.abc import Mapping
from typing import Any

from reports.advice_wording import with_chance
from reports.sentences import Sentence
from reports.wording import shown

NAMES = {
    "classic": "a classic method, no language model",
    "prompt": "prompting alone",
    "rag": "retrieval",
    "tune": "fine-tuning",
    "rag_tune": "retrieval and fine-tuning together",
    "not_ready": "to do something else first",
}
HELD = {True: "The advice held", False: "The advice didn't hold", "undecided": "Undecided whether the advice held"}


def advice_sentences(results: Mapping[str, Any]) -> list[str | Sentence]:
    """Return what was advised and whether it held, or which command would have said so."""
    advice = results.get("advice")
    if not advice:
        commands = "`tuneworthy advise --out advice` gives one, `tuneworthy run TASK --advice advice/advice.json`"
        return [Sentence(f"No advice was given with this run: {commands} compares it with what was measured.")]
    recommended = NAMES.get(advice["recommended"], shown(str(advice["recommended"])))
    said = f"Recommended before the run: {recommended}, {with_chance(advice['probability'])}."
    if advice.get("same_data") is False:
        said += " It counted other rows than those that this run learnt from."
    return [said, f"{HELD.get(advice['agreed'], HELD['undecided'])}. {advice['reason']}"]
