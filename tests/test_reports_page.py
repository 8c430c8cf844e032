import base64
import dataclasses
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import RunError
from reports.explorer import PROMPT_ROWS, STATIC_ROWS, build_explorer, script_json
from reports.page import render_report
from tests.report_fixtures import ARMS, PAYLOADS, Spec, hostile, make_full_run, make_run

VOID = {"meta", "link", "br", "input", "img", "base", "hr", "source", "area", "col", "embed", "track", "wbr"}


class Page(HTMLParser):
    """A page read back: its elements with their attributes, the text of each, and the nesting."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.texts = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1][0] == tag, f"</{tag}> closes <{self.open[-1][0]}>"
        self.open.pop()

    def handle_data(self, data):
        self.texts.append((data, self.open[-1][0] if self.open else ""))

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data[:60]!r}")

    @property
    def text(self):
        hidden = ("script", "style")
        return " ".join(" ".join(text for text, tag in self.texts if tag not in hidden).split())

    def inside(self, tag):
        return [text for text, parent in self.texts if parent == tag]

    def payload(self):
        return json.loads(next(text for text, tag in self.texts if tag == "script"))


@pytest.fixture(scope="module")
def ordinary():
    results, predictions = make_run(rows=120, seeds=2, documents=30)
    return results, predictions, render_report(results, predictions)


CASES = {
    "worth it": {},
    "several seeds": {"seeds": 3},
    "documents": {"documents": 20},
    "no trained arm": {"specs": ARMS[:4]},
    "only a trained arm": {"specs": ARMS[6:7]},
    "nothing finished": {"specs": ARMS[7:]},
    "no arm": {"specs": ()},
    "one example": {"rows": 1},
    "two labels": {"labels": ("yes", "no")},
    "77 labels": {"labels": [f"label {number}" for number in range(77)]},
    "macro-F1": {"metric": "macro_f1"},
    "ROUGE": {"labels": (), "metric": "rouge_l"},
    "partial": {"specs": (*ARMS[:6], Spec("qlora", "tune", 0.9, status="partial", reason="the run was stopped"))},
    "not worth it": {"verdict": {"outcome": "not_worth_it"}},
    "undecided": {"verdict": {"outcome": "undecided"}},
    "hostile": {"text": hostile(0), "documents": 5, "seeds": 2},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_kind_of_run_gives_a_well_formed_page(case):
    page = Page(render_report(*make_run(**{"rows": 30, **case})))
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == tags.count("main") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    assert tags.count("table") == tags.count("caption")
    assert all(attributes.get("scope") for tag, attributes in page.elements if tag == "th")
    for _, attributes in page.elements:
        for name in ("aria-labelledby", "aria-describedby"):
            assert set(attributes.get(name, "").split()) <= set(ids)
        if attributes.get("href", "").startswith("#"):
            assert attributes["href"][1:] in ids


def test_the_page_may_ask_for_nothing(ordinary):
    html = ordinary[2]
    page = Page(html)
    policy = next(a["content"] for _, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    assert len(script) == 1
    digest = base64.b64encode(hashlib.sha256(script[0].encode()).digest()).decode()
    assert rules == {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",
        "script-src": f"'sha256-{digest}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    for _, attributes in page.elements:
        assert not {"src", "srcset", "action", "data"} & attributes.keys()
        assert attributes.get("href", "#").startswith(("#", "data:,"))
    assert "url(" not in re.sub(r"url\(#", "", html)


@pytest.mark.parametrize("turn", range(0, len(PAYLOADS), 3))
def test_text_from_data_is_text_and_nothing_else(turn):
    plain = Page(render_report(*make_run(rows=12, documents=3, seeds=2)))
    results, predictions = make_run(rows=12, documents=3, seeds=2, text=hostile(turn))
    html = render_report(results, predictions)
    page = Page(html)
    known = {(tag, frozenset(attributes) - {"title"}) for tag, attributes in plain.elements}
    assert {(tag, frozenset(attributes) - {"title"}) for tag, attributes in page.elements} <= known
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ufffe]", html)
    html.encode()


@given(
    st.recursive(st.text() | st.none() | st.integers(), lambda each: st.lists(each) | st.dictionaries(st.text(), each))
)
def test_json_in_a_script_reads_back_and_cannot_end_it(value):
    text = script_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


def test_the_page_says_the_figures_of_the_results(ordinary):
    results, _, html = ordinary
    text = Page(html).text
    for arm in results["arms"]:
        if arm["score"]:
            score = arm["score"]
            shown = f"{100 * score['mean']:.1f}% ( {100 * score['low']:.1f}–{100 * score['high']:.1f} )"
            assert shown.replace("( ", "(").replace(" )", ")") in text
    for said in (
        "Yes, if better answers are worth their price.",
        results["verdict"]["reason"],
        "out of memory after 3 steps",
        "it was not named in --arms",
        "No eval file: 200 of 800 training rows",
        "Iterations per epoch 34",
        "231,400",
        "6 min 52 s",
        "cosine with 6 warm-up steps",
        "tuneworthy run examples/ticket-coding --arms all",
        "Tango's paired interval, exact McNemar test",
        "best score",
        "97.5%",  # the verdict's own confidence
        "3f" * 32,
        "By length-normalised choice",
        "2,048",
    ):
        assert said in text, said


def test_the_difference_is_turned_the_way_it_is_read(ordinary):
    results, _, html = ordinary
    verdict = results["verdict"]
    assert verdict["best_untrained"] == "rag"
    pair = next(p for p in results["comparisons"] if (p["a"], p["b"]) == ("rag", "qlora"))
    assert f"+{-100 * pair['difference']:.1f} (" in Page(html).text


def test_what_is_missing_says_why():
    def text(**case):
        return Page(render_report(*make_run(rows=5, **case))).text

    assert "No arm that trains finished fitting" in text(specs=ARMS[:3])
    assert "Not measured: it needs an arm that retrieves" in text()
    assert "figures by label need a task with labels" in text(labels=(), metric="token_f1")
    assert "No answers are stored in this run" in text(specs=ARMS[7:])
    assert "no arm without training finished" in text(specs=ARMS[6:7])
    assert "No arm was run" in text(specs=())


def test_partial_arms_are_shown_but_not_ranked():
    specs = (*ARMS[:3], Spec("qlora", "tune", 0.99, status="partial", reason="the run was stopped"))
    page = Page(render_report(*make_run(specs, rows=20)))
    assert "partial" in page.text
    assert "the run was stopped" in page.text
    assert "qlora" not in " ".join(page.inside("desc"))


def test_answers_that_ended_at_the_token_limit_are_counted():
    results, *rest = make_run(rows=20)
    assert "token limit" not in Page(render_report(results, *rest)).text
    next(arm for arm in results["arms"] if arm["name"] == "few_shot")["cut"] = 7
    assert "ended at the token limit, scored as they stand: few_shot 7." in Page(render_report(results, *rest)).text


def test_how_every_arm_learnt_is_told_in_words_and_pictures(ordinary):
    results, _, html = ordinary
    page = Page(html)
    fit = next(arm for arm in results["arms"] if arm["name"] == "qlora")["fit"][0]
    word = {"underfit": "Underfit", "well_fit": "Well fit"}[fit["learning"]["kind"]]
    for said in (
        f"Seed 0. {word} : the validation loss",
        "the score on 32 of the 60 validation rows (no more, for their cost) was 12.5% before training",
        "Each seed: it read the 540 training rows 3.0 times (epochs); one reading takes 34 steps (iterations) of 16 "
        "rows, the last of them 12 rows; the learning rate rose to 0.0002 over the first 6 steps and then fell to zero "
        "along half a cosine.",
        "Score on validation rows ◆ The model's own answers to validation rows (accuracy)",
    ):
        assert said in page.text, said
    table = html[html.index('id="loss-table-1-1"') :]
    assert table.index(">Score</th>") < table.index("<td")
    assert table.index("12.5%") < table.index("</table>")


def test_what_was_tried_on_held_out_rows_is_shown_with_the_choice(ordinary):
    text = " ".join(Page(ordinary[2]).text.split())
    assert "few_shot, seed 1: mean scores on 64 held-out rows" in text
    assert "instruction 2, 8 shots chosen 73.4% 640 0" in text
    assert "instruction 2, 32 shots – 2,011 24" in text
    assert "instruction 1, 2 shots chosen" not in text
    unchosen = Page(render_report(*make_run([spec for spec in ARMS if spec.name != "few_shot"], rows=5))).text
    assert "How settings were chosen" not in unchosen


def test_results_of_an_older_version_are_shown_without_what_they_lack():
    results, predictions = make_run(rows=30)
    for arm in results["arms"]:
        for name in ("wrong", "wrong_from_train"):
            del arm[name]
        for fit in arm["fit"]:
            del fit["plan"], fit["learning"]
            for point in fit["losses"]:
                del point["score"]
    text = Page(render_report(results, predictions)).text
    assert "It ended at step 102" in text
    for missing in ("Underfit :", "Well fit", "It read the", "own answers to validation rows (", "Taken from training"):
        assert missing not in text


def test_wrong_answers_taken_from_training_are_told():
    def text(taken):
        results, predictions = make_run(rows=200, labels=(), metric="token_f1")
        for arm in results["arms"]:
            arm["wrong_from_train"] = taken.get(arm["name"], 0)
            arm["wrong"] = 40
        return Page(render_report(results, predictions)).text

    assert "40 of its 40 wrong answers" not in text({"few_shot": 40})  # its shots are training answers by design
    told = text({"qlora": 12, "nearest": 39})
    assert "12 of its 40 wrong answers are, word for word, what the training row said" in told
    assert re.search(r"nearest [\d.% ]+40 39 ", told)
    assert "Taken from training" not in Page(render_report(*make_run(rows=20))).text


def test_label_counts_are_rows_however_many_seeds():
    one, many = (Page(render_report(*make_run(rows=60, seeds=seeds))).text for seeds in (1, 3))
    table = re.compile(r"Label Rows .*? Confusions of")
    assert table.search(one).group() == table.search(many).group()


def test_the_labels_table_says_when_answers_that_failed_are_left_out():
    left_out = "that each arm got right, answers that failed left out"
    failing = (Spec("rag", "rag", 0.8, errors=0.2), Spec("qlora", "tune", 0.9))
    assert left_out in Page(render_report(*make_run(failing, rows=60))).text
    sound = (Spec("rag", "rag", 0.8), Spec("qlora", "tune", 0.9))
    assert left_out not in Page(render_report(*make_run(sound, rows=60))).text


def test_marks_of_one_arm_are_words_apart():
    """Copied or read aloud, two marks don't run into one word."""
    html = render_report(*make_run((Spec("nearest", "classic", 1.0), Spec("zero_shot", "prompt", 1.0)), rows=40))
    assert re.search(r">best score</span> <span class=\"mark\">simplest within noise<", html)


