import json
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from advisor.advice import NAMES
from advisor.questions import questions
from advisor.task_draft import PLACEHOLDER, draft_task
from advisor.task_kind import metric_for
from evals.errors import DataError, UsageError
from evals.load import load_task
from evals.task_file import METRICS, TaskFile

some_answers = st.fixed_dictionaries({}, optional={q.key: st.sampled_from(list(q.options)) for q in questions()})
approaches = st.sampled_from(list(NAMES))
TARGETS = {
    "label": lambda n: ["refund", "delivery", "other"][n % 3],
    "text": lambda n: f"a text of its own, number {n}",
    "json": lambda n: {"field": n},
    "number": lambda n: n * 1.5,
}
READY = {"examples": "hundreds", "eval_set": "enough", "definition": "both", "prompting": "measured", "noise": "low"}
# In a file that CSV or a YAML comment could take for something else.
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\x85\u2028\u2029"), min_size=1, max_size=12
).filter(lambda name: name.strip() == name)


def write_rows(path, kind, count=60, input_name="input", target_name="target"):
    made = [{input_name: f"thing number {n}", target_name: TARGETS[kind](n)} for n in range(count)]
    path.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    return path


def drafted(folder, answers, approach, data, documents=None, **how):
    """Write the draft into ``folder`` and return its text and the task that it loads as."""
    text = draft_task(answers, approach, data, documents, folder=folder, **how)
    (folder / "task.yaml").write_text(text, encoding="utf-8")
    return text, load_task(folder)


@settings(max_examples=60, deadline=None)
@given(some_answers, approaches, st.sampled_from(list(TARGETS)), st.booleans())
def test_a_draft_from_rows_loads_whatever_was_answered(answers, approach, kind, with_documents):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        documents = folder / "docs" if with_documents else None
        if documents:
            documents.mkdir()
            (documents / "a.txt").write_text("What it says.")
        _, task = drafted(folder, answers, approach, write_rows(folder / "rows.jsonl", kind), documents)
        assert task.answer in (kind, "text")
        assert task.settings.metric in METRICS[task.answer]
        assert len(task.train) + len(task.eval) == 60
        assert len(task.documents) == with_documents
        assert task.settings.decision.minimum_gain == 0.03
        assert "logistic" not in task.settings.arms or task.answer == "label"


@given(some_answers, approaches)
def test_a_draft_without_rows_is_a_valid_task_file(answers, approach):
    text = draft_task(answers, approach, None, None)
    loaded = TaskFile.model_validate(yaml.safe_load(text))
    assert loaded.data.train == PLACEHOLDER
    assert loaded.metric in METRICS[loaded.answer]
    assert f"in place of {PLACEHOLDER}" in text


@settings(max_examples=60, deadline=None)
@given(names, names)
def test_hostile_column_names_come_back_whole(input_name, target_name):
    if input_name == target_name:
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = write_rows(folder / "rows.jsonl", "label", 60, input_name, target_name)
        _, task = drafted(folder, {"task": "sorting"}, "tune", data, input_column=input_name, target_column=target_name)
        columns = task.settings.data.columns
        assert (columns.input, columns.target) == (input_name, target_name)
        assert task.labels == ("delivery", "other", "refund")


@pytest.mark.parametrize(
    "name", ["a: b # c.jsonl", "\"quoted\" 'twice'.jsonl", "{x}, [y].jsonl", "- !!str &a *b.jsonl"]
)
def test_hostile_file_names_are_found_again(tmp_path, name):
    folder = tmp_path / "task: #1"
    folder.mkdir()
    data = write_rows(tmp_path / name, "label")
    docs = tmp_path / f"docs {name}"
    docs.mkdir()
    (docs / "a.md").write_text("text")
    text, task = drafted(folder, {}, "rag", data, docs)
    assert task.settings.data.train == f"../{name}"
    assert len(task.documents) == 1
    assert len([line for line in text.splitlines() if "train:" in line]) == 1


