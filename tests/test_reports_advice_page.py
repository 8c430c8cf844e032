"""The advice's page: every part is on it, hostile text is text, and what is missing says why."""

import copy
import math

import pytest

from advisor.advice import advise
from evals.advice_file import check_advice
from evals.errors import UsageError
from reports.advice_estimates import build_estimates
from reports.advice_page import advice_page, write_advice
from reports.advice_view import headline, option_text, options_of
from reports.advice_wording import chance, coded, rough
from tests.advice_fixtures import ANSWERS, PLAN, full_advice, twisted
from tests.report_fixtures import PAYLOADS, hostile
from tests.test_reports_page import Page


def one_line(text):
    """Return ``text`` as a page's text is read back: backticks are gone, white space is single."""
    return " ".join(text.replace("`", " ").split())


@pytest.fixture(scope="module")
def advice():
    return full_advice()


@pytest.fixture(scope="module")
def page(advice):
    return Page(advice_page(advice))


@pytest.mark.parametrize("name", ANSWERS)
def test_every_advice_makes_a_whole_page(name):
    page = Page(advice_page(advise(ANSWERS[name])))
    assert page.open == []
    places = {attributes.get("id") for _, attributes in page.elements}
    links = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert all(link[0] == "#" and link[1:] in places for link in links)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_parts_come_in_order(page):
    sections = [attributes["id"] for tag, attributes in page.elements if tag == "section"]
    assert sections == [
        *("recommendation", "options", "reasons", "blocks", "flips", "find-out", "cases"),
        *("estimates", "readiness", "plan", "answers"),
    ]


def test_options_and_reasons_have_figures_and_sources(advice, page):
    for option in advice["options"]:
        assert option["name"] in page.text.lower().replace("(rag)", "(RAG)")
        assert chance(option["probability"]) in page.text
        for reason in option["reasons"]:
            assert one_line(reason["text"]) in page.text
            if reason["source"] is None:
                assert "our judgement, without a source" in page.text
            else:
                source = reason["source"]
                assert f"{source['title']} , {source['year']}, {source['id']}" in page.text
                assert reason["figure"][1:] in page.text
    widths = [float(a["width"]) for tag, a in page.elements if tag == "rect" and a.get("class") == "share"]
    assert widths == sorted(widths, reverse=True)
    assert widths == pytest.approx(
        sorted((100 * one["probability"] for one in advice["options"]), reverse=True), abs=0.01
    )


def test_changes_and_open_questions_are_there(advice, page):
    for flip in advice["flips"]:
        for key in flip["changes"]:
            assert advice["answers"][key]["question"] in page.text
        assert chance(flip["probability"]) in page.text
    assert advice["flips"]
    deciding = [one for one in advice["find_out"] if one["decides"]]
    assert page.text.count("could change it") == len(deciding) > 0
    for unknown in advice["find_out"]:
        assert unknown["question"] in page.text
        assert all(part.strip() in page.text for part in unknown["how"].split("`")[::2])


def test_cases_answers_and_the_rest_are_there(advice, page):
    assert page.text.count("figures not checked") == sum(case["memory"] for case in advice["cases"]) > 0
    assert "zero-shot 0.829" in page.text
    assert "odd arm 1" in page.text
    for case in advice["cases"]:
        assert f"{case['title']} {case['year']}, {case['source']}" in page.text
    for answer in advice["answers"].values():
        assert one_line(f"{answer['question']} {answer['text'] or ''}") in page.text
    for origin in ("said", "measured", "unknown", "skipped"):
        assert f" {origin} " in page.text
    assert "measured 4,120 rows, 9 copies left out" in page.text
    assert "2 points of 3 are not known to be enough." in page.text
    assert "Label 588 more, then tuneworthy advise ." in page.text
    for step in PLAN:
        assert one_line(step["step"].replace("`.", "` .")) in page.text


