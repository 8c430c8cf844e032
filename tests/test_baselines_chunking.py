from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from baselines.chunking import chunk_documents
from evals.example import Document


def words(text):
    return len(text.split())


def cut(text, size=8, overlap=0, count=words, title=""):
    return chunk_documents([Document("d", title, text)], count, size=size, overlap=overlap)


def texts(*args, **kwargs):
    return [passage.text for passage in cut(*args, **kwargs)]


def test_whole_sentences_are_packed_up_to_the_size():
    text = "One two three. Four five six. Seven eight nine! Ten?"
    assert texts(text, size=6) == ["One two three. Four five six.", "Seven eight nine! Ten?"]


def test_passages_carry_ids_document_and_title():
    (first, second) = cut("One two three. Four five six.", size=4, title="Numbers")
    assert (first.id, first.document_id, first.title) == ("d#0", "d", "Numbers")
    assert second.id == "d#1"


def test_overlap_is_made_of_whole_sentences_and_only_as_many_as_needed():
    text = "A a a. B b. C c. D d d. E e."
    assert texts(text, size=7, overlap=2) == ["A a a. B b. C c.", "C c. D d d. E e."]
    assert texts(text, size=7, overlap=3) == ["A a a. B b. C c.", "B b. C c. D d d.", "D d d. E e."]


def test_overlap_gives_way_where_it_leaves_no_room_for_something_new():
    text = "A a a a a. B b b b b."
    assert texts(text, size=6, overlap=5) == ["A a a a a.", "B b b b b."]
    assert texts("A a. B b b b b. C c c c c.", size=8, overlap=5) == ["A a. B b b b b.", "C c c c c."]


def test_overlap_larger_than_a_passage_still_ends():
    text = " ".join(f"S{n} s." for n in range(50))
    passages = texts(text, size=8, overlap=1000)
    assert passages[-1].endswith("S49 s.")
    assert len(passages) == len(set(passages)) <= 50


def test_a_long_sentence_is_cut_at_words_and_a_long_word_at_characters():
    assert texts("a b c d e f g h i j", size=8) == ["a b c d e f g h", "i j"]
    pieces = texts("see " + "x" * 100, size=8, count=len)
    assert "".join(pieces).replace(" ", "") == "see" + "x" * 100
    assert all(len(f" {piece}") <= 8 for piece in pieces)


def test_long_runs_of_space_cost_nothing():
    text = "One." + " " * 300_000 + "Two" + "\n" * 300_000 + "Three"
    (passage,) = texts(text, size=8)
    assert passage.split() == ["One.", "Two", "Three"]
    (sentence,) = texts("Go" + " " * 300_000 + "on.", size=8, count=len)
    assert sentence.split() == ["Go", "on."]


def test_a_character_of_more_tokens_than_a_passage_stands_alone():
    assert texts("ab", size=8, count=lambda text: 9 * len(text.strip())) == ["a", "b"]


def test_scripts_without_spaces_are_cut_at_their_full_stops():
    text = "東京は日本の首都です。大阪は大きな都市です。"
    assert texts(text, size=12, count=len) == ["東京は日本の首都です。", "大阪は大きな都市です。"]


def test_an_empty_line_ends_a_sentence():
    assert texts("A title\n\nThe text goes on", size=4) == ["A title", "The text goes on"]


def test_blank_documents_have_no_passages_and_the_others_keep_their_order():
    documents = [Document("a", "", " \n "), Document("b", "", "Text."), Document("c", "", "")]
    assert [passage.id for passage in chunk_documents(documents, words, size=8, overlap=0)] == ["b#0"]


def test_a_sentence_that_stands_in_many_documents_is_counted_once():
    asked = []

    def count(text):
        asked.append(text)
        return words(text)

    chunk_documents([Document(str(n), "", "The same. Words here.") for n in range(100)], count, size=8, overlap=2)
    assert sorted(asked) == [" The same.", " Words here."]


def test_progress_ends_at_the_number_of_documents():
    seen = []
    documents = [Document(str(n), "", "Text.") for n in range(450)]
    chunk_documents(documents, words, size=8, overlap=0, progress=lambda *step: seen.append(step))
    assert seen[0] == ("chunking", 0, 450)
    assert seen[-1] == ("chunking", 450, 450)
    assert len(seen) > 2


prose = st.lists(st.sampled_from(["a", "bb", "ccc.", "dd!", "e?\n\n", "東。", "f\n", '"g."', "…", "  "]), max_size=120)


@given(prose, st.integers(8, 30), st.integers(0, 40))
def test_nothing_is_lost_reordered_or_too_long(parts, size, overlap):
    text = " ".join(f"{place:03}{part}" if part.strip() else part for place, part in enumerate(parts))  # no two alike
    passages = texts(text, size=size, overlap=overlap)
    assert all(words(passage) <= size for passage in passages)
    # Every passage is a slice of the document, each begins after the one before begins and ends after it ends,
    # and what lies between two neighbours is space.
    spans, search = [], 0
    for passage in passages:
        start = text.index(passage, search)
        spans.append((start, start + len(passage)))
        search = start + 1
    assert "".join(passages).split() or not text.split()
    covered = set()
    for start, end in spans:
        covered.update(range(start, end))
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)
    assert all(one[1] < other[1] for one, other in pairwise(spans))


@given(st.text(max_size=300), st.integers(8, 20))
def test_any_text_comes_through(text, size):
    passages = texts(text, size=size, overlap=3, count=len)
    assert set("".join(text.split())) == set("".join("".join(passages).split()))
    assert all(len(" ".join(passage.split())) < size for passage in passages)


@pytest.mark.parametrize("overlap", [0, 3, 7])
def test_neighbours_share_at_least_the_overlap_where_there_is_room(overlap):
    text = " ".join(f"s{n}." for n in range(40))
    passages = texts(text, size=10, overlap=overlap)
    for one, other in pairwise(passages):
        assert set(one.split()) & set(other.split()) == set(one.split()[10 - overlap :])
