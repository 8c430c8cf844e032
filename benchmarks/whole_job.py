"""What a user waits for: the front door, a report of many predictions, the demo.

::

    python -m benchmarks.whole_job [--part help] [--part report] [--part demo] [--rows 100000]

The report's run folder is a real one (two quick arms of an example), its rows multiplied and its scores made anew for
eight arms. Peak memory is the largest resident set of the process, as the system counts it.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.figures import RESULTS, machine, versions, write_result

ROOT = Path(__file__).parents[1]
ARMS = {
    "majority": ("classic", 0.05),
    "nearest": ("classic", 0.35),
    "zero_shot": ("prompt", 0.4),
    "few_shot": ("prompt", 0.55),
    "rag": ("rag", 0.5),
    "lora": ("tune", 0.8),
    "qlora": ("tune", 0.79),
    "full": ("tune", 0.82),
}
GOALS = {"help": 0.4, "report": 60.0, "demo": 300.0}
HELPS = 7


def tuneworthy(*arguments: str) -> tuple[float, float]:
    """Run the command and return seconds and peak memory in MB. Raises ``SystemExit`` when it fails."""
    command = [sys.executable, "-m", "advisor.cli", *arguments]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = psutil.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
        peak = [0]

        def watch() -> None:
            while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                try:
                    peak[0] = max(peak[0], process.memory_info().rss)
                except psutil.Error:
                    return
                time.sleep(0.02)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        watcher.join()
        output.seek(0)
        if code:
            raise SystemExit(f"{' '.join(command)} ended with {code}:\n{output.read()[-2000:]}")
    return seconds, peak[0] / 1e6


def measure_help() -> dict[str, Any]:
    """Return how long ``tuneworthy --help`` takes."""
    runs = [tuneworthy("--help")[0] for _ in range(HELPS)]
    return {"seconds": round(median(runs), 3), "runs": [round(run, 3) for run in runs]}


def make_run(folder: Path, rows: int) -> None:
    """Make a run folder of ``rows`` eval rows and eight arms, out of a small real one."""
    tuneworthy("run", str(ROOT / "examples" / "ticket-coding"), "--arms", "majority,nearest", "--out", str(folder))
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    old = folder / "cells" / "nearest-0"
    lines = [json.loads(line) for line in (old / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = {name: (old / name).read_text(encoding="utf-8") for name in ("fit.json", "cost.json")}
    record["eval_ids"] = [f"row{number:06}" for number in range(rows)]
    record["arms"] = [{"name": name, "family": family, "seeds": [0]} for name, (family, _) in ARMS.items()]
    record["data"] = record["leaks"] = None
    (folder / "run.json").write_text(json.dumps(record), encoding="utf-8")
    draw = random.Random(0)
    for name, (_, right) in ARMS.items():
        cell = folder / "cells" / f"{name}-0"
        cell.mkdir(exist_ok=True)
        for file, text in kept.items():
            (cell / file).write_text(text, encoding="utf-8")
        with (cell / "predictions.jsonl").open("w", encoding="utf-8") as file:
            for number, id_ in enumerate(record["eval_ids"]):
                row = lines[number % len(lines)]
                score = float(draw.random() < right)
                answer = row["target"] if score else row["raw"]
                told = {"id": id_, "input": f"{row['input']} No. {number}.", "raw": answer, "extracted": answer}
                scores = dict.fromkeys(("score", "score_lenient", "score_strict"), score)
                file.write(json.dumps(row | told | scores, ensure_ascii=False) + "\n")


def measure_report(rows: int) -> dict[str, Any]:
    """Return time and memory of ``tuneworthy report`` on ``rows`` predictions of each of eight arms."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        make_run(folder, rows)
        seconds, memory = tuneworthy("report", str(folder))
        page = (folder / "report.html").stat().st_size / 1e6
    return {
        "seconds": round(seconds, 2),
        "peak_memory_mb": round(memory),
        "rows": rows,
        "arms": len(ARMS),
        "page_mb": round(page, 2),
    }


def measure_demo() -> dict[str, Any]:
    """Return time and memory of the demo."""
    with tempfile.TemporaryDirectory() as place:
        seconds, memory = tuneworthy("demo", "--out", str(Path(place) / "demo"))
    return {"seconds": round(seconds, 1), "peak_memory_mb": round(memory)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write one result for each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=tuple(GOALS))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    works = {
        "help": ("tuneworthy --help", measure_help),
        "report": (f"report of {asked.rows:,} predictions x {len(ARMS)} arms", lambda: measure_report(asked.rows)),
        "demo": ("tuneworthy demo, two cores", measure_demo),
    }
    for part, (title, measure) in works.items():
        if asked.part and part not in asked.part:
            continue
        found = measure()
        figures = {
            "work": title,
            "unit": "seconds",
            "ours": found["seconds"],
            "peer": None,
            "ratio": None,
            "goal": GOALS[part],
            "differing_rows": None,
            "runs": found,
            "versions": versions("numpy", "scipy", "jinja2", "typer", "torch"),
            "machine": machine(),
        }
        print(found, write_result(f"whole-{part}", figures, asked.out), flush=True)


if __name__ == "__main__":
    main()
