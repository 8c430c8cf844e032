import csv
import gzip
import io
import json
import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.errors import DataError
from evals.problems import Problems
from evals.rows import check_columns, load_rows
from evals.task_file import Columns

GOOD = [
    {"id": "a", "input": "Grüße, “you”", "target": "yes"},
    {"id": "b", "input": "two\nlines, one cell", "target": "no"},
]


def load(path, answer="text", labels=None, columns=None, stem="train"):
    """Return the examples of a file, or raise its problems."""
    problems = Problems()
    rows = load_rows(path, columns or Columns(), answer, stem=stem, problems=problems, labels=labels)
    problems.raise_any()
    return rows.examples


def problems_of(path, **how):
    """Return the problems of a file as (line, words)."""
    with pytest.raises(DataError) as caught:
        load(path, **how)
    assert {problem.file for problem in caught.value.problems} == {path}
    return [(problem.line, problem.what) for problem in caught.value.problems]


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def table(rows, separator):
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def parquet(rows):
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


CONTENTS = {
    ".csv": lambda rows: table(rows, ","),
    ".tsv": lambda rows: table(rows, "\t"),
    ".json": lambda rows: json.dumps(rows, indent=2).encode(),
    ".jsonl": lambda rows: "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode(),
    ".ndjson": lambda rows: b"\n\n".join(json.dumps(row).encode() for row in rows),
    ".parquet": parquet,
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("suffix", CONTENTS)
def test_every_format_gives_the_same_rows(tmp_path, suffix, packed):
    content = CONTENTS[suffix](GOOD)
    path = tmp_path / f"Rows{suffix.upper()}{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(content) if packed else content)
    examples = load(path)
    assert [(e.id, e.input, e.targets) for e in examples] == [(r["id"], r["input"], (r["target"],)) for r in GOOD]


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl"])
def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(b"\xef\xbb\xbf" + CONTENTS[suffix](GOOD))
    assert len(load(path)) == 2


def test_json_rows_may_stand_under_data(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps({"version": {"data": [1]}, "data": GOOD, "licence": "MIT"}))
    assert len(load(path)) == 2


def test_semicolons_are_read_where_the_header_has_no_comma(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("input;target\na, b;yes\n")
    assert load(path)[0].input == "a, b"


def test_ids_come_from_the_line_and_stay_when_rows_after_them_change(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('input,target\n"one\nmore",x\n\ntwo,y\n')
    assert [e.id for e in load(path, stem="eval")] == ["eval-2", "eval-5"]
    one_line = tmp_path / "rows.json"
    one_line.write_text(json.dumps([{"input": "a", "target": "b"}, {"input": "c", "target": "d"}]))
    assert [e.id for e in load(one_line)] == ["train-1", "train-2"]


def test_optional_columns_are_read_and_may_be_empty(tmp_path):
    rows = [{"input": "a", "target": "x", "doc_id": 7, "group": "g"}, {"input": "b", "target": "y", "doc_id": None}]
    first, second = load(jsonl(tmp_path / "rows.jsonl", rows))
    assert (first.doc_id, first.group, second.doc_id, second.group) == ("7", "g", None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3"), (3.0, "3"), (2.5, "2.5"), (1e300, "1e+300"), (True, "true"), (False, "false"), ("  x ", "x")],
)
def test_scalars_become_text(tmp_path, value, text):
    assert load(jsonl(tmp_path / "rows.jsonl", [{"input": "a", "target": value}]))[0].target == text


def test_parquet_types_become_text(tmp_path):
    from datetime import date

    rows = [{"input": date(2024, 2, 29), "target": Decimal("1.50"), "doc_id": 1.0}, {"input": None, "target": None}]
    path = tmp_path / "rows.parquet"
    path.write_bytes(parquet([*rows[:1]]))
    example = load(path)[0]
    assert (example.input, example.target, example.doc_id) == ("2024-02-29", "1.50", "1")
    path.write_bytes(parquet(rows))
    assert problems_of(path) == [(2, "'input' is empty"), (2, "'target' is empty")]


def test_targets_hold_every_accepted_answer_once_with_the_target_first(tmp_path):
    rows = [
        {"input": "a", "target": "two", "targets": ["one", "two", "one"]},
        {"input": "b", "targets": ["three", 4]},
        {"input": "c", "target": "five", "targets": None},
        {"input": "d", "target": None, "targets": '["six"]'},
    ]
    examples = load(jsonl(tmp_path / "rows.jsonl", rows))
    assert [e.targets for e in examples] == [("two", "one"), ("three", "4"), ("five",), ("six",)]
    path = tmp_path / "rows.csv"
    path.write_text('input,targets\na,"[""one"", ""two""]"\n')
    assert load(path)[0].targets == ("one", "two")


def test_json_answers_are_compact_and_keep_their_characters(tmp_path):
    rows = [{"input": "a", "target": {"ort": ["Zürich"], "n": None}}, {"input": "b", "target": '{"k": 1}'}]
    examples = load(jsonl(tmp_path / "rows.jsonl", rows), answer="json")
    assert [e.target for e in examples] == ['{"ort":["Zürich"],"n":null}', '{"k": 1}']


@pytest.mark.parametrize(
    ("answer", "target", "what"),
    [
        ("text", {"a": 1}, "'target' holds an object, where text is wanted"),
        ("label", ["a"], "'target' holds a list, where text is wanted"),
        ("text", "", "'target' is empty"),
        ("text", " \t", "'target' is empty"),
        ("text", None, "'target' is empty"),
        ("text", "\ud83d", "'target' holds half a surrogate pair (\\ud83d), which is no character"),
        ("number", "1,234", "'target' is no finite number: '1,234'"),
        ("number", "nan", "'target' is no finite number: 'nan'"),
        ("number", "1e999", "'target' is no finite number: '1e999'"),
        ("number", "1_000", "'target' is no finite number: '1_000'"),
        ("number", True, "'target' is no finite number: 'true'"),
        ("json", "{'a': 1}", "'target' is not valid JSON: expecting property name"),
        ("json", '{"a": 1} x', "'target' is not valid JSON: something stands after the end"),
        ("json", '{"a": 1, "a": 2}', "'target' is not valid JSON: the key 'a' stands twice"),
        ("json", "[" * 100_000, "'target' is not valid JSON: it is nested too deeply"),
        ("json", "9" * 5000, "'target' is not valid JSON: it holds a number of 5,000 digits"),
    ],
)
def test_a_target_that_does_not_fit_the_answer_kind_is_a_problem(tmp_path, answer, target, what):
    rows = [{"input": "fine", "target": "1"}, {"input": "bad", "target": target}]
    (line, found), *more = problems_of(jsonl(tmp_path / "rows.jsonl", rows), answer=answer)
    assert (line, found[: len(what)], more) == (2, what, [])


@pytest.mark.parametrize(
    ("targets", "what"),
    [
        ("one", "'targets' is no JSON list"),
        ("3", "'targets' should be a list"),
        ({"a": 1}, "'targets' should be a list"),
        (["a", ""], "'targets' has an empty entry, number 2"),
        (["a", ["b"]], "'targets' has an entry, number 2, that holds a list, where text is wanted"),
        ([], "'targets' is empty"),
    ],
)
def test_a_list_of_targets_that_is_none_is_a_problem(tmp_path, targets, what):
    (problem,) = problems_of(jsonl(tmp_path / "rows.jsonl", [{"input": "a", "targets": targets}]))
    assert problem[0] == 1
    assert problem[1].startswith(what)


def test_numbers_are_taken_in_plain_and_scientific_notation(tmp_path):
    rows = [{"input": str(n), "target": value} for n, value in enumerate([1, -2.5, "3e-4", "+7", " 0.5 "])]
    examples = load(jsonl(tmp_path / "rows.jsonl", rows), answer="number")
    assert [e.target for e in examples] == ["1", "-2.5", "3e-4", "+7", "0.5"]


def test_all_row_problems_are_collected_in_the_order_of_lines(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(
        b'{"id": 1, "input": "a", "target": "yes"}\n'
        b'{"id": 1, "input": "b", "target": "yes"}\n'
        b"{broken\n"
        b'{"input": "caf\xe9", "target": "no"}\n'
        b'{"target": "no"}\n'
        b'{"input": "f", "target": "noo"}\n'
        b"[1]\n"
        b'{"input": " ", "target": null}\n'
        b'{"input": "f", "target": "x", "target": "y"}\n'
    )
    found = problems_of(path, answer="label", labels=["yes", "no"])
    assert found == [
        (2, "the id '1' stands twice (first: line 1)"),
        (3, "is not valid JSON: expecting property name enclosed in double quotes (column 2)"),
        (4, "is not UTF-8 (byte 0xe9): save it as UTF-8"),
        (5, "has no 'input'"),
        (6, "the label 'noo' is not among the task file's labels (did you mean 'no'?)"),
        (7, "is a list, not an object"),
        (8, "'input' is empty"),
        (8, "'target' is empty"),
        (9, "is not valid JSON: the key 'target' stands twice in an object (column 1)"),
    ]


def test_the_error_shows_twenty_problems_with_file_and_line_and_counts_the_others(tmp_path):
    path = jsonl(tmp_path / "rows.jsonl", [{"input": "", "target": "x"}] * 30)
    with pytest.raises(DataError) as caught:
        load(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == "30 problems in the data"
    assert lines[1] == f"  {path}:1: 'input' is empty"
    assert lines[-1] == "  … and 10 more"
    assert len(lines) == 22


def test_reading_stops_when_problems_are_without_end(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("input,target\n" + ",x\n" * 20_000)
    with pytest.raises(DataError, match="reading stopped at 10,000") as caught:
        load(path)
    assert len(caught.value.problems) == 10_000


def test_a_column_that_the_whole_file_lacks_is_one_problem_with_the_nearest_name(tmp_path):
    path = jsonl(tmp_path / "rows.jsonl", [{"Inputs": "a", "label": "x"}] * 5)
    input_problem, target_problem = problems_of(path)
    assert input_problem == (
        0,
        "there is no column 'input'; there are 'Inputs', 'label' (did you mean 'Inputs'?); "
        "name it in the task file as data.columns.input",
    )
    assert target_problem[1].endswith("there are 'Inputs', 'label'; name it in the task file as data.columns.target")


def test_a_named_optional_column_must_be_in_some_file(tmp_path):
    columns = Columns(doc_id="document", group="grp")
    problems = Problems()
    one = jsonl(tmp_path / "one.jsonl", [{"input": "a", "target": "x"}])
    other = jsonl(tmp_path / "other.jsonl", [{"input": "b", "target": "x", "document": "d1"}])
    files = {path: load_rows(path, columns, "text", stem="t", problems=problems) for path in (one, other)}
    check_columns(files, columns, problems)
    with pytest.raises(DataError) as caught:
        problems.raise_any()
    assert [problem.what for problem in caught.value.problems] == [
        "data.columns.group: there is no column 'grp'; there are 'input', 'target', 'document'"
    ]


def test_csv_problems_name_the_line_where_the_row_begins(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('input,target\n"a\nb",x\nc\nd,e,f\n,,\n"g" h,x\n"i\nj",""\nlast,"open\nto the end\n')
    assert problems_of(path) == [
        (4, "has 1 cells where the header has 2"),
        (5, "has 3 cells where the header has 2 (quote cells that hold the separator)"),
        (7, "the quoting is broken (',' expected after '\"'); write a quote mark inside a quoted cell twice"),
        (8, "'target' is empty"),
        (10, "the quoting is broken (unexpected end of data); write a quote mark inside a quoted cell twice"),
    ]


def test_a_csv_header_must_name_every_column_once(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("input,,target, input\na,b,c,d\n")
    assert problems_of(path) == [
        (1, "column 2 of the header has no name; name it or leave the column out"),
        (1, "the column 'input' stands twice in the header"),
    ]


def test_rows_of_a_json_list_are_told_by_line_and_number(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(
        '[\n {"input": "a", "target": "x"},\n {"input": "", "target": "x"}, 5,\n {"input": "b" "target": 1}]'
    )
    assert problems_of(path) == [
        (3, "row 2: 'input' is empty"),
        (3, "row 3 is a number, not an object"),
        (4, "is not valid JSON: expecting ',' delimiter"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "line", "what"),
    [
        ("rows.csv", b"", 0, "is empty"),
        ("rows.csv", b"input,target\n", 0, "holds no rows"),
        ("rows.json", b"[]", 0, "holds no rows"),
        ("rows.json", b'{"input": "a"}', 1, "is not valid JSON: it is one object, where a list of objects is wanted"),
        ("rows.json", b'{"a": 1}\n{"a": 2}', 1, "is not valid JSON: it is one object"),
        ("rows.json", b'[{"input": "a"', 1, "is not valid JSON: expecting ',' delimiter"),
        ("rows.json", b'[{"input": "a"}\n', 2, "is not valid JSON: a ',' is missing"),
        ("rows.json", b'[{"input": "a"}]\nx', 2, "is not valid JSON: something stands after the end"),
        ("rows.json", b'"text"', 1, "is not valid JSON: it should be a list of objects"),
        ("rows.json", b"[\n\n" + b"[" * 100_000, 3, "is not valid JSON: it is nested too deeply"),
        ("rows.json", b'[\n{"input": "\xe9"}]', 2, "is not UTF-8 (byte 0xe9)"),
        ("rows.jsonl", b'[{"input": "a"}]', 1, "begins a list"),
        ("rows.csv", "input,target\na,b\n".encode("utf-16"), 1, "is not UTF-8 (byte 0xff, it looks like UTF-16)"),
        ("rows.parquet", b"no parquet at all", 0, "is no Parquet file that can be read"),
        ("rows.csv.gz", b"input,target\n", 0, "is no whole gzip file"),
        (
            "rows.jsonl.gz",
            gzip.compress(b'{"input": "a", "target": "b"}\n' * 99, mtime=0)[:-9],
            0,
            "is no whole gzip file",
        ),
        ("rows.xlsx", b"PK", 0, "is of a kind that can't be read; save it as one of .csv"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path, name, content, line, what):
    path = tmp_path / name
    path.write_bytes(content)
    found = problems_of(path)[-1]
    assert (found[0], found[1][: len(what)]) == (line, what)


def test_a_file_that_is_not_there_names_the_nearest(tmp_path):
    (tmp_path / "train.csv").write_text("x")
    assert problems_of(tmp_path / "trian.csv") == [(0, "there is no such file (did you mean 'train.csv'?)")]
    assert "nor a folder" in problems_of(tmp_path / "none" / "train.csv")[0][1]
    assert problems_of(tmp_path)[0][1].startswith("is a folder")
    assert problems_of(tmp_path / f"{'x' * 300}.csv")[0][1] == "can't be read: File name too long"


def test_parquet_leaves_columns_unread_that_nobody_wants(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Nanoseconds that Python's datetime can't hold: reading this column would fail.
    stamps = pa.array([1, 2], type=pa.timestamp("ns"))
    texts = pa.array(["a", "b"])
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"input": texts, "target": texts, "stamp": stamps}), path)
    problems = Problems()
    rows = load_rows(path, Columns(), "text", stem="t", problems=problems)
    assert (len(rows.examples), rows.columns, len(problems)) == (2, ("input", "target", "stamp"), 0)


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=8))
def test_what_a_csv_writer_writes_is_read_back(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("csv") / "rows.csv"
    path.write_bytes(table([{"input": f"i{one}", "target": f"t{other}t"} for one, other in cells], ","))
    examples = load(path)
    assert [(e.input, e.target) for e in examples] == [(f"i{one}", f"t{other}t") for one, other in cells]


@given(st.lists(st.dictionaries(st.sampled_from(["input", "target", "x"]), st.none() | cell), max_size=6))
def test_every_json_row_is_an_example_or_a_problem(tmp_path_factory, rows):
    path = jsonl(tmp_path_factory.mktemp("json") / "rows.jsonl", rows or [{}])
    problems = Problems()
    examples = load_rows(path, Columns(), "text", stem="t", problems=problems).examples
    good = [row for row in rows if (row.get("input") or "").strip() and (row.get("target") or "").strip()]
    assert [e.input for e in examples] == [row["input"] for row in good]
    assert bool(len(problems)) == (len(good) < max(1, len(rows)))


@given(st.binary(max_size=200), st.sampled_from([".csv", ".tsv", ".json", ".jsonl", ".parquet", ".csv.gz", ".json.gz"]))
def test_any_bytes_are_rows_or_problems_and_never_a_crash(tmp_path_factory, content, suffix):
    path = tmp_path_factory.mktemp("any") / f"rows{suffix}"
    path.write_bytes(content)
    problems = Problems()
    rows = load_rows(path, Columns(), "text", stem="t", problems=problems)
    assert rows.examples or len(problems)


def test_a_hundred_thousand_rows_load_in_seconds(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("input,target\n" + "".join(f"the question number {n},{n % 7}\n" for n in range(100_000)))
    start = time.perf_counter()
    assert len(load(path, answer="label")) == 100_000
    # It takes two; a reader with a quadratic step would take minutes.
    assert time.perf_counter() - start < 30
