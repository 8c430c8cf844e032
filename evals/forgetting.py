"""What training broke: a model asked a small general set before and after it was tuned.

A tuned model can gain on its task and lose what it could do besides ("catastrophic forgetting"; Luo et al. 2023,
arXiv:2308.08747). So every arm that tunes the base is asked the same few general questions as the base itself, and
the two are compared by question. Answers count when they equal an accepted one but for case, spacing and punctuation.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from evals.arm_name import arm_alias
from evals.errors import RunError
from evals.example import Prompt
from evals.figure import average, figure
from evals.files import write_json
from evals.overlap import normalise_text
from evals.protocols import LanguageModel, Limits
from evals.stats import PairedSample

FILE = "general.json"
SCHEMA = 1


def base_file(alias: str | None) -> str:
    """Return the name of the file of a base's own answers; ``alias`` is what ``models:`` calls the base."""
    return FILE if alias is None else f"general@{alias}.json"


ANSWER_TOKENS = 60
"""What an answer may take, or the longest accepted one and a tenth where that is more."""

MOST_TOKENS = 512


@dataclass(frozen=True)
class GeneralQuestion:
    """One question of the general set: its kind (an ability, or the file's own word), and the accepted answers."""

    id: str
    kind: str
    prompt: Prompt
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class GeneralSet:
    """The questions and where they're from."""

    name: str
    questions: tuple[GeneralQuestion, ...]


@runtime_checkable
class TunesBase(Protocol):
    """An arm that answers with a tuned copy of the task's model."""

    def tuned_model(self) -> LanguageModel | None:
        """Return the tuned model; None when it isn't made from the base."""
        ...


def ask_general(model: LanguageModel, general: GeneralSet, path: Path) -> None:
    """Ask ``model`` the general set and write its scores (0 or 1; None for an error) to ``path``, once.

    Prompts, answers and errors stand beside the scores, by question, so that a loss can be looked into.
    """
    if path.exists():
        return
    questions = general.questions
    answers = model.generate([question.prompt for question in questions], _limits(model, general))
    scores: dict[str, float | None] = {}
    answered: dict[str, dict[str, Any]] = {}
    for question, answer in zip(questions, answers, strict=True):
        scores[question.id] = None if answer.error is not None else _score(answer.text, question.accepted)
        told = {"prompt": answer.prompt, "accepted": question.accepted, "raw": answer.text, "error": answer.error}
        answered[question.id] = told
    kinds = {question.id: question.kind for question in questions}
    write_json(path, {"schema": SCHEMA, "set": general.name, "kinds": kinds, "scores": scores, "answers": answered})


def write_failure(general: GeneralSet, cause: str, path: Path) -> None:
    """Write to ``path`` that the general set couldn't be asked."""
    kinds = {question.id: question.kind for question in general.questions}
    write_json(path, {"schema": SCHEMA, "set": general.name, "kinds": kinds, "scores": {}, "failure": cause})


def _limits(model: LanguageModel, general: GeneralSet) -> Limits:
    longest = max(model.count_tokens(answer) for question in general.questions for answer in question.accepted)
    return Limits(min(max(ANSWER_TOKENS, longest + longest // 10), MOST_TOKENS))


def _score(text: str, accepted: Sequence[str]) -> float:
    given = normalise_text(text)
    return float(any(given == normalise_text(answer) for answer in accepted))


def forgetting_section(run: Path, cells: dict[str, list[Path]], confidence: float) -> dict[str, Any] | None:
    """Return the section ``forgetting`` of ``results.json``; None when no general set was asked.

    ``cells`` are the folders of each tuned arm's seeds.
    """
    read = {arm: _read(run / base_file(arm_alias(arm))) for arm in cells}
    bases = {arm: base for arm, base in read.items() if base is not None}
    before = next(iter(bases.values()), _read(run / FILE))
    if before is None:
        return None
    after = {arm: [found for folder in folders if (found := _read(folder / FILE))] for arm, folders in cells.items()}
    return {
        "set": before["set"],
        "questions": len(before["scores"]),
        "before": figure(average(score for score in before["scores"].values() if score is not None)),
        "several": len({arm_alias(arm) for arm in bases}) > 1,
        "arms": [_entry(arm, bases[arm], found, confidence) for arm, found in after.items() if found and arm in bases],
    }


def _entry(arm: str, before: dict[str, Any], found: list[dict[str, Any]], confidence: float) -> dict[str, Any]:
    ids = list(before["scores"])
    tuned = [[one["scores"].get(identity) for identity in ids] for one in found]
    gap = PairedSample(tuned, [before["scores"][identity] for identity in ids], 0).difference(confidence)
    kinds = []
    for kind in dict.fromkeys(before["kinds"].values()):
        mine = [identity for identity in ids if before["kinds"][identity] == kind]
        old = average(score for identity in mine if (score := before["scores"][identity]) is not None)
        new = average(score for one in found for identity in mine if (score := one["scores"].get(identity)) is not None)
        kinds.append({"kind": kind, "questions": len(mine), "before": figure(old), "after": figure(new)})
    scores = [score for seed in tuned for score in seed if score is not None]
    ends = {"difference": figure(gap.difference), "low": figure(gap.low), "high": figure(gap.high)}
    failure = next((one["failure"] for one in found if "failure" in one), None)
    about = {"n": gap.n, "dropped": gap.dropped, "method": gap.method, "failure": failure}
    old_scores = average(score for score in before["scores"].values() if score is not None)
    means = {"before": figure(old_scores), "after": figure(average(scores))}
    return {"name": arm, **means, **ends, **about, "kinds": kinds}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} can't be read ({error}); delete it to redo this step") from error
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or not isinstance(record.get("scores"), dict):
        raise RunError(f"{path} has a schema that this version doesn't know; delete it to redo this step")
    return record
