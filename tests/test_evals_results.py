import dataclasses
import json

import pytest

from evals.cell import CellCost, CellFolder
from evals.errors import RunError
from evals.protocols import FitReport, LossPoint, Retrieved, TrainingPlan
from evals.record import ModelRecord, PlannedArm, RunRecord, SkippedArm
from evals.results import build_results, read_results, write_results
from evals.scored import ScoredPrediction

IDS = tuple(f"r{number}" for number in range(40))
LABELS = ("cat", "dog")
ARMS = (("majority", "classic", (0,)), ("rag", "rag", (0,)), ("qlora", "tune", (0, 1)))


def record(run, *, arms=ARMS, metric="accuracy", answer="label", skipped=None, ids=IDS, task=None):
    settings = {"instruction": "Which?", "answer": answer, "metric": metric, "data": {"train": "t.jsonl"}, "seeds": 2}
    run.mkdir(exist_ok=True)
    RunRecord(
        task_file="task.yaml",
        task_name="pets",
        task=settings | (task or {}),
        labels=LABELS if answer == "label" else (),
        metric=metric,
        train_rows=9,
        documents=3,
        eval_ids=ids,
        hashes={"train": "ab"},
        arms=tuple(PlannedArm(*arm) for arm in arms),
        skipped=tuple(SkippedArm(name, "classic", why) for name, why in (skipped or {}).items()),
        model=ModelRecord("builtin", "f00d", 512),
        embedder=None,
        adapter=None,
        limit=None,
        drop_overlap=False,
        notes=("a note",),
        versions={"tuneworthy": "9.9", "numpy": "2"},
        machine={"cpu": "x"},
        command="tuneworthy run pets",
        created="2026-01-02T03:04:05+00:00",
    ).write(run)


def row(number, right, **more):
    target = LABELS[number % 2]
    guess = target if right else LABELS[1 - number % 2]
    value = float(right)
    fields = {
        "id": IDS[number],
        "input": "in",
        "targets": (target,),
        "prompt": "p",
        "raw": guess,
        "extracted": guess,
        "score": value,
        "score_lenient": value,
        "score_strict": value,
        "metrics": {"accuracy": value},
        "prompt_tokens": 10,
        "completion_tokens": 2,
        "ms": float(number),
    }
    return ScoredPrediction(**(fields | more))


def failed(number, error):
    nothing = {"extracted": None, "score": None, "score_lenient": None, "score_strict": None, "metrics": {}}
    return row(number, False, raw="", error=error, **nothing)


def cell(run, name, family, rows, *, seed=0, finish=True):
    folder = CellFolder(run, name, family, seed)
    folder.keep(rows)
    folder.write_fit(FitReport(2.0, train_rows=9, train_tokens=100, losses=(LossPoint(1, 0.5, 2.0, None),)))
    if finish:
        folder.finish(CellCost(2.0, 1.0, 100, 400, 80, 50.0 + seed))
    return folder


def whole_run(run, **more):
    record(run, **more)
    cell(run, "majority", "classic", [row(number, number % 2 == 0) for number in range(40)])
    cell(run, "rag", "rag", [row(number, number < 24) for number in range(40)])
    for seed in (0, 1):
        cell(run, "qlora", "tune", [row(number, number != seed) for number in range(40)], seed=seed)


def arm(results, name):
    return next(entry for entry in results["arms"] if entry["name"] == name)


def pair(results, first, second):
    return next(entry for entry in results["comparisons"] if (entry["a"], entry["b"]) == (first, second))