@pytest.mark.parametrize(
    ("answers", "kind", "expected", "metric"),
    [
        ({}, "label", "label", "accuracy"),
        ({"task": "sorting", "rarest": "under_8"}, "label", "label", "macro_f1"),
        ({"output": "label"}, "number", "number", "numeric"),
        ({"output": "free", "task": "documents"}, "label", "text", "token_f1"),
        ({"output": "private"}, "label", "text", "exact_match"),
        ({"output": "private"}, "number", "text", "exact_match"),
        ({"output": "free", "task": "reasoning"}, "number", "number", "numeric"),
        ({"output": "json", "task": "extraction"}, "json", "json", "json_f1"),
        ({"output": "json", "task": "tools"}, "json", "json", "json_exact"),
        ({"output": "json"}, "text", "text", "token_f1"),
        ({"task": "style"}, "text", "text", "rouge_l"),
        ({"task": "sql"}, "text", "text", "exact_match"),
    ],
)
def test_kind_and_metric_follow_answers_and_rows(tmp_path, answers, kind, expected, metric):
    text, task = drafted(tmp_path, answers, "prompt", write_rows(tmp_path / "rows.jsonl", kind))
    assert (task.answer, task.settings.metric) == (expected, metric)
    assert ("By your answers this would be" in text) == (
        (answers.get("output"), kind) in [("label", "number"), ("json", "text"), ("free", "number")]
    )
    assert metric_for(expected, answers)[1] in text
    assert ("one of the labels" in task.instruction) == (expected == "label")


def test_arms_settle_seeds_and_follow_the_recommendation(tmp_path):
    data = write_rows(tmp_path / "rows.jsonl", "label")
    _, tuned = drafted(tmp_path, READY, "tune", data)
    assert tuned.settings.arms == ["majority", "nearest", "logistic", "zero_shot", "few_shot", "qlora"]
    assert tuned.settings.seeds == 3
    text, waiting = drafted(tmp_path, READY | {"eval_set": "none"}, "not_ready", data)
    assert "qlora" not in waiting.settings.arms
    assert waiting.settings.seeds == 1
    assert "# No training in here: Put eval rows aside" in text
    text, looking = drafted(tmp_path, READY, "rag", data)
    assert {"rag", "rag_shots", "qlora"} <= set(looking.settings.arms)
    assert "# No documents were named" in text
    (tmp_path / "a.txt").write_text("What it says.")
    text, found = drafted(tmp_path, READY, "prompt", data, tmp_path / "a.txt")
    assert "rag" in found.settings.arms
    assert "# No documents were named" not in text
    _, forbidden = drafted(tmp_path, READY | {"oracle": "no_passage", "rights": "no"}, "prompt", data)
    assert not {"rag", "rag_shots", "qlora"} & set(forbidden.settings.arms)


def test_training_is_left_out_of_few_rows(tmp_path):
    text, task = drafted(tmp_path, READY, "tune", write_rows(tmp_path / "rows.jsonl", "label", 49))
    assert "qlora" not in task.settings.arms
    assert "49 rows are fewer than 50" in text
    _, task = drafted(tmp_path, READY, "tune", write_rows(tmp_path / "rows.jsonl", "label", 50))
    assert "qlora" in task.settings.arms


def test_decision_and_eval_file_are_taken_over(tmp_path):
    data = write_rows(tmp_path / "rows.jsonl", "label")
    exam = tmp_path / "exam.jsonl"
    exam.write_text("".join(json.dumps({"input": f"new {n}", "target": "other"}) + "\n" for n in range(7)))
    text, task = drafted(tmp_path, {"volume": "high"}, "tune", data, eval_data=exam, minimum_gain=0.05)
    assert (len(task.train), len(task.eval)) == (60, 7)
    assert task.settings.decision.minimum_gain == 0.05
    assert task.settings.decision.requests_per_month == 3_000_000
    assert "# You said more than a million; put your own count: it decides whether training repays." in text
    _, task = drafted(tmp_path, {}, "tune", data)
    assert task.settings.decision.requests_per_month is None


def test_every_key_is_explained(tmp_path):
    text = draft_task({}, "prompt", None, None)
    for key in TaskFile.model_fields:
        assert f"\n{key}:" in text or f"\n# {key}:" in text


def test_what_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(UsageError, match="there's no approach 'magic'"):
        draft_task({}, "magic", None, None)
    for gain in (-0.1, 1.1, float("nan")):
        with pytest.raises(UsageError, match="minimum gain"):
            draft_task({}, "tune", None, None, minimum_gain=gain)
    with pytest.raises(DataError, match="there is no such file"):
        draft_task({}, "tune", tmp_path / "gone.csv", None)
    with pytest.raises(DataError, match="there is no such file or folder"):
        draft_task({}, "tune", None, tmp_path / "gone")


@pytest.mark.parametrize(("task", "words"), [("grouping", "Groups can't be scored"), ("tabular", "join the columns")])
def test_what_a_task_cannot_show_is_said(task, words):
    assert words in draft_task({"task": task}, "classic", None, None)
    assert words not in draft_task({"task": "sorting"}, "classic", None, None)
