"""The runner on tiny arms that need no model: one cell each, row by row, resumable, failing alone."""

import dataclasses
import errno
import json
import resource

import numpy as np
import pytest
from safetensors.numpy import save_file

from evals.cell import CellFolder
from evals.errors import ArmError, RunError
from evals.example import Example
from evals.protocols import FitReport, Prediction
from evals.record import PlannedArm
from evals.row_order import BATCH_ROWS
from evals.runner import Bench, locked, run_cells
from evals.task import Task
from evals.task_file import TaskFile

ROWS = 2 * BATCH_ROWS + 10


class Echo:
    """Answers the input; remembers the batches that it was asked."""

    name, family, seeded, uses = "echo", "prompt", False, ()
    asked: list[list[str]] = []
    broken_ids: set[str] = set()

    def __init__(self, context):
        self.context = context

    @classmethod
    def unfit(cls, task):
        return None

    def fit(self, train, documents):
        self.context.progress("fitting", 1, 1)
        return FitReport(seconds=0.5, train_rows=len(train))

    def answer(self, examples):
        Echo.asked.append([example.id for example in examples])
        return [
            Prediction(example.id, "", error="too long")
            if example.id in Echo.broken_ids
            else Prediction(example.id, example.input, prompt_tokens=3, completion_tokens=1, ms=2.0)
            for example in examples
        ]


class Broken(Echo):
    name = "broken"

    def fit(self, train, documents):
        raise ZeroDivisionError("no rows to divide")


class Fussy(Echo):
    name = "fussy"

    def fit(self, train, documents):
        raise ArmError("it needs documents")


class FullDisk(Echo):
    name = "full_disk"

    def fit(self, train, documents):
        raise OSError(errno.ENOSPC, "No space left on device")


class FullDiskInRust(Echo):
    name = "full_disk_in_rust"

    def fit(self, train, documents):
        save_file({"weights": np.zeros(10_000)}, self.context.folder / "x.safetensors")
        return FitReport(seconds=0.5)


class Forgetful(Echo):
    name = "forgetful"

    def answer(self, examples):
        return super().answer(examples)[1:]


class Tight(Echo):
    """Memory holds ten rows at once, and never the row e3."""

    name = "tight"

    def answer(self, examples):
        if len(examples) > 10 or "e3" in {example.id for example in examples}:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory") if len(examples) % 2 else MemoryError
        return super().answer(examples)


class Sorted(Echo):
    """Wishes to be asked the last row first, and those that begin alike side by side."""

    name = "sorted"

    def order(self, examples):
        return sorted(range(len(examples)), key=lambda row: (examples[row].id[:2], -row))


class Diary:
    def __init__(self):
        self.entries = []

    def cell_started(self, cell, position, cells):
        self.entries.append(("started", cell, position, cells))

    def progressed(self, cell, phase, done, total):
        self.entries.append((phase, cell, done, total))

    def cell_finished(self, cell, outcome):
        self.entries.append(("finished", cell, outcome))

    def cell_failed(self, cell, cause):
        self.entries.append(("failed", cell, cause))


ARMS = {arm.name: arm for arm in (Echo, Broken, Fussy, FullDisk, FullDiskInRust, Forgetful, Sorted, Tight)}


@pytest.fixture
def bench(tmp_path):
    Echo.asked, Echo.broken_ids = [], set()
    settings = TaskFile.model_validate(
        {"instruction": "Repeat.", "metric": "exact_match", "data": {"train": "t.jsonl"}}
    )
    rows = tuple(Example(f"e{i}", f"word{i}", (f"word{i}" if i % 2 else "other",)) for i in range(ROWS))
    task = Task("echo", settings, tmp_path, (), rows[:4], rows, (), {})
    return Bench(tmp_path, task, ARMS, model=lambda: None, embedder=lambda: None)


def plan(*names, seeds=(0,)):
    return [PlannedArm(name, "prompt", seeds) for name in names]


def test_every_row_is_answered_scored_and_written_in_order(bench):
    diary = Diary()
    run_cells(bench, plan("echo"), diary)
    cell = CellFolder(bench.run, "echo", "prompt", 0).read()
    assert cell.done
    assert [row.id for row in cell.predictions] == [example.id for example in bench.task.eval]
    assert sum(row.score for row in cell.predictions) == ROWS // 2
    assert cell.cost.prompt_tokens == 3 * ROWS
    assert cell.cost.answer_seconds == pytest.approx(0.002 * ROWS)
    assert cell.cost.fit_seconds == 0.5
    assert diary.entries[0] == ("started", "echo", 1, 1)
    assert ("fitting", "echo", 1, 1) in diary.entries
    assert diary.entries[-1] == ("finished", "echo", "50.0%")


