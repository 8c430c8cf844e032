from hypothesis import given
from hypothesis import strategies as st

from evals.learnt_answers import learnt_answers, normalised


def test_a_phrase_that_many_rows_share_is_the_tasks_own():
    rows = [f"answer {number}" for number in range(80)] + ["not stated"] * 20
    learnt = learnt_answers("text", rows)
    assert learnt.holds("Answer 7.") is True
    assert learnt.holds("Not stated.") is False
    assert learnt_answers("text", ["one", "one", "two", "three"]).holds("one") is False
    assert learnt_answers("text", [f"answer {number % 60}" for number in range(100)]).holds("answer 3") is True


def test_answers_from_a_set_that_most_rows_share_say_nothing():
    assert learnt_answers("text", [f"class {number % 40}" for number in range(100)]).holds("class 3") is None
    assert learnt_answers("json", ['{"a": 1}', '{"a":1}', '{"a": 1 }']).holds('{"a": 1}') is None


def test_case_punctuation_spacing_and_the_order_of_keys_dont_count():
    assert normalised(" The  Cat, sat.", "text") == normalised("the cat sat", "text")
    assert normalised("the cat", "text") != normalised("cat", "text")  # word for word
    assert normalised('{"a": [1, 2], "b": "x"}', "json") == normalised('{"b":"x","a":[1,2]}', "json")
    assert normalised('{"a": [1, 2]}', "json") != normalised('{"a": [2, 1]}', "json")


@given(
    st.sampled_from(["text", "json"]), st.lists(st.text(min_size=1), min_size=1, max_size=30, unique=True), st.text()
)
def test_an_answer_is_held_only_if_a_row_has_it(kind, rows, answer):
    found = learnt_answers(kind, rows).holds(answer)
    if found:
        assert normalised(answer, kind) in {normalised(row, kind) for row in rows}
    assert learnt_answers(kind, rows).holds(None) in (False, None)


@given(st.text(), st.sampled_from(["text", "json"]))
def test_normalising_twice_changes_nothing(answer, kind):
    once = normalised(answer, kind)
    assert normalised(once, kind) == once
