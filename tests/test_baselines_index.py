import json

import numpy as np
import pytest
from fake_model import FakeEmbedder
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.index import build_index, passage_text, row_passages
from baselines.tfidf import TfidfEmbedder
from evals.errors import ArmError
from evals.example import Example, Passage


def passage(name, text, title=""):
    return Passage(f"{name}#0", name, title, text)


PASSAGES = [
    passage("sea", "Whales and fish live in the sea."),
    passage("wood", "Foxes and deer live in the wood."),
    passage("town", "People and trams live in the town."),
]


class Grid:
    """A text is its own vector, written as numbers."""

    name = "grid"
    fingerprint = "grid"

    def fit(self, texts):
        pass

    def embed_queries(self, texts):
        return np.array([[float(number) for number in text.split()] for text in texts], dtype=np.float32)

    embed_passages = embed_queries


def test_the_nearest_comes_first_with_its_score(tmp_path):
    index = build_index(PASSAGES, FakeEmbedder(), tmp_path)
    (hits,) = index.search(["deer in the wood"], 2)
    assert hits[0].id == "wood#0"
    assert hits[0].text == PASSAGES[1].text
    assert 0 < hits[1].score < hits[0].score <= 1


def test_asking_for_more_than_there_are_gives_all(tmp_path):
    index = build_index(PASSAGES, FakeEmbedder(), tmp_path)
    assert [len(hits) for hits in index.search(["fish", ""], 10)] == [3, 3]
    assert index.search([], 3) == []


def test_ties_are_ordered_by_id_beyond_what_was_fetched_first(tmp_path):
    passages = [passage(f"p{n:03}", "1 0") for n in reversed(range(200))]
    (hits,) = build_index(passages, Grid(), tmp_path).search(["1 0"], 3)
    assert [hit.id for hit in hits] == ["p000#0", "p001#0", "p002#0"]


def test_a_query_of_nothing_known_gets_scores_of_zero(tmp_path):
    index = build_index(PASSAGES, TfidfEmbedder(), tmp_path)
    (hits,) = index.search(["zzzz qqqq"], 2)
    assert [(hit.id, hit.score) for hit in hits] == [("sea#0", 0.0), ("town#0", 0.0)]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=60),
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=5),
    st.integers(1, 12),
)
def test_search_is_exact_and_each_query_is_on_its_own(tmp_path_factory, rows, queries, k):
    passages = [passage(f"p{n:02}", f"{x} {y}") for n, (x, y) in enumerate(rows)]
    index = build_index(passages, Grid(), tmp_path_factory.mktemp("cache"))
    asked = [f"{x} {y}" for x, y in queries]
    together = index.search(asked, k)
    for (x, y), text, hits in zip(queries, asked, together, strict=True):
        scores = {f"p{n:02}#0": x * a + y * b for n, (a, b) in enumerate(rows)}
        wanted = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:k]
        assert [(hit.id, hit.score) for hit in hits] == wanted
        assert index.search([text], k) == [hits]


def test_the_index_is_kept_and_taken_from_the_cache(tmp_path):
    first, second = FakeEmbedder(), FakeEmbedder()
    built = build_index(PASSAGES, first, tmp_path)
    kept = build_index(PASSAGES, second, tmp_path)
    assert (first.embedded, second.embedded) == (3, 0)
    assert kept.search(["deer"], 3) == built.search(["deer"], 3)
    assert np.array_equal(kept.vectors(), built.vectors())
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".faiss", ".jsonl"]


def test_the_passages_stand_beside_it_as_lines(tmp_path):
    build_index([passage("d", "Grüße\u2028東京 \ud800", "T")], FakeEmbedder(), tmp_path)
    (file,) = tmp_path.glob("*.jsonl")
    head, line = file.read_text("utf-8").strip().split("\n")
    assert json.loads(head)["schema"] == 1
    assert json.loads(line) == {"id": "d#0", "document_id": "d", "title": "T", "text": "Grüße\u2028東京 \ud800"}
    assert "東京" in line


