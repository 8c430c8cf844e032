import time
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.detectable import detectable
from evals.disagreement import Disagreement
from evals.example import Document, Example
from evals.leakage import find_leaks, gate_error
from evals.near_copies import near_among, near_copies, too_short
from evals.power import eval_rows_needed
from evals.task_file import Gates
from reports.leaks import leak_sentences

LONG = "please tell me how long the warranty of the blue kettle lasts when it was bought in a shop abroad last year"


def example(name, text, target="two years"):
    return Example(name, text, (target,))


def leaks(train=(), evals=(), documents=(), **gates):
    settings = SimpleNamespace(gates=Gates(**gates))
    task = SimpleNamespace(train=tuple(train), eval=tuple(evals), documents=tuple(documents), settings=settings)
    return {leak.kind: leak for leak in find_leaks(task)}


def test_exact_and_near_duplicates_are_told_apart():
    train = [example("t1", "Where is it?"), example("t2", LONG)]
    evals = [example("e1", "where IS it"), example("e2", LONG + " please"), example("e3", LONG.replace("blue", "red"))]
    found = leaks(train, [*evals, example("e4", "Something else altogether")])
    assert found["exact_duplicates"].pairs == (("e1", "t1"),)
    assert found["near_duplicates"].pairs == (("e2", "t2"), ("e3", "t2"))
    assert found["near_duplicates"].share == 0.5
    assert found["within_eval"].count == 1  # e2 and e3 are near each other: one of them is no evidence of its own


def test_rows_that_repeat_within_eval():
    evals = [example("e1", "Is it open?"), example("e2", "is it open"), example("e3", "Is it shut?")]
    found = leaks((), evals)
    assert found["within_eval"].pairs == (("e2", "e1"),)


def test_without_documents_nothing_is_said_of_them():
    assert "answers_in_documents" not in leaks((), [example("e1", LONG)])


def test_the_share_of_rows_too_short_to_be_told_is_given():
    train = [example("t1", "which shop sells the blue kettle today")]
    evals = [example("e1", "which shop sells the red kettle today"), example("e2", LONG + " and what does it cost me")]
    found = leaks(train, evals)["near_duplicates"]
    assert (found.count, found.short) == (0, 1)
    told = leak_sentences([asdict(found) | {"share": found.share, "passed": found.passed}])
    assert "50.0% of the eval rows have fewer than 9 different words" in told[0]
    nine = "one two three four five six seven eight nine"
    assert leaks([example("t1", nine)], [example("e1", nine + " ten")])["near_duplicates"].count == 1
    assert not too_short(nine)


@pytest.mark.parametrize(
    ("document", "held"),
    [
        ("The warranty of any kettle lasts two years.", False),  # what retrieval is for
        (f"Q: {LONG}? A: Two years.", True),
        (f"Questions people ask: {LONG}", False),  # the question without its answer
    ],
)
def test_a_document_made_from_an_eval_row(document, held):
    found = leaks((), [example("e1", LONG + "?")], [Document("d1", "FAQ", document)])
    assert found["answers_in_documents"].pairs == ((("e1", "d1"),) if held else ())


def test_an_answer_inside_its_own_question_is_no_answer():
    question = "is it two years or three years that the warranty lasts"
    found = leaks((), [example("e1", question)], [Document("d1", "", f"They asked: {question}")])
    assert found["answers_in_documents"].count == 0


def test_short_questions_stand_in_documents_by_chance():
    found = leaks((), [example("e1", "How long", "two years")], [Document("d1", "", "How long? Two years.")])
    assert found["answers_in_documents"].count == 0


def test_gates_stop_at_their_share():
    rows = [example(f"e{place}", f"{LONG} number {place}") for place in range(4)]
    met = leaks(rows[:1], rows, near_duplicates=1.0)
    assert gate_error(list(met.values())) is None
    broken = leaks(rows[:1], rows, [Document("d1", "", "Kettles.")], exact_duplicates=0.0, within_eval=0.9)
    error = gate_error(list(broken.values()))
    assert error.exit_code == 3
    assert str(error) == "gate not met: exact_duplicates: 1 of 4 eval rows (25.0%, allowed 0.0%), as e0 = e0"
    told = leak_sentences([vars_of(leak) for leak in broken.values()])
    assert told[0] == "1 eval row (25.0%) has the input of a training row: e0 = e0 (gate: at most 0.0%, NOT MET)."
    assert told[3] == "No eval row has its question and answer in one document, word for word."


