"""What the cache holds, and how it's emptied: for ``tuneworthy cache``."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from evals.cache_folder import CachePlace
from evals.errors import TuneworthyError
from evals.response_cache import open_answers

VECTORS = "vectors"


@dataclass(frozen=True)
class Kind:
    """So many entries of a kind (``choose``, ``generate``, ``vectors``), and the bytes that they hold."""

    name: str
    entries: int
    bytes: int


@dataclass(frozen=True)
class CacheContents:
    """The folder, what its files take on disk, what they may take, and what they hold."""

    folder: Path
    bytes: int
    room: int
    kinds: tuple[Kind, ...]

    @property
    def entries(self) -> int:
        """Answers and blocks of vectors in all."""
        return sum(kind.entries for kind in self.kinds)


def read_contents(place: CachePlace) -> CacheContents:
    """Return what the cache in ``place`` holds; nothing where there's none. Raises ``TuneworthyError``."""
    from evals.vector_cache import VectorCache

    kinds = []
    files = _database_files(place)
    try:
        if place.answers.exists():
            connection = open_answers(place.answers)
            try:
                rows = connection.execute(
                    "SELECT kind, COUNT(*), SUM(LENGTH(value)) FROM answers GROUP BY kind ORDER BY kind"
                )
                kinds = [Kind(name.decode("utf-8", "replace"), count, size) for name, count, size in rows]
            finally:
                connection.close()
        blocks = VectorCache(place.vectors, place.half).blocks()
        taken = sum(path.stat().st_size for path in files if path.exists()) + sum(size for _, size, _ in blocks)
    except (sqlite3.Error, OSError) as error:
        raise TuneworthyError(
            f"the cache in {place.folder} can't be read ({error}); empty it by: tuneworthy cache clear"
        ) from error
    if blocks:
        kinds.append(Kind(VECTORS, len(blocks), sum(size for _, size, _ in blocks)))
    return CacheContents(place.folder, taken, 2 * place.half, tuple(kinds))


def clear(place: CachePlace) -> None:
    """Empty the cache; other files in its folder stay. Raises ``TuneworthyError`` when that can't be done."""
    from evals.vector_cache import VectorCache

    try:
        for _, _, path in VectorCache(place.vectors, place.half).blocks():
            path.unlink(missing_ok=True)
        if place.answers.exists():
            _clear_answers(place)
    except (sqlite3.Error, OSError) as error:
        raise TuneworthyError(
            f"the cache in {place.folder} can't be emptied: {error}; is a run using it? Else delete the folder"
        ) from error


def _clear_answers(place: CachePlace) -> None:
    """Delete all rows, so that a run that has the file open goes on; a file that's no database is removed."""
    try:
        connection = open_answers(place.answers)
        try:
            connection.execute("DELETE FROM answers")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()
    except sqlite3.OperationalError:
        raise  # locked, read-only, disk full: nothing is wrong with the file itself
    except sqlite3.DatabaseError:
        for path in _database_files(place):
            path.unlink(missing_ok=True)


def _database_files(place: CachePlace) -> list[Path]:
    return [place.answers.with_name(place.answers.name + end) for end in ("", "-wal", "-shm")]
