"""``tuneworthy check``: what is known of a task before anything is run; ``cli.py`` prints what it returns."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

GATE_HELP = "Share of eval rows that may leak, as near_duplicates=0.02; exit with 3 when more do. May be repeated."


def check(
    task: Annotated[Path, typer.Argument(help="A task.yaml, or the folder that holds one.")],
    gate: Annotated[list[str] | None, typer.Option(help=GATE_HELP)] = None,
    drop_overlap: Annotated[bool, typer.Option(help="Drop train rows that stand in the eval rows too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> object:
    """Check a task and its data before a run, without a model.

    Balance, leakage, and what its eval rows can show.
    """
    from advisor.arms import plan_arms
    from evals.leakage import gate_error
    from evals.load import load_task
    from evals.task_facts import task_facts
    from reports.task_facts import CheckedTask

    loaded = load_task(task, overrides=gate_settings(gate or ()), drop_overlap=drop_overlap)
    facts = task_facts(loaded)
    lineup = plan_arms(loaded, seeds=loaded.settings.seeds, with_adapter=False)
    arms = [arm.name for arm in lineup.planned]
    shown: object = CheckedTask(facts, arms, lineup.skipped)
    if as_json:
        told = dataclasses.asdict(facts) | {"arms": arms, "skipped": {arm.name: arm.reason for arm in lineup.skipped}}
        told |= told.pop("condition") | {"labels": {row.label: [row.train, row.eval] for row in facts.condition.labels}}
        told["detectable"]["sentence"] = facts.detectable.sentence
        shown = json.dumps(told, ensure_ascii=False, indent=1)
    return shown, gate_error(facts.leaks)


def gate_settings(gates: Sequence[str]) -> dict[str, object]:
    """Return ``near_duplicates=0.02`` and the like as settings of the task file. Raises ``UsageError``."""
    from evals.errors import UsageError
    from evals.task_file import Gates

    settings: dict[str, object] = {}
    for text in gates:
        kind, equals, share = text.partition("=")
        if not equals or kind.strip() not in Gates.model_fields:
            kinds = ", ".join(Gates.model_fields)
            raise UsageError(f"--gate {text}: give one of {kinds} and a share, as in near_duplicates=0.02")
        try:
            given = share.strip()
            settings[f"gates.{kind.strip()}"] = float(given.removesuffix("%")) / (100 if given.endswith("%") else 1)
        except ValueError:
            raise UsageError(f"--gate {text}: {share!r} is no share from 0 to 1, or percentage") from None
    return settings
