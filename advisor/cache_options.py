"""The commands ``cache info`` and ``cache clear`` as typer sees them; ``cli.py`` prints what they return."""

import json
from typing import Annotated

import typer

from evals.cache_folder import FOLDER, ROOM, CachePlace, cache_place
from evals.errors import UsageError

NO_CACHE_HELP = "Compute every answer anew; read and keep none in the cache (`tuneworthy cache info`)."

app = typer.Typer(
    name="cache",
    help="Show or empty what is kept between runs.\n\nAnswers of models, and vectors of passages.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.command()
def info(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a few lines.")] = False,
) -> str:
    """Show where the cache is, what it takes and what it holds."""
    from evals.cache_contents import read_contents

    found = read_contents(_place())
    if as_json:
        kinds = {kind.name: {"entries": kind.entries, "bytes": kind.bytes} for kind in found.kinds}
        facts = {"schema": 1, "folder": str(found.folder), "bytes": found.bytes, "limit_bytes": found.room}
        return json.dumps(facts | {"entries": found.entries, "kinds": kinds}, ensure_ascii=False, indent=1)
    lines = [
        f"Folder: {found.folder} (another one by {FOLDER}; {FOLDER}=off keeps nothing)",
        f"Size: {_megabytes(found.bytes)} of at most {_megabytes(found.room)} (another limit by {ROOM}=GB)",
        f"Entries: {found.entries:,}",
    ]
    lines += [f"  {kind.name}: {kind.entries:,}, {_megabytes(kind.bytes)}" for kind in found.kinds]
    return "\n".join(lines)


@app.command()
def clear() -> str:
    """Empty the cache; runs keep their own answers."""
    from evals.cache_contents import clear as empty

    place = _place()
    empty(place)
    return f"Emptied {place.folder}."


def _place() -> CachePlace:
    place = cache_place()
    if place is None:
        raise UsageError(f"the cache is switched off; unset {FOLDER}=off or {ROOM}=0, or set {FOLDER} to a folder")
    if place.folder.exists() and not place.folder.is_dir():
        raise UsageError(f"the cache's folder {place.folder} is a file; name another one by {FOLDER}")
    return place


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
