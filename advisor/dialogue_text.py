"""The words of the dialogue, laid out for a width: the same ones for arrow keys and for plain lines."""

import textwrap

from advisor.dialogue import Dialogue, choices
from advisor.questions import Question

WIDEST = 100
"""Columns that a line has at most: longer ones are hard to read."""

INDENT = 6

NOT_KNOWN = "don't know"
LEFT_OPEN = "(left open)"
GO_ON = "that's all: show the advice"


def wrapped(text: str, width: int, first: str = "", later: str = "") -> str:
    """Return ``text`` broken at words, with ``first`` before the first line and ``later`` before the others."""
    width = max(20, min(width, WIDEST))
    return textwrap.fill(text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)


def item(number: int, text: str, width: int, mark: str = " ") -> str:
    """Return a numbered line of a list, marked where it is the chosen one."""
    return wrapped(text, width, f"{mark} {number:>2}  ", " " * INDENT)


def progress(dialogue: Dialogue) -> str:
    """Return how far the dialogue is."""
    if dialogue.editing is not None:
        return f"question {dialogue.number}, once more"
    return f"question {dialogue.number} of about {dialogue.total}"


def option_texts(question: Question) -> list[str]:
    """Return the texts of the answers in the order of ``choices``."""
    return [_answer(question, option) for option in choices(question)]


def explanation(question: Question, width: int) -> str:
    """Return what ``?`` shows: an example, and how an unknown answer can be found out."""
    return "\n".join(
        [
            wrapped(question.example, width, "For example: ", "  "),
            wrapped(question.find_out, width, "To find out: ", "  "),
        ]
    )


def record(dialogue: Dialogue, after: Dialogue, width: int) -> str:
    """Return the line that stays when a question has been dealt with."""
    question = dialogue.question
    if question is None or after.end:
        return ""
    if after is dialogue:
        return "This is the first question."
    if after.before is not dialogue:
        return f"back to question {after.number}" if after.question else "back to your answers"
    said = _said(after, question)
    return f"{dialogue.number:>2}  {_cut(question.text, max(12, min(width, WIDEST) - len(said) - 6))}  {said}"


def summary_lines(dialogue: Dialogue, width: int) -> list[str]:
    """Return one line for each asked question, its text and its answer, cut so that ``item`` doesn't break it."""
    width = min(width, WIDEST) - INDENT
    answers = [_said(dialogue, question) for question in dialogue.asked]
    right = max(12, min(max(len(answer) for answer in answers), width * 52 // 100))
    left = max(12, width - right - 2)
    return [
        f"{_cut(question.text, left):<{left}}  {_cut(answer, right)}"
        for question, answer in zip(dialogue.asked, answers, strict=True)
    ]


def left_out(dialogue: Dialogue, every: int) -> str:
    """Return a sentence on the questions, of ``every`` there are, that other answers made meaningless."""
    count = every - dialogue.total
    if not count:
        return "Every question had a meaning here."
    return f"{count} more {'question has' if count == 1 else 'questions have'} no meaning here, given these answers."


def _said(dialogue: Dialogue, question: Question) -> str:
    return _answer(question, dialogue.answers[question.key]) if question.key in dialogue.answers else LEFT_OPEN


def _answer(question: Question, option: str | None) -> str:
    return NOT_KNOWN if option is None else question.options[option]


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 3].rstrip() + "..."
