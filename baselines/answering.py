"""From a task to a model's answers: the instruction, the limits of an answer, and one prediction per row.

Every arm that asks a language model goes through here, so that all of them ask in the same words and
label tasks are always answered by likelihood over the labels, everything else by greedy generation.
"""

import random
import re
from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from evals.example import Example, Prompt
from evals.protocols import Choice, Generation, LanguageModel, Limits, Prediction, Retrieved
from evals.task import Task

Facts = dict[str, str | int | float | bool | None]
"""What an arm tells the report, as ``evals.protocols.FitReport`` holds it."""

SAMPLED_TARGETS = 2_000
"""Up to this many training answers are measured in tokens; of more, a seeded sample."""

LONGEST_TARGETS = 50
"""That many answers, the longest by characters, join the sample."""

WRITTEN_LABEL_TOKENS = 32
"""A label that is written has this room at least: a chat model says a few words around it."""

SPECIAL_TOKENS = 2
"""Room for the begin and end tokens, which ``count_tokens`` leaves out."""


@runtime_checkable
class ScoresLabelEnds(Protocol):
    """A model that may score labels with their ends, as ``baselines.local_model.LocalModel`` does."""

    def labels_need_end(self, labels: Sequence[str]) -> bool:
        """Tell whether ``choose`` does so for ``labels``."""
        ...


@runtime_checkable
class KeepsPrefix(Protocol):
    """A model that keeps the computed prefix of its prompts between calls."""

    def forget_prefix(self) -> None:
        """Drop it."""
        ...

    def serve(self, *, on: bool) -> None:
        """Let single requests use it, or not."""
        ...


@runtime_checkable
class AnswersFromAfar(Protocol):
    """A model on a server, as ``baselines.endpoint_model.EndpointModel``: not everything can be had of it."""

    def why_written(self, labels: Sequence[str]) -> str | None:
        """Return why labels are written and read out of the answer, not chosen by likelihood; None where they are."""
        ...

    def how_counted(self) -> str:
        """Return how its tokens are counted."""
        ...

    def draw(self, seed: int) -> None:
        """Draw the next answers for ``seed``, where the task's ``parameters`` leave them to chance."""
        ...


def writes_labels(model: LanguageModel, task: Task) -> bool:
    """Tell whether ``task`` has labels and ``model`` has to write them."""
    return task.answer == "label" and isinstance(model, AnswersFromAfar) and model.why_written(task.labels) is not None


def serve(model: LanguageModel | None, *, on: bool) -> None:
    """Let ``model`` answer single requests as a server does, from what earlier ones have left, or not."""
    if isinstance(model, KeepsPrefix):
        model.serve(on=on)


def cool(model: LanguageModel | None) -> None:
    """Make ``model`` start the next call from nothing but its weights, where it keeps more than them."""
    if isinstance(model, KeepsPrefix):
        model.forget_prefix()


def task_instruction(task: Task, addition: str = "") -> str:
    """Return what the model is told to do on ``task``.

    It's the user's instruction, then ``addition`` (a sentence of the arm's own), and for label tasks a
    line ``Labels: a, b, c``, unless the user's instruction already names every label.
    """
    instruction = f"{task.instruction.strip()} {addition}".strip()
    if task.answer == "label" and not all(_names(task.instruction, label) for label in task.labels):
        instruction += f"\nLabels: {', '.join(task.labels)}"
    return instruction