def test_a_line_of_predictions_holds_what_the_contract_names(bench):
    run_cells(bench, plan("echo"), Diary())
    line = json.loads((bench.run / "cells/echo-0/predictions.jsonl").read_text().splitlines()[0])
    assert {"id", "prompt", "raw", "extracted", "target", "score", "ms", "retrieved", "error"} <= set(line)
    assert (line["target"], line["raw"], line["score"]) == ("other", "word0", 0.0)


def test_a_complete_cell_is_not_asked_again(bench):
    run_cells(bench, plan("echo"), Diary())
    Echo.asked = []
    run_cells(bench, plan("echo"), Diary())
    assert Echo.asked == []


@pytest.mark.parametrize("kept_lines", [0, 1, BATCH_ROWS - 1, BATCH_ROWS, ROWS - 1, ROWS])
def test_a_cut_cell_goes_on_at_the_last_complete_batch(bench, kept_lines):
    run_cells(bench, plan("echo"), Diary())
    cell = bench.run / "cells/echo-0"
    whole = (cell / "predictions.jsonl").read_text()
    lines = whole.splitlines(keepends=True)
    (cell / "cost.json").unlink()
    (cell / "predictions.jsonl").write_text("".join(lines[:kept_lines]) + '{"id": "e9')
    Echo.asked = []
    run_cells(bench, plan("echo"), Diary())
    assert (cell / "predictions.jsonl").read_text() == whole
    first = ROWS if kept_lines == ROWS else kept_lines // BATCH_ROWS * BATCH_ROWS
    asked = [row for batch in Echo.asked if len(batch) > 1 for row in batch]  # single rows are asked to time them
    assert asked == [example.id for example in bench.task.eval[first:]]
    assert CellFolder(bench.run, "echo", "prompt", 0).read().done


@pytest.mark.parametrize("kept_lines", [0, 1, BATCH_ROWS, 2 * BATCH_ROWS + 1, ROWS])
def test_an_arm_is_asked_in_the_order_it_wishes_and_its_rows_end_in_the_eval_sets(bench, kept_lines, monkeypatch):
    appended = []
    monkeypatch.setattr(CellFolder, "append", spying(CellFolder.append, appended))
    run_cells(bench, plan("sorted"), Diary())
    cell = bench.run / "cells/sorted-0"
    whole = (cell / "predictions.jsonl").read_text()
    ids = [example.id for example in bench.task.eval]
    wished = sorted(ids, key=lambda one: (one[:2], -int(one[1:])))
    assert [row.id for row in appended] == wished
    assert [json.loads(line)["id"] for line in whole.splitlines()] == ids

    (cell / "cost.json").unlink()
    left = "".join(row.to_line() + "\n" for row in appended[:kept_lines])
    (cell / "predictions.jsonl").write_text(left)
    appended.clear()
    run_cells(bench, plan("sorted"), Diary())
    first = ROWS if kept_lines == ROWS else kept_lines // BATCH_ROWS * BATCH_ROWS
    assert [row.id for row in appended] == wished[first:]
    assert (cell / "predictions.jsonl").read_text() == whole


def test_rows_that_stand_in_the_eval_sets_order_are_no_other_rows_to_an_arm_that_wishes_another(bench):
    run_cells(bench, plan("sorted"), Diary())
    cell = bench.run / "cells/sorted-0"
    whole = (cell / "predictions.jsonl").read_text()
    for kept_lines in (ROWS, BATCH_ROWS):  # killed between the last row and the cost; begun by an older version
        (cell / "cost.json").unlink()
        (cell / "predictions.jsonl").write_text("".join(whole.splitlines(keepends=True)[:kept_lines]))
        Echo.asked = []
        run_cells(bench, plan("sorted"), Diary())
        assert (cell / "predictions.jsonl").read_text() == whole
        assert sum(len(batch) for batch in Echo.asked if len(batch) > 1) == ROWS - kept_lines


