import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from evals.clusters import independent
from evals.label_metrics import (
    Coded,
    code,
    confusion,
    likeness_of,
    macro_f1,
    macro_f1_draws,
    smoothed_draws,
    smoothed_macro_f1,
    truth,
)

LABELS = ("a", "b", "c", "d")
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from((*LABELS, None))), min_size=1, max_size=30)


def coded(pairs):
    return code(LABELS, [(true,) for true, _ in pairs], [guess for _, guess in pairs])


@given(PAIRS)
def test_macro_f1_is_scikit_learns(pairs):
    true, guesses = [t for t, _ in pairs], ["" if g is None else g for _, g in pairs]
    present = sorted({*true, *guesses} - {""})
    expected = f1_score(true, guesses, labels=present, average="macro", zero_division=0)
    assert macro_f1(coded(pairs)) == pytest.approx(expected)


def test_a_prediction_without_label_is_a_miss_and_no_false_alarm():
    assert macro_f1(coded([("a", "a"), ("a", None), ("b", "b")])) == pytest.approx((2 / 3 + 1) / 2)


def test_no_rows_give_none():
    assert macro_f1(coded([])) is None


def test_confusion():
    counts = confusion(coded([("a", "b"), ("a", "b"), ("c", None), ("d", "d")]))
    assert counts.shape == (4, 5)
    assert counts[0, 1] == 2
    assert counts[2, 4] == 1
    assert counts[3, 3] == 1
    assert counts.sum() == 4


def test_an_accepted_label_counts_as_the_true_one():
    assert truth(("a", "b"), "b") == "b"
    assert truth(("a", "b"), "c") == "a"
    assert macro_f1(code(LABELS, [("a", "b"), ("c",)], ["b", "c"])) == 1


def test_text_that_is_no_label_counts_as_none():
    assert confusion(code(LABELS, [("a",)], ["maybe"]))[0, 4] == 1


def test_an_unknown_target_is_refused():
    with pytest.raises(KeyError):
        code(LABELS, [("x",)], ["a"])


@settings(max_examples=10)
@given(PAIRS, st.integers(0, 5))
def test_every_draw_is_the_macro_f1_of_a_resample(pairs, seed):
    sample = coded(pairs)
    scored = np.arange(len(pairs)) % 3 != 1
    draws = macro_f1_draws(sample, scored, seed, independent(len(pairs)))
    for draw, counts in zip(draws[:20], _resamples(len(pairs), seed), strict=False):
        rows = np.repeat(np.arange(len(pairs)), counts)
        expected = macro_f1(sample.take(rows[scored[rows]]))
        assert draw == pytest.approx(0 if expected is None else expected)


def _resamples(n, seed):
    from evals.resampling import resample

    kept = []
    resample(n, seed, lambda counts: kept.append(counts) or np.zeros(len(counts)))
    return np.concatenate(kept)


def test_a_hundred_labels_are_no_burden():
    random = np.random.default_rng(0)
    true = random.integers(0, 100, 1000)
    sample = Coded(100, true, np.where(random.random(1000) < 0.7, true, random.integers(0, 101, 1000)))
    draws = macro_f1_draws(sample, np.ones(1000, bool), 0, independent(1000))
    assert abs(np.median(draws) - macro_f1(sample)) < 0.02


def test_smoothing_adds_half_a_right_and_half_a_wrong_row_for_each_label_that_occurs():
    sample = Coded(3, np.array([0, 0, 1]), np.array([0, 1, 1]))  # label 2 doesn't occur
    first = 2 * 1.5 / (2 * 1.5 + 1 + 1)  # one miss, half a wrong row of its own and half a one of the other's
    assert smoothed_macro_f1(sample) == pytest.approx((first + first) / 2)
    draws = smoothed_draws(sample, np.ones(3, bool), 0, independent(3), likeness_of([sample]))
    assert 0 < draws.min() < draws.max() < 1
    assert np.mean(draws) == pytest.approx(smoothed_macro_f1(sample), abs=0.05)


def test_arms_that_answer_alike_are_drawn_alike():
    one, other = (Coded(2, np.array([0, 1, 1]), np.array(guess)) for guess in ([0, 1, 0], [0, 1, 1]))
    assert likeness_of([one]) == likeness_of([Coded(2, one.true, one.predicted.copy())])
    assert likeness_of([one]) != likeness_of([other])
