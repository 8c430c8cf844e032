"""The section ``curve`` of ``results.json``: how the score moves with training rows, with shots, with passages."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from evals.arm_cells import ArmCells, read_cells
from evals.arm_labels import LabelTask
from evals.arm_name import arm_kind
from evals.clusters import Clusters, FloatArray
from evals.curve_point import Axis, CurvePoint, sorted_points
from evals.figure import figure
from evals.power_law import FEWEST_SIZES, MOST_TIMES, PowerLaw
from evals.record import RunRecord
from evals.sample import matrix, seed_means
from evals.scoreboard import MeanScoreboard, Scoreboard
from evals.spread import influences, seed_variance
from evals.task_file import TaskFile

SEED_DEVIATION = 0.02
"""Standard deviation of a score between training seeds where there is one seed only: our judgement.

Fine-tuned models move by one to a few points from seed to seed on small sets (Dodge et al. 2020, arXiv:2002.06305), and
another part of train moves them too. With 0.01 the intervals held the truth in 88 to 93% of simulated curves whose
seeds spread by 0.02; with 0.02 in 96%.
"""

WIDEST = 0.1
"""When the interval of what doubling brings is wider than this, nothing is said. Our judgement."""

_DRAWN = (0.125, 0.177, 0.25, 0.354, 0.5, 0.707, 1.0, 1.414, 2.0, 2.83, 4.0)
_ZERO_SHOT = "zero_shot"


@dataclass(frozen=True)
class _Curve:
    """The points of one arm on one axis, by value; ``own`` is the value that the run itself used."""

    arm: str
    axis: Axis
    own: int
    cells: dict[int, ArmCells]


def curve_section(
    run: Path, record: RunRecord, settings: TaskFile, arms: Sequence[ArmCells], labels: LabelTask | None, rows: Clusters
) -> list[dict[str, Any]] | None:
    """Return an entry per arm and axis; None when no curve was asked for (``tuneworthy run TASK --curve``)."""
    if not record.curve:
        return None
    own = {arm.name: arm for arm in arms}
    confidence = settings.decision.confidence
    return [_entry(curve, record.metric, labels, rows, confidence) for curve in _curves(run, record, settings, own)]


def _curves(run: Path, record: RunRecord, settings: TaskFile, own: dict[str, ArmCells]) -> list[_Curve]:
    values: dict[Axis, int] = {"labels": record.train_rows, "shots": settings.few_shot.k, "passages": settings.rag.k}
    curves = []
    for (axis, arm), points in groupby(sorted_points(record.curve), key=lambda point: (point.axis, point.arm)):
        cells = {point.value: _read(run, point, record, settings.generate.max_error_share) for point in points}
        if arm in own:
            cells[values[axis]] = own[arm]
        zero = arm.replace(arm_kind(arm), _ZERO_SHOT, 1)
        if axis == "shots" and zero in own:
            cells[0] = own[zero]
        curves.append(_Curve(arm, axis, values[axis], dict(sorted(cells.items()))))
    return curves


def _read(run: Path, point: CurvePoint, record: RunRecord, max_error_share: float) -> ArmCells:
    folders = [point.cell(run, seed) for seed in point.seeds]
    return read_cells(point.arm, point.family, folders, record.eval_ids, max_error_share)


def _entry(curve: _Curve, metric: str, labels: LabelTask | None, rows: Clusters, confidence: float) -> dict[str, Any]:
    done = {value: cells for value, cells in curve.cells.items() if cells.status == "done" and not _cut(curve, value)}
    named = {str(value): cells for value, cells in done.items()}
    if metric == "macro_f1" and labels is not None:
        scores: Scoreboard = labels.scoreboard(named, rows)
    else:
        scores = MeanScoreboard({name: cells.seed_values(lambda row: row.score) for name, cells in named.items()}, rows)
    points = []
    for value in curve.cells:
        told: dict[str, Any] = {"value": value, "status": curve.cells[value].status, "score": None}
        if value in done:
            found = scores.estimate(str(value), confidence)
            told["score"] = {"mean": figure(found.mean), "low": figure(found.low), "high": figure(found.high)}
        elif _cut(curve, value):
            told["status"] = "cut"
        points.append(told)
    entry = {"arm": curve.arm, "axis": curve.axis, "own": curve.own, "points": points}
    if curve.axis == "labels":
        shown = [point["score"] for point in points if point["score"]]
        return entry | _extrapolated(curve.own, done, shown, rows, confidence)
    return entry | _best(curve, list(done), scores, confidence)


def _cut(curve: _Curve, value: int) -> bool:
    """Whether the context held fewer shots than the point asks for."""
    fits = [cell.fit for cell in curve.cells[value].cells if cell.fit is not None]
    shown = [fit.facts.get("shots") for fit in fits]
    return curve.axis == "shots" and any(isinstance(shots, int) and shots < value for shots in shown)


def _best(curve: _Curve, values: Sequence[int], scores: Scoreboard, confidence: float) -> dict[str, Any]:
    """Return the best value and its difference to the run's own, paired by row."""
    if curve.own not in values or len(values) < 2:
        return {"best": None, "against_own": None}
    best = max(values, key=lambda value: (scores.estimate(str(value), confidence).mean or 0.0, -value))
    if best == curve.own:
        return {"best": best, "against_own": None}
    gap = scores.difference(str(best), str(curve.own), confidence)
    ends = {"difference": figure(gap.difference), "low": figure(gap.low), "high": figure(gap.high)}
    return {"best": best, "against_own": ends}