@pytest.mark.parametrize("kept_lines", [None, 0, BATCH_ROWS])
def test_rows_of_a_complete_cell_that_were_deleted_are_answered_again(bench, kept_lines):
    run_cells(bench, plan("echo"), Diary())
    rows = bench.run / "cells/echo-0/predictions.jsonl"
    whole = rows.read_text()
    if kept_lines is None:
        rows.unlink()
    else:
        rows.write_text("".join(whole.splitlines(keepends=True)[:kept_lines]))
    run_cells(bench, plan("echo"), Diary())
    assert rows.read_text() == whole
    Echo.asked = []
    run_cells(bench, plan("echo"), Diary())
    assert Echo.asked == []
    (bench.run / "cells/echo-0/fit.json").unlink()
    run_cells(bench, plan("echo"), Diary())
    assert CellFolder(bench.run, "echo", "prompt", 0).read().fit is not None


@pytest.mark.parametrize("second", [BATCH_ROWS, 2 * BATCH_ROWS])
def test_rows_that_an_older_version_began_and_this_one_went_on_with_are_no_other_rows_either(bench, second):
    run_cells(bench, plan("sorted"), Diary())
    cell = bench.run / "cells/sorted-0"
    whole = (cell / "predictions.jsonl").read_text()
    lines = {json.loads(line)["id"]: line for line in whole.splitlines(keepends=True)}
    begun = [example.id for example in bench.task.eval[:BATCH_ROWS]]
    wished = [bench.task.eval[place].id for place in Sorted(None).order(bench.task.eval)]
    kept = [*begun, *(one for one in wished if one not in begun)][:second]
    (cell / "cost.json").unlink()
    (cell / "predictions.jsonl").write_text("".join(lines[one] for one in kept))
    Echo.asked = []
    diary = Diary()
    run_cells(bench, plan("sorted"), diary)
    assert [entry for entry in diary.entries if entry[0] == "failed"] == []
    assert (cell / "predictions.jsonl").read_text() == whole
    assert sum(len(batch) for batch in Echo.asked if len(batch) > 1) == ROWS - second


def spying(method, seen):
    def spy(self, rows):
        seen.extend(rows)
        method(self, rows)

    return spy


def test_the_peak_of_training_outlasts_a_resume(bench):
    run_cells(bench, plan("echo"), Diary())
    folder = CellFolder(bench.run, "echo", "prompt", 0)
    first = folder.read()
    assert first.fit.peak_memory_mb > 1
    high = dataclasses.replace(first.fit, peak_memory_mb=1e9)
    folder.write_fit(high)  # as a run that trained, and was killed before its last row, leaves it
    (folder.folder / "cost.json").unlink()
    run_cells(bench, plan("echo"), Diary())
    second = folder.read()
    assert (second.fit.peak_memory_mb, second.cost.peak_memory_mb) == (1e9, 1e9)


def turned(rows):
    return rows[::-1]


def renamed(rows):
    return [dataclasses.replace(row, id=f"new-{row.id}") for row in rows]


@pytest.mark.parametrize(("arm", "other"), [("echo", turned), ("echo", renamed), ("sorted", renamed)])
def test_rows_of_another_eval_set_are_refused(bench, arm, other):
    run_cells(bench, plan(arm), Diary())
    (bench.run / f"cells/{arm}-0/cost.json").unlink()
    diary = Diary()
    changed = dataclasses.replace(bench, task=dataclasses.replace(bench.task, eval=other(bench.task.eval)))
    run_cells(changed, plan(arm), diary)
    assert diary.entries[-1][0] == "failed"
    assert "other eval rows" in diary.entries[-1][2]


def test_one_arm_fails_with_its_cause_and_the_others_go_on(bench):
    diary = Diary()
    run_cells(bench, plan("broken", "fussy", "forgetful", "echo"), diary)
    failed = {entry[1]: entry[2] for entry in diary.entries if entry[0] == "failed"}
    assert failed == {
        "broken": "ZeroDivisionError: no rows to divide",
        "fussy": "it needs documents",
        "forgetful": "forgetful answered other rows than it was asked",
    }
    assert CellFolder(bench.run, "fussy", "prompt", 0).read().failure == "it needs documents"
    assert "ZeroDivisionError" in json.loads((bench.run / "cells/broken-0/failure.json").read_text())["trace"]
    assert CellFolder(bench.run, "echo", "prompt", 0).read().done


