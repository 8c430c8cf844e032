"""A demo's index page and its table in the terminal."""

import io
import re

import pytest
from rich.console import Console

from evals.errors import RunError
from reports.demo_index import render_index, write_index
from reports.demo_outcome import DemoOutcome, demo_headline
from reports.demo_summary import DemoSummary
from reports.wording import FAMILIES
from tests.report_fixtures import ARMS, PAYLOADS, Spec, hostile, make_run
from tests.test_reports_page import Page

GOOD_RAG = (Spec("nearest", "classic", 0.3), Spec("few_shot", "prompt", 0.3), Spec("rag", "rag", 0.9))
SPECS = {
    "reading": (*GOOD_RAG, Spec("qlora", "tune", 0.4)),
    "routing": ARMS[:7],
    "filling": (Spec("few_shot_nearest", "prompt", 0.97), Spec("qlora", "tune", 0.6), ARMS[7]),
}


def outcome(name, specs, **case):
    return DemoOutcome(name, make_run(specs, **{"rows": 200, **case})[0])


@pytest.fixture(scope="module")
def outcomes():
    return [outcome(name, specs) for name, specs in SPECS.items()]


def printed(outcomes, width=100):
    console = Console(width=width, file=io.StringIO(), color_system=None, legacy_windows=False)
    console.print(DemoSummary(outcomes))
    return console.file.getvalue()


def cells_of(text, title):
    """Return the cells of a line of the table (two spaces or more lie between them)."""
    line = next(line for line in text.splitlines() if line.startswith(title))
    return re.split(r" {2,}", line.removeprefix(title).strip())


def test_the_headline_names_every_task():
    text = str(demo_headline([outcome(name, specs) for name, specs in SPECS.items()]))
    assert text == "Training is worth it for routing, not worth it for reading and filling."
    open_ones = [DemoOutcome("a", None), outcome("b", ARMS[:3]), DemoOutcome("c", None)]
    assert str(demo_headline(open_ones)) == "Training is undecided for b. No result yet: a and c."
    assert str(demo_headline([DemoOutcome("a", None)])) == "No result yet: a."


def test_the_table_has_a_column_per_task(outcomes):
    text = printed(outcomes, 160)
    assert cells_of(text, "verdict") == ["Not worth it", "Worth it, at a price", "Not worth it"]
    assert cells_of(text, "winner") == ["rag (retrieval)", "qlora (training)", "few_shot_nearest (prompting)"]
    for title, family in (("retrieval", "rag"), ("training", "tune")):
        for cell, one in zip(cells_of(text, title), outcomes, strict=True):
            arms = [arm for arm in one.results["arms"] if arm["family"] == family and arm["score"]]
            best = max(arms, key=lambda arm: arm["score"]["mean"], default=None)
            score = best and best["score"]
            assert cell == (
                f"{best['name']} {100 * score['mean']:.1f}% ({100 * score['low']:.1f}–{100 * score['high']:.1f})"
                if best
                else "– not run"
            )
    for cell, one in zip(cells_of(text, "gain from training"), outcomes, strict=True):
        gain = one.results["verdict"]["gain"]
        assert cell.replace("−", "-").startswith(f"{100 * gain['difference']:+.1f} points (")
    assert cells_of(text, "measured on") == ["200 eval rows, accuracy"] * 3
    assert all(re.fullmatch(r"\d+ min \d+ s", cell) for cell in cells_of(text, "fitting and answering took"))
    assert cells_of(text, "not complete") == ["full"]


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 120, 200])
def test_no_line_is_wider_than_the_terminal_and_no_figure_is_cut(outcomes, width):
    text = printed(outcomes, width)
    assert max(map(len, text.splitlines())) <= width
    for one in outcomes:
        for best in one.families:
            if best.row:
                assert f"{100 * best.row.score.value:.1f}%" in text
                assert f"({100 * best.row.score.low:.1f}–{100 * best.row.score.high:.1f})" in text
    assert bool(re.search(r"^ +reading +routing +filling *$", text, re.M)) == (width >= 80)


