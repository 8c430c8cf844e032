"""Which points a curve is drawn from: training sizes of the arms that learn, numbers of shots and of passages."""

from collections.abc import Sequence

from evals.arm_name import arm_kind
from evals.curve_point import Axis, CurvePoint
from evals.errors import UsageError
from evals.nested import nested_sizes
from evals.record import PlannedArm
from evals.task import Task

LEARNERS = ("logistic", "nearest")
"""The classic arms whose curve costs next to nothing; every trained arm has one."""

SHOTS = (1, 2, 4, 8, 16, 32)
PASSAGES = (1, 2, 4, 8)
_BY_NUMBER: dict[Axis, tuple[str, tuple[int, ...]]] = {"shots": ("few_shot", SHOTS), "passages": ("rag", PASSAGES)}


def plan_curve(arms: Sequence[PlannedArm], task: Task, axes: Sequence[Axis]) -> tuple[CurvePoint, ...]:
    """Return the points to run beside the run's own cells, which are points themselves.

    Raises ``UsageError`` when no planned arm has a curve on any of the axes.
    """
    points = [point for axis in axes for point in _on(axis, arms, task)]
    if not points:
        wanted = "a trained arm, logistic or nearest (labels), few_shot (shots), rag (passages)"
        raise UsageError(f"--curve: no arm of this run has a curve on {', '.join(axes)}; it takes {wanted}")
    return tuple(points)


def _on(axis: Axis, arms: Sequence[PlannedArm], task: Task) -> list[CurvePoint]:
    if axis == "labels":
        trained = [arm for arm in arms if arm.family == "tune" and arm_kind(arm.name) != "adapter"]
        learners = [arm for arm in arms if arm.name in LEARNERS or arm in trained]
        sizes = nested_sizes(len(task.train))
        seeds = tuple(range(task.settings.seeds))  # which part of train is taken is chance, whatever the arm
        return [CurvePoint(arm.name, arm.family, axis, size, seeds) for arm in learners for size in sizes]
    name, numbers = _BY_NUMBER[axis]
    section = task.settings.few_shot if axis == "shots" else task.settings.rag
    own = section.k
    if section.try_k and any(arm_kind(arm.name) == name for arm in arms):
        raise UsageError(
            f"--curve: {name}.try_k leaves k to be chosen, so the run's own answers have no place on the curve; "
            f"give {name}.k instead"
        )
    if task.settings.instructions and any(arm_kind(arm.name) == name for arm in arms):
        raise UsageError(
            f"--curve: `instructions` are chosen anew at each point, so a curve by {axis} would mix their effect in; "
            "give one instruction, or --curve-axes labels"
        )
    most = len(task.train) if axis == "shots" else max(numbers)
    return [
        CurvePoint(arm.name, arm.family, axis, number, arm.seeds)
        for arm in arms
        if arm_kind(arm.name) == name
        for number in numbers
        if number != own and number <= most
    ]
