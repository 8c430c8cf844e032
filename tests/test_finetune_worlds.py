"""The generator: lessons that can be answered, from words that the ability test doesn't share."""

import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from baselines.render import render_plain
from finetune import world_broad_wordings as wordings
from finetune import world_formats, world_labels, world_reading, world_wordings
from finetune.world_facts import RELATIONS
from finetune.world_lesson import spans, text_of
from finetune.world_reading import UNKNOWN
from finetune.world_wordings import HELD_OUT_FACTS, HELD_OUT_QUESTIONS
from finetune.world_words import GENERAL, WORK, Words, is_held_out
from finetune.worlds import BROAD_KINDS, KINDS, make_lesson

RUNGS = [(kind, level) for kind, levels in KINDS.items() for level in range(len(levels))]
BROAD_RUNGS = [(kind, level) for kind, levels in BROAD_KINDS.items() for level in range(len(levels))]


def words_of(text):
    return text.lower().split()


@pytest.mark.parametrize(("kind", "level"), RUNGS)
def test_equal_seeds_give_equal_lessons_and_others_differ(kind, level):
    assert make_lesson(kind, level, "7") == make_lesson(kind, level, "7")
    assert len({text_of(make_lesson(kind, level, str(seed))) for seed in range(20)}) > 15
    assert make_lesson(kind, level, "7") != make_lesson(kind, level, "7", held_out=True)


@pytest.mark.parametrize(("kind", "level"), RUNGS)
def test_a_lesson_reads_as_the_engine_renders_its_prompt(kind, level):
    for seed in range(10):
        lesson = make_lesson(kind, level, str(seed), held_out=bool(seed % 2))
        assert text_of(lesson).startswith(f"{render_plain(lesson.prompt)} {lesson.answer}")
        assert sum(span.graded for span in spans(lesson)) == 1 + len(lesson.more) + sum(lesson.known)


@given(seed=st.integers(0, 10**9), held_out=st.booleans())
@settings(max_examples=60, deadline=None)
def test_invented_words_keep_to_their_side(seed, held_out):
    words = Words(random.Random(seed), held_out)
    drawn = [words.made_up(), words.name(), *words.person().split(), *words.similar(words.person()).split()[1:]]
    assert all(is_held_out(word) == held_out for word in drawn)


@given(seed=st.integers(0, 10**9), name=st.sampled_from(["Velmora", "Tessi Kardun"]))
@settings(max_examples=40, deadline=None)
def test_a_similar_name_shares_a_part_but_is_another(seed, name):
    other = Words(random.Random(seed)).similar(name)
    assert other != name
    last = name.split()[-1]
    assert other.split()[-1] == last or other.split()[-1][:2] == last[:2]


def test_wordings_kept_for_the_test_never_stand_in_training_text():
    kept = [wording.split("{")[0] for wording in (*world_wordings.HELD_OUT_FACTS, *world_wordings.HELD_OUT_QUESTIONS)]
    kept += [*world_reading.HELD_OUT_PLAIN, *world_reading.HELD_OUT_UNKNOWN, *world_labels.HELD_OUT_PLAIN]
    kept += [*world_formats.HELD_OUT_PLAIN, *(form.held_out for form in world_formats.FORMS), "Please name just the"]
    training = "\n".join(text_of(make_lesson(kind, level, str(seed))) for kind, level in RUNGS for seed in range(40))
    test = "\n".join(
        text_of(make_lesson(kind, level, str(seed), held_out=True)) for kind, level in RUNGS for seed in range(40)
    )
    assert [wording for wording in kept if wording in training] == []
    assert sum(wording in test for wording in kept) > len(kept) // 2


@pytest.mark.parametrize("level", range(len(world_reading.SHAPES)))
@pytest.mark.parametrize("held_out", [False, True])
def test_answers_stand_in_the_passages_unless_they_are_unknown(level, held_out):
    for seed in range(30):
        lesson = make_lesson("reading", level, str(seed), held_out=held_out)
        text = " ".join(passage.text for passage in lesson.prompt.passages).lower()
        answers = [lesson.answer, *(shot.output for shot in lesson.more)]
        assert all((answer.lower() in text) != (answer == UNKNOWN) for answer in answers)
        if UNKNOWN in answers:
            assert UNKNOWN in lesson.prompt.instruction


def test_an_entity_has_no_two_facts_that_one_question_asks_for():
    for seed in range(200):
        chosen = {relation.noun for relation in world_reading._relations(Words(random.Random(seed)), 6, 0.5)}
        assert len(chosen) == 6
        assert all(len(chosen & group) <= 1 for group in world_reading.SAME_QUESTION)


@pytest.mark.parametrize("held_out", [False, True])
def test_the_label_of_the_last_text_can_be_told_from_the_shots(held_out):
    for seed in range(40):
        lesson = make_lesson("labels_shots", 1, str(seed), held_out=held_out)
        same = {word for shot in lesson.prompt.shots if shot.output == lesson.answer for word in words_of(shot.input)}
        others = {word for shot in lesson.prompt.shots if shot.output != lesson.answer for word in words_of(shot.input)}
        assert set(words_of(lesson.prompt.input)) & (same - others)


def test_a_shot_is_learnt_only_when_its_label_has_been_shown():
    for seed in range(40):
        lesson = make_lesson("labels_shots", 0, str(seed))
        shown = set()
        for shot, known in zip(lesson.prompt.shots, lesson.known, strict=True):
            assert known == (shot.output in shown)
            shown.add(shot.output)


def test_a_rule_in_the_instruction_names_the_label_of_every_text():
    for seed in range(40):
        lesson = make_lesson("labels_rule", 2, str(seed))
        for label in [lesson.answer, *(shot.output for shot in lesson.more)]:
            assert label in lesson.prompt.instruction