def test_the_probability_of_the_advice_is_in_whole_percent():
    text = Page(render_report(*make_full_run())).text
    assert "Recommended before the run: fine-tuning, with a probability of 72%." in text


def test_without_javascript_the_first_examples_are_there(ordinary):
    _, predictions, html = ordinary
    body = html[
        html.index('<table id="explorer-table">') : html.index("</table>", html.index('<table id="explorer-table">'))
    ]
    assert body.count('<th scope="row"') == STATIC_ROWS
    first = predictions["qlora"][0]
    assert first.input in body
    assert f"Showing the first {STATIC_ROWS} of 120 examples" in html


def test_the_script_gets_every_example_and_answer(ordinary):
    _, predictions, html = ordinary
    data = Page(html).payload()
    assert [arm["name"] for arm in data["arms"]] == list(predictions)
    assert [arm["trained"] for arm in data["arms"]] == [name == "qlora" for name in predictions]
    assert len(data["rows"]) == 120
    for place, arm in enumerate(data["arms"]):
        for row, prediction in zip(data["rows"], predictions[arm["name"]], strict=True):
            cell = [*row[4][place], *[None] * 9][:9]
            assert (row[0], row[1], row[2]) == (prediction.id, prediction.input, list(prediction.targets))
            assert (cell[0], cell[1], cell[3]) == (prediction.score, prediction.extracted, prediction.error)
            assert (prediction.extracted if cell[2] is None else cell[2]) == prediction.raw
            assert [item[0] for item in cell[7] or ()] == [item.id for item in prediction.retrieved]
            assert (None if cell[8] is None else arm["prefix"] + cell[8]) == (prediction.prompt or None)


