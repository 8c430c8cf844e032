import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evals.learning import FEWEST_POINTS, diagnose
from evals.protocols import LossPoint


def curve(validation, train=None, scores=None, every=10):
    """Points at steps 0, 10, 20 …; ``train`` has one value fewer, since nothing is learnt before step 0."""
    train = [None, *(train if train is not None else [value * 0.9 for value in validation[1:]])]
    scores = scores or [None] * len(validation)
    return [
        LossPoint(place * every, place / 2, mean, value, score)
        for place, (value, mean, score) in enumerate(zip(validation, train, scores, strict=True))
    ]


def judged(*args, ended_by_budget=False, **more):
    found = diagnose(curve(*args, **more), ended_by_budget=ended_by_budget)
    return found.kind, found.cause


def test_a_validation_loss_that_rises_while_the_training_loss_falls_is_overfit():
    found = diagnose(curve([2.0, 1.0, 0.6, 0.5, 0.55, 0.6], [1.5, 0.9, 0.6, 0.4, 0.2]))
    assert (found.kind, found.cause) == ("overfit", "rising")
    assert (found.lowest.step, found.lowest.train, found.lowest.validation) == (30, 0.6, 0.5)
    assert (found.last.step, found.last.train, found.last.validation) == (50, 0.2, 0.6)


def test_a_loss_that_rises_for_training_rows_too_is_neither_overfit_nor_well_fit():
    assert judged([2.0, 1.0, 0.6, 0.5, 0.6], [1.5, 0.9, 0.6, 0.7]) == ("unknown", "unsteady")
    assert judged([2.0, 1.0, 0.6, 0.5, 0.51], [1.5, 0.9, 0.6, 0.7]) == ("well_fit", "level")


def test_a_training_that_learns_its_rows_and_nothing_else_is_overfit():
    assert judged([2.0, 1.99, 1.98, 1.99, 2.0], [2.0, 1.5, 1.0, 0.4]) == ("overfit", "by_heart")


def test_a_training_that_learns_nothing_is_underfit():
    assert judged([2.0, 1.99, 1.98, 1.97, 1.96], [2.0, 1.99, 1.98, 1.98]) == ("underfit", "hardly")


def test_a_loss_that_still_falls_at_the_end_is_underfit():
    assert judged([2.0, 1.7, 1.4, 1.1, 0.8]) == ("underfit", "falling")


def test_a_slight_fall_at_the_end_counts_where_a_budget_ended_the_training():
    losses = [2.0, 1.2, 1.1, 1.06, 1.02]
    assert judged(losses) == ("well_fit", "level")
    assert judged(losses, ended_by_budget=True) == ("underfit", "budget")
    assert judged([2.0, 1.0, 0.9, 0.9, 0.9], ended_by_budget=True) == ("well_fit", "level")


def test_a_level_curve_with_poor_answers_and_no_gap_is_underfit():
    losses, scores = [7.0, 0.6, 0.3, 0.25, 0.24], [0.0, 0.0, 0.1, 0.2, 0.2]
    assert judged(losses, [0.7, 0.35, 0.26, 0.25], scores) == ("underfit", "unlearnt")
    assert judged(losses, [0.7, 0.3, 0.1, 0.05], scores) == ("well_fit", "level")  # its rows are known
    assert judged(losses, [0.7, 0.35, 0.26, 0.25], [0.0, 0.2, 0.6, 0.7, 0.7]) == ("well_fit", "level")
    assert judged(losses, [0.7, 0.35, 0.26, 0.25]) == ("well_fit", "level")  # nothing is known of its answers


def test_a_curve_that_levels_off_is_well_fit():
    found = diagnose(curve([2.0, 1.0, 0.6, 0.52, 0.51, 0.505]))
    assert (found.kind, found.cause) == ("well_fit", "level")
    assert found.late == pytest.approx(0.52 + 0.75 * (0.51 - 0.52))  # step 37.5, between 30 and 40


def test_large_ratios_near_zero_are_small_matters():
    assert judged([3.0, 0.1, 0.011, 0.010, 0.014], [2.0, 0.05, 0.01, 0.005]) == ("well_fit", "level")
    assert judged([3.0, 0.1, 0.02, 0.012, 0.007]) == ("well_fit", "level")


