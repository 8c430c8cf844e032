"""``results.json``: everything that can be said of a run, computed from its cells alone.

No model is needed, so it can be redone at any time; the same cells give the same file.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path
from typing import Any

from evals.advice_outcome import advice_outcome
from evals.arm_cells import ArmCells, read_arm
from evals.arm_cost import mean_tokens
from evals.arm_labels import LabelTask, label_task
from evals.arm_models import tell_models
from evals.arm_name import arm_alias
from evals.arm_summary import ArmSummary
from evals.clusters import Clusters
from evals.curve import curve_section
from evals.detectable import Detectable, detectable
from evals.disagreement import disagreement
from evals.economics import economics
from evals.errors import RunError
from evals.figure import figure
from evals.files import write_json, write_text
from evals.forgetting import forgetting_section
from evals.holm import holm
from evals.leakage import Leak
from evals.model_ref import Endpoint
from evals.prices import Prices, load_prices
from evals.record import ModelRecord, RunRecord, read_record
from evals.repayment import Volume
from evals.row_clusters import row_clusters
from evals.scoreboard import MeanScoreboard, Scoreboard
from evals.shared_texts import SharedTexts
from evals.skipped_entry import skipped_entry
from evals.spending import spending_section
from evals.stored import strange_schema
from evals.task_file import TaskFile
from evals.verdict import Contender, Verdict, decide
from evals.verdict_wording import Absent

SCHEMA = 1

PRICES = "prices.yaml"
"""The user's prices as the run folder keeps them."""


def write_results(run: Path) -> dict[str, Any]:
    """Compute the results of the run in ``run``, write ``results.json`` there, and return them.

    Raises ``RunError`` when the run can't be read or the file can't be written.
    """
    results = build_results(run)
    try:
        write_json(run / "results.json", results)
    except OSError as error:
        raise RunError(f"can't write {run / 'results.json'}: {error.strerror or error}") from error
    return results


def read_results(run: Path) -> dict[str, Any]:
    """Return what ``write_results`` wrote. Raises ``RunError`` when there's none that this version can read."""
    path = run / "results.json"
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(
            f"{run} has no results.json; unless it's still running: tuneworthy run --resume {run}"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path} can't be read ({error}); make it anew by: tuneworthy report {run}") from error
    schema = results.get("schema") if isinstance(results, dict) else None
    if not isinstance(results, dict) or schema != SCHEMA:
        raise strange_schema(path, schema, SCHEMA, f"make it anew by: tuneworthy report {run}")
    return results


def keep_prices(prices: Path, run: Path) -> None:
    """Copy the user's prices file into the run folder, where results look for it.

    Raises ``TaskError`` for a file that can't be used, ``RunError`` for a folder that can't be written to.
    """
    text = load_prices(prices).text
    read_record(run)
    try:
        write_text(run / PRICES, text)
    except OSError as error:
        raise RunError(f"can't write {run / PRICES}: {error.strerror or error}") from error


def build_results(run: Path) -> dict[str, Any]:
    """Return the results of the run in ``run``. Raises ``RunError`` when it can't be read."""
    record = read_record(run)
    settings = record.settings(run / "run.json")
    texts, allowed = SharedTexts(), settings.generate.max_error_share
    arms = [read_arm(run, plan, record.eval_ids, allowed, texts) for plan in record.arms]
    labels = label_task(record.labels, record.eval_ids, arms) if settings.answer == "label" else None
    clusters = row_clusters(record.eval_ids, arms)
    scores = _scoreboard(record.metric, arms, labels, clusters)
    done = [arm for arm in arms if arm.status == "done"]
    summaries = {arm.name: ArmSummary(arm, record.metric, labels) for arm in arms}
    confidence = settings.decision.confidence
    estimates = {arm.name: None if arm.status == "failed" else scores.estimate(arm.name, confidence) for arm in arms}
    entries = [summaries[name].entry(estimate, documents=record.documents > 0) for name, estimate in estimates.items()]
    verdict = decide(
        [Contender(arm.name, arm.family, mean_tokens(arm), place) for place, arm in enumerate(done)],
        scores,
        minimum_gain=settings.decision.minimum_gain,
        confidence=confidence,
        absent=[_absent(arm) for arm in arms if arm.status != "done"],
    )
    results = {
        "schema": SCHEMA,
        "created": record.created,
        "version": _version(record),
        "command": record.command,
        "task": _task(record, settings, clusters),
        "model": _model(record.model),
        "embedder": _model(record.embedder),
        "arms": entries + [skipped_entry(arm) for arm in record.skipped],
        "comparisons": _comparisons([arm.name for arm in done], scores, confidence),
        "verdict": _verdict(verdict),
        "versions": record.versions,
        "machine": record.machine,
        "seeds": settings.seeds,
        "settings": record.task,
        "limit": record.limit,
        "per_label": {arm.name: summaries[arm.name].per_label() for arm in done} if labels is not None else None,
    }
    pair = [arm for arm in done if verdict.gain and arm.name in (verdict.gain.trained, verdict.best_untrained)]
    apart = disagreement(*sorted(pair, key=lambda arm: arm.family != "tune")) if len(pair) == 2 else None
    shown = detectable(len(record.eval_ids), clusters.count, settings.decision.minimum_gain, confidence, apart)
    results |= {"leakage": _leakage(record.leaks), "detectable": _detectable(shown)}
    results["data"] = None if record.data is None else asdict(record.data)
    tuned = {arm.name: [cell.folder for cell in arm.cells] for arm in done if arm.family == "tune"}
    results["forgetting"] = forgetting_section(run, tuned, confidence)
    results["curve"] = curve_section(run, record, settings, arms, labels, clusters)
    results["economics"] = _economics(run, record, settings, done, verdict)
    results |= tell_models(record, results)
    results["spending"] = spending_section(run, run_prices(run))
    return results | {"advice": advice_outcome(record.advice, results, record.hashes.get("train"))}


