from xml.etree import ElementTree

import pytest

from reports.cost_charts import cumulative_chart, quality_chart
from reports.economics import CostRow, payback_sentence
from reports.page import render_report
from tests.report_fixtures import make_run
from tests.test_reports_page import Page


def cost(name, trained, score, per_1000, fixed, *, efficient):
    return CostRow(name, trained, score, per_1000, fixed, 0.0, fixed, efficient)


ROWS = [
    cost("qlora", True, 0.9, 0.5, 5000.0, efficient=True),
    cost("rag", False, 0.8, 3.0, 600.0, efficient=False),
    cost("zero_shot", False, 0.5, 0.25, 0.0, efficient=True),
]
BAND = {"low": 880_000.0, "middle": 1_760_000.0, "high": 3_520_000.0}


def economics(requests=BAND, volume=None, currency="EUR"):
    return {
        "payback": {"requests": requests},
        "requests_per_month": volume,
        "horizon_months": 12,
        "currency": currency,
    }


def root(drawing):
    return ElementTree.fromstring(str(drawing))


def test_the_cumulative_costs_stand_in_words():
    drawn = root(cumulative_chart(ROWS, "c", economics()).wide)
    # the axis ends at 1.6 times the break-even: 2,816,000 requests
    assert drawn.find("desc").text == ("qlora from 5,000 to 6,408; rag from 600 to 9,048; zero_shot from 0 to 704.")
    assert drawn.find("title").text == "Cumulative cost by requests, in EUR"


def test_the_cumulative_costs_reach_as_far_as_the_horizon():
    drawn = root(cumulative_chart(ROWS, "c", economics(volume=1_000_000)).wide)
    assert "qlora from 5,000 to 11,000" in drawn.find("desc").text  # 12 million requests at 0.5 a thousand


def test_a_trained_line_is_solid_and_another_dashed():
    styles = [node.get("style", "") for node in root(cumulative_chart(ROWS, "c", economics()).wide).iter("path")]
    lines = [style for style in styles if "stroke-width: 1.8" in style]
    assert ["stroke-dasharray" in style for style in lines] == [False, True, True]


def test_the_band_is_left_out_where_nothing_repays():
    with_band, without = (str(cumulative_chart(ROWS, "c", economics(band)).wide) for band in (BAND, None))
    assert "var(--chart-band)" in with_band
    assert "break-even 1,800,000" in with_band
    assert "var(--chart-band)" not in without
    assert "break-even" not in without


def test_efficient_arms_are_marked_by_a_ring_and_in_words_and_every_arm_is_named():
    drawn = root(quality_chart(ROWS, "q", "EUR").wide)
    said = "qlora (efficient) 90.0% at 0.50; rag 80.0% at 3.00; zero_shot (efficient) 50.0% at 0.25."
    assert drawn.find("desc").text == said
    texts = {node.text for node in drawn.iter("text")}
    assert {"qlora", "rag", "zero_shot"} <= texts
    uses = [node.get("style") or "" for node in drawn.iter("use")]
    assert sum("fill-opacity: 0" in style for style in uses) == 2  # a ring around each efficient arm


def test_costs_far_apart_are_drawn_by_magnitude():
    def label(rows):
        return next(n.text for n in root(quality_chart(rows, "q", "EUR").wide).iter("text") if "EUR" in (n.text or ""))

    assert label(ROWS) == "EUR per 1,000 requests"
    cheap = cost("nearest", False, 0.4, 0.01, 0.0, efficient=True)
    assert label([*ROWS, cheap]) == "EUR per 1,000 requests, each step ×10"
    free = cost("nearest", False, 0.4, 0.0, 0.0, efficient=True)
    assert label([*ROWS, free, cheap]) == "EUR per 1,000 requests"  # nothing has no magnitude


def test_charts_need_something_to_show():
    assert quality_chart(ROWS[:1], "q", "EUR") is None
    assert cumulative_chart(ROWS[1:], "c", economics()) is None


@pytest.mark.parametrize("currency", ["<b>&", "$\\frac{$", "\x00\x1b", "{trained}", "A" * 300])
def test_a_currency_is_text(currency):
    for chart in (cumulative_chart(ROWS, "c", economics(currency=currency)), quality_chart(ROWS, "q", currency)):
        assert root(chart.wide).get("role") == root(chart.narrow).get("role") == "img"
    results, predictions = make_run(rows=200)
    told = results["economics"]
    told["currency"] = currency
    told["payback"] |= {"status": "never", "requests": None, "months": None}
    assert "isn't cheaper" in str(payback_sentence(results))
    plain = {tag for tag, _ in Page(render_report(*make_run(rows=200))).elements}
    assert {tag for tag, _ in Page(render_report(results, predictions)).elements} == plain
