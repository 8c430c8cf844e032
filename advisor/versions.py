"""What a resumed run says of libraries whose versions have changed since it began.

It isn't refused: an update in the middle of a long comparison shouldn't cost what is done. But two halves of a run that
other code computed may differ, so the run says so, on the screen and in its report.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from advisor.machine import installed_versions
from evals.cell import CellFolder
from evals.record import RunRecord


def with_news(run: Path, record: RunRecord) -> RunRecord:
    """Return the record of a run that is resumed, with a note on changed versions if cells are still to be done."""
    note = versions_note(record.versions) if unfinished(run, record) else None
    return record if note is None or note in record.notes else replace(record, notes=(*record.notes, note))


def versions_note(then: Mapping[str, str], now: Mapping[str, str] | None = None) -> str | None:
    """Return the sentence on what has changed since a run began with ``then``; None when nothing has."""
    now = installed_versions() if now is None else now
    changed = [
        f"{name} {before}, now {now[name]}"
        for name, before in then.items()
        if name in now and _decisive(name, before) != _decisive(name, now[name])
    ]
    if not changed:
        return None
    what = "; ".join(changed)
    return f"other versions than the run began with ({what}): arms done since then may differ for that alone"


def unfinished(run: Path, record: RunRecord) -> bool:
    """Tell whether any cell of the run is still to be done."""
    cells = [CellFolder(run, arm.name, arm.family, seed) for arm in record.arms for seed in arm.seeds]
    cells += [point.cell(run, seed) for point in record.curve for seed in point.seeds]
    return not all(cell.complete for cell in cells)


def _decisive(name: str, version: str) -> str:
    """Return the part of a version that results may depend on: of Python's own, the first two numbers."""
    return ".".join(version.split(".")[:2]) if name == "python" else version
