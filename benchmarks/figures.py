"""What a benchmark leaves: one JSON file for each piece of work, and what it was measured with."""

import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

RESULTS = Path(__file__).parent / "results"


def versions(*packages: str) -> dict[str, str]:
    """Return the installed versions of ``packages``, and Python's; what isn't installed is left out."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine(device: str = "cpu") -> dict[str, Any]:
    """Return in words and numbers what the figures were measured on."""
    import torch

    facts: dict[str, Any] = {"processor": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()}
    if device == "cuda":
        facts |= {"gpu": torch.cuda.get_device_name(0), "cuda": torch.version.cuda}
    return facts


def write_result(name: str, figures: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write ``figures`` to ``folder/name.json``, whole or not at all, and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(beside, path)
    return path


def paired(ours: Sequence[float], peer: Sequence[float], *, smaller_is_better: bool) -> dict[str, Any]:
    """Return the medians of paired runs and the median of the pairs' ratios (how many times better ours is)."""
    ratios = [b / a if smaller_is_better else a / b for a, b in zip(ours, peer, strict=True)]
    return {
        "ours": _short(median(ours)),
        "peer": _short(median(peer)),
        "ratio": _short(median(ratios)),
        "runs": [{"ours": _short(a), "peer": _short(b)} for a, b in zip(ours, peer, strict=True)],
    }


def _short(number: float) -> float:
    return float(f"{number:.5g}")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
