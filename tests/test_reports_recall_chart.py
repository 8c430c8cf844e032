"""The picture of retrieval: every figure is said, and arms differ by more than colour."""

import re

from reports.measures import Retrieval
from reports.page import render_report
from reports.recall_chart import recall_chart
from tests.report_fixtures import make_run

FOUND = {"mrr": 0.5, "n": 40}


def test_every_figure_is_said_and_every_arm_has_a_mark_of_its_own():
    rows = (("rag", FOUND, (0.5, 0.75, None)), ("rag_shots", FOUND, (0.25, 0.5, 1.0)))
    chart = recall_chart(Retrieval((1, 3, 5), rows), "recall")
    for drawn in (chart.wide, chart.narrow):
        assert "rag 50.0% at 1, 75.0% at 3, – at 5; rag_shots 25.0% at 1, 50.0% at 3, 100.0% at 5." in drawn
        assert "stroke-dasharray" in drawn
        assert len(set(re.findall(r'<use href="#([^"]+)"', drawn))) >= 2


def test_one_value_of_k_is_no_line():
    assert recall_chart(Retrieval((1,), (("rag", FOUND, (0.5,)),)), "recall") is None
    assert recall_chart(None, "recall") is None


def test_it_is_in_the_report_of_a_run_with_documents():
    assert "Recall by k" in render_report(*make_run(rows=40, documents=20))
    assert "Recall by k" not in render_report(*make_run(rows=40))
