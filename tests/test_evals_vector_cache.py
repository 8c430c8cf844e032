"""The store of vectors: exact, checked, bounded, and never in the way."""

import os

import numpy as np

from evals.vector_cache import VectorCache

KEY = "ab" * 32


def block(seed: int = 0, rows: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)


def test_vectors_come_back_bit_by_bit_and_read_only(tmp_path):
    VectorCache(tmp_path, 10**9).put(KEY, block())
    found = VectorCache(tmp_path, 10**9).get(KEY)
    assert found is not None
    assert found.dtype == np.float32
    assert np.array_equal(found, block())
    assert not found.flags.writeable
    assert VectorCache(tmp_path, 10**9).get("cd" * 32) is None


def test_a_damaged_block_is_not_there(tmp_path):
    store = VectorCache(tmp_path, 10**9)
    store.put(KEY, block())
    (path,) = tmp_path.glob("*/*.npy")
    whole = path.read_bytes()
    for broken in (whole[:-1], whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:], b"", b"short"):
        path.write_bytes(broken)
        assert store.get(KEY) is None
    store.put(KEY, block())
    assert np.array_equal(store.get(KEY), block())
    assert store.problem is None


def test_a_place_that_can_t_be_written_is_told_once(tmp_path, caplog):
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = VectorCache(tmp_path / "file" / "vectors", 10**9)
    for _ in range(3):
        store.put(KEY, block())
        assert store.get(KEY) is None
    assert len(caplog.messages) == 1
    assert "going on without the cache" in caplog.messages[0]


def test_where_room_is_used_up_the_least_recently_used_blocks_leave(tmp_path):
    store = VectorCache(tmp_path, 4 * 6_600)
    for number in range(4):
        store.put(f"{number:064x}", block(number))
        (path,) = tmp_path.glob(f"*/{number:064x}.npy")
        os.utime(path, (1_000 + number, 1_000 + number))
    assert store.get(f"{0:064x}") is not None  # used now: it's the youngest
    leftover = tmp_path / "00" / ".killed.part"
    leftover.write_bytes(b"x" * 5_000)
    os.utime(leftover, (1, 1))
    store.put(f"{9:064x}", block(9))
    kept = {number for number in (0, 1, 2, 3, 9) if store.get(f"{number:064x}") is not None}
    assert kept == {0, 3, 9}
    assert not leftover.exists()
