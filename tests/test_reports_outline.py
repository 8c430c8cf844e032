"""Every kind of run gives a report with the parts that it should have: golden outlines, made by ``report_outline``."""

import json

import pytest

from tests.report_outline import GOLDEN, KINDS, outline

EXPECTED = json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_has_its_parts(kind):
    """A wanted change: look at the difference, then ``python -m tests.report_outline`` writes the outlines anew."""
    assert outline(kind) == EXPECTED[kind]


def test_the_kinds_differ_where_they_should():
    """The outlines themselves say what each kind is: read once by a person, held here."""
    first = {kind: next(line for line in lines if not line.startswith("#")) for kind, lines in EXPECTED.items()}
    assert first["worth it"].startswith("Yes, if better answers are worth their price. ")
    assert first["not worth it"].startswith("No, training is not worth it. ")
    assert first["undecided"].startswith("It can't be said yet. ")
    assert any("Arms without a score" in line for line in EXPECTED["one arm failed"])
    assert not any("Arms without a score" in line for line in EXPECTED["worth it"])
    assert any("Seeds" in line for line in EXPECTED["several seeds"])
    assert any("of N labels" in line for line in EXPECTED["77 labels"])
    assert any("figures by label need a task with labels" in line for line in EXPECTED["ROUGE"])
    assert any("Not priced" in line for line in EXPECTED["costs missing"])
    assert any("Retrieval" in line for line in EXPECTED["worth it"])
    assert any("documents:" in line for line in EXPECTED["no documents"])
