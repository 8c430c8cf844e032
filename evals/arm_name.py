"""An arm's name: what it does and, after an ``@``, which of the task's ``models:`` does it (``few_shot@big``)."""

from dataclasses import replace

from evals.errors import RunError
from evals.task import Task

AT = "@"


def arm_kind(name: str) -> str:
    """Return the part of an arm's name that says what it does."""
    return name.partition(AT)[0]


def arm_alias(name: str) -> str | None:
    """Return what the arm's model is called in ``models:``; None for the task's own ``model:``."""
    return name.partition(AT)[2] or None


def task_of(task: Task, name: str) -> Task:
    """Return ``task`` as the arm ``name`` sees it: with the arm's model as the model.

    Raises ``RunError`` when the task knows no such model.
    """
    alias = arm_alias(name)
    if alias is None:
        return task
    if alias not in task.settings.models:
        raise RunError(f"the arm {name} needs the model {alias!r}, which models: doesn't name")
    return replace(task, settings=task.settings.model_copy(update={"model": task.settings.models[alias]}))
