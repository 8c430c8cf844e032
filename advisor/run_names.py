"""The names of a run's files, which ``run.json`` and the report have to write down."""

from pathlib import Path

from evals.errors import UsageError


def check_names(*paths: Path) -> None:
    """Raise ``UsageError`` for a path that isn't UTF-8, so that no file could hold it."""
    for path in paths:
        try:
            str(path.resolve()).encode()
        except UnicodeEncodeError:
            shown = ascii(str(path.resolve()))[1:-1]
            raise UsageError(f"{shown}: the name holds bytes that are no UTF-8; rename it") from None
