"""Rows of a data file as they stand in it, one at a time; the suffix says how it is read."""

import gzip
import zlib
from collections.abc import Iterator

from evals.data_csv import csv_rows
from evals.data_file import DataFile, RawRow
from evals.data_json import json_rows, jsonl_rows

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def read_raw_rows(file: DataFile) -> Iterator[RawRow]:
    """Yield the rows of ``file`` in order.

    What can't be read is added to the file's problems, and reading goes on where it can.
    """
    try:
        what = file.unreadable()
        if what:
            file.problem(0, what)
            return
        yield from _parquet_rows(file) if file.suffix == ".parquet" else _text_rows(file)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        file.problem(0, "is no whole gzip file; pack it again, or give it unpacked")
    except OSError as error:
        file.problem(0, f"can't be read: {error.strerror or error}")


def _text_rows(file: DataFile) -> Iterator[RawRow]:
    with file.open_binary() as opened:
        start = opened.read(2)
    if not start:
        file.problem(0, "is empty")
        return iter(())
    if start in _UTF16_MARKS:
        file.problem(1, f"is not UTF-8 (byte 0x{start[0]:02x}, it looks like UTF-16): save it as UTF-8")
        return iter(())
    if file.suffix in (".csv", ".tsv"):
        return csv_rows(file, "\t" if file.suffix == ".tsv" else ",")
    return json_rows(file) if file.suffix == ".json" else jsonl_rows(file)


def _parquet_rows(file: DataFile) -> Iterator[RawRow]:
    import pyarrow
    import pyarrow.parquet

    try:
        with file.open_binary() as opened:
            table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(opened.read()) if file.packed else opened)
            names: list[str] = table.schema_arrow.names
            file.columns.update(dict.fromkeys(names))
            if len(set(names)) < len(names):
                file.problem(0, "has two columns of the same name")
                return
            read = [name for name in names if file.wanted is None or name in file.wanted]
            number = 0
            for batch in table.iter_batches(batch_size=4096, columns=read):
                for values in batch.to_pylist():
                    number += 1
                    yield RawRow(number, number, values)
    except (pyarrow.ArrowException, ValueError, OverflowError) as error:
        file.problem(0, f"is no Parquet file that can be read: {' '.join(str(error).split())[:200]}")
