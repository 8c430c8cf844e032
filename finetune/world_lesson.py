"""A lesson: one prompt with its answers, as the very text that the engine renders at use."""

from collections.abc import Sequence
from dataclasses import dataclass

from baselines.render import render_input, render_plain
from evals.example import Passage, Prompt, Shot


@dataclass(frozen=True, slots=True)
class Lesson:
    """One generated text to learn from or be tested on.

    ``more`` are further inputs that follow the first answer, in the shape of shots, so that one passage is
    asked many times. ``known`` says for each of the prompt's shots whether its output can be told from what
    stands before it (an earlier shot, the instruction); only those are learnt at full weight.
    """

    kind: str
    prompt: Prompt
    answer: str
    more: tuple[Shot, ...] = ()
    known: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a lesson's text; ``graded`` pieces are answers, after each of which the end token is due."""

    text: str
    graded: bool


def spans(lesson: Lesson) -> list[Span]:
    """Cut a lesson's text into prompt and answer pieces.

    Up to the first answer they join to ``render_plain(lesson.prompt) + " " + lesson.answer``.
    """
    prompt = lesson.prompt
    known = lesson.known or (False,) * len(prompt.shots)
    head, pieces = prompt.instruction.strip(), []
    for shot, graded in zip(prompt.shots, known, strict=True):
        pieces += [Span(f"{head}\n\n{render_input(shot.input)}", False), Span(f" {shot.output.strip()}", graded)]
        head = ""
    rest = render_plain(Prompt("", prompt.input, (), prompt.passages))
    pieces += [Span(head + rest, False), Span(f" {lesson.answer}", True)]
    for shot in lesson.more:
        pieces += [Span(f"\n\n{render_input(shot.input)}", False), Span(f" {shot.output.strip()}", True)]
    return pieces


def text_of(lesson: Lesson) -> str:
    """Return the whole text of a lesson, without end tokens."""
    return "".join(span.text for span in spans(lesson))


def with_more(kind: str, prompt: Prompt, pairs: Sequence[Shot]) -> Lesson:
    """Return the lesson whose first pair is the prompt's own input and answer and whose others follow it."""
    first = pairs[0]
    asked = Prompt(prompt.instruction, first.input, prompt.shots, prompt.passages)
    return Lesson(kind, asked, first.output, tuple(pairs[1:]))


def as_passages(shots: Sequence[Shot]) -> tuple[Passage, ...]:
    """Return ``shots`` as the passages that retrieval makes of training rows where there are no documents."""
    return tuple(
        Passage(f"p{number}", f"d{number}", "", f"{render_input(shot.input)} {shot.output}")
        for number, shot in enumerate(shots)
    )
