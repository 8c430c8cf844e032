import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.answer_form import AnswerForm, answer_form
from evals.extraction import extract

MOODS = ("positive", "negative", "neutral")
KINDS = ("label", "text", "json", "number")


def strict(answer, kind, labels=MOODS, **more):
    return extract(answer, kind, labels, strict=True, **more)


def lenient(answer, kind, labels=MOODS, **more):
    return extract(answer, kind, labels, strict=False, **more)


@pytest.mark.parametrize(
    ("answer", "exact", "forgiving"),
    [
        ("positive", "positive", "positive"),
        ("  positive\n", "positive", "positive"),
        ("Positive.", None, "positive"),
        ("“positive”", None, "positive"),
        ("**Answer:** positive", None, "positive"),
        ("The label is 'neutral'.", None, "neutral"),
        ("I would say it is rather negative in tone", None, "negative"),
        ("negative, although parts are positive", None, "negative"),
        ("Answer: negative. It isn't positive.", None, "negative"),
        ("It's positive or negative", None, None),
        ("non-positive", None, None),
        ("positively", None, None),
        ("", None, None),
        ("no idea", None, None),
    ],
)
def test_labels(answer, exact, forgiving):
    assert strict(answer, "label") == exact
    assert lenient(answer, "label") == forgiving


@pytest.mark.parametrize(
    ("labels", "answer", "label"),
    [
        (("exchange_rate", "card_arrival"), "It's about the exchange rate.", "exchange_rate"),
        (("card", "card arrival"), "this is card arrival, I think", "card arrival"),
        (("C", "C++", "C#"), "I think it's C++.", "C++"),
        (("C", "C++", "C#"), "I think it's C.", "C"),
        (("-1", "0", "1"), "a clear -1", "-1"),
        (("-1", "0", "1"), "Label: −1", "-1"),
        (("-1", "0", "1"), "0", "0"),
        (("1", "2", "3", "4", "5"), "I give 4.5 stars", None),
        (("1", "2", "3", "4", "5"), "4 stars out of 5", "4"),
        (("+", "-"), "+", "+"),
        (("Yes", "yes"), "yes", "yes"),
        (("Yes", "yes"), "YES", None),
        (("正面", "负面"), "这是正面的。", "正面"),
        (("ja", "nein"), "JA!", "ja"),
        (("straße", "weg"), "die STRASSE hier", "straße"),
    ],
)
def test_labels_that_are_hard_to_tell_apart(labels, answer, label):
    assert lenient(answer, "label", labels) == label


@pytest.mark.parametrize(
    ("answer", "exact", "forgiving"),
    [
        ("42", "42", "42"),
        ("-3.50", "-3.50", "-3.50"),
        (".5", ".5", ".5"),
        ("5.", "5.", "5."),
        ("1,234.5", None, "1234.5"),
        ("1234567", "1234567", "1234567"),
        ("12,34", None, None),
        ("about −7 °C", None, "-7"),
        ("it costs $1,000.00.", None, "1000.00"),
        ("$-5", None, "-5"),
        ("−€5", None, "-5"),
        ("45 %", None, "45"),
        ("2 + 3 = 5", None, "5"),
        ("5-3", None, None),
        ("1e3", "1e3", "1e3"),
        ("roughly 1.5e-3 m", None, "1.5e-3"),
        ("on page 12 (of 40)", None, "40"),
        ("covid19 and v2.3.4", None, None),
        ("nan", None, None),
        ("inf", None, None),
        ("1e999", None, None),
        ("1e-99999999999999999999", None, None),
        ("答案是42", None, "42"),
        ("", None, None),
        ("Answer: 7 (of 10)", None, "7"),
        ("7 (of 10). So the answer is **8**, out of 10", None, "8"),
        ("Answer: 3\nNo, 4.\n**Final answer:** 5 of 9", None, "5"),
        ("Answer: 2 + 3 = 5 (of 9)", None, "5"),
        ("Answer:\n\n12 apples, 3 pears", None, "12"),
        ("It is 7 of 10. Answer: unknown", None, "10"),
        ("1 000", None, "1000"),
        ("1\u00a0000 km", None, "1000"),
        ("it is −1\u202f234\u202f567.5 there", None, "-1234567.5"),
        ("1'000 or so", None, "1000"),
        ("in 2019 300 people", None, "300"),
        ("so...5", None, "5"),
        ("1.234,56", None, None),
        ("1 000,5", None, None),
        ("1.234.567", None, None),
        ("0,123", None, None),
        ("1_000", None, None),
        ("1/2", None, None),
        ("Answer: 7/10", None, None),
        ("on 2024-05-01", None, None),
        ("at 12:30", None, None),
        ("10^3", None, None),
    ],
)
def test_numbers(answer, exact, forgiving):
    assert strict(answer, "number") == exact
    assert lenient(answer, "number") == forgiving


