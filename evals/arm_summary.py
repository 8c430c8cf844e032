"""One arm's entry in ``results.json``: scores by every metric and reading, errors, cost, retrieval, fits."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from evals.arm_cells import ArmCells
from evals.arm_cost import arm_cost
from evals.arm_labels import LabelTask, by_mean, counted
from evals.figure import average, figure
from evals.label_metrics import truth
from evals.learning import diagnose
from evals.protocols import FitReport
from evals.retrieval_metrics import retrieval_quality
from evals.scored import ScoredPrediction
from evals.stats import Estimate

ERROR_KINDS = 5
SHOWN_LABELS = 200

Row = ScoredPrediction
Value = Callable[[Row], float | None]


class ArmSummary:
    """Makes the entry; ``labels`` is given for label tasks, ``metric`` is the one that decides."""

    def __init__(self, arm: ArmCells, metric: str, labels: LabelTask | None) -> None:
        self._arm = arm
        self._metric = metric
        self._labels = labels

    def entry(self, estimate: Estimate | None, *, documents: bool) -> dict[str, Any]:
        """Return the entry; ``estimate`` is None for an arm that failed, whose scores aren't shown.

        Without ``documents`` what was retrieved are training rows, and no document was to be found.
        """
        arm = self._arm
        shown = estimate is not None and estimate.mean is not None
        chosen = any(row.choice_by_mean is not None for row in arm.all_rows())
        return {
            "name": arm.name,
            "family": arm.family,
            "trained": arm.family == "tune",
            "status": arm.status,
            "reason": arm.reason,
            "score": _score(estimate),
            "score_lenient": self._reading(strict=False) if shown else None,
            "score_strict": self._reading(strict=True) if shown else None,
            "metrics": self._metrics() if shown else {},
            "by_mean": self._by_mean() if shown and chosen else None,
            "choice_rule": "sum" if chosen else "written" if self._writes() else None,
            "per_seed": self._per_seed(),
            "errors": arm.errors,
            "cut": sum(row.cut for row in arm.all_rows()),
            "unread": sum(row.error is None and row.extracted is None for row in arm.all_rows()),
            "wrong": sum(_wrong(row) for row in arm.all_rows()),
            "wrong_from_train": self._wrong_from_train(),
            "error_kinds": [dataclasses.asdict(kind) for kind in arm.error_kinds[:ERROR_KINDS]],
            "cost": arm_cost(arm),
            "retrieval": _retrieval(arm) if documents else None,
            "fit": [{"seed": cell.seed} | _fit(cell.fit) for cell in arm.cells if cell.fit is not None],
        }

    def _writes(self) -> bool:
        """Whether the arm writes a label, which is read out of its answer."""
        if self._labels is None or self._arm.family == "classic":
            return False
        return any(row.error is None for row in self._arm.all_rows())

    def per_label(self) -> dict[str, dict[str, int]] | None:
        """Return rows and right answers by label, over all seeds, for the first labels; None without labels."""
        if self._labels is None:
            return None
        counts = {label: {"n": 0, "correct": 0} for label in self._labels.labels[:SHOWN_LABELS]}
        for row in self._arm.all_rows():
            tally = counts.get(truth(row.targets, row.extracted))
            if row.score is not None and tally is not None:
                tally["n"] += 1
                tally["correct"] += int(row.score == 1)
        return counts

    def _wrong_from_train(self) -> int | None:
        """Return how many wrong answers are, word for word, answers of training rows; None where it wasn't recorded."""
        rows = [row for row in self._arm.all_rows() if row.in_train is not None]
        return sum(_wrong(row) for row in rows if row.in_train) if rows else None

    def _metrics(self) -> dict[str, float | None]:
        names = dict.fromkeys(name for row in self._arm.all_rows() for name in row.metrics)
        values = {name: self._mean(_metric(name)) for name in names}
        if self._labels is not None:
            values["macro_f1"] = figure(self._labels.macro_f1(self._arm, counted))
        return values

    def _reading(self, *, strict: bool) -> float | None:
        labels = self._labels
        if self._metric == "macro_f1" and labels is not None:
            return figure(labels.macro_f1(self._arm, lambda row: labels.read(row, strict=strict)))
        return self._mean(lambda row: row.score_strict if strict else row.score_lenient)

    def _by_mean(self) -> float | None:
        labels = self._labels
        if self._metric == "macro_f1" and labels is not None:
            return figure(labels.macro_f1(self._arm, by_mean))
        return self._mean(lambda row: None if row.score is None else float(by_mean(row) in row.targets))

    def _per_seed(self) -> list[dict[str, Any]]:
        entries = []
        for cell, rows in zip(self._arm.cells, self._arm.rows, strict=True):
            one = dataclasses.replace(self._arm, cells=(cell,))
            scores = [row.score for row in rows.values() if row.score is not None]
            if self._metric == "macro_f1" and self._labels is not None:
                score = figure(self._labels.macro_f1(one, counted))
            else:
                score = figure(average(scores))
            entries.append({"seed": cell.seed, "score": score, "n": len(scores), "errors": len(rows) - len(scores)})
        return entries

    def _mean(self, value: Value) -> float | None:
        return figure(average(mean for mean in self._arm.row_means(value) if mean is not None))


def _wrong(row: Row) -> bool:
    """Whether the answer isn't fully right; an error is no answer."""
    return row.score is not None and row.score < 1


def _metric(name: str) -> Value:
    return lambda row: row.metrics.get(name)


def _score(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None or estimate.mean is None:
        return None
    ends = {"mean": figure(estimate.mean), "low": figure(estimate.low), "high": figure(estimate.high)}
    return {**ends, "n": estimate.n, "method": estimate.method}


def _fit(fit: FitReport) -> dict[str, Any]:
    entry = dataclasses.asdict(fit) | {"losses": [dataclasses.asdict(point) for point in fit.losses]}
    if not fit.steps:
        return entry | {"learning": None}
    budget = fit.plan is not None and fit.plan.ended_by_budget is not None
    return entry | {"learning": dataclasses.asdict(diagnose(fit.losses, ended_by_budget=budget))}


def _retrieval(arm: ArmCells) -> dict[str, Any] | None:
    """Return the quality over all that was retrieved, whether the prompt had room for it or not."""
    rows: Sequence[tuple[list[str], str]] = [
        ([passage.document_id for passage in row.retrieved], row.doc_id)
        for row in arm.all_rows()
        if row.doc_id is not None and (row.error is None or row.retrieved)
    ]
    quality = retrieval_quality(rows)
    if quality is None:
        return None
    recall = {str(depth): figure(share) for depth, share in enumerate(quality.recall, start=1)}
    return {"k": quality.k, "recall": recall, "mrr": figure(quality.mrr), "n": quality.n}
