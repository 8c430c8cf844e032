"""Files that are nearly right, by the hundred: an answer or one plain error, no traceback, nothing half-written."""

import json
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evals.results import write_results
from tests.fuzzing import changed, holds_up, many, spoilt
from tests.small_task import rows
from tests.test_evals_results import whole_run

TASK = {
    "name": "colours",
    "instruction": "Say whether the thing looks warm or cold.",
    "answer": "label",
    "labels": ["warm", "cold"],
    "metric": "accuracy",
    "data": {"train": "train.jsonl", "eval": "eval.jsonl", "columns": {"input": "input"}},
    "documents": {"path": "docs", "columns": {"id": "id"}},
    "few_shot": {"k": 4, "try_k": [2, 4]},
    "rag": {"k": 2},
    "tune": {"epochs": 1.5, "learning_rate": 1e-3, "batch_size": 8},
    "decision": {"minimum_gain": 0.02, "requests_per_month": 1000},
    "gates": {"near_duplicates": 0.5},
    "seeds": 2,
}
ANSWERS = {"task": "sorting", "labels_meaning": "own", "volume": "low", "gap": None}


def write_rows(path, records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    folder = tmp_path_factory.mktemp("task")
    write_rows(folder / "train.jsonl", rows(0, 8))
    write_rows(folder / "eval.jsonl", rows(100, 4))
    (folder / "docs").mkdir()
    (folder / "docs" / "one.md").write_text("# Colours\n\nEmber is warm.\n")
    (folder / "task.yaml").write_text(yaml.safe_dump(TASK))
    return folder


@many(260)
@given(data=st.data())
def test_task_files(task, data):
    suffix = data.draw(st.sampled_from(["yaml", "yaml", "json"]))
    value = changed(data.draw, TASK)
    if suffix == "json":
        text = json.dumps(value, ensure_ascii=data.draw(st.booleans()))
    else:
        text = yaml.safe_dump(value, allow_unicode=data.draw(st.booleans()))
    path = task / f"fuzzed.{suffix}"
    path.write_bytes(spoilt(data.draw, text.encode("utf-8", "surrogatepass")))
    holds_up(task, "check", path)


def as_csv(records, separator):
    head = list(dict.fromkeys(key for record in records if isinstance(record, dict) for key in record))
    cells = [head] + [[record.get(key, "") for key in head] for record in records if isinstance(record, dict)]
    return "\n".join(separator.join(str(cell) for cell in line) for line in cells)


@many(260)
@given(data=st.data())
def test_data_rows(task, data):
    value = changed(data.draw, rows(0, 6))
    records = value if isinstance(value, list) else [value]
    suffix = data.draw(st.sampled_from(["jsonl", "json", "csv", "tsv", "jsonl.gz", "parquet"]))
    if suffix in ("csv", "tsv"):
        text = as_csv(records, "\t" if suffix == "tsv" else data.draw(st.sampled_from([",", ";"])))
    elif suffix == "json":
        text = json.dumps(data.draw(st.sampled_from([value, {"data": value}])))
    else:
        text = "\n".join(json.dumps(record, ensure_ascii=data.draw(st.booleans())) for record in records)
    path = task / f"fuzzed.{suffix}"
    path.write_bytes(spoilt(data.draw, text.encode("utf-8", "surrogatepass")))
    answer = data.draw(st.sampled_from(["label", "text", "json", "number"]))
    evaluated = data.draw(st.sampled_from([{}, {"eval": "eval.jsonl"}]))
    settings = {"instruction": "Say it.", "answer": answer, "data": {"train": path.name} | evaluated}
    (task / "rows.yaml").write_text(yaml.safe_dump(settings))
    holds_up(task, "check", task / "rows.yaml")
    path.unlink()


@many(60)
@given(data=st.data())
def test_documents(task, data):
    name = data.draw(st.sampled_from(["a.md", "a.html", "a.txt", "a.pdf", "rows.jsonl", "rows.csv"]))
    contents = {
        "a.html": b"<html><title>T</title><body><p>Ember is <b>warm</b>.<script>x</script></html>",
        "a.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
        b"trailer<</Root 1 0 R>>\n%%EOF",
        "rows.jsonl": b'{"id": "a", "title": "T", "text": "Ember is warm."}\n{"id": "b", "text": "Frost is cold."}\n',
        "rows.csv": b'id,title,text\na,T,"Ember, warm."\nb,,Frost\n',
    }
    content = contents.get(name, b"# Colours\n\nEmber is warm.\n\n- a\n- b\n")
    shutil.rmtree(task / "more", ignore_errors=True)
    (task / "more").mkdir()
    for _ in range(2):
        content = spoilt(data.draw, content)
    (task / "more" / name).write_bytes(content)
    documents = {"path": "more" if name.startswith("a.") else f"more/{name}"}
    settings = TASK | {"documents": documents}
    (task / "documents.yaml").write_text(yaml.safe_dump(settings))
    holds_up(task, "check", task / "documents.yaml")


@many(60)
@given(data=st.data())
def test_answers(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("advice")
    value = changed(data.draw, ANSWERS)
    text = json.dumps(value) if data.draw(st.booleans()) else yaml.safe_dump(value, allow_unicode=True)
    (folder / "answers.yaml").write_bytes(spoilt(data.draw, text.encode("utf-8", "surrogatepass")))
    written = {"out", "out/advice.json", "out/advice.html", "out/task.yaml"}
    holds_up(folder, "advise", "--answers", folder / "answers.yaml", "--out", folder / "out", writes=written)


PRICES = yaml.safe_load((Path(__file__).parents[1] / "evals/prices.yaml").read_text())


@many(60)
@given(data=st.data())
def test_prices(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("prices")
    text = json.dumps(changed(data.draw, PRICES))
    (folder / "prices.yaml").write_bytes(spoilt(data.draw, text.encode("utf-8", "surrogatepass")))
    holds_up(folder, "advise", "--set", "task=sorting", "--prices", folder / "prices.yaml", "--json")


@pytest.fixture(scope="module")
def advice(tmp_path_factory):
    folder = tmp_path_factory.mktemp("advised")
    assert holds_up(folder, "advise", "--set", "task=sorting", "--out", folder / "out", writes=files_below_out()) == 0
    return json.loads((folder / "out/advice.json").read_text())


def files_below_out():
    return {"out", "out/advice.json", "out/advice.html", "out/task.yaml"}


@many(50)
@given(data=st.data())
def test_advice_given_to_a_run(task, advice, data):
    text = json.dumps(changed(data.draw, advice))
    (task / "advice.json").write_bytes(spoilt(data.draw, text.encode("utf-8", "surrogatepass")))
    arguments = ("run", task, "--arms", "majority", "--advice", task / "advice.json", "--require", "nobody>=0.5")
    assert holds_up(task, *arguments) == 2  # for no arm is called nobody, if for nothing else


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "run"
    whole_run(folder)
    write_results(folder)
    (folder / "cells/rag-0/failure.json").write_text(json.dumps({"schema": 1, "cause": "none", "trace": None}))
    return folder


RUN_FILES = (
    "run.json", "run.json", "results.json", "cells/rag-0/predictions.jsonl", "cells/qlora-0/fit.json",
    "cells/qlora-1/cost.json", "cells/rag-0/failure.json", "prices.yaml", "general.json", "cells/qlora-0/general.json",
)  # fmt: skip


@many(60)
@given(data=st.data())
def test_run_folders(run, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("runs")
    copy = folder / "copy"
    shutil.copytree(run, copy)
    name = data.draw(st.sampled_from(RUN_FILES))
    path = copy / name
    if name.endswith(".jsonl"):
        lines = path.read_text().splitlines()
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = json.dumps(changed(data.draw, json.loads(lines[at])))
        text = "\n".join(lines) + "\n"
    else:
        before = json.loads(path.read_text()) if path.exists() else PRICES
        text = json.dumps(changed(data.draw, before))
    path.write_bytes(spoilt(data.draw, text.encode("utf-8", "surrogatepass")))
    command = data.draw(st.sampled_from(["report", "compare", "index", "index", "resume"]))
    if command == "report":
        holds_up(folder, "report", copy, "--format", "csv", writes={"copy/results.json", "copy/report.html"})
    elif command == "compare":
        holds_up(folder, "compare", copy, run)
    elif command == "index":
        holds_up(folder, "index", folder, writes={"runs.html"})
    else:
        assert holds_up(folder, "run", "--resume", copy) != 0  # its data aren't there
