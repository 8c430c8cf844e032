"""What ``tuneworthy advise --probe`` measures with a model: how far prompting gets, and whether a passage would help.

The arms are those of a run (``zero_shot``, ``few_shot``) on a small sample, in the same rendering; nothing is trained.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from advisor.engine import lazy_embedder, lazy_model
from advisor.found_answer import FoundAnswer
from advisor.given_data import GivenData, read_given
from advisor.known_passages import look_up
from advisor.oracle import OracleTest, WithPassage, compare
from advisor.probe_answers import Aim, probe_answers
from advisor.probe_arm import ArmScore, score_rows
from advisor.probe_sample import draw_sample, probe_task
from baselines.prompt_arms import FewShot, ZeroShot
from evals.errors import UsageError
from evals.protocols import ArmContext, LanguageModel, ProgressHook, no_progress
from evals.task import Task
from evals.task_file import AnswerKind, Metric


@dataclass(frozen=True)
class Probe:
    """What was measured, and the answers to the advisor's questions by key.

    ``rows`` were asked, ``pool`` rows could be shots, ``shots`` of them stood in every prompt of ``few_shot``.
    ``oracle`` is None where the test can't be made; ``oracle_reason`` says why.
    """

    file: Path
    model: str
    aim: Aim
    rows: int
    pool: int
    shots: int
    zero_shot: ArmScore
    few_shot: ArmScore
    oracle: OracleTest | None
    oracle_reason: str | None
    answers: Mapping[str, FoundAnswer]


def probe(
    data: Path,
    documents: Path | None,
    model_ref: str,
    *,
    eval_data: Path | None = None,
    instruction: str | None = None,
    rows: int = 50,
    seed: int = 0,
    target: float = 0.9,
    confidence: float = 0.95,
    metric: Metric | None = None,
    answer: AnswerKind | None = None,
    input_column: str | None = None,
    target_column: str | None = None,
    progress: ProgressHook = no_progress,
) -> Probe:
    """Read the files, load the model ``model_ref`` (``builtin``, a folder, a hub name) and measure.

    Asked are at most ``rows`` rows of ``eval_data``, or of ``data`` without it; the others of ``data`` may be shots.
    ``target`` is the score (0…1) that would be good enough. Instruction, metric and answer kind are guessed where
    they're None. Raises ``UsageError`` and ``DataError`` for what was given, ``ModelError`` for the model.
    """
    _check(rows, target, confidence)
    given = read_given(
        data,
        eval_data=eval_data,
        documents=documents,
        input_column=input_column,
        target_column=target_column,
        answer=answer,
    )
    return probe_given(
        given,
        model_ref,
        lazy_model(model_ref),
        instruction=instruction,
        rows=rows,
        seed=seed,
        target=target,
        confidence=confidence,
        metric=metric,
        progress=progress,
    )


def probe_given(
    given: GivenData,
    name: str,
    model: Callable[[], LanguageModel],
    *,
    instruction: str | None = None,
    rows: int = 50,
    seed: int = 0,
    target: float = 0.9,
    confidence: float = 0.95,
    metric: Metric | None = None,
    progress: ProgressHook = no_progress,
) -> Probe:
    """Measure ``model``, which the user calls ``name``, on data that was read before."""
    _check(rows, target, confidence)
    sample = draw_sample(given, rows, seed)
    task = probe_task(given, sample, name, instruction, metric)
    aim = Aim(target, task.metric, confidence)
    with _context(task, seed, model, progress) as context:
        zero, few = ZeroShot(context), FewShot(context)
        alone, shown = score_rows(zero, task, task.eval, progress), score_rows(few, task, task.eval, progress)
        known = look_up(task, model(), progress)
        test = None
        if known.passages:
            rows_known = [row for row in task.eval if row.id in known.passages]
            pasted = score_rows(WithPassage(context, known.passages), task, rows_known, progress)
            test = compare(known, alone.scores, pasted.scores, seed=seed, confidence=confidence)
    zero_score, few_score = (answers.estimate(seed, confidence) for answers in (alone, shown))
    return Probe(
        file=given.file,
        model=name,
        aim=aim,
        rows=len(sample.asked),
        pool=len(sample.pool),
        shots=len(few.shown.rows),
        zero_shot=zero_score,
        few_shot=few_score,
        oracle=test,
        oracle_reason=known.reason,
        answers=probe_answers([zero_score, few_score], test, aim),
    )


@contextmanager
def _context(task: Task, seed: int, model: Callable[[], LanguageModel], progress: ProgressHook) -> Iterator[ArmContext]:
    """Yield what the arms need, with a folder that goes when they're done."""
    with tempfile.TemporaryDirectory(prefix="tuneworthy-") as folder:
        yield ArmContext(task, seed, Path(folder), Path(folder), model, lazy_embedder("builtin"), progress)


def _check(rows: int, target: float, confidence: float) -> None:
    if rows < 1:
        raise UsageError(f"the number of rows must be at least 1, not {rows}")
    for name, value in (("target", target), ("confidence", confidence)):
        if not 0 < value < 1 and not (name == "target" and value == 1):
            raise UsageError(f"the {name} must lie between 0 and 1, not {value}")