def answer_limits(task: Task, count_tokens: Callable[[str], int], least: int = 0) -> Limits:
    """Return how long a generated answer to ``task`` may get, in the tokens that ``count_tokens`` counts.

    The user's ``generate.max_new_tokens`` wins. Without it, the longest training answer plus a tenth (at
    least 4 tokens, which hold the end token too) and no less than ``least``, never more than
    ``generate.max_new_tokens_cap``.
    """
    settings = task.settings.generate
    if settings.max_new_tokens is not None:
        return Limits(settings.max_new_tokens)
    targets = sorted({row.target for row in task.train}, key=lambda text: (-len(text), text))
    if len(targets) > SAMPLED_TARGETS:
        rest = targets[LONGEST_TARGETS:]
        targets = targets[:LONGEST_TARGETS] + random.Random(0).sample(rest, SAMPLED_TARGETS - LONGEST_TARGETS)
    longest = max((count_tokens(target) for target in targets), default=0)
    return Limits(min(max(least, longest + max(4, longest // 10)), settings.max_new_tokens_cap))


def answering_facts(model: LanguageModel, task: Task, limits: Limits) -> Facts:
    """Return what a report should say about how ``answer_with_model`` answers ``task``: nothing, mostly."""
    afar: Facts = {"tokens": model.how_counted()} if isinstance(model, AnswersFromAfar) else {}
    if task.answer != "label":
        return afar | cut_facts(task, model.count_tokens, limits)
    if isinstance(model, AnswersFromAfar):
        why = model.why_written(task.labels)
        if why is None:
            return afar | {"labels": "chosen by the likelihoods that the endpoint tells (echo and logprobs)"}
        told = f"written and read out of the answer: {why}"
        return afar | {"labels": told, "max_new_tokens": limits.max_new_tokens}
    scored = isinstance(model, ScoresLabelEnds) and model.labels_need_end(task.labels)
    return {"label_end": "scored, since one label begins another"} if scored else {}


def cut_facts(task: Task, count_tokens: Callable[[str], int], limits: Limits) -> Facts:
    """Return ``answers_cut``, which says how many training answers are longer than ``limits``, if there are any.

    Of very many long answers a seeded sample is counted, and the number is "about" so many.
    """
    limit, settings = limits.max_new_tokens, task.settings.generate
    # A text has hardly more tokens than bytes; only what may be too long is counted.
    long = [row.target for row in task.train if len(row.target.encode("utf-8", "surrogatepass")) >= limit]
    sample = random.Random(0).sample(long, SAMPLED_TARGETS) if len(long) > SAMPLED_TARGETS else long
    longer = sum(count_tokens(target) > limit for target in sample)
    if not longer:
        return {}
    about, number = ("about ", longer * len(long) // len(sample)) if len(sample) < len(long) else ("", longer)
    capped = settings.max_new_tokens is None and limit == settings.max_new_tokens_cap
    return {
        "answers_cut": f"{about}{number} of {len(task.train)} training answers are longer than the {limit} tokens "
        f"an answer may have; raise generate.{'max_new_tokens_cap' if capped else 'max_new_tokens'}"
    }


def answer_room(model: LanguageModel, task: Task, limits: Limits) -> int:
    """Return the tokens of the context that the answer needs: the longest label, or ``limits``."""
    if task.answer == "label" and not writes_labels(model, task):
        return max((model.count_tokens(f" {label}") for label in task.labels), default=0)
    return limits.max_new_tokens


def fits_context(model: LanguageModel, prompt: Prompt, answer_tokens: int) -> bool:
    """Tell whether ``prompt`` and an answer of ``answer_tokens`` stay inside the model's context."""
    return model.count_tokens(model.render(prompt)) + answer_tokens + SPECIAL_TOKENS <= model.context


def answer_with_model(
    model: LanguageModel,
    task: Task,
    examples: Sequence[Example],
    prompts: Sequence[Prompt],
    limits: Limits,
    retrieved: Sequence[tuple[Retrieved, ...]] | None = None,
) -> list[Prediction]:
    """Answer each example with ``model``; ``prompts`` (and ``retrieved``) stand in the order of ``examples``.

    Label tasks are answered by the label with the largest summed log-likelihood; the length-normalised
    choice is kept beside it. A row's error is carried in its prediction. Raises ``ValueError`` when the
    lengths differ.
    """
    if task.answer != "label" or writes_labels(model, task):
        return generate_with_model(model, examples, prompts, limits, retrieved)
    choices = model.choose(prompts, task.labels)
    return [
        _chosen(example, choice, found)
        for example, choice, found in zip(examples, choices, _found(examples, retrieved), strict=True)
    ]


def generate_with_model(
    model: LanguageModel,
    examples: Sequence[Example],
    prompts: Sequence[Prompt],
    limits: Limits,
    retrieved: Sequence[tuple[Retrieved, ...]] | None = None,
    answer_part: Callable[[str], str] | None = None,
) -> list[Prediction]:
    """Answer each example with generated text, whatever the kind of answer.

    ``answer_part`` cuts the answer out of the generated text where that text holds more than it. A row's
    error is carried in its prediction. Raises ``ValueError`` when the lengths differ.
    """
    generations = model.generate(prompts, limits)
    return [
        _generated(example, generation, found, answer_part)
        for example, generation, found in zip(examples, generations, _found(examples, retrieved), strict=True)
    ]


def _names(instruction: str, label: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(label)}(?!\w)", instruction) is not None


def _found(
    examples: Sequence[Example], retrieved: Sequence[tuple[Retrieved, ...]] | None
) -> Sequence[tuple[Retrieved, ...]]:
    return [()] * len(examples) if retrieved is None else retrieved


def _chosen(example: Example, choice: Choice, found: tuple[Retrieved, ...]) -> Prediction:
    failed = choice.error is not None
    return Prediction(
        id=example.id,
        raw="" if failed else choice.by_sum,
        prompt=choice.prompt,
        choice_by_mean=None if failed else choice.by_mean,
        prompt_tokens=choice.prompt_tokens,
        completion_tokens=choice.completion_tokens,
        ms=choice.ms,
        retrieved=found,
        error=choice.error,
        cached=choice.cached,
        cached_tokens=choice.cached_tokens,
    )


def _generated(
    example: Example, generation: Generation, found: tuple[Retrieved, ...], answer_part: Callable[[str], str] | None
) -> Prediction:
    return Prediction(
        id=example.id,
        raw=generation.text,
        prompt=generation.prompt,
        answer=answer_part(generation.text) if answer_part and generation.error is None else None,
        prompt_tokens=generation.prompt_tokens,
        completion_tokens=generation.completion_tokens,
        ms=generation.ms,
        retrieved=found,
        error=generation.error,
        cut=generation.cut,
        cached=generation.cached,
        cached_tokens=generation.cached_tokens,
    )