@pytest.mark.parametrize(
    ("answer", "exact", "forgiving"),
    [
        ('{"a": 1}', '{"a": 1}', '{"a": 1}'),
        ('Sure:\n```json\n{"a": [1, 2]}\n```\nDone', None, '{"a": [1, 2]}'),
        ("```\n[1]\n```", None, "[1]"),
        ('The set {x} is {"a": {"b": 2}} and {"c": 3}', None, '{"a": {"b": 2}}'),
        ('{"a": 1, "a": 2}', None, None),
        ('{"a": NaN}', None, None),
        ('{"a": -Infinity}', None, None),
        ('{"a": 1e999}', None, None),
        ("{'a': 1}", None, None),
        ('{"a": 1', None, None),
        ("3", "3", "3"),
        ("it's 3", None, None),
        ("[" * 101 + "]" * 101, None, None),
        ('{"intent":"x","slots":{"a":"b"}', None, None),
        ('{"a": [1, 2], "b": {"c": "d"}, "e": "f', None, None),
        ('{"a": {"b": 1}, "c": tr', None, None),
        ('{"a": {"b": 1}, "c": 1.', None, None),
        ('{"a": {"b": 1}, "c": "\\u00', None, None),
        ('{"a": {"b": 1}, "c": "two\nlines', None, None),
        ('{"a": NaN, "b": {"c": 1}', None, None),
        ('```json\n{"a": {"b": 1},\n```', None, None),
        ('It is {"a": 1}, or {"b": {"c": 1}', None, '{"a": 1}'),
        ('{"a": 1, "a": {"b": 2}}', None, None),
        ('{"a": NaN, "b": {"c": 1}} {"d": 1}', None, '{"d": 1}'),
        ('[note] the set {x is {"a": 1}', None, '{"a": 1}'),
    ],
)
def test_json(answer, exact, forgiving):
    assert strict(answer, "json") == exact
    assert lenient(answer, "json") == forgiving


def test_json_looks_for_what_the_tasks_answers_begin_with():
    answer = 'According to [1], it is {"a": 1}'
    assert lenient(answer, "json", form=AnswerForm(brackets="{")) == '{"a": 1}'
    assert lenient(answer, "json", form=AnswerForm(brackets="{[")) == "[1]"
    assert lenient("only [1] here", "json", form=AnswerForm(brackets="{")) == "[1]"
    assert lenient('see [1]: {"a": {"b": 1}', "json", form=AnswerForm(brackets="{")) is None
    assert lenient('it is {"a": [1]}', "json", form=AnswerForm(brackets="[")) == '{"a": [1]}'


def test_a_text_keeps_what_the_tasks_answers_wear():
    answer = 'Answer: "one\n\ntwo"\n\nthree'
    assert lenient(answer, "text", form=AnswerForm(paragraphs=2)) == "one\n\ntwo"
    assert lenient(answer, "text", form=AnswerForm(paragraphs=9)) == '"one\n\ntwo"\n\nthree'
    assert lenient(answer, "text", form=AnswerForm(cue=True)) == 'Answer: "one'
    assert lenient('"one"', "text", form=AnswerForm(quotes=True)) == '"one"'


