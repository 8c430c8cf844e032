import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.document_text import html_text
from evals.documents import hash_documents, load_documents
from evals.errors import DataError
from evals.problems import Problems
from evals.task_file import DocumentColumns


def load(path, columns=None):
    problems = Problems()
    corpus = load_documents(path, columns or DocumentColumns(), problems)
    problems.raise_any()
    return corpus


def problems_of(path, columns=None):
    """Return the problems as (file name, line, words)."""
    with pytest.raises(DataError) as caught:
        load(path, columns)
    return [(problem.file.name, problem.line, problem.what) for problem in caught.value.problems]


def pdf(lines, password=None):
    """Return a PDF of one page that says ``lines``; with none, a page that holds no text."""
    import io

    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    page = writer.add_blank_page(width=300, height=300)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    page[NameObject("/Resources")] = DictionaryObject(
        {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
    )
    stream = DecodedStreamObject()
    shown = " ".join(f"({line}) Tj 0 -20 Td" for line in lines)
    stream.set_data(f"BT /F1 12 Tf 20 200 Td {shown} ET".encode())
    page[NameObject("/Contents")] = writer._add_object(stream)
    if password is not None:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_folder_is_read_through_in_the_order_of_paths(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "b" / "two.MD").write_text("## The second #\n\nbody\n")
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbffirst\r\nline\r\n")
    (tmp_path / "c.html").write_text("<title>Third &amp; last</title><p>text")
    (tmp_path / "d.pdf").write_bytes(pdf(["Hello", "PDF"]))
    (tmp_path / ".hidden.txt").write_text("no")
    (tmp_path / ".git" / "config.txt").write_text("no")
    (tmp_path / "e.docx").write_text("no")
    (tmp_path / "b" / "LICENSE").write_text("no")
    corpus = load(tmp_path)
    assert [(d.id, d.title, d.text) for d in corpus.documents] == [
        ("a.txt", "a", "first\nline"),
        ("b/two.MD", "The second", "## The second #\n\nbody"),
        ("c.html", "Third & last", "text"),
        ("d.pdf", "d", "Hello\nPDF"),
    ]
    assert corpus.notes == (f"2 files in {tmp_path} that are no documents were left out (1 without suffix, 1 .docx)",)


def test_every_document_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 and nothing more")
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes(b"one\ncaf\xe9")
    (tmp_path / "locked.pdf").write_bytes(pdf(["secret"], password="key"))
    (tmp_path / "only_script.html").write_text("<script>let a = 1</script>")
    (tmp_path / "scan.pdf").write_bytes(pdf([]))
    (tmp_path / "good.txt").write_text("good")
    found = problems_of(tmp_path)
    assert [name for name, *_ in found] == [
        "broken.pdf",
        "empty.txt",
        "latin.txt",
        "locked.pdf",
        "only_script.html",
        "scan.pdf",
    ]
    broken, *others = [what for *_, what in found]
    assert broken.startswith("is no PDF that can be read: ")
    assert others == [
        "is empty",
        "is not UTF-8 (byte 0xe9): save it as UTF-8",
        "is encrypted; save it without a password",
        "holds no text",
        "holds no text; is it a scan? Run text recognition on it first",
    ]
    assert found[2][1] == 2


def test_a_pdf_encrypted_with_an_empty_password_is_read(tmp_path):
    (tmp_path / "a.pdf").write_bytes(pdf(["open"], password=""))
    assert load(tmp_path / "a.pdf").documents[0].text == "open"


def test_a_broken_pdf_is_quiet_on_the_log(tmp_path, caplog):
    (tmp_path / "a.pdf").write_bytes(pdf(["x"]).replace(b"startxref", b"startxxxx"))
    with caplog.at_level(logging.WARNING):
        load_documents(tmp_path, DocumentColumns(), Problems())
    assert not caplog.records


def test_a_folder_without_documents_is_a_problem(tmp_path):
    (tmp_path / "a.docx").write_text("x")
    assert problems_of(tmp_path) == [(tmp_path.name, 0, "holds no document (.txt, .md, .html, .htm, .pdf)")]


def test_rows_give_documents(tmp_path):
    path = tmp_path / "docs.jsonl"
    rows = [{"id": 7, "title": " One ", "text": "first"}, {"text": "second", "title": None}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [(d.id, d.title, d.text) for d in load(path).documents] == [("7", "One", "first"), ("doc-2", "", "second")]
    path = tmp_path / "docs.csv"
    path.write_text("key,body\nk,hello\n")
    (document,) = load(path, DocumentColumns(id="key", text="body")).documents
    assert (document.id, document.title, document.text) == ("k", "", "hello")


def test_row_problems_name_the_line(tmp_path):
    path = tmp_path / "docs.jsonl"
    path.write_text(
        '{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}\n{"id": "b", "text": ""}\n{"id": "c"}\n'
        '{"id": ["d"], "text": "z"}\n{"text"\n'
    )
    assert [(line, what) for _, line, what in problems_of(path)] == [
        (2, "the id 'a' stands twice (first: line 1)"),
        (3, "'text' is empty"),
        (4, "has no 'text'"),
        (5, "'id' holds a list, where text is wanted"),
        (6, "is not valid JSON: expecting ':' delimiter (column 8)"),
    ]


def test_a_missing_column_is_one_problem(tmp_path):
    path = tmp_path / "docs.csv"
    path.write_text("id,texts\na,x\nb,y\n")
    ((_, line, what),) = problems_of(path)
    assert line == 0
    assert what.startswith("there is no column 'text'; there are 'id', 'texts' (did you mean 'texts'?)")
    ((_, _, what),) = problems_of(path, DocumentColumns(text="texts", title="name"))
    assert what == "documents.columns.title: there is no column 'name'; there are 'id', 'texts'"


def test_documents_that_are_not_there(tmp_path):
    assert problems_of(tmp_path / "docs.jsonl")[0][2] == "there is no such file"
    (tmp_path / "docs.jsonl").write_text("\n")
    assert problems_of(tmp_path / "docs.jsonl")[0][2] == "holds no documents"


def test_a_page_loses_scripts_and_keeps_its_blocks():
    page = html_text(
        "<html><head><title> A\n page </title><style>p { }</style></head><body><script>if (a < b) '</p>'</script>"
        "<h1>Head\n  line</h1><p>One <b>bo</b>ld&nbsp;&lt;3<br>next</p><ul><li>x<li>y</ul>"
        "<table><tr><td>1</td><td>2</td></tr></table><pre>  a\n    b</pre><svg><title>icon</title></svg>end"
    )
    assert page.title == "A page"
    assert page.text.splitlines() == [
        *["Head line", "", "One bold <3", "next", "", "x", "y", "", "1 2", "", "  a", "    b", "end"]
    ]


def test_a_page_may_declare_its_encoding(tmp_path):
    path = tmp_path / "a.html"
    path.write_bytes(b'<meta http-equiv="Content-Type" content="text/html; charset=ISO-8859-1"><p>caf\xe9 \x93q\x94')
    assert load(path).documents[0].text == "café “q”"
    for unknown in (b"nonsense", b"base64", b"unicode_escape", b"utf-16"):
        path.write_bytes(b'<meta charset="' + unknown + b'"><p>caf\xc3\xa9')
        assert load(path).documents[0].text == "café"


@given(st.text())
def test_any_markup_is_read(markup):
    page = html_text(markup)
    assert "\n\n\n" not in page.text
    assert "\n" not in page.title


@given(st.lists(st.text("abcdefgh", min_size=1), min_size=1))
def test_no_word_of_a_page_is_lost(words):
    page = html_text("<p>" + "</p><div>".join(f"<i>{word}</i>" for word in words))
    assert page.text.split() == words


def test_the_hash_of_a_folder_follows_names_and_contents_and_nothing_else(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, names in ((one, ["a.txt", "b.txt"]), (other, ["b.txt", "a.txt"])):
        folder.mkdir()
        for name in names:
            (folder / name).write_text(f"text of {name}")
    first = hash_documents(one)
    assert first == hash_documents(other)
    (other / "notes.docx").write_text("not a document")
    assert first == hash_documents(other)
    (other / "a.txt").write_text("changed")
    assert first != hash_documents(other)
    (other / "a.txt").write_text("text of a.txt")
    (other / "a.txt").rename(other / "c.txt")
    assert first != hash_documents(other)