@pytest.mark.parametrize("change", ["text", "embedder", "role", "texts"])
def test_another_content_is_another_index(tmp_path, change):
    build_index(PASSAGES, FakeEmbedder(), tmp_path)
    embedder, passages, options = FakeEmbedder(), list(PASSAGES), {}
    if change == "text":
        passages[0] = passage("sea", "Only fish live here.")
    elif change == "embedder":
        embedder.fingerprint = "fake-embedder-2"
    elif change == "role":
        options = {"role": "query"}
    else:
        options = {"texts": ["a", "b", "c"]}
    build_index(passages, embedder, tmp_path, **options)
    assert embedder.embedded == 3
    assert len(list(tmp_path.glob("*.faiss"))) == 2


@pytest.mark.parametrize("suffix", [".faiss", ".jsonl"])
@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "gone"])
def test_a_damaged_index_is_made_anew(tmp_path, suffix, damage):
    built = build_index(PASSAGES, FakeEmbedder(), tmp_path)
    (file,) = tmp_path.glob(f"*{suffix}")
    data = file.read_bytes()
    head = data.index(b"\n") if suffix == ".jsonl" else len(data)
    changed = {"empty": b"", "cut": data[: head // 2], "flipped": data[: head - 9] + b"\xff" + data[head - 8 :]}
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(changed[damage])
    embedder = FakeEmbedder()
    again = build_index(PASSAGES, embedder, tmp_path)
    assert embedder.embedded == 3
    assert again.search(["deer"], 3) == built.search(["deer"], 3)
    assert file.read_bytes() == data


def test_another_schema_is_made_anew(tmp_path):
    build_index(PASSAGES, FakeEmbedder(), tmp_path)
    (file,) = tmp_path.glob("*.jsonl")
    file.write_text(file.read_text("utf-8").replace('"schema": 1', '"schema": 2'), "utf-8")
    embedder = FakeEmbedder()
    build_index(PASSAGES, embedder, tmp_path)
    assert embedder.embedded == 3


def test_nothing_half_written_is_left_when_writing_fails(tmp_path):
    build_index(PASSAGES, FakeEmbedder(), tmp_path)
    (vectors,), (lines,) = tmp_path.glob("*.faiss"), tmp_path.glob("*.jsonl")
    vectors.unlink()
    lines.unlink()
    vectors.mkdir()
    with pytest.raises(OSError, match=vectors.name):
        build_index(PASSAGES, FakeEmbedder(), tmp_path)
    assert list(tmp_path.iterdir()) == [vectors]


def test_no_passages_is_an_arms_error(tmp_path):
    with pytest.raises(ArmError, match="nothing to search"):
        build_index([], FakeEmbedder(), tmp_path)


def test_a_title_is_searched_with_its_text(tmp_path):
    passages = [passage("a", "It is large.", "Whale"), passage("b", "It is large.", "Mouse")]
    assert passage_text(passages[0]) == "Whale: It is large."
    (hits,) = build_index(passages, FakeEmbedder(), tmp_path).search(["whale"], 1)
    assert hits[0].document_id == "a"


def test_rows_are_found_by_their_input(tmp_path):
    rows = [Example("r1", "deer", ("x",)), Example("r2", "fish", ("y",))]
    (hits,) = build_index(row_passages(rows), FakeEmbedder(), tmp_path, role="query").search(["fish"], 1)
    assert (hits[0].id, hits[0].document_id, hits[0].text) == ("r2", "r2", "fish")


def test_progress_counts_the_passages(tmp_path):
    seen = []
    passages = [passage(f"p{n}", "1 0") for n in range(1500)]
    build_index(passages, Grid(), tmp_path, progress=lambda *step: seen.append(step))
    assert seen[0] == ("embedding", 0, 1500)
    assert ("embedding", 1024, 1500) in seen
    assert seen[-1] == ("embedding", 1500, 1500)
