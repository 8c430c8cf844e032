"""What a probe measures: the arms' own prompts on a sample, the right passage pasted in, and what follows from both."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from advisor.given_data import GivenData
from advisor.known_passages import find_known
from advisor.probe import probe, probe_given
from advisor.probe_answers import Aim, probe_answers
from advisor.probe_arm import ArmScore
from advisor.probe_sample import draw_sample
from baselines.prompt_arms import FewShot, ZeroShot
from baselines.rag_arms import Rag
from evals.errors import DataError, ModelError, UsageError
from evals.example import Document, Example, Passage
from evals.guess import TaskGuess
from evals.overlap import normalise_text
from evals.stats import Estimate
from tests.fake_model import FakeModel, make_context, make_task

ROOT = Path(__file__).parents[1]
QUESTIONS = {
    question["key"]: question["options"]
    for question in yaml.safe_load((ROOT / "advisor/questions.yaml").read_text("utf-8"))
}
INSTRUCTION = "Do the task."


def rooms(count=40, doc_id=True):
    """Return questions for the room of a thing, and a document of each thing that tells it."""
    rows = tuple(
        Example(f"t{at}", f"Which room has the thing{at}?", (f"room {100 + at}",), f"d{at}" if doc_id else None)
        for at in range(count)
    )
    documents = tuple(Document(f"d{at}", "", f"The thing{at} stands in room {100 + at}") for at in range(count))
    return rows, documents


def given(rows, documents=None, kind="text", evaluation=None):
    return GivenData(Path("train.jsonl"), TaskGuess(kind, "as the test says", INSTRUCTION), rows, evaluation, documents)


def reader(knows=lambda number: True):
    """Return a model that reads the room of some things from a passage, and knows nothing by itself."""

    def rule(prompt):
        text = prompt.passages[0].text if prompt.passages else ""
        number = int(text.split()[1].removeprefix("thing")) if text else -1
        return " ".join(text.split()[-2:]) if text and knows(number) else "nothing"

    return FakeModel(rule)


def measure(data, model, **settings):
    return probe_given(data, "fake", lambda: model, instruction=INSTRUCTION, metric="exact_match", **settings)


def test_a_model_that_only_reads_needs_the_passage():
    rows, documents = rooms()
    found = measure(given(rows, documents), reader())
    assert (found.rows, found.pool) == (20, 20)
    assert found.zero_shot.estimate.mean == 0
    assert found.oracle.without.mean == 0
    assert found.oracle.with_passage.mean == 1
    assert found.oracle.difference.difference == 1
    assert found.oracle.difference.low > 0.5
    assert (found.oracle.asked, found.oracle.rows, found.oracle.named) == (20, 20, 20)
    assert found.answers["oracle"].option == "only_with"
    assert found.answers["oracle"].sentence.startswith("100% (84% to 100%) by exact_match with the right passage, 0% (")
    assert found.answers["gap"].option == "large"
    assert found.answers["gap"].sentence.endswith("90 points short of 90%")
    for key, answer in found.answers.items():
        assert answer.option in QUESTIONS[key]


def test_a_model_that_reads_some_is_better_with_it_but_not_good_enough():
    rows, documents = rooms()
    partly = measure(given(rows, documents), reader(lambda number: number % 3 > 0))
    assert 0.4 < partly.oracle.with_passage.mean < 0.9
    assert partly.answers["oracle"].option == "partly"
    lowered = measure(given(rows, documents), reader(lambda number: number % 3 > 0), target=0.4)
    assert lowered.answers["oracle"].option == "only_with"


def test_a_model_that_can_not_read_is_wrong_with_it_too():
    rows, documents = rooms()
    found = measure(given(rows, documents), reader(lambda number: False))
    assert found.oracle.difference.difference == 0
    assert found.answers["oracle"].option == "still_wrong"


def test_a_model_that_knows_needs_no_passage_and_has_no_gap():
    rows, _ = rooms()
    known = {row.input: row.target for row in rows}
    found = measure(given(rows), FakeModel(lambda prompt: known[prompt.input]))
    assert found.oracle is None
    assert found.oracle_reason == "no documents were given"
    assert found.answers["oracle"].option == "without"
    assert found.answers["gap"].option == "none"
    assert "100% (84% to 100%) by exact_match on 20 rows" in found.answers["gap"].sentence


def test_prompts_are_those_of_the_arms(tmp_path):
    rows, documents = rooms(doc_id=True)
    model, seen = reader(), FakeModel()
    found = measure(given(rows, documents), model, seed=3)
    sample = draw_sample(given(rows, documents), 50, 3)
    task = make_task(sample.pool, answer="text", instruction=INSTRUCTION, rag={"k": 1})
    for arm in (ZeroShot, FewShot):
        one = arm(make_context(task, tmp_path, model=seen, seed=3))
        one.fit(sample.pool, documents)
        one.answer(sample.asked)
    own = [document for document in documents if document.id == sample.asked[0].doc_id]
    rag = Rag(make_context(task, tmp_path, model=seen))
    rag.fit(sample.pool, own)
    rag.answer(sample.asked[:1])
    pasted = [replace(prompt, passages=(replace(prompt.passages[0], score=0.0),)) for prompt in seen.asked[40:]]
    assert found.shots == 8
    assert model.asked[:40] == seen.asked[:40]
    assert model.asked[40:41] == pasted
    assert len(model.asked) == 60


def test_shots_are_never_rows_that_are_asked():
    rows = tuple(Example(f"t{at}", f"Text {at // 2}{'?' * (at % 2)}", ("a b",)) for at in range(60))
    sample = draw_sample(given(rows), 10, 0)
    asked, pool = ({normalise_text(row.input) for row in part} for part in (sample.asked, sample.pool))
    assert len(sample.asked) == 10
    assert not asked & pool
    assert sample == draw_sample(given(rows), 10, 0)
    assert sample != draw_sample(given(rows), 10, 1)


def test_eval_rows_are_asked_where_there_are_any():
    rows, documents = rooms(60)
    evaluation = (*rows[50:], Example("e", rows[0].input, ("room 1",)))
    sample = draw_sample(given(rows[:50], documents, evaluation=evaluation), 50, 0)
    assert sample.asked == evaluation
    assert [row.id for row in sample.pool] == [f"t{at}" for at in range(1, 50)]
    with pytest.raises(DataError, match=r"train\.jsonl: every row"):
        draw_sample(given(rows, evaluation=rows), 80, 0)


def test_a_large_pool_keeps_every_label_in_its_share():
    rows = tuple(Example(f"t{at}", f"text {at}", ("rare" if at % 10 == 0 else "often",)) for at in range(5_000))
    sample = draw_sample(given(rows, kind="label"), 50, 0)
    assert len(sample.asked) == 50
    assert sum(row.target == "rare" for row in sample.asked) == 5
    assert len(sample.pool) == 2_000


def passages(*texts):
    return [Passage(f"d{at}#0", f"d{at}", "", text) for at, text in enumerate(texts)]


def test_the_named_document_comes_before_one_that_holds_the_words():
    found = find_known(
        [
            Example("a", "What does parking cost at the pier?", ("5 euros",), "d1"),
            Example("b", "Pier?", ("x",), "gone"),
        ],
        [
            *passages("Parking at the pier costs 5 euros.", "At the depot parking is free."),
            Passage("d1#1", "d1", "", "Parking there was 5 euros once."),
            Passage("d1#2", "d1", "", "Pier parking cost"),
        ],
        "label",
    )
    assert {row: passage.id for row, passage in found.passages.items()} == {"a": "d1#1"}
    assert found.named == {"a"}


def test_without_a_name_a_likely_passage_with_the_answers_words_counts():
    corpus = passages(
        "Lunch is 5 euros, and parking is free.", "A permit costs 15 euros.", "Parking at the pier costs 5 euros."
    )
    asked = "What does parking cost at the pier?"
    found = find_known([Example("a", asked, ("5 Euros",))], corpus, "text")
    assert found.passages["a"].id == "d2#0"
    assert not found.named
    assert not find_known([Example("a", asked, ("5 eur",))], corpus, "text").passages  # whole words alone
    assert not find_known([Example("a", asked, ("5 euros",))], corpus, "label").passages
    assert not find_known([Example("a", "zzz", ("5 euros",))], corpus, "text").passages
    crowd = [f"Parking at the pier is watched on day {day}." for day in range(30)]
    chance = passages(*crowd, "Lunch is 5 euros at the canteen.")
    assert not find_known([Example("a", "Parking at the pier?", ("5 euros",))], chance, "text").passages


@pytest.mark.parametrize("kind", ["text", "label"])
def test_where_no_passage_is_known_the_reason_says_so(kind):
    rows = tuple(Example(f"t{at}", f"text number {at}", ("ab"[at % 2],)) for at in range(40))
    documents = (Document("d", "", "Nothing of the kind."),)
    model = FakeModel(lambda prompt: "neither")
    found = probe_given(given(rows, documents, kind=kind), "fake", lambda: model)
    assert found.oracle is None
    assert "doc_id" in found.oracle_reason
    assert "oracle" not in found.answers


def test_few_rows_decide_nothing():
    rows, documents = rooms(18)
    found = measure(given(rows, documents), reader())
    assert found.oracle.rows == 9
    assert found.oracle.with_passage.mean == 1
    assert not found.answers


def test_rows_that_fail_are_no_wrong_answers():
    rows, documents = rooms()
    long = tuple(
        replace(row, input=row.input + " and more" * 200) if at % 4 == 0 else row for at, row in enumerate(rows)
    )
    model = FakeModel(reader().rule, context=150)
    found = measure(given(long, documents), model)
    assert 0 < found.zero_shot.estimate.dropped < 20
    assert found.zero_shot.estimate.n + found.zero_shot.estimate.dropped == 20
    assert "the model's context is 150" in found.zero_shot.first_error
    assert not found.answers


def arm(mean, n=50, dropped=0):
    return ArmScore("few_shot", Estimate(mean, mean, mean, n, dropped, "given"))


@pytest.mark.parametrize(
    ("mean", "option"),
    [(0.95, "none"), (0.9, "none"), (0.88, "none"), (0.87, "some"), (0.8, "some"), (0.79, "large"), (0.0, "large")],
)
def test_the_gap_is_measured_against_the_target(mean, option):
    answers = probe_answers([arm(0.0), arm(mean)], None, Aim(0.9, "accuracy", 0.95))
    assert answers["gap"].option == option
    assert ("oracle" in answers) == (mean >= 0.9)


def test_an_arm_with_failures_or_few_rows_does_not_count():
    aim = Aim(0.9, "accuracy", 0.95)
    assert probe_answers([arm(0.5), arm(1.0, n=47, dropped=3), arm(1.0, n=9)], None, aim)["gap"].option == "large"
    assert not probe_answers([arm(1.0, n=9)], None, aim)


def test_what_can_not_be_used_is_told_before_a_model_is_loaded():
    rows, _ = rooms()

    def unloadable():
        raise ModelError("loaded")

    def ask(data=None, **settings):
        probe_given(data or given(rows), "none", unloadable, **settings)

    for settings, words in (
        ({"rows": 0}, "number of rows must be at least 1"),
        ({"target": 1.2}, "target must lie between 0 and 1"),
        ({"confidence": 1}, "confidence must lie between"),
        ({"metric": "accuracy"}, "choose among token_f1"),
        ({"instruction": " "}, "instruction says nothing"),
        ({"data": given(rows[:1])}, "a probe needs two or more"),
    ):
        with pytest.raises(UsageError, match=words):
            ask(**settings)
    with pytest.raises(ModelError, match="loaded"):
        ask(target=1)


def test_the_built_in_model_reads_the_handbook_and_does_not_know_it():
    folder = ROOT / "examples/policy-qa"
    told = []
    found = probe(
        folder / "train.jsonl",
        folder / "handbook-2026",
        "builtin",
        eval_data=folder / "eval.jsonl",
        instruction="Answer the question. Be brief.",
        rows=20,
        target=0.6,
        metric="exact_match",
        progress=lambda phase, done, total: told.append((phase, done, total)),
    )
    assert (found.rows, found.oracle.rows, found.oracle.named) == (20, 20, 20)
    assert found.oracle.without.mean <= 0.2
    assert found.oracle.with_passage.mean >= 0.6
    assert found.oracle.difference.low > 0.3
    assert (found.answers["oracle"].option, found.answers["gap"].option) == ("only_with", "large")
    assert {("zero_shot", 20, 20), ("few_shot", 20, 20), ("oracle", 20, 20)} <= set(told)


def test_the_built_in_model_learns_the_order_form_from_shots():
    found = probe(
        ROOT / "examples/order-format/train.jsonl", None, "builtin", instruction="Write the order as JSON.", rows=12
    )
    assert found.few_shot.estimate.mean > found.zero_shot.estimate.mean
    assert found.few_shot.estimate.n == 12
    assert found.aim.metric == "json_exact"
    assert found.oracle is None