def test_forms_write_the_record():
    record = [("size", "large"), ("price", "45 crowns")]
    written = {form.write.__name__: form.write(record) for form in world_formats.FORMS}
    assert json.loads(written["as_json"]) == {"size": "large", "price": "45 crowns"}
    assert written["as_row"] == "| large | 45 crowns |"
    assert written["as_sentence"] == "The size is large and the price is 45 crowns."
    assert written["reversed_list"] == "45 crowns, large"
    assert written["capitals"] == "LARGE, 45 CROWNS"
    assert len(set(written.values())) == len(world_formats.FORMS)


def test_shots_of_a_rewriting_lesson_are_written_by_one_rule():
    shape = world_formats.Shape((2, 2), (4, 4), 0.0, (world_formats.FORMS[1],))
    for seed in range(20):
        lesson = world_formats.rewriting_by_shots(Words(random.Random(seed)), shape)
        outputs = [lesson.answer, *(shot.output for shot in lesson.prompt.shots)]
        assert all(output.startswith("| ") and output.endswith(" |") for output in outputs)
        assert lesson.known == (False, True, True, True)


@pytest.mark.parametrize("held_out", [False, True])
def test_free_text_holds_every_value_that_is_to_be_written(held_out):
    shape = world_formats.Shape((3, 3), (4, 4), 0.0, (world_formats.FORMS[2],), framed=1.0)
    for seed in range(20):
        lesson = world_formats.rewriting_by_shots(Words(random.Random(seed), held_out), shape)
        for shot in (*lesson.prompt.shots, *lesson.more):
            values = shot.output.split(", ")
            assert all(value.lower() in shot.input.lower() for value in values)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (world_formats.rewriting_by_shots, world_formats.Shape((2, 2), (5, 5), stand_in=1.0)),
        (world_labels.sorting_by_shots, world_labels.Shape((3, 3), (9, 9), (1, 1), (0, 2), stand_in=1.0)),
    ],
)
def test_rows_that_stand_in_for_documents_are_passages(make, shape):
    lesson = make(Words(random.Random(1)), shape)
    assert lesson.prompt.shots == ()
    assert len(lesson.prompt.passages) in (5, 9)
    assert all("Output:" in passage.text for passage in lesson.prompt.passages)
    assert lesson.more


def test_what_the_passages_dont_tell_is_half_the_time_told_of_somebody_else():
    shape = world_reading.Shape((3, 3), (3, 3), generic=1.0, unknown=1.0, answered=False, invented=1.0)
    found = 0
    for seed in range(60):
        lesson = world_reading.reading(Words(random.Random(seed)), shape)
        text = lesson.prompt.passages[0].text.lower()
        found += any(noun in text for noun in lesson.prompt.input.lower().split() if len(noun) > 5)
    assert found > 20


@given(seed=st.integers(0, 10**9), held_out=st.booleans())
@settings(max_examples=60, deadline=None)
def test_words_pieced_together_keep_to_their_side(seed, held_out):
    words = Words(random.Random(seed), held_out, broad=True)
    assert all(is_held_out(words.made_up()) == held_out for _ in range(4))
    assert words.value().strip()
    assert words.entity().strip()


def test_late_records_take_any_everyday_word_for_a_key():
    def keys(broad):
        made = Words(random.Random(5), broad=broad)
        return {key for _ in range(200) for key, _ in world_formats._keys(made, 3)} & {*GENERAL, *WORK}

    assert len(keys(broad=True)) > 40
    assert len(keys(broad=False)) < 20


@pytest.mark.parametrize(("kind", "level"), BROAD_RUNGS)
def test_broad_lessons_are_other_lessons_of_the_same_kind(kind, level):
    narrow, broad = make_lesson(kind, 0, "7"), make_lesson(kind, level, "7", broad=True)
    assert broad == make_lesson(kind, level, "7", broad=True)
    assert broad.kind == narrow.kind
    assert text_of(broad).startswith(f"{render_plain(broad.prompt)} {broad.answer}")


def test_broad_wordings_state_the_value_last_and_are_none_that_is_kept_from_training():
    facts = [*wordings.BROAD_FACTS, *(one for stated, _ in wordings.BROAD_OWN.values() for one in stated)]
    questions = [*wordings.BROAD_QUESTIONS, *(one for _, asked in wordings.BROAD_OWN.values() for one in asked)]
    backwards = [one for one in facts if one.index("{e}") > one.index("{v}")]
    assert not backwards
    assert all("{e}" in one and "{v}" not in one for one in questions)
    kept = {*HELD_OUT_FACTS, *HELD_OUT_QUESTIONS}
    for relation in RELATIONS:
        if len(relation.facts) > 2:
            kept |= {relation.facts[-1], relation.questions[-1]}
    assert kept.isdisjoint((*facts, *questions))
    assert set(wordings.BROAD_OWN) == {relation.noun for relation in RELATIONS}


def test_broad_lessons_take_the_broad_wordings():
    texts = [text_of(make_lesson("reading", 0, str(seed), broad=True)) for seed in range(300)]
    narrow = [text_of(make_lesson("reading", 5, str(seed))) for seed in range(300)]
    for sign in ("According to the list, ", "owes its start to", "Look up the", "Keep it short."):
        assert any(sign in text for text in texts), sign
        assert not any(sign in text for text in narrow), sign


def test_broad_rules_name_the_sign_before_the_label():
    for wording in wordings.BROAD_RULES:
        assert wording.index("{sign}") < wording.index("{label}")
        assert wording not in world_labels.HELD_OUT_WORD_RULES
