"""All benchmarks that run on a CPU, one after the other; what has a result already isn't measured again.

::

    python -m benchmarks [--data FOLDER] [--fresh] [--only scoring-rag-135M-cpu …]

Each piece of work runs in a process of its own, so one that fails doesn't stop the others.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import RESULTS

PLAN: dict[str, tuple[str, ...]] = {
    **{
        f"scoring-{work}-{model}-cpu": ("scoring", "--model", model, "--work", work, "--pairs", pairs, "--rows", rows)
        for model, work, pairs, rows in (
            ("135M", "labels77", "2", "24"),
            ("135M", "labels6", "3", "64"),
            ("135M", "short", "3", "64"),
            ("135M", "rag", "2", "520"),
            ("builtin", "labels77", "3", "64"),
            ("builtin", "labels6", "3", "64"),
            ("builtin", "short", "3", "64"),
            ("builtin", "rag", "3", "520"),
        )
    },
    **{
        f"training-{method}-{shape}-cpu": (
            "training",
            *("--method", method, "--shape", shape, "--steps", steps, "--batch", batch, "--pairs", pairs),
        )
        for method, shape, steps, batch, pairs in (
            ("lora", "15M", "5", "16", "3"),
            ("qlora", "15M", "5", "16", "3"),
            ("lora", "135M", "3", "8", "2"),
            ("qlora", "135M", "3", "8", "2"),
        )
    },
    "retrieval-passages": ("retrieval", "--vectors"),
    "retrieval-vectors": ("retrieval", "--passages"),
    "whole-help": ("whole_job", "--part", "help"),
    "large-report": ("whole_job", "--part", "report"),
    "whole-demo": ("whole_job", "--part", "demo"),
}
TAKES_DATA = ("scoring",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is missing; return 1 when a piece of work failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of data sets; default: made rows of like lengths")
    parser.add_argument("--fresh", action="store_true", help="measure again what has a result")
    parser.add_argument("--only", nargs="+", choices=tuple(PLAN), help="these pieces of work only")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    failed = []
    begun = time.monotonic()
    for name, (module, *options) in PLAN.items():
        if asked.only and name not in asked.only:
            continue
        if (asked.out / f"{name}.json").exists() and not asked.fresh:
            print(f"{name}: has a result (--fresh measures again)", flush=True)
            continue
        if module in TAKES_DATA and asked.data is not None:
            options += ["--data", str(asked.data)]
        command = [sys.executable, "-m", f"benchmarks.{module}", *options, "--out", str(asked.out)]
        started = time.monotonic()
        done = subprocess.run(command, env=os.environ | {"TOKENIZERS_PARALLELISM": "false"}, check=False)
        seconds = time.monotonic() - started
        print(f"{name}: {'done' if done.returncode == 0 else 'FAILED'} in {seconds:.0f} s", flush=True)
        if done.returncode:
            failed.append(name)
    print(f"{(time.monotonic() - begun) / 60:.1f} minutes; failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
