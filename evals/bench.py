"""What all cells of a run share, and how one arm sees it: with the model that its name asks for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from evals.arm_name import arm_alias, task_of
from evals.forgetting import GeneralSet, base_file
from evals.protocols import Arm, Embedder, LanguageModel
from evals.task import Task


@dataclass(frozen=True)
class NamedModel:
    """One of the task's ``models:``, loaded on first use; ``general`` is what its tuned copies are asked besides."""

    load: Callable[[], LanguageModel]
    general: GeneralSet | None = None


@dataclass(frozen=True)
class Bench:
    """What all cells of a run share: the task, the arms by name, and the engine, loaded on first use.

    ``models`` are the task's further models by their names; ``general_file`` is where the base's general answers go.
    """

    run: Path
    task: Task
    arms: Mapping[str, type[Arm]]
    model: Callable[[], LanguageModel]
    embedder: Callable[[], Embedder]
    adapter: Path | None = None
    general: GeneralSet | None = None
    models: Mapping[str, NamedModel] = field(default_factory=dict)
    general_file: str = base_file(None)

    def of_arm(self, name: str) -> "Bench":
        """Return the bench as the arm ``name`` sees it. Raises ``RunError`` for a model that the task doesn't name."""
        task, alias = task_of(self.task, name), arm_alias(name)
        if alias is None:
            return self
        own = self.models[alias]
        return replace(self, task=task, model=own.load, general=own.general, general_file=base_file(alias))
