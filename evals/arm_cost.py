"""What an arm took, as its cells measured it: time, tokens, memory, latency, size."""

from dataclasses import asdict
from typing import Any

import numpy as np

from evals.arm_cells import ArmCells
from evals.figure import average, figure
from evals.latency import Latency
from evals.row_order import BATCH_ROWS

LATENCY_BASIS = f"share of a batch of up to {BATCH_ROWS} rows"
"""What a row's time is: rows are answered in batches, so no row's own time is known."""


def arm_cost(arm: ArmCells) -> dict[str, Any]:
    """Return the arm's cost entry: seconds, tokens, milliseconds, MB of 10⁶ bytes.

    ``single`` are requests asked one at a time, cold and warm (``evals.latency``), averaged over the seeds.
    ``cached_rows`` were answered from the cache; no time is told of them, whatever they took when they were computed.
    """
    rows = list(arm.all_rows())
    computed = [row for row in rows if not row.cached]
    fits = [cell.fit for cell in arm.cells if cell.fit is not None]
    costs = [cell.cost for cell in arm.cells if cell.cost is not None]
    peaks = [cost.peak_memory_mb for cost in costs if cost.peak_memory_mb is not None]
    sizes = [cost.artefact_mb for cost in costs if cost.artefact_mb is not None]
    times = np.array([row.ms for row in computed])
    return {
        "fit_seconds": figure(sum(fit.seconds for fit in fits)),
        "train_tokens": sum(fit.train_tokens for fit in fits),
        "prompt_tokens": sum(row.prompt_tokens for row in rows),
        "completion_tokens": sum(row.completion_tokens for row in rows),
        "prompt_tokens_mean": figure(average(row.prompt_tokens for row in rows)),
        "completion_tokens_mean": figure(average(row.completion_tokens for row in rows)),
        "shared_prefix": figure(arm.shared_prefix),
        "latency_basis": LATENCY_BASIS,
        "latency_ms_p50": figure(float(np.percentile(times, 50))) if computed else None,
        "latency_ms_p95": figure(float(np.percentile(times, 95))) if computed else None,
        "single": _single([cost.latency for cost in costs if cost.latency is not None]),
        "single_problem": next((cost.latency_problem for cost in costs if cost.latency_problem is not None), None),
        "peak_memory_mb": figure(max(peaks)) if peaks else None,
        "artefact_mb": figure(max(sizes)) if sizes else None,
        "answer_seconds": figure(float(times.sum()) / 1000) if rows else None,
        "cached_rows": len(rows) - len(computed),
    }


def mean_tokens(arm: ArmCells) -> float:
    """Return the tokens of a prediction, prompt and completion together, on average."""
    return average(row.prompt_tokens + row.completion_tokens for row in arm.all_rows()) or 0.0


def _single(latencies: list[Latency]) -> dict[str, float | None] | None:
    """Return the mean over cells of each figure, and the requests timed in all; None where none was."""
    if not latencies:
        return None
    entries = [asdict(latency) for latency in latencies]
    keys = [key for key in entries[0] if key.endswith(("_p50", "_p95"))]
    means = {key: figure(average(entry[key] for entry in entries)) for key in keys}
    return {"rows": sum(latency.rows for latency in latencies)} | means
