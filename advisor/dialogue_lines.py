"""The dialogue in lines: numbered answers for terminals without cursor keys, and plain lines from a pipe.

A line is a number, an option's key, ``?``, ``b``, ``s`` or ``q``; an empty one means "don't know".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal, TextIO

from advisor.dialogue import Dialogue, choices
from advisor.dialogue_text import explanation, item, left_out, option_texts, progress, record, summary_lines, wrapped
from advisor.questions import Question, questions

BACK, SKIP, QUIT, HELP = {"b", "back"}, {"s", "skip", "later"}, {"q", "quit"}, {"?", "help"}


@dataclass(frozen=True)
class LinesAsker:
    """Asks with lines. Where ``piped``, the end of input leaves the rest unknown; else it stops the dialogue."""

    read_from: BinaryIO
    write_to: TextIO
    piped: bool
    columns: Callable[[], int]

    def ask(self, dialogue: Dialogue) -> Dialogue:
        """Show the present question or the summary and return the state after the user's line."""
        question = dialogue.question
        if question is None:
            return self._summary(dialogue)
        self._show(dialogue, question)
        while True:
            line = self._line(f"1-{len(choices(question))}, ? example, b back, s later, q quit; Enter = don't know: ")
            if line is None:
                return dialogue.finish()
            if line.lower() in HELP:
                self.note(explanation(question, self._width))
            elif (option := _option(line, question)) is not False:
                return dialogue.answer(option)
            elif (after := _moved(line, dialogue)) is not None:
                if line.lower() not in QUIT:
                    self.note(record(dialogue, after, self._width))
                return after
            else:
                self.note(f"{line[:40]!r} is no answer here.")

    def note(self, text: str) -> None:
        """Write a line that stays."""
        if text:
            self.write_to.write(text + "\n")
            self.write_to.flush()

    @property
    def _width(self) -> int:
        return self.columns() - 1

    def _show(self, dialogue: Dialogue, question: Question) -> None:
        width = self._width
        lines = ["", wrapped(f"{progress(dialogue).capitalize()}: {question.text}", width)]
        lines.append(wrapped(question.why, width, "Why we ask: ", "  "))
        for place, text in enumerate(option_texts(question)):
            was = " (before)" if place == dialogue.last_choice else ""
            lines.append(item(place + 1, text + was, width))
        self.note("\n".join(lines))

    def _summary(self, dialogue: Dialogue) -> Dialogue:
        asked = dialogue.asked
        lines = ["", "Your answers"]
        lines += [item(place, line, self._width) for place, line in enumerate(summary_lines(dialogue, self._width), 1)]
        self.note("\n".join([*lines, wrapped(left_out(dialogue, len(questions())), self._width)]))
        while True:
            line = self._line(f"Enter for the advice, 1-{len(asked)} to change an answer, b back, q quit: ")
            if not line:
                return dialogue.finish()
            if (number := _number(line)) is not None and 1 <= number <= len(asked):
                return dialogue.edit(asked[number - 1].key)
            if (after := _moved(line, dialogue)) is not None:
                return after
            self.note(f"{line[:40]!r} is none of these.")

    def _line(self, prompt: str) -> str | None:
        """Return the next line without blanks around it, None at the end of piped input."""
        self.write_to.write(prompt)
        self.write_to.flush()
        read = self.read_from.readline()
        line = read.decode("utf-8", "replace").strip()
        if self.piped or not read:
            self.write_to.write(f"{line}\n")  # a terminal shows what is typed by itself
        if not read and not self.piped:
            raise EOFError
        return line if read else None


def _option(line: str, question: Question) -> str | None | Literal[False]:
    """Return the option that a line means, None for "don't know", False where it means none."""
    if not line or line.lower() in {"unknown", "don't know"}:
        return None
    offered = choices(question)
    if (number := _number(line)) is not None:
        return offered[number - 1] if 1 <= number <= len(offered) else False
    return line.lower() if line.lower() in question.options else False


def _number(line: str) -> int | None:
    return int(line) if line.isascii() and line.isdigit() and len(line) < 5 else None


def _moved(line: str, dialogue: Dialogue) -> Dialogue | None:
    word = line.lower()
    if word in BACK:
        return dialogue.back()
    if word in SKIP:
        return dialogue.skip()
    return dialogue.quit() if word in QUIT else None
