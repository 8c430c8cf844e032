"""``tuneworthy demo`` as typer sees it; ``cli.py`` prints what it returns."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evals.errors import UsageError


def demo(
    task: Annotated[str | None, typer.Argument(help="One of the example tasks; default: all of them.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Every arm that fits, three seeds instead of one.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the runs; default runs/demo-TIME.")] = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with the demo in this folder.")] = None,
    model: Annotated[str | None, typer.Option(help="Hub name, local folder, or builtin.")] = None,
    embedder: Annotated[str | None, typer.Option(help="sentence-transformers name or folder, or builtin.")] = None,
) -> object:
    """Run the example tasks, and set their verdicts side by side."""
    if resume is not None and any([task, full, out, model, embedder]):
        raise UsageError("--resume takes everything from the demo's folder: give no task and no other option")
    from rich.console import Console

    from advisor.demo import incomplete, resume_demo, run_demo, start_demo
    from advisor.examples import choose_task, demo_tasks
    from advisor.progress import DemoProgress
    from reports.demo_summary import DemoSummary

    options: dict[str, Any] = {"full": full, "out": out, "model": model, "embedder": embedder}
    begun = resume_demo(resume) if resume else start_demo(choose_task(demo_tasks(), task), **options)
    outcomes = run_demo(begun, DemoProgress(Console(stderr=True)))
    pages = [f"Report of {one.name}: {begun.folder / one.name / 'report.html'}" for one in outcomes]
    shown = (DemoSummary(outcomes), *pages, f"All of them: {begun.folder / 'index.html'}")
    return *shown, incomplete(begun, outcomes)