def test_a_whole_run(tmp_path):
    whole_run(tmp_path / "run", skipped={"logistic": "needs more rows"})
    results = write_results(tmp_path / "run")
    assert results == read_results(tmp_path / "run")
    assert (results["schema"], results["version"], results["created"]) == (1, "9.9", "2026-01-02T03:04:05+00:00")
    assert results["task"]["labels"] == ["cat", "dog"]
    assert (results["task"]["eval_rows"], results["task"]["minimum_gain"]) == (40, 0.02)
    assert results["model"] == {"name": "builtin", "fingerprint": "f00d", "context": 512, "note": None}
    qlora = arm(results, "qlora")
    assert (qlora["status"], qlora["trained"], qlora["family"]) == ("done", True, "tune")
    assert qlora["score"]["mean"] == pytest.approx(1 - 1 / 40)
    assert qlora["score"]["n"] == 40
    assert [entry["score"] for entry in qlora["per_seed"]] == [pytest.approx(39 / 40)] * 2
    assert qlora["metrics"]["accuracy"] == pytest.approx(39 / 40)
    assert qlora["fit"][1]["seed"] == 1
    assert qlora["fit"][0]["losses"] == [{"step": 1, "epoch": 0.5, "train": 2.0, "validation": None, "score": None}]
    assert qlora["fit"][0]["learning"] is None  # no step was taken
    assert (qlora["wrong"], qlora["wrong_from_train"]) == (2, None)  # one row of each seed
    skipped = arm(results, "logistic")
    assert (skipped["status"], skipped["reason"], skipped["score"]) == ("skipped", "needs more rows", None)
    assert (skipped["family"], skipped["trained"]) == ("classic", False)
    assert [(entry["a"], entry["b"]) for entry in results["comparisons"]] == [
        ("majority", "rag"),
        ("majority", "qlora"),
        ("rag", "qlora"),
    ]
    gap = pair(results, "rag", "qlora")
    assert gap["difference"] == pytest.approx(24 / 40 - 39 / 40)
    assert gap["low"] < gap["difference"] < gap["high"] < 0
    assert gap["n"] == 40
    assert "2 training seeds" in gap["method"]
    assert "McNemar" in pair(results, "majority", "rag")["method"]
    assert results["verdict"]["outcome"] == "worth_it"
    assert results["verdict"]["best_arm"] == "qlora"
    assert results["per_label"]["rag"] == {"cat": {"n": 20, "correct": 12}, "dog": {"n": 20, "correct": 12}}


def test_costs(tmp_path):
    whole_run(tmp_path)
    cost = arm(build_results(tmp_path), "qlora")["cost"]
    assert (cost["fit_seconds"], cost["train_tokens"]) == (4.0, 200)  # both seeds
    assert (cost["prompt_tokens"], cost["completion_tokens"]) == (800, 160)
    assert (cost["prompt_tokens_mean"], cost["completion_tokens_mean"]) == (10, 2)
    assert cost["latency_ms_p50"] == pytest.approx(19.5)
    assert cost["latency_ms_p95"] == pytest.approx(37.05)
    assert cost["latency_basis"] == "share of a batch of up to 64 rows"
    assert cost["peak_memory_mb"] == 51.0
    assert cost["answer_seconds"] == pytest.approx(2 * sum(range(40)) / 1000)


def test_the_same_cells_give_the_same_file(tmp_path):
    whole_run(tmp_path)
    write_results(tmp_path)
    before = (tmp_path / "results.json").read_bytes()
    write_results(tmp_path)
    assert (tmp_path / "results.json").read_bytes() == before


def test_a_cell_that_a_kill_cut_short_is_partial_and_takes_no_part(tmp_path):
    whole_run(tmp_path)
    folder = CellFolder(tmp_path, "rag", "rag", 0).folder
    (folder / "cost.json").unlink()
    lines = (folder / "predictions.jsonl").read_text().splitlines(keepends=True)
    (folder / "predictions.jsonl").write_text("".join(lines[:10]) + lines[10][:20])
    results = build_results(tmp_path)
    rag = arm(results, "rag")
    assert (rag["status"], rag["score"]["n"]) == ("partial", 10)
    assert rag["reason"].startswith("10 of 40 rows")
    assert results["verdict"]["best_untrained"] == "majority"
    assert "rag is not complete" in results["verdict"]["reason"]
    assert [(entry["a"], entry["b"]) for entry in results["comparisons"]] == [("majority", "qlora")]


def test_a_run_without_a_single_cell_is_all_partial(tmp_path):
    record(tmp_path)
    results = build_results(tmp_path)
    assert {entry["status"] for entry in results["arms"]} == {"partial"}
    assert all(entry["score"] is None for entry in results["arms"])
    assert (results["verdict"]["outcome"], results["verdict"]["best_arm"]) == ("undecided", None)


