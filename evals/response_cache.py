"""Answers that were computed once, kept between runs in one SQLite file (WAL mode, so several processes may share it).

A key is a digest of all that decides an answer (``baselines.cached_model`` makes it); a value carries a checksum of
key and content, so that a damaged one counts as not there. Whatever goes wrong with the file - locked, read-only, disk
full, no database - is said once, and the run goes on without it: the cache saves time and nothing else.
"""

import contextlib
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evals.cache_folder import log

SCHEMA = 1
PATIENCE = 10.0
"""Seconds to wait for another process that writes."""

ASKED_AT_ONCE = 10_000
"""Keys in one SELECT; SQLite takes 32,766."""

TICK = 3_600
"""Seconds: a row's last use is written down no more often, so that reading hardly ever writes."""

KEPT_SHARE = 0.8
"""Where the room is used up, the rows used least recently leave until this share of it is taken."""

CHECK_BYTES = 8
MEND = "a damaged one is mended by: tuneworthy cache clear"

_TABLE = """CREATE TABLE IF NOT EXISTS answers
(key BLOB PRIMARY KEY, kind TEXT NOT NULL, used INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID"""


class ResponseCache:
    """Values by key in the SQLite file ``path``, which may take about ``room`` bytes.

    It's opened at the first use. Its methods never raise for what is wrong with the file.
    """

    def __init__(self, path: Path, room: int, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.room = room
        self._clock = clock
        self.problem: str | None = None
        """Why it's no longer used; None while it is."""
        self._opened: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []
        """Connections of a parent process; SQLite forbids to use or to close them in a forked one."""
        self._lock = threading.Lock()

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Return the values that are there and whole, by key."""
        with self._lock:
            try:
                return self._get(keys)
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)
                return {}

    def put(self, kind: str, values: Mapping[bytes, bytes]) -> None:
        """Keep ``values``; where the room is used up, those used least recently leave. ``kind`` is for the record."""
        with self._lock:
            try:
                self._put(kind, values)
            except (sqlite3.Error, OSError) as error:
                self._give_up(error)

    def close(self) -> None:
        """Let go of the file; the next use opens it again."""
        opened, self._opened = self._opened, None
        if opened is None:
            return
        if self._process == os.getpid():
            opened.close()
        else:
            self._inherited.append(opened)

    def _get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        connection = self._connection()
        if connection is None:
            return {}
        found: dict[bytes, bytes] = {}
        stale: list[bytes] = []
        now = int(self._clock())
        for start in range(0, len(keys), ASKED_AT_ONCE):
            part = keys[start : start + ASKED_AT_ONCE]
            places = ",".join("?" * len(part))
            rows = connection.execute(f"SELECT key, used, value FROM answers WHERE key IN ({places})", part)
            for key, used, value in rows:
                content = value[CHECK_BYTES:] if isinstance(value, bytes) else b""
                if not content or value[:CHECK_BYTES] != _check(key, content):
                    continue
                found[key] = content
                if not isinstance(used, int) or now - used > TICK:
                    stale.append(key)
        if stale:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("UPDATE answers SET used = ? WHERE key = ?", [(now, key) for key in stale])
            connection.execute("COMMIT")
        return found

    def _put(self, kind: str, values: Mapping[bytes, bytes]) -> None:
        connection = self._connection()
        if connection is None or not values:
            return
        now = int(self._clock())
        rows = [(key, kind, now, _check(key, content) + content) for key, content in values.items()]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
        if (taken := _taken(connection)) > self.room:
            _evict(connection, 1 - KEPT_SHARE * self.room / taken)

    def _connection(self) -> sqlite3.Connection | None:
        """Return the open file; None once it has been given up. A forked process opens its own."""
        if self.problem is not None:
            return None
        if self._opened is None or self._process != os.getpid():
            self.close()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._opened, self._process = open_answers(self.path), os.getpid()
        return self._opened

    def _give_up(self, error: Exception) -> None:
        self.problem = str(error)
        log.warning("note: going on without the cache %s: %s; %s", self.path, error, MEND)
        with contextlib.suppress(sqlite3.Error):
            self.close()


def open_answers(path: Path) -> sqlite3.Connection:
    """Open the database, making it where there's none. Raises ``sqlite3.Error`` when that can't be done."""
    # The lock of ResponseCache lets one thread in at a time.
    connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.text_factory = bytes  # what a damaged file gives for text needn't be any
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -32000")  # 32 MB of pages: keys are digests, so reads jump about
        (schema,) = connection.execute("PRAGMA user_version").fetchone()
        if schema not in (0, SCHEMA):
            raise sqlite3.DatabaseError(f"it has the schema {schema}, and this version knows {SCHEMA}")
        if schema == 0:
            connection.execute(_TABLE)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check(key: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=CHECK_BYTES, key=key).digest()


def _taken(connection: sqlite3.Connection) -> int:
    """Return the bytes that are in use."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _evict(connection: sqlite3.Connection, share: float) -> None:
    """Let go of about ``share`` of the rows, those used least recently."""
    (rows,) = connection.execute("SELECT COUNT(*) FROM answers").fetchone()
    leaving = min(rows, 1 + int(rows * share))
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(
        "DELETE FROM answers WHERE key IN (SELECT key FROM answers ORDER BY used, key LIMIT ?)", (leaving,)
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA incremental_vacuum").fetchall()