def test_the_form_is_that_of_all_answers():
    assert answer_form([]) == AnswerForm()
    assert answer_form(["plain", "one\ntwo"]) == AnswerForm()
    assert answer_form(["plain", " one\n \n\ntwo\n\nthree\n"]) == AnswerForm(paragraphs=3)
    assert answer_form(["plain", "Summary: it rained"]) == AnswerForm(cue=True)
    assert answer_form(["plain", "“so he said”"]) == AnswerForm(quotes=True)
    assert answer_form(["[1]", "3"]).brackets == "["
    assert answer_form(["3", "null"]).brackets == "{["


@pytest.mark.parametrize(
    ("answer", "exact", "forgiving"),
    [
        ("Paris", "Paris", "Paris"),
        ("Answer: Paris\n\nInput: what else?", "Answer: Paris\n\nInput: what else?", "Paris"),
        ("The final answer is 'Paris'", "The final answer is 'Paris'", "Paris"),
        ("\n\n one\ntwo \n \nthree", "one\ntwo \n \nthree", "one\ntwo"),
        ("Answer:\n\nParis", "Answer:\n\nParis", "Paris"),
        ("Answer:", "Answer:", "Answer:"),
        ("The answering machine: broken", "The answering machine: broken", "The answering machine: broken"),
        ('"', '"', '"'),
        ("   ", None, None),
    ],
)
def test_text(answer, exact, forgiving):
    assert strict(answer, "text") == exact
    assert lenient(answer, "text") == forgiving


SIGNS = st.text(alphabet=st.sampled_from("ab1 -.,+{}[]\":e\n`*_$'́é中positve"), max_size=60)


@settings(max_examples=300)
@given(SIGNS | st.text(max_size=40), st.sampled_from(KINDS))
def test_never_raises_and_lenient_takes_what_strict_takes(answer, kind):
    exact, forgiving = strict(answer, kind), lenient(answer, kind)
    if exact is not None:
        assert forgiving is not None
        if kind != "text":
            assert forgiving == exact
    if kind == "label" and forgiving is not None:
        assert forgiving in MOODS


@given(st.lists(SIGNS.filter(str.strip), min_size=1, max_size=3), st.data())
def test_a_text_of_the_tasks_form_is_read_as_it_is(targets, data):
    target = data.draw(st.sampled_from(targets)).strip()
    assert lenient(target, "text", form=answer_form(targets)).split() == target.split()


@given(st.lists(st.text(min_size=1, max_size=8).filter(lambda s: s == s.strip()), min_size=1, unique=True), st.data())
def test_every_label_is_read_as_itself(labels, data):
    label = data.draw(st.sampled_from(labels))
    assert strict(label, "label", labels) == label
    assert lenient(f" {label}\n", "label", labels) == label


@given(st.lists(st.sampled_from(("alpha", "beta", "gamma", "delta")), min_size=2, unique=True), st.data())
def test_a_single_label_in_a_sentence_is_found(labels, data):
    label = data.draw(st.sampled_from(labels))
    wrapped = data.draw(st.sampled_from(["I think {}!", "The class: *{}*", "{} - sure", "it's ({}), surely", "`{}`"]))
    assert lenient(wrapped.format(label.upper()), "label", labels) == label


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda x: st.lists(x, max_size=3)))
def test_any_list_is_found_between_words(value):
    text = json.dumps([value])
    assert strict(text, "json") == text
    assert lenient(f"Here: {text} - that's all.", "json") == text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "piece", ["{", "[", '{"a":', '[1,"', "1", "1,111", "-", "$", " ", "\n ", "answer ", "*", "```", "1e", "-a", '"']
)
def test_hostile_text_costs_little(kind, piece):
    answer = piece * (100_000 // len(piece))
    began = time.process_time()
    strict(answer, kind)
    lenient(answer, kind)
    assert time.process_time() - began < 5
