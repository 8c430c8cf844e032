import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.data_needs import data_needs
from advisor.data_places import PLACES
from advisor.questions import questions
from advisor.readiness import readiness
from advisor.readiness_item import Amount
from evals.errors import DataError, UsageError
from evals.load import load_task
from evals.starter import write_starter

some_answers = st.fixed_dictionaries({}, optional={q.key: st.sampled_from(list(q.options)) for q in questions()})
counts = st.integers(0, 10**7)
some_figures = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ["rows", "rarest_label", "eval_rows", "exact_duplicates", "near_duplicates", "overlap"], counts
        ),
        "imbalance": st.floats(1, allow_infinity=True, allow_nan=False),
        **dict.fromkeys(["noise", "made_up"], st.floats(0, 1)),
        "discordant": st.floats(0.01, 1),
    },
)
gains = st.floats(0.001, 1)


def item(topic, answers=None, figures=None, **more):
    found = [one for one in readiness(answers or {}, figures, **more) if one.topic == topic]
    assert len(found) == 1
    return found[0]


def first_number(text):
    return int(re.search(r"\d[\d,]*", text)[0].replace(",", ""))


@given(some_answers, some_figures, gains)
def test_any_answers_and_figures_give_whole_sentences(answers, figures, gain):
    items = readiness(answers, figures, gain)
    topics = [one.topic for one in items]
    assert len(set(topics)) == len(topics)
    for one in items:
        assert one.have
        assert one.need
        assert one.how.endswith(".")
        assert not re.search(r"None|nan|\{|\}|  ", " ".join([one.have, one.need, one.how]))
    assert ("Where to get more" in topics) == (items[0].ok is not True)


@given(some_answers, some_figures, gains, st.floats(0, 1), st.floats(0, 1))
def test_more_noise_never_needs_fewer_rows(answers, figures, gain, one, other):
    less, more = sorted((one, other))
    before = data_needs(answers, {**figures, "noise": less}, gain)
    after = data_needs(answers, {**figures, "noise": more}, gain)
    assert before.examples <= after.examples
    assert before.per_label <= after.per_label
    assert before.eval_rows <= after.eval_rows


@given(some_answers, gains, gains)
def test_a_smaller_gain_never_needs_fewer_eval_rows(answers, one, other):
    small, large = sorted((one, other))
    needs = [first_number(item("Eval rows", answers, minimum_gain=gain).need) for gain in (small, large)]
    assert needs[0] >= needs[1]


def test_noise_as_answered_raises_every_need():
    needs = [readiness({"task": "sorting", "examples": "more", "noise": noise}) for noise in ("low", "middle", "high")]
    for topic in ("Examples to learn from", "Examples of the rarest label", "Eval rows"):
        numbers = [first_number(next(one.need for one in items if one.topic == topic)) for items in needs]
        assert numbers == sorted(set(numbers)), topic


def test_the_need_of_eval_rows_is_the_formula_s():
    answers = {"noise": "low"}
    needed = item("Eval rows", answers, {"noise": 0.0}, minimum_gain=0.05)
    # 626 by the normal approximation, a tenth more for the exact test
    assert needed.need.startswith("689 to see a gain of 5 points (with 0% wrong answers)")
    assert "differ in 20% of the rows (our judgement; a first run tells)" in needed.how
    measured = item("Eval rows", answers, {"noise": 0.0, "discordant": 0.1}, minimum_gain=0.05)
    assert measured.need.startswith("343 ")
    assert "differ in 10% of the rows (as measured)" in measured.how


@pytest.mark.parametrize(
    ("answers", "figures", "ok"),
    [
        ({}, {}, None),
        ({"eval_set": "none"}, {}, False),
        ({"eval_set": "small"}, {}, False),
        ({"eval_set": "enough"}, {}, None),
        ({"eval_set": "enough"}, {"eval_rows": 100}, False),
        ({"eval_set": "none"}, {"eval_rows": 5_000}, True),
        ({}, {"eval_rows": 2_000, "noise": 0.0}, True),
        ({}, {"eval_rows": 2_000, "noise": 0.0, "overlap": 100}, False),
    ],
)
def test_eval_rows_are_judged_by_the_count_where_there_is_one(answers, figures, ok):
    assert item("Eval rows", answers, figures).ok is ok


def test_too_few_eval_rows_say_what_they_do_show():
    how = item("Eval rows", {}, {"eval_rows": 200, "noise": 0.0, "rows": 1_000}).how
    assert "What is there shows gains from 9.3 points on." in how
    assert "no gain at all" in item("Eval rows", {}, {"eval_rows": 3}).how
    assert "here about 200" in item("Eval rows", {}, {"rows": 1_100, "exact_duplicates": 60, "near_duplicates": 40}).how


@pytest.mark.parametrize(
    ("answers", "figures", "ok"),
    [
        ({"task": "sorting"}, {}, None),
        ({"task": "sorting", "examples": "fifty"}, {}, False),
        ({"task": "sorting", "examples": "hundreds"}, {}, None),
        ({"task": "sorting", "examples": "thousands"}, {}, True),
        ({"task": "extraction", "examples": "hundreds", "noise": "low"}, {}, False),
        ({"task": "sorting", "examples": "few"}, {"rows": 900}, True),
        ({"task": "sorting"}, {"rows": 900, "exact_duplicates": 500, "near_duplicates": 300}, False),
        ({"task": "grouping"}, {}, True),
    ],
)
def test_examples_count_without_their_copies(answers, figures, ok):
    assert item("Examples to learn from", answers, figures).ok is ok