def test_a_failed_cell_fails_its_arm(tmp_path):
    whole_run(tmp_path)
    folder = CellFolder(tmp_path, "qlora", "tune", 1)
    (folder.folder / "cost.json").unlink()
    folder.fail("out of memory at step 3")
    results = build_results(tmp_path)
    qlora = arm(results, "qlora")
    assert (qlora["status"], qlora["reason"], qlora["score"]) == ("failed", "seed 1: out of memory at step 3", None)
    assert qlora["metrics"] == {}
    assert results["verdict"]["outcome"] == "undecided"
    assert "qlora failed (seed 1: out of memory at step 3)" in results["verdict"]["reason"]


def test_too_many_errors_fail_an_arm_and_few_are_counted(tmp_path):
    whole_run(tmp_path)
    good = [row(number, True) for number in range(2, 40)]
    longer = [failed(number, f"prompt is {900 + number} tokens, the model's context is 512") for number in (0, 1)]
    cell(tmp_path, "rag", "rag", longer + good)
    results = build_results(tmp_path)
    rag = arm(results, "rag")
    assert (rag["status"], rag["errors"], rag["score"]["n"], rag["score"]["mean"]) == ("done", 2, 38, 1.0)
    assert rag["error_kinds"] == [{"what": "prompt is 900 tokens, the model's context is 512", "count": 2}]
    assert rag["per_seed"] == [{"seed": 0, "score": 1.0, "n": 38, "errors": 2}]
    assert (pair(results, "majority", "rag")["n"], pair(results, "majority", "rag")["dropped"]) == (38, 2)
    cell(tmp_path, "rag", "rag", [*longer, failed(2, "no answer"), *good[1:]])
    results = build_results(tmp_path)
    assert arm(results, "rag")["status"] == "failed"
    assert arm(results, "rag")["reason"].startswith("3 of 40 rows failed (allowed: 5%)")
    assert "rag failed" in results["verdict"]["reason"]


def test_rows_of_other_runs_are_left_aside(tmp_path):
    whole_run(tmp_path, ids=IDS[:30])
    assert arm(build_results(tmp_path), "rag")["score"]["n"] == 30
    assert arm(build_results(tmp_path), "rag")["score"]["mean"] == pytest.approx(24 / 30)


def test_macro_f1_is_the_score_and_not_the_mean_of_rows(tmp_path):
    whole_run(tmp_path, metric="macro_f1")
    results = build_results(tmp_path)
    majority = arm(results, "majority")  # always "cat", right on the even rows
    assert majority["score"]["mean"] == pytest.approx((2 / 3 + 0) / 2, abs=1e-6)
    assert majority["score_lenient"] == majority["score_strict"] == majority["per_seed"][0]["score"]
    assert majority["metrics"] == {"accuracy": 0.5, "macro_f1": pytest.approx(1 / 3, abs=1e-6)}
    gap = pair(results, "majority", "qlora")
    assert gap["difference"] == pytest.approx(1 / 3 - arm(results, "qlora")["score"]["mean"], abs=2e-6)
    assert "macro-F1" in gap["method"]
    assert results["verdict"]["outcome"] == "worth_it"


def test_strict_macro_f1_reads_the_answers_again(tmp_path):
    record(tmp_path, metric="macro_f1", arms=(("cot", "prompt", (0,)),))
    rows = [row(number, True, raw=f"It's a {LABELS[number % 2]}", answer=LABELS[number % 2]) for number in range(20)]
    rows += [row(number, True, raw=f"It's a {LABELS[number % 2]}", score_strict=0.0) for number in range(20, 40)]
    cell(tmp_path, "cot", "prompt", rows)
    cot = arm(build_results(tmp_path), "cot")
    assert (cot["score"]["mean"], cot["score_lenient"]) == (1, 1)
    assert cot["score_strict"] == pytest.approx(2 / 3, abs=1e-6)  # half of each label is missed