def _scoreboard(metric: str, arms: Sequence[ArmCells], labels: LabelTask | None, clusters: Clusters) -> Scoreboard:
    if metric == "macro_f1" and labels is not None:
        return labels.scoreboard({arm.name: arm for arm in arms}, clusters)
    return MeanScoreboard({arm.name: arm.seed_values(lambda row: row.score) for arm in arms}, clusters)


def _comparisons(arms: Sequence[str], scores: Scoreboard, confidence: float) -> list[dict[str, Any]]:
    """Return every pair of arms once, in the order of the arms; ``p_holm`` is corrected for all pairs (Holm)."""
    pairs = list(combinations(arms, 2))
    tests = [scores.test(first, second) for first, second in pairs]
    entries = []
    for (first, second), test, corrected in zip(pairs, tests, holm([test.p_value for test in tests]), strict=True):
        gap = scores.difference(first, second, confidence)
        figures: dict[str, Any] = {name: figure(getattr(gap, name)) for name in ("difference", "low", "high")}
        figures |= {"p_value": _p_value(test.p_value), "p_holm": _p_value(corrected)}
        method = f"{gap.method}, {test.method}"
        counts = {"method": method, "n": gap.n, "dropped": gap.dropped, "reason": gap.reason}
        entries.append({"a": first, "b": second, **figures, **counts})
    return entries


def _p_value(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _verdict(verdict: Verdict) -> dict[str, Any]:
    gain = verdict.gain
    return asdict(verdict) | {
        "within_noise": list(verdict.within_noise),
        "gain": None
        if gain is None
        else {name: value if isinstance(value, str) else figure(value) for name, value in asdict(gain).items()},
    }


def _economics(
    run: Path, record: RunRecord, settings: TaskFile, arms: Sequence[ArmCells], verdict: Verdict
) -> dict[str, Any]:
    """Return what the arms cost at the run's own prices, or at the example's."""
    volume = Volume(settings.decision.requests_per_month, settings.decision.horizon_months)
    on_gpu = record.machine.get("device", "cpu").startswith("cuda")
    asked = {arm.name: arm_alias(arm.name) for arm in arms if arm.family != "classic"}
    models = {name: settings.model if alias is None else settings.models.get(alias) for name, alias in asked.items()}
    endpoints = {name for name, model in models.items() if isinstance(model, Endpoint)}
    return economics(arms, run_prices(run), volume, verdict, on_gpu=on_gpu, endpoints=endpoints)


def run_prices(run: Path) -> Prices:
    """Return the prices of the run in ``run``: its own, or the example's."""
    own = run / PRICES
    return load_prices(own if own.exists() else None)


def _leakage(leaks: Sequence[Leak] | None) -> list[dict[str, Any]] | None:
    """Return each kind of leakage; None for a run that was made before they were looked for."""
    if leaks is None:
        return None
    return [asdict(leak) | {"share": figure(leak.share), "passed": leak.passed} for leak in leaks]


def _detectable(shown: Detectable) -> dict[str, Any]:
    return asdict(shown) | {"too_coarse": shown.too_coarse, "sentence": shown.sentence}


def _absent(arm: ArmCells) -> Absent:
    cause = (arm.reason or "").split("\n", 1)[0]
    return Absent(arm.name, arm.family, f"{'failed' if arm.status == 'failed' else 'is not complete'} ({cause})")


def _task(record: RunRecord, settings: TaskFile, clusters: Clusters) -> dict[str, Any]:
    decision = settings.decision
    return {
        "name": record.task_name,
        "instruction": settings.instruction,
        "answer": settings.answer,
        "metric": record.metric,
        "extraction": settings.extraction,
        "labels": list(record.labels),
        "train_rows": record.train_rows,
        "eval_rows": len(record.eval_ids),
        "eval_clusters": clusters.count,
        "documents": record.documents,
        "hashes": record.hashes,
        "notes": list(record.notes),
        "minimum_gain": decision.minimum_gain,
        "confidence": decision.confidence,
        "requests_per_month": decision.requests_per_month,
        "horizon_months": decision.horizon_months,
        "embedder": settings.embedder,
    }


def _model(model: ModelRecord | None) -> dict[str, Any] | None:
    return None if model is None else asdict(model)


def _version(record: RunRecord) -> str:
    """Return the version that made the run."""
    if "tuneworthy" in record.versions:
        return record.versions["tuneworthy"]
    try:
        return version("tuneworthy")
    except PackageNotFoundError:
        return "unknown"