def vars_of(leak):
    import dataclasses

    return dataclasses.asdict(leak) | {"share": leak.share, "passed": leak.passed}


@given(st.lists(st.text("abc ", max_size=60), max_size=12), st.lists(st.text("abc ", max_size=60), max_size=12))
def test_what_is_near_shares_nearly_all_words(texts, others):
    for at, other in near_among(texts, others).items():
        one, two = set(texts[at].split()), set(others[other].split())
        assert len(one & two) >= 0.9 * len(one | two)
    found = near_among(texts, texts)
    assert found.keys() == {at for at, text in enumerate(texts) if text.split()}


def test_what_near_copies_drops_is_near_what_it_keeps():
    texts = [f"{LONG} {word}" for word in ("today", "now", "here")] + ["another thing"]
    copies = near_copies(texts, [None] * 4)
    assert len(copies) == 2
    kept = [text for at, text in enumerate(texts) if at not in copies]
    assert len(near_among([texts[at] for at in copies], kept)) == 2


def test_ten_thousand_rows_are_no_burden():
    random = np.random.default_rng(0)
    words = [f"w{number}" for number in range(3000)]
    train = [" ".join(random.choice(words, 20)) for _ in range(10_000)]
    evals = train[:100] + [" ".join(random.choice(words, 20)) for _ in range(9_900)]
    begin = time.process_time()
    assert len(near_among(evals, train)) == 100
    assert time.process_time() - begin < 60  # a guard against comparing each with each (minutes), not a timing


def test_what_eval_rows_can_show():
    found = detectable(200, 200, 0.02, 0.95)
    assert eval_rows_needed(found.gain) <= 200 < eval_rows_needed(found.gain - 0.001)
    assert found.too_coarse
    assert found.sentence.startswith("200 eval rows show a difference of 9.3 points between two arms in four of five")
    assert "training is proven worth it if it gains about 11.3 points" in found.sentence
    assert "To show a difference of 2 points takes about 4,400 rows" in found.sentence
    assert not detectable(10_000, 10_000, 0.05, 0.95).too_coarse
    assert detectable(3, 3, 0.02, 0.95).gain is None
    assert "can't tell any two arms apart" in detectable(3, 3, 0.02, 0.95).sentence


def test_groups_make_eval_rows_coarser():
    found = detectable(400, 100, 0.02, 0.95)
    assert found.gain < found.gain_clustered
    assert "They share 100 groups or documents; if only those counted, they show 13" in found.sentence
    assert "they could show nothing" in detectable(400, 3, 0.02, 0.95).sentence


@given(st.integers(10, 5000), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_more_rows_show_smaller_gains_and_more_confidence_larger_ones(rows, confidence):
    few, many = detectable(rows, rows, 0.02, confidence), detectable(2 * rows, 2 * rows, 0.02, confidence)
    surer = detectable(rows, rows, 0.02, 0.999)
    assert few.gain is None or many.gain <= few.gain
    assert surer.gain is None or surer.gain >= few.gain


def test_after_a_run_the_measured_disagreement_takes_the_place_of_the_assumed_one():
    apart = Disagreement("qlora", "rag", 0.5, 200, whole=True)
    found = detectable(200, 200, 0.02, 0.95, apart)
    assert found.discordant == 0.5
    assert found.gain > detectable(200, 200, 0.02, 0.95).gain
    assert "if the two disagree on as many of them as qlora and rag did here, 50.0%." in found.sentence
    assert found.rows_needed == eval_rows_needed(0.02, 0.5)
    graded = detectable(200, 200, 0.02, 0.95, Disagreement("qlora", "rag", 0.04, 200, whole=False))
    assert "if the two differ from row to row as qlora and rag did here." in graded.sentence
    agreed = detectable(200, 200, 0.02, 0.95, Disagreement("qlora", "rag", 0.0, 200, whole=True))
    assert agreed.gain == detectable(200, 200, 0.02, 0.95).gain
    assert "disagree on 20% of them (qlora and rag disagreed on none here)." in agreed.sentence