def test_the_other_choice_rule_is_told(tmp_path):
    record(tmp_path, arms=(("zero_shot", "prompt", (0,)),))
    rows = [row(number, number < 30, choice_by_mean=LABELS[number % 2]) for number in range(40)]
    cell(tmp_path, "zero_shot", "prompt", rows)
    found = arm(build_results(tmp_path), "zero_shot")
    assert (found["score"]["mean"], found["by_mean"], found["choice_rule"]) == (0.75, 1.0, "sum")
    whole_run(tmp_path)
    assert arm(build_results(tmp_path), "rag")["by_mean"] is None


def test_retrieval_is_measured_where_rows_name_their_document(tmp_path):
    whole_run(tmp_path)
    found = (Retrieved("a#0", "a", 0.9), Retrieved("a#1", "a", 0.8), Retrieved("b#0", "b", 0.7))
    rows = [row(number, True, doc_id="ab"[number % 2], retrieved=found) for number in range(40)]
    cell(tmp_path, "rag", "rag", rows)
    results = build_results(tmp_path)
    quality = arm(results, "rag")["retrieval"]
    assert quality == {"k": 3, "recall": {"1": 0.5, "2": 1.0, "3": 1.0}, "mrr": 0.75, "n": 40}
    assert arm(results, "qlora")["retrieval"] is None


def test_passages_that_the_prompt_had_no_room_for_count_as_retrieved(tmp_path):
    whole_run(tmp_path)
    found = (Retrieved("a#0", "a", 0.9), Retrieved("b#0", "b", 0.7, shown=False))
    cell(tmp_path, "rag", "rag", [row(number, True, doc_id="b", retrieved=found) for number in range(40)])
    quality = arm(build_results(tmp_path), "rag")["retrieval"]
    assert quality == {"k": 2, "recall": {"1": 0.0, "2": 1.0}, "mrr": 0.5, "n": 40}


def test_cut_answers_are_counted(tmp_path):
    whole_run(tmp_path, skipped={"logistic": "needs more rows"})
    cell(tmp_path, "rag", "rag", [row(number, True, cut=number < 7) for number in range(40)])
    results = build_results(tmp_path)
    assert [arm(results, name)["cut"] for name in ("rag", "qlora", "logistic")] == [7, 0, 0]


def test_wrong_answers_taken_from_training_are_counted(tmp_path):
    """An answer that's partly right isn't right; an error is no answer; a right answer may well be learnt."""
    record(tmp_path, answer="text", metric="token_f1", arms=(("qlora", "tune", (0, 1)),), skipped={"rag": "why"})
    half = {"score": 0.5, "score_lenient": 0.5, "score_strict": 0.5}
    cell(tmp_path, "qlora", "tune", [row(number, number < 30, in_train=number >= 20) for number in range(40)])
    rows = [row(number, number < 30, in_train=False) for number in range(38)]
    rows += [row(38, False, in_train=True, **half), failed(39, "no answer")]
    cell(tmp_path, "qlora", "tune", rows, seed=1)
    found = arm(build_results(tmp_path), "qlora")
    assert (found["wrong"], found["wrong_from_train"]) == (10 + 9, 10 + 1)
    assert arm(build_results(tmp_path), "rag")["wrong_from_train"] is None


def test_a_training_is_judged_by_its_curve(tmp_path):
    whole_run(tmp_path)
    losses = tuple(
        LossPoint(10 * place, place / 2, train, validation, 0.1 * place)
        for place, (train, validation) in enumerate([(None, 2.0), (1.5, 1.0), (0.8, 0.5), (0.4, 0.55), (0.2, 0.6)])
    )
    plan = TrainingPlan(16, 1e-3, 2, 0.0, 3.0, 900, 60, 32)
    CellFolder(tmp_path, "qlora", "tune", 0).write_fit(FitReport(2.0, steps=40, losses=losses, plan=plan))
    fit = arm(write_results(tmp_path), "qlora")["fit"][0]
    assert (fit["learning"]["kind"], fit["learning"]["cause"]) == ("overfit", "rising")
    assert fit["learning"]["lowest"] == {"step": 20, "train": 0.8, "validation": 0.5, "score": 0.2}
    assert (fit["losses"][4]["score"], fit["plan"]["scored_rows"]) == (0.4, 32)
    falling = tuple(dataclasses.replace(point, validation=2 - 0.03 * point.step) for point in losses)
    for report, cause in ((plan, "budget"), (None, "falling")):
        CellFolder(tmp_path, "qlora", "tune", 0).write_fit(FitReport(2.0, steps=40, losses=falling, plan=report))
        assert arm(build_results(tmp_path), "qlora")["fit"][0]["learning"]["cause"] == cause