def test_without_a_look_at_step_0_nothing_is_said_of_the_start():
    later = curve([2.0, 1.99, 1.98, 1.975, 1.974])[1:]
    assert diagnose(later).cause == "level"
    assert diagnose(later).first.step == 10


def test_a_training_loss_is_the_mean_since_the_evaluation_before():
    points = [
        LossPoint(0, 0, None, 2.0),
        *(LossPoint(step, 0, float(step), 1.0 if step % 5 == 0 else None) for step in range(1, 16)),
    ]
    assert diagnose(points).last.train == 13  # 11 to 15


@pytest.mark.parametrize("count", range(FEWEST_POINTS))
def test_too_few_points_are_no_curve(count):
    found = diagnose(curve([2.0, 1.0, 0.5, 0.4])[:count])
    assert (found.kind, found.cause) == ("unknown", "few_points" if count else "no_validation")
    assert found.evaluations == count
    assert found.first is found.last is found.late is None


def test_a_curve_without_validation_says_so():
    assert diagnose([LossPoint(step, 0, 1 / step, None) for step in range(1, 99)]).cause == "no_validation"


losses = st.floats(1e-3, 50)
curves = st.lists(st.tuples(losses, losses), min_size=FEWEST_POINTS, max_size=12)


def points(values):
    return curve([validation for validation, _ in values], [train for _, train in values[1:]])


@given(st.lists(st.builds(LossPoint, st.integers(0, 99), st.floats(), *[st.none() | st.floats()] * 2)), st.booleans())
def test_any_points_are_judged(found, budget):
    judgement = diagnose(found, ended_by_budget=budget)
    few = judgement.evaluations < FEWEST_POINTS
    assert (judgement.cause in ("few_points", "no_validation")) == few == (judgement.last is None)
    if judgement.last:
        assert all(map(math.isfinite, (judgement.first.validation, judgement.lowest.validation)))
        assert judgement.lowest.step <= judgement.last.step


@given(curves, st.floats(0.01, 100), st.booleans())
def test_the_size_of_a_loss_doesnt_matter(values, factor, budget):
    scaled = [(validation * factor, train * factor) for validation, train in values]
    one, other = (diagnose(points(each), ended_by_budget=budget) for each in (values, scaled))
    assume(_not_on_an_edge(values, budget))
    assert (one.kind, one.cause) == (other.kind, other.cause)


def _not_on_an_edge(values, budget):
    """Whether a change of a millionth changes nothing: rounding may move a curve that stands on a threshold."""
    kinds = set()
    for nudge in (1 - 1e-6, 1, 1 + 1e-6):
        moved = [(validation * (nudge if place else 1), train) for place, (validation, train) in enumerate(values)]
        last = [*values[:-1], (values[-1][0] * nudge, values[-1][1] * nudge)]
        kinds |= {diagnose(points(each), ended_by_budget=budget).cause for each in (moved, last)}
    return len(kinds) == 1


@given(curves, st.randoms())
def test_the_order_of_the_points_doesnt_matter(values, chance):
    shuffled = points(values)
    chance.shuffle(shuffled)
    assert diagnose(shuffled) == diagnose(points(values))


@given(curves, st.booleans())
def test_a_judgement_holds_what_it_says(values, budget):
    found = diagnose(points(values), ended_by_budget=budget)
    last, lowest, first = found.last, found.lowest, found.first
    assert lowest.validation == min(validation for validation, _ in values[1:])
    if found.cause == "rising":
        assert last.validation >= 1.05 * lowest.validation
        assert last.train < lowest.train
    elif found.cause in ("falling", "budget"):
        assert last == lowest
        assert last.validation < found.late
        assert budget or found.cause == "falling"
    elif found.cause == "level":
        assert last.validation <= 1.05 * lowest.validation + 0.005 * max(0, first.validation - lowest.validation)
    elif found.cause in ("hardly", "by_heart"):
        assert lowest.validation > 0.949 * first.validation


@given(st.lists(st.floats(0.2, 0.9), min_size=3, max_size=10), st.integers(1, 6))
def test_a_fall_that_ends_in_a_long_level_is_well_fit(falls, tail):
    values = [10.0]
    for share in falls:
        values.append(values[-1] * share)
    values += [values[-1]] * (len(values) + tail)
    assert judged(values) == ("well_fit", "level")
