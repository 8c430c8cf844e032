"""The outline of a report: what stands where, without the figures. ``python -m tests.report_outline`` writes it anew.

One outline for each kind of run that a report must be able to tell; the golden copy is tests/data/report_outlines.json.
"""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from reports.page import render_report
from tests.report_fixtures import ARMS, Spec, make_run

GOLDEN = Path(__file__).parent / "data" / "report_outlines.json"
WHOLE = tuple(spec for spec in ARMS if spec.status == "done")


def no_costs(results):
    """Take away all that was measured of costs, as in a run whose arms were never timed."""
    for arm in results["arms"]:
        arm["cost"] = None
    told = results["economics"]
    told["arms"], told["break_even"] = [], []
    told["payback"] |= {"trained": None, "against": None, "requests": None, "months": None, "status": "unknown"}
    told["decision"] = "gain_only"  # what evals.economics says of a proven gain whose repayment isn't known
    return results


KINDS = {
    "worth it": ({"specs": WHOLE, "documents": 20}, None),
    "not worth it": ({"specs": (*WHOLE[:-1], Spec("qlora", "tune", 0.6))}, None),
    "undecided": ({"specs": (*WHOLE[:-1], Spec("qlora", "tune", 0.8))}, None),
    "one arm failed": ({"specs": ARMS}, None),
    "no documents": ({"specs": WHOLE, "documents": 0}, None),
    "two labels": ({"specs": WHOLE, "labels": ("yes", "no")}, None),
    "77 labels": ({"specs": WHOLE, "labels": [f"label {number}" for number in range(77)]}, None),
    "one example": ({"specs": WHOLE, "rows": 1}, None),
    "10,000 examples": ({"specs": WHOLE[5:], "rows": 10_000}, None),
    "several seeds": ({"specs": WHOLE, "seeds": 3}, None),
    "ROUGE": ({"specs": WHOLE, "labels": (), "metric": "rouge_l"}, None),
    "costs missing": ({"specs": WHOLE}, no_costs),
}


class _Outline(HTMLParser):
    """Collects a line per heading, caption, chart and paragraph that says that something is missing."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.lines, self.text, self.wanted, self.rows = [], "", None, 0

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        if tag in ("h1", "h2", "h3", "caption", "p", "summary") or (tag == "strong" and told.get("class") == "title"):
            self.wanted, self.text = tag, ""
        elif tag == "svg" and "wide" in told.get("class", ""):
            self.lines.append("    chart")
        elif tag == "section":
            self.lines.append(f"# {told['id']}")
        elif tag == "tr":
            self.rows += 1
        elif tag == "table":
            self.rows = 0

    def handle_endtag(self, tag):
        if tag == "table":
            self.lines.append(f"      {self.rows} rows")
        if tag != self.wanted:
            return
        text = re.sub(r"[−+]?\d[\d.,]*", "N", " ".join(self.text.split()))
        if tag == "p" and not re.match(
            r"Not measured|Not priced|No |This task|None|Nothing|The loss|On a screen", text
        ):
            text = ""
        if text:
            self.lines.append(
                {"h1": "", "h2": "  ", "h3": "    ", "caption": "    | ", "strong": "    * "}.get(tag, "    ") + text
            )
        self.wanted = None

    def handle_data(self, data):
        self.text += data


def outline(kind):
    """Return the outline of the report of a made-up run of ``kind``, a line for each part."""
    options, change = KINDS[kind]
    results, predictions = make_run(**{"rows": 200, **options})
    parser = _Outline()
    parser.feed(render_report(change(results) if change else results, predictions))
    parser.close()
    return [line.rstrip() for line in parser.lines]


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    found = {kind: outline(kind) for kind in KINDS}
    GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
