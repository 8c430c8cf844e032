"""Kills a run at random moments, resumes it, and compares what comes out with a run that nobody killed.

    python -m tests.killed_run FOLDER --kills 20 --seed 0

It prints one JSON object: how many kills hit which part of a run, and what differed (nothing, it is to be hoped).
Each attempt is a process of its own, forked from one that has the libraries loaded already, and ended by SIGKILL.
"""

import argparse
import contextlib
import gc
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from tests.small_task import write_task
from tests.tiny_models import save_tiny

ARMS = "nearest,few_shot,rag,qlora,scratch"
TIMES = {"fit_seconds", "answer_seconds", "training_seconds", "seconds", "latency_ms_p50", "latency_ms_p95"}
TIMES |= {"peak_memory_mb", "single", "economics", "created", "command", "ms", "out"}


def without_times(value):
    """Return ``value`` with everything removed that a clock or the machine's memory decides."""
    if isinstance(value, dict):
        return {key: without_times(item) for key, item in value.items() if key not in TIMES}
    return [without_times(item) for item in value] if isinstance(value, list) else value


def outcome(run):
    """Return all that a run decided: results, every answer, the trained weights."""
    results = json.loads((run / "results.json").read_text())
    found = {"results": without_times(results)}
    for path in sorted(run.glob("cells/*/predictions.jsonl")):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        found[str(path.relative_to(run))] = without_times(rows)
    for path in sorted(run.glob("cells/*/*/*.safetensors")):
        found[str(path.relative_to(run))] = path.read_bytes().hex()
    found["files"] = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    return found


def attempt(arguments, after=None):
    """Run the command line in a forked process; kill it ``after`` seconds. Return its exit code, None if killed."""
    child = os.fork()
    if not child:
        code = 1
        try:
            from advisor.cli import main

            sys.argv = ["tuneworthy", *map(str, arguments)]
            with open(os.devnull, "w") as nothing, contextlib.redirect_stdout(nothing):
                main()
        except SystemExit as end:
            code = end.code or 0
        finally:
            os._exit(code)
    deadline = None if after is None else time.monotonic() + after
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if deadline is not None and time.monotonic() >= deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.002)


def place(run):
    """Return which part of a run a kill has hit, as far as its folder tells."""
    if not (run / "run.json").exists():
        return "before the first arm"
    for cell in sorted(run.glob("cells/*")):
        if not (cell / "cost.json").exists():
            if (cell / "training").exists() and not (cell / "fit.json").exists():
                return "training with a checkpoint" if (cell / "training/checkpoint.pt").exists() else "training"
            return "answering and timing" if (cell / "fit.json").exists() else "fitting"
    return "between cells, or writing the results"


def load_libraries():
    """Import what a run imports, once for all attempts, and leave it out of their garbage collections."""
    import bitsandbytes  # noqa: F401
    import matplotlib.backends.backend_svg  # noqa: F401
    import peft  # noqa: F401
    import sklearn.linear_model  # noqa: F401
    import transformers.trainer  # noqa: F401

    import advisor.run_command  # noqa: F401
    import finetune.answer_trainer  # noqa: F401
    import reports.writer  # noqa: F401

    gc.collect()
    gc.freeze()


def use_cache(folder):
    """Let the runs from here on keep answers in ``folder``: a run that is killed shares none with another."""
    os.environ["TUNEWORTHY_CACHE"] = str(folder.absolute())


def kill_often(folder, kills, seed, arms=ARMS, epochs=40):
    """Kill runs ``kills`` times in all, each at a moment drawn from the run's length; return the findings."""
    tune = f"tune: {{epochs: {epochs}, batch_size: 8, rank: 4, dropout: 0.1, max_train_tokens: 1000000}}\n"
    model, task = save_tiny(folder / "model"), write_task(folder / "task", eval_rows=150, extra=tune)
    load_libraries()
    start = ("run", task, "--model", model, "--arms", arms)
    use_cache(folder / "cache-whole")
    began = time.monotonic()
    if attempt((*start, "--out", folder / "whole")) != 0:
        raise SystemExit("the run that nobody kills failed")
    length = time.monotonic() - began
    expected = outcome(folder / "whole")
    dice, places, differing, runs = random.Random(seed), Counter(), [], 0
    while places.total() < kills:
        run, runs = folder / f"cut{runs}", runs + 1
        use_cache(folder / f"cache-{run.name}")
        while True:
            resumed = (run / "run.json").exists()
            command = ("run", "--resume", run) if resumed else (*start, "--out", run)
            left = kills - places.total()
            code = attempt(command, dice.uniform(0, length / 2) if left else None)
            if code is not None:
                break
            places[place(run)] += 1
            if not (run / "run.json").exists():
                shutil.rmtree(run, ignore_errors=True)
        found = outcome(run) if code == 0 else {"exit code": code}
        differing += [f"{run.name}: {name}" for name in expected | found if expected.get(name) != found.get(name)]
    return {"seconds": length, "kills": places.total(), "places": dict(places), "runs": runs, "differing": differing}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--arms", default=ARMS)
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    os.environ["HF_HUB_OFFLINE"] = "1"
    sys.stdout.write(json.dumps(kill_often(given.folder, given.kills, given.seed, given.arms, given.epochs), indent=1))
