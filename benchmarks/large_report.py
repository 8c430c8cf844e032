"""Time and memory of a report of many predictions: ``python -m benchmarks.large_report RUN [--rows 100000 --arms 8]``.

RUN is any finished run. Its rows are repeated under new ids until there are enough, prompts and all; arms that lack
are copies of its own. Then ``tuneworthy report`` runs on that as a process of its own.
"""

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import RESULTS, machine, versions, write_result
from evals.cell import CellFolder
from evals.record import PlannedArm, RunRecord, read_record

GOAL_SECONDS, GOAL_MB = 60.0, 1000.0


def grow(source: Path, target: Path, rows: int, arms: int) -> None:
    """Write a run like ``source`` with so many eval rows and arms into ``target``."""
    record = read_record(source)
    plan = [record.arms[place % len(record.arms)] for place in range(arms)]
    named = [
        PlannedArm(arm.name if place < len(record.arms) else f"{arm.name}_{place}", arm.family, arm.seeds[:1])
        for place, arm in enumerate(plan)
    ]
    ids = tuple(f"row-{number:07}" for number in range(rows))
    _write(record, target, named, ids)
    for arm, copy in zip(plan, named, strict=True):
        cell = CellFolder(source, arm.name, arm.family, arm.seeds[0]).read()
        folder = CellFolder(target, copy.name, copy.family, copy.seeds[0])
        shutil.copytree(cell.folder, folder.folder, ignore=shutil.ignore_patterns("adapter", "model", "*.jsonl"))
        with folder.predictions.open("w", encoding="utf-8") as file:
            for number, id_ in enumerate(ids):
                row = dataclasses.replace(cell.predictions[number % len(cell.predictions)], id=id_)
                file.write(row.to_line() + "\n")


def _write(record: RunRecord, target: Path, arms: Sequence[PlannedArm], ids: tuple[str, ...]) -> None:
    target.mkdir(parents=True)
    dataclasses.replace(record, arms=tuple(arms), eval_ids=ids, curve=(), advice=None).write(target)


def main(arguments: Sequence[str] | None = None) -> None:
    """Grow a run, report on it, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--arms", type=int, default=8)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        grow(asked.run, run, asked.rows, asked.arms)
        size = sum(path.stat().st_size for path in run.rglob("*.jsonl")) / 1e6
        command = [sys.executable, "-m", "advisor.cli", "report", str(run)]
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, code, used = os.wait4(process.pid, 0)  # of this process alone: other children were larger
        if code:
            raise SystemExit(f"{' '.join(command)} failed")
        seconds = time.monotonic() - started
        peak = used.ru_maxrss * 1024 / 1e6
        figures = {
            "work": f"report of {asked.rows:,} rows and {asked.arms} arms",
            "unit": "seconds",
            "ours": round(seconds, 1),
            "peer": None,
            "ratio": None,
            "goal": GOAL_SECONDS,
            "peak_memory_mb": round(peak, 1),
            "goal_memory_mb": GOAL_MB,
            "predictions_mb": round(size, 1),
            "page_mb": round((run / "report.html").stat().st_size / 1e6, 2),
            "results_mb": round((run / "results.json").stat().st_size / 1e6, 2),
            "runs": [round(seconds, 1)],
            "differing_rows": None,
            "versions": versions("numpy", "jinja2", "matplotlib", "pydantic"),
            "machine": machine("cpu"),
        }
    print(json.dumps(figures, indent=1))
    write_result("large-report", figures, asked.out)


if __name__ == "__main__":
    main()
