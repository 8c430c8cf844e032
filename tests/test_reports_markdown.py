"""The results as Markdown: every figure is in it, and no name is read as markup, link or mention."""

import re

import pytest
from markdown_it import MarkdownIt

from reports.markdown import markdown, plain
from tests.report_fixtures import ARMS, PAYLOADS, Spec, hostile, make_run

READ = MarkdownIt("commonmark").enable("table")


def tokens(text):
    return [inner for token in READ.parse(text) for inner in (token, *(token.children or ()))]


def test_it_has_the_verdict_and_a_line_for_every_arm():
    results, _ = make_run(rows=60)
    text = markdown(results)
    assert text.startswith(f"### {results['task']['name']}: ")
    html = READ.render(text)
    assert html.count("<tr>") == 1 + sum(arm["status"] != "skipped" for arm in results["arms"])
    for arm in results["arms"]:
        assert arm["name"] in html
    assert "eval rows" in text
    assert "per 1,000" in text


@pytest.mark.parametrize("turn", range(len(PAYLOADS)))
def test_hostile_names_are_text_and_nothing_else(turn):
    clean, hurt = (markdown(make_run(ARMS, rows=30, text=text)[0]) for text in (str, hostile(turn)))
    counts = [[token.type for token in tokens(text)] for text in (clean, hurt)]
    assert {kind: counts[0].count(kind) for kind in set(counts[0]) - {"text", "text_special", "inline"}} == {
        kind: counts[1].count(kind) for kind in set(counts[1]) - {"text", "text_special", "inline"}
    }
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e\u2066-\u2069]", hurt)


@pytest.mark.parametrize(
    "text",
    ["@team/all", "#12", "[a](http://b)", "https://a.b", "www.a.b", "a|b", "`a`", "<b>", "&lt;", "*a*", "_a_", "$x$"],
)
def test_what_would_be_read_is_written_as_text(text):
    written = plain(text)
    assert not set(written) & set("@[]|`<>*$")
    assert "://" not in written
    assert "www." not in written
    assert not re.search(r"(?<!&)#", written)
    [inline] = [token for token in READ.parse(f"a {written}") if token.type == "inline"]
    assert {child.type for child in inline.children} <= {"text", "text_special"}
    assert "".join(child.content for child in inline.children) == f"a {text}"


def test_an_underscore_within_a_name_stays_readable():
    assert plain("few_shot") == "few_shot"


def test_a_run_without_training_is_told_too():
    specs = [Spec("zero_shot", "prompt", 0.5), Spec("rag", "rag", 0.7)]
    assert "this run has no arm that trains" in markdown(make_run(specs, rows=30)[0])
