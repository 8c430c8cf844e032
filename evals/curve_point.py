"""One point of a curve: an arm run on a part of train, or with another number of shots or passages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveInt

from evals.cell import CellFolder
from evals.nested import nested_part
from evals.protocols import Family
from evals.task import Task

Axis = Literal["labels", "shots", "passages"]
AXES: tuple[Axis, ...] = ("labels", "shots", "passages")


@dataclass(frozen=True)
class CurvePoint:
    """An arm at one ``value`` of an axis: training rows, shots or passages."""

    arm: str
    family: Family
    axis: Axis
    value: PositiveInt
    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]

    def cell(self, run: Path, seed: int) -> CellFolder:
        """Return the folder of the point's cell for a seed."""
        return CellFolder(run, self.arm, self.family, seed, f"{self.axis}{self.value}")

    def task(self, task: Task, seed: int) -> Task:
        """Return ``task`` as this point has it; its eval rows stay what they are."""
        if self.axis == "labels":
            part = nested_part(task.train, self.value, seed, by_label=task.answer == "label")
            return replace(task, train=part)
        settings = task.settings
        section = "few_shot" if self.axis == "shots" else "rag"
        changed = getattr(settings, section).model_copy(update={"k": self.value, "try_k": None})
        return replace(task, settings=settings.model_copy(update={section: changed}))


def axes_named(text: str) -> tuple[Axis, ...]:
    """Return the axes in a comma-separated list. Raises ``ValueError`` with the words that are none."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in words if word not in AXES]
    if unknown or not words:
        raise ValueError(", ".join(unknown) or "nothing")
    return tuple(axis for axis in AXES if axis in words)


def sorted_points(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return points by axis, arm and value."""
    return sorted(points, key=lambda point: (AXES.index(point.axis), point.arm, point.value))
