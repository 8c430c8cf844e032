import dataclasses

import pytest
from fake_model import FakeEmbedder, make_context, make_rows, make_task

from baselines.arms import ARMS
from baselines.logistic import fit_logistic, word_and_character_features
from baselines.tfidf import TfidfEmbedder
from evals.protocols import Arm

SEA = ("a whale in the sea", "fish of the deep sea", "the sea has a crab", "a seal and the sea")
WOOD = ("a fox in the wood", "deer of the dark wood", "the wood has an owl", "a badger and the wood")
ROWS = make_rows(*((text, "water") for text in SEA), *((text, "land") for text in WOOD))
ASKED = make_rows(("a crab of the deep sea", "water"), ("an owl of the dark wood", "land"), prefix="e")


def fitted(name, task, folder, **engine):
    arm = ARMS[name](make_context(task, folder, **engine))
    report = arm.fit(task.train, ())
    return arm, report


def answers(arm, examples=ASKED):
    return [prediction.raw for prediction in arm.answer(examples)]


def test_the_arms_are_listed_by_the_name_they_carry():
    assert list(ARMS)[:4] == ["majority", "nearest", "logistic", "zero_shot"]
    assert all(arm.name == name for name, arm in ARMS.items())
    assert {name: arm.family for name, arm in ARMS.items()} == {
        **dict.fromkeys(["majority", "nearest", "logistic"], "classic"),
        **dict.fromkeys(["zero_shot", "few_shot", "few_shot_nearest", "cot"], "prompt"),
        **dict.fromkeys(["rag", "rag_shots"], "rag"),
    }
    assert [name for name, arm in ARMS.items() if arm.seeded] == ["few_shot", "rag_shots"]


@pytest.mark.parametrize("name", ARMS)
def test_every_arm_is_an_arm_and_bears_an_empty_batch(name, tmp_path):
    task = make_task(ROWS)
    arm, report = fitted(name, task, tmp_path)
    assert isinstance(arm, Arm)
    assert report.train_rows == 8
    assert arm.answer([]) == []


@pytest.mark.parametrize("name", ARMS)
def test_a_row_is_answered_alike_alone_and_among_others(name, tmp_path):
    task = make_task(ROWS)
    arm, _ = fitted(name, task, tmp_path)
    together = arm.answer(ASKED)
    alone = [arm.answer([example])[0] for example in ASKED]
    assert [dataclasses.replace(one, ms=0) for one in together] == [dataclasses.replace(one, ms=0) for one in alone]


@pytest.mark.parametrize("name", ["majority", "nearest", "logistic"])
def test_classic_answers_take_time_but_no_tokens(name, tmp_path):
    arm, report = fitted(name, make_task(ROWS), tmp_path)
    for prediction in arm.answer(ASKED):
        assert prediction.ms > 0
        assert (prediction.prompt_tokens, prediction.completion_tokens, prediction.prompt) == (0, 0, "")
    assert report.seconds > 0
    assert ARMS[name].uses == (() if name == "majority" else ("embedder",))


def test_majority_gives_the_most_frequent_answer_first_seen_on_a_tie(tmp_path):
    rows = make_rows(("a", "late"), ("b", "early"), ("c", "early"), ("d", "late"), ("e", "once"))
    arm, report = fitted("majority", make_task(rows, answer="text"), tmp_path)
    assert answers(arm) == ["late", "late"]
    assert report.facts["share of training rows"] == 0.4


def test_majority_shows_no_more_of_its_answer_than_a_table_holds(tmp_path):
    long = "word " * 100
    _, report = fitted("majority", make_task(make_rows(("a", long)), answer="text"), tmp_path)
    assert len(report.facts["answer"]) == 80


@pytest.mark.parametrize("embedder", [FakeEmbedder, TfidfEmbedder])
def test_nearest_gives_the_answer_of_the_nearest_row(tmp_path, embedder):
    arm, _ = fitted("nearest", make_task(ROWS), tmp_path, embedder=embedder())
    assert answers(arm) == ["water", "land"]


