"""What a fuzzer needs: files that are nearly right, the command line in this process, and what must hold after it.

``TUNEWORTHY_FUZZ=20`` gives twenty times as many files, drawn anew each time::

    TUNEWORTHY_FUZZ=20 python -m pytest tests/test_fuzz.py
"""

import contextlib
import copy
import io
import os
import sys
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from advisor.cli import main

TIMES = float(os.environ.get("TUNEWORTHY_FUZZ", "1"))
MOST_LINES = 24


def many(count):
    """Return hypothesis settings for ``count`` examples, the same in every run unless more were asked for."""
    return settings(
        max_examples=int(count * TIMES),
        derandomize=TIMES == 1,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "", " ", "\n", "\0", "\ufeff", "\u2028", "\x85", "🦊", "e\u0301", "null", "NaN", "-", "~", "..", "/",
            "~root", ".", "/etc", "/dev/null", "a/b", "a\nb", "x" * 300, "2024-01-01", "1e999", "0x10",
            "1_000", "yes", "=1+1", "<b>",
            "[bold]", "{{x}}", "%s", "qlora", "builtin", "label", "train.jsonl", "=", "<<",
            "!!python/object:os.system x",
        ]
    ),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([10**9, 2**63, -(2**63) - 1, 10**30, 0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan")]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


def places(value, at=()):
    """Return the path of every value inside ``value``, its own too."""
    found = [at]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*at, key))
    return found


def changed(draw, value):
    """Return a copy of ``value`` with one to three places replaced, left out, doubled or renamed."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(places(value)))
        if not at:
            if draw(st.integers(0, 9)) == 0:
                value = draw(VALUES)
            continue
        outer = value
        for key in at[:-1]:
            outer = outer[key]
        way = draw(st.sampled_from(["replace", "replace", "replace", "remove", "rename", "nest", "double"]))
        inner = outer[at[-1]]
        if way == "replace":
            outer[at[-1]] = draw(VALUES)
        elif way == "remove":
            del outer[at[-1]]
        elif way == "nest":
            for _ in range(draw(st.sampled_from([1, 2, 60]))):
                inner = [inner]
            outer[at[-1]] = inner
        elif isinstance(outer, dict):
            outer[draw(TEXTS)] = outer.pop(at[-1]) if way == "rename" else inner
        else:
            outer.append(inner)
    return value


def spoilt(draw, content):
    """Return the bytes ``content`` with some put in, left out or in another encoding, or as they are."""
    way = draw(st.sampled_from(["as it is"] * 6 + ["insert", "cut", "drop", "bom", "utf-16", "double", "line"]))
    at = draw(st.integers(0, len(content)))
    if way == "insert":
        return content[:at] + draw(st.one_of(st.binary(max_size=4), SIGNS)) + content[at:]
    if way == "cut":
        return content[:at]
    if way == "drop":
        return content[:at] + content[at + draw(st.integers(1, 9)) :]
    if way == "bom":
        return b"\xef\xbb\xbf" + content
    if way == "utf-16":
        return content.decode("utf-8", "replace").encode("utf-16", "surrogatepass")
    if way == "double":
        return content + content
    if way == "line":
        lines = content.split(b"\n")
        lines.insert(at % len(lines), draw(st.one_of(st.binary(max_size=20), SIGNS)))
        return b"\n".join(lines)
    return content


SIGNS = st.sampled_from(
    [b"\0", b"\xff", b"\xed\xa0\x80", b'"', b"'", b"{", b"[" * 40, b"&a [*a]", b"*a", b"\t", b"\r", b": ", b"- ",
     b"---\n", b"%", b"[" * 5000, b'{"a":' * 5000, b"!!set {a}", b"? ", b"|", b">", b"\\u0000", b"\\ud800", b"1" * 5000,
     b",", b"#"]
)  # fmt: skip


def run_cli(*arguments):
    """Run the command line in this process; return exit code, output and errors. What it doesn't catch is raised."""
    before, out, err = sys.argv, io.StringIO(), io.StringIO()
    sys.argv = ["tuneworthy", *map(str, arguments)]
    code = None
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        sys.argv = before
    return code, out.getvalue(), err.getvalue()


def files_below(folder):
    """Return every file below ``folder`` with its content, and every folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in Path(folder).rglob("*")
        if not path.is_symlink()
    }


def holds_up(folder, *arguments, writes=()):
    """Run the command line and assert that it ends with an answer or one plain error, with nothing half-written.

    ``writes`` are the files, relative to ``folder``, that it may write where it succeeds. Returns the exit code.
    """
    before = files_below(folder)
    code, _, err = run_cli(*arguments)
    assert code in (0, 1, 2, 3), (code, err)
    assert "Traceback" not in err, err
    assert "unforeseen" not in err, err
    told = [line for line in err.splitlines() if not line.startswith("note: ")]
    assert len(told) <= MOST_LINES, err
    assert all(len(line) < 2000 for line in told), err[:5000]
    assert bool(told) == (code != 0), (code, err)
    if code:
        assert told[0].startswith("tuneworthy: "), err
    after = files_below(folder)
    allowed = set(writes) if code in (0, 3) else set()
    changes = {name for name in before | after if before.get(name, 0) != after.get(name, 0)} - allowed
    assert not changes, (changes, err)
    return code
