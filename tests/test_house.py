"""The plan of the house, held by the code itself: imports go upwards, files stay small, nothing heavy at the door."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "evals": set(),
    "baselines": {"evals"},
    "finetune": {"baselines", "evals"},
    "reports": {"evals"},
    "advisor": {"baselines", "evals", "finetune", "reports"},
}
FILES = [path for room in MAY_IMPORT for path in sorted((ROOT / room).rglob("*.py"))]


def imported(tree: ast.AST) -> set[str]:
    """Return the top-level names that a module imports, wherever it does."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names.add((node.module or "").partition(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_upwards_only(path):
    room = path.relative_to(ROOT).parts[0]
    names = imported(ast.parse(path.read_text(encoding="utf-8")))
    assert names & set(MAY_IMPORT) <= MAY_IMPORT[room] | {room}
    assert "tests" not in names
    if room == "evals":
        assert not names & {"torch", "transformers", "peft", "faiss", "sentence_transformers"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_small_and_have_a_noun(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 260
    assert path.stem not in {"utils", "helpers", "common", "misc"}


def test_the_front_door_loads_nothing_heavy():
    code = (
        "import sys, advisor.cli;"
        "heavy = {'torch', 'transformers', 'faiss', 'sklearn', 'scipy', 'matplotlib', 'pydantic', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"