def test_nearest_answers_any_kind_and_takes_the_smaller_id_on_a_tie(tmp_path):
    rows = make_rows(("same words", '{"a": 1}'), ("same words", '{"a": 2}'))
    arm, _ = fitted("nearest", make_task(rows[::-1], answer="json"), tmp_path)
    assert answers(arm, make_rows(("same words", "{}"))) == ['{"a": 1}']


def test_logistic_learns_words_with_the_builtin_embedder(tmp_path):
    class Untouchable(FakeEmbedder):
        def fit(self, texts):
            raise AssertionError("the built-in embedder isn't needed for TF-IDF features")

    arm, report = fitted("logistic", make_task(ROWS), tmp_path, embedder=Untouchable())
    assert answers(arm) == ["water", "land"]
    assert report.facts["features"] == "TF-IDF of words and characters"
    assert report.facts["C chosen by"] == "default: too few rows"


def test_logistic_takes_the_embedders_vectors_when_one_is_set(tmp_path):
    embedder = FakeEmbedder()
    arm, report = fitted("logistic", make_task(ROWS, embedder="some/model"), tmp_path, embedder=embedder)
    assert answers(arm) == ["water", "land"]
    assert embedder.embedded == 10
    assert report.facts["features"] == "embeddings of fake"


def test_logistic_chooses_its_strength_where_rows_allow(tmp_path):
    rows = make_rows(
        *((f"{text} {n}", label) for n in range(5) for text, label in zip(SEA + WOOD, "wwwwllll", strict=True))
    )
    arm, report = fitted("logistic", make_task(rows), tmp_path)
    assert report.facts["C chosen by"] == "3 folds"
    assert report.facts["C"] == 1.0  # all strengths are right here, and the smallest of equals is taken
    assert answers(arm) == ["w", "l"]


def test_logistic_bears_labels_of_one_row_and_a_single_label(tmp_path):
    rows = make_rows(*((f"{text} {n}", "water") for n in range(10) for text in SEA), ("zebra zebra zebra", "rare"))
    arm, _ = fitted("logistic", make_task(rows), tmp_path)
    assert answers(arm, make_rows(("zebra zebra zebra", "rare"), ("a whale", "water"))) == ["rare", "water"]
    single, _ = fitted("logistic", make_task(rows[:-1], labels=["water", "land"]), tmp_path)
    assert answers(single) == ["water", "water"]


def test_logistic_bears_texts_without_words(tmp_path):
    rows = make_rows(("?", "ask"), ("!!", "shout"), ("😀", "smile"), ("東京", "name"))
    arm, _ = fitted("logistic", make_task(rows), tmp_path)
    assert answers(arm, rows) == ["ask", "shout", "smile", "name"]


def test_logistic_is_for_labels_only():
    assert ARMS["logistic"].unfit(make_task(ROWS)) is None
    assert ARMS["logistic"].unfit(make_task(ROWS, answer="text")) == "it chooses among labels, and the answers are text"
    assert all(arm.unfit(make_task(ROWS, answer="json")) is None for name, arm in ARMS.items() if name != "logistic")


def test_the_strength_is_chosen_by_accuracy_on_rows_held_out():
    # One rare telling word and much shared chatter: only a weakly regularised model hears the word.
    chatter = "the of and to in is that it was for on are as with his they at be this have from or one had by"
    rows = [(f"{chatter} key{n % 40}", "odd" if (n % 40) % 2 else "even") for n in range(400)]
    features = word_and_character_features().fit_transform([text for text, _ in rows]).tocsr()
    classifier = fit_logistic(features, [label for _, label in rows])
    assert classifier.folds == 3
    assert classifier.predict(features) == [label for _, label in rows]
    assert classifier.strength == fit_logistic(features, [label for _, label in rows]).strength
