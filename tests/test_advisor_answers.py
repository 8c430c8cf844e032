"""Answers files: what is wrong is named by line, and what is written reads back the same."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from advisor.answers import answers_text, known, listing, read_answers, set_answers, write_answers
from advisor.dialogue import choices
from advisor.questions import questions
from evals.errors import TaskError, TuneworthyError, UsageError

some = st.fixed_dictionaries({}, optional={one.key: st.sampled_from(choices(one)) for one in questions()})


@given(some)
def test_what_is_written_reads_back_with_unknown_apart_from_not_asked(tmp_path_factory, answers):
    path = tmp_path_factory.mktemp("answers") / "a.yaml"
    write_answers(path, answers)
    assert read_answers(path) == answers


def test_a_new_file_has_a_blank_for_every_question_and_still_reads(tmp_path):
    path = tmp_path / "a.yaml"
    text = answers_text({})
    path.write_text(text, encoding="utf-8")
    assert read_answers(path) == {}
    for question in questions():
        assert f"# {question.key}:" in text
        assert question.text in text


def test_a_filled_in_blank_is_an_answer(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(answers_text({}).replace("# rights:", "rights: no").replace("# task:", "task:"), encoding="utf-8")
    assert read_answers(path) == {"rights": "no", "task": None}


def test_json_is_read_too_and_null_is_unknown(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"task": "sorting", "team": None, "volume": "unknown"}, indent="\t"), encoding="utf-8")
    assert read_answers(path) == {"task": "sorting", "team": None, "volume": None}
    assert known(read_answers(path)) == {"task": "sorting"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("tsk: sorting", ["tsk", "task"]),
        ("frobnicate: 3", ["frobnicate", "questions"]),
        ("task: sortin", ["task", "sortin", "sorting", "unknown"]),
        ("task: [sorting]", ["task", "sorting"]),
        ("volume: {a: b}", ["volume"]),
        ("team: able", ["twice", "line 2"]),
        ("a: b: c", ["YAML"]),
        ("- x", ["YAML"]),
    ],
)
def test_a_wrong_line_is_named(tmp_path, line, says):
    path = tmp_path / "a.yaml"
    path.write_text(f"# mine\nteam: able\n{line}\n", encoding="utf-8")
    with pytest.raises(TaskError) as caught:
        read_answers(path)
    message = str(caught.value)
    assert message.startswith(f"{path}:3: ")
    assert "\n" not in message
    for word in says:
        assert word in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"just text\n", "key: value"),
        (b"task: \xff\n", "UTF-8"),
        (b"#" * 600_000, "an answers file"),
        (b"task: sorting\n---\ntask: code\n", "an answers file is one"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_its_own_words(tmp_path, content, says):
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    with pytest.raises(TaskError) as caught:
        read_answers(path)
    assert says in str(caught.value)
    assert "task file" not in str(caught.value)


def test_pairs_are_checked_and_the_last_one_holds():
    assert set_answers(["task=code", " task = sql", "team=unknown"]) == {"task": "sql", "team": None}
    for pair, says in [("task", "key=value"), ("task=", "choose from"), ("taks=sql", "task")]:
        with pytest.raises(UsageError, match=says):
            set_answers([pair])


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(TuneworthyError) as caught:
        write_answers(tmp_path / "none" / "a.yaml", {})
    assert "none/a.yaml: the answers can't be saved" in str(caught.value)
    assert "--save" in str(caught.value)


def test_the_listing_has_every_key_and_every_option():
    text = listing()
    for question in questions():
        assert f"{question.key}: {question.text}" in text
        for value, meaning in question.options.items():
            assert any(line.split(None, 1) == [value, meaning] for line in text.splitlines())
    assert "unknown" in text


def test_options_need_no_quotes_but_where_yaml_means_truth():
    for question in questions():
        for value in question.options:
            assert yaml.safe_load(answers_text({question.key: value}))[question.key] == value


def test_every_command_that_a_question_names_can_be_typed():
    import re
    import shlex

    from typer.main import get_command

    from advisor.cli import app

    commands = get_command(app).commands
    named = [text for question in questions() for text in re.findall(r"`tuneworthy ([^`]+)`", question.find_out)]
    assert named
    for text in named:
        name, *arguments = shlex.split(text)
        flags = {flag for option in commands[name].params for flag in option.opts}
        given = [argument for argument in arguments if argument.startswith("--")]
        assert set(given) <= flags, text
        if "--documents" in given or "--probe" in given:
            assert "--data" in given, text