def test_estimates_of_any_shape_are_written_out(page):
    for text in ("Labelling", "Examples cost (EUR)", "1,320", "5,360,000 (2,680,000 to 10,700,000)", "Too few tokens."):
        assert text in page.text
    assert "LoRA 26.2 yes" in page.text
    assert "From scratch" in page.text
    assert "What the estimates assume: 2 values" in page.text
    assert "GPU, per hour 2.5 EUR per hour example prices" in page.text
    assert "training, checkpointing yes answer" in page.text


def test_estimates_without_assumptions_say_so():
    made = advise({}, estimates={"hours": 3})
    assert "The estimates name no assumption." in Page(advice_page(made)).text
    deep = {"a": {"b": [1, {"c": None}], "empty": {}}}
    for _ in range(50):
        deep = {"deeper": deep, "and": [[deep]]} if len(str(deep)) < 5000 else {"deeper": deep}
    assert Page(advice_page(advise({}, estimates=deep))).open == []
    assert build_estimates(None) is None


def test_missing_parts_say_why_and_how_to_get_them():
    text = Page(advice_page(advise({"task": "sorting"}))).text
    for part in ("Nothing was estimated", "Nothing was checked", "There is no plan", "No answer was measured"):
        assert part in text
    assert "tuneworthy advise --prices FILE adds" in text
    assert "tuneworthy advise --data ROWS adds" in text
    assert "Nothing that is known: no answer rules an option out" in text


def test_what_has_to_come_first_is_said_first():
    made = advise(ANSWERS["unready"])
    page = Page(advice_page(made))
    todo = made["recommendation"]["first"]
    assert len(todo) == 2
    before = page.text.index("Options, the likeliest first")
    assert all(page.text.rindex("Until then: prompting alone") > page.text.index(one) for one in todo)
    assert page.text.index("Until then: prompting alone") < before
    assert str(headline(made)).startswith("Not ready yet: training would be right with a probability")
    assert [one.name for one in options_of(made) if one.mark == "waits"] == [
        "Fine-tuning",
        "Retrieval and fine-tuning together",
    ]


def test_what_is_ruled_out_is_marked():
    marks = {one.name: (one.mark, one.chance) for one in options_of(advise(ANSWERS["documents"]))}
    assert marks["Fine-tuning"] == ("ruled out", "0%")
    assert marks["Prompting alone"][0] == ""
    assert (
        "Rules out fine-tuning and retrieval and fine-tuning together."
        in Page(advice_page(advise(ANSWERS["documents"]))).text
    )


def test_the_headline_claims_no_lead_where_there_is_none():
    assert str(headline(advise({}))).startswith("No clear lead yet: prompting alone is the likeliest, ")
    close = advise(ANSWERS["sorting"])
    close["recommendation"]["probability"] = close["options"][0]["probability"] = 0.41
    assert str(headline(close)) == "No clear lead yet: fine-tuning is the likeliest, with a probability of 41%."


def test_options_are_in_words_where_the_advice_has_them(advice):
    assert option_text("examples", "thousands", advice["answers"]) == "1,000 to 10,000"
    assert option_text("oracle", "only_with", advice["answers"]) == "right only with it"
    bare = {"oracle": {**advice["answers"]["oracle"], "options": {}}}
    assert option_text("oracle", "only_with", bare) == "only with"


@pytest.mark.parametrize("turn", range(len(PAYLOADS)))
def test_hostile_text_is_text_and_nothing_else(advice, turn):
    plain = Page(advice_page(twisted(advice, lambda text: f"x{text}")))
    html = advice_page(twisted(advice, hostile(turn)))
    html.encode()
    page = Page(html)
    assert page.open == []
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert not {"script", "img", "iframe", "form", "base"} & {tag for tag, _ in page.elements}
    assert not [a for _, a in page.elements if any(name.startswith("on") or name == "style" for name in a)]
    assert "\u202e" not in page.text


