from collections import Counter

import pytest
from fake_model import make_rows
from hypothesis import given
from hypothesis import strategies as st

from baselines.shots import balanced_order, choose_shots, first_fitting, probe_input, shot_pool
from evals.example import Prompt, Shot

ROWS = make_rows(
    *((f"{label} text {n}", label) for label, many in (("a", 20), ("b", 3), ("c", 1)) for n in range(many))
)
LABELS = ("a", "b", "c")


def always(shots):
    return True


def test_labels_take_turns_until_one_runs_out():
    order = [row.target for row in balanced_order(ROWS, LABELS, 0)]
    assert set(order[:3]) == {"a", "b", "c"}
    assert Counter(order[:7]) == {"a": 3, "b": 3, "c": 1}
    assert Counter(order) == {"a": 20, "b": 3, "c": 1}


def test_the_seed_decides_alone():
    assert balanced_order(ROWS, LABELS, 1) == balanced_order(ROWS, LABELS, 1)
    assert balanced_order(ROWS, LABELS, 1) != balanced_order(ROWS, LABELS, 2)
    assert {balanced_order(ROWS, LABELS, seed)[0].target for seed in range(20)} == {"a", "b", "c"}


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(0, 100), st.integers(0, 12))
def test_any_first_part_of_the_order_is_balanced(targets, seed, k):
    rows = make_rows(*((str(n), target) for n, target in enumerate(targets)))
    order = balanced_order(rows, LABELS, seed)
    assert sorted(row.id for row in order) == sorted(row.id for row in rows)
    total, taken = Counter(targets), Counter(row.target for row in order[:k])
    for one in LABELS:
        assert all(taken[one] >= min(taken[other] - 1, total[one]) for other in LABELS)


def test_without_labels_the_order_is_shuffled():
    order = balanced_order(ROWS, (), 0)
    assert sorted(row.id for row in order) == sorted(row.id for row in ROWS)
    assert order != list(ROWS)


def test_the_pool_holds_one_row_of_each_normalised_input():
    rows = make_rows(("Hello, world!", "x"), ("hello  WORLD", "y"), ("other", "y"))
    assert [row.id for row in shot_pool(rows)] == ["t0", "t2"]


def test_shots_are_in_a_shuffled_order_that_the_seed_decides():
    order = balanced_order(ROWS, LABELS, 0)
    shown = choose_shots(order, 8, 0, always)
    assert shown.rows == tuple(order[:8])
    shots = shown.shots("something else")
    assert set(shots) == {Shot(row.input, row.target) for row in order[:8]}
    assert [shot.input for shot in shots] != [row.input for row in order[:8]]
    assert shots == choose_shots(order, 8, 0, always).shots("something else")
    assert any(shots != choose_shots(order, 8, seed, always).shots("something else") for seed in range(1, 4))


def test_dropped_shots_leave_from_the_end_of_the_selection():
    order = balanced_order(ROWS, LABELS, 0)
    shown = choose_shots(order, 6, 0, always)
    three = shown.shots("something else", 3)
    assert Counter(shot.output for shot in three) == {"a": 1, "b": 1, "c": 1}
    assert [shot for shot in shown.shots("something else") if shot in three] == list(three)
    assert shown.shots("something else", 0) == ()


def test_a_row_is_never_its_own_shot():
    shown = choose_shots(balanced_order(ROWS, LABELS, 0), 8, 0, always)
    own = shown.rows[2].input
    shots = shown.shots(f"  {own.upper()}! ")
    assert len(shots) == 7
    assert own not in [shot.input for shot in shots]


def test_rows_that_do_not_fit_are_passed_over_but_not_for_ever():
    rows = make_rows(*((f"{'long ' * 50 if n % 2 == 0 else 'short'} {n}", "x") for n in range(20)))
    tried = []

    def fits(shots):
        tried.append(shots)
        return sum(len(shot.input) for shot in shots) < 100

    shown = choose_shots(rows, 4, 0, fits)
    assert [row.id for row in shown.rows] == ["t1", "t3", "t5", "t7"]
    assert choose_shots(rows, 4, 0, lambda shots: False).rows == ()
    assert choose_shots(rows, 0, 0, always).rows == ()


def test_the_probe_is_longer_than_nearly_all():
    rows = make_rows(*(("x" * n, "a") for n in range(1, 201)))
    assert len(probe_input(rows)) == 198
    assert probe_input(rows[:1]) == "x"


def test_the_richest_prompt_that_fits_is_taken():
    made = []

    def prompts():
        for text in ("five", "four", "one"):
            made.append(text)
            yield Prompt(text, "")

    assert first_fitting(prompts(), lambda prompt: prompt.instruction == "four").instruction == "four"
    assert made == ["five", "four"]
    assert first_fitting(prompts(), lambda prompt: False).instruction == "one"
    with pytest.raises(ValueError, match="no prompt"):
        first_fitting([], lambda prompt: True)
