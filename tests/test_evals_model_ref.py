"""What a task file may say of models, and what arms make of it."""

from pathlib import Path

import pytest

from advisor.arms import plan_arms
from evals.arm_name import arm_alias, arm_kind, task_of
from evals.errors import RunError, TaskError
from evals.model_ref import Endpoint
from evals.task_check import read_task_file
from tests.fake_model import make_rows, make_task

ROWS = make_rows(*[(f"thing {number}", ("warm", "cold")[number % 2]) for number in range(8)])
BIG = {"endpoint": "http://localhost:8000/v1", "name": "large"}


def read(tmp_path: Path, *lines: str):
    file = tmp_path / "task.yaml"
    file.write_text("instruction: Sort it.\ndata: {train: t.csv}\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return read_task_file(file)


def test_an_endpoint_with_its_defaults(tmp_path):
    model = read(tmp_path, "model: {endpoint: 'https://h:1/v1/', name: large}").model
    assert isinstance(model, Endpoint)
    assert (model.endpoint, model.api, model.key_env) == ("https://h:1/v1", "chat", "OPENAI_API_KEY")
    assert model.called == "large at h:1"


def test_parameters_are_numbers_and_truth_values_where_they_can_be(tmp_path):
    model = read(
        tmp_path,
        "model:",
        "  {endpoint: http://h/v1, name: m, parameters: {top_p: 0.5, seed: 7, think: false, effort: low, t: null}}",
    ).model
    assert model.parameters == {"top_p": 0.5, "seed": 7, "think": False, "effort": "low", "t": None}
    assert Endpoint.model_validate(model.model_dump(mode="json")) == model


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("model: {endpoint: http://h/v1, nmae: m}", "model.nmae: unknown key; did you mean model.name?"),
        ("model: {endpoint: h/v1, name: m}", "model.endpoint: must be an address as in http://localhost:8000/v1"),
        ("model: {endpoint: 'http://h/v1?key=SECRET', name: m}", "model.endpoint: must hold no key, user or query"),
        ("model: {endpoint: 'http://u:SECRET@h/v1', name: m}", "model.endpoint: must hold no key, user or query"),
        ("model: {endpoint: http://h/v1, name: m, key_env: sk-SECRET}", "the name of an environment variable"),
        ("model: {endpoint: http://h/v1, name: m, parameters: {api_key: SECRET}}", "can't hold api_key"),
        ("model: {endpoint: http://h/v1, name: m, parameters: {stream: true}}", "can't hold stream"),
        ("model: {endpoint: http://h/v1, name: m, concurrency: 0}", "model.concurrency: must be at least 1"),
        ("models: {big: {endpont: http://h/v1}}", "models.big.endpont: unknown key; did you mean models.big.endpoint?"),
        ("models: {../big: builtin}", "models.../big: must begin with a letter or digit"),
        (
            "model: []",
            "model: must be a model's name or folder, or a section with endpoint and name; it is an empty list",
        ),
        ("models: [big]", "models: must be a section with names of your own, as in `models: {NAME: …}`; it is a list"),
        (
            "models: {big: }",
            "models.big: must be a model's name or folder, or a section with endpoint and name; there is",
        ),
    ],
)
def test_mistakes_are_told_with_their_line_and_without_keys(tmp_path, line, told):
    with pytest.raises(TaskError) as error:
        read(tmp_path, line)
    assert told in str(error.value)
    assert "task.yaml:3" in str(error.value)
    assert "SECRET" not in str(error.value)


KEY = "zq-HIDDEN-0123456789abcdef"
LOOKS = "sk-HIDDEN-9876543210"


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("parameters: {extra: {deep: [{Authorization: SECRET}]}}", "can't hold Authorization"),
        ("parameters: {extra: {auth_token: SECRET}}", "can't hold auth_token"),
        ("parameters: {token: SECRET}", "can't hold token"),
        ("parameters: {a: {properties: {password: SECRET}}}", "can't hold password"),
        ("parameters: {bearer: SECRET}", "can't hold bearer"),
        (f"parameters: {{user: {{id: [{LOOKS}]}}}}", "looks like a key in parameters"),
        (f"parameters: {{user: 'x {KEY}'}}", "looks like a key in parameters"),
        (f"parameters: {{{LOOKS}: 1}}", "looks like a key in parameters"),
        (f"name: {LOOKS}", "looks like a key in name"),
        (f"name: {KEY}", "looks like a key in name"),
        (f"endpoint: http://h/{LOOKS}/v1", "looks like a key in endpoint"),
        (f"endpoint: http://h/{KEY.replace('-', '%2D')}/v1", "looks like a key in endpoint"),
    ],
)
def test_a_key_gets_into_no_file_of_a_run(tmp_path, monkeypatch, section, told):
    monkeypatch.setenv("MY_KEY", KEY)
    given = {"endpoint": "endpoint: http://h/v1", "name": "name: m", section.split(":")[0]: section}
    with pytest.raises(TaskError) as error:
        read(tmp_path, f"model: {{{', '.join(given.values())}, key_env: MY_KEY}}")
    assert told in str(error.value)
    assert not any(word in str(error.value) for word in ("\n", "SECRET", "HIDDEN"))


def test_what_only_sounds_like_a_key_is_a_parameter(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")  # for a server that wants none
    schema = {"type": "object", "properties": {"password": {"type": "string"}, "token": {"type": "string"}}}
    parameters = {
        "max_tokens": 50,
        "stop_token_ids": [1, 2],
        "eos_token": "</s>",
        "reasoning_effort": "none",
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "risk-assessment-of-loan", "schema": schema},
        },
    }
    assert Endpoint.model_validate(BIG | {"parameters": parameters}).parameters == parameters


def test_arms_are_planned_by_kind_and_then_by_model():
    task = make_task(ROWS, models={"small": "builtin", "big": BIG})
    names = ["qlora@small", "few_shot@big", "few_shot", "few_shot@small", "majority"]
    lineup = plan_arms(task, seeds=2, with_adapter=False, names=names)
    planned = [(arm.name, arm.family, arm.seeds) for arm in lineup.planned]
    assert planned == [
        ("majority", "classic", (0,)),
        ("few_shot", "prompt", (0, 1)),
        ("few_shot@small", "prompt", (0, 1)),
        ("few_shot@big", "prompt", (0, 1)),
        ("qlora@small", "tune", (0, 1)),
    ]


def test_all_means_the_own_model_and_the_named_ones_come_on_top():
    task = make_task(ROWS, models={"big": BIG})
    lineup = plan_arms(task, seeds=1, with_adapter=False, names=["all", "cot@big"])
    names = [arm.name for arm in lineup.planned]
    assert names.index("cot@big") == names.index("cot") + 1
    assert [name for name in names if "@" in name] == ["cot@big"]


def test_the_adapter_goes_on_the_model_that_its_arm_names():
    task = make_task(ROWS, models={"small": "builtin"})
    lineup = plan_arms(task, seeds=1, with_adapter=True, names=["zero_shot@small", "adapter@small"])
    assert [arm.name for arm in lineup.planned] == ["zero_shot@small", "adapter@small"]


def test_an_arm_sees_the_model_that_its_name_asks_for():
    task = make_task(ROWS, model="one", models={"two": "folder/two"})
    assert (arm_kind("rag@two"), arm_alias("rag@two"), arm_alias("rag")) == ("rag", "two", None)
    assert task_of(task, "rag@two").settings.model == "folder/two"
    assert task_of(task, "rag").settings.model == "one"
    with pytest.raises(RunError, match="which models: doesn't name"):
        task_of(task, "rag@three")