def test_the_page_asks_for_nothing_and_has_no_script(page):
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "http" not in "".join(a.get("href", "") + a.get("src", "") for _, a in page.elements)


def parts(value, path=()):
    """Yield the path of every field of an advice that its page can't do without."""
    if isinstance(value, dict) and path[:1] not in [("estimates",), ("plan",), ("readiness",)]:
        for key, one in value.items():
            if not path or path[-1] not in ("changes", "could_be", "results") and path != ("answers",):
                yield (*path, key)
            yield from parts(one, (*path, key))
    elif isinstance(value, list) and value:
        yield from parts(value[0], (*path, 0))


OPTIONAL = {"estimates", "readiness", "plan", "eval_rows", "id", "missed", "caveats", "data", "day", "command"}
OPTIONAL |= {"alike", "unlike", "added"}


def test_a_field_that_is_missing_is_one_line_and_no_page(advice, tmp_path):
    before = write_advice(tmp_path, advice).read_bytes()
    tried = 0
    for path in parts(advice):
        if path[-1] in OPTIONAL and path[-2:] != ("source", "id") or "answers" in path[1:]:
            continue
        if (path[0] == "answers" and "options" in path) or (path[0] == "cases" and path[-1] == "figure"):
            continue
        broken = copy.deepcopy(advice)
        inner = broken
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]
        with pytest.raises(UsageError) as caught:
            write_advice(tmp_path, broken)
        assert "\n" not in str(caught.value)
        tried += 1
    assert tried > 40
    assert (tmp_path / "advice.html").read_bytes() == before


def test_templates_know_no_missing_value(advice):
    from jinja2 import UndefinedError

    from reports.page import environment

    check_advice(advice)
    with pytest.raises(UndefinedError):
        environment().get_template("advice.html.j2").render(advice=advice)


def test_figures_are_as_long_as_they_are_good():
    assert [rough(value) for value in (0, 412, 8030000000.0, 2678288.9, 14.957, 0.1, 1e-05, 1.08405e17, -3.14159)] == [
        *("0", "412", "8,030,000,000", "2,680,000", "15.0", "0.1", "0.00001", "1.08 × 10¹⁷", "−3.14")
    ]
    assert [rough(value) for value in (None, True, False, "as it is", math.inf, math.nan)] == [
        *("–", "yes", "no", "as it is", "no limit", "–")
    ]
    assert [chance(value) for value in (0, 0.004, 0.006, 0.62, 0.994, 0.996, 1)] == [
        *("< 1%", "< 1%", "1%", "62%", "99%", "> 99%", "> 99%")
    ]


def test_code_is_marked_and_lone_backticks_stay():
    assert coded("a `b <c>` d") == "a <code><span>b</span> <span>&lt;c&gt;</span></code> d"
    assert coded("a ` b") == "a ` b"
    assert coded("`x` and ` y") == "<code><span>x</span></code> and ` y"


def test_the_plan_has_days_commands_and_rules_for_stopping(advice):
    step = {"step": "Read the task. Mend it.", "day": 3, "command": "tuneworthy check <x>", "why": "Two read it alike."}
    text = Page(advice_page({**advice, "plan": [step]})).text
    assert "Read the task. day 3 Mend it. tuneworthy check <x> Stop rule: Two read it alike." in text


def test_cases_say_in_what_they_are_alike(advice):
    cases = [{**advice["cases"][0], "alike": ["task", "base"], "unlike": ["labels_meaning"]}]
    assert "Alike in task and base; unlike in labels meaning." in Page(advice_page({**advice, "cases": cases})).text


def test_months_below_a_tenth_claim_no_hours(advice):
    months = {"low": 0.0002, "middle": 0.0005, "high": 0.001}
    even = [{"trained": "tune", "against": "rag", "requests": None, "months": months, "status": "yes"}]
    text = Page(advice_page({**advice, "estimates": {"break_even": even}})).text
    assert "0.1 (0.1 to 0.1)" in text
    assert "0.0005" not in text
