"""The advisor's score on published cases: it holds its goals, and nothing is scored by a card that saw its source."""

import contextlib
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from advisor import score
from advisor.calibration_error import equal_count, equal_width
from advisor.cases import cases
from advisor.scorecard import scorecard


@pytest.fixture(scope="module")
def scored():
    return score.leave_one_source_out(cases(), replace(scorecard(), start=score.BEGIN, temperature=1.0))


def test_the_published_figures_are_held(scored):
    figures = score.summary(scored)
    assert figures["top1"] >= 0.80
    assert figures["top2"] >= 0.95
    assert figures["ece"] <= 0.10
    right = [one.ranked[0] == one.case.simplest for one in scored]
    groups = [one.case.source for one in scored]
    for name, rule in score.BASELINES.items():
        theirs = [rule(one.case.answers) == one.case.simplest for one in scored]
        assert score.ahead_by(right, theirs, groups)[1] > 0, name


def test_a_source_is_scored_without_its_own_cases(monkeypatch):
    seen = []
    monkeypatch.setattr(score, "fit", lambda bank, card: (seen.append({case.source for case in bank}), card)[1])
    bank = cases()
    score.leave_one_source_out(bank, scorecard())
    sources = {case.source for case in bank}
    assert len(seen) == len(sources)
    assert all(len(sources - one) == 1 for one in seen)


def test_the_shipped_values_are_the_fitted_ones():
    fitted = score.fit(cases(), replace(scorecard(), start=score.BEGIN, temperature=1.0))
    assert fitted.start == pytest.approx(scorecard().start, abs=0.02)
    assert fitted.temperature == pytest.approx(scorecard().temperature, abs=0.02)
    assert fitted.lapse == pytest.approx(scorecard().lapse, abs=0.01)


@pytest.fixture(scope="module")
def printed():
    """Return the lines that the command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert score.main([]) == 0
    return out.getvalue().splitlines()


def test_the_command_ends_with_a_line_for_programs(printed):
    last = printed[-1]
    assert re.fullmatch(r"top1=0\.\d{3} top2=0\.\d{3} ece=0\.\d{3} n=60", last)


def test_every_missed_case_is_told_why(scored):
    for one in scored:
        if one.ranked[0] != one.case.simplest:
            assert one.case.missed, one.case.id


def test_calibration_error_by_hand():
    assert equal_count([(0.9, True)] * 10) == pytest.approx(0.1)
    assert equal_count([(0.9, False)] * 10) == pytest.approx(0.9)
    assert equal_width([(0.2, False)] * 8 + [(0.2, True)] * 2 + [(0.8, True)] * 10) == pytest.approx(0.1)
    assert equal_width([(1.0, True)] * 3) == 0


def test_the_page_holds_what_the_command_prints(printed):
    page = (Path(__file__).parents[1] / "docs" / "advisor-score.md").read_text(encoding="utf-8")
    *table, _, without_late, _, without_added, _ = printed
    assert table[0] == "| measure | value |"
    assert "\n".join(table) in page
    for sentence in (without_late, without_added):
        assert sentence.startswith("Without the ")
        assert sentence in page


def test_what_the_second_reading_added_is_on_what_was_learnt_from():
    for case in cases():
        assert set(case.added) <= {"examples", "hygiene"} & set(case.answers), case.id
