"""What the advisor counts in the user's files, and which of its questions that answers."""

import gzip
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given as property_of
from hypothesis import strategies as st

from advisor.figures import about_tokens, count_figures
from advisor.given_data import GivenData
from advisor.measured import measure_data, measure_given
from advisor.measured_answers import measured_answers
from evals.errors import DataError, UsageError
from evals.example import Document, Example
from evals.guess import TaskGuess
from evals.near_copies import NEAR, near_copies
from tests.small_task import rows as colour_rows
from tests.small_task import write_jsonl

ROOT = Path(__file__).parents[1]
QUESTIONS = {
    question["key"]: question["options"]
    for question in yaml.safe_load((ROOT / "advisor/questions.yaml").read_text("utf-8"))
}
LONG = (
    "the lift in the north tower has stopped between two floors again and nobody answers when the red button is pressed"
)


def given(*pairs, kind="label", evaluation=None, documents=None):
    """Return data in memory from (input, target) pairs."""

    def examples(pairs, stem):
        return tuple(Example(f"{stem}{at}", text, (target,)) for at, (text, target) in enumerate(pairs))

    return GivenData(
        file=Path("train.jsonl"),
        guess=TaskGuess(kind, "as the test says", "Do it."),
        examples=examples(pairs, "t"),
        evaluation=None if evaluation is None else examples(evaluation, "e"),
        documents=None
        if documents is None
        else tuple(Document(f"d{at}", "", text) for at, text in enumerate(documents)),
    )


def test_copies_conflicts_and_overlap_are_told_apart():
    figures = count_figures(
        given(
            ("Where is my card?", "card"),
            ("Where is my card?", "card"),  # exact
            ("where is my card", "card"),  # alike
            ("Where is my card?!", "loan"),  # contradicts the three above
            (LONG, "lift"),
            (LONG.replace("red", "green"), "lift"),  # near: one word of 19 differs
            (LONG.replace("red", "blue"), "door"),  # nearly the same, but another answer: no copy
            ("Is the bank open?", "other"),
            evaluation=[("Is the bank open", "other"), ("Something else", "loan")],
        )
    )
    assert (figures.rows, figures.exact_copies, figures.alike_copies, figures.near_copies) == (8, 1, 1, 1)
    assert figures.conflicts == 1
    assert (figures.eval_rows, figures.overlap) == (2, 1)
    assert figures.clean == 8 - 3 - 1
    assert figures.labels == {"card": 1, "door": 1, "lift": 1, "loan": 1, "other": 0}
    assert (figures.rarest, figures.imbalance) == ("other", float("inf"))


def test_the_sentence_says_what_was_counted():
    pairs = [(f"question number {number} about something", "ab"[number % 2]) for number in range(120)]
    answers = measure_given(given(*pairs, *pairs[:37])).answers
    assert answers["examples"].option == "fifty"
    assert answers["examples"].sentence == "157 rows, 37 exact duplicates: 120 left to learn from"
    assert answers["hygiene"].option == "duplicates"
    assert "23.6% duplicates" in answers["hygiene"].sentence
    assert answers["rarest"].option == "under_100"
    assert "'b', with 60 clean rows" in answers["rarest"].sentence


def test_one_eval_row_in_train_is_enough_for_hygiene_but_one_duplicate_in_a_hundred_is_not():
    pairs = [(f"question number {number}", "ab"[number % 2]) for number in range(99)]
    assert "hygiene" not in measure_given(given(*pairs, pairs[0])).answers
    assert "hygiene" in measure_given(given(*pairs[:-1], pairs[0], pairs[0])).answers
    shared = measure_given(given(*pairs, evaluation=[pairs[5], ("new", "a")])).answers
    assert shared["hygiene"].sentence == "99 rows, 1 eval row also in train"
    assert shared["eval_set"].option == "small"
    assert measure_given(given(*pairs, evaluation=[pairs[5]])).answers["eval_set"].option == "none"


@pytest.mark.parametrize(
    ("clean", "option"),
    [
        (49, "few"),
        (50, "fifty"),
        (199, "fifty"),
        (200, "hundreds"),
        (999, "hundreds"),
        (1_000, "thousands"),
        (10_000, "thousands"),
        (10_001, "more"),
    ],
)
def test_examples_fall_between_the_bounds_of_the_question(clean, option):
    figures = replace(count_figures(given(("a", "x"), ("b", "y"))), rows=clean, clean=clean)
    assert measured_answers(figures)["examples"].option == option


@pytest.mark.parametrize(
    ("rows", "option"), [(0, "under_8"), (7, "under_8"), (8, "under_100"), (99, "under_100"), (100, "enough")]
)
def test_the_rarest_label_falls_between_the_bounds_of_the_question(rows, option):
    figures = replace(count_figures(given(("a", "x"), ("b", "y"))), labels={"x": 500, "y": rows})
    assert measured_answers(figures)["rarest"].option == option


