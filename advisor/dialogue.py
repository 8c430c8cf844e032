"""The dialogue of ``tuneworthy advise`` as a state: which question comes next, and what each step does to it.

Nothing here reads a key or writes a line. The terminal (``dialogue_keys``, ``dialogue_lines``) shows a state, and
every step returns a new one, so that going back is going back to the state before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from advisor.questions import Question, questions, relevant, unanswered


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Answers so far (key → option; None: asked, and not known) and what is being asked.

    ``later`` are questions put off in this sitting, ``editing`` one that is asked again from the summary, ``former``
    what was answered before going back. With no ``question`` left the dialogue is at its summary.
    """

    answers: Mapping[str, str | None] = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    editing: str | None = None
    end: Literal["", "advice", "quit"] = ""
    former: Mapping[str, str | None] = field(default_factory=dict, compare=False, repr=False)
    before: "Dialogue | None" = field(default=None, compare=False, repr=False)

    @property
    def question(self) -> Question | None:
        """The question that is being asked; None at the summary."""
        if self.editing is not None:
            return next(question for question in questions() if question.key == self.editing)
        return next((question for question in unanswered(self.answers) if question.key not in self.later), None)

    @property
    def asked(self) -> list[Question]:
        """The questions that the answers so far leave a meaning, in order."""
        kept = relevant(self.answers)
        return [question for question in questions() if not question.skipped(kept)]

    @property
    def number(self) -> int:
        """Which of the asked questions the present one is, from 1; at the summary their number."""
        question = self.question
        return self.asked.index(question) + 1 if question else self.total

    @property
    def total(self) -> int:
        """How many questions there are as things stand; answers can make it fewer."""
        return len(self.asked)

    @property
    def last_choice(self) -> int | None:
        """Where in ``choices`` the answer stands that this question had before; None where it had none."""
        question = self.question
        given = {**self.former, **self.answers}
        if question is None or question.key not in given:
            return None
        return choices(question).index(given[question.key])

    def answer(self, option: str | None) -> "Dialogue":
        """Answer the present question (None: not known); answers that lose their meaning go."""
        question = self.question
        if question is None or option not in choices(question):
            raise ValueError(f"no answer to {question.key if question else 'the summary'}: {option!r}")
        answers = relevant({**self.answers, question.key: option})
        return replace(
            self,
            answers=answers,
            later=self.later - {question.key},
            editing=None,
            former={**self.former, **self.answers},
            before=self,
        )

    def skip(self) -> "Dialogue":
        """Leave the present question open for another sitting; one that is edited stays as it was."""
        question = self.question
        if question is None or self.editing is not None:
            return self.back() if self.editing is not None else self
        return replace(self, later=self.later | {question.key}, before=self)

    def back(self) -> "Dialogue":
        """Undo the last step, or, where this sitting has none, ask the question before the present one again."""
        former = {**self.former, **self.answers}
        if self.before is not None:
            return replace(self.before, former=former)
        number = self.number if self.question is None else self.number - 1
        given = [question.key for question in self.asked[:number] if question.key in self.answers]
        if not given:
            return self
        kept = {key: value for key, value in self.answers.items() if key != given[-1]}
        return replace(self, answers=relevant(kept), former=former)

    def edit(self, key: str) -> "Dialogue":
        """Ask one of the asked questions again; its answer stays until there is another."""
        if key not in {question.key for question in self.asked}:
            raise ValueError(f"{key} isn't asked")
        return replace(self, editing=key, before=self)

    def finish(self) -> "Dialogue":
        """Go on to the advice; whatever is open counts as unknown."""
        return replace(self, end="advice", editing=None)

    def quit(self) -> "Dialogue":
        """Stop for now."""
        return replace(self, end="quit")


def choices(question: Question) -> list[str | None]:
    """Return the options of a question in the order shown, with "don't know" (None) last."""
    return [*question.options, None]
