"""A small version of ``make calibrate-verdict``: bounds that hold, and that a wrong formula breaks."""

from dataclasses import replace

import numpy as np
import pytest

from evals import calibration, calibration_labels, count_interval, sample, spread, verdict
from evals.calibrate_verdict import last_line, look_again
from evals.calibration import CellResult, all_settings, run_cell, true_joint, try_rows_needed, two_seed_settings
from evals.calibration_beside_page import beside
from evals.calibration_labels import LabelSetting, run_label_cell, true_macro_f1
from evals.calibration_page import page
from evals.simulated import Setting, Source, shared_part

AT = Setting(rows=200, gain=0.03, discordance=0.3, clustered=False, seeds=1, untrained=2, near=2)
CLUSTERED = Setting(rows=200, gain=0.03, discordance=0.3, clustered=True, seeds=1, untrained=2, near=2)
SEEDS = Setting(rows=1000, gain=0.03, discordance=0.12, clustered=False, seeds=3, untrained=2, near=2)
RUNS = 400


def within(cell):
    """Whether a cell keeps its promises, with three standard errors for so few comparisons."""
    slack = 3 * (0.05 * 0.95 / cell.comparisons) ** 0.5
    most = 0.025 + 3 * (0.025 * 0.975 / cell.comparisons) ** 0.5
    claims = [share for share in (cell.false_worth_it, cell.false_not_worth_it) if share is not None]
    return all(share <= most for share in claims) and 0.95 - slack <= cell.coverage <= 0.97 + slack


@pytest.mark.parametrize("setting", [AT, CLUSTERED, SEEDS], ids=["rows", "clusters", "seeds"])
def test_the_verdict_keeps_its_error_rates(setting):
    assert within(run_cell(setting, RUNS, 1))


def test_claims_whose_error_is_not_shared_are_caught(monkeypatch):
    level = replace(AT, untrained=6, near=6)
    assert within(run_cell(level, RUNS, 1))
    unshared = {"worth_it": 0.9, "not_worth_it": 0.9}
    monkeypatch.setattr(verdict, "confidences", lambda *_: unshared)
    assert not within(run_cell(level, RUNS, 1))


def test_a_wrong_interval_for_counts_is_caught(monkeypatch):
    real = count_interval.tango
    monkeypatch.setattr(count_interval, "tango", lambda first, second, n, level: real(first, second, 2 * n, level))
    assert not within(run_cell(AT, RUNS, 1))


@pytest.mark.parametrize("groups", [5, 10])
def test_a_handful_of_groups_is_not_oversure(groups):
    cell = run_cell(Setting(200, 0.03, 0.3, True, 1, 2, 2, groups=groups), RUNS, 1)
    assert cell.coverage > 0.91


def test_a_variance_that_forgets_clusters_is_caught(monkeypatch):
    setting = Setting(rows=1000, gain=0.03, discordance=0.3, clustered=True, seeds=1, untrained=2, near=2)
    monkeypatch.setattr(spread, "influences", lambda values, _: _independent_influences(values))
    assert run_cell(setting, RUNS, 1).coverage < 0.92


def test_a_variance_that_forgets_seeds_is_caught(monkeypatch):
    monkeypatch.setattr(spread, "seed_variance", lambda scores, _: ())
    assert not within(run_cell(SEEDS, RUNS, 1))


def test_a_variance_without_its_square_root_is_caught(monkeypatch):
    real = sample.mean_spread

    def half(values, clusters, arms, rows):
        found = real(values, clusters, arms, rows)
        return spread.Spread(found.rows / 2, found.rows_df, found.seeds)

    monkeypatch.setattr(sample, "mean_spread", half)
    assert not within(run_cell(CLUSTERED, RUNS, 1))


def _independent_influences(values):
    rows = values.shape[-1]
    return (values - values.mean(axis=-1, keepdims=True)) / np.sqrt(rows * (rows - 1))


def test_power_is_as_foretold():
    for setting in (
        Setting(rows=1000, gain=0.09, discordance=0.3, clustered=False, seeds=1, untrained=2, near=2),
        Setting(rows=1000, gain=0.0, discordance=0.12, clustered=True, seeds=1, untrained=2, near=1),
    ):
        cell = run_cell(setting, RUNS, 1)
        assert 0.2 < cell.foretold < 0.95
        assert cell.power == pytest.approx(cell.foretold, abs=0.05 + 2 * (0.25 / RUNS) ** 0.5)


def test_power_of_few_rows_with_clusters_is_as_foretold():
    # The normal formula foretold 21.6% here.
    few = Setting(rows=50, gain=0.09, discordance=0.12, clustered=True, seeds=1, untrained=2, near=1)
    cell = run_cell(few, RUNS, 1)
    assert cell.power == pytest.approx(cell.foretold, abs=0.05)


def test_the_rows_needed_decide_in_four_of_five_tries():
    setting = Setting(rows=200, gain=0.09, discordance=0.3, clustered=False, seeds=1, untrained=2, near=2)
    tried = try_rows_needed(setting, RUNS, 1)
    assert tried.claim == "worth_it"
    assert 600 < tried.setting.rows < 1000
    assert tried.decided == pytest.approx(0.8, abs=0.1)


