"""What label arms answered, as rows of labels per seed, by any way of reading an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.arm_cells import ArmCells
from evals.clusters import Clusters
from evals.extraction import extract
from evals.label_metrics import code, macro_f1
from evals.scoreboard import LabelRows, MacroF1Scoreboard
from evals.scored import ScoredPrediction

Reading = Callable[[ScoredPrediction], str | None]


@dataclass(frozen=True)
class LabelTask:
    """The labels, and the accepted ones of each eval row in the order of the eval rows."""

    labels: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]

    def scoreboard(self, arms: Mapping[str, ArmCells], clusters: Clusters) -> MacroF1Scoreboard:
        """Return macro-F1 of the arms, by the names they go by here, by the reading that counts."""
        rows = {name: label_rows(arm, counted) for name, arm in arms.items()}
        return MacroF1Scoreboard(self.labels, self.targets, rows, clusters)

    def macro_f1(self, arm: ArmCells, reading: Reading) -> float | None:
        """Return macro-F1 over the rows that every seed scored, averaged over the seeds."""
        rows = label_rows(arm, reading)
        places = np.flatnonzero(rows.scored)
        values = [macro_f1(code(self.labels, self.targets, seen).take(places)) for seen in rows.predicted]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known else None

    def read(self, row: ScoredPrediction, *, strict: bool) -> str | None:
        """Return what a strict or a lenient reader takes ``row`` to say."""
        if row.choice_by_mean is not None:
            return row.raw
        return extract(row.raw if row.answer is None else row.answer, "label", self.labels, strict=strict)


def label_task(labels: Sequence[str], eval_ids: Sequence[str], arms: Sequence[ArmCells]) -> LabelTask:
    """Return the label task of a run; rows that no arm has answered are given the first label, and never scored."""
    targets: dict[str, tuple[str, ...]] = {}
    for arm in arms:
        for row in arm.all_rows():
            targets.setdefault(row.id, row.targets)
    known = dict.fromkeys([*labels, *(target for accepted in targets.values() for target in accepted)])
    names = tuple(known)
    return LabelTask(names, tuple(targets.get(identity, names[:1]) for identity in eval_ids))


def counted(row: ScoredPrediction) -> str | None:
    """The reading that counts: what was extracted."""
    return row.extracted


def by_mean(row: ScoredPrediction) -> str | None:
    """What the length-normalised rule would have chosen; arms that don't choose by likelihood keep their answer."""
    return row.extracted if row.choice_by_mean is None else row.choice_by_mean


def label_rows(arm: ArmCells, reading: Reading) -> LabelRows:
    """Return the arm's labels per seed and eval row, and which rows every seed scored."""
    predicted = [
        [reading(rows[identity]) if identity in rows else None for identity in arm.eval_ids] for rows in arm.rows
    ]
    scored = [
        all(identity in rows and rows[identity].score is not None for rows in arm.rows) for identity in arm.eval_ids
    ]
    return LabelRows(predicted, np.array(scored, dtype=bool))