def test_an_example_that_an_arm_did_not_answer_has_an_empty_place():
    results, predictions = make_run(rows=4)
    predictions["rag"] = predictions["rag"][:2]
    page = Page(render_report(results, predictions))
    assert [row[4][list(predictions).index("rag")] is None for row in page.payload()["rows"]] == [
        False,
        False,
        True,
        True,
    ]
    assert page.text.count("not answered") == 2


def test_a_thousand_examples_of_eight_arms_stay_small():
    results, predictions = make_run((*ARMS[:7], Spec("lora", "tune", 0.9)), rows=1000)
    long = {
        arm: [dataclasses.replace(row, raw=row.raw + " and so on" * 40, prompt=row.prompt * 9) for row in rows]
        for arm, rows in predictions.items()
    }
    html = render_report(results, long)
    assert len(html.encode()) < 1_500_000
    assert "Texts are cut after" in html
    assert f"Prompts are kept here for the first {PROMPT_ROWS} examples" not in html  # they are too long for that
    assert re.search(r"Prompts are kept here for the first \d+ examples of 1,000", html)


def test_ten_thousand_examples_render():
    results, predictions = make_run(ARMS[:2], rows=10_000)
    explorer = build_explorer(predictions, {})
    assert (explorer.total, len(explorer.rows), explorer.prompt_rows) == (10_000, STATIC_ROWS, PROMPT_ROWS)
    assert "of 10,000" in render_report(results, predictions)


def test_equal_results_give_equal_pages(ordinary):
    results, predictions, html = ordinary
    assert render_report(results, predictions) == html


@pytest.mark.parametrize("schema", [None, 2, "1"])
def test_another_schema_is_refused(schema):
    results, predictions = make_run(rows=2)
    with pytest.raises(RunError, match="schema"):
        render_report(results | {"schema": schema}, predictions)


def test_an_unknown_outcome_is_refused():
    results, predictions = make_run(rows=2, verdict={"outcome": "maybe"})
    with pytest.raises(RunError, match="'maybe' is not one of worth_it"):
        render_report(results, predictions)
