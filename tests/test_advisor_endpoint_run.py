"""Whole runs with a model behind an endpoint: two models in one task, failures, the limit on costs, the key."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evals.runner import locked
from tests.endpoint_server import Made, said, serving
from tests.small_task import THINGS, write_task
from tests.test_advisor_run import tuneworthy
from tests.tiny_models import save_tiny

ROOT = Path(__file__).parents[1]
KEY = "sk-proj-9876543210fedcba"


def right(asked):
    """Answer as someone would who knows the colours."""
    label = next(name for name, things in THINGS.items() if any(f"the {thing} look" in asked.text for thing in things))
    return said(f"{label}.", read=60, written=5)


def endpoint(server, **settings):
    return json.dumps({"endpoint": server.url, "name": "m", "retries": 0, **settings})


def everything(folder):
    """Return all that stands in the files of a run."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def results_of(run):
    return json.loads((run / "results.json").read_text())


def rows_of(run, cell):
    return [json.loads(line) for line in (run / "cells" / cell / "predictions.jsonl").read_text().splitlines()]


def test_a_large_hosted_model_against_a_small_tuned_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("BIG_KEY", KEY)
    save_tiny(tmp_path / "task" / "tiny", "llama")
    with serving(right) as server:
        big = endpoint(server, key_env="BIG_KEY")
        models = f"models: {{big: {big}, small: tiny}}\narms: [majority, zero_shot@big, zero_shot@small, lora@small]\n"
        task = write_task(tmp_path / "task", extra=models + "tune: {epochs: 1, batch_size: 8}\n")
        (tmp_path / "prices.yaml").write_text(
            "models: {big: {input: 50, cached_input: 5, output: 100, cache_hit_rate: 0}}\n"
        )
        out = tmp_path / "run"
        code, told, errors = tuneworthy(
            capsys, "run", task, "--out", out, "--prices", tmp_path / "prices.yaml", "--max-cost", "5"
        )
        assert code == 0, errors
        asked = len(server.asked)
        server.models = Made({"data": [{"id": "m", "max_model_len": 8192}]})
        code, _, refused = tuneworthy(capsys, "run", "--resume", out)
        assert (code, len(server.asked)) == (1, asked)
        assert "is not the one that" in refused
    results = results_of(out)
    arms = {arm["name"]: arm for arm in results["arms"]}
    name = f"m at {server.url.split('/')[2]}"
    small = str((tmp_path / "task" / "tiny").resolve())
    assert {arm: entry["model"] for arm, entry in arms.items()} == {
        "majority": None,
        "zero_shot@big": name,
        "zero_shot@small": small,
        "lora@small": small,
    }
    assert arms["zero_shot@big"]["score"]["mean"] == 1.0
    assert (arms["zero_shot@big"]["choice_rule"], arms["zero_shot@small"]["choice_rule"]) == ("written", "sum")
    assert arms["zero_shot@big"]["fit"][0]["facts"]["labels"].startswith("written and read out of the answer: a chat")
    assert (
        f"This compares models as well as approaches: lora@small is {small}, zero_shot@big is {name}."
        in results["verdict"]["reason"]
    )
    assert "can't be hashed" in results["models"]["big"]["note"]
    assert sorted(path.name for path in (out / "cells").iterdir()) == [
        "lora@small-0",
        "majority-0",
        "zero_shot@big-0",
        "zero_shot@small-0",
    ]
    costs = {arm["name"]: arm["per_1000_requests"] for arm in results["economics"]["arms"]}
    assert costs["zero_shot@big"] == pytest.approx((60 * 50 + 5 * 100) / 1e3)
    spent = results["spending"]["models"]["big"]
    # The small first one is counted too; the second of these was the refused run's.
    assert (spent["requests"], server.greeted) == (asked + 1, 2)
    assert spent["prompt_tokens"] == 60 * asked
    assert spent["cost"] == pytest.approx(len(server.asked) * (60 * 50 + 5 * 100) / 1e6)
    page = (out / "report.html").read_text()
    assert "zero_shot@big" in page
    assert "read out of the answer" in page
    assert {asked.headers["Authorization"] for asked in server.asked} == {f"Bearer {KEY}"}
    assert KEY.encode() not in everything(out)
    assert KEY not in told + errors