def test_a_failed_cell_is_tried_again_from_its_first_row(bench):
    Echo.broken_ids = {example.id for example in bench.task.eval[-20:]}
    run_cells(bench, plan("echo"), Diary())
    assert not CellFolder(bench.run, "echo", "prompt", 0).read().done
    Echo.broken_ids, Echo.asked = set(), []
    run_cells(bench, plan("echo"), Diary())
    cell = CellFolder(bench.run, "echo", "prompt", 0).read()
    assert cell.done
    assert cell.failure is None
    assert Echo.asked[0][0] == "e0"


def test_a_few_errors_are_counted_and_too_many_fail_the_arm(bench):
    allowed = int(0.05 * ROWS)
    Echo.broken_ids = {f"e{i}" for i in range(allowed)}
    run_cells(bench, plan("echo"), Diary())
    rows = CellFolder(bench.run, "echo", "prompt", 0).read().predictions
    assert sum(row.error is not None for row in rows) == allowed
    assert all(row.score is None for row in rows if row.error)
    (bench.run / "cells/echo-0/cost.json").unlink()
    (bench.run / "cells/echo-0/predictions.jsonl").unlink()
    Echo.broken_ids = {f"e{i}" for i in range(allowed + 1)}
    diary = Diary()
    run_cells(bench, plan("echo"), diary)
    assert diary.entries[-1][0] == "failed"
    assert "too long" in diary.entries[-1][2]


def test_a_full_disk_ends_the_run_and_says_how_to_go_on(bench):
    with pytest.raises(RunError, match="No space left on device.*--resume"):
        run_cells(bench, plan("full_disk", "echo"), Diary())
    assert Echo.asked == []


def test_a_full_disk_is_known_by_safetensors_own_error_too(bench):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(RunError, match="File too large.*--resume"):
            run_cells(bench, plan("full_disk_in_rust", "echo"), Diary())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert Echo.asked == []
    run_cells(bench, plan("full_disk_in_rust"), Diary())
    assert CellFolder(bench.run, "full_disk_in_rust", "prompt", 0).read().done


def test_a_batch_that_memory_does_not_hold_is_asked_in_halves(bench):
    run_cells(bench, plan("tight"), Diary())
    cell = CellFolder(bench.run, "tight", "prompt", 0).read()
    assert [row.id for row in cell.predictions] == [row.id for row in bench.task.eval]
    assert {row.id: row.error for row in cell.predictions if row.error} == {"e3": "out of memory with this row alone"}
    assert max(map(len, Echo.asked)) <= 10


def test_a_run_folder_serves_one_process_at_a_time(tmp_path):
    with locked(tmp_path), pytest.raises(RunError, match="another tuneworthy"), locked(tmp_path):
        pass
    with locked(tmp_path):  # free again
        assert (tmp_path / ".lock").exists()


def test_seeds_get_cells_of_their_own(bench):
    diary = Diary()
    run_cells(bench, plan("echo", seeds=(0, 1)), diary)
    assert {path.name for path in (bench.run / "cells").iterdir()} == {"echo-0", "echo-1"}
    assert [entry[1] for entry in diary.entries if entry[0] == "started"] == ["echo-0", "echo-1"]


def test_requests_are_timed_once_after_all_rows_and_never_again(bench):
    run_cells(bench, plan("echo"), Diary())
    cost = CellFolder(bench.run, "echo", "prompt", 0).read().cost
    assert (cost.latency.rows, cost.latency_problem) == (16, None)
    alone = [ids for ids in Echo.asked if len(ids) == 1]
    assert alone == [[name] for name in cost.latency.ids for _ in ("cold", "warm")]
    assert Echo.asked[-32:] == alone
    Echo.asked = []
    run_cells(bench, plan("echo"), Diary())
    assert Echo.asked == []


class Unaskable(Echo):
    name = "unaskable"

    def answer(self, examples):
        if len(examples) == 1:
            raise RuntimeError("it takes two")
        return super().answer(examples)


def test_an_arm_that_cannot_be_timed_keeps_its_answers(bench):
    run_cells(dataclasses.replace(bench, arms={"unaskable": Unaskable}), plan("unaskable"), Diary())
    cell = CellFolder(bench.run, "unaskable", "prompt", 0).read()
    assert (cell.done, cell.failure, len(cell.predictions)) == (True, None, ROWS)
    assert (cell.cost.latency, cell.cost.latency_problem) == (None, "RuntimeError: it takes two")
