import errno

import numpy as np
import pytest

from baselines import vector_index
from baselines.vector_index import all_vectors, checksum, found_share, make_index, open_index, write_index


def clustered(count, width=16, groups=40, seed=0):
    """Unit vectors that lie round a few centres, as those of texts do."""
    draw = np.random.default_rng(seed)
    centres = draw.standard_normal((groups, width))
    vectors = centres[draw.integers(groups, size=count)] + 0.3 * draw.standard_normal((count, width))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def few_are_exact(monkeypatch):
    monkeypatch.setattr(vector_index, "EXACT_UP_TO", 3_000)


def is_exact(index):
    return not hasattr(index, "nprobe")


def test_few_vectors_are_searched_exactly(few_are_exact):
    assert is_exact(make_index(clustered(3_000)))


def test_many_are_put_in_cells_and_the_nearest_are_found_all_the_same(few_are_exact):
    vectors = clustered(6_000)
    index = make_index(vectors)
    assert not is_exact(index)
    assert index.nprobe < index.nlist / 4
    true = np.argsort(-(vectors[:300] @ vectors.T), axis=1)[:, :10]
    assert found_share(index.search(vectors[:300], 10)[1], true) >= 0.95


def test_vectors_without_structure_stay_exact_however_many(few_are_exact):
    vectors = np.random.default_rng(0).standard_normal((4_000, 256)).astype(np.float32)
    assert is_exact(make_index(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)))


@pytest.mark.parametrize("count", [2_000, 4_000])
def test_what_is_written_opens_with_the_same_vectors_and_the_same_finds(few_are_exact, tmp_path, count):
    vectors = clustered(count)
    index = make_index(vectors)
    digest = write_index(index, tmp_path / "a.faiss")
    opened = open_index(tmp_path / "a.faiss")
    assert is_exact(opened) == is_exact(index) == (count <= 3_000)
    assert checksum(tmp_path / "a.faiss") == digest
    assert np.array_equal(all_vectors(opened), vectors)
    for mine, theirs in zip(index.search(vectors[:20], 7), opened.search(vectors[:20], 7), strict=True):
        assert np.array_equal(mine, theirs)


def test_a_large_file_is_checked_by_pieces_that_reach_its_end(monkeypatch, tmp_path):
    monkeypatch.setattr(vector_index, "WHOLE_BYTES", 1_000)
    monkeypatch.setattr(vector_index, "BLOCK_BYTES", 100)
    path = tmp_path / "large"
    path.write_bytes(bytes(20_000))
    before = checksum(path)
    for data in (bytes(19_999), bytes(19_999) + b"x", b"x" + bytes(19_999)):
        path.write_bytes(data)
        assert checksum(path) != before


def test_a_disk_that_takes_nothing_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match="full") as caught:
        write_index(make_index(clustered(100)), "/dev/full")
    assert caught.value.errno == errno.ENOSPC
