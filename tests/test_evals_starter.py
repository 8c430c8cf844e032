import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import DataError, UsageError
from evals.load import load_task
from evals.starter import starter_text, task_schema, write_starter
from evals.task_check import read_task_file
from evals.task_file import TaskFile

LABELS = ["refund", "delivery", "other"]
TICKETS = [{"Text": f"ticket number {n}", "Intent": LABELS[n % 3]} for n in range(30)]


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def started(tmp_path, rows, **how):
    """Write a starter from ``rows`` and return the task that it loads as."""
    return load_task(write_starter(tmp_path / "task", write(tmp_path / "rows.jsonl", rows), **how))


def test_the_written_file_loads_as_it_stands(tmp_path):
    task = started(tmp_path, TICKETS)
    columns = task.settings.data.columns
    assert (columns.input, columns.target) == ("Text", "Intent")
    assert (task.answer, task.labels) == ("label", ("delivery", "other", "refund"))
    assert task.instruction.startswith("Classify the input.")
    assert task.settings.data.train == "../rows.jsonl"
    assert task.settings == TaskFile(
        instruction=task.instruction,
        answer="label",
        data={"train": "../rows.jsonl", "columns": {"input": "Text", "target": "Intent"}},
    )


def test_the_metrics_of_the_guessed_kind_of_answer_are_named(tmp_path):
    text = write_starter(tmp_path / "task", write(tmp_path / "rows.jsonl", TICKETS)).read_text()
    assert "# metric: null  # Default for `answer: label`: accuracy. Or: macro_f1." in text


def test_every_other_key_stands_there_with_its_default(tmp_path):
    path = write_starter(tmp_path / "task", write(tmp_path / "rows.jsonl", TICKETS))
    written = read_task_file(path)
    # Take the comment sign away wherever a key stands behind one.
    text = re.sub(r"(?m)^( *)# ( *[a-z_]+:(?: |$))", r"\1\2", path.read_text())
    path.write_text(text)
    everything = read_task_file(path)
    assert everything.documents is not None
    assert everything.model_copy(update={"documents": None}) == written

    def keys(section):
        return {name: keys(value) if isinstance(value, dict) else None for name, value in section.items()}

    import yaml

    assert keys(yaml.safe_load(text)) == keys(everything.model_dump())


@pytest.mark.parametrize(
    ("targets", "answer"),
    [
        ([{"a": n} for n in range(6)], "json"),
        ([json.dumps({"a": n, "b": [n]}) for n in range(6)], "json"),
        ([n * 1.5 for n in range(6)], "number"),
        (["12", "-3e2", "7"] * 4, "number"),
        ([0, 1] * 10, "label"),
        (["1", "2", "3"] * 10, "label"),
        ([0, 1, 7] * 10, "number"),
        ([10, 20] * 10, "number"),
        (["yes", "no", "maybe"] * 4, "label"),
        ([f"a free text {n}" for n in range(12)], "text"),
        (["the same long answer " * 10, "another " * 20] * 6, "text"),
        (["one\nline", "other\nline"] * 6, "text"),
        (["same"] * 12, "text"),
        (["12", "n/a"] + [str(n) for n in range(20)], "text"),
    ],
)
def test_the_answer_kind_is_guessed_from_the_targets(tmp_path, targets, answer):
    task = started(tmp_path, [{"question": f"number {n}?", "answer": target} for n, target in enumerate(targets)])
    assert task.answer == answer
    assert "question" in task.instruction


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"input": "a", "target": "b"}, ("input", "target", "targets", "id")),
        ({"PROMPT": "a", "Completion": "b"}, ("PROMPT", "Completion", "targets", "id")),
        ({"question": "a", "text": "b", "label": "c"}, ("text", "label", "targets", "id")),
        ({"uuid": "k", "utterance": "a", "strange": "b"}, ("utterance", "strange", "targets", "uuid")),
        ({"strange": "a", "label": "b"}, ("strange", "label", "targets", "id")),
        ({"question": "a", "answers": ["b", "c"]}, ("question", "target", "answers", "id")),
        ({"question": "a", "answer": ["b", "c"]}, ("question", "target", "answer", "id")),
        ({"output": "a", "instruction": "b"}, ("instruction", "output", "targets", "id")),
    ],
)
def test_columns_are_guessed_by_their_names(tmp_path, row, expected):
    rows = [
        {key: [f"{v}{n}" for v in value] if isinstance(value, list) else f"{value}{n}" for key, value in row.items()}
        for n in range(4)
    ]
    columns = started(tmp_path, rows).settings.data.columns
    assert (columns.input, columns.target, columns.targets, columns.id) == expected


def test_an_id_column_that_repeats_is_none(tmp_path):
    rows = [{"uid": "same", "text": f"t{n}", "label": "ab"[n % 2]} for n in range(8)]
    assert [e.id for e in started(tmp_path, rows).train][0].startswith("train-")


def test_columns_can_be_named(tmp_path):
    rows = [{"text": f"no {n}", "body": f"yes {n}", "label": "x", "team": "ab"[n % 2]} for n in range(8)]
    columns = started(tmp_path, rows, input_column="body", target_column="team").settings.data.columns
    assert (columns.input, columns.target) == ("body", "team")