def _extrapolated(
    own: int, done: dict[int, ArmCells], scores: Sequence[dict[str, float]], rows: Clusters, confidence: float
) -> dict[str, Any]:
    """Return what more rows are expected to bring, or why that can't be told."""
    nothing: dict[str, Any] = {"doubling": None, "fourfold": None, "fit": []}
    if len(done) < FEWEST_SIZES or own not in done:
        return nothing | {"reason": f"fewer than {FEWEST_SIZES} training sizes were completed"}
    by_row = [matrix(arm.seed_values(lambda row: row.score)) for arm in done.values()]
    widened = _widened(by_row, scores, rows, confidence)
    covariance = score_covariance(by_row, rows, widened)
    if covariance is None:
        return nothing | {"reason": "too few rows were scored at every size"}
    errors = np.array([1 - score["mean"] for score in scores])
    law = PowerLaw(np.array(list(done), dtype=np.float64), errors, covariance, confidence)
    if not law.follows:
        return nothing | {"reason": "the scores don't follow a curve that rises and levels off"}
    drawn = [_drawn(law, own, times) for times in _DRAWN if own * times >= 0.999 * min(done)]
    doubling, fourfold = law.gain(2), law.gain(MOST_TIMES)
    wide = doubling.high - doubling.low > WIDEST
    told = {"doubling": _rounded(asdict(doubling)), "fourfold": _rounded(asdict(fourfold)), "fit": drawn}
    return told | {"reason": "its interval is too wide to be of use" if wide else None}


def _drawn(law: PowerLaw, own: int, times: float) -> dict[str, Any]:
    span = law.error_at(times)
    ends = {"middle": 1 - span.middle, "low": 1 - span.high, "high": 1 - span.low}
    return {"rows": round(own * times)} | _rounded(ends)


def _rounded(span: dict[str, float]) -> dict[str, float | None]:
    return {name: figure(value) for name, value in span.items()}


def _widened(
    by_row: Sequence[FloatArray], scores: Sequence[dict[str, float]], rows: Clusters, confidence: float
) -> FloatArray:
    """Return how much wider each size's interval is than that of the mean of its rows' scores, at least 1, shape (K,).

    Macro-F1 is no mean of rows: what few rows of a rare label decide moves more than the mean does.
    """
    means = MeanScoreboard({str(place): one for place, one in enumerate(by_row)}, rows)
    factors = []
    for place, score in enumerate(scores):
        mean = means.estimate(str(place), confidence)
        width = 0.0 if mean.high is None or mean.low is None else mean.high - mean.low
        factors.append(max(1.0, (score["high"] - score["low"]) / width) if width else 1.0)
    return np.array(factors)


def score_covariance(
    scores: Sequence[FloatArray], rows: Clusters, widened: FloatArray | float = 1.0
) -> FloatArray | None:
    """Return the covariance of mean scores: of the shared eval rows, and of the training seeds; None on too few rows.

    ``scores`` holds a matrix (seeds, rows) for each of K training sizes, NaN for none; the result has shape (K, K).
    ``widened`` multiplies the rows' part of each size's deviation.
    """
    means = np.stack([seed_means(one) for one in scores])
    kept = np.asarray(~np.isnan(means).any(axis=0))
    clusters = rows.take(kept)
    if clusters.count < 2:
        return None
    moves = influences(means[:, kept], clusters) * np.reshape(widened, (-1, 1))
    covariance: FloatArray = moves @ moves.T
    # With (nearly) all rows right or wrong the rows show no spread; two more of each kind do (Agresti and Coull 1998).
    rates = (means[:, kept].sum(axis=1) + 2) / (kept.sum() + 4)
    floor = rates * (1 - rates) / (kept.sum() + 4)
    covariance[np.diag_indices_from(covariance)] = np.maximum(np.diagonal(covariance), floor)
    parts = [part.variance for one in scores for part in seed_variance(one, rows)]
    seeds = float(np.mean(parts)) if parts else SEED_DEVIATION**2
    whole: FloatArray = covariance + seeds * np.eye(len(scores))
    return whole
