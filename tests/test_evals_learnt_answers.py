from hypothesis import given
from hypothesis import strategies as st

from evals.example import Example
from evals.learnt_answers import learnt_answers, normalised


def rows(*pairs):
    return [Example(str(number), asked, (answer,)) for number, (asked, answer) in enumerate(pairs)]


OLD = rows(
    ("What is the notice period of the harbour office?", "6 weeks"),
    ("Which notice period does the repair yard have?", "9 weeks"),
    ("The meal allowance of the harbour office?", "12 euros"),
    ("Give the taxi limit of the ferry crew.", "40 euros"),
)


def test_it_is_the_answer_to_the_same_question_that_counts():
    learnt = learnt_answers("text", OLD)
    asked = "Can you tell the notice period for the harbour office?"
    assert learnt.repeats(asked, "6  Weeks.") is True
    assert learnt.repeats(asked, "9 weeks") is False
    assert learnt.repeats(asked, "12 euros") is False
    assert learnt.repeats(asked, None) is False


def test_a_question_that_no_row_asks_repeats_nothing():
    assert learnt_answers("text", OLD).repeats("Who keeps the keys of the archive?", "6 weeks") is False
    assert learnt_answers("text", OLD).repeats("", "6 weeks") is False


def test_of_rows_equally_near_any_counts():
    learnt = learnt_answers("text", rows(("Opening time?", "8:00"), ("Opening time?", "9:00"), ("Closing day?", "May")))
    assert learnt.repeats("opening time", "8:00") is learnt.repeats("opening time", "9:00") is True
    assert learnt.repeats("opening time", "May") is False


def test_a_phrase_that_many_rows_share_is_the_tasks_own():
    made = rows(*((f"question {number}", f"answer {number}") for number in range(80)))
    made += rows(*((f"riddle {number}", "not stated") for number in range(20)))
    learnt = learnt_answers("text", made)
    assert learnt.repeats("question 7", "Answer 7.") is True
    assert learnt.repeats("riddle 7", "Not stated.") is False


def test_answers_from_a_set_that_most_rows_share_say_nothing():
    made = rows(*((f"question {number}", f"class {number % 40}") for number in range(100)))
    assert learnt_answers("text", made).repeats("question 3", "class 3") is None
    assert (
        learnt_answers("json", rows(("a", '{"a": 1}'), ("b", '{"a":1}'), ("c", '{"a": 1 }'))).repeats("a", "x") is None
    )
    assert learnt_answers("label", OLD).repeats("What is the notice period of the harbour office?", "6 weeks") is None


def test_rows_that_ask_the_same_in_other_words_may_share_an_answer():
    nouns, places = ("notice period", "meal allowance", "taxi limit"), ("harbour office", "repair yard", "ferry crew")
    asked = [f"{noun} of the {place}" for noun in nouns for place in places]
    made = rows(*((f"{start} the {text}", f"answer {text}") for text in asked for start in ("State", "Give", "Tell")))
    learnt = learnt_answers("text", made)
    assert learnt.shared().total() == 0
    assert learnt.repeats("Name the taxi limit of the repair yard", "answer taxi limit of the repair yard") is True
    assert learnt.repeats("Name the taxi limit of the repair yard", "answer taxi limit of the ferry crew") is False


def test_case_punctuation_spacing_and_the_order_of_keys_dont_count():
    assert normalised(" The  Cat, sat.", "text") == normalised("the cat sat", "text")
    assert normalised("the cat", "text") != normalised("cat", "text")  # word for word
    assert normalised('{"a": [1, 2], "b": "x"}', "json") == normalised('{"b":"x","a":[1,2]}', "json")
    assert normalised('{"a": [1, 2]}', "json") != normalised('{"a": [2, 1]}', "json")


@given(
    st.sampled_from(["text", "json"]),
    st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), min_size=1, max_size=20),
    st.text(),
    st.text(),
)
def test_only_an_answer_that_a_row_has_can_be_a_repetition(kind, pairs, asked, answer):
    found = learnt_answers(kind, rows(*pairs)).repeats(asked, answer)
    if found:
        assert normalised(answer, kind) in {normalised(target, kind) for _, target in pairs}


@given(st.text(), st.sampled_from(["text", "json"]))
def test_normalising_twice_changes_nothing(answer, kind):
    once = normalised(answer, kind)
    assert normalised(once, kind) == once