@pytest.mark.parametrize(
    ("topic", "answers", "figures", "ok"),
    [
        ("Examples of the rarest label", {"rarest": "under_8"}, {}, False),
        ("Examples of the rarest label", {"rarest": "under_100"}, {}, None),
        ("Examples of the rarest label", {"rarest": "enough"}, {}, True),
        ("Examples of the rarest label", {"noise": "low"}, {"rarest_label": 9}, True),
        ("Examples of the rarest label", {"noise": "high"}, {"rarest_label": 9}, False),
        ("Balance of the labels", {"task": "sorting"}, {}, None),
        ("Balance of the labels", {}, {"imbalance": 10.0}, True),
        ("Balance of the labels", {}, {"imbalance": float("inf")}, False),
        ("Wrong answers", {}, {}, None),
        ("Wrong answers", {"noise": "low"}, {}, True),
        ("Wrong answers", {"noise": "middle"}, {}, False),
        ("Wrong answers", {"noise": "low"}, {"noise": 0.03}, False),
        ("Duplicates", {"hygiene": "clean"}, {}, True),
        ("Duplicates", {"hygiene": "synthetic"}, {}, None),
        ("Duplicates", {"hygiene": "clean"}, {"rows": 100, "exact_duplicates": 2, "near_duplicates": 0}, False),
        ("Duplicates", {"hygiene": "duplicates"}, {"rows": 100, "exact_duplicates": 1, "near_duplicates": 0}, True),
        ("Duplicates", {}, {"rows": 100, "exact_duplicates": 1}, None),
        ("Eval rows kept apart", {"hygiene": "clean"}, {"overlap": 1}, False),
        ("Eval rows kept apart", {}, {"overlap": 0}, True),
        ("Definition of a right answer", {"definition": "part"}, {}, False),
        ("Definition of a right answer", {"definition": "both"}, {}, True),
        ("Format", {}, {}, None),
        ("Format", {}, {"rows": 1}, True),
        ("Made-up rows", {"hygiene": "synthetic"}, {}, False),
        ("Made-up rows", {}, {"made_up": 0.4}, True),
        ("Licence", {"rights": "no"}, {}, False),
        ("Licence", {"rights": "yes"}, {}, True),
        ("Licence", {}, {}, None),
        ("Personal data", {"privacy": "own"}, {}, None),
    ],
)
def test_each_topic_is_judged(topic, answers, figures, ok):
    assert item(topic, answers, figures).ok is ok


def test_a_figure_or_gain_that_is_none_is_refused():
    for figures in ({"rows": -1}, {"eval_rows": float("nan")}, {"noise": 1.5}, {"made_up": -0.1}, {"imbalance": 0.5}):
        with pytest.raises(UsageError, match=next(iter(figures)) if "noise" not in figures else "share"):
            readiness({}, figures)
    with pytest.raises(UsageError, match="minimum gain"):
        readiness({}, minimum_gain=0)
    assert readiness({}, {"something else": -3})


def test_labels_are_no_topic_where_there_are_none():
    topics = {one.topic for one in readiness({"task": "documents", "output": "free"})}
    assert not topics & {"Examples of the rarest label", "Balance of the labels"}


# The steps of the places, on files like those that the user would have fetched.


def rows(count):
    return [{"text": f"complaint number {n} about something", "label": n % 3} for n in range(count)]


def test_a_hub_parquet_file_with_numbered_labels_loads(tmp_path):
    assert "--data hub/TRAIN.parquet --eval hub/TEST.parquet" in PLACES[1].load
    for name, part in (("train", rows(90)), ("test", [{**row, "text": row["text"] + "!!"} for row in rows(120)[90:]])):
        pq.write_table(pa.Table.from_pylist(part), tmp_path / f"{name}.parquet")
    file = write_starter(tmp_path / "mytask", tmp_path / "train.parquet", eval_data=tmp_path / "test.parquet")
    task = load_task(file)
    assert (task.answer, task.labels, len(task.train), len(task.eval)) == ("label", ("0", "1", "2"), 90, 30)


def test_a_csv_of_many_columns_loads_with_the_two_that_are_named(tmp_path):
    for place in PLACES[2:]:
        assert "--input-column TEXT --target-column LABEL" in place.load
    lines = ["nr;TEXT;town;LABEL"] + [f"{n};complaint {n};Ulm;{'ab'[n % 2]}" for n in range(40)]
    (tmp_path / "portal.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    file = write_starter(tmp_path / "mytask", tmp_path / "portal.csv", input_column="TEXT", target_column="LABEL")
    task = load_task(file)
    assert (task.labels, len(task.train) + len(task.eval)) == (("a", "b"), 40)


@pytest.mark.parametrize("name", ["archive.zip", "table.xlsx", "table.xml"])
def test_what_is_said_not_to_be_read_is_not(tmp_path, name):
    (tmp_path / name).write_text(json.dumps(rows(3)))
    with pytest.raises(DataError, match="save it as one of"):
        write_starter(tmp_path / "mytask", tmp_path / name)
    assert any(name.rpartition(".")[2] in place.by_hand + place.mind for place in PLACES)


def test_lines_above_the_header_and_other_encodings_are_refused(tmp_path):
    (tmp_path / "a.csv").write_text("Published by the town\nTEXT,LABEL\none,two\n")
    with pytest.raises(DataError):
        write_starter(tmp_path / "mytask", tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes("TEXT,LABEL\nGrüße,a\n".encode("latin-1"))
    with pytest.raises(DataError, match="save it as UTF-8"):
        write_starter(tmp_path / "mytask", tmp_path / "b.csv")


@pytest.mark.parametrize(("need", "reached"), [(8, True), (9, None), (100, None), (101, False)])
def test_a_range_reaches_a_need_only_if_all_of_it_does(need, reached):
    assert Amount(8, 100, "8 to 100").reaches(need) is reached
    assert Amount(8, None, "8 or more").reaches(need) is (True if need == 8 else None)
