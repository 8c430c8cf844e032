"""Whether a model can be taught: a private rule, learnt by LoRA from rows that tell it only together.

Each text names a thing (its family is private), says two things of it and gives a reference; the answer is the
family's code, a digit that follows from both sayings together, and the reference. No row has another's answer, so
no shot and no retrieved row can be copied: before training the model is measured without rows, with shots and with
retrieved rows, and the best of these counts. The arms are the ones that runs use.
"""

import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from baselines.prompt_arms import FewShot, ZeroShot
from baselines.rag_arms import Rag
from baselines.tfidf import TfidfEmbedder
from evals.example import Example
from evals.protocols import Arm, ArmContext, LanguageModel, ProgressHook, no_progress
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
    "The {thing} in {place} {first} {second}. Reference {reference}.",
    "{place} writes: the {thing} {first} {second}. The reference is {reference}.",
    "Report {reference} from {place}: our {thing} {first} {second}, please help.",
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
        place, reference = words.name(), str(rng.randint(10_000, 99_999))
        text = rng.choice(FRAMES).format(thing=thing, place=place, first=said[0], second=said[1], reference=reference)
        rows.append(Example(f"{name}{index}", text, (f"{rule.answer(thing, states)}-{reference}",)))
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
        context = ArmContext(task, seed, Path(folder), Path(folder), lambda: model, TfidfEmbedder, progress)
        untrained = [_measured(arm(context), task, BEFORE, at_most=True) for arm in (ZeroShot, FewShot, Rag)]
        after = _measured(LoraArm(context), task, AFTER)
    before = max(untrained, key=lambda ability: ability.score)
    return [
        replace(before, name="know a private rule before training (best of no rows, shots, retrieved rows)"),
        replace(after, name=f"know it after LoRA on {train_rows} rows"),
    ]


def _measured(arm: Arm, task: Task, goal: float, *, at_most: bool = False) -> Ability:
    """Return the share of rows that ``arm`` answers right; rows that it couldn't answer are errors."""
    arm.fit(task.train, ())
    answers = arm.answer(task.eval)
    pairs = [
        (answer.raw.strip(), row.target) for answer, row in zip(answers, task.eval, strict=True) if not answer.error
    ]
    right = sum(given == wanted for given, wanted in pairs)
    score = right / max(1, len(pairs))
    return Ability(arm.name, score, goal, len(task.eval), len(task.eval) - len(pairs), at_most)