@pytest.mark.parametrize(("tokens", "option"), [(200_000, "small"), (200_001, "large")])
def test_the_corpus_is_small_or_large(tokens, option):
    figures = count_figures(given(("a", "x"), ("b", "y"), documents=["one", "two and more"]))
    assert figures.corpus_tokens == 1 + 3
    answer = measured_answers(replace(figures, corpus_tokens=tokens))["corpus"]
    assert (answer.option, answer.sentence) == (option, f"2 documents, about {tokens:,} tokens")


def test_contradicting_labels_prove_noise_but_texts_may_differ_and_both_be_right():
    pairs = [(f"question {number}", "yes") for number in range(90)]
    torn = [(f"torn {number}", answer) for number in range(6) for answer in ("yes", "no")]
    labels = measure_given(given(*pairs, *torn)).answers
    assert labels["noise"].option == "high"
    assert labels["noise"].sentence.startswith("6 of 102 rows (5.9%) contradict")
    assert "noise" not in measure_given(given(*pairs, *torn, kind="text")).answers
    assert "noise" not in measure_given(given(*pairs, *torn[:10])).answers  # 5%: no proof of more than that


def test_numbers_and_json_that_mean_the_same_do_not_contradict():
    assert count_figures(given(("sum", "1.0"), ("sum", "1"), kind="number")).conflicts == 0
    assert count_figures(given(("sum", "1.5"), ("sum", "1"), kind="number")).conflicts == 1
    orders = [("order", '{"a": 1, "b": 2}'), ("order", '{"b":2,"a":1}'), ("order", '{"a": 2}')]
    figures = count_figures(given(*orders, kind="json"))
    assert (figures.conflicts, figures.exact_copies, figures.alike_copies) == (1, 0, 1)


def test_only_plain_sorting_is_called_a_task():
    texts = [f"please help me with matter {number}" for number in range(60)]
    sorting = given(*((text, "abc"[at % 3]) for at, text in enumerate(texts)))
    assert measure_given(sorting).answers["task"].option == "sorting"
    assert "task" not in measure_given(replace(sorting, documents=(Document("d", "", "text"),))).answers
    assert "task" not in measure_given(given(*((text, ("yes", "no")[at % 2]) for at, text in enumerate(texts)))).answers
    assert "task" not in measure_given(given(*((text, str(at % 20)) for at, text in enumerate(texts)))).answers
    assert "task" not in measure_given(given(*((str(at), "abc"[at % 3]) for at in range(60)))).answers


def test_the_form_is_told_where_answers_show_it_and_left_open_for_codes():
    texts = [f"text {number}" for number in range(20)]
    prose = "The meeting was moved to the next week because nobody had time."
    assert measure_given(given(*((text, prose) for text in texts), kind="text")).answers["output"].option == "free"
    for code in ("HX-2-T 68535 AB 17 CD.", "STOP PUMP THEN OPEN VALVE.", "select name from users order by age"):
        coded = given(*((text, code) for text in texts), kind="text")
        assert "output" not in measure_given(coded).answers
    assert measure_given(given(*((text, "1") for text in texts), kind="number")).answers["output"].option == "label"
    assert measure_given(given(*((text, "{}") for text in texts), kind="json")).answers["output"].option == "json"


def test_lengths_and_tokens():
    figures = count_figures(given(*((" ".join(["word"] * (number + 1)), "x") for number in range(100))))
    assert (figures.input_words.median, figures.input_words.p95, figures.input_words.longest) == (50, 95, 100)
    assert (about_tokens(""), about_tokens("abcd"), about_tokens("abcde"), about_tokens("日本")) == (0, 1, 2, 2)


CELLS = st.sampled_from(
    [
        "Where is it?",
        "where is it",
        "Where is it",
        "Is it here",
        LONG,
        LONG.replace("red", "green"),
        LONG.replace("two", "three"),
        LONG + " now",
    ]
)


@property_of(
    rows=st.lists(st.tuples(CELLS, st.sampled_from("ab")), min_size=1, max_size=30),
    evaluation=st.none() | st.lists(st.tuples(CELLS, st.sampled_from("ab")), min_size=1, max_size=3),
    seed=st.integers(0, 99),
)
def test_the_order_of_rows_does_not_matter(rows, evaluation, seed):
    shuffled = random.Random(seed).sample(rows, len(rows))
    figures = count_figures(given(*rows, evaluation=evaluation))
    again = count_figures(given(*shuffled, evaluation=evaluation))
    assert figures == again
    assert 0 <= figures.clean <= figures.rows - figures.copies
    assert measured_answers(figures) == measured_answers(again)


@property_of(st.lists(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), min_size=1, max_size=26), max_size=25))
def test_what_is_called_near_is_near_one_that_stays(texts):
    copies = near_copies([" ".join(text) for text in texts], [0] * len(texts))
    stay = [set(text) for at, text in enumerate(texts) if at not in copies]
    for at in copies:
        words = set(texts[at])
        assert any(len(words & other) >= NEAR * len(words | other) for other in stay)


