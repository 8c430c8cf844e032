"""Answers that don't go together are named, and answers that are left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.advice_parts import Found, Sources, whole_advice
from advisor.contradictions import contradictions, doubts
from advisor.questions import questions, relevant

ASKED = {question.key: question for question in questions()}
some_answers = st.fixed_dictionaries({}, optional={key: st.sampled_from(list(q.options)) for key, q in ASKED.items()})


@pytest.mark.parametrize("one", contradictions(), ids=lambda one: "-".join(one.answers))
def test_every_contradiction_names_options_that_can_be_given_together_and_is_found(one):
    for key, options in one.answers.items():
        assert set(options) <= set(ASKED[key].options)
    answers = {key: options[0] for key, options in one.answers.items()}
    assert relevant(answers) == answers
    [told] = [text for text in doubts(answers) if one.why in text]
    assert told.startswith(f"Look again at {('two', 'three')[len(one.answers) - 2]} answers (")
    assert all(ASKED[key].options[option] in told for key, option in answers.items())


def test_one_answer_alone_contradicts_nothing():
    for key, question in ASKED.items():
        for option in question.options:
            assert doubts({key: option}) == []


def test_an_answer_without_meaning_is_said_to_be_left_out():
    told = doubts({"prompting": "none", "gap": "none"})
    assert told == ["The answer to gap is left out: with prompting: none it has no meaning."]
    assert doubts({"prompting": "none", "gap": None}) == []


@given(some_answers)
def test_any_answers_can_be_held_against_each_other(answers):
    left_out = [text for text in doubts(answers) if "left out" in text]
    assert len(left_out) == len(answers) - len(relevant(answers))


def test_the_advice_tells_them_first():
    answers = {"oracle": "without", "gap": "large"}
    made = whole_advice(answers, Found(), Sources())["recommendation"]
    assert made["caveats"][0].startswith("Look again")
