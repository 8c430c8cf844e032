"""Which arms there are, and which of them a run takes.

The rooms list their own arms; this module joins the lists, so that the runner needs to know none of
them. It is imported only when a run is planned, since the arms bring torch with them.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from baselines.arms import ARMS as BASELINE_ARMS
from evals.errors import UsageError
from evals.protocols import Arm
from evals.record import PlannedArm, SkippedArm
from evals.task import Task
from evals.task_yaml import read_yaml
from finetune.arms import ARMS as TUNE_ARMS

ARMS: dict[str, type[Arm]] = {**BASELINE_ARMS, **TUNE_ARMS}
DEFAULT = ("majority", "nearest", "logistic", "zero_shot", "few_shot", "rag", "qlora")
ADAPTER = "adapter"
ALL = "all"


@dataclass(frozen=True)
class Lineup:
    """The arms that a run takes, in the order of ``ARMS``, and those that don't fit the task."""

    planned: tuple[PlannedArm, ...]
    skipped: tuple[SkippedArm, ...]


def plan_arms(task: Task, *, seeds: int, with_adapter: bool, names: Sequence[str] | None = None) -> Lineup:
    """Return the arms to run.

    ``names`` (default: the task's own, else the default set) may be ``["all"]``. Raises ``UsageError``
    for a name that doesn't exist, and when an arm asked for by name doesn't fit.
    """
    for place, name in enumerate(task.settings.arms or ()):
        _check_name(name, f"{task.file}:{_line(task.file, place)}: ")
    for name in names or ():
        _check_name(name, "--arms: ")
    if names is not None and not names:
        raise UsageError(f"--arms names no arm; the arms are {', '.join(ARMS)}, or all")
    chosen = names if names is not None else task.settings.arms
    everything = chosen is not None and ALL in chosen
    asked = set(DEFAULT if chosen is None else ARMS if everything else chosen)
    if everything:
        asked.discard(ADAPTER)
    if with_adapter:
        asked.add(ADAPTER)
    if ADAPTER in asked and not with_adapter:
        raise UsageError(f"the arm {ADAPTER!r} needs --adapter DIR, the folder of a trained adapter")
    planned, skipped = [], []
    for name, arm in ARMS.items():
        if name not in asked:
            continue
        reason = arm.unfit(task)
        if reason is None:
            planned.append(PlannedArm(name, arm.family, tuple(range(seeds)) if arm.seeded else (0,)))
        elif chosen is not None and not everything:
            raise UsageError(f"the arm {name!r} doesn't fit this task: {reason}")
        else:
            skipped.append(SkippedArm(name, arm.family, reason))
    return Lineup(tuple(planned), tuple(skipped))


def listing() -> str:
    """Return one line per arm: name, family, whether it's in the default set, and what it does."""
    lines = []
    for name, arm in ARMS.items():
        doc = (arm.__doc__ or "").strip().splitlines()[0].replace("``", "`")
        lines.append(f"{name:<17} {arm.family:<8} {'default  ' if name in DEFAULT else '         '}{doc}")
    return "\n".join(lines)


def _check_name(name: str, where: str) -> None:
    """Raise ``UsageError`` for a name that no arm has, with the nearest that one has."""
    if name in ARMS or name == ALL:
        return
    near = difflib.get_close_matches(name, ARMS, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise UsageError(f"{where}unknown arm {name!r}{hint}; the arms are {', '.join(ARMS)}, or all")


def _line(file: Path, place: int) -> int:
    """Return the line of the task file on which the arm number ``place`` (from 0) stands."""
    lines = read_yaml(file).lines if file.is_file() else {}
    return lines.get(("arms", place), lines.get(("arms",), 1))
