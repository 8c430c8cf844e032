"""Which arms there are, and which of them a run takes.

The rooms list their own arms; this module joins the lists, so that the runner needs to know none of
them. It is imported only when a run is planned, since the arms bring torch with them.
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from baselines.arms import ARMS as BASELINE_ARMS
from evals.arm_name import AT, arm_alias, arm_kind, task_of
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
        _check_name(name, f"{task.file}:{_line(task.file, place)}: ", task)
    for name in names or ():
        _check_name(name, "--arms: ", task)
    if names is not None and not names:
        raise UsageError(f"--arms names no arm; the arms are {', '.join(ARMS)}, or all")
    chosen = names if names is not None else task.settings.arms
    if chosen is None and task.settings.models:
        one = next(iter(task.settings.models))
        raise UsageError(f"models: names models, and no arm says which it takes; give arms, as in few_shot@{one}")
    everything = chosen is not None and ALL in chosen
    asked = set(DEFAULT if chosen is None else chosen)
    if everything:
        asked = (asked - {ALL}) | (set(ARMS) - {ADAPTER})
    if with_adapter and not any(arm_kind(name) == ADAPTER for name in asked):
        asked.add(ADAPTER)
    if any(arm_kind(name) == ADAPTER for name in asked) and not with_adapter:
        raise UsageError(f"the arm {ADAPTER!r} needs --adapter DIR, the folder of a trained adapter")
    planned, skipped = [], []
    for name in sorted(asked, key=lambda name: _place(name, task)):
        arm = ARMS[arm_kind(name)]
        reason = arm.unfit(task_of(task, name))
        if reason is None:
            planned.append(PlannedArm(name, arm.family, tuple(range(seeds)) if arm.seeded else (0,)))
        elif chosen is not None and name in chosen:
            raise UsageError(f"the arm {name!r} doesn't fit this task: {reason}")
        else:
            skipped.append(SkippedArm(name, arm.family, reason))
    return Lineup(tuple(planned), tuple(skipped))


def _place(name: str, task: Task) -> tuple[int, int]:
    """Return where an arm stands in a run: in the order of ``ARMS``, then in that of ``models:``."""
    alias = arm_alias(name)
    models = [None, *task.settings.models]
    return list(ARMS).index(arm_kind(name)), models.index(alias)


def listing() -> str:
    """Return one line per arm: name, family, whether it's in the default set, and what it does."""
    lines = []
    for name, arm in ARMS.items():
        doc = (arm.__doc__ or "").strip().splitlines()[0].replace("``", "`")
        lines.append(f"{name:<17} {arm.family:<8} {'default  ' if name in DEFAULT else '         '}{doc}")
    return "\n".join(lines)


def _check_name(name: str, where: str, task: Task) -> None:
    """Raise ``UsageError`` for a name that no arm has, with the nearest that one has, and for an unknown model."""
    kind, alias = arm_kind(name), arm_alias(name)
    if kind not in ARMS and name != ALL:
        near = difflib.get_close_matches(kind, ARMS, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise UsageError(f"{where}unknown arm {kind!r}{hint}; the arms are {', '.join(ARMS)}, or all")
    if AT not in name:
        return
    if alias not in task.settings.models:
        known = f"models: names {', '.join(task.settings.models)}" if task.settings.models else "there is no models:"
        raise UsageError(f"{where}the arm {name!r} asks for the model {alias or ''!r}; {known}")
    if "model" not in ARMS[kind].uses:
        raise UsageError(f"{where}the arm {kind!r} uses no language model; leave out @{alias}")


def _line(file: Path, place: int) -> int:
    """Return the line of the task file on which the arm number ``place`` (from 0) stands."""
    lines = read_yaml(file).lines if file.is_file() else {}
    return lines.get(("arms", place), lines.get(("arms",), 1))
