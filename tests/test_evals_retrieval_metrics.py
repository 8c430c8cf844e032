import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.retrieval_metrics import rank_of, retrieval_quality


def test_passages_of_one_document_count_once():
    assert rank_of(["a", "a", "a", "b"], "b") == 2
    assert rank_of(["a"], "b") is None


def test_recall_and_reciprocal_rank():
    quality = retrieval_quality([(["a", "b", "c"], "a"), (["a", "b", "c"], "c"), (["a", "b"], "z"), ([], "a")])
    assert quality.recall == (0.25, 0.25, 0.5)
    assert quality.mrr == pytest.approx((1 + 1 / 3) / 4)
    assert (quality.k, quality.n) == (3, 4)


def test_nothing_retrieved_is_no_quality():
    assert retrieval_quality([]) is None
    assert retrieval_quality([([], "a")]) is None


@given(
    st.lists(st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.sampled_from("abcd")), min_size=1)
)
def test_recall_grows_with_depth_and_bounds_the_reciprocal_rank(rows):
    quality = retrieval_quality(rows)
    assert list(quality.recall) == sorted(quality.recall)
    assert 0 <= quality.recall[0] <= quality.mrr <= quality.recall[-1] <= 1
