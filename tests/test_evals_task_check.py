import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import TaskError
from evals.task_check import read_task_file
from evals.task_file import TaskFile

GOOD = "instruction: Say it.\ndata: {train: train.csv}\n"


def read(tmp_path, text, overrides=None, name="task.yaml"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_task_file(path, overrides)


def problems_of(tmp_path, text, overrides=None, name="task.yaml"):
    """Return the lines of the error, without the folder and without the line that counts them."""
    with pytest.raises(TaskError) as caught:
        read(tmp_path, text, overrides, name)
    lines = str(caught.value).replace(f"{tmp_path}/", "").splitlines()
    if len(lines) > 1:
        assert lines[0] == f"{len(lines) - 1} problems in {name}"
    return [line.strip() for line in lines[1:] or lines]


def test_defaults_hold_for_everything_but_instruction_and_data(tmp_path):
    assert read(tmp_path, GOOD) == TaskFile(instruction="Say it.", data={"train": "train.csv"})
    assert read(tmp_path, GOOD + "metric: rouge_l").metric == "rouge_l"


def test_scalars_are_what_the_schema_says_and_labels_stay_text(tmp_path):
    settings = read(
        tmp_path,
        GOOD + "answer: label\nlabels: [yes, no, null-ish, 007, 1.0, true, ' off ']\nseeds: 3\ntolerance: 1e-3\n"
        "tune: {epochs: 2, learning_rate: ~}\ndecision:\n  requests_per_month: 1000\n",
    )
    assert settings.labels == ["yes", "no", "null-ish", "007", "1.0", "true", "off"]
    assert (settings.seeds, settings.tolerance, settings.tune.epochs) == (3, 0.001, 2)
    assert (settings.tune.learning_rate, settings.decision.requests_per_month) == (None, 1000)


def test_json_is_read_with_tabs_and_surrogate_pairs(tmp_path):
    content = json.dumps({"instruction": "Smile 😀 a/b\n", "data": {"train": "x"}, "metric": None}, indent="\t")
    settings = read(tmp_path, content.replace("/", "\\/"), name="task.json")
    assert (settings.instruction, settings.metric) == ("Smile 😀 a/b", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("instrution: x", "task.yaml:3: instrution: unknown key; did you mean instruction?"),
        ("epochs: 3", "task.yaml:3: epochs: unknown key; did you mean tune.epochs?"),
        ("k: 3", "task.yaml:3: k: unknown key; did you mean few_shot.k or rag.k?"),
        ("tune: {rnak: 3}", "task.yaml:3: tune.rnak: unknown key; did you mean tune.rank?"),
        ("few_shot:\n  zeal: 3", "task.yaml:4: few_shot.zeal: unknown key; there are k, try_k"),
        ("answer: lable", "task.yaml:3: answer: must be 'label', 'text', 'json' or 'number'; it is 'lable'"),
        ("seeds: many", "task.yaml:3: seeds: must be a whole number; it is 'many'"),
        ("seeds: 1.5", "task.yaml:3: seeds: must be a whole number; it is '1.5'"),
        ("seeds: true", "task.yaml:3: seeds: must be a whole number; it is 'true'"),
        ("seeds: 0", "task.yaml:3: seeds: must be at least 1; it is '0'"),
        ("seeds: [1]", "task.yaml:3: seeds: must be a whole number; it is a list"),
        ("tolerance: low", "task.yaml:3: tolerance: must be a number; it is 'low'"),
        ("tolerance: .inf", "task.yaml:3: tolerance: must be a number; it is '.inf'"),
        ("tolerance: inf", "task.yaml:3: tolerance: must be a finite number; it is 'inf'"),
        ("tune: {epochs: 0}", "task.yaml:3: tune.epochs: must be more than 0; it is '0'"),
        ("decision: {confidence: 1}", "task.yaml:3: decision.confidence: must be less than 1; it is '1'"),
        ("decision: {minimum_gain: 2}", "task.yaml:3: decision.minimum_gain: must be at most 1; it is '2'"),
        ("arms: zero_shot", "task.yaml:3: arms: must be a list; it is 'zero_shot'"),
        ("model: x\narms: []", "task.yaml:4: arms: must be left out or hold something; it is an empty list"),
        ("arms:\n- a\n-", "task.yaml:5: arms[2]: must be text; there is no value"),
        ("model: ' '", "task.yaml:3: model: must not be empty"),
        (
            "rag:",
            "task.yaml:3: rag: must be a section with keys "
            "(k, try_k, chunk_tokens, try_chunk_tokens, overlap_tokens, shots); there is no value",
        ),
        (f"name: {'x' * 81}", f"task.yaml:3: name: must have at most 80 characters; it is '{'x' * 60}…'"),
        (
            "name: a b",
            "task.yaml:3: name: must begin with a letter or digit and hold only letters, digits, dots, dashes, "
            "underscores; it is 'a b'",
        ),
        (
            "answer: label\nmetric: rouge_l",
            "task.yaml:4: metric: rouge_l doesn't fit `answer: label`; use accuracy or macro_f1",
        ),
        ("labels: [a, b]", "task.yaml:3: labels: need `answer: label`; it is `answer: text`"),
        ("answer: label\nlabels: [a]", "task.yaml:4: labels: must be at least two different labels"),
        ("answer: label\nlabels:\n- a\n- b\n- ' a'", "task.yaml:7: labels[3]: the label 'a' stands twice"),
        (
            "rag: {chunk_tokens: 20}",
            "task.yaml:3: rag.overlap_tokens: must be less than rag.chunk_tokens (20); it is 20",
        ),
    ],
)
def test_a_wrong_key_or_value_is_one_line_with_its_place(tmp_path, text, expected):
    assert problems_of(tmp_path, GOOD + text) == [expected]