def test_near_copies_are_found_among_many():
    chance = random.Random(5)
    vocabulary = [f"w{number}" for number in range(2_000)]
    texts = [" ".join(chance.sample(vocabulary, 30)) for _ in range(1_000)]
    changed = []
    for text in texts[:300]:
        words = text.split()
        words[chance.randrange(30)] = "other"
        changed.append(" ".join(chance.sample(words, 30)))
    assert len(near_copies(texts + changed, [0] * 1_300)) >= 299
    assert not near_copies(texts + changed, list(range(1_300)))
    assert not near_copies(texts, [0] * 1_000)


def test_a_file_is_read_as_a_task_reads_it(tmp_path):
    write_jsonl(tmp_path / "train.jsonl", colour_rows(0, 40))
    write_jsonl(tmp_path / "eval.jsonl", colour_rows(1_000, 100))
    semicolons = "Message;Intent\n" + "".join(f"{row['input']};{row['target']}\n" for row in colour_rows(0, 40))
    (tmp_path / "train.csv").write_text(semicolons, encoding="utf-8")
    with gzip.open(tmp_path / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write((tmp_path / "train.jsonl").read_text(encoding="utf-8"))
    (tmp_path / "documents.jsonl").write_text('{"doc_id": "x", "body": "Amber is warm."}\n', encoding="utf-8")
    found = [
        measure_data(tmp_path / name, eval_data=tmp_path / "eval.jsonl", documents=tmp_path / "documents.jsonl")
        for name in ("train.jsonl", "train.jsonl.gz")
    ]
    table = measure_data(tmp_path / "train.csv", documents=tmp_path / "documents.jsonl")
    assert found[0].answers == found[1].answers
    assert found[0].answers["eval_set"].option == "enough"
    assert found[0].answers["corpus"].sentence == "1 document, about 4 tokens"
    assert found[0].answers["output"].option == "label"
    assert dict(table.figures.labels) == {"cold": 20, "warm": 20}


def test_every_answer_is_an_option_of_its_question(tmp_path):
    write_jsonl(
        tmp_path / "train.jsonl",
        [*colour_rows(0, 40), *({**row, "id": f"again-{row['id']}"} for row in colour_rows(0, 6))],
    )
    write_jsonl(tmp_path / "eval.jsonl", colour_rows(1_000, 20))
    found = measure_data(
        tmp_path / "train.jsonl", eval_data=tmp_path / "eval.jsonl", documents=ROOT / "README.md"
    ).answers
    found |= measure_data(tmp_path / "train.jsonl").answers
    found |= measure_data(ROOT / "examples/order-format/train.jsonl").answers
    assert found.keys() == {"eval_set", "examples", "rarest", "hygiene", "corpus", "output", "task"}
    for key, answer in found.items():
        assert answer.option in QUESTIONS[key]
        assert any(character.isdigit() for character in answer.sentence)


def test_answers_that_come_back_a_few_times_are_no_labels():
    folder = ROOT / "examples/policy-qa"
    found = measure_data(folder / "train.jsonl", eval_data=folder / "eval.jsonl", documents=folder / "handbook-2026")
    assert found.figures.kind == "text"
    assert found.figures.documents == 120
    assert found.answers["corpus"].option == "small"
    assert found.answers["examples"].option == "hundreds"
    assert not {"rarest", "task", "output", "noise"} & found.answers.keys()
    said = measure_data(folder / "train.jsonl", answer="label")
    assert said.answers["rarest"].option == "under_8"


def test_wrong_files_are_told_in_the_projects_own_words(tmp_path):
    train = tmp_path / "train.jsonl"
    write_jsonl(train, colour_rows(0, 20))
    with pytest.raises(DataError, match=r"nothing\.jsonl: there is no such file"):
        measure_data(tmp_path / "nothing.jsonl")
    with pytest.raises(DataError, match="the file of the training rows too"):
        measure_data(train, eval_data=train)
    with pytest.raises(DataError, match="docs: there is no such file"):
        measure_data(train, documents=tmp_path / "docs")
    write_jsonl(tmp_path / "odd.jsonl", [{"one": "a", "two": "b", "three": "c"}] * 3)
    with pytest.raises(UsageError, match="--input-column"):
        measure_data(tmp_path / "odd.jsonl")
    broken = [json.dumps({"input": f"text {at}", "target": "ab"[at % 2]}) for at in range(20)]
    broken[4] = '{"input": "", "target": "a"}'
    (tmp_path / "broken.jsonl").write_text("\n".join(broken), encoding="utf-8")
    with pytest.raises(DataError, match=r"^\S*broken\.jsonl:5: 'input' is empty$"):
        measure_data(tmp_path / "broken.jsonl")
    write_jsonl(tmp_path / "same.jsonl", [{"input": f"text {at}", "target": "a"} for at in range(9)])
    with pytest.raises(DataError, match="every row has the label 'a'"):
        measure_data(tmp_path / "same.jsonl", answer="label")


def test_counting_loads_neither_torch_nor_scikit_learn():
    code = (
        "import sys; from pathlib import Path; from advisor.measured import measure_data;"
        "folder = Path('examples/policy-qa');"
        "found = measure_data(folder / 'train.jsonl', documents=folder / 'handbook-2026');"
        "print(found.figures.rows, sorted({'torch', 'transformers', 'faiss', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "480 []"
