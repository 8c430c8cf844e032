import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.clusters import independent
from evals.curve import SEED_DEVIATION, score_covariance
from evals.curve_point import CurvePoint, axes_named
from evals.example import Example
from evals.nested import nested_part, nested_sizes
from evals.power_law import PowerLaw
from reports.score_curves import curve_sentence

ROWS = [Example(f"r{n}", f"text {n}", (("a", "b", "c")[n % 3],)) for n in range(96)]
SIZES = np.array([50.0, 100.0, 200.0, 400.0])


@given(st.integers(0, 5), st.sampled_from([8, 12, 24, 48, 95]), st.booleans())
def test_parts_are_nested_seeded_and_keep_their_order(seed, size, by_label):
    part = nested_part(ROWS, size, seed, by_label=by_label)
    larger = nested_part(ROWS, size + 1, seed, by_label=by_label)
    assert len(part) == size
    assert set(part) < set(larger)
    assert part == nested_part(ROWS, size, seed, by_label=by_label)
    places = [ROWS.index(row) for row in part]
    assert places == sorted(places)


def test_parts_keep_the_mix_of_labels():
    rare = [Example(f"r{n}", f"t{n}", ("rare" if n % 10 == 0 else "often",)) for n in range(400)]
    for size in (50, 100, 200):
        part = nested_part(rare, size, 3, by_label=True)
        assert sum(row.target == "rare" for row in part) == pytest.approx(size / 10, abs=1)


def test_other_seeds_take_other_rows():
    assert nested_part(ROWS, 12, 0, by_label=True) != nested_part(ROWS, 12, 1, by_label=True)


def test_sizes_double_and_are_none_for_tiny_sets():
    assert nested_sizes(400) == [50, 100, 200]
    assert nested_sizes(30) == [8, 15]
    assert nested_sizes(10) == []


def law(left, floor, exponent, deviation=0.004, rows=SIZES):
    errors = floor + left * (rows / rows.max()) ** -exponent
    return PowerLaw(rows, errors, deviation**2 * np.eye(len(rows)))


def test_a_steep_curve_promises_more_than_a_flat_one():
    steep, flat = law(0.15, 0.02, 0.7), law(0.02, 0.15, 0.2)
    assert steep.gain(2).middle == pytest.approx(0.15 * (1 - 2**-0.7), abs=0.012)
    assert flat.gain(2).high < steep.gain(2).low
    assert steep.follows
    assert steep.gain(4).middle > steep.gain(2).middle
    assert steep.error_at(1).middle == pytest.approx(0.17, abs=0.015)


def test_nothing_is_said_beyond_four_times_the_rows():
    with pytest.raises(ValueError, match="nothing beyond 4 times"):
        law(0.1, 0.1, 0.5).gain(4.1)
    with pytest.raises(ValueError, match="nothing beyond 4 times"):
        law(0.1, 0.1, 0.5).error_at(8)


def test_scores_that_fall_and_rise_follow_no_curve():
    errors = np.array([0.2, 0.5, 0.2, 0.5])
    assert not PowerLaw(SIZES, errors, 0.01**2 * np.eye(4)).follows


def test_vague_scores_give_wide_intervals():
    sure, vague = law(0.1, 0.1, 0.5, 0.003), law(0.1, 0.1, 0.5, 0.05)
    width = [found.gain(2).high - found.gain(2).low for found in (sure, vague)]
    assert width[1] > 2 * width[0]


def simulated(random, errors, seeds, spread, rows):
    """Return scores (seeds, rows) by size; all sizes are scored on the same rows, seeds move the true error."""
    shared = random.random(rows)
    scores = []
    for error in errors:
        moved = np.clip(error + spread * random.standard_normal((seeds, 1)), 0, 1)
        luck = np.where(random.random((seeds, rows)) < 0.7, shared, random.random((seeds, rows)))
        scores.append((luck >= moved).astype(float))
    return scores


def with_any_floor(random):
    """Draw exponent, what is left to learn, and floor: as the grid has them."""
    return np.exp(random.uniform(-2.3, 0.2)), random.uniform(0, 0.4), random.uniform(0, 0.4)


def without_floor(random):
    return random.uniform(0.1, 0.7), random.uniform(0.02, 0.3), 0.0


def level(random):
    return 1.0, 0.0, random.uniform(0, 0.4)


def nearly_right(random):
    return np.exp(random.uniform(-2.3, 0.2)), random.uniform(0, 0.06), random.uniform(0, 0.03)