def test_a_run_that_the_server_failed_goes_on_and_counts_every_row(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    faults = [
        Made({"error": {"message": f"bad key {KEY}"}}, 500),
        Made('{"choices": [{"mess'),
        Made("<html>busy</html>", kind="text/html"),
        Made({"choices": "x" * 500}, cut=True),
        Made(hang=True),
        Made({}, 429, {"Retry-After": "0"}),
    ]

    def failing(asked):
        return faults[asked.number] if asked.number < len(faults) else right(asked)

    with serving(failing) as server:
        model = f"model: {endpoint(server, timeout=0.5, concurrency=1)}\narms: [majority, zero_shot]\n"
        task, out = write_task(tmp_path / "task", extra=model), tmp_path / "run"
        code, told, errors = tuneworthy(capsys, "run", task, "--out", out)
        assert code == 1
        assert "zero_shot could not be completed" in errors
        rows = rows_of(out, "zero_shot-0")
        assert [row["error"] is not None for row in rows] == [True] * 6 + [False] * 14
        assert [row["score"] for row in rows] == [None] * 6 + [1.0] * 14
        before = len(server.asked)
        code, again, more = tuneworthy(capsys, "run", "--resume", out)
        assert code == 0, more
        asked = [one.text for one in server.asked]
        assert asked[before : before + 6] == asked[:6]  # the rows that failed, and only they
    assert [row["error"] for row in rows_of(out, "zero_shot-0")] == [None] * 20
    assert results_of(out)["arms"][1]["score"]["mean"] == 1.0
    assert results_of(out)["spending"]["models"]["model"]["failed"] == len(faults)
    assert KEY.encode() not in everything(out)
    assert KEY not in told + errors + again + more


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_stopped_while_the_server_hangs_goes_on(tmp_path, capsys, how):
    hangs = lambda asked: right(asked) if asked.number < 5 else Made(hang=True)  # noqa: E731
    with serving(hangs) as server:
        model = f"model: {endpoint(server, timeout=300)}\narms: [zero_shot]\n"
        task, out = write_task(tmp_path / "task", extra=model), tmp_path / "run"
        command = [sys.executable, "-m", "advisor.cli", "run", task, "--out", out]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
            while len(server.asked) < 9 and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(how)
            errors = process.communicate(timeout=60)[1]
        assert process.returncode == (1 if how == signal.SIGINT else -signal.SIGKILL)
        assert how == signal.SIGKILL or f"Go on with: tuneworthy run --resume {out}" in errors
        before = len((out / "spending.jsonl").read_text().splitlines())
        server.rule = right
        code, _, errors = tuneworthy(capsys, "run", "--resume", out)
        assert code == 0, errors
    assert before == 6  # the small first one too
    assert [(row["error"], row["score"]) for row in rows_of(out, "zero_shot-0")] == [(None, 1.0)] * 20
    answered, again = [one.text for one in server.asked[:5]], [one.text for one in server.asked[9:24]]
    assert len(set(answered + again)) == 20  # nothing that was answered is asked again
    # Four requests were under way when the run was stopped: nobody knows what they took.
    assert results_of(out)["spending"]["models"]["model"]["requests"] == len(server.asked) - 4 + server.greeted


def test_the_limit_on_costs_stops_the_run_and_the_answers_stay(tmp_path, capsys):
    with serving(right) as server:
        model = f"model: {endpoint(server)}\narms: [zero_shot, majority]\ngates: {{within_eval: 1}}\n"
        model += "generate: {max_new_tokens: 5}\n"
        task, out = write_task(tmp_path / "task", eval_rows=80, extra=model), tmp_path / "run"
        each = (60 * 1.0 + 5 * 4.0) / 1e6
        code, _, errors = tuneworthy(capsys, "run", task, "--out", out, "--max-cost", f"{66 * each:f}")
        assert code == 1
        assert "stopped before the limit of --max-cost" in errors
        rest = (16 + 2 * 16) * each  # the rows, and single requests asked cold and warm
        assert (
            f"; 64 of 80 rows that endpoints answer are there, and what is left would cost about {rest:.2g} USD"
            in errors
        )
        assert (
            f"more, by the rows so far. Answers are kept. Go on with: tuneworthy run --resume {out} --max-cost 0."
            in errors
        )
        enough = float(errors.rpartition("--max-cost ")[2])
        assert 112 * each < enough < 2 * 112 * each
        assert len(rows_of(out, "zero_shot-0")) == 64
        assert len(server.asked) == 64
        assert {arm["name"]: arm["status"] for arm in results_of(out)["arms"]}["zero_shot"] == "partial"
        with (out / "spending.jsonl").open("a") as file:
            file.write('{"model": null, "prom')  # as a kill leaves it
        code, _, errors = tuneworthy(capsys, "run", "--resume", out, "--max-cost", f"{66 * each:f}")
        assert code == 1
        assert len(server.asked) == 64
        code, _, errors = tuneworthy(capsys, "run", "--resume", out, "--max-cost", enough)
        assert code == 0, errors
    assert [row["id"] for row in rows_of(out, "zero_shot-0")] == [f"r{number}" for number in range(1000, 1080)]
    spent = results_of(out)["spending"]["models"]["model"]
    assert spent["requests"] == len(server.asked) + server.greeted
    assert spent["cost"] == pytest.approx(len(server.asked) * each)


def test_the_limit_on_costs_stops_the_timing_too_and_it_is_made_up_for(tmp_path, capsys):
    with serving(right) as server:
        model = f"model: {endpoint(server)}\narms: [zero_shot]\ngenerate: {{max_new_tokens: 5}}\n"
        task, out = write_task(tmp_path / "task", extra=model), tmp_path / "run"
        each = (60 * 1.0 + 5 * 4.0) / 1e6
        code, _, errors = tuneworthy(capsys, "run", task, "--out", out, "--max-cost", f"{25 * each:f}")
        assert code == 1
        assert "the limit of --max-cost" in errors
        assert 20 < len(server.asked) <= 25  # all rows are answered
        code, _, errors = tuneworthy(capsys, "run", "--resume", out, "--max-cost", "1")
        assert code == 0, errors
    cost = json.loads((out / "cells" / "zero_shot-0" / "cost.json").read_text())
    assert (cost["latency"]["rows"], cost["latency_problem"]) == (16, None)
    assert [row["score"] for row in rows_of(out, "zero_shot-0")] == [1.0] * 20


def test_the_command_line_names_an_endpoint(tmp_path, capsys):
    with serving(right) as server:
        task, out = write_task(tmp_path / "task"), tmp_path / "run"
        options = ("--model", "m", "--endpoint", server.url, "--arms", "zero_shot")
        code, _, errors = tuneworthy(capsys, "run", task, "--out", out, *options)
        assert code == 0, errors
        server.models = Made({"data": [{"id": "m", "max_model_len": 4096, "root": "another model"}]})
        code, _, errors = tuneworthy(capsys, "run", "--resume", out)
    assert results_of(out)["model"]["name"].startswith("m at 127.0.0.1:")
    assert (code, errors.count("\n")) == (1, 1)
    assert "is not the one that" in errors


@pytest.mark.parametrize(
    ("extra", "options", "told"),
    [
        (
            "models: {big: BIG}\narms: [qlora@big]\n",
            (),
            "is an endpoint, and only a model on this machine can be trained",
        ),
        ("model: BIG\narms: [scratch]\n", (), "the arm 'scratch' doesn't fit this task: m at"),
        ("models: {big: BIG}\narms: [zero_shot@huge]\n", (), "asks for the model 'huge'; models: names big"),
        ("arms: [zero_shot@big]\n", (), "asks for the model 'big'; there is no models:"),
        ("models: {big: BIG}\narms: [majority@big]\n", (), "'majority' uses no language model; leave out @big"),
        ("models: {big: BIG}\narms: [zero_short@big]\n", (), "did you mean 'zero_shot'?"),
        ("models: {big: BIG}\n", (), "no arm says which it takes; give arms, as in few_shot@big"),
        ("arms: [majority]\n", ("--max-cost", "1"), "no arm of this run asks one; leave it out"),
        ("", ("--endpoint", "http://127.0.0.1:1/v1"), "model.name: is missing"),
        ("", ("--endpoint", f"http://{KEY}@127.0.0.1:1/v1", "--model", "m"), "must hold no key, user or query"),
        ("model: {endpoint: http://127.0.0.1:1/v1, name: m, retries: 0}\n", (), "can't be reached"),
    ],
)
def test_what_cannot_be_run_is_told_in_one_line(tmp_path, capsys, extra, options, told):
    with serving(right) as server:
        task = write_task(tmp_path / "task", extra=extra.replace("BIG", endpoint(server)))
        code, _, errors = tuneworthy(capsys, "run", task, "--out", tmp_path / "run", *options)
    assert code in (1, 2)
    assert told in errors
    assert errors.count("\n") == 1
    assert KEY not in errors
    assert not (tmp_path / "run").exists()
    assert not server.asked


def test_arms_that_do_not_fit_an_endpoint_are_left_out_of_the_default_set(tmp_path, capsys):
    with serving(right) as server:
        task, out = write_task(tmp_path / "task", extra=f"model: {endpoint(server)}\n"), tmp_path / "run"
        code, _, errors = tuneworthy(capsys, "run", task, "--out", out)
    assert code == 0, errors
    left = {arm["name"]: arm["reason"] for arm in results_of(out)["arms"] if arm["status"] == "skipped"}
    host = server.url.split("/")[2]
    assert left == {"qlora": f"m at {host} is an endpoint, and only a model on this machine can be trained"}


def test_a_limit_that_nothing_was_answered_under_says_so(tmp_path, capsys):
    with serving(right) as server:
        task, out = (
            write_task(tmp_path / "task", extra=f"model: {endpoint(server)}\narms: [zero_shot]\n"),
            tmp_path / "run",
        )
        code, _, errors = tuneworthy(capsys, "run", task, "--out", out, "--max-cost", "0")
        asked, greeted = len(server.asked), server.greeted
        with locked(out):
            held = tuneworthy(capsys, "run", "--resume", out)
        assert (held[0], server.greeted) == (1, greeted)  # nothing is asked or counted beside a run at work
        assert "another tuneworthy is working in" in held[2]
    assert (code, errors.count("\n"), asked, greeted) == (1, 2, 0, 0)
    assert "0 of 20 rows that endpoints answer are there, and nothing tells yet what the others would cost" in errors
    assert errors.endswith(f"--resume {out} --max-cost MORE\n")


def cached_half(asked):
    return said("warm", read=60, written=5, prompt_tokens_details={"cached_tokens": 30})


@pytest.mark.parametrize(("rule", "cached"), [(right, 0), (cached_half, 30)])
def test_a_request_costs_what_the_server_counted_whatever_share_the_prices_assume(tmp_path, capsys, rule, cached):
    with serving(rule) as server:
        model = f"models: {{big: {endpoint(server)}}}\narms: [majority, few_shot@big]\n"
        task, out = write_task(tmp_path / "task", extra=model), tmp_path / "run"
        assert tuneworthy(capsys, "run", task, "--out", out)[0] == 0
    each = ((60 - cached) * 1.0 + cached * 0.1 + 5 * 4.0) / 1e6
    results = results_of(out)
    [cost] = [arm for arm in results["economics"]["arms"] if arm["name"] == "few_shot@big"]
    assert cost["per_1000_requests"] == pytest.approx(1000 * each, abs=1e-6)
    assert cost["cached_tokens"] == cached
    spent = results["spending"]["models"]["big"]
    assert spent["cost"] == pytest.approx(len(server.asked) * each, abs=1e-6)  # the same figure
    keys = [one["key"] for one in results["economics"]["assumptions"]]
    assert "hosted.cache_hit_rate" not in keys
    assert "hosted.cached_input" in keys
    page = (out / "report.html").read_text()
    assert f"the server counted {100 * cached / 60:.1f}% of the tokens read as found in its cache" in page
    assert f"server counted {100 * cached / 60:.1f}%" in tuneworthy(capsys, "report", out, "--format", "md")[1]


@pytest.mark.parametrize(
    ("hello", "told"),
    [
        (Made({"error": "no such key"}, 401), "the server answers 401 (no such key); OPENAI_API_KEY holds no key"),
        (Made("not here", 404), "the server answers 404 (not here); check endpoint"),
        (
            Made({"error": "no max_tokens, please"}, 400),
            "a small first request failed: the server answers 400 (no max_t",
        ),
        (Made("<html>", kind="text/html"), "a small first request failed: the answer is no JSON object (text/html"),
    ],
)
def test_an_endpoint_that_can_t_be_used_is_known_before_a_model_here_is_loaded(
    tmp_path, capsys, monkeypatch, hello, told
):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "task" / "empty").mkdir(parents=True)  # loading this would fail, and be told instead
    with serving(right) as server:
        server.hello = hello
        extra = f"models: {{big: {endpoint(server)}, small: empty}}\narms: [lora@small, few_shot@big]\n"
        task = write_task(tmp_path / "task", extra=extra)
        code, _, errors = tuneworthy(capsys, "run", task, "--out", tmp_path / "run")
    assert (code, errors.count("\n"), server.asked) == (1, 1, [])
    assert told in errors
    assert not (tmp_path / "run").exists()
