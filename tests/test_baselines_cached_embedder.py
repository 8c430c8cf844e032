"""Vectors of passages are kept between runs; those of questions never, since their time is measured."""

import numpy as np
from fake_model import FakeEmbedder

from baselines import vector_index
from baselines.cached_embedder import CachedEmbedder
from baselines.index import SLAB, build_index, kept_facts, passage_text
from baselines.vector_index import write_index
from evals.example import Passage
from evals.vector_cache import VectorCache

PASSAGES = [Passage(f"p{number}", "d", "", f"passage {number} of {number % 7} words") for number in range(SLAB + 30)]


def test_a_second_run_embeds_nothing_and_finds_the_same(tmp_path):
    found, embedded, told = [], [], []
    for run in ("one", "two"):
        inner = FakeEmbedder()
        embedder = CachedEmbedder(inner, VectorCache(tmp_path / "cache", 10**9))
        index = build_index(PASSAGES, embedder, tmp_path / run)
        told.append(kept_facts(embedder))
        embedded.append(inner.embedded)
        found.append((index.search(["passage 7 of 0 words"], 5), index.vectors()))
        assert inner.embedded == embedded[-1] + 1  # the question
        assert len(list((tmp_path / run).glob("*.faiss"))) == 1  # the run has its own copy
    assert embedded == [len(PASSAGES), 0]
    assert told == [{}, {"vectors from the cache": len(PASSAGES)}]
    assert found[0][0] == found[1][0]
    assert np.array_equal(found[0][1], found[1][1])
    # Of a corpus that grew at its end only the new part is embedded.
    inner = FakeEmbedder()
    grown = [*PASSAGES, Passage("new", "d", "", "another one")]
    build_index(grown, CachedEmbedder(inner, VectorCache(tmp_path / "cache", 10**9)), tmp_path / "three")
    assert inner.embedded == len(grown) - SLAB


def test_another_embedder_another_role_or_another_text_is_embedded_anew(tmp_path):
    class Doubled(FakeEmbedder):
        def embed_queries(self, texts):
            return -super().embed_queries(texts)

    def embed(role, texts, fingerprint="a"):
        inner = Doubled()
        inner.fingerprint = fingerprint
        vectors = CachedEmbedder(inner, VectorCache(tmp_path, 10**9)).embed_kept(role, texts)
        return vectors, inner.embedded

    first, count = embed("passage", ["a b", "c"])
    assert count == 2
    for changed in (("query", ["a b", "c"]), ("passage", ["a", "b c"]), ("passage", ["a b", "c"], "b")):
        vectors, count = embed(*changed)
        assert count == 2
    assert np.array_equal(embed("query", ["a b", "c"])[0], -first)
    again, count = embed("passage", ["a b", "c"])
    assert count == 0
    assert np.array_equal(again, first)


def test_a_damaged_block_is_embedded_anew(tmp_path):
    store = VectorCache(tmp_path, 10**9)
    first = np.array(CachedEmbedder(FakeEmbedder(), store).embed_kept("passage", ["a", "b"]))
    (path,) = tmp_path.glob("*/*.npy")
    path.write_bytes(path.read_bytes()[:-7])
    inner = FakeEmbedder()
    assert np.array_equal(CachedEmbedder(inner, store).embed_kept("passage", ["a", "b"]), first)
    assert inner.embedded == 2


def test_a_second_run_finds_the_cells_of_a_large_index_as_they_were(monkeypatch, tmp_path):
    monkeypatch.setattr(vector_index, "EXACT_UP_TO", 200)
    monkeypatch.setattr(vector_index, "AIM", 0.0)  # whatever they find: cells are wanted here
    computed = []
    real = vector_index._centres
    monkeypatch.setattr(vector_index, "_centres", lambda *asked: computed.append(asked) or real(*asked))
    files = []
    for run in ("one", "two"):
        embedder = CachedEmbedder(FakeEmbedder(), VectorCache(tmp_path / "cache", 10**9))
        build_index(PASSAGES, embedder, tmp_path / run)
        files.append(next((tmp_path / run).glob("*.faiss")).read_bytes())
    assert len(computed) == 1
    assert files[0] == files[1]
    alone = vector_index.make_index(FakeEmbedder().embed_passages([passage_text(one) for one in PASSAGES]))
    assert alone.nlist > 1
    write_index(alone, tmp_path / "alone.faiss")
    assert (tmp_path / "alone.faiss").read_bytes() == files[0]
