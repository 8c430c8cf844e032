"""``tuneworthy advise`` and ``questions`` as a user starts them: from files, through a pipe, in a terminal."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from advisor.advice_parts import Found, Sources, whole_advice
from advisor.answers import read_answers, write_answers
from advisor.questions import questions
from tests.pseudo_terminal import CTRL_C, CTRL_D, DOWN, ENTER, ROOT, UP, PseudoTerminal
from tests.test_advisor_run import tuneworthy

FIRST = {"eval_set": "enough", "definition": "both", "prompting": "measured"}
FILE = "advice-answers.yaml"


def told(answers, **places):
    """Return the advice for ``answers`` alone, as a file holds it."""
    return json.loads(json.dumps(whole_advice(answers, Found(), Sources(), **places)))


def piped(folder, lines, *arguments, code=0):
    """Run `tuneworthy advise` with lines on standard input; return output and errors."""
    done = subprocess.run(
        [sys.executable, "-m", "advisor.cli", "advise", *map(str, arguments)],
        input=lines if isinstance(lines, bytes) else lines.encode(),
        capture_output=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == code, err
    assert "Traceback" not in err
    return out, err


# Without a dialogue


def test_answers_and_set_give_the_advice_at_once(tmp_path, capsys):
    write_answers(tmp_path / "a.yaml", {**FIRST, "task": "sorting", "team": None})
    code, out, err = tuneworthy(
        capsys, "advise", "--answers", tmp_path / "a.yaml", "--set", "task=documents", "--set", "corpus=large", "--json"
    )
    assert (code, err) == (0, "")
    assert json.loads(out) == told({**FIRST, "task": "documents", "corpus": "large"})


def test_the_screen_says_first_what_is_recommended(tmp_path, capsys):
    code, out, _ = tuneworthy(capsys, "advise", "--set", "task=tabular")
    assert code == 0
    assert out.startswith(told({"task": "tabular"})["recommendation"]["sentence"])


def test_the_screen_tells_what_waits_what_is_ruled_out_and_when_to_stop(tmp_path, capsys):
    _, out, _ = tuneworthy(capsys, "advise", "--set", "task=sorting", "--set", "eval_set=none", "--set", "corpus=none")
    told = {" ".join(line.split()) for line in out.splitlines()}
    assert {"fine-tuning waits", "retrieval (RAG) ruled out"} <= told
    assert "Rules out retrieval (RAG) and retrieval and fine-tuning together." in " ".join(out.split())
    assert "tuneworthy init mytask --data ROWS --eval EVAL" in out
    assert "would make it" in " ".join(out.split())


def test_out_and_save_are_written(tmp_path, capsys):
    out_folder, saved = tmp_path / "deep" / "out", tmp_path / "s.yaml"
    code, out, _ = tuneworthy(
        capsys, "advise", "--set", "task=tabular", "--set", "output=json", "--out", out_folder, "--save", saved
    )
    assert code == 0
    advice = told({"task": "tabular", "output": "json"}, task=out_folder, saved=saved)
    assert json.loads((out_folder / "advice.json").read_text(encoding="utf-8")) == advice
    assert f"tuneworthy check {out_folder}" in [step["command"] for step in advice["plan"]]
    assert not any("mytask" in (step["command"] or "") for step in advice["plan"])
    assert "The answer to output is left out" in advice["recommendation"]["caveats"][0]
    assert read_answers(saved) == {"task": "tabular", "output": "json"}  # said is said, though it counts for nothing
    assert f"Answers: {saved}" in out.replace("\n", "").replace("Advice", "\nAdvice")


def test_a_task_file_that_is_there_stays_and_is_named(tmp_path, capsys):
    (tmp_path / "task.yaml").write_text("mine", encoding="utf-8")
    code, out, _ = tuneworthy(capsys, "advise", "--set", "task=sorting", "--out", tmp_path)
    assert code == 0
    assert (tmp_path / "task.yaml").read_text(encoding="utf-8") == "mine"
    assert "Task, as it was there before:" in out


def test_groups_get_no_task_to_run(tmp_path, capsys):
    code, out, _ = tuneworthy(capsys, "advise", "--set", "task=grouping", "--out", tmp_path)
    assert code == 0
    assert "Find the groups" in out
    assert not (tmp_path / "task.yaml").exists()


def test_save_writes_over_nothing_but_answers(tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"input": "a", "target": "b"}\n', encoding="utf-8")
    code, _, err = tuneworthy(capsys, "advise", "--set", "task=sorting", "--save", rows)
    assert code == 2
    assert "rows.jsonl:1: there's no question 'input'" in err
    assert rows.read_text(encoding="utf-8") == '{"input": "a", "target": "b"}\n'


def test_every_mistake_of_a_file_is_told_at_once(tmp_path, capsys):
    (tmp_path / "a.yaml").write_text("taks: sorting\ngap: none\nvolume: huge\n", encoding="utf-8")
    code, _, err = tuneworthy(capsys, "advise", "--answers", tmp_path / "a.yaml")
    assert code == 2
    assert "a.yaml:1: there's no question 'taks'; did you mean task?" in err
    assert "a.yaml:3: volume: 'huge' is no answer" in err


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("task: sorting\nfoo: 1\n", ["a.yaml:2", "foo"]),
        ("task: sort\n", ["a.yaml:1", "sorting"]),
        ("[1]", ["a.yaml:1"]),
    ],
)
def test_a_wrong_file_is_one_line_and_exit_code_2(tmp_path, capsys, content, says):
    (tmp_path / "a.yaml").write_text(content, encoding="utf-8")
    code, out, err = tuneworthy(capsys, "advise", "--answers", tmp_path / "a.yaml")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    for word in says:
        assert word in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--set", "task"], "key=value"),
        (["--set", "tsk=code"], "did you mean task"),
        (["--answers", "nowhere.yaml"], "nowhere.yaml"),
        (["--resume", "nowhere.yaml"], "nowhere.yaml"),
        (["--resume"], FILE),
        (["--resume", "a.yaml", "--set", "task=code"], "--resume"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(tmp_path, capsys, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = tuneworthy(capsys, "advise", *arguments)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err
    assert list(tmp_path.iterdir()) == []


def test_an_out_folder_that_cannot_be_is_one_line(tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    code, _, err = tuneworthy(capsys, "advise", "--set", "task=code", "--out", tmp_path / "file" / "out")
    assert code == 1
    assert err.count("\n") == 1
    assert "file" in err


def test_questions_lists_keys_and_options(capsys):
    code, out, _ = tuneworthy(capsys, "questions")
    assert code == 0
    for question in questions():
        assert f"{question.key}: {question.text}" in out


def test_the_help_does_not_load_what_only_the_dialogue_needs():
    code = "import sys, advisor.cli; print('prompt_toolkit' in sys.modules, 'yaml' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.split() == ["False", "False"]


# Lines


def test_lines_from_a_pipe_answer_and_the_rest_is_unknown(tmp_path):
    out, err = piped(tmp_path, "3\nBOTH\n?\nmeasured\nx\n99\n\n5", "--json")
    assert json.loads(out) == told(FIRST)
    assert read_answers(tmp_path / FILE) == {**FIRST, "oracle": None}
    assert f"Question 1 of about {len(questions())}: {questions()[0].text}" in " ".join(err.split())
    assert "For example: Instructions, worked examples" in err
    assert "'x' is no answer here" in err
    assert "'99' is no answer here" in err
    assert FILE in err


def test_lines_go_back_put_off_and_edit_in_the_summary(tmp_path):
    rest = "\n" * (len(questions()) - 2)
    out, err = piped(tmp_path, f"1\nb\n3\ns\n{rest}1\n2\n\n", "--json")
    answers = json.loads(out)["answers"]
    assert "Your answers" in err
    assert answers["eval_set"]["value"] == "small"
    saved = read_answers(tmp_path / FILE)
    assert saved["eval_set"] == "small"
    assert "definition" not in saved
    assert saved["special"] is None


def test_no_input_at_all_is_advice_from_nothing(tmp_path):
    out, _ = piped(tmp_path, "", "--json")
    assert json.loads(out) == told({})


def test_bytes_that_are_no_text_are_no_answer(tmp_path):
    out, err = piped(tmp_path, b"\xff\xfe\x00\n3\n", "--json")
    assert json.loads(out) == told({"eval_set": "enough"})
    assert "is no answer here" in err


def test_quitting_leaves_a_file_and_resuming_asks_only_what_is_open(tmp_path):
    out, err = piped(tmp_path, "3\n\nq\n")
    assert out == ""
    assert f"tuneworthy advise --resume {FILE}" in err
    out, err = piped(tmp_path, "measured\n", "--resume", "--json")
    assert "Question 3 of about" in err
    assert questions()[0].text not in " ".join(err.split())
    assert json.loads(out) == told({"eval_set": "enough", "prompting": "measured"})


def test_a_new_dialogue_does_not_write_over_answers(tmp_path):
    write_answers(tmp_path / FILE, FIRST)
    before = (tmp_path / FILE).read_bytes()
    out, err = piped(tmp_path, "1\n", code=2)
    assert out == ""
    assert f"tuneworthy advise --resume {FILE}" in err
    assert (tmp_path / FILE).read_bytes() == before
    piped(tmp_path, "1\n", "--save", "other.yaml")
    assert read_answers(tmp_path / "other.yaml") == {"eval_set": "none"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a folder that can't be written to")
def test_a_place_that_cannot_be_written_is_one_line_before_the_first_question(tmp_path):
    out, err = piped(tmp_path, "1\n", "--save", "/proc/answers.yaml", code=1)
    assert out == ""
    assert err.count("\n") == 1
    assert "/proc/answers.yaml: the answers can't be saved" in err


# In a terminal


def test_wrong_prices_are_told_before_the_first_question(tmp_path):
    (tmp_path / "prices.yaml").write_text("hosted: {input: -1}\n", encoding="utf-8")
    _, err = piped(tmp_path, "1\n", "--prices", "prices.yaml", code=2)
    assert "hosted.input" in err
    assert "Question 1" not in err
    assert not (tmp_path / FILE).exists()


def opened(folder, *arguments, **options):
    return PseudoTerminal(folder, "advise", *arguments, **options)


def test_arrow_keys_answer_and_the_advice_comes_after_the_summary(tmp_path):
    with opened(tmp_path) as terminal:
        shown = terminal.wait_for("q save and quit")
        assert f"question 1 of about {len(questions())}" in shown
        assert questions()[0].why.split()[0] in shown
        assert "don't know" in shown
        shown = terminal.press(DOWN, DOWN, ENTER, until="q save and quit")
        assert "100 or more" in shown
        assert "question 2" in shown
        for _ in range(40):
            terminal.press(UP, ENTER, until="\n")
            if "Your answers" in terminal.wait_for("| b back"):
                break
        terminal.press(ENTER, until=f"Answers: {FILE}")
        code, _ = terminal.ended()
        assert code == 0
        assert terminal.echoes()
    saved = read_answers(tmp_path / FILE)
    assert saved.pop("eval_set") == "enough"
    assert set(saved.values()) == {None}


def test_keys_typed_ahead_are_not_lost(tmp_path):
    with opened(tmp_path) as terminal:
        terminal.wait_for("q save and quit")
        terminal.press(*(f"3{ENTER}" * 3), until="question 4")
        terminal.press("q", until="--resume")
    assert read_answers(tmp_path / FILE) == FIRST


def test_question_mark_back_and_numbers(tmp_path):
    with opened(tmp_path) as terminal:
        terminal.wait_for("q save and quit")
        terminal.press("?", until=questions()[0].example)
        terminal.press("?", "2", ENTER, until="question 2")
        terminal.wait_for("q save and quit")
        assert read_answers(tmp_path / FILE) == {"eval_set": "small"}
        shown = terminal.press("b", until="q save and quit")
        assert "question 1" in shown
        assert ">  2  fewer than 100" in shown
        terminal.press("3", ENTER, until="question 2")
        terminal.wait_for("q save and quit")
        terminal.press("s", until="question 3")
        terminal.wait_for("q save and quit")
        terminal.press("q", until=f"tuneworthy advise --resume {FILE}")
        assert terminal.ended()[0] == 0
    assert read_answers(tmp_path / FILE) == {"eval_set": "enough"}


def stops(terminal, how):
    if isinstance(how, str):
        terminal.press(how, until=f"tuneworthy advise --resume {FILE}")
    else:
        terminal.process.send_signal(how)
        terminal.wait_for(f"tuneworthy advise --resume {FILE}")
    code, shown = terminal.ended()
    assert code == 1
    assert "Traceback" not in shown


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
@pytest.mark.parametrize(
    "how", [CTRL_C, CTRL_D, signal.SIGTERM, signal.SIGINT], ids=["ctrl-c", "ctrl-d", "term", "int"]
)
def test_whatever_stops_the_dialogue_leaves_a_file_to_go_on_with(tmp_path, term, how):
    prompt = "q save and quit" if term != "dumb" else "don't know: "
    with opened(tmp_path, term=term, columns=150) as terminal:
        terminal.wait_for(prompt)
        terminal.press("3" + (ENTER if term != "dumb" else "\n"), until="uestion 2")
        terminal.wait_for(prompt)
        stops(terminal, how)
        assert terminal.echoes()
    assert read_answers(tmp_path / FILE) == {"eval_set": "enough"}
    with opened(tmp_path, "--resume", term=term, columns=150) as terminal:
        assert questions()[0].text not in terminal.wait_for(prompt)
        terminal.press("q" + ("" if term != "dumb" else "\n"), until="--resume")


def test_stopping_at_the_first_question_leaves_a_file_too(tmp_path):
    with opened(tmp_path) as terminal:
        terminal.wait_for("q save and quit")
        stops(terminal, CTRL_C)
    assert read_answers(tmp_path / FILE) == {}
    with opened(tmp_path) as terminal:  # nothing would be written over
        terminal.wait_for("question 1")


def test_a_folder_that_goes_away_meanwhile_is_one_line(tmp_path):
    (tmp_path / "here").mkdir()
    with opened(tmp_path, "--save", "here/a.yaml") as terminal:
        terminal.wait_for("q save and quit")
        shutil.rmtree(tmp_path / "here")
        terminal.press(ENTER, until="here/a.yaml: the answers can't be saved")
        code, shown = terminal.ended()
        assert code == 1
        assert "Traceback" not in shown
        assert terminal.echoes()


def test_an_answer_is_edited_from_the_summary(tmp_path):
    everything = {question.key: None for question in questions()}
    write_answers(tmp_path / "a.yaml", {**everything, "task": "sorting"})
    with opened(tmp_path, "--resume", "a.yaml", "--json") as terminal:
        shown = terminal.wait_for("q quit")
        assert "Your answers" in shown
        assert "sorting into a fixed set of labels" in shown
        number = [question.key for question in questions()].index("task") + 1
        terminal.press(str(number), ENTER, until="once more")
        terminal.wait_for("q save and quit")
        shown = terminal.press("1", "2", ENTER, until="q quit")
        assert "predicting from columns of a table" in shown
        assert questions()[number].text[:30] not in shown.rpartition("Your answers")[2]
        terminal.press(ENTER, until='"schema": 1')
        assert terminal.ended()[0] == 0
    assert read_answers(tmp_path / "a.yaml")["task"] == "tabular"


def test_numbered_prompts_where_keys_cannot_be_read(tmp_path):
    with opened(tmp_path, term="dumb", columns=150) as terminal:
        shown = terminal.wait_for("don't know: ")
        assert "\x1b" not in shown
        assert "   1  no, not yet" in shown
        terminal.press("?\n", until="For example")
        terminal.press("2\n", until="Question 2")
        terminal.press("b\n", until="fewer than 100 (before)")
        terminal.press("q\n", until="--resume")
        assert terminal.ended()[0] == 0


def test_json_alone_goes_to_standard_output_while_the_terminal_asks(tmp_path):
    write_answers(tmp_path / "a.yaml", {question.key: None for question in questions()})
    with (tmp_path / "out.json").open("wb") as out, opened(tmp_path, "--resume", "a.yaml", "--json", stdout=out) as one:
        one.wait_for("q quit")
        os.write(one._master, b"\r")
        assert one.ended()[0] == 0
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == told({})


@pytest.mark.parametrize(("columns", "rows"), [(40, 12), (20, 6), (200, 60)])
def test_a_small_or_wide_terminal_still_shows_the_choice(tmp_path, columns, rows):
    write_answers(tmp_path / FILE, {**FIRST, "oracle": None, "rights": None, "privacy": None})
    with opened(tmp_path, "--resume", columns=columns, rows=rows) as terminal:
        terminal.wait_for("question 7")
        terminal.press("1", "2", ENTER, until="question 8")
        terminal.press("q", until="--resume")
        assert terminal.ended()[0] == 0
    assert read_answers(tmp_path / FILE)["task"] == "tabular"


def test_save_keeps_what_was_said_and_writes_over_no_other_answers(tmp_path, capsys):
    own = tmp_path / "own.yaml"
    own.write_text("prompting: none\ngap: none\n", encoding="utf-8")
    assert tuneworthy(capsys, "advise", "--answers", own, "--set", "task=sorting", "--save", own)[0] == 0
    assert read_answers(own) == {"prompting": "none", "gap": "none", "task": "sorting"}
    code, _, err = tuneworthy(capsys, "advise", "--set", "task=code", "--save", own)
    assert code == 2
    assert "holds answers already" in err
    assert read_answers(own)["task"] == "sorting"


def test_every_wrong_pair_is_told_at_once(capsys):
    code, _, err = tuneworthy(capsys, "advise", "--set", "foo=bar", "--set", "task", "--set", "gap=huge")
    assert code == 2
    for said in ("no question 'foo'", "--set task: should be key=value", "'huge' is no answer"):
        assert said in err


def test_advice_in_place_of_an_earlier_one_is_said(tmp_path, capsys):
    assert "Advice: " in tuneworthy(capsys, "advise", "--set", "task=sorting", "--out", tmp_path)[1]
    assert "Advice, in place of an earlier one: " in tuneworthy(
        capsys, "advise", "--set", "task=code", "--out", tmp_path
    )[1].replace("\n", " ")


def test_an_answer_that_the_data_contradict_is_named(tmp_path, capsys):
    rows = tmp_path / "rows.jsonl"
    line = '{{"input": "question {0} about parcel {0}", "target": "{1}"}}\n'
    rows.write_text("".join(line.format(n, "ab"[n % 2]) for n in range(20)), encoding="utf-8")
    given = ["advise", "--data", rows, "--eval", rows.with_name("eval.jsonl"), "--set", "examples=thousands", "--json"]
    rows.with_name("eval.jsonl").write_text(rows.read_text(encoding="utf-8") + line.format(99, "a"), encoding="utf-8")
    code, out, _ = tuneworthy(capsys, *given)
    assert code == 0
    caveats = " ".join(json.loads(out)["recommendation"]["caveats"])
    assert "Look again at examples: the answer is “1,000 to 10,000”" in caveats
    assert "20 of 21 eval rows stand among the rows to learn from" in caveats
