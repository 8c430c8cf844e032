"""What a user waits for: the front door, a report of many predictions, the demo.

::

    python -m benchmarks.whole_job [--part help] [--part report] [--part demo] [--rows 100000]

The report is ``benchmarks.large_report`` on a run of two prompting arms of an example. Peak memory is the largest
resident set of the process, looked at 50 times a second.
"""

import argparse
import os
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

from benchmarks import large_report
from benchmarks.figures import RESULTS, machine, versions, write_result

ROOT = Path(__file__).parents[1]
GOALS = {"help": 0.4, "demo": 300.0}
HELPS = 7


def tuneworthy(*arguments: str, cache: str = "off") -> tuple[float, float]:
    """Run the command, which keeps what it may keep between runs in ``cache``; return seconds and peak memory in MB.

    Raises ``SystemExit`` when it fails.
    """
    command = [sys.executable, "-m", "advisor.cli", *arguments]
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        own = os.environ | {"TUNEWORTHY_CACHE": cache}
        process = psutil.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT, env=own)
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


def measure_report(rows: int, out: Path) -> None:
    """Measure a report of ``rows`` predictions of each of eight arms, made from a small real run."""
    with tempfile.TemporaryDirectory() as place:
        run = Path(place) / "run"
        tuneworthy("run", str(ROOT / "examples" / "ticket-coding"), "--arms", "few_shot,rag", "--out", str(run))
        large_report.main([str(run), "--rows", str(rows), "--out", str(out)])


def measure_demo() -> dict[str, Any]:
    """Return time and memory of the demo, which finds nothing in the cache."""
    with tempfile.TemporaryDirectory() as place:
        seconds, memory = tuneworthy("demo", "--out", str(Path(place) / "demo"), cache=str(Path(place) / "cache"))
    return {"seconds": round(seconds, 1), "peak_memory_mb": round(memory)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write one result for each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", action="append", choices=(*GOALS, "report"))
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    works = {
        "help": ("tuneworthy --help", measure_help),
        "demo": ("tuneworthy demo, two cores", measure_demo),
    }
    if not asked.part or "report" in asked.part:
        measure_report(asked.rows, asked.out)
    for part, (title, measure) in works.items():
        if asked.part and part not in asked.part:
            continue
        found = measure()
        if "peak_memory_mb" in found:
            title += f"; peak memory {found['peak_memory_mb']:,} MB"
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