@pytest.mark.parametrize(
    ("draw", "seeds", "spread", "rows", "least"),
    [
        (with_any_floor, 1, 0.02, 200, 0.93),
        (with_any_floor, 3, 0.03, 200, 0.93),
        (without_floor, 1, 0.02, 200, 0.89),  # 67% while curves without a floor were weighed among all others
        (without_floor, 3, 0.01, 1000, 0.93),
        (level, 1, 0.02, 200, 0.95),
        (nearly_right, 1, 0.02, 50, 0.93),
    ],
)
def test_intervals_of_what_doubling_brings_hold_the_truth(draw, seeds, spread, rows, least):
    random = np.random.default_rng(seeds + rows)
    held = runs = refused = 0
    widths = []
    times = np.array([0.125, 0.25, 0.5, 1.0])
    while runs < 100:
        exponent, left, floor = draw(random)
        errors = floor + left * times**-exponent
        if errors[0] > 0.95:
            continue
        scores = simulated(random, errors, seeds, spread, rows)
        law = PowerLaw(
            400 * times,
            np.array([1 - one.mean() for one in scores]),
            score_covariance(scores, independent(rows)),
        )
        runs += 1
        if not law.follows:
            refused += 1
            continue
        found, truth = law.gain(2), left * (1 - 2**-exponent)
        held += found.low - 1e-9 <= truth <= found.high + 1e-9
        widths.append(found.high - found.low)
    assert held / (runs - refused) >= least  # nominal 0.95; seeds are fixed
    assert np.mean(widths) < 0.06  # or they would say nothing
    assert refused <= 0.03 * runs


def test_whether_a_curve_has_a_floor_stays_open_until_the_scores_tell():
    unclear, told = law(0.2, 0.0, 0.3, 0.02), law(0.05, 0.3, 1.2, 0.003)
    assert unclear.gain(2).high > 0.2 * (1 - 2**-0.3)
    assert told.gain(4).high < 0.05  # without a floor the last step down alone would promise more


def test_small_errors_have_a_grid_as_fine_as_they_are():
    found = law(0.004, 0.0, 0.9, 0.0003)
    assert found.gain(2).middle == pytest.approx(0.004 * (1 - 2**-0.9), abs=0.0003)
    assert found.gain(2).high < 0.003


def test_the_confidence_asked_for_is_that_of_the_intervals():
    errors = 0.1 + 0.1 * (SIZES / SIZES.max()) ** -0.5
    rough, sure = (PowerLaw(SIZES, errors, 0.02**2 * np.eye(4), level).gain(2) for level in (0.8, 0.99))
    assert sure.low <= rough.low < rough.high < sure.high


def test_scores_without_a_wrong_answer_leave_room_for_some():
    perfect = [np.ones((1, 20))] * 3
    covariance = score_covariance(perfect, independent(20))
    found = PowerLaw(np.array([12.0, 24.0, 48.0]), np.zeros(3), covariance).gain(2)
    assert found.low == 0
    assert found.high > 0.01  # errors of 6, 4.5 and 3.4% leave 20 of 20 right often enough


def test_a_metric_that_moves_more_than_its_rows_widens_what_is_said_of_it():
    random = np.random.default_rng(0)
    scores = simulated(random, [0.4, 0.3, 0.25, 0.2], 1, 0.0, 200)
    plain = score_covariance(scores, independent(200))
    wide = score_covariance(scores, independent(200), np.array([1.0, 1.0, 1.0, 2.0]))
    seeds = SEED_DEVIATION**2
    assert wide[3, 3] - seeds == pytest.approx(4 * (plain[3, 3] - seeds), rel=0.01)
    assert wide[0, 3] == pytest.approx(2 * plain[0, 3], rel=0.01)
    assert wide[:3, :3] == pytest.approx(plain[:3, :3], rel=0.01)


def test_axes_are_named_in_any_order():
    assert axes_named(" shots,labels ") == ("labels", "shots")
    with pytest.raises(ValueError, match="lables"):
        axes_named("lables")


def test_a_point_has_a_cell_of_its_own(tmp_path):
    point = CurvePoint("rag", "rag", "passages", 2, (0, 1))
    assert point.cell(tmp_path, 1).folder == tmp_path / "cells" / "rag-1-passages2"


def entry(**more):
    spans = {"middle": 0.021, "low": 0.003, "high": 0.05}
    told = {"arm": "qlora", "axis": "labels", "own": 480, "reason": None, "doubling": spans, "fourfold": spans}
    return told | more


def test_sentences_say_what_more_would_bring_or_that_it_cannot_be_told():
    assert str(curve_sentence(entry())) == (
        "Twice the 480 training rows are expected to bring qlora 2.1 points (0.3 to 5.0), four times as many "
        "2.1 points (0.3 to 5.0)."
    )
    vague = curve_sentence(entry(reason="its interval is too wide to be of use"))
    assert (
        str(vague) == "What more training rows would bring qlora can't be told: its interval is too wide to be of use."
    )
    gap = {"difference": 0.04, "low": 0.01, "high": 0.07}
    shots = str(curve_sentence({"arm": "few_shot", "axis": "shots", "own": 8, "best": 2, "against_own": gap}))
    assert shots.startswith("few_shot scores best with 2 worked examples in the prompt: +4.0 points (1.0 to 7.0)")
    assert "set `few_shot.try_k` in the task" in shots
