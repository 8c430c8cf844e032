"""Which arms there are, and which of them a run takes.

The rooms list their own arms; this module joins the lists, so that the runner needs to know none of
them. It is imported only when a run is planned, since the arms bring torch with them.
"""

import difflib
from collections.abc import Sequence

from baselines.arms import ARMS as BASELINE_ARMS
from evals.errors import UsageError
from evals.protocols import Arm
from evals.record import PlannedArm
from evals.task import Task
from finetune.arms import ARMS as TUNE_ARMS

ARMS: dict[str, type[Arm]] = {**BASELINE_ARMS, **TUNE_ARMS}
DEFAULT = ("majority", "nearest", "logistic", "zero_shot", "few_shot", "rag", "qlora")
ADAPTER = "adapter"


def plan_arms(
    task: Task, *, seeds: int, with_adapter: bool, names: Sequence[str] | None = None
) -> tuple[tuple[PlannedArm, ...], dict[str, str]]:
    """Return the arms to run, in the order of ``ARMS``, and those that don't fit with the reason.

    ``names`` (default: the task's own, else the default set) may be ``["all"]``. Raises
    ``UsageError`` for a name that doesn't exist, and when an arm asked for by name doesn't fit.
    """
    asked = list(names if names is not None else task.settings.arms or DEFAULT)
    by_name = names is not None or task.settings.arms is not None
    if "all" in asked:
        asked, by_name = [name for name in ARMS if name != ADAPTER], False
    for name in asked:
        if name not in ARMS:
            near = difflib.get_close_matches(name, ARMS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise UsageError(f"unknown arm {name!r}: {hint}The arms are {', '.join(ARMS)}, or all")
    if with_adapter and ADAPTER not in asked:
        asked.append(ADAPTER)
    if ADAPTER in asked and not with_adapter:
        raise UsageError(f"the arm {ADAPTER!r} needs --adapter DIR, the folder of a trained adapter")
    planned, skipped = [], {}
    for name, arm in ARMS.items():
        if name not in asked:
            continue
        reason = arm.unfit(task)
        if reason is None:
            planned.append(PlannedArm(name, arm.family, tuple(range(seeds)) if arm.seeded else (0,)))
        elif by_name:
            raise UsageError(f"the arm {name!r} doesn't fit this task: {reason}")
        else:
            skipped[name] = reason
    if not planned:
        raise UsageError("no arm is left to run: none of those asked for fits the task")
    return tuple(planned), skipped
