"""Unit vectors to search by inner product: exactly while that's fast, by cells (IVF) above, chosen by their number.

Up to ``EXACT_UP_TO`` vectors every query meets every vector. Above, vectors are sorted into cells round centres found
by k-means, and a query looks into the cells that are nearest to it (Sivic & Zisserman 2003; FAISS, arXiv 2401.08281).
How many cells it takes is found by comparing with the exact search on a sample; where no small share of them is
enough, as with vectors that have no structure, the search stays exact.
"""

import errno
import hashlib
import math
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evals.protocols import FloatMatrix

if TYPE_CHECKING:
    import faiss

EXACT_UP_TO = 200_000
"""Vectors that are searched exactly, at most."""

AIM = 0.97
"""Share of the ten true nearest that the sample must find."""

SAMPLE, NEAREST = 200, 10

MARGIN = 2
"""Real queries are less like the vectors than the sample is, so they look into so many times more cells."""

POINTS_A_CENTRE = 64
"""Vectors that k-means learns from, for each centre."""

WHOLE_BYTES = 256 * 2**20
"""Files up to this size are checked whole when they're opened again, larger ones by ``BLOCKS`` pieces of them."""

BLOCKS, BLOCK_BYTES = 64, 2**20


Keep = Callable[[Callable[[], FloatMatrix]], FloatMatrix]
"""Returns what the given function computes: from a cache, if it's there."""


def make_index(vectors: FloatMatrix, keep: Keep = lambda compute: compute()) -> "faiss.Index":
    """Return a searchable index over ``vectors`` (count, width); what it finds depends on them alone.

    ``keep`` may have the centres of the cells from before: finding them is most of the work.
    """
    import faiss

    vectors = np.ascontiguousarray(vectors, dtype=np.float32)
    if len(vectors) > EXACT_UP_TO and (cells := _cells(vectors, keep)) is not None:
        return cells
    exact = faiss.IndexFlatIP(vectors.shape[1])
    exact.add(vectors)
    return exact


def all_vectors(index: "faiss.Index") -> FloatMatrix:
    """Return the vectors of ``index`` in their order, float32, of shape (count, width)."""
    import faiss

    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map(True)
    matrix: FloatMatrix = index.reconstruct_n(0, index.ntotal)
    return matrix


def write_index(index: "faiss.Index", path: Path) -> str:
    """Write ``index`` to ``path`` and return its checksum. Raises ``OSError`` when it can't be written."""
    import faiss

    try:
        faiss.write_index(index, str(path))
    except RuntimeError as error:
        causes = (code for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if os.strerror(code) in str(error))
        code = next(causes, errno.EIO)
        raise OSError(code, os.strerror(code), str(path)) from error
    return checksum(path)


def open_index(path: Path) -> "faiss.Index":
    """Return the index in ``path``, mapped into memory, not read. Raises ``RuntimeError`` when it's broken."""
    import faiss

    return faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, of a large one that of its size and of pieces spread over it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_BYTES:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256(str(size).encode())
        for block in range(BLOCKS):
            file.seek(block * (size - BLOCK_BYTES) // (BLOCKS - 1))
            digest.update(file.read(BLOCK_BYTES))
    return digest.hexdigest()


def _cells(vectors: FloatMatrix, keep: Keep) -> "faiss.Index | None":
    """Return an index of cells that finds ``AIM`` of the true nearest on a sample, or None."""
    import faiss

    count, width = vectors.shape
    centres = max(16, round(math.sqrt(count)))
    nearest = faiss.IndexFlatIP(width)
    nearest.add(np.ascontiguousarray(keep(partial(_centres, vectors, centres))))
    index = faiss.IndexIVFFlat(nearest, width, centres, faiss.METRIC_INNER_PRODUCT)
    index.train(vectors)  # the centres are there: only what else an index of cells has to learn
    index.add(vectors)
    asked = vectors[np.random.default_rng(0).choice(count, size=min(SAMPLE, count), replace=False)]
    _, true = faiss.knn(asked, vectors, NEAREST, metric=faiss.METRIC_INNER_PRODUCT)
    looked_into = 4
    while looked_into * MARGIN <= centres // 4:
        index.nprobe = looked_into
        if found_share(index.search(asked, NEAREST)[1], true) >= AIM:
            index.nprobe = looked_into * MARGIN
            return index
        looked_into *= 2
    return None


def _centres(vectors: FloatMatrix, count: int) -> FloatMatrix:
    """Return ``count`` centres of cells round which the vectors lie, by k-means."""
    import faiss

    width = vectors.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, count, faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid = POINTS_A_CENTRE
    index.train(vectors)
    found: FloatMatrix = index.quantizer.reconstruct_n(0, count)
    return found


def found_share(found: np.ndarray, true: np.ndarray) -> float:
    """Return which share of ``true`` neighbours, shape (queries, k), stands in the same row of ``found``."""
    hits = sum(len(set(row) & set(wanted)) for row, wanted in zip(found.tolist(), true.tolist(), strict=True))
    return hits / true.size
