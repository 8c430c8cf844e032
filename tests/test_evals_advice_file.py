"""Reading advice.json back: what is whole comes through, anything else is refused by one line."""

import json

import pytest

from advisor.advice import advise
from evals.advice_file import check_advice, read_advice
from evals.errors import UsageError
from evals.files import write_json
from tests.advice_fixtures import ANSWERS, full_advice


@pytest.mark.parametrize("name", ANSWERS)
def test_advice_comes_back_as_it_was_written(name, tmp_path):
    made = advise(ANSWERS[name])
    write_json(tmp_path / "advice.json", made)
    assert read_advice(tmp_path / "advice.json") == json.loads(json.dumps(made))


def test_fields_that_are_not_known_are_kept(tmp_path):
    made = full_advice() | {"later": [1, 2]}
    write_json(tmp_path / "advice.json", made)
    assert read_advice(tmp_path / "advice.json")["later"] == [1, 2]


def refused(path):
    with pytest.raises(UsageError) as caught:
        read_advice(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert "`tuneworthy advise`" in message or "can't be read" in message
    return message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("NaN", "NaN is no number in JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "an advice is an object"),
        ("{}", "no schema number"),
        ('{"schema": 2}', "has schema 2; this version of tuneworthy reads 1"),
        ('{"schema": true}', "has schema True"),
        ('{"schema": "1\\n2"}', "has schema '1"),
        ('{"schema": 1}', "recommendation: field required"),
    ],
)
def test_other_files_are_refused(text, why, tmp_path):
    path = tmp_path / "advice.json"
    path.write_text(text, encoding="utf-8")
    assert why in refused(path)


def test_no_file_a_folder_and_other_bytes_are_refused(tmp_path):
    assert "there's no file" in refused(tmp_path / "none.json")
    assert "can't be read" in refused(tmp_path)
    path = tmp_path / "advice.json"
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not JSON" in refused(path)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda made: made["options"].clear(), "options"),
        (lambda made: made["recommendation"].update(probability=1.2), "recommendation.probability"),
        (lambda made: made["recommendation"].update(probability="0.5"), "recommendation.probability"),
        (lambda made: made["options"][0]["reasons"][0].update(direction="up"), "options.0.reasons.0.direction"),
        (lambda made: made["options"][0].update(name=None), "options.0.name: value error, should be text"),
        (lambda made: made["blocks"].append({"kind": "soft"}), "blocks.0.text"),
        (lambda made: made.update(cases=None), "cases"),
        (lambda made: made.update(estimates=[]), "estimates"),
        (lambda made: made.update(readiness=[{"topic": "x"}]), "readiness.0.have"),
        (lambda made: made["answers"].update({"a\nb": 1}), "answers.a b"),
    ],
)
def test_the_first_thing_wrong_is_named(change, where):
    made = full_advice()
    check_advice(made)
    change(made)
    with pytest.raises(UsageError) as caught:
        check_advice(made)
    assert str(caught.value).startswith(f"the advice is damaged at {where}")
    assert "\n" not in str(caught.value)
