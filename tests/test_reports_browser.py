"""The report, a demo's index and the advice in a real browser: nothing asked of the network, nothing executed."""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest

from reports.advice_page import advice_page
from reports.demo_index import render_index, render_outcomes
from reports.demo_outcome import DemoOutcome
from reports.page import render_report
from tests.advice_fixtures import full_advice, twisted
from tests.report_fixtures import ARMS, PAYLOADS, Spec, hostile, make_full_run, make_run

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


def missing():
    """Return what a browser test needs and doesn't find, or None."""
    if shutil.which("chromium") is None:
        return "chromium is not installed (Debian: apt-get install chromium)"
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "playwright is not installed (pip install playwright)"
    return None


@pytest.fixture(scope="module")
def browser():
    lack = missing()
    if lack and os.environ.get("CI"):
        pytest.fail(f"{lack}; with CI set the browser tests may not be skipped")
    if lack:
        pytest.skip(lack)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS.split())
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    results, predictions = make_run(rows=120, documents=30)
    path.write_text(render_report(results, predictions), encoding="utf-8")
    return path, predictions


class Visit:
    """A page that was opened, with all it said, asked for and threw."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.context.close()

    def status(self):
        return self.page.inner_text("#explorer-status")

    def rows(self):
        return self.page.locator("#explorer-table tbody tr:not(.detail)")


def test_the_page_opens_quietly_and_asks_for_itself_alone(browser, ordinary):
    with Visit(browser, ordinary[0]) as visit:
        assert visit.page.locator("h1").inner_text().startswith("Yes, if better answers are worth their price.")
        assert visit.complaints == []
        assert visit.requests == [ordinary[0].as_uri()]


def test_the_policy_forbids_what_nobody_should_do(browser, ordinary):
    """The Content-Security-Policy is in force: an image, a request and an inline handler come to nothing."""
    with Visit(browser, ordinary[0]) as visit:
        fetched = visit.page.evaluate("fetch('https://example.com/x').then(() => 'fetched', () => 'refused')")
        visit.page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', "
            "'<img src=https://example.com/x.png><button id=bad onclick=\"window.pwned=1\">x</button>')"
        )
        visit.page.evaluate("document.getElementById('bad').click()")
        assert fetched == "refused"
        assert visit.page.evaluate("window.pwned") is None
        assert any("img-src" in complaint for complaint in visit.complaints)


def test_search_and_filters_find_what_they_say(browser, ordinary):
    path, predictions = ordinary
    wrong = {row.id for row in predictions["qlora"] if row.score == 0}
    right = {row.id for row in predictions["qlora"] if row.score == 1}
    others = [arm for arm in predictions if arm != "qlora"]
    beaten = {i for i in right if not any(row.id == i and row.score == 1 for arm in others for row in predictions[arm])}
    erring = {row.id for rows in predictions.values() for row in rows if row.error}
    with Visit(browser, path) as visit:
        page = visit.page
        assert visit.status() == "Examples 1–25 of 120"
        page.select_option("#explorer-arm", label="qlora")
        page.select_option("#explorer-state", "wrong")
        assert visit.status() == f"Examples 1–{len(wrong)} of {len(wrong)} that match, of 120"
        assert {name.strip() for name in page.locator("button.open").all_inner_texts()} == wrong
        page.select_option("#explorer-arm", "")
        page.select_option("#explorer-state", "")
        for kind, expected in (("only-trained", beaten), ("error", erring)):
            page.select_option("#explorer-show", kind)
            assert {name.strip() for name in page.locator("button.open").all_inner_texts()} == expected
        page.select_option("#explorer-show", "all")
        page.fill("#explorer-search", "T00117")
        assert visit.rows().count() == 1
        page.fill("#explorer-search", "no such words anywhere")
        assert visit.status() == "No example matches."
        assert visit.complaints == []


def test_ten_thousand_examples_of_eight_arms_are_paged(browser, tmp_path):
    """The document holds one page of them, whatever is searched, sorted or filtered."""
    results, predictions = make_run((*ARMS[:7], Spec("lora", "tune", 0.9)), rows=10_000)
    path = tmp_path / "report.html"
    path.write_text(render_report(results, predictions), encoding="utf-8")
    with Visit(browser, path) as visit:
        page = visit.page
        assert visit.status() == "Examples 1–25 of 10,000"
        for change in (
            lambda: page.select_option("#explorer-sort", "hardest"),
            lambda: page.select_option("#explorer-show", "disagree"),
            lambda: page.fill("#explorer-search", "boiler"),
            lambda: page.click("#explorer-next"),
        ):
            change()
            assert visit.rows().count() == 25
            assert page.evaluate("document.querySelectorAll('*').length") < 6_000
        assert "that match, of 10,000" in visit.status()
        assert visit.complaints == []


def test_every_control_is_reached_by_the_tab_key(browser, ordinary):
    """From the skip link to the last button, in the order of the page, each with a visible focus."""
    with Visit(browser, ordinary[0]) as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#verdict"
        wanted = page.locator("main a, main summary, main input, main select, main button:not([disabled])").count()
        reached = set()
        for _ in range(wanted + 200):
            page.keyboard.press("Tab")
            told = page.evaluate(
                """() => {
                  const node = document.activeElement;
                  const style = getComputedStyle(node);
                  return [[...document.querySelectorAll('main *')].indexOf(node), node.tagName, style.outlineStyle];
                }"""
            )
            if told[0] < 0:
                break
            assert told[2] == "solid", told
            reached.add((told[0], told[1]))
        assert sum(tag in ("A", "SUMMARY", "INPUT", "SELECT", "BUTTON") for _, tag in reached) >= wanted


def test_rows_are_sorted_and_filtered_by_label(browser, ordinary):
    path, predictions = ordinary
    rows = predictions["qlora"]
    label = rows[0].target
    with Visit(browser, path) as visit:
        page = visit.page
        page.select_option("#explorer-label", label=label)
        assert f"of {sum(row.target == label for row in rows)} that match" in visit.status()
        page.select_option("#explorer-sort", "longest")
        lengths = [len(text) for text in page.locator("#explorer-table tbody th .text").all_inner_texts()]
        assert lengths == sorted(lengths, reverse=True)
        page.select_option("#explorer-label", "")
        scores = {}
        for arm in predictions.values():
            for row in arm:
                if row.score is not None:
                    scores.setdefault(row.id, []).append(row.score)
        for kind, sign in (("hardest", 1), ("easiest", -1)):
            page.select_option("#explorer-sort", kind)
            shown = [name.strip() for name in page.locator("button.open").all_inner_texts()]
            means = [sign * sum(scores[id_]) / len(scores[id_]) for id_ in shown]
            assert means == sorted(means)
        page.select_option("#explorer-sort", "")
        assert page.locator("button.open").first.inner_text().strip() == rows[0].id
        assert visit.complaints == []


def test_pages_turn_and_rows_open_by_keyboard(browser, ordinary):
    path, predictions = ordinary
    with Visit(browser, path) as visit:
        page = visit.page
        assert page.is_disabled("#explorer-previous")
        page.click("#explorer-next")
        assert visit.status() == "Examples 26–50 of 120"
        assert visit.rows().count() == 25  # one page in the document, not all
        first = page.locator("button.open").first
        first.focus()
        page.keyboard.press("Enter")
        assert first.get_attribute("aria-expanded") == "true"
        detail = page.inner_text(".detail")
        row = predictions["rag"][25]
        assert row.retrieved[0].id in detail
        assert row.input in detail
        page.locator(".detail summary").first.click()
        assert predictions["zero_shot"][25].prompt in page.inner_text(".detail pre >> nth=0")
        page.keyboard.press("Tab")
        first.focus()
        page.keyboard.press("Space")
        assert page.locator(".detail").count() == 0
        for _ in range(3):
            page.click("#explorer-next")
        assert visit.status() == "Examples 101–120 of 120"
        assert page.is_disabled("#explorer-next")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["ordinary", "hostile"])
def test_nothing_scrolls_sideways(browser, ordinary, tmp_path, scheme, kind):
    path = ordinary[0]
    if kind == "hostile":
        path = tmp_path / "report.html"
        path.write_text(render_report(*make_run(rows=30, seeds=2, documents=4, text=hostile(3))), encoding="utf-8")
    with Visit(browser, path, color_scheme=scheme) as visit:
        for width in (360, 768, 1440, 3840):
            visit.page.set_viewport_size({"width": width, "height": 900})
            visit.page.locator("button.open").first.click()
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width
            shown = [chart.is_visible() for chart in visit.page.locator("#scores svg.chart").all()]
            assert sum(shown) * 2 == len(shown)


CONTRAST = """() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => {
      const x = c / 255;
      return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return matchMedia("(prefers-color-scheme: dark)").matches ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)";
  };
  const poor = [];
  for (const node of document.querySelectorAll("main *, header *, nav *, footer *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    const style = getComputedStyle(node);
    if (!own || node.disabled || !node.getClientRects().length) continue;
    const colour = node instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(colour), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${node.tagName}.${node.getAttribute("class")} ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_contrast(browser, ordinary, scheme):
    with Visit(browser, ordinary[0], color_scheme=scheme) as visit:
        for summary in visit.page.locator("main details > summary").all():
            summary.click()
        visit.page.locator("button.open").first.click()
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
        assert visit.page.evaluate(CONTRAST) == []


def test_no_payload_does_anything(browser, tmp_path):
    for turn in range(0, len(PAYLOADS), 5):
        path = tmp_path / f"{turn}.html"
        results, predictions = make_run(rows=30, documents=3, text=hostile(turn))
        twisted = {
            arm: [dataclasses.replace(row, raw=PAYLOADS[place % len(PAYLOADS)]) for place, row in enumerate(rows)]
            for arm, rows in predictions.items()
        }
        path.write_text(render_report(results, twisted), encoding="utf-8")
        with Visit(browser, path) as visit:
            visit.page.evaluate("document.querySelectorAll('button.open, summary').forEach((node) => node.click())")
            assert visit.page.locator(".detail").count() == 25
            visit.page.fill("#explorer-search", "pwned")
            assert visit.page.evaluate("window.pwned") is None
            assert visit.page.locator("iframe, base, img, [onload], [onerror], [onfocus], [autofocus]").count() == 0
            assert visit.page.locator("footer").is_visible()
            assert visit.requests == [path.as_uri()]
            assert visit.complaints == []


def test_without_javascript_the_page_is_complete_to_read(browser, ordinary):
    with Visit(browser, ordinary[0], java_script_enabled=False) as visit:
        assert visit.rows().count() == 50
        assert not visit.page.locator("#explorer-controls").is_visible()
        assert not visit.page.locator("#explorer-pager").is_visible()
        assert "Showing the first 50 of 120 examples" in visit.page.inner_text("#examples")
        assert visit.complaints == []


def test_on_paper_nothing_is_cut(browser, ordinary):
    with Visit(browser, ordinary[0], viewport={"width": 688, "height": 970}, color_scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 688
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not visit.page.locator("#explorer-controls").is_visible()
        assert not any(row.is_visible() for row in visit.rows().all())
        assert "On a screen this page shows all 120 examples" in visit.page.inner_text("#examples")
        cut = (
            "[...document.querySelectorAll('.scroll')].filter((node) => node.scrollWidth > node.clientWidth + 1).length"
        )
        assert visit.page.evaluate(cut) == 0
        pages = visit.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n")
        assert 2 <= pages <= 5


@pytest.mark.parametrize(
    "make",
    [make_full_run, lambda: make_run(rows=120, labels=[f"label {number}" for number in range(77)])],
    ids=["three seeds and all parts", "77 labels"],
)
def test_large_runs_take_at_most_five_pages_of_paper(browser, tmp_path, make):
    path = tmp_path / "report.html"
    path.write_text(render_report(*make()), encoding="utf-8")
    with Visit(browser, path) as visit:
        assert 2 <= visit.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 5


@pytest.mark.parametrize("kind", ["ordinary", "hostile"])
def test_the_scoreboard_is_read_on_a_phone_without_scrolling_sideways(browser, ordinary, tmp_path, kind):
    path = ordinary[0]
    if kind == "hostile":
        path = tmp_path / "report.html"
        path.write_text(render_report(*make_run(rows=30, seeds=2, documents=4, text=hostile(3))), encoding="utf-8")
    with Visit(browser, path, viewport={"width": 360, "height": 740}) as visit:
        for table in visit.page.locator("table.stacks").all():
            assert table.evaluate(
                "(node) => node.closest('.scroll').scrollWidth <= node.closest('.scroll').clientWidth"
            )
            rights = table.evaluate(
                "(node) => [...node.querySelectorAll('tbody td')].map((cell) => cell.getBoundingClientRect().right)"
            )
            assert max(rights) <= 360
        if kind == "ordinary":
            row = visit.page.locator("#scores table.stacks tbody tr:not(.group)").first
            label = "getComputedStyle(document.querySelector('#scores td[data-label=Score]'), '::before').content"
            assert visit.page.evaluate(label) == '"Score"'
            assert row.get_by_role("cell").count() == 8  # cells for a screen reader too, whatever they look like


SCROLLING = (
    "[...document.querySelectorAll('.scroll')].filter((node) => node.scrollWidth > node.clientWidth + 1)"
    ".map((node) => node.getAttribute('aria-labelledby'))"
)


@pytest.mark.parametrize(("width", "text"), [(360, str), (768, str), (1440, str), (360, hostile(3))])
def test_no_table_of_a_full_report_scrolls_in_its_box(browser, tmp_path, width, text):
    path = tmp_path / "report.html"
    path.write_text(render_report(*make_full_run(text)), encoding="utf-8")
    with Visit(browser, path, viewport={"width": width, "height": 900}) as visit:
        visit.page.evaluate("document.querySelectorAll('main details').forEach((node) => { node.open = true; })")
        visit.page.locator("button.open").first.click()
        assert visit.page.evaluate(SCROLLING) == []
        right = (
            "Math.max(...[...document.querySelectorAll('main td, main p, main svg')].filter((n) => n.clientWidth)"
            ".map((n) => n.getBoundingClientRect().right))"
        )
        assert visit.page.evaluate(right) <= width


def test_no_filter_is_cut_and_no_command_is_broken_within_an_option(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(render_report(*make_full_run()), encoding="utf-8")
    with Visit(browser, path) as visit:
        for width in (360, 768, 1440):
            visit.page.set_viewport_size({"width": width, "height": 900})
            for select in visit.page.locator("#explorer-controls select").all():
                wanted = "(n) => { n.style.width = 'auto'; const w = n.offsetWidth; n.style.width = ''; return w; }"
                assert select.evaluate(wanted) <= select.evaluate("(n) => n.offsetWidth")
            command = visit.page.locator("#verdict code").first
            assert command.inner_text() == "tuneworthy run --resume RUN"
            assert command.bounding_box()["height"] < 40  # one line


def test_charts_stand_side_by_side_where_there_is_room(browser, ordinary):
    boxes = "[...document.querySelectorAll('#scores figure')].map((node) => node.getBoundingClientRect())"
    drawn = "[...document.querySelectorAll('#scores svg.chart')].filter((n) => n.clientWidth).map((n) => n.clientWidth)"
    with Visit(browser, ordinary[0]) as visit:
        for width, columns, zoom in ((360, 1, 1), (768, 2, 1), (1440, 2, 1), (3840, 2, 1.5)):
            visit.page.set_viewport_size({"width": width, "height": 900})
            first, second = visit.page.evaluate(f"{boxes}.map((box) => [box.left, box.top])")
            assert (first[1] == second[1]) == (columns == 2)
            assert max(visit.page.evaluate(drawn)) <= 500
            seen = visit.page.evaluate("document.querySelector('main').getBoundingClientRect().width")
            assert seen <= 1312 * zoom
            assert width < 1440 or seen >= 1040 * zoom


@pytest.fixture(params=["ordinary", "hostile"])
def index(request, tmp_path):
    """The index of a demo of which one task has no result yet; the report of the first lies where it's linked."""
    name, text = ("reading", str) if request.param == "ordinary" else (f"<b>{'x' * 80}", hostile(3))
    results, predictions = make_run(rows=60, text=text)
    outcomes = [DemoOutcome(name, results), DemoOutcome("other", make_run(rows=60)[0]), DemoOutcome("later", None)]
    path = tmp_path / "index.html"
    path.write_text(render_index(outcomes), encoding="utf-8")
    (tmp_path / name).mkdir()
    (tmp_path / name / "report.html").write_text(render_report(results, predictions), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_index_is_quiet_and_fits_every_screen(browser, index, scheme):
    with Visit(browser, index, color_scheme=scheme) as visit:
        for width in (360, 768, 1440):
            visit.page.set_viewport_size({"width": width, "height": 900})
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width
        assert visit.page.evaluate(CONTRAST) == []
        assert visit.page.evaluate("window.pwned") is None
        assert visit.requests == [index.as_uri()]
        assert visit.complaints == []


@pytest.mark.parametrize("each", [True, False], ids=["demo", "runs"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_tables_of_both_indexes_fit_with_the_gain_beside_the_verdict(browser, tmp_path, each, width):
    outcomes = [
        DemoOutcome("order-format-20260105-093000", make_run(rows=60)[0]),
        DemoOutcome("ticket-coding-german-20260105-093000", make_run(ARMS[:5], rows=60)[0]),
        DemoOutcome("later", None),
    ]
    path = tmp_path / "index.html"
    path.write_text(render_outcomes(outcomes, "3 runs", each=each), encoding="utf-8")
    with Visit(browser, path, viewport={"width": width, "height": 900}) as visit:
        assert visit.page.evaluate(SCROLLING) == []
        verdict, gain = visit.page.locator("#tasks tbody tr").first.locator("td").all()[:2]
        assert gain.inner_text().startswith("+")
        assert gain.bounding_box()["x"] + gain.bounding_box()["width"] <= width
        below = gain.bounding_box()["y"] > verdict.bounding_box()["y"]
        assert below == (width == 360)  # a card on a phone, a row elsewhere
        assert visit.page.locator("nav").count() == each


@pytest.mark.parametrize("others", [1, 0], ids=["beside a whole one", "alone"])
@pytest.mark.parametrize("width", [360, 768, 1440])
def test_what_is_wrong_with_a_run_is_read_to_its_end(browser, tmp_path, others, width):
    why = "/data/of/the/team/runs/orders-20260105/results.json can't be read; make it anew by: tuneworthy report RUN"
    outcomes = [DemoOutcome("whole", make_run(rows=60)[0])] * others + [DemoOutcome("broken", None, why)]
    path = tmp_path / "index.html"
    path.write_text(render_outcomes(outcomes, "runs", each=False), encoding="utf-8")
    with Visit(browser, path, viewport={"width": width, "height": 900}) as visit:
        assert visit.page.evaluate(SCROLLING) == []
        cell = visit.page.get_by_text(why)
        box = cell.bounding_box()
        assert box["x"] + box["width"] <= width


def test_the_index_leads_to_the_reports_without_javascript(browser, index):
    with Visit(browser, index, java_script_enabled=False) as visit:
        visit.page.locator("#tasks tbody a").first.click()
        assert visit.page.locator("#verdict").is_visible()
        visit.page.go_back()
        visit.page.locator("#task-1 h2 a").click()
        assert visit.page.locator("#verdict").is_visible()


def test_the_index_on_paper_is_not_cut(browser, index):
    with Visit(browser, index, viewport={"width": 688, "height": 970}) as visit:
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 688


@pytest.fixture(scope="module")
def axe():
    """The source of axe-core, which looks for what keeps people out: contrast, names, roles, landmarks, order."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["report", "hostile report", "index", "advice"])
def test_axe_finds_no_violation(browser, axe, tmp_path, kind):
    """All rules on a phone and on a wide screen; the dark theme changes colours alone, so contrast alone."""
    path = tmp_path / "page.html"
    results, predictions = make_run(rows=15, documents=20, seeds=2, text=hostile(1) if "hostile" in kind else str)
    html = {
        "index": lambda: render_index([DemoOutcome("reading", results), DemoOutcome("later", None)]),
        "advice": lambda: advice_page(full_advice()),
    }.get(kind, lambda: render_report(results, predictions))()
    path.write_text(html, encoding="utf-8")
    for width, scheme, rules in (
        (360, "light", ""),
        (1440, "light", ""),
        (1440, "dark", "{runOnly: ['color-contrast']}"),
    ):
        with Visit(browser, path, color_scheme=scheme, viewport={"width": width, "height": 900}) as visit:
            for summary in visit.page.locator("main details > summary").all():
                if summary.is_visible():
                    summary.click()
            visit.page.evaluate(axe)
            found = visit.page.evaluate(f"axe.run({rules})")
            assert found["passes"]
            assert [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found["violations"]] == []


@pytest.fixture(params=["ordinary", "hostile"])
def advice(request, tmp_path):
    """The page of an advice in which every part is there."""
    made = full_advice() if request.param == "ordinary" else twisted(full_advice(), hostile(3))
    path = tmp_path / "advice.html"
    path.write_text(advice_page(made), encoding="utf-8")
    return path


def open_all(page):
    for summary in page.locator("main details > summary").all():
        summary.click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_advice_is_quiet_and_fits_every_screen(browser, advice, scheme):
    with Visit(browser, advice, color_scheme=scheme) as visit:
        open_all(visit.page)
        for width in (360, 768, 1440, 3840):
            visit.page.set_viewport_size({"width": width, "height": 900})
            assert visit.page.evaluate("document.documentElement.scrollWidth") == width
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
        assert visit.page.evaluate(CONTRAST) == []
        assert visit.page.evaluate("window.pwned") is None
        assert visit.requests == [advice.as_uri()]
        assert visit.complaints == []


def test_no_part_of_the_advice_scrolls_sideways_on_a_phone(browser, advice):
    with Visit(browser, advice, viewport={"width": 360, "height": 740}) as visit:
        open_all(visit.page)
        wide = "[...document.querySelectorAll('.scroll')].filter((n) => n.scrollWidth > n.clientWidth + 1).length"
        assert visit.page.evaluate(wide) == 0
        right = "Math.max(...[...document.querySelectorAll('main *')].map((n) => n.getBoundingClientRect().right))"
        assert visit.page.evaluate(right) <= 360


def test_no_table_of_the_advice_scrolls_in_its_box_on_a_tablet(browser, tmp_path):
    path = tmp_path / "advice.html"
    path.write_text(advice_page(full_advice()), encoding="utf-8")
    with Visit(browser, path, viewport={"width": 768, "height": 900}) as visit:
        open_all(visit.page)
        assert visit.page.evaluate(SCROLLING) == []


def test_the_advice_is_read_without_javascript(browser, advice):
    with Visit(browser, advice, java_script_enabled=False) as visit:
        visit.page.locator("#reasons details > summary").first.click()
        assert visit.page.locator("#reasons details .reasons").first.is_visible()
        visit.page.locator("nav a[href='#answers']").click()
        assert visit.page.locator("#answers").is_visible()


def test_the_advice_on_paper_is_whole(browser, advice):
    with Visit(browser, advice, viewport={"width": 688, "height": 970}, color_scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 688
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        reasons = visit.page.locator("#reasons .reasons, #reasons .sides p.quiet")
        assert all(one.is_visible() for one in reasons.all())
        cut = "[...document.querySelectorAll('.scroll')].filter((n) => n.scrollWidth > n.clientWidth + 1).length"
        assert visit.page.evaluate(cut) == 0
        assert 2 <= visit.page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 10