def test_what_is_out_of_reach_is_not_tried():
    setting = Setting(rows=200, gain=0.03, discordance=0.3, clustered=False, seeds=1, untrained=2, near=2)
    assert try_rows_needed(setting, 1, 1) is None


@pytest.mark.parametrize("setting", [AT, CLUSTERED], ids=["rows", "clusters"])
def test_simulated_rows_are_as_stated(setting):
    large = setting.with_rows(40_000)
    drawn = Source(large, 0).draw()
    assert drawn.trained.mean() == pytest.approx(0.73, abs=0.012)
    assert drawn.untrained.mean(axis=1) == pytest.approx(large.accuracies, abs=0.012)
    assert np.mean(drawn.trained[0] != drawn.untrained[0]) == pytest.approx(0.3, abs=0.012)
    assert true_joint(setting, 0).gains == pytest.approx([0.03, 0.03])


def test_graded_rows_have_the_gain_they_say():
    setting = replace(AT, rows=40_000, gain=0.09, near=1, graded=True)
    drawn = Source(setting, 0).draw()
    assert drawn.trained.mean() - drawn.untrained.mean(axis=1) == pytest.approx(setting.true_gains, abs=0.01)
    assert setting.true_gains == pytest.approx([0.06, 0.19 * 2 / 3])


def test_more_discordance_means_less_in_common():
    assert shared_part(0.73, 0.7, 0.12) > shared_part(0.73, 0.7, 0.3) > 0


def test_every_cell_that_was_asked_for_is_there():
    cells = [setting for setting in all_settings() if not (setting.graded or setting.groups)]
    assert {one.rows for one in cells} == {50, 200, 1000}
    assert {one.untrained for one in cells} == {2, 4, 6}
    assert {one.seeds for one in cells} == {1, 3}
    assert {one.clustered for one in cells} == {False, True}
    gains = {one.gain for one in cells}
    assert 0.0 in gains
    assert calibration.MINIMUM_GAIN in gains
    assert min(gain for gain in gains if gain) < calibration.MINIMUM_GAIN < max(gains)
    assert len(cells) == 3 * 4 * 2 * 2 * 2 * 4


def test_macro_f1s_intervals_hold_the_truth_and_one_that_is_too_narrow_does_not(monkeypatch):
    setting = LabelSetting(200, "even")
    assert true_macro_f1((0.5, 0.5), (0.8, 0.6)) == pytest.approx((2 * 0.4 / 1.1 + 2 * 0.3 / 0.9) / 2)
    cell = run_label_cell(setting, 150, 1)
    assert min(cell.score, cell.gain) > 0.9
    monkeypatch.setattr(calibration_labels, "CONFIDENCE", 0.6)
    assert run_label_cell(setting, 150, 1).gain < 0.8
    told = beside([run_cell(two_seed_settings()[0], 5, 1)], [cell])
    assert "| 200 | even |" in told
    assert "## Two training seeds" in told


def test_the_page_and_the_last_line_tell_the_worst():
    cells = [
        CellResult(AT, 10, 0.01, 0.04, 0.94, None, None, None),
        CellResult(AT.with_rows(50), 10, 0.03, 0.02, 0.96, "worth_it", 0.5, 0.4),
    ]
    assert last_line(cells) == (
        "false_worth_it=0.030 false_not_worth_it=0.040 coverage_min=0.940 coverage_max=0.960 cells=2"
    )
    text = page(cells, [], [], 10, 3)
    assert "(10 simulated comparisons in each of 2 cells, seed 3)" in text
    assert "| 0/1 | 200 | 30% | no | 1 | 1.0% | 4.0% | 94.0% |" in text
    assert "within 5 points in 0 of 1 cells" in text


def test_cells_beyond_a_bound_are_drawn_anew_and_the_new_figures_stand():
    beyond = replace(CLUSTERED, rows=50)
    cells = [
        CellResult(AT, 10, 0.01, None, 0.95, None, None, None),
        CellResult(beyond, 10, 0.01, None, 0.974, None, None, None),
    ]
    assert [cell.within for cell in cells] == [True, False]
    stand, replaced = look_again(cells, 20, 3)
    assert stand[0] == cells[0]
    assert stand[1] == replaced[0][1] == run_cell(beyond, 20, 3)
    text = page(stand, replaced, [], 10, 3)
    assert "left 1 of the cells beyond a bound" in text
    assert f"97.4% → {stand[1].coverage:.1%}" in text


@pytest.mark.parametrize(
    "wrong",
    [
        {"false_worth_it": 0.051},
        {"false_not_worth_it": 0.051},
        {"coverage": 0.929},
        {"coverage": 0.971},
        {"power": 0.8, "foretold": 0.86},
    ],
)
def test_each_bound_of_a_cell_counts(wrong):
    kept = CellResult(AT, 10, 0.05, 0.05, 0.95, None, None, None)
    assert kept.within
    assert not replace(kept, **wrong).within
