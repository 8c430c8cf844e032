"""What the built-in model can do, measured on names, labels, words and wordings that its training never saw.

Every ability is asked through the engine, as a task would ask it; an answer counts when it equals the expected
one as a whole.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evals.errors import UsageError
from evals.protocols import LanguageModel, Limits, ProgressHook, no_progress
from finetune import world_formats, world_labels, world_reading
from finetune.world_formats import (
    FORMS,
    as_colons,
    as_json,
    as_lines,
    as_pairs,
    as_row,
    as_sentence,
    as_words,
    rewriting_by_rule,
    rewriting_by_shots,
)
from finetune.world_labels import sorting_by_rule, sorting_by_shots
from finetune.world_lesson import Lesson
from finetune.world_reading import UNKNOWN, reading
from finetune.world_words import Words

ANSWER_TOKENS = 120


@dataclass(frozen=True, slots=True)
class Ability:
    """One ability: what was asked, the share of ``rows`` answered right, and the share aimed for (0 to 1).

    With ``at_most`` the goal is to stay at or below it.
    """

    name: str
    score: float
    goal: float
    rows: int
    errors: int = 0
    at_most: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is met."""
        return self.score <= self.goal if self.at_most else self.score >= self.goal


@dataclass(frozen=True, slots=True)
class AbilityTest:
    """How one ability is tested: a maker of lessons, of which the first question is asked, and what is right.

    Without ``right`` an answer counts when it is the lesson's.
    """

    name: str
    goal: float
    make: Callable[[Words], Lesson]
    right: Callable[[str, Lesson], bool] | None = None

    @property
    def exact(self) -> bool:
        """Whether an answer counts when it is the lesson's, as a whole."""
        return self.right is None

    def passed(self, text: str, lesson: Lesson) -> bool:
        """Tell whether ``text`` counts as right."""
        return text == lesson.answer if self.right is None else self.right(text, lesson)


ONE = world_reading.Shape((2, 2), (3, 3), generic=0.5, asked=1)
FIVE = world_reading.Shape((5, 5), (4, 6), spread=True, alike=1.0, generic=0.5, asked=1)
ABSENT = replace(ONE, unknown=1.0, answered=False)
PRESENT = replace(ONE, warned=1.0)
LABELS = world_labels.Shape((4, 4), (16, 16), (1, 2), (1, 5), sentences=0.3)
FORMATS = world_formats.Shape(
    (3, 3),
    (4, 4),
    0.0,
    tuple(form for form in FORMS if form.write in (as_json, as_sentence, as_row)),
    sources=(as_colons, as_pairs, as_lines, as_words),
    picks=0.0,
)

TESTS = (
    AbilityTest("read one passage of 6 facts", 0.95, lambda words: reading(words, ONE)),
    AbilityTest("read 5 passages about similar names", 0.85, lambda words: reading(words, FIVE)),
    AbilityTest("say unknown when the passage doesn't tell", 0.90, lambda words: reading(words, ABSENT)),
    AbilityTest(
        "not say unknown when it does", 0.90, lambda words: reading(words, PRESENT), lambda text, _: text != UNKNOWN
    ),
    AbilityTest("sort by 16 shots into 4 invented labels", 0.80, lambda words: sorting_by_shots(words, LABELS)),
    AbilityTest("rewrite records by 4 shots", 0.90, lambda words: rewriting_by_shots(words, FORMATS)),
    AbilityTest("read by instruction, no shots", 0.70, lambda words: reading(words, replace(ONE, warned=0.5))),
    AbilityTest("sort by a rule in the instruction", 0.70, lambda words: sorting_by_rule(words, LABELS)),
    AbilityTest("rewrite by instruction, no shots", 0.70, lambda words: rewriting_by_rule(words, FORMATS)),
)
"""Goals are the project's own for the built-in model; its card tells which it reaches."""


def measure_abilities(
    model: LanguageModel, *, rows: int = 200, seed: int = 0, progress: ProgressHook = no_progress
) -> list[Ability]:
    """Ask ``model`` ``rows`` questions for each ability; equal seeds ask equal questions.

    Rows that the model couldn't answer (too long a prompt, say) are counted as errors and left out of the score.
    Raises ``UsageError`` when ``rows`` is below 1.
    """
    if rows < 1:
        raise UsageError(f"abilities are measured on at least 1 row each, not {rows}")
    measured = []
    for number, test in enumerate(TESTS):
        progress("abilities", number, len(TESTS))
        lessons = [lesson_for(test, f"{seed}/{index}") for index in range(rows)]
        answers = model.generate([lesson.prompt for lesson in lessons], Limits(ANSWER_TOKENS))
        given = [(answer.text, lesson) for answer, lesson in zip(answers, lessons, strict=True) if answer.error is None]
        right = sum(test.passed(text.strip(), lesson) for text, lesson in given)
        measured.append(Ability(test.name, right / max(1, len(given)), test.goal, rows, rows - len(given)))
    progress("abilities", len(TESTS), len(TESTS))
    return measured


def lesson_for(test: AbilityTest, seed: str) -> Lesson:
    """Return the lesson of ``test`` that belongs to ``seed``; no training text has its invented words."""
    return test.make(Words(random.Random(f"abilities/{test.name}/{seed}"), held_out=True))


def as_markdown(abilities: Sequence[Ability]) -> str:
    """Return the table of the model card."""
    lines = ["| ability | measured | goal | rows |", "|---|---|---|---|"]
    for one in abilities:
        sign = "≤" if one.at_most else "≥"
        lines.append(f"| {one.name} | {one.score:.1%} | {sign} {one.goal:.0%} | {one.rows - one.errors} |")
    return "\n".join(lines)
