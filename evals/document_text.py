"""The title and text of one document: plain text, Markdown, HTML or PDF."""

import codecs
import logging
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

DOCUMENT_SUFFIXES = (".txt", ".md", ".html", ".htm", ".pdf")
"""The kinds of files that a folder of documents may hold."""

_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
_HIDDEN = frozenset({"script", "style", "template", "noscript", "svg", "iframe", "select"})
_SPACED = frozenset({"td", "th"})
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "cite", "code", "data", "del", "dfn", "em", "font", "i", "img", "ins", "kbd"}
    | {"label", "mark", "q", "s", "samp", "small", "span", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr"}
)
_ENCODINGS = ("utf-8", "cp", "iso8859", "koi8", "gb", "big5", "euc", "shift_jis", "mac")
"""How the names of the encodings begin that a page may declare; the others that Python knows aren't for text."""


class DocumentProblem(ValueError):
    """A document that can't be used; ``line`` counts from 1, 0 where there are no lines."""

    def __init__(self, what: str, line: int = 0) -> None:
        self.line = line
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class DocumentText:
    """What a document says; the title falls back to the file's name without suffix."""

    title: str
    text: str


def read_document(path: Path) -> DocumentText:
    """Read one document of one of ``DOCUMENT_SUFFIXES``.

    Raises ``DocumentProblem`` when it holds no text, isn't UTF-8 (HTML may declare another encoding),
    or is a broken or encrypted PDF; ``OSError`` as it comes.
    """
    suffix = path.suffix.lower()
    if path.exists() and not path.is_file():
        raise DocumentProblem("is a pipe or a device, not a file")
    content = path.read_bytes()
    if not content.strip():
        raise DocumentProblem("is empty")
    if suffix == ".pdf":
        title, text = "", _pdf_text(path)
    elif suffix in (".html", ".htm"):
        page = html_text(_decode(content, _declared(content)))
        title, text = page.title, page.text
    else:
        text = _decode(content).replace("\r\n", "\n").strip()
        heading = re.match(r"#{1,6}[ \t]+(.+)", text) if suffix == ".md" else None
        title = heading[1].strip(" \t#") if heading else ""
    if not text.strip():
        hint = "; is it a scan? Run text recognition on it first" if suffix == ".pdf" else ""
        raise DocumentProblem(f"holds no text{hint}")
    return DocumentText(title or path.stem, text)


def html_text(markup: str) -> DocumentText:
    """Return the title and the visible text of a page, a line per block; broken markup is read as it comes."""
    reader = _PageReader()
    reader.feed(markup)
    reader.close()
    return DocumentText(_squeeze("".join(reader.title)), _paragraphs("".join(reader.text)))


class _PageReader(HTMLParser):
    """Collects the text outside of scripts and styles, with a line break around each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.title: list[str] = []
        self.hidden: list[str] = []
        self.in_title = False
        self.preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self.hidden.append(tag)
        elif tag == "title" and not self.hidden:
            self.in_title = True
        elif tag == "pre":
            self.preformatted += 1
        self._break(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # "<script/>" and "<pre/>" open nothing that will be closed.
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.hidden:
            del self.hidden[self.hidden.index(tag) :]
        elif tag == "title":
            self.in_title = False
        elif tag == "pre":
            self.preformatted = max(0, self.preformatted - 1)
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if self.in_title:
            self.title.append(data)
        elif not self.hidden:
            self._add(data)

    def _break(self, tag: str) -> None:
        if tag in _SPACED:
            self._add(" ")
        elif tag not in _INLINE | _HIDDEN and not self.hidden:
            self.text.append("\n")

    def _add(self, data: str) -> None:
        if not self.preformatted:
            # Outside of <pre> a line break in the source is a space, and spaces in a row are one.
            data = re.sub(r"\s+", " ", data)
            if not self.text or self.text[-1].endswith((" ", "\n")):
                data = data.lstrip()
        if data:
            self.text.append(data)


def _pdf_text(path: Path) -> str:
    """Return the text of a PDF, pages apart by an empty line."""
    from pypdf import PdfReader

    # pypdf tells of every oddity of a file on the log; what matters here is raised.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(path)
        # Many files are encrypted with an empty password, to forbid printing.
        if reader.is_encrypted and not reader.decrypt(""):
            raise DocumentProblem("is encrypted; save it without a password")
        pages = [page.extract_text() for page in reader.pages]
    except DocumentProblem:
        raise
    except OSError:
        raise
    except Exception as error:  # a broken PDF makes pypdf raise anything, from KeyError to RecursionError
        raise DocumentProblem(
            f"is no PDF that can be read: {_squeeze(str(error))[:200] or type(error).__name__}"
        ) from error
    text = "\n\n".join(page.strip() for page in pages if page.strip())
    return text.encode(errors="replace").decode()


def _decode(content: bytes, encoding: str = "utf-8-sig") -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        kind = "UTF-8" if encoding == "utf-8-sig" else encoding
        raise DocumentProblem(f"is not {kind} (byte 0x{content[error.start]:02x}): save it as UTF-8", line) from None


def _declared(content: bytes) -> str:
    """Return the encoding that a page declares in its first 1,024 bytes, as far as Python knows it; else UTF-8."""
    found = _DECLARED.search(content[:1024])
    if content.startswith(codecs.BOM_UTF8) or not found:
        return "utf-8-sig"
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except LookupError:
        return "utf-8-sig"
    if not name.startswith(_ENCODINGS):
        return "utf-8-sig"
    # Browsers read this one as windows-1252 (WHATWG Encoding Standard).
    if name == "iso8859-1":
        return "cp1252"
    return "utf-8-sig" if name == "utf-8" else name


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _paragraphs(text: str) -> str:
    """Return ``text`` without space at the end of its lines and without more than one empty line in a row."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.splitlines())).strip()