def test_all_problems_are_told_at_once_in_the_order_of_lines(tmp_path):
    text = "answer: lable\ndata:\n  eval: x\n  eval_share: 2\nseeds: -1\nevil: 1\n"
    found = problems_of(tmp_path, text)
    assert [line.split(": ")[:2] for line in found] == [
        ["task.yaml", "instruction"],
        ["task.yaml:1", "answer"],
        ["task.yaml:2", "data.train"],
        ["task.yaml:4", "data.eval_share"],
        ["task.yaml:5", "seeds"],
        ["task.yaml:6", "evil"],
    ]
    assert "is missing; what the model is told to do" in found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "task.yaml: is empty"),
        ("# only a comment\n", "task.yaml: is empty"),
        ("- a\n", "task.yaml:1: should be keys and values"),
        ("a: 1\n\tb: 2\n", "task.yaml:2: is not valid YAML: a tab stands where only spaces may"),
        ("a: b: c\n", "task.yaml:1: is not valid YAML: a second colon stands in the line"),
        ("a: 1\nb: 'x\n", "task.yaml:3: is not valid YAML: found unexpected end of stream"),
        ("a: 1\nb: 2\na: 3\n", "task.yaml:3: the key 'a' stands twice (first at line 1)"),
        ("a:\n  b: 1\n  b: 1\n", "task.yaml:3: the key 'b' stands twice (first at line 2)"),
        ("a: &x [1]\nb: *x\n", "task.yaml:2: is not valid YAML: aliases (*name) can't be used here"),
        ("a: !mine x\n", "task.yaml:1: tags (!mine) can't be used here"),
        ("a: 1\nb: !!python/object:os.system x\n", "task.yaml:2: tags (!!python/object:os.system) can't be used here"),
        ("a: !!timestamp 2024-05-01\n", "task.yaml:1: tags (!!timestamp) can't be used here"),
        ("a: !!set {x}\n", "task.yaml:1: tags (!!set) can't be used here"),
        ("a: !!str [x]\n", "task.yaml:1: tags (!!str) can't be used here"),
        ("!!binary a: x\n", "task.yaml:1: tags (!!binary) can't be used here"),
        ("a: ! x\n", "task.yaml:1: tags (!) can't be used here"),
        ("!!map {a: x}\n", "task.yaml:1: tags (!!map) can't be used here"),
        ("a: 1\n---\nb: 1\n", "task.yaml:2: is not valid YAML: a second document begins with ---"),
        ("[" * 5000, "task.yaml: is nested too deeply"),
        ("a: 1\nb: \x07\n", "task.yaml:2: holds the character U+0007, which YAML doesn't allow"),
        ("? [a]\n: 1\n", "task.yaml:1: a key must be plain text"),
        ('a: "\\ud83d"\n', "task.yaml:1: holds half a surrogate pair"),
        (b"a: 1\nb: caf\xe9\n", "task.yaml:2: is not UTF-8 (byte 0xe9)"),
        ("x" * 600_000, "task.yaml: is larger than 512 KiB"),
    ],
)
def test_yaml_that_cannot_be_used_names_its_line(tmp_path, text, expected):
    assert any(line.startswith(expected) for line in problems_of(tmp_path, text))


def test_a_small_file_cannot_grow_large_through_aliases(tmp_path):
    layers = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    (problem,) = problems_of(tmp_path, "l0: &l0 [x]\n" + layers)
    assert "aliases" in problem


def test_overrides_replace_values_and_are_checked_like_them(tmp_path):
    overrides = {"model": "other", "seeds": 4, "arms": ["a", "b"], "few_shot.k": 2, "documents.path": "docs"}
    settings = read(tmp_path, GOOD + "seeds: 2\nmodel: mine\n", overrides)
    assert (settings.model, settings.seeds, settings.arms) == ("other", 4, ["a", "b"])
    assert (settings.few_shot.k, settings.documents.path) == (2, "docs")
    found = problems_of(tmp_path, GOOD + "seeds: 2\n", {"seeds": 500, "tune.rnak": 3})
    assert found == [
        "tune.rnak (as given on the command line): unknown key; did you mean tune.rank?",
        "seeds (as given on the command line): must be at most 100; it is '500'",
    ]
    # A wrong value in the file is no problem where the command line gives another.
    assert read(tmp_path, GOOD + "seeds: many\n", {"seeds": 1}).seeds == 1


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "task.yaml").mkdir()
    with pytest.raises(TaskError, match=r"task\.yaml: can't be read: Is a directory"):
        read_task_file(tmp_path / "task.yaml")


@given(st.text(st.characters(codec="utf-8"), max_size=120) | st.binary(max_size=60))
def test_any_text_is_settings_or_a_task_error(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("any")
    with pytest.raises(TaskError, match=r"task\.yaml"):
        read(folder, text)


labels = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip).map(str.strip),
    min_size=2,
    max_size=6,
    unique=True,
)


@given(labels)
def test_labels_written_as_json_come_back_as_they_were(tmp_path_factory, given_labels):
    task = {"instruction": "x", "answer": "label", "labels": given_labels, "data": {"train": "x"}}
    folder = tmp_path_factory.mktemp("labels")
    assert read(folder, json.dumps(task), name="task.json").labels == given_labels


def test_tags_of_plain_scalars_and_dates_stay_text(tmp_path):
    path = tmp_path / "task.yaml"
    path.write_text("instruction: !!str 2024\nname: 2024-05-01\ndata: {train: !!str t.jsonl}\nseeds: !!int 2\n")
    settings = read_task_file(path)
    assert (settings.instruction, settings.name, settings.data.train, settings.seeds) == (
        "2024",
        "2024-05-01",
        "t.jsonl",
        2,
    )
