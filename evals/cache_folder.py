"""Where answers and vectors are kept between runs, and how much room they may take.

The folder is the user's cache folder (the XDG base directory specification): ``$TUNEWORTHY_CACHE``, else
``$XDG_CACHE_HOME/tuneworthy``, else ``~/.cache/tuneworthy``. ``TUNEWORTHY_CACHE=off`` keeps nothing.
"""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evals.errors import UsageError

FOLDER, ROOM = "TUNEWORTHY_CACHE", "TUNEWORTHY_CACHE_GB"
OFF = "off"
DEFAULT_GB = 4.0
"""Room for everything: half of it for answers, half for vectors."""

log = logging.getLogger("tuneworthy.cache")


@dataclass(frozen=True)
class CachePlace:
    """The folder of the cache and the room that each of its two halves may take, in bytes; ``run``: who asks."""

    folder: Path
    half: int
    run: str = ""

    @property
    def answers(self) -> Path:
        """The database of answers."""
        return self.folder / "answers.sqlite"

    @property
    def vectors(self) -> Path:
        """The folder of vectors."""
        return self.folder / "vectors"


def cache_place(environment: Mapping[str, str] = os.environ) -> CachePlace | None:
    """Return where the cache is, by the environment; None where it's switched off, or the user has no home.

    Nothing is made yet. Raises ``UsageError`` for a room that is no number of GB.
    """
    given = environment.get(FOLDER, "").strip()
    room = _room(environment.get(ROOM, "").strip())
    if given.lower() == OFF or room == 0:
        return None
    shared = environment.get("XDG_CACHE_HOME", "")
    try:
        if given:
            folder = Path(given).expanduser().absolute()
        elif os.path.isabs(shared):  # the specification has relative ones ignored
            folder = Path(shared) / "tuneworthy"
        else:
            folder = Path.home() / ".cache" / "tuneworthy"
    except RuntimeError:
        return None
    return CachePlace(folder, room // 2)


def _room(given: str) -> int:
    try:
        gigabytes = float(given) if given else DEFAULT_GB
        if not 0 <= gigabytes < 1e6:
            raise ValueError
    except ValueError:
        raise UsageError(f"{ROOM}={given}: give the cache's room as a number of GB; 0 keeps nothing") from None
    return int(gigabytes * 1e9)
