"""The recommendation: what the evidence says is monotone, nothing crashes, and gates do what they say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.advice import advise
from advisor.cases import cases, nearest
from advisor.flips import ORDERED, find_out, flips
from advisor.questions import questions, relevant, unanswered
from advisor.recommend import NOT_READY, recommend
from advisor.scorecard import OPTIONS, scorecard

QUESTIONS = {question.key: question for question in questions()}
ANSWERS = st.fixed_dictionaries(
    {}, optional={key: st.sampled_from(list(question.options)) for key, question in QUESTIONS.items()}
)


def shares(answers):
    return {option.approach: option.probability for option in recommend(answers).options}


@given(ANSWERS)
@settings(max_examples=300, deadline=None)
def test_any_answers_give_ranked_probabilities(answers):
    made = recommend(answers)
    assert {option.approach for option in made.options} - {NOT_READY} == set(OPTIONS)
    assert sum(option.probability for option in made.options) == pytest.approx(1)
    ranked = [option.probability for option in made.options]
    assert ranked == sorted(ranked, reverse=True)
    assert made.approach == made.options[0].approach
    assert made.meanwhile != NOT_READY
    for option in made.options:
        assert len(option.reasons_for) <= 3
        assert all(weight.points > 0 for weight in option.reasons_for)
        assert all(weight.points < 0 for weight in option.reasons_against)


@given(ANSWERS)
@settings(max_examples=100, deadline=None)
def test_answers_made_meaningless_count_for_nothing(answers):
    assert recommend(answers) == recommend(relevant(answers))
    assert not {question.key for question in unanswered(answers)} & relevant(answers).keys()


@given(ANSWERS)
@settings(max_examples=200, deadline=None)
def test_more_clean_labels_never_lower_fine_tuning(answers):
    steps = [
        shares({**answers, "examples": many, "noise": "low", "hygiene": "clean", "rarest": "enough"})
        for many in QUESTIONS["examples"].options
    ]
    for option in ("tune", "rag_tune"):
        grown = [step[option] for step in steps]
        assert all(later >= earlier - 1e-12 for earlier, later in zip(grown, grown[1:], strict=False))


@given(ANSWERS)
@settings(max_examples=200, deadline=None)
def test_cleaner_labels_never_lower_fine_tuning(answers):
    grown = [shares({**answers, "noise": noise}) for noise in ("high", "middle", "low")]
    for option in ("tune", "rag_tune"):
        assert grown[0][option] <= grown[1][option] + 1e-12
        assert grown[1][option] <= grown[2][option] + 1e-12


@given(ANSWERS)
@settings(max_examples=200, deadline=None)
def test_faster_changing_knowledge_never_raises_fine_tuning(answers):
    steps = [shares({**answers, "knowledge": pace}) for pace in ("static", "monthly", "weekly")]
    for options in (("tune",), ("tune", "rag_tune")):  # rag_tune alone may rise: its retrieval gains
        grown = [sum(step.get(option, 0.0) for option in options) for step in steps]
        assert grown[0] >= grown[1] - 1e-12
        assert grown[1] >= grown[2] - 1e-12


def test_every_question_can_move_something():
    rest = {"task": "sorting", "gap": "some", "prompting": "measured", "examples": "hundreds", "corpus": "large"}
    for question in QUESTIONS.values():
        others = {key: value for key, value in rest.items() if key != question.key}
        told = {tuple(sorted(shares({**others, question.key: value}).items())) for value in question.options}
        assert len(told) > 1, question.key


def test_knowing_nothing_leaves_it_open_and_begins_with_prompting():
    made = recommend({})
    assert made.approach == "prompt"
    assert made.options[0].probability < 0.5
    assert sum(option.probability > 0.2 for option in made.options) >= 3
    assert find_out({})[0].decides


def test_a_hard_gate_rules_out_and_a_first_one_waits():
    ready = {"task": "sorting", "labels_meaning": "own", "examples": "thousands", "base": "small"}
    assert recommend(ready).approach == "tune"
    assert shares({**ready, "rights": "no"})["tune"] == 0
    assert NOT_READY not in shares({**ready, "rights": "no"})
    waiting = recommend({**ready, "eval_set": "none"})
    assert waiting.approach == NOT_READY
    assert waiting.meanwhile in ("prompt", "classic")
    assert [gate.when for gate in waiting.blocks] == [{"eval_set": "none"}]
    assert shares({**ready, "corpus": "none", "knowledge": "static"})["rag"] == 0


def test_every_weight_has_a_source_or_is_marked_as_judgement():
    card = scorecard()  # refuses an entry with neither or both
    for factor in card.factors:
        assert factor.reason.source or factor.reason.figure is None
        for key, value in factor.when.items():
            assert value in (*QUESTIONS[key].options, "unknown")
        assert set(factor.push) <= set(OPTIONS)
    for gate in card.gates:
        assert all(value in QUESTIONS[key].options for key, value in gate.when.items())
        assert set(gate.options) <= set(OPTIONS)
    named = {factor.reason.source for factor in card.factors} | {gate.reason.source for gate in card.gates}
    assert named >= set(card.sources.values())


@given(ANSWERS)
@settings(max_examples=25, deadline=None)
def test_flips_flip_and_unknowns_are_told_by_what_they_decide(answers):
    first = recommend(answers).approach
    known = relevant(answers)
    for flip in flips(answers):
        assert recommend({**known, **flip.changes}).approach == flip.approach != first
        assert all(known[key] != value for key, value in flip.changes.items())
    told = find_out(answers)
    assert [unknown.decides for unknown in told] == sorted((unknown.decides for unknown in told), reverse=True)
    for unknown in told:
        assert unknown.decides == any(approach != first for approach in unknown.could_be.values())


@given(ANSWERS)
@settings(max_examples=15, deadline=None)
def test_flips_take_no_step_that_a_smaller_one_would_spare(answers):
    first, known = recommend(answers).approach, relevant(answers)
    for flip in flips(answers):
        for key, value in flip.changes.items():
            options = list(QUESTIONS[key].options)
            start, end = options.index(known[key]), options.index(value)
            if key in ORDERED and abs(end - start) > 1:
                nearer = {**flip.changes, key: options[end - (1 if end > start else -1)]}
                assert recommend({**known, **nearer}).approach == first


def test_one_answer_is_enough_to_flip_where_it_is():
    answers = {"task": "sorting", "labels_meaning": "own", "examples": "thousands", "base": "strong"}
    assert recommend(answers).approach == "tune"
    assert all(len(flip.changes) == 1 for flip in flips(answers))


def test_fifteen_to_twenty_two_questions_are_asked_whatever_is_answered():
    assert 15 <= len(QUESTIONS) <= 22
    for task in QUESTIONS["task"].options:
        answers = {"task": task}
        count = sum(not question.skipped(answers) for question in questions())
        assert 15 <= count <= 22, task


def test_the_bank_is_whole_and_speaks_our_words():
    assert len(cases()) == 60
    assert len({case.id for case in cases()}) == 60
    for case in cases():
        assert case.simplest in OPTIONS
        assert case.winner in (*OPTIONS, "tie")
        assert case.source
        for key, value in case.answers.items():
            assert value in QUESTIONS[key].options, case.id
        assert relevant(case.answers) == case.answers, case.id


def test_similar_cases_are_of_the_same_kind_of_task_before_all_others():
    # Rare answers that other kinds of task share, such as a small corpus, don't outweigh the kind.
    found = nearest({"task": "tools", "corpus": "small", "examples": "hundreds", "eval_set": "enough"})
    assert [case.answers["task"] for case in found] == ["tools"] * 3


def test_a_case_is_most_like_itself():
    for case in cases():
        best = nearest(case.answers, count=1)[0]
        assert best.answers == case.answers


@given(ANSWERS)
@settings(max_examples=20, deadline=None)
def test_advice_names_every_question_and_where_its_answer_is_from(answers):
    made = advise(answers, {"examples": "1,284 rows"} if "examples" in answers else None)
    assert made["schema"] == 1
    assert list(made["answers"]) == list(QUESTIONS)
    for key, entry in made["answers"].items():
        assert (entry["value"] is None) == (entry["origin"] in ("unknown", "skipped"))
        assert (entry["origin"] == "measured") <= (key == "examples")
    assert made["recommendation"]["approach"] == made["options"][0]["approach"]


def texts_for(answers, approach):
    made = next(option for option in recommend(answers).options if option.approach == approach)
    return {weight.reason.text for weight in made.reasons_for}


def test_a_reason_for_an_option_speaks_for_it_and_not_only_against_another():
    labels = {"task": "sorting", "labels_meaning": "own"}
    assert "A convention is learnt from labels, not looked up." not in texts_for(labels, "prompt")
    assert "There's nothing to train on." in texts_for({"examples": "few"}, "prompt")
    assert not texts_for({"examples": "few"}, "rag") | texts_for({"examples": "few"}, "classic")
    assert not texts_for({"oracle": "without"}, "tune")


def test_without_labels_nothing_is_trained():
    groups = recommend({"task": "grouping", "examples": "more", "gap": "large", "base": "small", "volume": "high"})
    assert groups.approach == "classic"
    assert {option.approach: option.probability for option in groups.options}["tune"] == 0


def test_another_kind_of_task_comes_after_all_of_the_same_kind():
    answers = {"task": "documents", "knowledge": "static", "corpus": "large", "base": "small", "output": "private"}
    assert [case.answers["task"] for case in nearest(answers)][:2] == ["documents", "documents"]
