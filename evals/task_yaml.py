"""A YAML file as plain data that remembers on which line each key stands.

Scalars stay text, but for null: what a value means is for the task file's schema to say. So the labels
``yes`` and ``no`` don't turn into truth values, nor ``007`` into 7. Aliases, twofold keys and tags (but
for those of plain scalars, as ``!!str``) are refused; without aliases a small file can't grow large.
"""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from evals.errors import TaskError

LARGEST = 512 * 1024
"""Bytes in a task file, at most."""

TASK_FILE = "task file"
FROM_DATA = "`tuneworthy init DIR --data FILE` writes a task file from your data"

_YAML = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(_YAML + kind for kind in ("str", "int", "float", "bool", "null"))

KeyPath = tuple[str | int, ...]
"""Where a value stands: keys of sections and positions in lists."""


@dataclass
class LocatedYaml:
    """The data of a YAML file, the line, from 1, of each key and list item, and the text: a pipe is read only once."""

    data: dict[str, object] = field(default_factory=dict)
    lines: dict[KeyPath, int] = field(default_factory=dict)
    text: str = ""


def read_yaml(path: Path, kind: str = TASK_FILE, *, if_empty: str | None = FROM_DATA) -> LocatedYaml:
    """Return the mapping in a YAML (or JSON) file. Raises ``TaskError`` with file and line.

    ``kind`` says in errors what the file is, ``if_empty`` what to do about an empty one; None lets it be empty.
    """
    text = _read_text(path, kind)
    try:
        root = yaml.compose(text, Loader=_PlainLoader)
    except _TagError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise TaskError(f"{path}:{line}: tags ({error.problem}) can't be used here; put the text in quotes") from None
    except yaml.MarkedYAMLError as error:
        raise TaskError(_explain(path, error, kind)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise TaskError(
            f"{path}:{line}: holds the character U+{error.character:04X}, which YAML doesn't allow"
        ) from None
    except RecursionError:
        raise TaskError(f"{path}: is nested too deeply") from None
    if root is None and if_empty is None:
        return LocatedYaml()
    if root is None:
        raise TaskError(f"{path}: is empty; {if_empty}")
    if not isinstance(root, yaml.MappingNode):
        shown = "instruction: Say …" if kind == TASK_FILE else "key: value"
        raise TaskError(f"{path}:{_line(root)}: should be keys and values, as in `{shown}`")
    located = LocatedYaml(text=text)
    located.data = _mapping(path, root, (), located.lines)
    return located


class _TagError(yaml.MarkedYAMLError):
    """A tag that asks for more than a plain scalar."""


class _PlainLoader(yaml.SafeLoader):
    """Composes nodes, but no aliases, and no written tags other than those of plain scalars."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) can't be used here", event.start_mark)
        event = self.peek_event()  # type: ignore[no-untyped-call]
        tag = getattr(event, "tag", None)  # None where no tag is written
        if tag is not None and not (tag in _SCALAR_TAGS and isinstance(event, yaml.ScalarEvent)):
            raise _TagError(problem=tag.replace(_YAML, "!!"), problem_mark=event.start_mark)
        return super().compose_node(parent, index)


def _read_text(path: Path, kind: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)  # no more: /dev/zero has no end
    except OSError as error:
        raise TaskError(f"{path}: can't be read: {error.strerror or error}") from None
    if len(content) > LARGEST:
        raise TaskError(f"{path}: is larger than {LARGEST // 1024} KiB; is it {_a(kind)}, or data?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise TaskError(f"{path}:{line}: is not UTF-8 (byte 0x{byte:02x}): save it as UTF-8") from None
    # JSON may be indented with tabs, YAML may not; inside of a JSON text no tab can stand.
    return text.replace("\t", " ") if path.suffix.lower() == ".json" else text


def _explain(path: Path, error: yaml.MarkedYAMLError, kind: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}" if mark else str(path)
    problem = error.problem or str(error)
    if "'\\t'" in problem:
        problem = "a tab stands where only spaces may; indent with spaces"
    elif problem == "mapping values are not allowed here":
        problem = "a second colon stands in the line; put a text that holds a colon in quotes"
    elif "expected a single document" in str(error.context) + problem:
        problem = f"a second document begins with ---; {_a(kind)} is one"
    return f"{where}: is not valid YAML: {problem}"


def _value(path: Path, node: yaml.Node, at: KeyPath, lines: dict[KeyPath, int]) -> object:
    if isinstance(node, yaml.MappingNode):
        return _mapping(path, node, at, lines)
    if isinstance(node, yaml.SequenceNode):
        items: list[object] = []
        for position, item in enumerate(node.value):
            lines[(*at, position)] = _line(item)
            items.append(_value(path, item, (*at, position), lines))
        return items
    if node.tag.endswith(":null") and isinstance(node, yaml.ScalarNode) and node.style is None:
        return None
    return _text(path, node)


def _mapping(path: Path, node: yaml.MappingNode, at: KeyPath, lines: dict[KeyPath, int]) -> dict[str, object]:
    data: dict[str, object] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise TaskError(f"{path}:{_line(key_node)}: a key must be plain text")
        key = _text(path, key_node)
        if key in data:
            first = lines[(*at, key)]
            raise TaskError(f"{path}:{_line(key_node)}: the key {key!r} stands twice (first at line {first})")
        lines[(*at, key)] = _line(key_node)
        data[key] = _value(path, value_node, (*at, key), lines)
    return data


def _text(path: Path, node: yaml.Node) -> str:
    """Return a scalar's text; JSON escapes write characters beyond U+FFFF as surrogate pairs, which are joined."""
    text = str(node.value)
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise TaskError(f"{path}:{_line(node)}: holds half a surrogate pair, which is no character") from None


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
