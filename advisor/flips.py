"""What would change the recommendation: other answers, and answers that aren't known yet."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, product

from advisor.questions import Question, questions, relevant, unanswered
from advisor.recommend import recommend
from advisor.scorecard import Scorecard

SHOWN = 5

ORDERED = frozenset(
    {
        "eval_set",
        "definition",
        "prompting",
        "knowledge",
        "corpus",
        "gap",
        "examples",
        "rarest",
        "noise",
        "volume",
        "team",
    }
)
"""Questions whose options stand in an order, so that one is nearer to another."""


@dataclass(frozen=True, slots=True)
class Flip:
    """Changes of answers (key → option) after which ``approach`` comes first, with its probability."""

    changes: Mapping[str, str]
    approach: str
    probability: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """An open question; ``could_be`` maps its options to what would be recommended.

    ``swing`` is how far at most the first choice's probability moves, ``decides`` whether any answer changes the
    first choice.
    """

    question: Question
    could_be: Mapping[str, str]
    swing: float
    decides: bool


def flips(answers: Mapping[str, str], card: Scorecard | None = None) -> list[Flip]:
    """Return the smallest changes of given answers that change the first choice: one answer, else two.

    At most five, the smallest steps first, then the surest of the new choices; one for each question or pair of
    questions. Where options have an order, a change to a neighbour is smaller than one across.
    """
    first = recommend(answers, card).approach
    known = relevant(answers)
    asked = [question for question in questions() if question.key in known]
    for size in (1, 2):
        found = []
        for together in combinations(asked, size):
            best: Flip | None = None
            others = [[value for value in question.options if value != known[question.key]] for question in together]
            for values in product(*others):
                changes = {question.key: value for question, value in zip(together, values, strict=True)}
                made = recommend({**known, **changes}, card)
                share = made.options[0].probability
                flip = Flip(changes, made.approach, share)
                if made.approach != first and (best is None or _size(flip, known) < _size(best, known)):
                    best = flip
            if best is not None:
                found.append(best)
        if found:
            return sorted(found, key=lambda flip: _size(flip, known))[:SHOWN]
    return []


def _size(flip: Flip, known: Mapping[str, str | None]) -> tuple[int, float]:
    """Return how large a change is, as a key to sort by: its steps, then how unsure it leaves the new choice."""
    steps = 0
    for question in questions():
        if question.key in flip.changes:
            options = list(question.options)
            before, after = (options.index(str(value)) for value in (known[question.key], flip.changes[question.key]))
            steps += abs(after - before) if question.key in ORDERED else 1
    return steps, -flip.probability


def find_out(answers: Mapping[str, str], card: Scorecard | None = None) -> list[Unknown]:
    """Return the open questions, those first whose answer could change the first choice, then by how much it moves."""
    now = recommend(answers, card)
    known = relevant(answers)
    made = []
    for question in unanswered(answers):
        could_be, swing = {}, 0.0
        for value in question.options:
            then = recommend({**known, question.key: value}, card)
            could_be[value] = then.approach
            share = next((option.probability for option in then.options if option.approach == now.approach), 0.0)
            swing = max(swing, abs(share - now.options[0].probability))
        decides = any(approach != now.approach for approach in could_be.values())
        made.append(Unknown(question, could_be, swing, decides))
    return sorted(made, key=lambda unknown: (not unknown.decides, -unknown.swing))
