import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import DataError
from evals.example import Example
from evals.overlap import drop_overlap, find_overlap, normalise_text, overlap_error


def row(id, text):
    return Example(id=id, input=text, targets=("x",))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is  this?", "what is this"),
        ("ＦＵＬＬ width", "full width"),
        ("Straße", "STRASSE"),
        ("ﬁne — print", "fine print"),
        ("caf\u0065\u0301", "café"),
        ("snake_case", "snake case"),
        ("zero\u200bwidth", "zerowidth"),
        ("line\r\nbreak\t!", "LINE BREAK"),
        ("covid-19", "covid 19"),
        ("12 - 3", "12-3"),
    ],
)
def test_texts_that_count_as_the_same(one, other):
    assert normalise_text(one) == normalise_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5", "15"),
        ("12-3", "123"),
        ("1 2", "12"),
        ("is -3 odd", "is 3 odd"),
        ("a < b", "a > b"),
        ("2 + 2", "2 − 2"),
        ("?", "!"),
        ("👍", "👎"),
        ("resume", "résumé"),
    ],
)
def test_texts_that_stay_apart(one, other):
    assert normalise_text(one) != normalise_text(other)


@given(st.lists(st.text(string.ascii_letters, min_size=1), min_size=1), st.sampled_from([" ", ", ", " - ", "\n", "…"]))
def test_case_and_what_stands_between_words_do_not_matter(words, gap):
    assert normalise_text(gap.join(words).upper()) == normalise_text(" ".join(words))


@given(st.text(min_size=1))
def test_a_text_with_something_in_it_keeps_something(text):
    assert bool(normalise_text(text)) == bool("".join(text.split()))


def test_overlap_names_pairs_and_every_train_row_and_drops_from_train_only():
    train = [row("t1", "Hello!"), row("t2", "other"), row("t3", "HELLO")]
    evaluation = [row("e1", "hello"), row("e2", "new")]
    overlap = find_overlap(train, evaluation)
    assert [(pair.eval_id, pair.train_id) for pair in overlap.pairs] == [("e1", "t1")]
    assert [example.id for example in drop_overlap(train, overlap)] == ["t2"]
    assert not find_overlap(drop_overlap(train, overlap), evaluation).pairs


def test_the_error_is_one_line_with_count_files_ids_and_flag():
    train = [row(f"t{number}", f"word {number}") for number in range(8)]
    evaluation = [row(f"e{number}", f"Word: {number}.") for number in range(8)]
    error = overlap_error(find_overlap(train, evaluation), 10, Path("train.csv"), Path("eval.csv"))
    assert isinstance(error, DataError)
    assert str(error) == (
        "eval.csv: 8 of 10 eval rows have the same input as a training row of train.csv (eval = train): "
        "e0 = t0, e1 = t1, e2 = t2, e3 = t3, e4 = t4 and 3 more (drop these rows from train with --drop-overlap)"
    )