def test_an_arm_cannot_lead_out_of_the_run_folder(tmp_path):
    cell(tmp_path / "elsewhere", "x", "prompt", [row(number, True) for number in range(40)])
    record(tmp_path / "run", arms=(("../../elsewhere/cells/x", "prompt", (0,)),))
    with pytest.raises(RunError, match=r"arms\.0\.name"):
        build_results(tmp_path / "run")


def test_retrieved_training_rows_are_no_documents_to_be_found(tmp_path):
    whole_run(tmp_path)
    written = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(written | {"documents": 0}))
    cell(tmp_path, "rag", "rag", [row(n, True, doc_id="a", retrieved=(Retrieved("a", "a", 0.9),)) for n in range(40)])
    assert arm(build_results(tmp_path), "rag")["retrieval"] is None


def test_text_tasks(tmp_path):
    record(tmp_path, answer="text", metric="token_f1", arms=(("zero_shot", "prompt", (0,)), ("qlora", "tune", (0,))))
    metrics = {"token_f1": 0.5, "exact_match": 0.0, "rouge_l": 0.4}
    graded = [row(n, True, score=0.5, score_lenient=0.5, score_strict=0.25, metrics=metrics) for n in range(40)]
    cell(tmp_path, "zero_shot", "prompt", graded)
    cell(tmp_path, "qlora", "tune", [row(n, True, metrics=dict.fromkeys(metrics, 1.0)) for n in range(40)])
    results = build_results(tmp_path)
    found = arm(results, "zero_shot")
    assert found["metrics"] == metrics
    assert (found["score_lenient"], found["score_strict"]) == (0.5, 0.25)
    assert results["per_label"] is None
    assert results["verdict"]["gain"]["difference"] == 0.5


def test_what_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(RunError, match="no results.json; unless it's still running: tuneworthy run --resume"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(RunError, match="can't be read"):
        read_results(tmp_path)
    for other in ('{"schema": 2}', "[]"):
        (tmp_path / "results.json").write_text(other)
        with pytest.raises(RunError, match="has schema"):
            read_results(tmp_path)
    with pytest.raises(RunError, match="not a run folder"):
        build_results(tmp_path)
    record(tmp_path, task={"decision": {"confidence": 7}})
    with pytest.raises(RunError, match=r"damaged: task.decision.confidence") as caught:
        write_results(tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_half_written_is_left(tmp_path):
    whole_run(tmp_path)
    (tmp_path / "results.json").mkdir()
    with pytest.raises(RunError, match="can't write"):
        write_results(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".results")]


def test_results_are_plain_json(tmp_path):
    whole_run(tmp_path)
    results = build_results(tmp_path)
    assert json.loads(json.dumps(results, allow_nan=False)) == results


def test_no_time_is_told_of_answers_from_the_cache(tmp_path):
    record(tmp_path / "run")
    cell(tmp_path / "run", "majority", "classic", [row(number, True) for number in range(40)])
    kept = {"cached": True, "ms": 9_000.0}
    cell(tmp_path / "run", "rag", "rag", [row(number, True, **(kept if number >= 20 else {})) for number in range(40)])
    for seed in (0, 1):
        cell(tmp_path / "run", "qlora", "tune", [row(number, True, **kept) for number in range(40)], seed=seed)
    costs = {entry["name"]: entry["cost"] for entry in write_results(tmp_path / "run")["arms"]}
    assert {name: cost["cached_rows"] for name, cost in costs.items()} == {"majority": 0, "rag": 20, "qlora": 80}
    assert costs["rag"]["latency_ms_p50"] == pytest.approx(9.5)
    assert costs["rag"]["answer_seconds"] == pytest.approx(sum(range(20)) / 1000)
    assert (costs["qlora"]["latency_ms_p50"], costs["qlora"]["latency_ms_p95"]) == (None, None)
    assert costs["qlora"]["answer_seconds"] == 0
