"""Two runs of the same eval rows, set against each other by the same statistics as the arms of one run.

So a change of prompt, model, data or settings is judged like an arm: paired by row, with intervals, and with p-values
corrected for all that is compared.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.arm_cells import ArmCells, read_arm
from evals.arm_labels import LabelTask, label_task
from evals.clusters import Clusters
from evals.compare_changes import changes, paired_arms
from evals.errors import RunError
from evals.figure import figure
from evals.holm import holm
from evals.record import RunRecord, read_record
from evals.row_clusters import row_clusters
from evals.scoreboard import MeanScoreboard, Scoreboard

SCHEMA = 1
_FIRST, _SECOND = "a:", "b:"


@dataclass(frozen=True)
class _Run:
    folder: Path
    record: RunRecord
    arms: list[ArmCells]
    unfinished: list[str]


def compare_runs(first: Path, second: Path) -> dict[str, Any]:
    """Return every arm that both runs completed, and the best of each, as second − first.

    An arm is the same in both by its name, else by what it does on the same model (``evals.compare_changes``).

    Raises ``RunError`` when a run can't be read, or when the two don't judge the same eval rows by the same metric.
    """
    one, two = _read(first), _read(second)
    _check_same_rows(one, two)
    shared = paired_arms(one.record, [arm.name for arm in one.arms], two.record, [arm.name for arm in two.arms])
    scores, confidence = _scoreboard(one, two), one.record.settings().decision.confidence
    best = {run.folder: _best(run, prefix, scores, confidence) for run, prefix in ((one, _FIRST), (two, _SECOND))}
    pairs = [*shared] + [(best[one.folder], best[two.folder])]
    tests = [scores.test(_SECOND + b, _FIRST + a) for a, b in pairs]
    again = pairs[-1] in pairs[:-1]  # the best arm is the same one in both runs: one comparison, not two
    corrected = holm([test.p_value for test in (tests[:-1] if again else tests)])
    corrected += [corrected[pairs.index(pairs[-1])]] if again else []
    entries = []
    for (a, b), test, p_holm in zip(pairs, tests, corrected, strict=True):
        gap = scores.difference(_SECOND + b, _FIRST + a, confidence)
        entries.append(
            {
                "a": a,
                "b": b,
                "score_a": figure(scores.estimate(_FIRST + a, confidence).mean),
                "score_b": figure(scores.estimate(_SECOND + b, confidence).mean),
                "difference": figure(gap.difference),
                "low": figure(gap.low),
                "high": figure(gap.high),
                "p_value": test.p_value,
                "p_holm": p_holm,
                "n": gap.n,
                "method": f"{gap.method}, {test.method}",
            }
        )
    return {
        "schema": SCHEMA,
        "a": str(first),
        "b": str(second),
        "metric": one.record.metric,
        "eval_rows": len(one.record.eval_ids),
        "confidence": confidence,
        "arms": entries[:-1],
        "best": entries[-1],
        "unfinished_a": one.unfinished,
        "unfinished_b": two.unfinished,
        "same_model": [[a, b] for a, b in shared if a != b],
        "only_a": [arm.name for arm in one.arms if arm.name not in (*(a for a, _ in shared), *two.unfinished)],
        "only_b": [arm.name for arm in two.arms if arm.name not in (*(b for _, b in shared), *one.unfinished)],
        "changed": changes(one.record, two.record),
    }


def _read(folder: Path) -> _Run:
    record = read_record(folder)
    allowed = record.settings(folder / "run.json").generate.max_error_share
    arms = [read_arm(folder, plan, record.eval_ids, allowed) for plan in record.arms]
    done = [arm for arm in arms if arm.status == "done"]
    if not done:
        raise RunError(f"{folder} has no arm that is done; go on with it by: tuneworthy run --resume {folder}")
    return _Run(folder, record, done, [arm.name for arm in arms if arm.status != "done"])


def _check_same_rows(one: _Run, two: _Run) -> None:
    a, b = one.record, two.record
    source = "eval" if "eval" in a.hashes or "eval" in b.hashes else "train"
    if a.hashes.get(source) != b.hashes.get(source):
        raise RunError(f"{one.folder} and {two.folder} judge different eval data (their hashes differ)")
    if a.eval_ids != b.eval_ids:
        raise RunError(f"{one.folder} and {two.folder} judge different rows of the eval data (--limit or the split)")
    if a.metric != b.metric:
        raise RunError(f"{one.folder} is scored by {a.metric}, {two.folder} by {b.metric}")


def _scoreboard(one: _Run, two: _Run) -> Scoreboard:
    ids, every = one.record.eval_ids, one.arms + two.arms
    clusters = row_clusters(ids, every)
    named = [(_FIRST + arm.name, arm) for arm in one.arms] + [(_SECOND + arm.name, arm) for arm in two.arms]
    if one.record.metric == "macro_f1":
        return _labels(one, every).scoreboard(dict(named), clusters)
    return _means(named, clusters)


def _labels(one: _Run, every: list[ArmCells]) -> LabelTask:
    return label_task(one.record.labels, one.record.eval_ids, every)


def _means(named: list[tuple[str, ArmCells]], clusters: Clusters) -> MeanScoreboard:
    return MeanScoreboard({name: arm.seed_values(lambda row: row.score) for name, arm in named}, clusters)


def _best(run: _Run, prefix: str, scores: Scoreboard, confidence: float) -> str:
    return max(run.arms, key=lambda arm: scores.estimate(prefix + arm.name, confidence).mean or 0.0).name
