"""Vectors of passages that were computed once, kept between runs: `.npy` files, each with its SHA-256 at the end.

A block is read as it lies on disk (memory-mapped) once its digest has been checked. What is damaged counts as not
there. What can't be read or written is said once, and the run goes on without it.
"""

import contextlib
import hashlib
import io
import os
import tempfile
import time
from pathlib import Path

import numpy as np

from evals.cache_folder import log
from evals.protocols import FloatMatrix

DIGEST_BYTES = 32
KEPT_SHARE = 0.8
LEFTOVER_SECONDS = 86_400
"""A temporary file of that age belongs to a process that was killed."""


class VectorCache:
    """Blocks of vectors by key in ``folder``, which may take about ``room`` bytes; its methods never raise for it."""

    def __init__(self, folder: Path, room: int) -> None:
        self.folder = folder
        self.room = room
        self.problem: str | None = None
        """Why it's no longer used; None while it is."""

    def get(self, key: str) -> FloatMatrix | None:
        """Return the block ``key`` (float32, two dimensions, read-only), or None when it isn't there or isn't whole."""
        if self.problem is not None:
            return None
        path = self._path(key)
        try:
            return _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._give_up(error)
            return None

    def put(self, key: str, vectors: FloatMatrix) -> None:
        """Keep the block ``key``; where the room is used up, the blocks used least recently leave."""
        if self.problem is not None:
            return
        path = self._path(key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, vectors)
            self._make_room()
        except OSError as error:
            self._give_up(error)

    def blocks(self) -> list[tuple[float, int, Path]]:
        """Return (last use, bytes, path) of all blocks, and of what killed processes left. Raises ``OSError``."""
        found = []
        for path in self.folder.glob("??/*"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # another process has just let it go
                continue
            if path.suffix == ".npy" or (_is_temporary(path) and time.time() - facts.st_mtime > LEFTOVER_SECONDS):
                found.append((facts.st_mtime, facts.st_size, path))
        return found

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.npy"

    def _make_room(self) -> None:
        blocks = sorted(self.blocks())
        taken = sum(size for _, size, _ in blocks)
        if taken <= self.room:
            return
        for _, size, path in blocks:
            path.unlink(missing_ok=True)
            taken -= size
            if taken <= KEPT_SHARE * self.room:
                return

    def _give_up(self, error: OSError) -> None:
        self.problem = error.strerror or str(error)
        log.warning("note: going on without the cache %s: %s", self.folder, self.problem)


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.suffix == ".part"


def _read(path: Path) -> FloatMatrix | None:
    """Return the block in ``path``, None when it isn't whole. Raises ``OSError``."""
    content = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.empty(0, np.uint8)
    if hashlib.sha256(content[:-DIGEST_BYTES].data).digest() != content[-DIGEST_BYTES:].tobytes():
        return None
    vectors: FloatMatrix = np.load(path, mmap_mode="r", allow_pickle=False)
    with contextlib.suppress(OSError):  # a cache that can't be written to can be read all the same
        os.utime(path)
    return vectors


def _write(path: Path, vectors: FloatMatrix) -> None:
    with io.BytesIO() as made:
        np.save(made, np.ascontiguousarray(vectors, dtype=np.float32), allow_pickle=False)
        content = made.getvalue()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.write(hashlib.sha256(content).digest())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
