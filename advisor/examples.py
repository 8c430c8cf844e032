"""The example tasks that the demo runs, wherever tuneworthy is installed.

In a checkout (and an editable install) they are the folders of ``examples/``; a wheel carries a copy of
that folder inside this package, as ``demo_tasks/``. Nothing is ever written there.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path

from evals.errors import TuneworthyError, UsageError

DEMO = ("policy-qa", "ticket-coding", "order-format")
"""The tasks of the demo, in the order they are run."""

IN_WHEEL = "demo_tasks"
"""The folder beside this file that a wheel has the examples in."""


def demo_tasks(package: Path = Path(__file__).parent) -> dict[str, Path]:
    """Return the folders of the demo's tasks by name; ``package`` is the folder of this package.

    Raises ``TuneworthyError`` when one isn't there.
    """
    shipped = package / IN_WHEEL
    home = shipped if shipped.is_dir() else package.parent / "examples"
    folders = {name: home / name for name in DEMO}
    missing = [name for name, folder in folders.items() if not (folder / "task.yaml").is_file()]
    if missing:
        raise TuneworthyError(
            f"{home} lacks the example {missing[0]}; install tuneworthy again, or run in its checkout"
        )
    return folders


def choose_task(tasks: Mapping[str, Path], name: str | None) -> dict[str, Path]:
    """Return all of ``tasks``, or the one called ``name``. Raises ``UsageError`` with the nearest name."""
    if name is None:
        return dict(tasks)
    if name in tasks:
        return {name: tasks[name]}
    near = difflib.get_close_matches(name, tasks, n=1, cutoff=0.4)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    raise UsageError(f"the demo has no task {name!r}{hint}; its tasks are {', '.join(tasks)}")
