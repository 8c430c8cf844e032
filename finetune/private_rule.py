"""Whether a model can be taught: a private rule, learnt by LoRA from rows that tell it only together.

Each text names a thing (its family is private) and says two things of it; the answer is the family's code with
a digit that follows from both together. No shots and no passages could hold the whole rule. The arm that learns
is the one that runs use (``finetune.tune_arms.LoraArm``).
"""

import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from baselines.prompt_arms import ZeroShot
from evals.example import Example
from evals.protocols import Arm, ArmContext, Embedder, LanguageModel, ProgressHook, no_progress
from evals.task import Task
from evals.task_file import Data, TaskFile, Tune
from finetune.abilities import Ability
from finetune.tune_arms import LoraArm
from finetune.world_words import Words

TRAIN_ROWS = 600
BEFORE, AFTER = 0.50, 0.90
EPOCHS = 12.0
INSTRUCTION = "Write the code of the report."
STATES = (("is still under warranty", "is out of warranty"), ("and stands still", "but runs on"))
FRAMES = (
    "The {thing} in {place} {first} {second}.",
    "{place} writes: the {thing} {first} {second}.",
    "Report from {place}: our {thing} {first} {second}, please help.",
)


@dataclass(frozen=True)
class Rule:
    """The hidden rule: the family code of every thing, and the digit of every pair of states."""

    codes: dict[str, str]
    digits: tuple[str, str, str, str]

    def answer(self, thing: str, states: tuple[int, int]) -> str:
        """Return what the rule says of ``thing`` in the two ``states`` (0 or 1 each)."""
        return f"{self.codes[thing]}-{self.digits[2 * states[0] + states[1]]}"


def make_rule(words: Words) -> Rule:
    """Return a rule of six families of three invented things each."""
    rng = words.rng
    codes = words.distinct(lambda: "".join(rng.choice("BCDFGHJKLMNPQRSTVWXZ") for _ in range(2)), 6)
    things = words.distinct(lambda: words.made_up(2, 2), 18)
    digits = ("1", "3", "3", "2") if rng.random() < 0.5 else ("2", "1", "3", "3")
    return Rule({thing: codes[index % 6] for index, thing in enumerate(things)}, digits)


def make_rows(words: Words, rule: Rule, count: int, name: str) -> tuple[Example, ...]:
    """Return ``count`` rows; things, states, places and wordings are drawn independently."""
    rng, rows = words.rng, []
    for index in range(count):
        thing, states = rng.choice(list(rule.codes)), (rng.randrange(2), rng.randrange(2))
        said = [STATES[place][state] for place, state in enumerate(states)]
        text = rng.choice(FRAMES).format(thing=thing, place=words.name(), first=said[0], second=said[1])
        rows.append(Example(f"{name}{index}", text, (rule.answer(thing, states),)))
    return tuple(rows)


def private_rule_task(ref: str, rows: int, seed: int, train_rows: int = TRAIN_ROWS) -> Task:
    """Return the task for the model ``ref``: ``train_rows`` to learn from, ``rows`` to be judged on."""
    words = Words(random.Random(f"private rule/{seed}"), held_out=True)
    rule = make_rule(words)
    settings = TaskFile(
        instruction=INSTRUCTION,
        metric="exact_match",
        data=Data(train="generated"),
        model=ref,
        tune=Tune(epochs=EPOCHS, max_train_tokens=1_000_000),
    )
    return Task(
        name="private-rule",
        settings=settings,
        folder=Path(),
        labels=(),
        train=make_rows(words, rule, train_rows, "t"),
        eval=make_rows(words, rule, rows, "e"),
        documents=(),
        hashes={},
    )


def measure_learning(
    ref: str,
    model: LanguageModel,
    *,
    rows: int = 200,
    seed: int = 0,
    train_rows: int = TRAIN_ROWS,
    progress: ProgressHook = no_progress,
) -> list[Ability]:
    """Teach ``ref`` (loaded as ``model``) the rule; return the shares right before and after, on the same rows."""
    task = private_rule_task(ref, rows, seed, train_rows)
    with tempfile.TemporaryDirectory(prefix="tuneworthy-") as folder:
        context = ArmContext(task, seed, Path(folder), Path(folder), lambda: model, _no_embedder, progress)
        before = _share_right(ZeroShot(context), task.train, task.eval)
        after = _share_right(LoraArm(context), task.train, task.eval)
    return [
        Ability("know a private rule before training", before, BEFORE, rows, at_most=True),
        Ability(f"know it after LoRA on {train_rows} rows", after, AFTER, rows),
    ]


def _share_right(arm: Arm, train: Sequence[Example], asked: Sequence[Example]) -> float:
    arm.fit(train, ())
    answers = arm.answer(asked)
    return sum(answer.raw.strip() == row.target for answer, row in zip(answers, asked, strict=True)) / len(asked)


def _no_embedder() -> Embedder:
    raise AssertionError("neither arm embeds anything")
