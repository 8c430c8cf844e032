"""Whether a run may go where it's to go."""

from pathlib import Path

from evals.errors import UsageError


def check_free(folder: Path) -> None:
    """Raise ``UsageError`` unless ``folder`` doesn't exist yet or is empty: a run writes over nobody's files."""
    if (folder / "run.json").exists():
        raise UsageError(f"{folder} holds a run already; go on with it by --resume {folder}, or give another --out")
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--out {folder} is a file; give a folder that doesn't exist yet")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"--out {folder} holds other files already; give a folder that doesn't exist yet")


def check_names(*paths: Path) -> None:
    """Raise ``UsageError`` for a path that can't be written down in ``run.json``."""
    for path in paths:
        try:
            str(path.resolve()).encode()
        except UnicodeEncodeError:
            shown = ascii(str(path.resolve()))[1:-1]
            raise UsageError(f"{shown}: the name holds bytes that are no UTF-8; rename it") from None
