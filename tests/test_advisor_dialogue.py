"""The dialogue as a state: every step leads to a state that makes sense, and back undoes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.dialogue import Dialogue, choices
from advisor.dialogue_text import record, summary_lines
from advisor.questions import questions, relevant


def answered(**given):
    """Return a dialogue in which questions were answered by key until one of them is open again."""
    dialogue = Dialogue()
    while dialogue.question is not None and dialogue.question.key in given:
        dialogue = dialogue.answer(given[dialogue.question.key])
    return dialogue


def walked(dialogue, option=None):
    """Answer everything that is open with one option's position (None: don't know)."""
    while dialogue.question is not None:
        dialogue = dialogue.answer(None if option is None else choices(dialogue.question)[option])
    return dialogue


GATES = {"eval_set": "enough", "definition": "both", "prompting": "tried", "oracle": "partly"}


def test_the_first_question_comes_first_and_unknown_is_always_possible():
    dialogue = Dialogue()
    assert dialogue.question == questions()[0]
    assert (dialogue.number, dialogue.total) == (1, len(questions()))
    after = walked(dialogue)
    assert set(after.answers) == {question.key for question in questions()}
    assert set(after.answers.values()) == {None}


def test_an_answer_that_makes_questions_meaningless_skips_them():
    dialogue = walked(Dialogue({"task": "tabular"}), 0)
    assert not {"knowledge", "corpus", "citations", "output", "labels_meaning"} & set(dialogue.answers)
    assert dialogue.total < len(questions())


def test_an_edit_that_makes_answers_meaningless_drops_them_and_another_asks_for_them_again():
    dialogue = walked(Dialogue({"task": "documents"}), 0)
    assert dialogue.answers["output"] == "free"
    tabular = dialogue.edit("task").answer("tabular")
    assert tabular.question is None
    assert "output" not in tabular.answers
    again = tabular.edit("task").answer("documents")
    assert again.question.key == "knowledge"
    assert again.last_choice == 0


def test_back_asks_again_with_the_answer_given_before():
    dialogue = answered(**GATES)
    assert dialogue.question.key == "rights"
    back = dialogue.back()
    assert back.question.key == "oracle"
    assert "oracle" not in back.answers
    assert choices(back.question)[back.last_choice] == "partly"
    assert back.back().back().back().question.key == "eval_set"
    assert Dialogue().back() == Dialogue()


def test_back_goes_before_the_answers_that_a_file_brought():
    dialogue = Dialogue(GATES)
    back = dialogue.back()
    assert back.question.key == "oracle"
    assert back.back().question.key == "prompting"


def test_a_question_put_off_comes_again_in_another_sitting_only():
    dialogue = Dialogue().skip()
    assert dialogue.question.key == "definition"
    assert dialogue.answers == {}
    assert dialogue.back().question.key == "eval_set"
    ended = walked(dialogue)
    assert ended.question is None
    assert "eval_set" not in ended.answers
    assert "left open" in summary_lines(ended, 80)[0]
    assert Dialogue(ended.answers).question.key == "eval_set"


def test_what_was_not_known_is_not_asked_again_but_can_be_edited():
    again = Dialogue(walked(Dialogue()).answers)
    assert again.question is None
    edited = again.edit("volume").answer("high")
    assert edited.answers["volume"] == "high"
    assert edited.question is None


def test_leaving_an_edit_changes_nothing():
    ended = walked(Dialogue(), 0)
    for step in (Dialogue.back, Dialogue.skip):
        assert step(ended.edit("task")) == ended


def test_answers_that_a_question_does_not_offer_are_refused():
    with pytest.raises(ValueError, match="maybe"):
        Dialogue().answer("maybe")
    with pytest.raises(ValueError, match="citations"):
        Dialogue({"task": "tabular"}).edit("citations")
    with pytest.raises(ValueError, match="summary"):
        walked(Dialogue()).answer(None)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("answer"), st.integers(0, 30)),
        st.tuples(st.just("edit"), st.integers(0, 30)),
        st.tuples(st.sampled_from(["skip", "back", "back"]), st.just(0)),
    ),
    max_size=80,
)
begun = st.fixed_dictionaries(
    {}, optional={question.key: st.sampled_from(choices(question)) for question in questions()}
)


def taken(dialogue, step, number):
    """Take a step where the state allows it."""
    question = dialogue.question
    if step == "answer" and question is not None:
        return dialogue.answer(choices(question)[number % len(choices(question))])
    if step == "edit" and question is None:
        return dialogue.edit(dialogue.asked[number % dialogue.total].key)
    return {"skip": dialogue.skip, "back": dialogue.back}.get(step, lambda: dialogue)()


@given(begun, steps)
def test_any_steps_lead_to_a_state_that_makes_sense(answers, steps):
    dialogue = Dialogue(relevant(answers))
    for step, number in steps:
        after = taken(dialogue, step, number)
        asked = {question.key: question for question in after.asked}
        assert set(after.answers) <= set(asked)
        assert all(option in choices(asked[key]) for key, option in after.answers.items())
        assert 1 <= after.number <= after.total <= len(questions())
        if after.question is None:
            assert set(asked) == set(after.answers) | (after.later & set(asked))
        elif after.editing is None:
            assert after.question.key in asked
            assert after.question.key not in after.answers
        if step != "back" and after is not dialogue and not (step == "skip" and dialogue.editing):
            assert after.back() == dialogue
        assert all(len(line) <= 60 for line in summary_lines(after, 60))
        assert len(record(dialogue, after, 60)) <= 80
        dialogue = after


@given(begun)
def test_from_any_answers_the_dialogue_comes_to_an_end_and_back_to_its_beginning(answers):
    start = Dialogue(relevant(answers))
    ended = dialogue = walked(start, 0)
    for _ in questions():
        dialogue = dialogue.back()
    assert dialogue.number == 1 or dialogue.question == start.question
    dialogue = Dialogue(ended.answers)
    for _ in questions():
        dialogue = dialogue.back()
    assert dialogue == Dialogue()
