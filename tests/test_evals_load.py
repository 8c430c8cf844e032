import gzip
import hashlib
import json
import random

import pytest

from evals.errors import DataError, TaskError, UsageError
from evals.load import build_task, load_task
from evals.overlap import find_overlap

TRAIN = [{"id": f"t{n}", "input": f"train text {n}", "target": ["cold", "warm"][n % 2]} for n in range(20)]
EVAL = [{"id": f"e{n}", "input": f"eval text {n}", "target": ["cold", "warm"][n % 2]} for n in range(6)]


def write(folder, name, rows):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def make(folder, train=TRAIN, evaluation=EVAL, answer="label", extra="", data=""):
    """Write a task and return its folder; without eval rows the file names none."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, "train.jsonl", train)
    if evaluation is not None:
        write(folder, "eval.jsonl", evaluation)
        data = "  eval: eval.jsonl\n" + data
    text = f"instruction: Say it.\nanswer: {answer}\ndata:\n  train: train.jsonl\n{data}{extra}"
    (folder / "task.yaml").write_text(text)
    return folder


def problems_of(folder, **how):
    with pytest.raises(DataError) as caught:
        load_task(folder, **how)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_task_is_loaded_whole(tmp_path):
    folder = make(tmp_path / "my task!", extra="documents: {path: docs}\n")
    (folder / "docs").mkdir()
    (folder / "docs" / "a.txt").write_text("a document")
    task = load_task(folder)
    assert (task.name, task.folder, task.file) == ("my-task", folder, folder / "task.yaml")
    assert ([e.id for e in task.train], [e.id for e in task.eval]) == (
        [row["id"] for row in TRAIN],
        [row["id"] for row in EVAL],
    )
    assert (task.labels, task.metric, task.instruction) == (("cold", "warm"), "accuracy", "Say it.")
    assert [document.id for document in task.documents] == ["a.txt"]
    assert (task.notes, task.split_made) == ((), False)
    assert set(task.hashes) == {"train", "eval", "documents"}
    assert task.hashes["train"] == hashlib.sha256((folder / "train.jsonl").read_bytes()).hexdigest()
    assert load_task(folder / "task.yaml") == task


def test_the_settings_alone_build_the_same_task_again(tmp_path):
    task = load_task(make(tmp_path / "task", evaluation=None), overrides={"data.split_seed": 5})
    settings = type(task.settings).model_validate(task.settings.model_dump(mode="json"))
    again = build_task(settings, task.folder, name=task.name, file=task.file)
    assert (again.train, again.eval, again.hashes, again.labels) == (task.train, task.eval, task.hashes, task.labels)


def test_other_names_and_formats_of_task_and_data(tmp_path):
    folder = make(tmp_path / "task", answer="text")
    packed = folder / "sub" / "train.json.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(json.dumps({"data": TRAIN}).encode()))
    content = {
        "name": "named",
        "instruction": "x",
        "data": {"train": "sub/train.json.gz", "eval": str(folder / "eval.jsonl")},
    }
    (folder / "task.json").write_text(json.dumps(content))
    assert load_task(folder).name == "task"
    task = load_task(folder / "task.json")
    assert (task.name, task.labels, task.metric, len(task.train)) == ("named", (), "token_f1", 20)
    (folder / "task.yaml").rename(folder / "task.yml")
    assert load_task(folder).file == folder / "task.yml"


def test_without_an_eval_file_a_part_of_train_is_split_off_and_said_so(tmp_path):
    folder = make(tmp_path / "task", evaluation=None)
    random.seed(0)
    task = load_task(folder)
    random.seed(1)
    assert load_task(folder) == task
    assert task.split_made
    assert task.notes == ("no eval file: 4 of 20 training rows (20%, stratified, seed 0) were kept as eval rows",)
    assert sorted(e.target for e in task.eval) == ["cold", "cold", "warm", "warm"]
    assert len(task.train) == 16
    assert not find_overlap(task.train, task.eval).pairs
    assert set(task.hashes) == {"train"}
    other = load_task(folder, overrides={"data.eval_share": 0.5, "data.split_seed": 3})
    assert len(other.eval) == 10
    assert "seed 3" in other.notes[0]
    assert "stratified" not in load_task(make(tmp_path / "text", evaluation=None, answer="text")).notes[0]


def test_a_train_file_that_cannot_be_split_says_so(tmp_path):
    folder = make(tmp_path / "task", train=TRAIN[:1], evaluation=None, answer="text")
    (problem,) = problems_of(folder)
    assert problem.startswith("train.jsonl: no eval rows can be split off")


def test_problems_of_all_files_are_told_at_once(tmp_path):
    folder = make(
        tmp_path / "task",
        train=[*TRAIN, {"id": "t0", "input": "x", "target": "warm"}],
        evaluation=[*EVAL, {"id": "z", "input": "", "target": "warm"}],
        extra="documents: {path: docs.jsonl}\n",
        data="  columns: {group: team}\n",
    )
    write(folder, "docs.jsonl", [{"id": "d", "text": None}])
    assert problems_of(folder) == [
        "train.jsonl: data.columns.group: there is no column 'team'; there are 'id', 'input', 'target'",
        "train.jsonl:21: the id 't0' stands twice (first: line 1)",
        "eval.jsonl:7: 'input' is empty",
        "docs.jsonl:1: 'text' is empty",
    ]


def test_eval_labels_must_be_known(tmp_path):
    evaluation = [*EVAL, {"id": "z", "input": "odd", "target": "Wram"}]
    what = "eval.jsonl:7: the label 'Wram' is not among the training rows' labels (did you mean 'warm'?)"
    assert problems_of(make(tmp_path / "task", evaluation=evaluation)) == [what]
    listed = make(tmp_path / "listed", evaluation=evaluation, extra="labels: [warm, cold]\n")
    assert problems_of(listed) == [what.replace("training rows'", "task file's")]
    # Where training rows are broken their labels are incomplete, and eval labels aren't held against them.
    broken = make(tmp_path / "broken", train=[*TRAIN, {"id": "t", "input": "x"}], evaluation=evaluation)
    assert problems_of(broken) == ["train.jsonl:21: has no 'target'"]


def test_labels_of_the_task_file_keep_their_order_and_rule_the_training_rows(tmp_path):
    task = load_task(make(tmp_path / "task", extra="labels: [warm, cold, tepid]\n"))
    assert task.labels == ("warm", "cold", "tepid")
    assert task.notes == ("no training row has the label 'tepid'",)
    found = problems_of(make(tmp_path / "short", extra="labels: [warm, hot]\n"))
    assert len(found) == 13
    assert found[0] == "train.jsonl:1: the label 'cold' is not among the task file's labels"


def test_a_label_task_needs_two_labels_and_tells_of_case(tmp_path):
    folder = make(tmp_path / "one", train=TRAIN[1::2], evaluation=None)
    assert problems_of(folder) == ["train.jsonl: every row has the label 'warm'; there must be at least two"]
    train = [*TRAIN, {"id": "c", "input": "case", "target": "Warm"}]
    task = load_task(make(tmp_path / "case", train=train))
    assert task.labels == ("Warm", "cold", "warm")
    assert task.notes == ("the labels 'Warm', 'warm' differ in case only; they count as different labels",)


def test_rows_on_both_sides_stop_the_load_until_they_are_dropped_from_train(tmp_path):
    folder = make(tmp_path / "task", evaluation=[*EVAL, {"id": "copy", "input": "Train TEXT 3!", "target": "warm"}])
    with pytest.raises(DataError, match=r"eval\.jsonl: 1 of 7 eval rows .* copy = t3 .*--drop-overlap"):
        load_task(folder)
    task = load_task(folder, drop_overlap=True)
    assert (len(task.train), len(task.eval)) == (19, 7)
    assert "t3" not in [e.id for e in task.train]
    assert task.notes == ("1 of 20 training rows had the input of an eval row and were dropped",)


def test_train_is_never_dropped_to_nothing(tmp_path):
    folder = make(tmp_path / "task", train=TRAIN[:2], evaluation=[{**TRAIN[0], "id": "a"}, {**TRAIN[1], "id": "b"}])
    assert problems_of(folder, drop_overlap=True) == [
        "train.jsonl: no row is left without those that stand in eval too"
    ]


def test_one_file_cannot_be_both_train_and_eval(tmp_path):
    folder = make(tmp_path / "task", evaluation=None, data="  eval: ./train.jsonl\n")
    assert "is the file of the training rows too" in problems_of(folder)[0]


def test_eval_rows_that_name_documents_that_are_not_there_are_noted(tmp_path):
    evaluation = [{**EVAL[0], "doc_id": "d"}, {**EVAL[1], "doc_id": "gone"}]
    folder = make(tmp_path / "task", evaluation=evaluation, extra="documents: {path: docs.jsonl}\n")
    write(folder, "docs.jsonl", [{"id": "d", "text": "x"}])
    assert load_task(folder).notes == ("1 of 2 eval rows name a document that isn't there, 'gone' first",)


@pytest.mark.parametrize(("train", "evaluation"), [([], EVAL), (TRAIN, [])])
def test_empty_files_are_problems(tmp_path, train, evaluation):
    assert problems_of(make(tmp_path / "task", train=train, evaluation=evaluation))[-1].endswith("is empty")


def test_paths_that_are_not_there(tmp_path):
    folder = make(tmp_path / "task", evaluation=None, data="  eval: evil.jsonl\n", extra="documents: {path: nowhere}\n")
    assert problems_of(folder) == [
        "eval.jsonl: there is no such file (did you mean 'train.jsonl'?)".replace("eval", "evil"),
        "nowhere: there is no such file",
    ]
    long = make(tmp_path / "long", extra=f"documents: {{path: {'x' * 300}}}\n")
    assert problems_of(long)[0].endswith("File name too long")


def test_a_path_that_is_no_task_says_how_to_make_one(tmp_path):
    (tmp_path / "rows.csv").write_text("input,target\n")
    with pytest.raises(TaskError, match=r"holds no task\.yaml; `tuneworthy init .* --data FILE` writes one"):
        load_task(tmp_path)
    with pytest.raises(TaskError, match=r"rows\.csv: is no task file .*tuneworthy init"):
        load_task(tmp_path / "rows.csv")
    with pytest.raises(TaskError, match=r"gone: there is no such file or folder"):
        load_task(tmp_path / "gone")


def test_a_folder_whose_name_has_nothing_of_a_name_is_called_task(tmp_path):
    assert load_task(make(tmp_path / "…")).name == "task"
    assert load_task(make(tmp_path / "x" / "-.données_1")).name == "donn-es_1"


def test_every_error_is_one_that_the_user_can_mend(tmp_path):
    (tmp_path / "task.yaml").write_text('instruction: x\ndata: {train: "a\\0b.csv"}\n')
    with pytest.raises(UsageError, match="no such file"):
        load_task(tmp_path)