def test_columns_that_cannot_be_guessed_are_asked_for(tmp_path):
    data = write(tmp_path / "rows.jsonl", [{"foo": 1, "bar": 2, "baz": 3}])
    with pytest.raises(UsageError) as caught:
        write_starter(tmp_path / "task", data)
    assert str(caught.value) == (
        f"{data}: can't tell which column is which among 'foo', 'bar', 'baz'; "
        "say it with --input-column and --target-column"
    )
    with pytest.raises(UsageError, match=r"say it with --target-column$"):
        write_starter(tmp_path / "task", data, input_column="foo")
    with pytest.raises(UsageError, match=r"there is no column 'fooo'; there are .* \(did you mean 'foo'\?\)"):
        write_starter(tmp_path / "task", data, input_column="fooo", target_column="bar")
    assert not (tmp_path / "task").exists()


@pytest.mark.parametrize("name", ["task.yaml", "task.yml", "task.json"])
def test_a_task_file_is_never_overwritten(tmp_path, name):
    data = write(tmp_path / "rows.jsonl", TICKETS)
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=rf"{name} is there already"):
        write_starter(tmp_path, data)
    assert (tmp_path / name).read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_data_that_cannot_be_read_leave_nothing_behind(tmp_path):
    data = write(tmp_path / "rows.jsonl", TICKETS)
    for wrong in (
        {"data": tmp_path / "gone.csv"},
        {"data": data, "eval_data": tmp_path / "gone.csv"},
        {"data": data, "documents": tmp_path / "gone"},
        {"data": write(tmp_path / "empty.jsonl", [])},
    ):
        with pytest.raises(DataError):
            write_starter(tmp_path / "task", **wrong)
    assert not (tmp_path / "task").exists()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    data = write(tmp_path / "rows.jsonl", TICKETS)
    with pytest.raises(UsageError, match="can't be written: "):
        write_starter(data / "task", data)


def test_eval_rows_documents_and_instruction_are_written(tmp_path):
    evaluation = write(
        tmp_path / "data" / "eval.jsonl", [{"Text": "new", "Intent": "complaint"}, {"Text": "n", "Intent": "other"}]
    )
    documents = write(tmp_path / "data" / "docs.jsonl", [{"doc_id": "d", "Title": "t", "content": "text"}])
    instruction = 'Say: "what" it\'s about — # no comment\n\tline two: {x} 😀'
    task = started(tmp_path, TICKETS, eval_data=evaluation, documents=documents, instruction=instruction)
    assert task.instruction == instruction
    assert (len(task.eval), task.split_made) == (2, False)
    # A label that only eval has must be listed, or the task wouldn't load.
    assert task.settings.labels == ["complaint", "delivery", "other", "refund"]
    assert [(d.id, d.title, d.text) for d in task.documents] == [("d", "t", "text")]


def test_a_folder_of_documents_is_named_relative_to_the_task(tmp_path):
    (tmp_path / "task" / "texts").mkdir(parents=True)
    (tmp_path / "task" / "texts" / "a.md").write_text("text")
    task = started(tmp_path, TICKETS, documents=tmp_path / "task" / "texts")
    assert task.settings.documents.path == "texts"


def test_the_task_folder_may_be_reached_through_a_link(tmp_path):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    data = write(tmp_path / "rows.jsonl", TICKETS)
    assert len(load_task(write_starter(tmp_path / "link", data)).train) == 24


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip).map(str.strip),
        min_size=2,
        max_size=2,
        unique=True,
    ),
    st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip).map(str.strip),
)
def test_any_column_name_and_instruction_survive_the_way_through_yaml(tmp_path_factory, names, instruction):
    folder = tmp_path_factory.mktemp("task")
    data = write(folder / "rows.jsonl", [{names[0]: f"in {n}", names[1]: f"out {n}"} for n in range(4)])
    path = write_starter(folder, data, input_column=names[0], target_column=names[1], instruction=instruction)
    settings = read_task_file(path)
    assert (settings.data.columns.input, settings.data.columns.target) == tuple(names)
    assert settings.instruction == instruction


def test_the_schema_knows_every_key_and_its_limits():
    schema = task_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"]
    assert set(schema["properties"]) == set(TaskFile.model_fields)
    assert schema["required"] == ["instruction", "data"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["seeds"]["maximum"] == 100
    assert schema["properties"]["answer"]["enum"] == ["label", "text", "json", "number"]
    json.dumps(schema, allow_nan=False)


def test_remarks_stand_behind_their_own_keys_only():
    values = {"instruction": "Say.", "data": {"train": "a.csv"}, "documents": {"path": "docs"}}
    text = starter_text(values, {"data.train": "Ours.", "path": "Nowhere.", "seeds": "Still a comment."})
    assert '  train: "a.csv"  # Ours.' in text.splitlines() or "  train: a.csv  # Ours." in text.splitlines()
    assert "# seeds: 1  # Still a comment." in text.splitlines()
    assert "Nowhere." not in text


def test_the_example_of_models_by_arm_is_a_task_as_it_stands(tmp_path):
    path = write_starter(tmp_path / "task", write(tmp_path / "rows.jsonl", TICKETS))
    text = path.read_text()
    lines = text.splitlines()
    start = lines.index("## models:")
    example = "\n".join(line.removeprefix("## ") for line in lines[start : start + 4])
    path.write_text(f"{text}\n{example}\n")
    settings = load_task(path).settings
    assert settings.models["big"].key_env == "EXAMPLE_KEY"
    assert settings.models["small"] == "models/small-1b"
    assert settings.arms == ["majority", "few_shot@big", "rag@big", "few_shot@small", "qlora@small"]
