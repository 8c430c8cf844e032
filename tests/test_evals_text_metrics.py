import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.text_metrics import exact_match, longest_common_subsequence, rouge_l, token_f1

TEXT = st.text(alphabet=st.sampled_from("ab c,.A the中é"), max_size=30)


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ("The Eiffel Tower!", "eiffel tower", 1),
        ("U.S.", "US", 1),
        ("“Curly” quotes", "curly quotes", 1),
        ("an apple", "apple pie", 0),
        ("?", "!", 1),
        ("", "word", 0),
    ],
)
def test_exact_match(answer, target, value):
    assert exact_match(answer, target) == value


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ("the big red dog", "a red dog", 2 * (2 / 3) * 1 / (2 / 3 + 1)),
        ("red red", "red", 2 / 3),  # a word counts as often as it stands there
        ("cat", "dog", 0),
        ("the", "a", 1),  # nothing is left of either
        ("the", "dog", 0),
        ("北京大学", "北京", 2 / 3),
    ],
)
def test_token_f1(answer, target, value):
    assert token_f1(answer, target) == pytest.approx(value)


@pytest.mark.parametrize(
    ("answer", "target", "value"),
    [
        ("police kill the gunman", "police killed the gunman", 0.75),
        ("the gunman kill police", "police kill the gunman", 0.5),
        ("Hello, World", "hello world", 1),
        ("", "", 1),
        ("", "a", 0),
    ],
)
def test_rouge_l(answer, target, value):
    assert rouge_l(answer, target) == pytest.approx(value)


@given(TEXT, TEXT)
def test_metrics_are_symmetric_shares(first, second):
    for metric in (exact_match, token_f1, rouge_l):
        assert 0 <= metric(first, second) <= 1
        assert metric(first, second) == pytest.approx(metric(second, first))
        assert metric(first, first) == 1
    assert exact_match(first, second) <= token_f1(first, second)


def by_the_book(first, second):
    rows = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first):
        for j, two in enumerate(second):
            rows[i + 1][j + 1] = rows[i][j] + 1 if one == two else max(rows[i][j + 1], rows[i + 1][j])
    return rows[-1][-1]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
def test_longest_common_subsequence_is_that_of_the_textbook(first, second):
    assert longest_common_subsequence(first, second) == by_the_book(first, second)
