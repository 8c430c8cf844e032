"""Which arms of two runs are the same one, and what is told of what differs."""

import json
from dataclasses import replace

import pytest

from evals.compare_changes import changes, paired_arms
from evals.model_ref import Endpoint
from evals.record import ModelRecord, read_record
from tests.small_task import write_task
from tests.test_advisor_run import tuneworthy
from tests.tiny_models import save_tiny

SERVER = {"endpoint": "http://localhost:8000/v1", "name": "m"}
HERE, THERE = ModelRecord("here", "f1"), ModelRecord("there", "f2")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of one model, which the second names by an alias, as a user would make them."""
    base = tmp_path_factory.mktemp("runs")
    save_tiny(base / "tiny")
    write_task(base / "a-task", extra="model: ../tiny\narms: [majority, zero_shot]\nforgetting: off\n")
    write_task(base / "b-task", extra="models: {small: ../tiny}\narms: [majority, zero_shot@small]\nforgetting: off\n")
    return base


def record_with(record, *, model=None, models=None, named=None, task=None):
    """Return ``record`` with these models; ``task`` are settings of its task file."""
    return replace(record, model=model, models=named or {}, task=record.task | {"models": models or {}} | (task or {}))


def test_an_arm_is_the_same_on_the_same_model_whatever_the_task_calls_it(runs, capsys):
    for name in "ab":
        code, _, err = tuneworthy(capsys, "run", runs / f"{name}-task", "--out", runs / name, "--no-cache")
        assert code == 0, err
    code, out, err = tuneworthy(capsys, "compare", runs / "a", runs / "b", "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [(entry["a"], entry["b"], entry["difference"]) for entry in told["arms"]] == [
        ("majority", "majority", 0.0),
        ("zero_shot", "zero_shot@small", 0.0),
    ]
    assert told["same_model"] == [["zero_shot", "zero_shot@small"]]
    assert (told["only_a"], told["only_b"]) == ([], [])
    assert told["changed"] == ["arms", "models.small"]
    shown = " ".join(tuneworthy(capsys, "compare", runs / "a", runs / "b")[1].split())
    assert "zero_shot → zero_shot@small" in shown
    assert "The same arm on the same model, by another name: zero_shot and zero_shot@small." in shown


@pytest.fixture
def record(runs, capsys):
    if not (runs / "c").exists():
        code, _, err = tuneworthy(capsys, "run", runs / "a-task", "--arms", "majority", "--out", runs / "c")
        assert code == 0, err
    return read_record(runs / "c")


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        (["qlora"], ["qlora@small"], [("qlora", "qlora@small")]),
        (["qlora@tiny"], ["qlora@small"], [("qlora@tiny", "qlora@small")]),
        (["qlora"], ["lora@small"], []),
        (["qlora"], ["qlora@big"], []),  # another model
        (["qlora"], ["qlora", "qlora@small"], [("qlora", "qlora")]),  # a name comes first
        (["qlora", "qlora@tiny"], ["qlora@small"], []),  # either might be meant
    ],
)
def test_arms_pair_by_name_and_then_by_the_model(record, first, second, pairs):
    one = record_with(record, model=HERE, named={"tiny": HERE})
    two = record_with(record, model=THERE, named={"small": HERE, "big": THERE})
    assert paired_arms(one, first, two, second) == pairs


def test_a_model_that_became_an_endpoint_is_one_change(record):
    whole = Endpoint(**SERVER).model_dump(mode="json")
    one = record_with(record, model=HERE, task={"model": "here"})
    assert changes(one, record_with(record, model=THERE, task={"model": whole})) == ["model"]
    faster = record_with(record, model=THERE, task={"model": whole | {"concurrency": 9}})
    assert changes(record_with(record, model=THERE, task={"model": whole}), faster) == ["model.concurrency"]
    named = record_with(record, models={"big": whole}, named={"big": THERE}, task={"model": "builtin"})
    assert changes(one, named) == ["models.big"]  # model: is nobody's there
    older = record_with(record, model=THERE, task={"model": SERVER})  # written before endpoints had further keys
    assert changes(older, record_with(record, model=THERE, task={"model": whole})) == []