@pytest.mark.parametrize("specs", [ARMS[:3], ARMS[6:7], ARMS[7:], ()])
def test_runs_without_one_side_are_shown(specs):
    one = outcome("odd", specs)
    assert cells_of(printed([one]), "verdict") == ["Undecided"]
    page = Page(render_index([one]))
    assert page.open == []
    assert "Undecided" in page.text


def test_markup_in_data_is_text_in_the_terminal():
    for turn in range(len(PAYLOADS)):
        text = printed([outcome(PAYLOADS[turn], ARMS, text=hostile(turn))])
        assert "\x1b" not in text
        assert "\x00" not in text
        text.encode()


def test_the_page_has_what_each_task_came_to(outcomes):
    page = Page(render_index(outcomes))
    assert page.open == []
    assert "Training is worth it for routing , not worth it for reading and filling ." in page.text
    targets = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert [href for href in targets if not href.startswith("#")] == [f"{name}/report.html" for name in SPECS] + [
        f"{name}/report.html" for name in SPECS for _ in range(2)
    ]
    assert page.text.count("Not worth it") == 4  # in the table, and as badges
    assert "Use rag : it has the best score, and no other arm is within noise of it." in page.text
    for title in FAMILIES.values():
        assert title in page.text
    for one in outcomes:
        assert f"{100 * one.best.score.value:.1f}%" in page.text
    assert "not complete full : the causes are in the report." in page.text


def test_every_place_that_is_linked_within_the_page_exists(outcomes):
    page = Page(render_index([*outcomes, DemoOutcome("later", None)]))
    places = {attributes.get("id") for _, attributes in page.elements}
    within = {
        attributes["href"][1:] for tag, attributes in page.elements if tag == "a" and attributes["href"][0] == "#"
    }
    assert len(within) == 5
    assert within <= places


def test_tasks_without_results_are_shown_as_such(outcomes):
    page = Page(render_index([outcomes[0], DemoOutcome("later", None)]))
    assert page.text.count("no result yet") == 2
    assert not [a for tag, a in page.elements if tag == "a" and a["href"].startswith("later")]
    nothing = Page(render_index([DemoOutcome("later", None)]))
    assert "No result yet: later ." in nothing.text
    assert not [tag for tag, _ in nothing.elements if tag == "table"]


def test_the_page_asks_for_nothing_and_has_no_script(outcomes):
    page = Page(render_index(outcomes))
    policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert not {"script", "img", "iframe", "form"} & {tag for tag, _ in page.elements}
    assert "http" not in "".join(a.get("href", "") + a.get("src", "") for _, a in page.elements)


@pytest.mark.parametrize("turn", range(len(PAYLOADS)))
def test_hostile_names_are_text_and_nothing_else(turn):
    plain = Page(render_index([outcome("a", ARMS)]))
    html = render_index([outcome(PAYLOADS[turn], ARMS, text=hostile(turn))])
    html.encode()
    page = Page(html)
    assert page.open == []
    tags = [tag for tag, _ in page.elements if tag != "wbr"]
    assert tags == [tag for tag, _ in plain.elements if tag != "wbr"]
    hrefs = [a["href"] for tag, a in page.elements if tag == "a" and not a["href"].startswith("#")]
    assert hrefs
    assert all(re.fullmatch(r"[A-Za-z0-9._~%-]*/report\.html", href) for href in hrefs)
    assert "\u202e" not in page.text


def test_damaged_results_are_one_line_and_leave_the_old_page(outcomes, tmp_path):
    path = write_index(tmp_path, outcomes)
    before = path.read_bytes()
    broken = {key: value for key, value in outcomes[0].results.items() if key != "task"}
    with pytest.raises(RunError, match="can't be shown") as caught:
        write_index(tmp_path, [DemoOutcome("broken", broken)])
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before
